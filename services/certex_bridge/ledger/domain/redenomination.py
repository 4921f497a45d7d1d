"""A licence in a currency that the euro replaced: by law its amounts are amounts in euro.

References to a replaced currency are read as references to the euro at the legal rate (Regulation (EC) No 974/98
Art. 14), each amount rounded to the nearest cent (Regulation (EC) No 1103/97 Art. 4 and 5; for the lev Regulation (EU)
2025/1408). A version that states the limits in euro restates what is in use with them, claim by claim: each claim is an
amount of its own, and what a balance says is the sum of its claims (invariant I2). Where that sum differs by some cents
from the old balance converted as one, the licensing side is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.kernel.currencies import EURO, REPLACED, in_euro, is_replaced
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.journal import Entry, Restated
from certex_bridge.ledger.domain.model import WHOLE_LICENCE, Account, Claim, Dim, Figures, LicenceState
from certex_bridge.licensing.domain.caps import line_caps
from certex_bridge.licensing.domain.licence import Licence

Plan = Mapping[tuple[int, Dim], str]
"""Accounts to be restated in euro, each with the currency it is kept in."""


def redenomination(state: LicenceState, licence: Licence, day: date) -> Plan:
    """What a new version restates: all accounts in a replaced currency, if no limit is left in that currency.

    Args:
        state: the licence as it stands.
        licence: the new version.
        day: of the act; before the euro replaced the currency nothing is restated.
    """
    caps = {cap.line_no: cap.unit for cap in line_caps(licence) if cap.dim == Dim.VAL}
    if EURO not in caps.values():
        return {}
    left = set(caps.values())
    return {
        key: account.unit
        for key, account in state.accounts.items()
        if key[1] is Dim.VAL and account.unit not in left and is_replaced(account.unit, day)
    }


def restates(licence: Licence) -> bool:
    """Whether this version can restate a former one: it limits value in euro."""
    return licence.version > 1 and any(cap.unit == EURO for cap in line_caps(licence))


def in_replaced(licence: Licence) -> bool:
    """Whether a licence limits value in a currency that the euro replaced."""
    return any(cap.unit in REPLACED for cap in line_caps(licence))


def restate(entry: Entry, plan: Plan, claims: Iterable[Claim]) -> tuple[list[Claim], list[Finding]]:
    """Restate the accounts and what claims hold of them; the claims as they are from now on, and what is to be told.

    Args:
        entry: of the event.
        plan: see `redenomination`.
        claims: all claims on the licence that have a value.
    """
    pairs = [(claim, _restated(claim, currency)) for claim in claims if (currency := _currency(claim, plan))]
    findings = []
    for (line_no, dim), currency in plan.items():
        account = entry.state.accounts[line_no, dim]
        held: list[Restated] = [
            (str(old.key), old, new) for old, new in pairs if old.holds and line_no in (WHOLE_LICENCE, old.key.line_no)
        ]
        held.sort(key=lambda one: one[0])
        before = account.reserved + account.consumed
        detail = f"{currency}/{EURO} {REPLACED[currency].rate}"
        entry.restate(account, EURO, in_euro(account.cap, currency), held, detail)
        if before:
            findings.append(_told(account, currency, before))
    return [new for _, new in pairs], findings


def _currency(claim: Claim, plan: Plan) -> str:
    return plan.get((claim.key.line_no, Dim.VAL)) or plan.get((WHOLE_LICENCE, Dim.VAL)) or ""


def _restated(claim: Claim, currency: str) -> Claim:
    """Each figure converted; what is uncovered is the rest of the whole, as it was."""
    held = claim.reserved.value + claim.consumed.value
    covered, whole = in_euro(held, currency), in_euro(held + claim.uncovered.value, currency)
    return replace(
        claim,
        requested=_euro(claim.requested, currency),
        reserved=_euro(claim.reserved, currency),
        consumed=_euro(claim.consumed, currency),
        uncovered=Figures(claim.uncovered.quantity, whole - covered),
    )


def _euro(figures: Figures, currency: str) -> Figures:
    return Figures(figures.quantity, in_euro(figures.value, currency))


def _told(account: Account, currency: str, before: Decimal) -> Finding:
    now, as_one = account.reserved + account.consumed, in_euro(before, currency)
    rate = f"at {REPLACED[currency].rate} {currency} to the {EURO}"
    message = f"What is in use is restated, each claim {rate}."
    if now != as_one:
        message += f" Converted as one amount it would be {format_decimal(as_one)}."
    value = f"{format_decimal(before)} {currency} = {format_decimal(now)} {EURO}"
    return Finding("REDENOMINATED", f"lines[{account.line_no}].{account.dim}", value, message, Severity.WARNING)
