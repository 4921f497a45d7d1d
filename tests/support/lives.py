"""Lives of declarations as their senders tell them, message by message, each with how it must end.

Every life has licences, an LRN and MRNs of its own, so that all of them may be told to one bridge. The messages are
those of the wire: CloudEvents of a licensing system and of customs, and messages of the United Kingdom's WCO profile.
Tests play them through the command line, or in every order in which Kafka may deliver them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.ledger_words import mrn_in
from tests.support.wco_words import (
    EXPORTER,
    INVOICE,
    Doc,
    Goods,
    acceptance_message,
    amendment_message,
    branches,
    goods,
    lodging_message,
    presentation_message,
    response_message,
)

LICENCES, DECLARATIONS, MESSAGES = "licensing.licences.v1", "customs.declarations.v1", "customs.messages.v1"
HOLDER, OTHER = "BE0987654321", "BE0112233445"
OTHER_BRITON = "GB222333444555"
STRUCTURED = (("content-type", b"application/cloudevents+json"),)
WCO = (("profile", b"wco"), ("content-type", b"application/xml"))

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One record: topic, the key that orders it, and what stands in it."""

    topic: str
    key: str
    body: bytes

    @property
    def headers(self) -> tuple[tuple[str, bytes], ...]:
        """How the record says what it is."""
        return WCO if self.topic == MESSAGES else STRUCTURED


