"""CORRECT: a write-off that was made outside the bridge is captured, and its new totals are booked as a difference.

The goods have left, so neither status nor validity stands against it. But figures are never guessed, and nothing is
booked beyond a limit: what does not fit is uncovered and an incident, as for a release without cover.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

from certex_bridge.kernel.errors import Finding
from certex_bridge.ledger.domain.content import ClaimSpec, Item
from certex_bridge.ledger.domain.facts import Captured
from certex_bridge.ledger.domain.figures import Declared, declared_figures
from certex_bridge.ledger.domain.members import ClaimResult, Member, Settlement
from certex_bridge.ledger.domain.model import (
    NOTHING,
    Account,
    Claim,
    ClaimKey,
    ClaimState,
    DeclarationState,
    Dim,
    Figures,
    Kind,
    LicenceState,
)
from certex_bridge.ledger.domain.phases import Phase
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.reasons import Answerable, Incident, Outcome, Reason
from certex_bridge.ledger.domain.refusals import not_booked
from certex_bridge.ledger.domain.room import Room, exceeded, lines_of
from certex_bridge.ledger.domain.steps import Step
from certex_bridge.licensing.domain.writeoff import WriteOff, WriteOffLine

_ITEM, _DOCUMENT = 1, 1
"""A captured write-off has neither goods items nor documents; its licence and line tell its claims apart."""

_STRICT = Policy()
"""No factor between units: an officer reads the figure off the form, in the line's unit."""

_NO_ITEM = Item(_ITEM, "", "", "", "", None, None, None, (), ())


class _Total(NamedTuple):
    """What one line of the licence shall have been written off for, or why that cannot be said."""

    line_no: int
    figures: Figures = NOTHING
    problem: Reason | None = None
    place: int = -1
    """Its place in the event; -1 for a line that is not named any more."""


def findings_on(write_off: WriteOff, state: LicenceState) -> list[Finding]:
    """Why the write-off cannot be booked on its licence as the licence is known; empty when it can, or will."""
    if not state.known:
        return []
    return [
        Finding(total.problem.code, f"lines[{total.place}]", total.problem.declared, total.problem.sentence)
        for total in _totals(write_off, state)
        if total.problem is not None
    ]


def settle_captured(declaration: DeclarationState, licences: Mapping[str, LicenceState]) -> Settlement:
    """What the captured totals move; what is on a licence that is not known waits for it."""
    settlement = Settlement()
    room = Room(licences)
    waiting = set()
    for captured in declaration.facts.captured:
        state = licences[captured.write_off.licence_id]
        if state.known:
            settlement.results += _Capturing(declaration, captured, state, room).results()
        else:
            waiting.add(state.licence_id)
    settlement.waiting_for = frozenset(waiting)
    return settlement


