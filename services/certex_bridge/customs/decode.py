"""Canonical declaration events to commands: total, and fast enough for the hot path.

Any record ends in a `DeclarationCommand` or in `Poison`. The envelope and the structure must be sound and the
declaration identifiable; what is wrong with one claim stays with that claim as a finding.

Identity: the MRN, or exporter and LRN while there is none. A supplementary declaration keeps its own and is linked to
the simplified ones that it names, since all are one instrument (UCC Art. 167(4)); with no name of its own it is told to
the record of the only simplified one it names.

`payload_sha256` is the hash of type, source and canonical data: the same data in another spelling are the same event,
the same data as another type are a conflict.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

import msgspec

from certex_bridge.customs import wire
from certex_bridge.customs.events import KINDS
from certex_bridge.customs.exit_day import exit_not_counted
from certex_bridge.customs.identity import Identity, check_acceptance, check_clock, identify
from certex_bridge.customs.options import DEFAULT_OPTIONS, DecodeOptions
from certex_bridge.customs.overrides import read_overrides
from certex_bridge.customs.payload import PayloadReader
from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.kernel.dates import has_zone, parse_date, parse_instant
from certex_bridge.kernel.errors import Finding, InputError, Severity
from certex_bridge.ledger.domain.facts import (
    ALL_ITEMS,
    DeclarationCommand,
    DocumentFigures,
    EventKind,
    Facts,
    ItemRelease,
)
from certex_bridge.ledger.domain.stamps import PayloadRank, Stamp
from certex_bridge.platform.envelope import CloudEvent, Envelope, read_cloudevent
from certex_bridge.platform.jsongate import read_both
from certex_bridge.platform.poison import UNFORESEEN, Poison

if TYPE_CHECKING:
    from collections.abc import Callable

FINDINGS_KEPT = 100
"""Remarks kept on one event; a declaration of 9,999 items could bring tens of thousands."""

_canonical = msgspec.json.Encoder(order="deterministic")
_DATE_LENGTH = len("2026-12-31")


def decode_declaration_event(envelope: Envelope, options: DecodeOptions = DEFAULT_OPTIONS) -> DeclarationCommand:
    """Read one record of topic customs.declarations.v1.

    Raises:
        Poison: the envelope's and JSON gate's codes; TYPE_UNKNOWN; IDENTITY_MISSING, IDENTITY_CONFLICT, MRN_INVALID,
            LRN_INVALID, EORI_INVALID; ITEM_DUPLICATE; DATE_INVALID or DATE_RANGE for the acceptance; the amount codes
            for figures of a release, which cannot be refused and must not be guessed; those of `read_overrides`.
            Nothing else is raised.
    """
    try:
        event = read_cloudevent(envelope)
        kind = KINDS.get(event.type)
        if kind is None:
            raise Poison("TYPE_UNKNOWN", "not a declaration event of this version", "ce_type", event.type)
        data, document = read_both(event.data, wire.DECODERS[kind])
        return _command(event, kind, data, content_sha256(event, document), envelope.timestamp_ms, options)
    except InputError as error:
        raise Poison.of(error) from error
    except UNFORESEEN as error:
        raise Poison.unforeseen(error) from error


def content_sha256(event: CloudEvent, document: object) -> str:
    """What an event says, in one hash; no text of the envelope can hold the separator."""
    said = f"{event.type}\0{event.source}\0".encode() + _canonical.encode(document)
    return hashlib.sha256(said).hexdigest()


def _command(
    event: CloudEvent, kind: EventKind, data: wire.Event, sha256: str, timestamp_ms: int, options: DecodeOptions
) -> DeclarationCommand:
    findings: list[Finding] = []
    identity = identify(data, findings)
    check_clock(event.time, timestamp_ms, options, findings)
    reading = Reading(event, data, identity, options, findings)
    facts = _FACTS[kind](reading)
    check_acceptance(facts.acceptance_day, timestamp_ms, options, findings)
    extensions = event.extensions
    return DeclarationCommand(
        event_id=event.id,
        occurred_at=event.time,
        kind=kind,
        payload_sha256=sha256,
        facts=facts,
        mrn=identity.mrn,
        lrn=identity.lrn,
        exporter=identity.exporter,
        source=event.source,
        findings=tuple(findings[:FINDINGS_KEPT]),
        extensions=tuple(sorted(extensions.items())) if extensions else (),
        chosen_lodging=(data.lodged_event or identity.exporter) if isinstance(data, wire.Identified) else "",
    )


class Reading:
    """One event while its facts are made."""

    __slots__ = ("data", "event", "findings", "identity", "options", "stamp")

    def __init__(
        self, event: CloudEvent, data: Any, identity: Identity, options: DecodeOptions, findings: list[Finding]
    ) -> None:
        self.event = event
        self.data = data
        self.identity = identity
        self.options = options
        self.findings = findings
        self.stamp = Stamp(event.time, event.id)

    def facts(self, **facts: Any) -> Facts:
        """These facts, with the identity and the day of exit, if it is told."""
        identity = self.identity
        if self.data.day_of_exit is not None:
            facts |= {"exit_told": self.stamp, "exit_day": parse_date(self.data.day_of_exit, "dayOfExit").isoformat()}
        return Facts(mrn=identity.mrn, lrn=identity.lrn, exporter=identity.exporter, **facts)

    def with_payload(self, *, supplementary: int = 0, **facts: Any) -> Facts:
        """These facts and the declaration's content, if the event carries it."""
        declaration: wire.Declaration | None = self.data.declaration
        identity = self.identity
        facts["simplified"] = identity.simplified
        if declaration is None:
            return self.facts(**facts)
        reader = PayloadReader(identity.country, self.options, self.findings, issuer_from=identity.country_from)
        payload = reader.read(declaration, identity.exporter or declaration.exporter or "", self.data.office or "")
        self.findings += exit_not_counted(self.data.day_of_exit, declaration)
        rank = PayloadRank(supplementary, self.data.version or 1, self.stamp)
        return self.facts(payload=payload, payload_rank=rank, **facts)