@dataclass(frozen=True, slots=True)
class Life:
    """What is told, and how it ends whatever the order of arrival."""

    name: str
    messages: Sequence[Message]
    balances: Mapping[str, str]
    """Reserved/consumed/available of a licence's first line."""
    states: Mapping[str, str] = field(default_factory=dict)
    """Where each declaration stands at last."""
    undecided: frozenset[str] = frozenset()
    """Declarations whose content nobody can tell; the mismatch report lists them."""
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Codes that the outcomes of a declaration name, told in the natural order."""
    quarantined: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    """What the licensing side hears, told in the natural order."""

    @property
    def queues(self) -> list[list[Message]]:
        """The messages by topic and key: what Kafka keeps in order."""
        found: dict[tuple[str, str], list[Message]] = {}
        for message in self.messages:
            found.setdefault((message.topic, message.key), []).append(message)
        return list(found.values())


# -- what licensing systems and customs of the Union tell


def _event(topic: str, key: str, kind: str, at: str, data: Json) -> Message:
    told = {"specversion": "1.0", "id": f"{key} {kind} {at}", "type": kind, "source": "urn:life", "time": at}
    body = json.dumps({**told, "datacontenttype": "application/json", "data": data})
    return Message(topic, key, body.encode())


def licence(
    name: str, limit: str, *, version: int = 1, at: str = "2026-02-01T09:00:00Z", holder: str = "", **changes: Any
) -> Message:
    """A licence of one line in pieces ("40"), another unit ("40 KGM") or money ("40.00 EUR")."""
    issuer, _, number = name.partition("/")
    amount, _, measure = limit.partition(" ")
    holder = holder or (EXPORTER if issuer == "GB" else HOLDER)
    money = measure in ("EUR", "BGN")
    limited: Json = {"control": "VALUE", "value": {"amount": amount, "currency": measure}}
    if not money:
        limited = {"control": "QUANTITY", "quantity": {"amount": amount, "unit": measure or "NAR"}}
    british: Json = {"type": "LEGACY", "documentCode": "X002"} if issuer == "GB" else {"type": "INDIVIDUAL"}
    data = {
        "issuer": issuer, "number": number, "version": version, "direction": "EXPORT", "status": "VALID",
        "issueDate": "2025-05-05", "validFrom": "2025-05-05", "validTo": "2026-12-31",
        "holder": {"name": "Vliet Machines", "eori": holder, "country": holder[:2]},
        "authority": {"name": "Authority", "country": issuer},
        "consignees": [{"name": "Daehan Works", "country": "KR"}], "destinations": ["KR"],
        "lines": [{"line": 1, "description": "milling machine", "controlList": "2B001.b",
                   "commodityCodes": ["84571090"], **limited}],
        **british, **changes,
    }  # fmt: skip
    kind = "issued" if version == 1 else "modified"
    return _event(LICENCES, name, f"licensing.licence.{kind}.v1", at, data)


@dataclass(slots=True)
class Declaring:
    """One declaration of the Union and the clock of its customs office; `day` keeps the lives of one LRN apart."""

    name: str
    licence: str
    mrn: str
    lrn: str = ""
    hour: int = 8

    def told(
        self, kind: str, *figures: str, key: str = "", at: str = "", about: Json | None = None, **more: Any
    ) -> Message:
        """An event on it, the next minute; `figures` are what each goods item claims of the licence."""
        self.hour += 1
        identity: Json = {"mrn": self.mrn} if self.mrn else {}
        if self.lrn and kind in ("lodged", "accepted"):
            identity |= {"lrn": self.lrn, "exporter": HOLDER}
        if kind == "lodged":
            identity.pop("mrn", None)
        data = identity | ({"declaration": self._content(figures, about or {})} if figures else {}) | more
        if figures and kind in ("accepted", "amended"):
            data.setdefault("version", 1)
        key = key or (f"{HOLDER}/{self.lrn}" if kind == "lodged" else self.mrn)
        at = at or f"2026-03-{self.hour // 24 + 1:02d}T{self.hour % 24:02d}:00:00Z"
        return _event(DECLARATIONS, key, f"customs.declaration.{kind}.v1", at, data)

    def _content(self, figures: Sequence[str], about: Json) -> Json:
        issuer, _, number = self.licence.partition("/")
        items = []
        for place, figure in enumerate(figures, start=1):
            amount, _, measure = figure.partition(" ")
            told: Json = {"quantity": {"amount": amount, "unit": measure or "NAR"}}
            if measure in ("EUR", "BGN"):
                told = {"value": {"amount": amount, "currency": measure}}
            code = "X002" if issuer == "GB" else "X060"
            cited = {"seq": 1, "type": code, "reference": number, "line": 1, "issuer": issuer, **told}
            items.append({"item": place, "procedure": "1000", "commodity": "84571090", "destination": "KR",
                          "documents": [cited]})  # fmt: skip
        content = {"type": "EX", "additionalType": "A", "exporter": HOLDER, "destination": "KR", "items": items}
        return content | about


def _lrn_after_invalidation() -> Life:
    """The licence has room for one of the two declarations only."""
    name, first, second = "BE/LV-02", mrn_in("BE", "LV02A"), mrn_in("BE", "LV02B")
    one, other = Declaring("", name, first, "LV-02"), Declaring("", name, second, "LV-02", hour=12)
    told = [licence(name, "60"), one.told("lodged", "40"), one.told("accepted"), one.told("invalidated")]
    told += [other.told("lodged", "50"), other.told("accepted")]
    return Life("an LRN used again after an invalidation", told, {name: "50/0/10"},
                {first: "INVALIDATED", second: "ACCEPTED"})  # fmt: skip


def _for_two(number: str, name: str, *, named: int, unallocated: bool = False) -> Life:
    """Two simplified declarations, and one for both that names so many of them."""
    licence_id, mrns = f"BE/LV-{number}", [mrn_in("BE", f"LV{number}{letter}") for letter in "ABC"]
    first, second, both = (Declaring("", licence_id, mrn, hour=8 + 3 * place) for place, mrn in enumerate(mrns))
    simple: Json = {"additionalType": "C"}
    mains: Json = {"simplifiedDeclarations": [{"mrn": mrn} for mrn in mrns[:named]]}
    told = [licence(licence_id, "70"), first.told("accepted", "30", about=simple), first.told("released")]
    told += [second.told("accepted", "12", about=simple), second.told("released")]
    told += [both.told("supplementary", "30", "12", about={"additionalType": "Y"}, **mains)]
    told += [both.told("accepted"), both.told("released")]
    codes = {mrns[2]: ("SUPPLEMENTARY_UNALLOCATED",)} if unallocated else {}
    return Life(name, told, {licence_id: "0/42/28"}, dict.fromkeys(mrns, "RELEASED"), codes=codes)


def _supplementary_replaced() -> Life:
    name, main, wrong, right = "BE/LV-04", mrn_in("BE", "LV04A"), mrn_in("BE", "LV04B"), mrn_in("BE", "LV04C")
    simple, first, second = (
        Declaring("", name, main),
        Declaring("", name, wrong, hour=11),
        Declaring("", name, right, hour=15),
    )
    about = {"additionalType": "X"}
    told = [licence(name, "60 KGM"), simple.told("accepted", "25 KGM", about={"additionalType": "B"})]
    told += [simple.told("released")]
    told += [first.told("supplementary", "18 KGM", about=about, simplifiedMrn=main)]
    told += [first.told("accepted"), first.told("invalidated")]
    told += [second.told("supplementary", "24 KGM", about=about, simplifiedMrn=main), second.told("accepted")]
    return Life("a supplementary declaration invalidated and replaced", told, {name: "0/24/36"},
                {main: "RELEASED", wrong: "INVALIDATED", right: "ACCEPTED"})  # fmt: skip


def _items_together() -> Life:
    name, lrn = "BE/LV-05", "LV-05"
    told = [licence(name, "20"), Declaring("", name, "", lrn).told("lodged", "12", "12")]
    return Life("the goods items of a lodged declaration are judged together", told, {name: "0/0/20"},
                {f"{HOLDER}/{lrn}": "LODGED"}, codes={f"{HOLDER}/{lrn}": ("QUANTITY_EXCEEDED",)})  # fmt: skip


def _rest_not_released() -> Life:
    name, mrn = "BE/LV-07", mrn_in("BE", "LV07A")
    one = Declaring("", name, mrn)
    told = [licence(name, "30"), one.told("accepted", "8", "9"), one.told("released", items=[{"item": 1}])]
    told += [one.told("not-released"), one.told("exit-confirmed")]
    return Life("the rest is not released after one item was", told, {name: "0/8/22"}, {mrn: "RELEASED"})


def _released_after_invalidation() -> Life:
    name, mrn = "BE/LV-08", mrn_in("BE", "LV08A")
    one = Declaring("", name, mrn)
    told = [licence(name, "30"), one.told("accepted", "6")]
    told += [one.told(kind) for kind in ("invalidated", "released", "exit-confirmed")]
    return Life("goods leave on a declaration that was invalidated", told, {name: "0/0/30"}, {mrn: "INVALIDATED"},
                codes={mrn: ("RELEASED_AFTER_INVALIDATION", "EXIT_WITHOUT_RELEASE")},
                incidents=("RELEASED_AFTER_INVALIDATION", "EXIT_WITHOUT_RELEASE"))  # fmt: skip


def _redenominated() -> Life:
    name, before, after = "BG/LV-09", mrn_in("BG", "LV09A"), mrn_in("BG", "LV09B")
    one, other = Declaring("", name, before), Declaring("", name, after)
    told = [licence(name, "60000.00 BGN", at="2025-06-01T09:00:00Z")]
    told += [one.told("accepted", "20000.00 BGN", acceptedAt="2025-11-20", at="2025-11-20T10:00:00Z")]
    told += [one.told("released", at="2025-11-21T10:00:00Z")]
    told += [licence(name, "30677.51 EUR", version=2, at="2026-01-05T09:00:00Z")]
    told += [other.told("accepted", "500.00 EUR", acceptedAt="2026-01-08", at="2026-01-08T10:00:00Z")]
    return Life("a licence in lev that is in use becomes one in euro", told, {name: "500/10225.84/19951.67"},
                {before: "RELEASED", after: "ACCEPTED"})  # fmt: skip


def _northern_irish_number() -> Life:
    name, mrn = "GB/LV10", mrn_in("GB", "LV10A")
    one = Declaring("", name, mrn)
    told = [
        licence(name, "50", holder="GB700800900000"),
        one.told("accepted", "21", about={"exporter": "XI700800900000"}),
    ]
    return Life("a trader's number of Northern Ireland stands for that of Great Britain", told, {name: "21/0/29"},
                {mrn: "ACCEPTED"})  # fmt: skip


def _retrospective() -> Life:
    name, mrn = "BE/LV-11", mrn_in("BE", "LV11A")
    one = Declaring("", name, mrn)
    about = {"additionalType": "R"}
    told = [licence(name, "80", validTo="2026-02-20"), one.told("accepted", "33", about=about, acceptedAt="2026-03-04")]
    told += [one.told("released"), one.told("exit-confirmed", exitedAt="2026-02-11")]
    return Life(
        "goods declared after they left, and after the licence ended", told, {name: "0/33/47"}, {mrn: "RELEASED"}
    )


# -- what declarants and customs of the United Kingdom send


@dataclass(frozen=True, slots=True)
class Briton:
    """One declaration of the United Kingdom by its LRN and MRN."""

    mrn: str
    lrn: str
    exporter: str = EXPORTER

    def _as(self, key: str, body: str) -> Message:
        return Message(MESSAGES, key, body.encode())

    def lodged(self, *items: list[Doc], minute: int = 0, kind: str = "EXA", whole: tuple[Goods, ...] = ()) -> Message:
        """Lodged by the declarant."""
        body = lodging_message(whole or goods(*items), kind=kind, lrn=self.lrn, minute=minute, exporter=self.exporter)
        return self._as(f"{self.exporter}/{self.lrn}", body)

    def accepted(self, minute: int = 5) -> Message:
        """Response 01."""
        return self._as(self.mrn, acceptance_message(minute, lrn=self.lrn, mrn=self.mrn))

    def presented(self) -> Message:
        """The declarant says that the goods are there."""
        return self._as(self.mrn, presentation_message(mrn=self.mrn, reference=self.lrn))

    def asked(self, document: Doc) -> Message:
        """An amendment of the first document under the declaration's own reference; it states no time."""
        changed = branches([document])
        body = amendment_message(changed, (1, 1, "22C.501"), reference=self.lrn, mrn=self.mrn, timed=False)
        return self._as(self.mrn, body)

    def asked_anew(self, *items: list[Doc], places: Sequence[tuple[int | str, ...]]) -> Message:
        """An amendment that carries the whole declaration."""
        body = amendment_message(goods(*items), *places, reference=f"{self.lrn}-A", mrn=self.mrn)
        return self._as(self.mrn, body)

    def answered(self, function: str, minute: int, status: str = "", reference: str = "") -> Message:
        """What customs say: 03 rejects, 09 clears, 11 with status 39 grants and with 41 refuses."""
        body = response_message(function, minute, reference=reference or self.lrn, mrn=self.mrn, status=status)
        return self._as(self.mrn, body)