class _Capturing:
    """The last word on one licence, on its way into the ledger."""

    def __init__(self, declaration: DeclarationState, captured: Captured, state: LicenceState, room: Room) -> None:
        self._declaration = declaration
        self._write_off = captured.write_off
        self._state = state
        self._room = room
        stamp = captured.stamp
        self._attempt = f"captured:{stamp.occurred_at.isoformat()}/{stamp.event_id}"
        self._detail = detail(captured.write_off)

    def results(self) -> list[ClaimResult]:
        """One result per line, decreases first: an increase may stand on what they give back."""
        told = {total.line_no: total for total in _totals(self._write_off, self._state)}
        for key, claim in self._declaration.claims.items():
            if key.licence_id == self._state.licence_id and claim.state is not ClaimState.WITHDRAWN:
                told.setdefault(key.line_no, _Total(key.line_no))
        pairs = [(self._member(total), total) for total in told.values()]
        pairs.sort(key=lambda pair: (pair[0].grows, pair[0].key))
        return [self._settle(member, total) for member, total in pairs]

    def _member(self, total: _Total) -> Member:
        key = ClaimKey(self._declaration.decl_id, _ITEM, _DOCUMENT, self._state.licence_id, total.line_no)
        member = Member(key, self._declaration.claims.get(key), None, Phase.RECORD, total.figures, self._attempt)
        member.anew = member.refused_too_early(self._declaration.late)
        return member

    def _settle(self, member: Member, total: _Total) -> ClaimResult:
        if total.problem is not None:
            return self._uncovered(member, member.held, NOTHING, (total.problem,))
        short = self._room.short(self._room.calls([member])) if member.grows else {}
        if short or (member.grows and member.refused_before):
            covered = member.target.at_most(member.held)
            rest, causes = member.target.minus(covered), exceeded(member, short)
            reason = not_booked("UNCOVERED", member, rest, causes, self._room)
            return self._uncovered(member, covered, rest, (reason, *causes))
        state, outcome = ClaimState.CONSUMED, Outcome.OK_CONSUMED
        if member.target == NOTHING and self._limited(total.line_no):
            state, outcome = ClaimState.WITHDRAWN, Outcome.OK_WITHDRAWN
        elif not self._limited(total.line_no):
            outcome = Outcome.OK_NOT_MANAGED
        elif member.held != NOTHING:
            outcome = Outcome.OK_ADJUSTED
        return self._result(member, self._claim(member, state, outcome, member.target))

    def _uncovered(
        self, member: Member, consumed: Figures, uncovered: Figures, reasons: tuple[Reason, ...]
    ) -> ClaimResult:
        claim = self._claim(member, ClaimState.UNCOVERED, Outcome.UNCOVERED, consumed)
        claim.uncovered, claim.reasons = uncovered, tuple([reason.code for reason in reasons])
        return self._result(member, claim, reasons, (Incident.UNCOVERED,))

    def _claim(self, member: Member, state: ClaimState, outcome: Outcome, consumed: Figures) -> Claim:
        return Claim(
            key=member.key,
            state=state,
            requested=member.target,
            consumed=consumed,
            attempt=self._attempt,
            outcome=outcome,
            source=self._write_off.source.value,
        )

    def _result(
        self, member: Member, claim: Claim, reasons: tuple[Reason, ...] = (), incidents: tuple[Incident, ...] = ()
    ) -> ClaimResult:
        self._room.take(member, claim.consumed)
        moved = claim.consumed.minus(member.consumed)
        steps = () if moved == NOTHING else (Step(Kind.CORRECT, NOTHING, moved, self._detail),)
        by = Answerable(self._write_off.officer, self._write_off.reason)
        return ClaimResult(claim, None, reasons, incidents, steps, by=by)

    def _limited(self, line_no: int) -> bool:
        return bool(_limits(self._state, line_no))


def _totals(write_off: WriteOff, state: LicenceState) -> Iterator[_Total]:
    seen: set[int] = set()
    for index, line in enumerate(write_off.lines):
        line_no, problem = _place(line, state)
        if problem is None and line_no in seen:
            problem = Reason("LINE_AMBIGUOUS", "documentLineItemNumber", str(line.line_no or ""))
        seen.add(line_no)
        if problem is not None:
            yield _Total(line_no, NOTHING, problem, index)
            continue
        found = _figures(line, write_off, line_no, state)
        yield _Total(line_no, found.figures, found.problems[0][1] if found.problems else None, index)


def _place(line: WriteOffLine, state: LicenceState) -> tuple[int, Reason | None]:
    """The licence line meant; a line taken out of the licence while in use can still be corrected."""
    assert state.licence is not None
    numbers = [one.line_no for one in state.licence.lines]
    if not numbers:
        return 0, None
    if line.line_no is None:
        if len(numbers) == 1:
            return numbers[0], None
        return 0, Reason("LINE_AMBIGUOUS", "documentLineItemNumber", "", ",".join(map(str, numbers)))
    if line.line_no in numbers or any(line_no == line.line_no for line_no, _ in state.accounts):
        return line.line_no, None
    return line.line_no, Reason("LINE_NOT_FOUND", "documentLineItemNumber", str(line.line_no))


def _figures(line: WriteOffLine, write_off: WriteOff, line_no: int, state: LicenceState) -> Declared:
    spec = ClaimSpec(_ITEM, _DOCUMENT, "", write_off.licence_id, "", line_no, line.quantity, line.value)
    day = date.fromisoformat(write_off.evidence.date)
    return declared_figures(spec, _NO_ITEM, _limits(state, line_no), _STRICT, day)


def _limits(state: LicenceState, line_no: int) -> list[tuple[Dim, Account]]:
    return [
        (dim, account) for place in lines_of(line_no) for dim in Dim if (account := state.limit(place, dim)) is not None
    ]


def detail(write_off: WriteOff) -> str:
    """Who captured it, why and on what evidence, for the journal: canonical JSON."""
    told = {
        "evidence": write_off.evidence.document(),
        "officer": write_off.officer,
        "reason": write_off.reason,
        "source": write_off.source.value,
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
