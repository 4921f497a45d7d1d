"""From a record of `licensing.licences.v1` to a command; total: every input gives a command or `Poison`.

Poison is for what cannot be answered: no envelope, no JSON, no identity. A readable event with wrong fields becomes a
command without licence whose findings name every one of them, so that the sender gets them all in one answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from certex_bridge.kernel.canonical import canonical_json, sha256_hex
from certex_bridge.kernel.countries import issuing_state
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.kernel.identifiers import licence_key
from certex_bridge.licensing import acts, originals, wire_findings
from certex_bridge.licensing.certificate import largest_certificate
from certex_bridge.licensing.domain.certificate_types import CertificateTypes
from certex_bridge.licensing.domain.commands import ExporterBar, LicenceCommand, LicenceEventKind
from certex_bridge.licensing.domain.documents import DEFAULT_LEGACY_CODES
from certex_bridge.licensing.domain.dual_use import DUAL_USE_TYPES
from certex_bridge.licensing.domain.licence import Licence
from certex_bridge.licensing.domain.lint import MAX_VERSION, lint, lint_bar, lint_bare_act, lint_split, under
from certex_bridge.licensing.domain.lint_case import LegacyCodes
from certex_bridge.licensing.domain.lint_writeoff import lint_write_off
from certex_bridge.licensing.domain.writeoff import Evidence, WriteOff, WriteOffLine
from certex_bridge.licensing.events import (
    EVENT_MODELS,
    BareAct,
    ExporterBarred,
    LicenceSplit,
    WireLicence,
    WriteOffCaptured,
)
from certex_bridge.licensing.figures import read_total
from certex_bridge.licensing.snapshot import issued_by, read_licence
from certex_bridge.licensing.wire_shape import check_shape
from certex_bridge.platform.envelope import CloudEvent, Envelope, read_cloudevent
from certex_bridge.platform.jsongate import parse_json
from certex_bridge.platform.poison import UNFORESEEN, Poison

MAX_IDENTITY = 256
"""Characters of an issuer or number beyond which nobody can be answered; a number over 70 is refused by the lint."""

GROWTH = 40
"""More than the bytes of certificate that one byte of an event can lead to."""

ERRORS_ENOUGH = 2_000
"""Errors after which the further parts of a split are not checked: twice as many as an acknowledgement lists."""

_KINDS = {
    ce_type: LicenceEventKind.EXPORTER_BARRED
    if model is ExporterBarred
    else LicenceEventKind(ce_type.removeprefix("licensing.licence.").removesuffix(".v1"))
    for ce_type, model in EVENT_MODELS.items()
    if model is not WriteOffCaptured
} | {"licensing.write-off.captured.v1": LicenceEventKind.WRITE_OFF_CAPTURED}


@dataclass(frozen=True, slots=True)
class LicensingOptions:
    """Settings the decoder needs."""

    legacy_codes: LegacyCodes = field(default_factory=lambda: DEFAULT_LEGACY_CODES)
    """Per issuing state, document codes outside TARIC's current list that it may use: old and national ones."""
    types: CertificateTypes = DUAL_USE_TYPES
    """Certificate types whose licences are taken."""
    certificate_bytes_max: int = 1_048_576
    """Bytes of the largest message that the broker takes; the certificate of a licence must fit with its figures."""
    document_bytes_max: int = 524_288
    """Bytes of the largest document that may be attached to a licence."""


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
        if kind is LicenceEventKind.WRITE_OFF_CAPTURED:
            return _write_off_command(event, data, envelope.key)
        return _licence_command(event, kind, data, options, envelope.key)
    except UNFORESEEN as error:
        raise Poison.unforeseen(error) from error


def _licence_command(
    event: CloudEvent, kind: LicenceEventKind, data: dict[str, Any], options: LicensingOptions, key: bytes | None
) -> LicenceCommand:
    licence_id = licence_key(acts.issuer_of_act(kind, _identity(data, "issuer")), _identity(data, "number"))
    bare = acts.is_bare(kind, data)
    model = BareAct if bare else EVENT_MODELS[event.type]
    findings, checked = check_shape(model, data)
    broken, wire = wire_findings.validate(model, checked, options.types)
    findings += broken
    licence: Licence | None = None
    parts: list[Licence] = []
    documents: dict[str, bytes] = {}
    if isinstance(wire, WireLicence):
        licence, told = _checked(wire, kind, options, broken)
        findings += told
        if isinstance(wire, LicenceSplit):
            parts, told = _checked_parts(licence, wire, options, broken)
            findings += told
        licence, parts, documents, told = originals.attach(licence, parts, wire, broken, options.document_bytes_max)
        findings += told
    elif isinstance(wire, BareAct):
        told = lint_bare_act(wire.issuer, wire.number, wire.version, wire.status, wire.sub_status, kind)
        findings += wire_findings.outside(broken, told)
    findings += _check_key(key, licence_id)
    readable = not any(finding.severity is Severity.ERROR for finding in findings)
    if readable and licence is not None:
        findings += _check_sizes(licence, parts, event, options)
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
        received=originals.received(event, licence, parts) if readable and licence is not None else {},
        documents=documents if readable else {},
        bare=bare,
        stated=acts.stated_status(data),
        sub_status=acts.stated_sub_status(data),
    )


