"""Contracts of the JSON messages that leave the bridge: balances, notifications, incidents, records.

The messages themselves are built by `balance`, `notification` and `records`; these models give their JSON Schemas and
read them back in tests and tools. Amounts are text in canonical form: digits, an optional point, no trailing zero, no
exponent.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Amount = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$")]
"""An exact figure as text; up to 22 digits, for a rest of two figures of 16 digits may need them."""
Instant = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$")]
StatusName = Literal["Unknown", "Valid", "Cancelled", "Exhausted", "Expired", "Suspended", "Revoked"]
IncidentName = Literal[
    "RELEASED_MORE",
    "UNCOVERED",
    "RELEASED_ON_BLOCKED",
    "POST_RELEASE_INCREASE",
    "OVER_USE",
    "CAP_BELOW_USE",
    "CANCELLED_WITH_USE",
    "EXIT_WITHOUT_RELEASE",
    "RELEASED_AFTER_INVALIDATION",
    "RELEASED_UNDECIDED",
    "OVERRIDDEN",
]
MovementName = Literal[
    "RESERVE",
    "CONSUME",
    "UNRESERVE",
    "ADJUST",
    "WITHDRAW",
    "OVERRIDE",
    "CORRECT",
    "REDENOMINATE",
    "CAP",
    "VERSION",
    "STATUS",
]
OpenState = Literal["CHECKED", "WAITING", "REFUSED", "RESERVED", "NOT_MANAGED"]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Count = Annotated[int, Field(ge=0)]


class _Body(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, extra="forbid", frozen=True, strict=True)


class AccountBody(_Body):
    """One account: `available = authorised - reserved - consumed`, `over` what is in use beyond the limit."""

    line: Annotated[int, Field(ge=0, le=99999, description="0: a limit over the whole licence")]
    dimension: Literal["QTY", "VAL"]
    unit: Annotated[str, Field(min_length=3, max_length=4, description="TARIC unit with qualifier, or currency")]
    authorised: Amount
    reserved: Amount
    consumed: Amount
    available: Amount
    over: Amount


class CauseBody(_Body):
    """The event that moved the balance."""

    event: str
    kind: MovementName
    declaration: Annotated[
        str,
        Field(
            description="MRN; draft: or paper/ and a hash before acceptance, off the system; empty for a licence event"
        ),
    ]


class _OfLicence(_Body):
    issuer: Annotated[str, Field(min_length=2, max_length=2)]
    number: Annotated[str, Field(min_length=1, max_length=70)]
    licence_version: Count
    journal_version: Annotated[int, Field(ge=0, description="Dense: a gap means a lost message")]


class BalanceBody(_OfLicence):
    """Topic licensing.balances.v1: all accounts of one licence after one journal version."""

    status: StatusName
    at: Instant
    cause: CauseBody
    accounts: tuple[AccountBody, ...] = Field(strict=False)


class InterestBody(_Body):
    """A claim that customs still wait for."""

    declaration: str
    item: Count
    document: Count
    claim_state: OpenState
    at_risk: Annotated[bool, Field(description="Granted, and the licence is blocked or no longer covers acceptance")]
    valid_at_acceptance: Annotated[
        bool | None, Field(description="Whether the licence covers the day of acceptance; null before acceptance")
    ]


class StatusBody(_OfLicence):
    """Topic certex.notifications.v1: the status of a licence has changed (IR 2024/2145 Art. 5(2)).

    Old and new status are the same where something else bears on open claims: VALIDITY_SHORTENED, EXPORTER_BARRED.
    """

    member_state: Annotated[
        str, Field(max_length=2, description="Whom it is for: all claims are of this state; empty if none is known")
    ]
    document_code: Annotated[str, Field(max_length=4, description="TARIC document code; empty for an unknown licence")]
    valid_from: Day | None
    valid_to: Day | None
    cause_event: Annotated[str, Field(description="Id of the event that led to it")]
    old_status: StatusName
    new_status: StatusName
    effective_at: Instant
    reason: Annotated[str, Field(min_length=1)]
    version: Annotated[int, Field(ge=1, description="Dense per licence over all its notifications")]
    interested: tuple[InterestBody, ...] = Field(strict=False)


class IncidentEntry(_Body):
    """One incident."""

    code: IncidentName
    text: str


class IncidentBody(_OfLicence):
    """Topic licensing.incidents.v1: something was recorded that should not have happened; for the authority only."""

    status: StatusName
    at: Instant
    declaration: str
    member_state: Annotated[str, Field(max_length=2)]
    claim: str
    cause_event: Annotated[str, Field(description="Id of the event that led to it")]
    incidents: tuple[IncidentEntry, ...] = Field(strict=False, min_length=1)
    accounts: tuple[AccountBody, ...] = Field(strict=False)
    version: Annotated[int, Field(ge=1, description="Dense per licence over all its incidents")]
    officer: Annotated[str | None, Field(description="Who decided by hand; absent otherwise")] = None
    reason: Annotated[str | None, Field(description="The reason that the officer gave")] = None


class InformationBody(_Body):
    """One piece of extra information."""

    code: Annotated[str, Field(min_length=1, max_length=70)]
    text: Annotated[str, Field(min_length=1, max_length=512)]


class RecordBody(_Body):
    """Topic licensing.records.v1: extra information customs entered to a licence (IR 2024/2145 Art. 9).

    Each message has the record whole, with what it said before.
    """

    issuer: Annotated[str, Field(min_length=2, max_length=2)]
    number: Annotated[str, Field(min_length=1, max_length=70)]
    licence_version: Count
    record: Annotated[str, Field(description="Identity of the record")]
    record_identification: Annotated[str, Field(description="The caller's own name of the record", max_length=35)]
    version: Annotated[int, Field(ge=1, description="Dense per record")]
    action: Literal["ADD", "AMEND", "DELETE"]
    caller: Annotated[str, Field(max_length=35, description="Customs system that entered it")]
    member_state: Annotated[str, Field(min_length=2, max_length=2)]
    mrn: Annotated[str, Field(max_length=18, description="Empty when it belongs to no declaration")]
    item: Annotated[int, Field(ge=0, le=99999, description="Goods item, 0 for none")]
    information: Annotated[
        tuple[InformationBody, ...], Field(strict=False, description="Empty when the record is deleted")
    ]
    before: tuple[InformationBody, ...] = Field(strict=False)
    reason: Annotated[str, Field(max_length=512, description="Why it was amended or deleted")]
    at: Instant
