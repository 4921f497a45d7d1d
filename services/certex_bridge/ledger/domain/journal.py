"""Booking: the only place where balances change; each change is a journal row chained to the one before.

The journal is the record of decisions: balances can be rebuilt from it alone, and one changed byte breaks the chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.kernel.canonical import chain
from certex_bridge.ledger.domain.model import WHOLE_LICENCE, ZERO, Account, Claim, Dim, Kind, LicenceState, Movement
from certex_bridge.ledger.domain.steps import Step

NO_DIMENSION = "NONE"

Booking = tuple[Claim, tuple[Step, ...]]
"""A claim, and what happens to it."""

Restated = tuple[str, Claim, Claim]
"""Text of a claim's key, the claim before, and after."""

Deltas = tuple[Decimal, Decimal, Decimal, Decimal]
"""Changes of cap, reserved, consumed and over."""


@dataclass(slots=True)
class Entry:
    """All journal rows that one event writes on one licence: one step of its journal version `lv`."""

    state: LicenceState
    event_id: str
    at: str
    rows: list[Movement] = field(default_factory=list)

    def book(self, bookings: Sequence[Booking]) -> None:
        """Move the claims' figures on their lines' accounts and on the account of the whole licence.

        What decreases comes first, whatever the order of the decisions: an increase may stand on what another claim
        gives back. Only the end counts for `over`, so that moving use about on an over-used account creates none;
        what is created is an override's, which is therefore the first to increase.

        Raises:
            AssertionError: a balance would become negative, or more would be in use than authorised (a defect, never
                the sender's fault).
        """
        moves = list(self._moves(bookings))
        if len(moves) > 1:
            moves.sort(key=_order)
        over = self._over(moves)
        for move in moves:
            account, kind, claim, d_reserved, d_consumed, detail = move
            account.reserved += d_reserved
            account.consumed += d_consumed
            assert min(account.reserved, account.consumed) >= 0, f"negative balance on {self.state.licence_id}"
            d_over = ZERO
            if over:
                before, after = over[account.line_no, account.dim]
                now = max(account.over, after) if _grows(move) else min(max(account.over, after), before)
                d_over, over[account.line_no, account.dim] = now - before, (now, after)
            assert d_over <= 0 or kind is Kind.OVERRIDE, f"overdraft by {kind} on {self.state.licence_id}"
            self._row(account.line_no, account.dim, kind, claim, (ZERO, d_reserved, d_consumed, d_over), detail)

    def _moves(self, bookings: Sequence[Booking]) -> Iterator[_Move]:
        for claim, steps in bookings:
            for step in steps:
                for dim, d_reserved, d_consumed in (
                    (Dim.QTY, step.d_reserved.quantity, step.d_consumed.quantity),
                    (Dim.VAL, step.d_reserved.value, step.d_consumed.value),
                ):
                    if d_reserved == 0 and d_consumed == 0:
                        continue
                    for line_no in _lines(claim.key.line_no):
                        account = self.state.limit(line_no, dim)
                        if account is not None:
                            yield _Move(account, step.kind, str(claim.key), d_reserved, d_consumed, step.detail)

    @staticmethod
    def _over(moves: Sequence[_Move]) -> dict[tuple[int, Dim], tuple[Decimal, Decimal]]:
        """Use beyond the cap before and after all moves, by account; empty when no account has any."""
        use: dict[tuple[int, Dim], list[Decimal]] = {}
        for account, _, _, d_reserved, d_consumed, _ in moves:
            place = (account.line_no, account.dim)
            if place not in use:
                before = account.reserved + account.consumed - account.cap
                use[place] = [before, before]
            use[place][1] += d_reserved + d_consumed
        if not any(before > 0 or after > 0 for before, after in use.values()):
            return {}
        return {place: (max(before, ZERO), max(after, ZERO)) for place, (before, after) in use.items()}

    def set_cap(self, account: Account, cap: Decimal) -> None:
        """Change what is authorised; a cap below use is kept as `over`."""
        over, d_cap = account.over, cap - account.cap
        account.cap = cap
        d_over = account.over - over
        self._row(account.line_no, account.dim, Kind.CAP, "", (d_cap, ZERO, ZERO, d_over), account.unit)

    def restate(self, account: Account, unit: str, cap: Decimal, held: Sequence[Restated], detail: str) -> None:
        """State an account in another currency: what each claim holds of it, then the limit; `over` follows that.

        Raises:
            AssertionError: the claims do not hold what the account says (a defect).
        """
        over = account.over
        account.replaced, account.unit = account.unit, unit
        place = (account.line_no, account.dim, Kind.REDENOMINATE)
        for claim, before, after in held:
            d_reserved, d_consumed = (
                after.reserved.value - before.reserved.value,
                after.consumed.value - before.consumed.value,
            )
            account.reserved += d_reserved
            account.consumed += d_consumed
            if d_reserved or d_consumed:
                self._row(*place, claim, (ZERO, d_reserved, d_consumed, ZERO), detail)
        total = sum([after.reserved.value + after.consumed.value for _, _, after in held], ZERO)
        assert total == account.reserved + account.consumed, f"claims missing on {self.state.licence_id}"
        d_cap = cap - account.cap
        account.cap = cap
        self._row(*place, "", (d_cap, ZERO, ZERO, account.over - over), detail)

    def note(self, kind: Kind, detail: str) -> None:
        """A row without figures: a licence version, a status."""
        self._row(WHOLE_LICENCE, NO_DIMENSION, kind, "", (ZERO, ZERO, ZERO, ZERO), detail)

    def _row(self, line_no: int, dim: str, kind: Kind, claim: str, deltas: Deltas, detail: str) -> None:
        state = self.state
        if not self.rows:
            state.lv += 1
        seq = len(self.rows) + 1
        place = (state.licence_id, state.lv, seq, line_no, dim, kind)
        text = entry_text(*place, self.event_id, claim, deltas, self.at, detail)
        state.chain = link = chain(state.chain, text)
        self.rows.append(Movement(*place, self.event_id, claim, *deltas, self.at, detail, link))


