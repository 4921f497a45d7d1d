"""A licence event that was refused, or an act that waits for its licence, as it is stored."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from certex_bridge.ledger.domain.acts import Act
from certex_bridge.licensing.domain.licence import AuthorityStatus


class RefusedLicenceEvent(NamedTuple):
    """A licence event that was refused, as a whole or in its content, or an act that waits for its licence."""

    event_id: str
    licence_id: str
    kind: str
    version: int
    """0 where the sender's could not be read."""
    verdict: str
    act: str
    """What became of an act that blocks: TAKEN, KEPT or LOST; empty: it was none."""
    status: str
    """The status that the act gives, empty where it is none."""
    sub_status: str
    bare: bool
    payload_sha256: str
    findings: str
    """The errors as JSON: code, field, message of each."""
    at: str


def kept_act(row: RefusedLicenceEvent) -> Act:
    """The act that waits for its licence."""
    occurred_at = datetime.fromisoformat(row.at)
    told = (row.version, row.sub_status, row.payload_sha256, row.bare, row.event_id)
    return Act(AuthorityStatus(row.status), *told, occurred_at)
