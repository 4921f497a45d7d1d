"""Notifications to the single window: status pushes (IR 2024/2145 Art. 5(2)) and incidents.

Both go out on one topic per licence under one dense version, so a receiver sees gaps. Canonical JSON like the
balance; `events.StatusBody` and `events.IncidentBody` are the contracts.
"""

from __future__ import annotations

from json.encoder import encode_basestring as quoted
from typing import TYPE_CHECKING

from certex_bridge.ledger.domain.model import ClaimState, Status
from certex_bridge.ledger.domain.reasons import Incident
from certex_bridge.singlewindow.balance import accounts_json, licence_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from certex_bridge.ledger.domain.model import LicenceState
    from certex_bridge.ledger.ports import OpenClaim

_BLOCKED = (Status.SUSPENDED, Status.REVOKED, Status.CANCELLED)
"""Statuses that put an open reservation at risk; an expiry is judged by the day of acceptance."""
_MRN_LENGTH = 18

INCIDENT_SENTENCES: dict[Incident, str] = {
    Incident.RELEASED_MORE: "More was released than had been reserved; it fitted and is booked.",
    Incident.UNCOVERED: "Goods were released without cover; nothing is booked for the uncovered part.",
    Incident.RELEASED_ON_BLOCKED: "Goods were released although the licence was no longer valid.",
    Incident.POST_RELEASE_INCREASE: "An amendment after release covers more goods than were declared.",
    Incident.OVER_USE: "An amendment after release asks for more than is available; nothing is changed.",
    Incident.CAP_BELOW_USE: "The new limit is lower than what is reserved and consumed.",
    Incident.CANCELLED_WITH_USE: "The licence is cancelled from the start although it was used.",
    Incident.EXIT_WITHOUT_RELEASE: "The goods left and no release has been reported.",
}


def status_body(state: LicenceState, old: str, reason: str, at: str, interested: Sequence[OpenClaim]) -> bytes:
    """A change of status for those with an open interest; `state.status` is the new one, `state.nv` the version.

    `at` is when the change took effect (UTC, ISO text). An empty `old` means that the licence was not known before.
    """
    issuer, number = licence_name(state)
    blocked = state.status in _BLOCKED
    claims = ",".join([_interest(claim, blocked=blocked) for claim in interested])
    return (
        f'{{"effectiveAt":{quoted(at)},"interested":[{claims}],"issuer":{quoted(issuer)},'
        f'"journalVersion":{state.lv},"licenceVersion":{state.version},"newStatus":"{state.status.value}",'
        f'"number":{quoted(number)},"oldStatus":{quoted(old or Status.UNKNOWN.value)},"reason":{quoted(reason)},'
        f'"version":{state.nv}}}'
    ).encode("utf-8", "replace")


def _interest(claim: OpenClaim, *, blocked: bool) -> str:
    at_risk = "true" if blocked and claim.state == ClaimState.RESERVED else "false"
    return (
        f'{{"atRisk":{at_risk},"claimState":"{claim.state}","declaration":{quoted(claim.decl_id)},'
        f'"document":{claim.doc_seq},"item":{claim.item},"memberState":{quoted(member_state(claim.decl_id))}}}'
    )


def member_state(declaration: str) -> str:
    """The state of the declaration: in the MRN; empty for a draft, which is known by exporter and LRN only."""
    is_mrn = len(declaration) == _MRN_LENGTH and "/" not in declaration
    return declaration[2:4] if is_mrn else ""


def incidents_body(state: LicenceState, incidents: Iterable[Incident], declaration: str, claim: str, at: str) -> bytes:
    """What was recorded although it should not have happened, with the licence's figures after it.

    `declaration` and `claim` are empty when a licence version is the cause; `at` is UTC, ISO text.
    """
    issuer, number = licence_name(state)
    told = ",".join([f'{{"code":"{code.value}","text":{quoted(INCIDENT_SENTENCES[code])}}}' for code in incidents])
    return (
        f'{{"accounts":{accounts_json(state)},"at":{quoted(at)},"claim":{quoted(claim)},'
        f'"declaration":{quoted(declaration)},"incidents":[{told}],"issuer":{quoted(issuer)},'
        f'"journalVersion":{state.lv},"licenceVersion":{state.version},"memberState":{quoted(member_state(declaration))},'
        f'"number":{quoted(number)},"status":"{state.status.value}","version":{state.nv}}}'
    ).encode("utf-8", "replace")
