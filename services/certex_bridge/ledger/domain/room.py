"""What is still available while a declaration is settled: the locked accounts, less what this run has taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.ledger.domain.members import Member
from certex_bridge.ledger.domain.model import ZERO, Account, Dim, Figures, LicenceState
from certex_bridge.ledger.domain.reasons import Reason

AccountKey = tuple[str, int, Dim]
"""(licence, line, dimension); line 0 is the whole licence."""


class Call(NamedTuple):
    """What the changing claims of a group have together on one account, and what they ask for instead."""

    asked: Decimal
    held: Decimal


class Short(NamedTuple):
    """An account on which a group's increases together do not fit."""

    asked: Decimal
    available: Decimal
    """What the group could have: what is free, and what it holds."""


Calls = dict[AccountKey, Call]
Shortage = Mapping[AccountKey, Short]


class Room:
    """The balances as this settlement sees them."""

    def __init__(self, licences: Mapping[str, LicenceState]) -> None:
        self._licences = licences
        self._taken: dict[AccountKey, Decimal] = {}
        """What earlier groups of this run took from (or gave back to) each account."""

    def calls(self, group: Iterable[Member]) -> Calls:
        """What the group's changes ask of each account that limits them."""
        calls: Calls = {}
        for member in group:
            key, target, held = member.key, member.target, member.held
            licence = self._licences[key.licence_id]
            for dim, asked, has in ((Dim.QTY, target.quantity, held.quantity), (Dim.VAL, target.value, held.value)):
                if asked == has:
                    continue
                for line_no in lines_of(key.line_no):
                    if licence.limit(line_no, dim) is not None:
                        account_key = (key.licence_id, line_no, dim)
                        known = calls.get(account_key)
                        calls[account_key] = Call(known[0] + asked, known[1] + has) if known else Call(asked, has)
        return calls

    def short(self, calls: Calls) -> Shortage:
        """The accounts on which what is asked for does not fit."""
        return {
            account_key: Short(call.asked, free + call.held)
            for account_key, call in calls.items()
            if call.asked > call.held and call.asked - call.held > (free := self._available(account_key))
        }

    def take(self, member: Member, after: Figures) -> None:
        """Remember that the claim will hold `after`; what it held before is given back."""
        held, licence_id = member.held, member.key.licence_id
        for dim, change in ((Dim.QTY, after.quantity - held.quantity), (Dim.VAL, after.value - held.value)):
            if change:
                for line_no in lines_of(member.key.line_no):
                    account_key = (licence_id, line_no, dim)
                    self._taken[account_key] = self._taken.get(account_key, ZERO) + change

    def within_reach(self, member: Member, dim: Dim) -> Decimal:
        """The greatest figure the claim could have: what is free on every account, and what it holds."""
        free = [self._available((member.key.licence_id, no, dim)) for no, _ in self._limits(member, dim)]
        return min(free, default=ZERO) + (member.held.quantity if dim is Dim.QTY else member.held.value)

    def unit(self, member: Member, dim: Dim) -> str:
        """The unit or currency in which the claim is limited; empty where it is not."""
        return next((account.unit for _, account in self._limits(member, dim)), "")

    def _limits(self, member: Member, dim: Dim) -> list[tuple[int, Account]]:
        licence = self._licences[member.key.licence_id]
        lines = lines_of(member.key.line_no)
        return [(line_no, account) for line_no in lines if (account := licence.limit(line_no, dim)) is not None]

    def _available(self, account_key: AccountKey) -> Decimal:
        """Free at the start, less what was taken since.

        Of an account used beyond its cap nothing is free; but what the declaration itself gives back, it may use
        again: then as much is in use as before.
        """
        licence_id, line_no, dim = account_key
        account = self._licences[licence_id].accounts[line_no, dim]
        free = account.available - self._taken.get(account_key, ZERO)
        return max(free, ZERO)


def lines_of(line_no: int) -> tuple[int, ...]:
    """The accounts a claim on this line draws on: the whole licence's, and the line's."""
    return (0, line_no) if line_no else (0,)


def exceeded(member: Member, short: Shortage) -> tuple[Reason, ...]:
    """The reasons of a claim whose increase does not fit, with the figure that would have passed.

    Where several claims ask together, both figures are those of all of them.
    """
    if not short:
        return ()
    found: list[Reason] = []
    held = member.held
    for dim, code, about, asked, has in (
        (Dim.QTY, "QUANTITY_EXCEEDED", "quantity", member.target.quantity, held.quantity),
        (Dim.VAL, "VALUE_EXCEEDED", "amount", member.target.value, held.value),
    ):
        if asked <= has:
            continue
        keys = [(member.key.licence_id, line_no, dim) for line_no in lines_of(member.key.line_no)]
        tight = [short[account_key] for account_key in keys if account_key in short]
        if tight:
            least = min(tight, key=lambda one: one.available)
            found.append(Reason(code, about, format_decimal(least.asked), format_decimal(least.available)))
    return tuple(found)