def _briton(number: str) -> tuple[str, Briton]:
    return f"GB/LV{number}", Briton(mrn_in("GB", f"LV{number}A"), f"LV-{number}")


def _lrn_after_clearance() -> Life:
    name, one = _briton("01")
    other = Briton(mrn_in("GB", "LV01B"), one.lrn)
    told = [licence(name, "100"), one.lodged([Doc("LV01-0001", "12")]), one.accepted(), one.answered("09", 30)]
    told += [other.lodged([Doc("LV01-0001", "31")], minute=600), other.accepted(605), other.answered("09", 630)]
    return Life(
        "an LRN used again after clearance", told, {name: "0/43/57"}, {one.mrn: "RELEASED", other.mrn: "RELEASED"}
    )


def _two_traders() -> Life:
    name, one = _briton("06")
    other = Briton(one.mrn, one.lrn, OTHER_BRITON)
    told = [licence(name, "100"), one.lodged([Doc("LV06-0001", "12")]), other.lodged([Doc("LV06-0001", "7")], minute=1)]
    told += [one.accepted(), one.answered("09", 30)]
    return Life("two traders with one LRN", told, {name: "0/0/100"}, {one.mrn: "RELEASED"}, frozenset({one.mrn}),
                codes={one.mrn: ("DRAFT_AMBIGUOUS",)}, incidents=("RELEASED_UNDECIDED",))  # fmt: skip


