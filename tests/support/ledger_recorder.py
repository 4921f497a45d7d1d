"""A writer of documents for tests: canonical JSON that tells everything, so that assertions can read it back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from certex_bridge.kernel.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from certex_bridge.ledger.domain.model import LicenceState
    from certex_bridge.ledger.domain.outcome import DeclarationOutcome
    from certex_bridge.ledger.domain.reasons import Answerable, Incident
    from certex_bridge.ledger.domain.versions import LicenceDecision
    from certex_bridge.ledger.ports import OpenClaim, QuarantineRow, StatusChange
    from certex_bridge.licensing.domain.commands import LicenceCommand


def read(body: bytes) -> Any:
    """What a recorded message says."""
    return json.loads(body)


class Recorder:
    """The port `Documents`, in JSON."""

    def certificate(self, state: LicenceState, event_id: str, at: datetime, made_at: datetime) -> bytes:
        status = state.status.value
        return canonical_json({"licence": state.licence, "status": status, "lv": state.lv, "event": event_id})

    def outcomes(self, outcomes: Sequence[DeclarationOutcome], made_at: datetime) -> list[bytes]:
        return [canonical_json(outcome) for outcome in outcomes]

    def balance(self, state: LicenceState, cause: Mapping[str, str], at: str) -> bytes:
        accounts = {
            f"{line_no}.{dim}": [account.cap, account.reserved, account.consumed]
            for (line_no, dim), account in state.accounts.items()
        }
        status = state.derived_status().value
        return canonical_json({"lv": state.lv, "accounts": accounts, "cause": dict(cause), "status": status})

    def acknowledgement(self, command: LicenceCommand, decision: LicenceDecision) -> bytes:
        findings = [finding.code for finding in decision.findings]
        return canonical_json({"event": command.event_id, "verdict": decision.verdict, "findings": findings})

    def status(
        self, state: LicenceState, change: StatusChange, member_state: str, interested: Sequence[OpenClaim]
    ) -> bytes:
        told = [claim.decl_id for claim in interested]
        text = f"STATUS {change.old}->{state.status.value} {change.reason}"
        return canonical_json({"text": text, "for": member_state, "cause": change.event_id, "interested": told})

    def incidents(
        self,
        state: LicenceState,
        incidents: Sequence[Incident],
        declaration: str,
        claim: str,
        at: str,
        event: str,
        by: Answerable | None = None,
    ) -> bytes:
        text = "INCIDENT " + " ".join(incident.value for incident in incidents)
        return canonical_json({"text": text, "declaration": declaration, "claim": claim, "by": by})

    def dead_letter(self, row: QuarantineRow) -> bytes:
        return canonical_json({"code": row.code, "event": row.event_id})
