"""From a record of `licensing.licences.v1` to a command; total: every input gives a command or `Poison`.

Poison is for what cannot be answered: no envelope, no JSON, no identity. A readable event with wrong fields becomes a
command without licence whose findings name every one of them, so that the sender gets them all in one answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from certex_bridge.kernel.canonical import canonical_json, sha256_hex
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.kernel.identifiers import licence_key
from certex_bridge.licensing import wire_findings
from certex_bridge.licensing.domain.commands import ExporterBar, LicenceCommand, LicenceEventKind
from certex_bridge.licensing.domain.documents import DEFAULT_LEGACY_CODES, document_code
from certex_bridge.licensing.domain.licence import Licence, LicenceCap, LicenceLine, Party
from certex_bridge.licensing.domain.lint import MAX_VERSION, LegacyCodes, lint, lint_bar, lint_split, under
from certex_bridge.licensing.events import (
    EVENT_MODELS,
    ExporterBarred,
    LicenceSplit,
    WireHolder,
    WireLicence,
    WireLine,
    WireParty,
)
from certex_bridge.platform.envelope import CloudEvent, Envelope, read_cloudevent
from certex_bridge.platform.jsongate import parse_json
from certex_bridge.platform.poison import UNFORESEEN, Poison

MAX_IDENTITY = 256
"""Characters of an issuer or number beyond which nobody can be answered; a number over 70 is refused by the lint."""

_KINDS = {
    ce_type: LicenceEventKind.EXPORTER_BARRED
    if model is ExporterBarred
    else LicenceEventKind(ce_type.removeprefix("licensing.licence.").removesuffix(".v1"))
    for ce_type, model in EVENT_MODELS.items()
}


@dataclass(frozen=True, slots=True)
class LicensingOptions:
    """Settings the decoder needs."""

    legacy_codes: LegacyCodes = field(default_factory=lambda: DEFAULT_LEGACY_CODES)
    """Per issuing state, document codes of the time before 9 September 2021 that it may still use."""


DEFAULT_OPTIONS = LicensingOptions()


def decode_licence_event(envelope: Envelope, options: LicensingOptions = DEFAULT_OPTIONS) -> LicenceCommand:
    """Decode and lint one licence event.

    Raises:
        Poison: the envelope's or JSON gate's code; TYPE_UNKNOWN; NO_IDENTITY (issuer and number, or for a bar issuer
            and EORI number, cannot be read). Nothing else is raised, whatever the bytes are.
    """
    try:
        event = read_cloudevent(envelope)
        kind = _KINDS.get(event.type)
        if kind is None:
            raise Poison("TYPE_UNKNOWN", "not a licence event of this version", "ce_type", event.type)
        data = parse_json(event.data)
        if not isinstance(data, dict):
            raise Poison("NO_IDENTITY", "the data are not a JSON object", "data")
        if kind is LicenceEventKind.EXPORTER_BARRED:
            return _bar_command(event, data)
        return _licence_command(event, kind, data, options, envelope.key)
    except UNFORESEEN as error:
        raise Poison.unforeseen(error) from error


def _licence_command(
    event: CloudEvent, kind: LicenceEventKind, data: dict[str, Any], options: LicensingOptions, key: bytes | None
) -> LicenceCommand:
    licence_id = licence_key(_identity(data, "issuer"), _identity(data, "number"))
    model = EVENT_MODELS[event.type]
    findings, wire = wire_findings.validate(model, data)
    licence, parts = None, []
    if isinstance(wire, WireLicence):
        licence = _licence(wire)
        unread = wire_findings.top_level(findings)
        findings += wire_findings.outside(
            findings, lint(licence, kind, legacy_codes=options.legacy_codes, unread=unread)
        )
        if isinstance(wire, LicenceSplit):
            parts = [_licence(part) for part in wire.parts]
            findings += wire_findings.outside(findings, _lint_parts(licence, parts, options, findings))
    findings += _check_key(key, licence_id)
    readable = not any(finding.severity is Severity.ERROR for finding in findings)
    return LicenceCommand(
        event_id=event.id,
        occurred_at=event.time,
        kind=kind,
        licence=licence if readable else None,
        parts=tuple(parts) if readable else (),
        bar=None,
        findings=tuple(findings),
        payload_sha256=_payload_hash(data),
        licence_id=licence_id,
        version=_version(data),
    )


def _lint_parts(
    original: Licence, parts: Sequence[Licence], options: LicensingOptions, broken: Sequence[Finding]
) -> list[Finding]:
    findings = lint_split(original, parts)
    for index, part in enumerate(parts):
        where = f"parts[{index}]"
        unread = wire_findings.top_level(broken, where)
        checked = lint(part, LicenceEventKind.ISSUED, legacy_codes=options.legacy_codes, unread=unread)
        findings += under(checked, where)
    return findings


def _bar_command(event: CloudEvent, data: dict[str, Any]) -> LicenceCommand:
    issuer, eori = _identity(data, "issuer"), _identity(data, "eori")
    findings, wire = wire_findings.validate(ExporterBarred, data)
    bar = None
    if isinstance(wire, ExporterBarred):
        bar = ExporterBar(wire.issuer, wire.eori, tuple(wire.document_codes), wire.from_, wire.reason)
        findings += wire_findings.outside(findings, lint_bar(bar))
    readable = not any(finding.severity is Severity.ERROR for finding in findings)
    return LicenceCommand(
        event_id=event.id,
        occurred_at=event.time,
        kind=LicenceEventKind.EXPORTER_BARRED,
        licence=None,
        parts=(),
        bar=bar if readable else None,
        findings=tuple(findings),
        payload_sha256=_payload_hash(data),
        licence_id=f"{issuer}/bar:{eori}",
        version=0,
    )


def _identity(data: dict[str, Any], name: str) -> str:
    """A part of the identity: without it no acknowledgement could be addressed.

    That it can be stored and sent back (no NUL, no lone surrogate) is the JSON gate's promise.
    """
    value = data.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_IDENTITY:
        message = f"{name} is a text of 1 to {MAX_IDENTITY} characters: nobody can be answered without it"
        raise Poison("NO_IDENTITY", message, name, value)
    return value


def _version(data: dict[str, Any]) -> int:
    version = data.get("version")
    return version if type(version) is int and 1 <= version <= MAX_VERSION else 0


def _payload_hash(data: dict[str, Any]) -> str:
    """Hash of the canonical form: a producer that writes its keys in another order repeats itself, no more."""
    return sha256_hex(canonical_json(data))


def _check_key(key: bytes | None, licence_id: str) -> list[Finding]:
    """A wrong record key endangers the order of this licence's events; the identity in the data counts all the same."""
    if key is None:
        return []
    text = key.decode("utf-8", "replace")
    issuer, _, number = text.partition("/")
    if licence_key(issuer, number) == licence_id:
        return []
    message = f"the record key of this licence is {licence_id}; another key does not keep its events in order"
    return [Finding("KEY_MISMATCH", "key", ascii(text[:80])[1:-1], message, Severity.WARNING)]