def _accepted(reading: Reading) -> Facts:
    return reading.with_payload(accepted=reading.stamp, acceptance_day=_acceptance_day(reading))


def _acceptance_day(reading: Reading) -> str:
    """The acceptance as customs state it (15 09): a date stays a date, an instant keeps its offset."""
    text = reading.data.accepted_at
    return reading.event.time.isoformat() if text is None else _day_or_instant(reading, text, "acceptedAt")


def _day_or_instant(reading: Reading, text: str, field: str) -> str:
    if len(text) == _DATE_LENGTH:
        return parse_date(text, field).isoformat()
    if has_zone(text):
        return parse_instant(text, field=field).isoformat()
    country = reading.identity.country
    instant = parse_instant(text, reading.options.zone(country), field)
    message = f"the time states no zone; the legal time of {country or 'the default zone'} was assumed"
    reading.findings.append(Finding("ASSUMED_ZONE", field, text, message, Severity.WARNING))
    return instant.astimezone(UTC).isoformat()


def _exited(reading: Reading) -> Facts:
    """The goods have left; a day that cannot be read is remarked, for that they left is certain all the same."""
    text: str | None = reading.data.exited_at
    if text is None or reading.data.day_of_exit is not None:
        return reading.facts(exited=reading.stamp)
    try:
        day = _day_or_instant(reading, text, "exitedAt")
    except InputError as error:
        reading.findings.append(replace(error.finding(), severity=Severity.WARNING))
        return reading.facts(exited=reading.stamp)
    return reading.facts(exited=reading.stamp, exit_told=reading.stamp, exit_day=day)


def _supplementary(reading: Reading) -> Facts:
    if reading.identity.told_to:
        return reading.with_payload(supplementary=1)
    return reading.with_payload(lodged=reading.stamp)


def _released(reading: Reading) -> Facts:
    items: list[wire.ReleasedItem] | None = reading.data.items
    if items is None:
        return reading.facts(releases=((ALL_ITEMS, ItemRelease(reading.stamp, released=True)),))
    releases = [(item.item, ItemRelease(reading.stamp, True, _figures(item))) for item in items]  # noqa: FBT003  # a field of a value
    return reading.facts(releases=_unique(releases))


def _not_released(reading: Reading) -> Facts:
    items: list[wire.ItemNumber] | None = reading.data.items
    refused = ItemRelease(reading.stamp, released=False)
    if items is None:
        return reading.facts(releases=((ALL_ITEMS, refused),))
    return reading.facts(releases=_unique([(item.item, refused) for item in items]))


def _unique(releases: list[tuple[int, ItemRelease]]) -> tuple[tuple[int, ItemRelease], ...]:
    if len(dict(releases)) != len(releases):
        raise Poison("ITEM_DUPLICATE", "an item is named twice", "items")
    return tuple(sorted(releases, key=lambda release: release[0]))


def _figures(item: wire.ReleasedItem) -> tuple[DocumentFigures, ...] | None:
    """What was really released; zero is a figure (nothing of this document was used)."""
    if item.documents is None:
        return None
    figures = {document.seq: _released_figures(document, item.item) for document in item.documents}
    if len(figures) != len(item.documents):
        raise Poison("ITEM_DUPLICATE", "a document is named twice", f"items[{item.item}].documents")
    return tuple(figures[seq] for seq in sorted(figures))


def _released_figures(document: wire.ReleasedDocument, item: int) -> DocumentFigures:
    place = f"items[{item}].documents[{document.seq}]"
    quantity, value = document.quantity, document.value
    return DocumentFigures(
        document.seq,
        Quantity.parse(quantity.amount, quantity.unit, f"{place}.quantity", allow_zero=True) if quantity else None,
        Money.parse(value.amount, value.currency, f"{place}.value", allow_zero=True) if value else None,
    )


_FACTS: dict[EventKind, Callable[[Reading], Facts]] = {
    EventKind.LODGED: lambda reading: reading.with_payload(lodged=reading.stamp),
    EventKind.PRESENTED: lambda reading: reading.with_payload(presented=reading.stamp),
    EventKind.ACCEPTED: _accepted,
    EventKind.AMENDED: lambda reading: reading.with_payload(),
    EventKind.SUPPLEMENTARY: _supplementary,
    EventKind.RELEASED: _released,
    EventKind.NOT_RELEASED: _not_released,
    EventKind.INVALIDATED: lambda reading: reading.facts(
        invalidated=reading.stamp, invalidation_reason=reading.data.reason or ""
    ),
    EventKind.REJECTED: lambda reading: reading.facts(rejected=reading.stamp),
    EventKind.EXIT_CONFIRMED: _exited,
    EventKind.RECHECK: lambda reading: reading.facts(recheck=reading.stamp),
    EventKind.IDENTIFIED: lambda reading: replace(reading.facts(), exporter=""),
    EventKind.OVERRIDDEN: lambda reading: reading.facts(overrides=read_overrides(reading.data, reading.stamp)),
}
