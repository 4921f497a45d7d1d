"""GET /v1/reports/mismatches: what was released against the verdict, per caller and member state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from certex_bridge.kernel.dates import parse_date
from certex_bridge.ledger.mismatches import LISTED_MAX, Asked, Mismatches, MismatchReport
from certex_bridge.singlewindow.callers import CallerRole
from certex_bridge.singlewindow.operation import Call, Read

ROLES = frozenset(CallerRole)


class _Part(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, use_attribute_docstrings=True
    )


class MismatchTotal(_Part):
    """How many claims of one source, member state and verdict."""

    source: str
    """Who told the release: urn:certex-bridge:caller:<name> for a call, else the sender on the topic."""
    member_state: str
    """Of the declarations."""
    verdict: str
    """REFUSED, or WAITING where the licence was not known."""
    claims: int
    """Claims whose goods were released."""


class MismatchedClaim(_Part):
    """One claim whose goods were released against the verdict."""

    declaration: str
    """MRN."""
    declaration_goods_item_number: int
    """Goods item; 0 for the shipment."""
    document_sequence_number: int
    """Supporting document on it."""
    licence: str
    """Issuing state and number."""
    document_line_item_number: int
    """Line of the licence; 0: none was found."""
    source: str
    """Who told the release."""
    member_state: str
    """Of the declaration."""
    verdict: str
    """REFUSED or WAITING."""
    reasons: list[str]
    """Why, as the ledger had said."""
    recorded: bool
    """Whether the release was recorded, or was itself refused as a call."""
    released_at: datetime
    """As customs say."""


class MismatchesFound(_Part):
    """The mismatch report."""

    total: int
    """Claims in all."""
    totals: list[MismatchTotal]
    """By source, member state and verdict."""
    listed: Annotated[list[MismatchedClaim], Field(max_length=LISTED_MAX)]
    """The newest of them."""


def reads(mismatches: Mismatches) -> Sequence[Read]:
    """The report as a plain read."""

    async def find(call: Call, parameters: Mapping[str, str]) -> MismatchesFound:
        return shown(await mismatches.report(asked_by(call, parameters)))

    return (
        Read(
            name="getMismatches",
            path="/v1/reports/mismatches",
            response=MismatchesFound,
            roles=ROLES,
            handler=find,
            summary="What was released although the ledger had refused it or could not decide, per source.",
            query={
                "source": "Only what this sender told.",
                "since": "First day of release (UTC).",
                "until": "Last day of release (UTC).",
            },
        ),
    )


def asked_by(call: Call, parameters: Mapping[str, str]) -> Asked:
    """Customs see their own declarations, licensing authorities their own licences, auditors both of their state.

    Raises:
        InputError: a day is none.
    """
    caller = call.caller
    state = caller.member_state
    licensing = {CallerRole.LICENSING_OFFICER, CallerRole.AUDITOR}
    customs = {CallerRole.CLEARANCE, CallerRole.CUSTOMS_OFFICER, CallerRole.AUDITOR}
    return Asked(
        member_state="" if caller.roles.isdisjoint(customs) else state,
        issuer="" if caller.roles.isdisjoint(licensing) else state,
        source=parameters.get("source", ""),
        since=first_instant(parameters.get("since", ""), "since"),
        until=last_instant(parameters.get("until", ""), "until"),
    )


def first_instant(day: str, field: str) -> datetime | None:
    """Where a day begins, UTC.

    Raises:
        InputError: no day.
    """
    return datetime.combine(parse_date(day, field), time(), UTC) if day else None


def last_instant(day: str, field: str) -> datetime | None:
    """Where the day after begins, UTC: what is before it is of that day or earlier.

    Raises:
        InputError: no day.
    """
    return datetime.combine(parse_date(day, field) + timedelta(days=1), time(), UTC) if day else None


def shown(report: MismatchReport) -> MismatchesFound:
    """The report as it is told."""
    totals = [
        MismatchTotal(source=one.source, member_state=one.member_state, verdict=one.verdict, claims=one.claims)
        for one in report.totals
    ]
    listed = [
        MismatchedClaim(
            declaration=one.key.decl_id,
            declaration_goods_item_number=one.key.item,
            document_sequence_number=one.key.doc_seq,
            licence=one.key.licence_id,
            document_line_item_number=one.key.line_no,
            source=one.source,
            member_state=one.member_state,
            verdict=one.verdict,
            reasons=list(one.reasons),
            recorded=one.recorded,
            released_at=one.at,
        )
        for one in report.listed
    ]
    return MismatchesFound(total=sum(one.claims for one in totals), totals=totals, listed=listed)