def _licence(wire: WireLicence) -> Licence:
    """The domain's licence; contact details, should a sender add any, are dropped here by construction."""
    cap = wire.cap
    return Licence(
        issuer=wire.issuer,
        number=wire.number,
        version=wire.version,
        type=wire.type,
        document_code=document_code(wire.type) if wire.document_code is None else wire.document_code,
        direction=wire.direction,
        status=wire.status,
        valid_from=wire.valid_from,
        valid_to=wire.valid_to,
        holder=_holder(wire.holder),
        authority=_party(wire.authority),
        lines=tuple(_line(line) for line in wire.lines),
        issue_date=wire.issue_date,
        cap=LicenceCap(
            cap.quantity.quantity() if cap and cap.quantity else None, cap.value.money() if cap and cap.value else None
        ),
        consignees=tuple(_party(party) for party in wire.consignees),
        end_users=tuple(_party(party) for party in wire.end_users),
        destinations=tuple(wire.destinations),
        consignment_countries=tuple(wire.consignment_countries),
        procedures=tuple(wire.procedures),
        conditions=tuple(wire.conditions),
        application_number=wire.application_number,
        legal_basis=wire.legal_basis,
        replaces=wire.replaces,
    )


def _holder(wire: WireHolder) -> Party:
    return Party(wire.name, wire.eori, wire.street, wire.postcode, wire.city, wire.country)


def _party(wire: WireParty) -> Party:
    return Party(wire.name, wire.identification, wire.street, wire.postcode, wire.city, wire.country)


def _line(wire: WireLine) -> LicenceLine:
    return LicenceLine(
        line_no=wire.line,
        description=wire.description,
        control=wire.control,
        quantity=wire.quantity.quantity() if wire.quantity else None,
        value=wire.value.money() if wire.value else None,
        control_list=wire.control_list,
        commodity_codes=tuple(wire.commodity_codes),
        origin=wire.origin,
        cas=tuple(wire.cas),
        tolerance_percent=wire.tolerance_percent,
    )
