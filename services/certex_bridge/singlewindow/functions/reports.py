"""GET /v1/reports/mismatches: what was released against the verdict, per caller and member state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from certex_bridge.kernel.countries import issuing_state
from certex_bridge.kernel.dates import parse_date
from certex_bridge.ledger.mismatches import LISTED_MAX, Asked, Mismatches, MismatchReport
from certex_bridge.singlewindow.callers import CallerRole
from certex_bridge.singlewindow.operation import Call, Read
from certex_bridge.singlewindow.rights import Sight

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
    """REFUSED, WAITING where the licence was not known, INVALIDATED where the declaration had ended."""
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
    """REFUSED, WAITING or INVALIDATED."""
    reasons: list[str]
    """Why, as the ledger had said."""
    recorded: bool
    """Whether the release was recorded, or was itself refused as a call."""
    released_at: datetime
    """As customs say."""


class UndecidedDeclaration(_Part):
    """A declaration that customs accepted or released and whose content cannot be told; nothing is booked for it."""

    declaration: str
    """MRN."""
    local_reference_number: str
    """LRN that customs named; empty: none."""
    member_state: str
    """Of the declaration."""
    state: str
    """Where the declaration stands, for instance RELEASED."""
    since: datetime
    """Accepted or released then, as customs say."""
    reason: str
    """DRAFT_AMBIGUOUS: it could be several lodgings. CONTENT_MISSING: none that is known."""
    candidates: str
    """The lodgings that it could be."""


class MismatchesFound(_Part):
    """The mismatch report."""

    total: int
    """Claims in all."""
    totals: list[MismatchTotal]
    """By source, member state and verdict."""
    listed: Annotated[list[MismatchedClaim], Field(max_length=LISTED_MAX)]
    """The newest of them."""
    undecided: Annotated[list[UndecidedDeclaration], Field(max_length=LISTED_MAX)]
    """Declarations for which nothing could be booked, because nobody can say what they declare; the oldest first."""


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
    sight = Sight.of(caller)
    return Asked(
        member_state=sight.state if sight.customs or CallerRole.AUDITOR in caller.roles else "",
        issuer=issuing_state(sight.state) if sight.licensing else "",
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
    undecided = [
        UndecidedDeclaration(
            declaration=one.decl_id,
            local_reference_number=one.lrn,
            member_state=one.member_state,
            state=one.state,
            since=one.since,
            reason=one.code,
            candidates=one.candidates,
        )
        for one in report.undecided
    ]
    total = sum(one.claims for one in totals)
    return MismatchesFound(total=total, totals=totals, listed=listed, undecided=undecided)
