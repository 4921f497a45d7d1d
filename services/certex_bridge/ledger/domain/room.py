"""What is still available while a declaration is settled: the locked accounts, less what this run has taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.ledger.domain.members import Member
from certex_bridge.ledger.domain.model import ZERO, Dim, Figures, LicenceState
from certex_bridge.ledger.domain.reasons import Reason

AccountKey = tuple[str, int, Dim]
"""(licence, line, dimension); line 0 is the whole licence."""


class Room:
    """The balances as this settlement sees them."""

    def __init__(self, licences: Mapping[str, LicenceState]) -> None:
        self._licences = licences
        self._taken: dict[AccountKey, Decimal] = {}
        """What earlier groups of this run took from (or gave back to) each account."""

    def short(self, group: Iterable[Member]) -> dict[AccountKey, Decimal]:
        """Accounts on which the group's increases together do not fit, with what is available."""
        wanted: dict[AccountKey, Decimal] = {}
        for member in group:
            for account_key, increase in self._increases(member):
                wanted[account_key] = wanted.get(account_key, ZERO) + increase
        short: dict[AccountKey, Decimal] = {}
        for account_key, increase in wanted.items():
            if increase > 0 and increase > (available := self._available(account_key)):
                short[account_key] = available
        return short

    def fits(self, member: Member) -> bool:
        """Whether this claim alone can have what it asks for."""
        asked = [(account_key, increase) for account_key, increase in self._increases(member) if increase > 0]
        return all(increase <= self._available(account_key) for account_key, increase in asked)

    def take(self, member: Member, after: Figures) -> None:
        """Remember that the claim will hold `after`; what it held before is given back."""
        held, licence_id = member.held, member.key.licence_id
        for dim, change in ((Dim.QTY, after.quantity - held.quantity), (Dim.VAL, after.value - held.value)):
            if change:
                for line_no in lines_of(member.key.line_no):
                    account_key = (licence_id, line_no, dim)
                    self._taken[account_key] = self._taken.get(account_key, ZERO) + change

    def _increases(self, member: Member) -> Iterable[tuple[AccountKey, Decimal]]:
        held, licence_id = member.held, member.key.licence_id
        licence = self._licences[licence_id]
        for dim, increase in (
            (Dim.QTY, member.target.quantity - held.quantity),
            (Dim.VAL, member.target.value - held.value),
        ):
            if increase == 0:
                continue
            for line_no in lines_of(member.key.line_no):
                if licence.limit(line_no, dim) is not None:
                    yield (licence_id, line_no, dim), increase

    def _available(self, account_key: AccountKey) -> Decimal:
        licence_id, line_no, dim = account_key
        account = self._licences[licence_id].accounts[line_no, dim]
        free = account.cap - account.reserved - account.consumed - self._taken.get(account_key, ZERO)
        return max(free, ZERO)


def lines_of(line_no: int) -> tuple[int, ...]:
    """The accounts a claim on this line draws on: the whole licence's, and the line's."""
    return (0, line_no) if line_no else (0,)


def exceeded(member: Member, short: Mapping[AccountKey, Decimal]) -> tuple[Reason, ...]:
    """The reasons of a claim whose increase does not fit, with the figure that would have passed."""
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
        free = [short[account_key] for account_key in keys if account_key in short]
        if free:
            found.append(Reason(code, about, format_decimal(asked), format_decimal(min(free) + has)))
    return tuple(found)
