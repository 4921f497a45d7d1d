"""The balance message: every account of a licence after one journal version, for the licensing side.

Canonical JSON (sorted keys, no blanks, amounts as text), built from templates: one is made per licence and
declaration event. `events.BalanceBody` is its contract.
"""

from __future__ import annotations

from json.encoder import encode_basestring as quoted
from typing import TYPE_CHECKING

from certex_bridge.kernel.canonical import content_id
from certex_bridge.ledger.domain.model import ZERO
from certex_bridge.licensing.domain.writeoff import PAPER
from certex_bridge.singlewindow.outcome_parts import figure

_DRAFT_DIGITS = 32

if TYPE_CHECKING:
    from collections.abc import Mapping

    from certex_bridge.ledger.domain.model import Account, LicenceState


def balance_body(state: LicenceState, cause: Mapping[str, str], at: str) -> bytes:
    """All balances of a licence as they stand at `state.lv`.

    `cause` names the event, the kind of movement and the declaration (empty for a licence event); `at` is the
    instant of the event in UTC, ISO text. Accounts are in the order of line and dimension.
    """
    issuer, number = licence_name(state)
    return (
        f'{{"accounts":{accounts_json(state)},"at":{quoted(at)},"cause":{{"declaration":{quoted(told_as(cause["declaration"]))},'
        f'"event":{quoted(cause["event"])},"kind":{quoted(cause["kind"])}}},"issuer":{quoted(issuer)},'
        f'"journalVersion":{state.lv},"licenceVersion":{state.version},"number":{quoted(number)},'
        f'"status":"{state.status.value}"}}'
    ).encode("utf-8", "replace")


def told_as(declaration: str) -> str:
    """A declaration as the licensing side is told it: a draft's name holds an exporter's number and is hashed."""
    if "/" not in declaration or declaration.startswith(PAPER):
        return declaration
    return f"draft:{content_id(declaration)[:_DRAFT_DIGITS]}"


def licence_name(state: LicenceState) -> tuple[str, str]:
    """Issuing state and number; the number as its authority writes it, once the licence is known."""
    licence = state.licence
    if licence is not None:
        return licence.issuer, licence.number
    issuer, _, number = state.licence_id.partition("/")
    return issuer, number


def accounts_json(state: LicenceState) -> str:
    """The accounts as a JSON array, sorted."""
    accounts = state.accounts
    if len(accounts) == 1:
        return f"[{_account(next(iter(accounts.values())))}]"
    return f"[{','.join([_account(accounts[key]) for key in sorted(accounts)])}]"


def _account(account: Account) -> str:
    cap, reserved, consumed = account.cap, account.reserved, account.consumed
    free = cap - reserved - consumed
    available, over = (free, ZERO) if free >= 0 else (ZERO, -free)
    return (
        f'{{"authorised":"{figure(cap)}","available":"{figure(available)}",'
        f'"consumed":"{figure(consumed)}","dimension":"{account.dim.value}","line":{account.line_no},'
        f'"over":"{figure(over)}","reserved":"{figure(reserved)}","unit":"{account.unit}"}}'
    )
