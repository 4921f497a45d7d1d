"""The lives of declarations: every path from lodging to exit, and the ways in which things go wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from certex_bridge.laboratory.declarations import Plan, another_mrn, scale_figures, scaled
from certex_bridge.laboratory.messages import Message, Wire, cloudevent
from certex_bridge.laboratory.wco import wco, wco_record


@dataclass(frozen=True, slots=True)
class Sent:
    """A record with the time of day at which it is sent; usually, not always, when it happened."""

    at: datetime
    message: Message


@dataclass(frozen=True, slots=True)
class Clock:
    """The hours of one declaration's day."""

    accepted: datetime
    noon: datetime
    released: datetime
    evening: datetime


Life = Iterator[tuple[datetime, str, Wire | bytes]]
"""(time, kind of event, data of a canonical event or a foreign message)."""


def standard(plan: Plan, clock: Clock, random: Random) -> Life:
    """Accepted, released, and for most the exit is confirmed the same day."""
    yield clock.accepted, "accepted", accepted(plan, clock)
    yield clock.released, "released", plan.identity
    if random.random() < 0.6:
        yield clock.evening, "exit-confirmed", plan.identity | {"exitedAt": clock.evening.isoformat()}


def prelodged(plan: Plan, clock: Clock, _random: Random) -> Life:
    """Lodged by LRN before the goods are there, presented, accepted under an MRN, released."""
    plan.content["additionalType"] = "D"
    yield clock.accepted - timedelta(hours=2), "lodged", plan.draft | {"version": 1, "declaration": plan.content}
    yield clock.accepted - timedelta(minutes=5), "presented", plan.draft
    joined = plan.draft | plan.identity | {"acceptedAt": clock.accepted.isoformat()}
    yield clock.accepted, "accepted", joined
    yield clock.released, "released", plan.identity


def amended_before_release(plan: Plan, clock: Clock, random: Random) -> Life:
    """Figures corrected between acceptance and release."""
    yield clock.accepted, "accepted", accepted(plan, clock)
    factor = Decimal(random.choice(("0.5", "0.8", "1.1", "1.3")))
    yield clock.noon, "amended", plan.identity | {"version": 2, "declaration": scaled(plan, factor)}
    yield clock.released, "released", plan.identity


def partly_released(plan: Plan, clock: Clock, _random: Random) -> Life:
    """Less leaves than was declared; the last of several items does not leave at all."""
    yield clock.accepted, "accepted", accepted(plan, clock)
    items = plan.citing_items
    kept = items.pop() if len(items) > 1 else 0
    released = [_released_item(plan, number) for number in items]
    yield clock.released, "released", plan.identity | ({"items": released} if released else {})
    if kept:
        yield clock.released, "not-released", plan.identity | {"items": [{"item": kept}]}


def _released_item(plan: Plan, number: int) -> Wire:
    item = next(item for item in plan.content["items"] if item["item"] == number)
    documents = copy.deepcopy(item["documents"])
    for document in documents:
        scale_figures(document, Decimal("0.75"))
    return {
        "item": number,
        "documents": [{name: one[name] for name in ("seq", "quantity", "value")} for one in documents],
    }


def not_released(plan: Plan, clock: Clock, _random: Random) -> Life:
    """Customs refuse the release."""
    yield clock.accepted, "accepted", accepted(plan, clock)
    yield clock.released, "not-released", plan.identity | {"reason": "goods do not match"}


def invalidated_before_release(plan: Plan, clock: Clock, _random: Random) -> Life:
    """Invalidated at the declarant's request."""
    yield clock.accepted, "accepted", accepted(plan, clock)
    yield clock.noon, "invalidated", plan.identity | {"reason": "order cancelled"}


def invalidated_after_release(plan: Plan, clock: Clock, _random: Random) -> Life:
    """Released, but the goods did not leave."""
    yield clock.accepted, "accepted", accepted(plan, clock)
    yield clock.released, "released", plan.identity
    yield clock.evening, "invalidated", plan.identity | {"reason": "goods did not leave the customs territory"}