def _number_like_a_line() -> Life:
    name, one = "GB/LV12-0004", Briton(mrn_in("GB", "LV12A"), "LV-12")
    told = [licence(name, "40"), one.lodged([Doc("LV12-0004", "13")]), one.accepted()]
    return Life("a licence number that ends like a line", told, {name: "13/0/27"}, {one.mrn: "ACCEPTED"})


def _two_statuses() -> Life:
    name, one = _briton("13")
    told = [licence(name, "40"), one.lodged([Doc("LV13-0001", "14", "EP"), Doc("LV13-0001", "", "EA")]), one.accepted()]
    return Life("one licence under two document statuses", told, {name: "14/0/26"}, {one.mrn: "ACCEPTED"})


def _amended(number: str, name: str, answers: Sequence[str], figure: str) -> Life:
    """Amended twice under the declaration's own reference, then cleared; requests state no time."""
    licence_id, one = _briton(number)
    document = [Doc(f"LV{number}-0001", text) for text in ("11", "13", "16")]
    told = [licence(licence_id, "90"), one.lodged([document[0]]), one.accepted()]
    for place, answer in enumerate(answers):
        function, _, status = answer.partition(" ")
        told += [one.asked(document[place + 1]), one.answered(function, 20 + 20 * place, status)]
    return Life(name, [*told, one.answered("09", 90)], {licence_id: figure}, {one.mrn: "RELEASED"})


