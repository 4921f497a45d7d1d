"""Status pushes to the single window (IR 2024/2145 Art. 5(2)), and incidents to the licensing side.

Each goes out on its own topic per licence under its own dense version, so a receiver sees gaps. Canonical JSON like the
balance; `events.StatusBody` and `events.IncidentBody` are the contracts.
"""

from __future__ import annotations

from json.encoder import encode_basestring as quoted
from typing import TYPE_CHECKING

from certex_bridge.ledger.domain.model import ClaimState, Status
from certex_bridge.ledger.domain.reasons import Answerable, Incident
from certex_bridge.ledger.domain.risk import at_risk, covered
from certex_bridge.ledger.pushes import member_state
from certex_bridge.singlewindow.balance import accounts_json, licence_name, told_as

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from certex_bridge.ledger.domain.model import LicenceState
    from certex_bridge.ledger.ports import OpenClaim, StatusChange

INCIDENT_SENTENCES: dict[Incident, str] = {
    Incident.RELEASED_MORE: "More was released than had been reserved; it fitted and is booked.",
    Incident.UNCOVERED: "Goods were released without cover; the uncovered part is not booked.",
    Incident.RELEASED_ON_BLOCKED: "Goods were released although the licence was no longer valid.",
    Incident.POST_RELEASE_INCREASE: "An amendment after release covers more goods than were declared.",
    Incident.OVER_USE: "An amendment after release asks for more than is available; nothing is changed.",
    Incident.CAP_BELOW_USE: "The new limit is lower than what is reserved and consumed.",
    Incident.CANCELLED_WITH_USE: "The licence is cancelled from the start although it was used.",
    Incident.EXIT_WITHOUT_RELEASE: "The goods left without an effective release.",
    Incident.RELEASED_AFTER_INVALIDATION: "Goods were released after their declaration was invalidated.",
    Incident.RELEASED_UNDECIDED: "Goods were released, and it is not known by which lodging they were declared.",
    Incident.OVERRIDDEN: "A customs officer decided manually; booked as stated, whatever the limits and rules.",
}


def status_body(
    state: LicenceState,
    change: StatusChange,
    recipient_state: str,
    interested: Sequence[OpenClaim],
    *,
    keeps: bool = False,
) -> bytes:
    """A change of status for the claims of one member state; `state.status` is the new one, `state.nv` the version.

    An empty `change.old` means that the licence was not known before. The licence is referred to, not repeated: its
    content is in the certificate of the same licence version. `keeps`: a licence of this type that has expired can
    still be used for what was reserved while it was Valid.
    """
    issuer, number = licence_name(state)
    licence = state.licence
    claims = ",".join([_interest(state, claim, keeps=keeps) for claim in interested])
    return (
        f'{{"causeEvent":{quoted(change.event_id)},"documentCode":{quoted(licence.document_code if licence else "")},'
        f'"effectiveAt":{quoted(change.at)},"interested":[{claims}],"issuer":{quoted(issuer)},'
        f'"journalVersion":{state.lv},"licenceVersion":{state.version},"memberState":{quoted(recipient_state)},'
        f'"newStatus":"{state.status.value}","number":{quoted(number)},'
        f'"oldStatus":{quoted(change.old or Status.UNKNOWN.value)},"reason":{quoted(change.reason)},'
        f'"validFrom":{_day(licence.valid_from if licence else None)},'
        f'"validTo":{_day(licence.valid_to if licence else None)},"version":{state.nv}}}'
    ).encode("utf-8", "replace")


def _day(day: date | None) -> str:
    return f'"{day.isoformat()}"' if day else "null"


def _interest(state: LicenceState, claim: OpenClaim, *, keeps: bool) -> str:
    licence, where = state.licence, member_state(claim.decl_id, claim.office)
    valid = covered(claim.accepted, where, licence.valid_from, licence.valid_to) if licence else None
    stands = valid is not False or (keeps and claim.state == ClaimState.RESERVED)
    risk = at_risk(ClaimState(claim.state), state.status, valid=stands)
    return (
        f'{{"atRisk":{_flag(risk)},"claimState":"{claim.state}","declaration":{quoted(claim.decl_id)},'
        f'"document":{claim.doc_seq},"item":{claim.item},"validAtAcceptance":{_flag(valid)}}}'
    )


def _flag(value: bool | None) -> str:  # noqa: FBT001  # the value to be written
    return "null" if value is None else "true" if value else "false"


def incidents_body(  # what, where, when and why, and who answers for it
    state: LicenceState,
    incidents: Iterable[Incident],
    declaration: str,
    claim: str,
    at: str,
    event: str,
    by: Answerable | None = None,
) -> bytes:
    """What was recorded although it should not have happened, with the licence's figures after it.

    `declaration` and `claim` are empty when a licence version is the cause; `event` led to it; `at` is UTC, ISO text.
    `by` is the officer who decided by hand, with the reason that was given.
    """
    issuer, number = licence_name(state)
    name, state_of = told_as(declaration), member_state(declaration)
    officer, reason = (f'"officer":{quoted(by.officer)},', f'"reason":{quoted(by.reason)},') if by else ("", "")
    told = ",".join([f'{{"code":"{code.value}","text":{quoted(INCIDENT_SENTENCES[code])}}}' for code in incidents])
    return (
        f'{{"accounts":{accounts_json(state)},"at":{quoted(at)},"causeEvent":{quoted(event)},'
        f'"claim":{quoted(name + claim[len(declaration) :])},'
        f'"declaration":{quoted(name)},"incidents":[{told}],"issuer":{quoted(issuer)},'
        f'"journalVersion":{state.lv},"licenceVersion":{state.version},"memberState":{quoted(state_of)},'
        f'"number":{quoted(number)},{officer}{reason}"status":"{state.status.value}","version":{state.iv}}}'
    ).encode("utf-8", "replace")
