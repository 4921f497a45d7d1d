"""The day's hard cases: lives in which a wrong answer is easy, each with licences of its own and what must come of it.

Every figure is written down here by hand, from what the law asks for; nothing is computed by the code that is proved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from certex_bridge.laboratory.case_scene import OFFICE, Scene, content_of, key_of
from certex_bridge.laboratory.lives import Sent
from certex_bridge.laboratory.messages import Wire, cloudevent
from certex_bridge.laboratory.wco import Reference, amendment_request, response, wco_declaration, wco_record


class Balance(NamedTuple):
    """What a licence holds at the end of the day, in pieces."""

    reserved: Decimal
    consumed: Decimal
    available: Decimal


def _pieces(reserved: int, consumed: int, available: int) -> Balance:
    return Balance(Decimal(reserved), Decimal(consumed), Decimal(available))


@dataclass(frozen=True, slots=True)
class ByHand:
    """A declaration that is undecided at the end of the day, and what an officer then says."""

    mrn: str
    candidates: tuple[str, ...]
    """Exporters of the lodgings that it could be, in the order in which they were told."""
    exporter: str
    """Whose lodging it was."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What must stand in the ledger at the end."""

    balances: dict[str, Balance]
    """By licence."""
    statuses: dict[str, str] = field(default_factory=dict)
    """Of licences; Valid where nothing is said."""
    refused: dict[str, str] = field(default_factory=dict)
    """Declarations whose claims are refused, with the reason."""
    incidents: dict[str, str] = field(default_factory=dict)
    """What the licensing officer of a licence must hear."""
    findings: dict[str, str] = field(default_factory=dict)
    """What customs must have been told about a declaration."""
    acts: dict[str, str] = field(default_factory=dict)
    """What became of an act whose content is wrong, by licence."""


@dataclass(frozen=True, slots=True)
class Case:
    """One life, or several that belong together."""

    name: str
    """What happens, in a sentence."""
    sent: tuple[Sent, ...]
    expected: Expected
    by_hand: ByHand | None = None


def _lrn_used_again(scene: Scene) -> Case:
    """An LRN is the declarant's own number: it names a lodging until that is cleared, then perhaps another one."""
    trader = scene.trader()
    licence = scene.licence(trader)
    draft = {"lrn": scene.lrn, "exporter": trader, "office": OFFICE}
    sent = [scene.issued(licence)]
    for place, pieces, hour in ((1, 30, 8.0), (2, 20, 15.0)):
        named = {"mrn": scene.mrn(place), "lrn": scene.lrn, "office": OFFICE}
        lodged = draft | {"version": 1, "declaration": content_of(trader, licence, pieces, additional_type="D")}
        sent += [scene.told(hour, "lodged", lodged), scene.told(hour + 0.5, "accepted", named)]
        sent.append(scene.told(hour + 6 if place == 1 else hour + 1, "released", named))
    name = "An LRN is used again after clearance: 30 and 20 pieces leave, each MRN has its own lodging."
    return Case(name, tuple(sent), Expected({key_of(licence): _pieces(0, 50, 50)}))


def _two_traders(scene: Scene) -> Case:
    first, second = scene.trader(1), scene.trader(2)
    licences = scene.licence(first), scene.licence(second)
    mrn = scene.mrn(1)
    named = {"mrn": mrn, "lrn": scene.lrn, "office": OFFICE}
    sent = [scene.issued(licence) for licence in licences]
    for place, (trader, licence, pieces) in enumerate(zip((first, second), licences, (30, 40), strict=True)):
        content = content_of(trader, licence, pieces, additional_type="D")
        draft = {"lrn": scene.lrn, "exporter": trader, "office": OFFICE, "version": 1, "declaration": content}
        sent.append(scene.told(8 + place / 2, "lodged", draft))
    sent += [scene.told(11, "accepted", named), scene.told(14, "released", named)]
    expected = Expected(
        {key_of(licences[0]): _pieces(0, 0, 100), key_of(licences[1]): _pieces(0, 40, 60)},
        incidents={key_of(licence): "RELEASED_UNDECIDED" for licence in licences},
        findings={mrn: "DRAFT_AMBIGUOUS"},
    )
    name = "Two traders lodge under one LRN, customs name no exporter: undecided, nothing booked; settled by hand."
    return Case(name, tuple(sent), expected, ByHand(mrn, (first, second), second))


