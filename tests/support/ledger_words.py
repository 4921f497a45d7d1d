"""Words to tell stories with: licences, citations, goods items, and the events of customs and authorities.

Short names stand for long ones: licence "A" is `BE/A`, declaration "M1" has a valid MRN made from it and the LRN "L1".
Figures are text: "40" (in the licence's own unit), "40 NAR", "5 NAR + 30000.00 EUR".
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.kernel.currencies import MINOR_UNITS
from certex_bridge.kernel.dates import parse_instant
from certex_bridge.kernel.errors import Finding, InputError
from certex_bridge.kernel.identifiers import licence_key, mrn_check_digit
from certex_bridge.ledger.domain.content import ClaimSpec, Item, Payload
from certex_bridge.ledger.domain.facts import (
    ALL_ITEMS,
    DeclarationCommand,
    DocumentFigures,
    EventKind,
    Facts,
    ItemRelease,
)
from certex_bridge.ledger.domain.simplified import SimplifiedReference
from certex_bridge.ledger.domain.stamps import PayloadRank, Stamp
from certex_bridge.licensing.domain.commands import ExporterBar, LicenceCommand, LicenceEventKind
from certex_bridge.licensing.domain.documents import document_code
from certex_bridge.licensing.domain.licence import (
    AuthorityStatus,
    Control,
    Direction,
    Licence,
    LicenceCap,
    LicenceLine,
    LicenceType,
    Party,
)

HOLDER = "BE0123456789"
GOODS = "84571090"
ISSUER = "BE"


def mrn_of(name: str) -> str:
    """A valid master reference number made from a short name; one that has 18 characters is taken as it is."""
    if len(name) == 18:
        return name
    return mrn_in("BE", name)


def mrn_in(state: str, name: str) -> str:
    """The MRN of a declaration that was lodged in this state."""
    stem = f"26{state}{name.rjust(13, '0')}"
    return stem + mrn_check_digit(stem)


def licence_id(name: str) -> str:
    """`issuer/number` of a short name; "DE/A" is taken as it is."""
    issuer, slash, number = name.rpartition("/")
    return licence_key(issuer if slash else ISSUER, number)


def figures(text: object, unit: str = "NAR") -> tuple[Quantity | None, Money | None]:
    """Read "40", "40 NAR", "30000.00 EUR" or both with a plus between."""
    quantity: Quantity | None = None
    value: Money | None = None
    for part in filter(None, (piece.strip() for piece in str(text).split("+"))):
        amount, _, measure = part.partition(" ")
        if measure in MINOR_UNITS:
            value = Money.parse(amount, measure)
        else:
            quantity = Quantity.parse(amount, measure or unit)
    return quantity, value


# -- licences


def line(number: int, figure: str, **changes: Any) -> LicenceLine:
    """A licence line that limits the figures given (none: no limit)."""
    quantity, value = figures(figure)
    control = {
        (True, True): Control.QUANTITY_AND_VALUE,
        (True, False): Control.QUANTITY,
        (False, True): Control.VALUE,
        (False, False): Control.NONE,
    }[quantity is not None, value is not None]
    told = LicenceLine(number, f"goods {number}", control, quantity, value, commodity_codes=(GOODS,))
    return replace(told, **changes)


def licence(name: str, *limits: str | LicenceLine, version: int = 1, cap: str = "", **changes: Any) -> Licence:
    """A licence of the year 2026, Valid, for South Korea; each limit becomes a line."""
    issuer, _, number = licence_id(name).partition("/")
    lines = tuple(
        limit if isinstance(limit, LicenceLine) else line(position, limit)
        for position, limit in enumerate(limits, start=1)
    )
    kind = changes.get("type", LicenceType.INDIVIDUAL)
    told = Licence(
        issuer=issuer,
        number=number,
        version=version,
        type=kind,
        document_code=changes.get("document_code") or document_code(kind),
        direction=Direction.EXPORT,
        status=AuthorityStatus.VALID,
        issue_date=date(2026, 1, 1),
        valid_from=date(2026, 1, 1),
        valid_to=date(2026, 12, 31),
        holder=Party("Holder", HOLDER, country="BE"),
        authority=Party("Authority", country="BE"),
        lines=lines,
        cap=LicenceCap(*figures(cap)),
        destinations=("KR",),
    )
    return replace(told, **changes)


class Authority:
    """Makes the events of a licensing authority; every event is a minute later than the one before."""

    def __init__(self) -> None:
        self._count = 0
        self._now = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)

    def event(
        self,
        snapshot: Licence | None,
        kind: LicenceEventKind = LicenceEventKind.MODIFIED,
        *,
        event_id: str = "",
        findings: tuple[Finding, ...] = (),
        parts: tuple[Licence, ...] = (),
        bar: ExporterBar | None = None,
    ) -> LicenceCommand:
        """One event with a full snapshot."""
        self._count += 1
        self._now += timedelta(minutes=1)
        content = hashlib.sha256(repr((snapshot, parts, bar)).encode()).hexdigest()
        subject = snapshot.licence_id if snapshot else bar.bar_id if bar else ""
        return LicenceCommand(
            event_id=event_id or f"licensing-{self._count}",
            occurred_at=self._now,
            kind=kind,
            licence=snapshot,
            parts=parts,
            bar=bar,
            findings=findings,
            payload_sha256=content,
            licence_id=subject,
            version=snapshot.version if snapshot else 0,
        )


# -- declarations


@dataclass(frozen=True)
class Cite:
    """One supporting document: this much of that licence."""

    licence: str
    figure: object = ""
    line: int | None = 1
    code: str = "X060"
    seq: int = 0
    """0: numbered by position."""
    issuer_from: str = ""
    """What told the issuer that the document does not state; empty: it is stated."""
    authority: str = ""
    suffix: int = 0
    """Line that the reference ends in (`NUMBER-0001`)."""

    def spec(self, item_no: int, position: int, unit: str) -> ClaimSpec:
        """The claim as the decoder hands it over: a figure that cannot be is a finding, not an error."""
        findings: tuple[Finding, ...] = ()
        quantity: Quantity | None = None
        value: Money | None = None
        for part in str(self.figure).split("+"):
            try:
                read = figures(part, unit)
            except InputError as error:
                code = "INVALID_QUANTITY" if error.code in ("ZERO", "NEGATIVE") else error.code
                about = "value" if part.split()[-1] in MINOR_UNITS else "quantity"
                findings = (*findings, replace(error.finding(about), code=code))
            else:
                quantity, value = quantity or read[0], value or read[1]
        number = self.licence.rpartition("/")[2] + (f"-{self.suffix:04}" if self.suffix else "")
        return ClaimSpec(
            item_no, self.seq or position, self.code, licence_id(self.licence), number, self.line, quantity, value, "",
            findings, self.issuer_from, self.authority, self.suffix,
        )  # fmt: skip


def cite(name: str, figure: object = "", **changes: Any) -> Cite:
    """A citation of a licence."""
    return Cite(name, figure, **changes)


@dataclass(frozen=True)
class Goods:
    """A goods item with its citations."""

    cites: tuple[Cite, ...]
    number: int = 0
    """0: numbered by position."""
    changes: dict[str, Any] = field(default_factory=dict)


def item(*cites: Cite, number: int = 0, about: dict[str, Any] | None = None, **claims: object) -> Goods:
    """A goods item: `item(A=40)`, `item(cite("A", 40), number=2, about={"procedure": "4000"})`."""
    listed = (*cites, *(Cite(name, figure) for name, figure in claims.items()))
    return Goods(listed, number, about or {})


def payload(told: tuple[Cite | Goods, ...], claims: dict[str, object], units: dict[str, str], **about: Any) -> Payload:
    """The content of a declaration; citations outside an item belong to one first item."""
    loose = tuple(one for one in told if isinstance(one, Cite)) + tuple(Cite(n, f) for n, f in claims.items())
    goods = ([Goods(loose)] if loose else []) + [one for one in told if isinstance(one, Goods)]
    items = tuple(_item(one, one.number or position, units) for position, one in enumerate(goods, start=1))
    content = Payload("EX", "A", HOLDER, "", "", "KR", "BE000123", items)
    return replace(content, **about)


def _item(goods: Goods, number: int, units: dict[str, str]) -> Item:
    specs = tuple(
        one.spec(number, position, units.get(licence_id(one.licence), "NAR"))
        for position, one in enumerate(goods.cites, start=1)
    )
    told = Item(number, "1000", GOODS, "KR", "DE", None, None, None, (), specs)
    return replace(told, **goods.changes)


class Customs:
    """Makes the events of a customs office; every event is a minute later than the one before."""

    def __init__(self) -> None:
        self.units: dict[str, str] = {}
        """Unit of the first line of each licence, for figures without one."""
        self._count = 0
        self._now = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
        self._versions: dict[str, int] = {}
        self._contents: dict[str, Payload] = {}

    def event(
        self, name: str, kind: EventKind, facts: Facts, stamp: Stamp, *, lrn: str = "", mrn: str | None = None
    ) -> DeclarationCommand:
        """An event about a declaration, known by its MRN unless only an LRN is given."""
        number = mrn_of(name) if mrn is None else mrn
        exporter = HOLDER if lrn else ""
        told = replace(facts, mrn=number, lrn=lrn, exporter=exporter)
        sha = hashlib.sha256(repr((kind, name, told)).encode()).hexdigest()
        return DeclarationCommand(
            stamp.event_id, stamp.occurred_at, kind, sha, told, mrn=number, lrn=lrn, exporter=exporter
        )

    def stamp(self, at: str = "", event_id: str = "") -> Stamp:
        """When and under which id the next event is told."""
        self._count += 1
        self._now += timedelta(minutes=1)
        moment = parse_instant(at, ZoneInfo("Europe/Brussels")) if at else self._now
        return Stamp(moment, event_id or f"customs-{self._count}")

    def _told(
        self, name: str, told: tuple[Cite | Goods, ...], claims: dict[str, object], version: int, about: dict[str, Any],
        stamp: Stamp, supplementary: int = 0,
    ) -> Facts:  # fmt: skip
        content = payload(told, claims, self.units, **about) if told or claims or about else self._contents[name]
        self._contents[name] = content
        self._versions[name] = version
        return Facts(payload=content, payload_rank=PayloadRank(supplementary, version, stamp))

    def lodged(
        self, name: str, *told: Cite | Goods, version: int = 1, at: str = "", event_id: str = "",
        about: dict[str, Any] | None = None, **claims: object,
    ) -> DeclarationCommand:  # fmt: skip
        """Lodged, known by its LRN only."""
        stamp = self.stamp(at, event_id)
        facts = replace(self._told(name, told, claims, version, about or {}, stamp), lodged=stamp)
        return self.event(name, EventKind.LODGED, facts, stamp, lrn=lrn_of(name), mrn="")

    def accepted(
        self, name: str, *told: Cite | Goods, version: int = 0, at: str = "", on: str = "", event_id: str = "",
        about: dict[str, Any] | None = None, lrn: str | None = None, left: str = "", **claims: object,
    ) -> DeclarationCommand:  # fmt: skip
        """Accepted; `on` is the acceptance as customs state it, `left` the day of exit.

        Without citations the content told before stands.
        """
        stamp = self.stamp(at or on, event_id)
        version = version or self._versions.get(name, 1)
        facts = self._told(name, told, claims, version, about or {}, stamp)
        facts = replace(facts, accepted=stamp, acceptance_day=on, exit_told=stamp if left else None, exit_day=left)
        return self.event(name, EventKind.ACCEPTED, facts, stamp, lrn=lrn_of(name) if lrn is None else lrn)

    def bare(self, name: str, kind: EventKind, *, at: str = "", event_id: str = "", **facts: Any) -> DeclarationCommand:
        """An event without content; facts given as True become the event's stamp."""
        stamp = self.stamp(at, event_id)
        stamped: dict[str, Any] = {key: stamp if value is True else value for key, value in facts.items()}
        return self.event(name, kind, Facts(**stamped), stamp)

    def amended(
        self, name: str, *told: Cite | Goods, version: int = 0, at: str = "", event_id: str = "",
        about: dict[str, Any] | None = None, **claims: object,
    ) -> DeclarationCommand:  # fmt: skip
        """Amended: the whole new content, in the next version."""
        stamp = self.stamp(at, event_id)
        version = version or self._versions.get(name, 1) + 1
        return self.event(name, EventKind.AMENDED, self._told(name, told, claims, version, about or {}, stamp), stamp)

    def supplementing(
        self, name: str, *told: Cite | Goods, of: Sequence[str] = (), version: int = 1, type_: str = "Y",
        **claims: object,
    ) -> DeclarationCommand:  # fmt: skip
        """A supplementary declaration of its own name, accepted; `of`: what it supplements as a whole (`M1`, `M1-2`)."""
        stamp = self.stamp()
        facts = self._told(name, told, claims, version, {"additional_type": type_}, stamp)
        facts = replace(facts, lodged=stamp, accepted=stamp, simplified=simplified(*of))
        return self.event(name, EventKind.SUPPLEMENTARY, facts, stamp)

    def supplementary(self, name: str, *told: Cite | Goods, version: int = 1, **claims: object) -> DeclarationCommand:
        """The supplementary declaration of a simplified one, told to the simplified one's record."""
        stamp = self.stamp()
        facts = self._told(name, told, claims, version, {}, stamp, supplementary=1)
        return self.event(name, EventKind.SUPPLEMENTARY, facts, stamp)

    def released(
        self, name: str, *told: Goods, at: str = "", event_id: str = "", **claims: object
    ) -> DeclarationCommand:
        """Released: everything as declared, or the figures given (for one item, or per item)."""
        stamp = self.stamp(at, event_id)
        figures: dict[str, Any] = claims
        goods = ([item(**figures)] if claims else []) + list(told)
        releases = [
            (one.number or position, ItemRelease(stamp, True, self._released(name, one.number or position, one)))
            for position, one in enumerate(goods, start=1)
        ] or [(ALL_ITEMS, ItemRelease(stamp, released=True))]
        return self.event(name, EventKind.RELEASED, Facts(releases=tuple(sorted(releases))), stamp)

    def _released(self, name: str, number: int, goods: Goods) -> tuple[DocumentFigures, ...] | None:
        if not goods.cites:
            return None
        found = []
        declared = {one.number: one.claims for one in self._contents[name].items}.get(number, ())
        for position, one in enumerate(goods.cites, start=1):
            seq = next((spec.doc_seq for spec in declared if spec.licence_id == licence_id(one.licence)), position)
            unit = self.units.get(licence_id(one.licence), "NAR")
            found.append(DocumentFigures(one.seq or seq, *figures(one.figure, unit)))
        return tuple(found)

    def not_released(self, name: str, *items: int, at: str = "", event_id: str = "") -> DeclarationCommand:
        """Not released: the items named, or all."""
        stamp = self.stamp(at, event_id)
        releases = tuple((number, ItemRelease(stamp, released=False)) for number in items or (ALL_ITEMS,))
        return self.event(name, EventKind.NOT_RELEASED, Facts(releases=releases), stamp)

    def invalidated(self, name: str, *, at: str = "", event_id: str = "") -> DeclarationCommand:
        """Invalidated, before or after release."""
        return self.bare(name, EventKind.INVALIDATED, at=at, event_id=event_id, invalidated=True)

    def exited(self, name: str, left: str = "", *, at: str = "") -> DeclarationCommand:
        """The goods have left; `left` is the day or instant, if it is told."""
        told: dict[str, Any] = {"exit_told": True, "exit_day": left} if left else {}
        return self.bare(name, EventKind.EXIT_CONFIRMED, at=at, exited=True, **told)

    def recheck(self, name: str) -> DeclarationCommand:
        """Someone asks to try a refused claim again."""
        return self.bare(name, EventKind.RECHECK, recheck=True)


def simplified(*names: str) -> tuple[SimplifiedReference, ...]:
    """References to simplified declarations (`M1`), or to one item of them (`M1-2`)."""
    parts = [name.partition("-") for name in names]
    return tuple(sorted(SimplifiedReference(mrn_of(name), int(number or 0)) for name, _, number in parts))


def lrn_of(name: str) -> str:
    """The local reference number of a declaration."""
    return name.replace("M", "L", 1)


def draft_of(name: str) -> str:
    """Identity of a declaration before it has an MRN."""
    return f"{HOLDER}/{lrn_of(name)}"


def amount(text: str) -> Decimal:
    """An exact figure."""
    return Decimal(text)