def amended_after_release(plan: Plan, clock: Clock, random: Random) -> Life:
    """A correction within three years of acceptance: mostly down, sometimes up."""
    yield clock.accepted, "accepted", accepted(plan, clock)
    yield clock.released, "released", plan.identity
    factor = Decimal(random.choice(("0.5", "0.9", "0.9", "1.2", "25")))
    yield clock.evening, "amended", plan.identity | {"version": 2, "declaration": scaled(plan, factor)}


def supplementary(plan: Plan, clock: Clock, _random: Random) -> Life:
    """A simplified declaration with estimated figures, released; the supplementary one brings the final figures."""
    final = scaled(plan, Decimal("0.95"))
    final["additionalType"] = "X"
    plan.content["additionalType"] = "B"
    yield clock.accepted, "accepted", accepted(plan, clock)
    yield clock.released, "released", plan.identity
    own = {"mrn": plan.mrn, "simplifiedMrn": plan.mrn, "office": plan.office}
    yield clock.evening, "supplementary", own | {"declaration": final}


def recapitulative(plan: Plan, clock: Clock, _random: Random) -> Life:
    """Two simplified declarations, and at the end of the period one supplementary declaration for both."""
    plan.content["additionalType"] = "C"
    simplified = [plan.identity, plan.identity | {"mrn": another_mrn(plan.mrn, "R")}]
    half = scaled(plan, Decimal("0.5"))
    for identity in simplified:
        yield clock.accepted, "accepted", accepted(plan, clock) | identity | {"declaration": half}
        yield clock.released, "released", identity
    final = scaled(plan, Decimal("0.48")) | {"additionalType": "Y"}
    more = [item | {"item": item["item"] + len(final["items"])} for item in copy.deepcopy(final["items"])]
    final["items"] += more
    named = [{"mrn": identity["mrn"]} for identity in simplified]
    own = {"mrn": another_mrn(plan.mrn, "S"), "office": plan.office, "simplifiedDeclarations": named}
    yield clock.evening, "supplementary", own | {"declaration": final}


def supplementary_replaced(plan: Plan, clock: Clock, _random: Random) -> Life:
    """The supplementary declaration was wrong: it is invalidated, and another one takes its place."""
    plan.content["additionalType"] = "B"
    yield clock.accepted, "accepted", accepted(plan, clock)
    yield clock.released, "released", plan.identity
    for letter, factor in (("S", "0.9"), ("T", "0.95")):
        own = {"mrn": another_mrn(plan.mrn, letter), "office": plan.office}
        final = scaled(plan, Decimal(factor)) | {"additionalType": "X"}
        named = {"simplifiedDeclarations": [{"mrn": plan.mrn}]}
        yield clock.evening, "supplementary", own | named | {"declaration": final}
        if letter == "S":
            yield clock.evening + timedelta(minutes=1), "invalidated", own | {"reason": "lodged in error"}


def rejected(plan: Plan, clock: Clock, _random: Random) -> Life:
    """Lodged and rejected."""
    yield clock.accepted, "lodged", plan.draft | {"version": 1, "declaration": plan.content}
    yield clock.noon, "rejected", plan.draft | {"reason": "incomplete"}


def unknown_licence(plan: Plan, clock: Clock, random: Random) -> Life:
    """Cites a licence nobody has issued yet, or ever will; like any other otherwise."""
    yield from standard(plan, clock, random)


def over_limit(plan: Plan, clock: Clock, _random: Random) -> Life:
    """One claim asks for far more than the line holds; customs release nothing."""
    item, _, _, _ = plan.cited[0]
    scale_figures(_document(plan, item), Decimal(900))
    yield clock.accepted, "accepted", accepted(plan, clock)


def asked_again(plan: Plan, clock: Clock, random: Random) -> Life:
    """Refused for want of room, and customs ask for a new attempt."""
    yield from over_limit(plan, clock, random)
    yield clock.released, "recheck", plan.identity


def transit(plan: Plan, clock: Clock, _random: Random) -> Life:
    """External transit of one item under a transit licence."""
    plan.content["type"] = "T1"
    plan.content["items"] = plan.content["items"][:1]
    plan.content["items"][0].pop("procedure")
    yield clock.accepted, "accepted", accepted(plan, clock)
    yield clock.released, "released", plan.identity


