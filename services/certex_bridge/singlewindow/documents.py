"""Who writes the bridge's messages: certificates, outcomes, balances, acknowledgements, pushes, dead letters."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.model import LicenceState
from certex_bridge.ledger.domain.outcome import DeclarationOutcome
from certex_bridge.ledger.domain.reasons import Answerable, Incident
from certex_bridge.ledger.domain.versions import LicenceDecision
from certex_bridge.ledger.ports import OpenClaim, QuarantineRow, StatusChange
from certex_bridge.licensing.certificate import render_certificate
from certex_bridge.licensing.content import licence_content
from certex_bridge.licensing.domain.certificate_types import CertificateTypes
from certex_bridge.licensing.domain.commands import LicenceCommand
from certex_bridge.licensing.domain.dual_use import DUAL_USE_TYPES
from certex_bridge.licensing.domain.licence import Licence
from certex_bridge.singlewindow.balance import balance_body
from certex_bridge.singlewindow.disclosure import without_figures
from certex_bridge.singlewindow.notification import incidents_body, status_body
from certex_bridge.singlewindow.outcome_document import render_outcomes

_encoder = msgspec.json.Encoder()

LETTER_BYTES_MAX = 900_000
"""Largest dead letter, with room below the usual limit of a broker's messages (1 MiB)."""
KEY_BYTES_MAX = 1_024
"""Bytes of a record key carried in a dead letter."""

FINDINGS_TOLD = 1_000
"""Findings listed in an acknowledgement; `findingsTotal` says how many there are."""

_CONTENTS_MAX = 50_000


class BridgeDocuments:
    """Writes documents; everything XML has passed its schema."""

    def __init__(
        self,
        sender: str,
        recipient: str,
        letter_bytes_max: int = LETTER_BYTES_MAX,
        *,
        figures_shown: bool = True,
        types: CertificateTypes = DUAL_USE_TYPES,
    ) -> None:
        self._sender = sender
        self._recipient = recipient
        self._letter_bytes_max = letter_bytes_max
        self._figures_shown = figures_shown
        """Whether customs may see balances; applies to everything that goes to them."""
        self._types = types
        self._contents: dict[tuple[str, int, int], str] = {}
        """Licence content by (licence, version, line): a version never changes."""

    def certificate(self, state: LicenceState, event_id: str, at: datetime, made_at: datetime) -> bytes:
        """The certificate of the version in force, with the figures as they stand if customs may see them."""
        assert state.licence is not None
        shown = self._figures_shown
        return render_certificate(
            state.licence,
            state.status.value,
            list(state.accounts.values()) if shown else [],
            prepared_at=made_at,
            event_id=event_id,
            status_at=at,
            sender=self._sender,
            recipient=self._recipient,
            journal_version=state.lv if shown else 0,
            types=self._types,
        )

    def outcomes(self, outcomes: Sequence[DeclarationOutcome], made_at: datetime) -> list[bytes]:
        """The outcome documents, one each."""
        if not self._figures_shown:
            outcomes = [without_figures(outcome) for outcome in outcomes]
        return render_outcomes(
            outcomes, self._content, sender=self._sender, recipient=self._recipient, prepared_at=made_at
        )

    def _content(self, licence: Licence, line_no: int) -> str:
        key = (licence.licence_id, licence.version, line_no)
        found = self._contents.get(key)
        if found is None:
            if len(self._contents) > _CONTENTS_MAX:
                self._contents.clear()
            found = self._contents[key] = licence_content(licence, line_no or None)
        return found

    def balance(self, state: LicenceState, cause: Mapping[str, str], at: str) -> bytes:
        """All balances of a licence after one journal version."""
        return balance_body(state, cause, at)

    def acknowledgement(self, command: LicenceCommand, decision: LicenceDecision) -> bytes:
        """The answer to the licensing side: accepted, or refused with its findings.

        All of them, unless they are so many that the broker would not take the answer: then errors come first, behind
        the word that an act counts all the same.
        """
        told = decision.findings
        if len(told) > FINDINGS_TOLD:
            told = sorted(told, key=_rank)[:FINDINGS_TOLD]
        issuer, _, number = command.licence_id.partition("/")
        return _encoder.encode(
            {
                "event": command.event_id,
                "kind": command.kind.value,
                "issuer": issuer,
                "number": command.licence.number if command.licence else number,
                "version": command.version,
                "verdict": decision.verdict.value,
                "findingsTotal": len(decision.findings),
                "findings": [_finding(finding) for finding in told],
            }
        )

    def status(
        self, state: LicenceState, change: StatusChange, member_state: str, interested: Sequence[OpenClaim]
    ) -> bytes:
        """A status push to one member state; it has no balances."""
        licence = state.licence
        keeps = licence is not None and self._types.cited(licence.document_code, licence.type).keeps
        return status_body(state, change, member_state, interested, keeps=keeps)

    def incidents(  # what, where, when and why, and who answers for it
        self,
        state: LicenceState,
        incidents: Sequence[Incident],
        declaration: str,
        claim: str,
        at: str,
        event: str,
        by: Answerable | None = None,
    ) -> bytes:
        """An incident for the licensing side, which sees the balances."""
        return incidents_body(state, incidents, declaration, claim, at, event, by)

    def dead_letter(self, row: QuarantineRow) -> bytes:
        """A quarantined record with its coded reason; bytes in base 64.

        What would make the letter too large for the broker is left out and flagged: the raw bytes, then the headers.
        The quarantine keeps them.
        """
        key = (row.key or b"")[:KEY_BYTES_MAX]
        letter: dict[str, Any] = {
            "id": row.quarantine_id,
            "code": row.code,
            "field": row.field,
            "value": row.value,
            "message": row.message,
            "event": row.event_id,
            "topic": row.origin.topic,
            "partition": row.origin.partition,
            "offset": row.origin.offset,
            "key": _base64(None if row.key is None else key),
            "keyCut": len(key) < len(row.key or b""),
            "headers": [[name, _base64(value)] for name, value in row.headers],
            "headersOmitted": False,
            "rawBytes": len(row.raw or b""),
            "raw": _base64(row.raw),
        }
        body = _encoder.encode(letter)
        if len(body) > self._letter_bytes_max:
            body = _encoder.encode(letter | {"raw": None})
        if len(body) > self._letter_bytes_max:
            body = _encoder.encode(letter | {"raw": None, "headers": [], "headersOmitted": True})
        return body

    def forget(self) -> None:
        """Drop what is remembered of licences: the database may be another than before."""
        self._contents.clear()


def _rank(finding: Finding) -> int:
    return 0 if finding.code == "CONTENT_NOT_TAKEN" else 1 if finding.severity is Severity.ERROR else 2


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "field": finding.field,
        "value": finding.value,
        "message": finding.message,
    }


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()