def _corrected_after_release() -> Life:
    name, one = _briton("25")
    told = [
        licence(name, "90"),
        one.lodged([Doc("LV25-0001", "11")]),
        one.accepted(),
        one.asked(Doc("LV25-0001", "13")),
    ]
    told += [one.answered("11", 20, "39"), one.answered("09", 30)]
    told += [one.asked(Doc("LV25-0001", "8")), one.answered("11", 50, "39")]
    return Life("a correction after release", told, {name: "0/8/82"}, {one.mrn: "RELEASED"})


def _presented_then_amended() -> Life:
    name, one = _briton("23")
    told = [licence(name, "90"), one.lodged([Doc("LV23-0001", "11")], kind="EXD"), one.presented(), one.accepted()]
    told += [one.asked(Doc("LV23-0001", "13")), one.answered("11", 20, "39"), one.answered("09", 30)]
    return Life("presented, then amended under the same reference", told, {name: "0/13/77"}, {one.mrn: "RELEASED"})


def _whole(
    number: str,
    name: str,
    before: list[Doc],
    after: list[Doc],
    places: Sequence[tuple[int | str, ...]],
    first: str,
    second: str,
) -> Life:
    """An amendment that carries the whole declaration, about two licences."""
    one = Briton(mrn_in("GB", f"LV{number}A"), f"LV-{number}")
    licences = [f"GB/LV{number}P", f"GB/LV{number}Q"]
    told = [licence(each, "50") for each in licences]
    told += [one.lodged(before), one.accepted(), one.asked_anew(after, places=places)]
    told += [one.answered("11", 20, "39", f"{one.lrn}-A")]
    return Life(name, told, dict(zip(licences, (first, second), strict=True)), {one.mrn: "ACCEPTED"})


def _document_removed() -> Life:
    first, second = Doc("LV26P-0001", "9"), Doc("LV26Q-0001", "4")
    return _whole("26", "a document taken out, those after it move up", [INVOICE, first, second], [INVOICE, first],
                  [(1, 3)], "9/0/41", "0/0/50")  # fmt: skip


