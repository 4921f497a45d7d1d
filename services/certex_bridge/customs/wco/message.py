"""One WCO message on its way to a command: what was received, and what all kinds of messages share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any

from certex_bridge.customs.identity import check_clock
from certex_bridge.customs.options import DecodeOptions
from certex_bridge.customs.wco.place import lodged_in, wrapped
from certex_bridge.customs.wco.tree import Element, Moment, child, moment, read_moment, text
from certex_bridge.kernel.errors import Finding, InputError, Severity
from certex_bridge.kernel.identifiers import check_mrn
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind, Facts
from certex_bridge.ledger.domain.stamps import LogPosition, Stamp
from certex_bridge.platform.poison import Poison

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from certex_bridge.platform.envelope import Envelope

LRN_LENGTH = 35
"""The WCO functional reference is an..35, wider than the Union's LRN."""
FINDINGS_KEPT = 100


@dataclass(slots=True)
class Message:
    """A Declaration or Response element with its surroundings."""

    element: Element
    event_id: str
    sha256: str
    headers: Mapping[str, str]
    record: Envelope
    options: DecodeOptions
    findings: list[Finding] = field(default_factory=list)
    extensions: dict[str, str] = field(default_factory=dict)
    mrn: str = ""
    lrn: str = ""
    exporter: str = ""
    country: str = ""
    country_from: str = ""
    """What told the country."""
    time_stated: bool = False
    """Whether the message says itself when it happened."""
    reference: str = ""
    """A request's own functional reference: the answer to it names that one."""

    def warn(self, code: str, about: str, value: str, message: str) -> None:
        """Remark something that stops nothing."""
        self.findings.append(Finding(code, about, value[:512], message, Severity.WARNING))

    def identify(self, declaration: Element | None, exporter: str) -> None:
        """Take MRN, LRN and country from the declaration element.

        Raises:
            Poison: MRN_INVALID or LRN_INVALID.
        """
        self.mrn, self.lrn = text(declaration, "ID"), text(declaration, "FunctionalReferenceID")
        self.exporter = exporter
        for finding in check_mrn(self.mrn) if self.mrn else ():
            if finding.severity is Severity.ERROR:
                raise Poison(finding.code, finding.message, finding.field, finding.value)
            self.findings.append(finding)
        if len(self.lrn) > LRN_LENGTH or not (self.lrn.isascii() and self.lrn.isprintable()):
            message = f"a functional reference has at most {LRN_LENGTH} printable characters"
            raise Poison("LRN_INVALID", message, "lrn", self.lrn)
        self.country, self.country_from = lodged_in(self.element, declaration, self.mrn)

    def stamp(self) -> Stamp:
        """When it happened, and where the log has it.

        Raises:
            Poison: ENVELOPE when neither message nor record says when.
        """
        happened = self.time()
        record = self.record
        position = (
            LogPosition(record.timestamp_ms, record.offset, self.time_stated) if record.timestamp_ms >= 0 else None
        )
        return Stamp(happened, self.event_id, position)

    def time(self) -> datetime:
        """When it happened: the message's issue time, else the wrapper's receipt, else the record's own times.

        Raises:
            Poison: ENVELOPE when there is none at all.
        """
        zone = self.options.zone(self.country)
        try:
            issued = moment(self.element, "IssueDateTime", zone)
            if issued is None and (received := wrapped(self.element, "receiptDate")):
                issued = read_moment(received, "", zone, "receiptDate")
        except InputError as error:
            self.warn(error.code, error.field, error.value, "the time cannot be read; the record's own time counts")
            issued = None
        if issued is not None:
            self.assumed(issued, "IssueDateTime")
            self.time_stated = not issued.assumed_zone
            return issued.instant.astimezone(UTC)
        return self._record_time()

    def _record_time(self) -> datetime:
        header = self.headers.get("ce_time", "")
        if header:
            try:
                return read_moment(header, "", UTC, "ce_time").instant.astimezone(UTC)
            except InputError as error:
                raise Poison("ENVELOPE", error.message, "ce_time", header) from error
        received_at = self.record.received_at
        if received_at is None:
            raise Poison("ENVELOPE", "neither message nor record says when it happened", "IssueDateTime")
        return received_at

    def assumed(self, read: Moment, about: str) -> None:
        """Remark that a zone was assumed."""
        if read.assumed_zone:
            message = f"the time states no zone; the legal time of {self.country or 'the default zone'} was assumed"
            self.warn("ASSUMED_ZONE", about, read.iso, message)

    def facts(self, *, lrn: str | None = None, **facts: object) -> Facts:
        """These facts, with the identity; `lrn` where the reference is only perhaps the declaration's."""
        return Facts(mrn=self.mrn, lrn=self.lrn if lrn is None else lrn, exporter=self.exporter, **facts)  # type: ignore[arg-type]  # `facts` are fields of Facts

    def exit_facts(self, declaration: Element | None, stamp: Stamp) -> dict[str, Any]:
        """The day of exit, where the goods shipment states it (WCO 024); one that cannot be read is remarked."""
        shipment, about = child(declaration, "GoodsShipment"), "GoodsShipment/ExitDateTime"
        try:
            left = moment(shipment, "ExitDateTime", self.options.zone(self.country))
        except InputError as error:
            self.warn(error.code, about, error.value, "the time of exit cannot be read")
            return {}
        if left is None:
            return {}
        self.assumed(left, "ExitDateTime")
        return {"exit_told": stamp, "exit_day": left.iso}

    def command(self, kind: EventKind, stamp: Stamp, facts: Facts) -> DeclarationCommand:
        """The finished command."""
        check_clock(stamp.occurred_at, self.record.timestamp_ms, self.options, self.findings)
        return DeclarationCommand(
            event_id=self.event_id,
            occurred_at=stamp.occurred_at,
            kind=kind,
            payload_sha256=self.sha256,
            facts=facts,
            mrn=self.mrn,
            lrn=self.lrn,
            exporter=self.exporter,
            source=self.headers.get("ce_source", "") or f"wco/{self.country}",
            findings=tuple(self.findings[:FINDINGS_KEPT]),
            extensions=tuple(sorted(self.extensions.items())),
            logged=stamp.logged,
        )


def party(element: Element | None, *names: str) -> str:
    """The identification of the first of these parties that has one."""
    return next((number for name in names if (number := text(child(element, name), "ID"))), "")