def _checked(
    wire: WireLicence, kind: LicenceEventKind, options: LicensingOptions, broken: Sequence[Finding]
) -> tuple[Licence, list[Finding]]:
    """The licence and what figures and lint say of it beside what could not be read (`broken`)."""
    findings: list[Finding] = []
    licence = read_licence(wire, findings, options.types)
    findings = wire_findings.outside(broken, findings)
    unreadable = [*broken, *(finding for finding in findings if finding.severity is Severity.ERROR)]
    unread = wire_findings.top_level(unreadable)
    told = lint(licence, kind, legacy_codes=options.legacy_codes, types=options.types, unread=unread)
    return licence, findings + wire_findings.outside(unreadable, told)


def _checked_parts(
    original: Licence, wire: LicenceSplit, options: LicensingOptions, broken: Sequence[Finding]
) -> tuple[list[Licence], list[Finding]]:
    """The new licences of a split, judged one by one and together."""
    parts: list[Licence] = []
    findings: list[Finding] = []
    inside = wire_findings.by_entry(broken, "parts")
    errors = len(broken)
    for index, each in enumerate(wire.parts):
        where = f"parts[{index}]"
        if errors > ERRORS_ENOUGH:
            message = "more than enough is wrong before this part: it was read and not checked"
            findings.append(Finding("NOT_CHECKED", where, "", message))
            break
        within = inside.get(where, [])
        part, told = _checked(each, LicenceEventKind.ISSUED, options, within)
        parts.append(part)
        # Of a part that could not be read at all (a finding on it, not in it) nothing is said.
        findings += [] if any(not finding.field for finding in within) else under(told, where)
        errors += sum(finding.severity is Severity.ERROR for finding in told)
    return parts, wire_findings.outside(broken, lint_split(original, parts)) + findings


def _check_sizes(
    licence: Licence, parts: Sequence[Licence], event: CloudEvent, options: LicensingOptions
) -> list[Finding]:
    """Certificates that the broker would not take: a licence that can never reach customs is not accepted.

    An element of a list gives at most some hundred bytes of XML for four bytes of JSON, so a small event needs no
    rendering.
    """
    limit = options.certificate_bytes_max
    if len(event.data) * GROWTH <= limit:
        return []
    findings = []
    for index, each in enumerate((licence, *parts)):
        size = largest_certificate(each, event.id, event.time, options.types)
        if size > limit:
            field = "" if index == 0 else f"parts[{index - 1}]"
            message = f"the certificate can grow to {size} bytes, and a message holds {limit}: split the licence"
            findings.append(Finding("CERTIFICATE_SIZE", field, str(size), message))
    return findings


def _bar_command(event: CloudEvent, data: dict[str, Any]) -> LicenceCommand:
    issuer, eori = _identity(data, "issuer"), _identity(data, "eori")
    findings, checked = check_shape(ExporterBarred, data)
    broken, wire = wire_findings.validate(ExporterBarred, checked)
    findings += broken
    bar = None
    if isinstance(wire, ExporterBarred):
        bar = ExporterBar(
            issued_by(wire.issuer, findings), wire.eori, tuple(wire.document_codes), wire.from_, wire.reason
        )
        findings += wire_findings.outside(broken, lint_bar(bar))
    if any(finding.severity is Severity.ERROR for finding in findings):
        bar = acts.bar_of(event, data, issuer, eori)
        findings[:0] = [acts.bar_taken(bar)] if bar is not None else []
    return LicenceCommand(
        event_id=event.id,
        occurred_at=event.time,
        kind=LicenceEventKind.EXPORTER_BARRED,
        licence=None,
        parts=(),
        bar=bar,
        findings=tuple(findings),
        payload_sha256=_payload_hash(data),
        licence_id=bar.bar_id if bar is not None else f"{issuing_state(issuer)}/bar:{eori}",
        version=0,
    )


def _write_off_command(event: CloudEvent, data: dict[str, Any], key: bytes | None) -> LicenceCommand:
    licence_id = licence_key(_identity(data, "issuer"), _identity(data, "number"))
    findings, checked = check_shape(WriteOffCaptured, data)
    broken, wire = wire_findings.validate(WriteOffCaptured, checked)
    findings += broken
    write_off = None
    if isinstance(wire, WriteOffCaptured):
        told: list[Finding] = []
        write_off = _write_off(wire, licence_id, told)
        findings += wire_findings.outside(broken, [*told, *lint_write_off(write_off)])
    findings += _check_key(key, licence_id)
    message = event.extensions.get("messagesha256")  # of a call: its header counts, too
    readable = not any(finding.severity is Severity.ERROR for finding in findings)
    return LicenceCommand(
        event_id=event.id,
        occurred_at=event.time,
        kind=LicenceEventKind.WRITE_OFF_CAPTURED,
        licence=None,
        parts=(),
        bar=None,
        findings=tuple(findings),
        payload_sha256=_payload_hash({"data": data, "message": message} if message else data),
        licence_id=licence_id,
        version=0,
        write_off=write_off if readable else None,
        waits=event.extensions.get("answer") == "always",
    )


def _write_off(wire: WriteOffCaptured, licence_id: str, findings: list[Finding]) -> WriteOff:
    proof = wire.evidence
    evidence = Evidence(proof.type, proof.number, proof.date.isoformat(), proof.member_state)
    lines = tuple(
        WriteOffLine(line.line, *read_total(line.quantity, line.value, f"lines[{index}]", findings))
        for index, line in enumerate(wire.lines)
    )
    return WriteOff(licence_id, wire.source, wire.officer, wire.reason, evidence, lines)


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
