"""Events with every time and every id chosen by the caller, so that any order and any tie can be told."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.kernel.errors import Finding
from certex_bridge.ledger.commands import Command, ValidityPassed
from certex_bridge.ledger.domain.content import ClaimSpec, Payload
from certex_bridge.ledger.domain.facts import (
    ALL_ITEMS,
    Decision,
    DeclarationCommand,
    DocumentFigures,
    EventKind,
    Facts,
    ItemRelease,
    Override,
)
from certex_bridge.ledger.domain.requests import Request, RequestDecision, RequestKind, Verdict
from certex_bridge.ledger.domain.stamps import PayloadRank, Stamp
from certex_bridge.licensing.domain.commands import LicenceCommand, LicenceEventKind
from certex_bridge.licensing.domain.licence import Licence
from certex_bridge.licensing.domain.writeoff import Evidence, WriteOff, WriteOffLine, WriteOffSource
from tests.support.ledger_words import HOLDER, Goods, figures, licence_id, mrn_of, payload

NOTHING_LEFT = Quantity(Decimal(0), "NAR"), Money(Decimal(0), "EUR")

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(minute: int) -> datetime:
    """A minute of the day on which everything happens."""
    return NOON + timedelta(minutes=minute)


def sha(*content: object) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()


def licence_event(
    event_id: str, minute: int, kind: LicenceEventKind, snapshot: Licence, *parts: Licence
) -> LicenceCommand:
    """A full snapshot of a licence."""
    content = sha(snapshot, parts)
    licence_id, version = snapshot.licence_id, snapshot.version
    return LicenceCommand(event_id, at(minute), kind, snapshot, parts, None, (), content, licence_id, version)


WRONG = (Finding("UNIT_UNKNOWN", "lines[0].quantity.unit", "pieces", "no such unit"),)


def act_event(
    event_id: str, minute: int, kind: LicenceEventKind, name: str, version: int, *, bare: bool
) -> LicenceCommand:
    """An act without content, or with content that cannot be taken."""
    content = sha(kind, name, version, bare)
    wrong = () if bare else WRONG
    subject = licence_id(name)
    return LicenceCommand(event_id, at(minute), kind, None, (), None, wrong, content, subject, version, bare=bare)


def write_off_event(stamp: Stamp, name: str, total: str, evidence: str) -> LicenceCommand:
    """A write-off of line 1 that was made on paper; "" takes it back."""
    line = WriteOffLine(1, *figures(total)) if total else WriteOffLine(1, *NOTHING_LEFT)
    proof = Evidence("FORM", evidence, "2026-02-01")
    told = WriteOff(licence_id(name), WriteOffSource.PAPER, "OFFICER", "why", proof, (line,))
    kind = LicenceEventKind.WRITE_OFF_CAPTURED
    return LicenceCommand(
        stamp.event_id, stamp.occurred_at, kind, None, (), None, (), sha(told), told.licence_id, 0, told
    )


def content_of(goods: tuple[Goods, ...]) -> Payload:
    """What a declaration says."""
    return payload(goods, {}, {})


class Declared:
    """Makes the events of one declaration."""

    def __init__(self, name: str, lrn: str = "", exporter: str = HOLDER) -> None:
        self.name, self.lrn = name, lrn
        self.exporter = exporter if lrn else ""

    def event(self, kind: EventKind, stamp: Stamp, *, draft: bool = False, **facts: object) -> DeclarationCommand:
        """An event known by the MRN, or by the LRN for a draft."""
        mrn = "" if draft else mrn_of(self.name)
        exporter = self.exporter or HOLDER if draft else self.exporter
        told = Facts(mrn=mrn, lrn=self.lrn, exporter=exporter, **facts)  # type: ignore[arg-type]
        return DeclarationCommand(
            stamp.event_id,
            stamp.occurred_at,
            kind,
            sha(kind, mrn, told),
            told,
            mrn=mrn,
            lrn=self.lrn,
            exporter=exporter,
        )

    def with_content(
        self, kind: EventKind, stamp: Stamp, content: Payload, version: int, *, day: str = "", supplementary: int = 0,
        draft: bool = False, left: str = "",
    ) -> DeclarationCommand:  # fmt: skip
        """Lodged, accepted, amended or supplementary: with what the declaration says."""
        rank = PayloadRank(supplementary, version, stamp)
        told: dict[str, object] = {"payload": content, "payload_rank": rank}
        if kind is EventKind.ACCEPTED:
            told |= {"accepted": stamp, "acceptance_day": day}
        if kind is EventKind.LODGED:
            told["lodged"] = stamp
        if left:
            told |= {"exit_told": stamp, "exit_day": left}
        return self.event(kind, stamp, draft=draft, **told)

    def released(self, stamp: Stamp, item: int, stated: tuple[tuple[int, str], ...] = ()) -> DeclarationCommand:
        """Released: all as declared, or one item with the figures per document."""
        told = tuple(DocumentFigures(seq, *figures(figure)) for seq, figure in stated) or None
        return self.event(EventKind.RELEASED, stamp, releases=((item, ItemRelease(stamp, True, told)),))

    def not_released(self, stamp: Stamp, item: int = ALL_ITEMS) -> DeclarationCommand:
        """Not released: one item, or all."""
        return self.event(EventKind.NOT_RELEASED, stamp, releases=((item, ItemRelease(stamp, released=False)),))

    def overridden(
        self, stamp: Stamp, decision: Decision, places: tuple[tuple[int, int], ...], figure: str = ""
    ) -> DeclarationCommand:
        """An officer decides on documents, items, or all."""
        told = [Override(*place, stamp, decision, "OFFICER", "why", None, *figures(figure)) for place in sorted(places)]
        return self.event(EventKind.OVERRIDDEN, stamp, overrides=tuple(told))

    def requested(self, stamp: Stamp, reference: str, content: Payload | None) -> DeclarationCommand:
        """The declarant asks for an amendment by the whole new content, or without one for an invalidation."""
        kind = RequestKind.AMENDMENT if content else RequestKind.INVALIDATION
        request = Request(reference, stamp, kind, content=content, sha256=sha(kind, content))
        return self.event(EventKind.REQUESTED, stamp, requests=(request,))

    def decided(self, stamp: Stamp, reference: str, verdict: Verdict) -> DeclarationCommand:
        """Customs decide on a request."""
        decision = RequestDecision(reference, stamp, verdict, sha(stamp))
        return self.event(EventKind.DECIDED, stamp, decisions=(decision,))

    def bare(self, kind: EventKind, stamp: Stamp, *, draft: bool = False, left: str = "") -> DeclarationCommand:
        """An event without content."""
        field = {
            EventKind.INVALIDATED: "invalidated",
            EventKind.EXIT_CONFIRMED: "exited",
            EventKind.RECHECK: "recheck",
            EventKind.ACCEPTED: "accepted",
            EventKind.REJECTED: "rejected",
        }.get(kind)
        told: dict[str, object] = {field: stamp} if field else {}
        if left:
            told |= {"exit_told": stamp, "exit_day": left}
        return self.event(kind, stamp, draft=draft, **told)


def told_again(command: DeclarationCommand, event_id: str, later: int) -> DeclarationCommand:
    """The same content under a new id, a few minutes later."""
    stamp = Stamp(command.occurred_at + timedelta(minutes=later), event_id)
    facts = command.facts
    changes: dict[str, object] = {}
    if facts.payload_rank is not None:
        changes["payload_rank"] = replace(facts.payload_rank, stamp=stamp)
    for name in ("accepted", "invalidated", "lodged", "exited", "exit_told", "recheck"):
        if getattr(facts, name) is not None:
            changes[name] = stamp
    if facts.releases:
        changes["releases"] = tuple((item, replace(release, stamp=stamp)) for item, release in facts.releases)
    if facts.overrides:
        changes["overrides"] = tuple(replace(override, stamp=stamp) for override in facts.overrides)
    told = replace(facts, **changes)  # type: ignore[arg-type]
    return replace(
        command, event_id=event_id, occurred_at=stamp.occurred_at, facts=told, payload_sha256=sha(command.kind, told)
    )


def in_words(command: Command) -> str:
    """One event in few words, for whoever reads a history."""
    when = f"{(command.occurred_at - NOON).total_seconds() / 60:+.0f} {command.event_id}"
    if isinstance(command, ValidityPassed):
        return f"{when} validity of {command.licence_id} version {command.version} passed"
    if isinstance(command, LicenceCommand):
        told = command.licence
        content = (
            f"{told.status} {[_limit(line) for line in told.lines]} of {_limit(told.cap)}" if told else "no content"
        )
        extra = (
            f" {command.write_off}"
            if command.write_off
            else f" parts {[one.licence_id for one in command.parts]}"
            if command.parts
            else ""
        )
        return f"{when} {command.kind} {command.licence_id} version {command.version}: {content}{extra}"
    facts = command.facts
    words = [f"{when} {command.kind} {command.mrn or '-'} LRN {command.lrn or '-'} of {command.exporter or '-'}"]
    if facts.payload is not None and facts.payload_rank is not None:
        words.append(f"{facts.payload.additional_type}{facts.payload_rank.order} [{_goods(facts.payload)}]")
    words += [
        f"item {item} {'released' if word.released else 'refused'} {word.figures or ''}"
        for item, word in facts.releases
    ]
    words += [f"{one.place} {one.decision} {one.quantity or ''} {one.value or ''}" for one in facts.overrides]
    words += [f"asks {one.kind} {_goods(one.content) if one.content else ''}" for one in facts.requests]
    words += [f"decides {one.verdict}" for one in facts.decisions]
    words += [f"supplements {one.mrn}-{one.item}" for one in facts.simplified]
    words += [one for one in (facts.acceptance_day, facts.exit_day and f"left {facts.exit_day}") if one]
    return " ".join(words)


def _goods(content: Payload) -> str:
    return "; ".join(
        f"{item.number}: " + ", ".join([*map(_claim, item.claims), *[f"for {n.mrn}-{n.item}" for n in item.simplified]])
        for item in content.items
    )


def _limit(one: object) -> str:
    return f"{getattr(one, 'quantity', None) or ''}+{getattr(one, 'value', None) or ''}"


def _claim(spec: ClaimSpec) -> str:
    open_ = "?" if spec.issuer_from else ""
    return f"{spec.licence_id}{open_}.{spec.line_no} {spec.quantity or ''}+{spec.value or ''}"