def _recapitulative(scene: Scene) -> Case:
    """UCC Art. 167: one supplementary declaration for two simplified ones is one instrument with them."""
    trader = scene.trader()
    licence = scene.licence(trader)
    sent = [scene.issued(licence)]
    simplified = [scene.mrn(1), scene.mrn(2)]
    for mrn, pieces in zip(simplified, (40, 20), strict=True):
        named = {"mrn": mrn, "office": OFFICE}
        content = content_of(trader, licence, pieces, additional_type="C")
        sent += [
            scene.told(9, "accepted", named | {"version": 1, "declaration": content}),
            scene.told(14, "released", named),
        ]
    of = {"simplifiedDeclarations": [{"mrn": mrn} for mrn in simplified], "office": OFFICE}
    for place, figures, hour in ((3, (38, 19), 18.5), (4, (41, 21), 19.5)):
        content = content_of(trader, licence, *figures, additional_type="Y")
        sent.append(scene.told(hour, "supplementary", {"mrn": scene.mrn(place), "declaration": content} | of))
    wrong = {"mrn": scene.mrn(3), "office": OFFICE, "reason": "lodged in error"}
    sent.append(scene.told(19, "invalidated", wrong))
    name = "Two simplified declarations (40, 20), one supplementary for both (57), invalidated and replaced (62)."
    return Case(name, tuple(sent), Expected({key_of(licence): _pieces(0, 62, 38)}))


def _rejected_amendment(scene: Scene) -> Case:
    """UCC Art. 173: a request for amendment is what customs make of it; declarants repeat the LRN as its reference."""
    trader = scene.trader()
    licence = scene.licence(trader)
    of = Reference(scene.lrn, scene.mrn(1), trader, OFFICE)

    def declared(pieces: int) -> Wire:
        return content_of(trader, licence, pieces)

    def record(hour: float, label: str, document: Callable[[datetime], bytes]) -> Sent:
        at = scene.at(hour)
        return Sent(at, wco_record(scene.lrn, at, label, document(at)))

    def request(pieces: int) -> Callable[[datetime], bytes]:
        return lambda at: amendment_request(of, declared(pieces), at)

    def answer(function: str, status: str = "", *, accepted: bool = False) -> Callable[[datetime], bytes]:
        return lambda at: response(of, function, at, status=status, accepted=at if accepted else None)

    sent = (
        scene.issued(licence),
        record(8, "wco declaration", lambda at: wco_declaration(of, declared(30), at)),
        record(8.5, "wco notification 01", answer("01", accepted=True)),
        record(9, "wco amendment", request(60)),
        record(10, "wco notification 03", answer("03")),
        record(12.2, "wco amendment", request(25)),
        record(12.6, "wco notification 11", answer("11", "39")),
        record(14, "wco notification 09", answer("09")),
    )
    name = "An amendment to 60 is rejected and never booked; a second one, same reference, to 25 is granted."
    return Case(name, sent, Expected({key_of(licence): _pieces(0, 25, 75)}))


