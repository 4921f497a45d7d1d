"""Booking any rearrangement of claims on full and over-used accounts: no row overdraws, and the sums are the balances."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from certex_bridge.ledger.domain.journal import Booking, Entry
from certex_bridge.ledger.domain.model import Account, Claim, ClaimKey, ClaimState, Dim, Figures, Kind, LicenceState
from certex_bridge.ledger.domain.phases import Phase
from certex_bridge.ledger.domain.steps import steps_between

ZERO = Decimal(0)
FIGURES = st.tuples(*[st.integers(0, 9).map(Decimal)] * 2).map(lambda pair: Figures(*pair))
HOLDINGS = st.tuples(FIGURES, st.booleans(), FIGURES, st.sampled_from([1, 2]))
"""What a claim has, whether it is consumed, what it shall have, and its line."""


def held(figures: Figures, consumed: bool) -> tuple[Figures, Figures]:
    return (Figures(), figures) if consumed else (figures, Figures())


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(
    holdings=st.lists(st.tuples(HOLDINGS, st.booleans()), min_size=1, max_size=5),
    spare=st.integers(0, 6).map(Decimal),
    over=st.integers(0, 4).map(Decimal),
)
def test_what_an_officer_books_is_the_only_use_beyond_a_limit(
    holdings: list[tuple[tuple[Figures, bool, Figures, int], bool]], spare: Decimal, over: Decimal
) -> None:
    """Ordinary claims ask for no more than fits; decisions by hand take what they like, in any order with them."""
    state = LicenceState("BE/A")
    for dim in Dim:
        at = 0 if dim is Dim.QTY else 1
        before = sum((h[0][at] for h, _ in holdings), ZERO)
        grown = sum((max(h[2][at] - h[0][at], ZERO) for h, by_hand in holdings if not by_hand), ZERO)
        reserved = sum((h[0][at] for h, _ in holdings if not h[1]), ZERO)
        cap = before + spare + grown if grown else max(before + spare - over, ZERO)
        state.accounts[1, dim] = Account(1, dim, "NAR", cap, reserved, before - reserved)
    start = {place: account.over for place, account in state.accounts.items() if state.limit(*place) is not None}
    bookings: list[Booking] = []
    for number, ((have, consumed, shall, _), by_hand) in enumerate(holdings):
        steps = steps_between(*held(have, consumed), *held(shall, consumed), Phase.ADJUST)
        if by_hand:
            steps = tuple(step._replace(kind=Kind.OVERRIDE) for step in steps)
        bookings.append((Claim(ClaimKey("M", number, 1, "BE/A", 1), ClaimState.RESERVED), steps))
    entry = Entry(state, "e", "t")
    entry.book(bookings)
    sums = dict.fromkeys(start, ZERO)
    for row in entry.rows:
        assert row.d_over <= 0 or row.kind is Kind.OVERRIDE
        sums[row.line_no, Dim(row.dim)] += row.d_over
    assert {place: start[place] + sums[place] for place in start} == {p: state.accounts[p].over for p in start}


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(holdings=st.lists(HOLDINGS, min_size=1, max_size=5), spare=st.integers(-6, 3).map(Decimal))
def test_no_order_of_decisions_overdraws(holdings: list[tuple[Figures, bool, Figures, int]], spare: Decimal) -> None:
    state = LicenceState("BE/A")
    for line_no in (0, 1, 2):
        for dim in Dim:
            at = 0 if dim is Dim.QTY else 1
            mine = [h for h in holdings if line_no in (0, h[3])]
            before, after = (sum((h[i][at] for h in mine), ZERO) for i in (0, 2))
            reserved = sum((h[0][at] for h in mine if not h[1]), ZERO)
            # Use after the change is within the cap, or it was beyond before and is not more now.
            cap = max(after, ZERO) if after > before else max(before + spare, ZERO)
            state.accounts[line_no, dim] = Account(line_no, dim, "NAR", cap, reserved, before - reserved)
    over = {place: account.over for place, account in state.accounts.items()}
    limited = {place for place in over if state.limit(*place) is not None}
    bookings = []
    for number, (have, consumed, shall, line_no) in enumerate(holdings):
        steps = steps_between(*held(have, consumed), *held(shall, consumed), Phase.ADJUST)
        bookings.append((Claim(ClaimKey("M", number, 1, "BE/A", line_no), ClaimState.RESERVED), steps))
    entry = Entry(state, "e", "t")
    entry.book(bookings)
    sums = dict.fromkeys(over, ZERO)
    for row in entry.rows:
        assert row.d_over <= 0
        sums[row.line_no, Dim(row.dim)] += row.d_over
    assert {place: over[place] + sums[place] for place in limited} == {
        place: state.accounts[place].over for place in limited
    }
    assert all(row.kind is not Kind.CAP for row in entry.rows)