def entry_text(  # noqa: PLR0913, PLR0917  # the columns of a row, in their order
    licence_id: str,
    lv: int,
    seq: int,
    line_no: int,
    dim: str,
    kind: str,
    event_id: str,
    claim: str,
    deltas: tuple[Decimal, ...],
    at: str,
    detail: str,
) -> bytes:
    """The canonical bytes of a journal row: what its chain value covers, together with the value before.

    Each text follows its length in characters, so that no two rows have the same bytes; with the licence among them,
    no journal can stand in for another.
    """
    figures = "|".join([_figure(delta) if delta else "0" for delta in deltas])
    return (
        f"{len(licence_id)}:{licence_id}|{lv}|{seq}|{line_no}|{len(dim)}:{dim}|{len(kind)}:{kind}|"
        f"{len(event_id)}:{event_id}|{len(claim)}:{claim}|{figures}|{len(at)}:{at}|{len(detail)}:{detail}"
    ).encode()


def _figure(delta: Decimal) -> str:
    return format_decimal(delta) if delta > 0 else "-" + format_decimal(-delta)


class _Move(NamedTuple):
    account: Account
    kind: Kind
    claim: str
    d_reserved: Decimal
    d_consumed: Decimal
    detail: str


def _order(move: _Move) -> int:
    return 0 if not _grows(move) else 1 if move.kind is Kind.OVERRIDE else 2


def _grows(move: _Move) -> bool:
    return move.d_reserved + move.d_consumed > 0


def _lines(line_no: int) -> tuple[int, ...]:
    return (WHOLE_LICENCE,) if line_no == WHOLE_LICENCE else (line_no, WHOLE_LICENCE)