def _broken_revocation(scene: Scene) -> Case:
    """Regulation (EU) 2021/821 Art. 16: what is revoked may not be used, whatever else the message says."""
    trader = scene.trader()
    licence = scene.licence(trader)
    first, second = scene.mrn(1), scene.mrn(2)
    at = scene.at(12.3)
    lines = [licence["lines"][0] | {"quantity": {"amount": "many", "unit": "BOX"}}]
    broken = licence | {"version": 2, "status": "REVOKED", "holder": {"name": "", "eori": "12 34"}, "lines": lines}
    named = {"mrn": first, "office": OFFICE}
    sent = (
        scene.issued(licence),
        scene.told(8, "accepted", named | {"version": 1, "declaration": content_of(trader, licence, 10)}),
        scene.told(9, "released", named),
        Sent(at, cloudevent("licensing.licence.revoked.v1", broken, at, "revoked, content broken")),
        scene.told(
            14,
            "accepted",
            {"mrn": second, "office": OFFICE, "version": 1, "declaration": content_of(trader, licence, 5)},
        ),
    )
    expected = Expected(
        {key_of(licence): _pieces(0, 10, 90)},
        statuses={key_of(licence): "Revoked"},
        refused={second: "STATUS_REVOKED"},
        acts={key_of(licence): "TAKEN"},
    )
    name = "A revocation with broken content blocks all the same: 10 left before, 5 are refused after."
    return Case(name, sent, expected)


def _neighbours_licence(scene: Scene) -> Case:
    """Regulation (EU) 2021/821 Art. 12(1): a licence is valid in the whole customs territory."""
    trader = scene.trader(country="NL")
    licence = scene.licence(trader, issuer="NL")
    mrn = scene.mrn(1)
    named = {"mrn": mrn, "office": OFFICE}
    content = content_of(trader, licence, 15, issuer=False)
    sent = (
        scene.issued(licence),
        scene.told(9, "accepted", named | {"version": 1, "declaration": content}),
        scene.told(15, "released", named),
    )
    name = "Declared in Belgium, a Dutch licence is cited without its issuer: it is found, 15 are written off."
    return Case(name, sent, Expected({key_of(licence): _pieces(0, 15, 85)}, findings={mrn: "ISSUER_BY_NUMBER"}))


def _rest_not_released(scene: Scene) -> Case:
    trader = scene.trader()
    licence = scene.licence(trader)
    named = {"mrn": scene.mrn(1), "office": OFFICE}
    sent = (
        scene.issued(licence),
        scene.told(9, "accepted", named | {"version": 1, "declaration": content_of(trader, licence, 30, 20)}),
        scene.told(14, "released", named | {"items": [{"item": 1}]}),
        scene.told(16, "not-released", named | {"reason": "the rest was not found at presentation"}),
    )
    name = "Item 1 (30) is released, then the declaration is not released: that is the rest, 20 go back."
    return Case(name, sent, Expected({key_of(licence): _pieces(0, 30, 70)}))


def _released_after_invalidation(scene: Scene) -> Case:
    """UCC Art. 174: nothing can be released under a declaration that is invalid; somebody must look at it."""
    trader = scene.trader()
    licence = scene.licence(trader)
    named = {"mrn": scene.mrn(1), "office": OFFICE}
    sent = (
        scene.issued(licence),
        scene.told(9, "accepted", named | {"version": 1, "declaration": content_of(trader, licence, 10)}),
        scene.told(12.5, "invalidated", named | {"reason": "order cancelled"}),
        scene.told(15, "released", named),
    )
    expected = Expected(
        {key_of(licence): _pieces(0, 0, 100)}, incidents={key_of(licence): "RELEASED_AFTER_INVALIDATION"}
    )
    name = "Goods are released after invalidation: nothing is written off, the licensing officer hears of it."
    return Case(name, sent, expected)


_CASES: tuple[Callable[[Scene], Case], ...] = (
    _lrn_used_again,
    _two_traders,
    _recapitulative,
    _rejected_amendment,
    _broken_revocation,
    _neighbours_licence,
    _rest_not_released,
    _released_after_invalidation,
)


def make_cases(day: date) -> tuple[Case, ...]:
    """All cases on one day; the same day, the same records."""
    return tuple([make(Scene(day, number)) for number, make in enumerate(_CASES, start=1)])


def sent_of(cases: tuple[Case, ...]) -> Iterator[Sent]:
    """All their records."""
    for case in cases:
        yield from case.sent