def _licence_exchanged() -> Life:
    return _whole("27", "one licence exchanged for another", [INVOICE, Doc("LV27P-0001", "9")],
                  [INVOICE, Doc("LV27Q-0001", "9")], [(1, 2, "D005")], "0/0/50", "9/0/41")  # fmt: skip


def _licence_moved_up() -> Life:
    first, second = Doc("LV28P-0001", "9"), Doc("LV28Q-0001", "4")
    return _whole("28", "a licence taken out, the other one takes its place", [INVOICE, second, first],
                  [INVOICE, first], [(1, 2), (1, 3)], "9/0/41", "0/0/50")  # fmt: skip


def _attributed_before() -> Life:
    name, one = _briton("30")
    other = Briton(mrn_in("GB", "LV30B"), "LV-30-Y")
    told = [licence(name, "60"), one.lodged([Doc("LV30-0001", "17", "EP")], kind="EXC"), one.accepted()]
    told += [one.answered("09", 30), other.lodged([Doc("LV30-0001", "17", "EA")], kind="EXY", minute=600)]
    told += [other.accepted(605), other.answered("09", 630)]
    return Life("a supplementary declaration of goods attributed before", told, {name: "0/17/43"},
                {one.mrn: "RELEASED", other.mrn: "RELEASED"})  # fmt: skip


def _answer_to_a_query() -> Life:
    name, one = _briton("31")
    found = one.lodged([Doc("LV31-0001", "3")]).body.decode()
    answer = f'<q:SearchResponse xmlns:q="urn:query"><q:Found>{found}</q:Found></q:SearchResponse>'
    told = [licence(name, "60"), Message(MESSAGES, "query", answer.encode()), one.lodged([Doc("LV31-0001", "6")])]
    told.append(one.accepted())
    return Life("an answer to a query is no declaration", told, {name: "6/0/54"}, {one.mrn: "ACCEPTED"},
                quarantined=("WCO_MESSAGE",))  # fmt: skip


def _more_than_the_goods_weigh() -> Life:
    name, one = _briton("32")
    heavy = Goods(1, (Doc("LV32-0001", "55", unit="KGM#G"),), gross_mass="12")
    draft = f"{EXPORTER}/{one.lrn}"
    return Life("more is claimed than the goods weigh", [licence(name, "90 KGMG"), one.lodged(whole=(heavy,))],
                {name: "0/0/90"}, {draft: "LODGED"}, codes={draft: ("EXCEEDS_MASS",)})  # fmt: skip


LIVES: dict[str, Callable[[], Life]] = {
    "LRN after clearance": _lrn_after_clearance,
    "LRN after invalidation": _lrn_after_invalidation,
    "two simplified declarations": lambda: _for_two("03", "one supplementary declaration for two", named=2),
    "two of which one is named": lambda: _for_two("43", "one of two is named", named=1, unallocated=True),
    "supplementary replaced": _supplementary_replaced,
    "items together": _items_together,
    "two traders": _two_traders,
    "rest not released": _rest_not_released,
    "released after invalidation": _released_after_invalidation,
    "redenominated": _redenominated,
    "Northern Irish number": _northern_irish_number,
    "retrospective": _retrospective,
    "number like a line": _number_like_a_line,
    "two statuses": _two_statuses,
    "second amendment": lambda: _amended("21", "amended twice", ["11 39", "11 39"], "0/16/74"),
    "rejected amendment": lambda: _amended("22", "an amendment rejected, another granted", ["03", "11 39"], "0/16/74"),
    "presented, then amended": _presented_then_amended,
    "corrected after release": _corrected_after_release,
    "document removed": _document_removed,
    "licence exchanged": _licence_exchanged,
    "licence removed": _licence_moved_up,
    "attributed before": _attributed_before,
    "answer to a query": _answer_to_a_query,
    "more than the goods weigh": _more_than_the_goods_weigh,
}
"""By name; made anew for each test."""