def wrong_unit(plan: Plan, clock: Clock, _random: Random) -> Life:
    """Quantities in a unit that is not the licence's."""
    quantity = _document(plan, plan.cited[0][0])["quantity"]
    quantity["unit"] = "TNE" if quantity["unit"] == "KGM" else "KGM"
    yield clock.accepted, "accepted", accepted(plan, clock)


def wrong_currency(plan: Plan, clock: Clock, _random: Random) -> Life:
    """Values in a currency that is not the licence's."""
    value = _document(plan, plan.cited[0][0])["value"]
    value["currency"] = "USD"
    yield clock.accepted, "accepted", accepted(plan, clock)


def impossible_figure(plan: Plan, clock: Clock, random: Random) -> Life:
    """Zero, negative, or with more decimals than the format has."""
    _document(plan, plan.cited[0][0])["quantity"]["amount"] = random.choice(("0", "-3", "1.0000001"))
    yield clock.accepted, "accepted", accepted(plan, clock)


def wrong_document_code(plan: Plan, clock: Clock, _random: Random) -> Life:
    """A document code that is not that of the licence's type."""
    document = _document(plan, plan.cited[0][0])
    document["type"] = "X070" if document["type"] == "X060" else "X060"
    yield clock.accepted, "accepted", accepted(plan, clock)


def _document(plan: Plan, item: int) -> Wire:
    found: Wire = next(one for one in plan.content["items"] if one["item"] == item)["documents"][0]
    return found


def accepted(plan: Plan, clock: Clock) -> Wire:
    """Data of an acceptance with the whole content."""
    data: Wire = plan.identity | {"version": 1, "acceptedAt": clock.accepted.isoformat(), "declaration": plan.content}
    return data


Path = Callable[[Plan, Clock, Random], Life]

PATHS: dict[Path, int] = {
    standard: 395,
    prelodged: 140,
    amended_before_release: 80,
    partly_released: 60,
    not_released: 40,
    invalidated_before_release: 30,
    invalidated_after_release: 30,
    amended_after_release: 40,
    supplementary: 20,
    recapitulative: 10,
    supplementary_replaced: 10,
    wco: 30,
    over_limit: 25,
    asked_again: 10,
    transit: 10,
    unknown_licence: 20,
    rejected: 10,
    wrong_unit: 10,
    wrong_currency: 8,
    impossible_figure: 6,
    wrong_document_code: 6,
}
"""Every path with its share in thousandths."""

LIMITED = (over_limit, asked_again, wrong_unit, wrong_currency, impossible_figure, wrong_document_code)
"""Paths that need a licence with a limit to show anything."""

AT_HOME = (wco,)
"""Paths whose declaration names no issuing state: it is lodged where the licences were issued."""

_SWAPPED = 0.05
_REPEATED = 0.02
_FORGOTTEN = 0.01


def _message(plan: Plan, at: datetime, kind: str, data: Wire | bytes) -> Message:
    if isinstance(data, bytes):
        return wco_record(plan.lrn, at, kind, data)
    return cloudevent(f"customs.declaration.{kind}.v1", data, at, f"declaration {kind}")


def play(path: Path, plan: Plan, clock: Clock, random: Random) -> list[Sent]:
    """One life as records: now and then two arrive in the wrong order, twice, or again under another id."""
    steps = list(path(plan, clock, random))
    events = [Sent(at, _message(plan, at, kind, data)) for at, kind, data in steps]
    if len(events) > 1 and random.random() < _SWAPPED:
        late, early = events[-2], events[-1]
        events[-2:] = [Sent(late.at, early.message), Sent(early.at, late.message)]
    if random.random() < _FORGOTTEN:
        at, kind, data = steps[-1]
        if isinstance(data, bytes):
            return events
        again = cloudevent(f"customs.declaration.{kind}.v1", data, at, "same content, new id", again=1)
        events.append(Sent(at + timedelta(minutes=1), again))
    if random.random() < _REPEATED:
        from certex_bridge.laboratory.messages import repeated

        first = random.choice(events)
        events.append(Sent(events[-1].at + timedelta(minutes=2), repeated(first.message, "same id, same content")))
    return events
