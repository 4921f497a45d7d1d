"""What follows from a licence's content in force: limits, status, and what the licence is found and listed by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from certex_bridge.ledger.adapters.codec import decode_licence
from certex_bridge.ledger.adapters.rows import TERM_SEPARATOR, index_row
from certex_bridge.ledger.domain.model import ZERO, Account, Dim, LicenceState, Status
from certex_bridge.licensing.domain.caps import line_caps
from certex_bridge.operations.verify_finding import UNREADABLE, Finding

_LISTED = (
    *("licence_id", "issuer", "number", "listed_version", "document_code", "direction", "listed_status"),
    *("valid_from", "listed_valid_to", "listed_holder"),
)
"""Columns of the query in the order of `index_row`."""


class LicenceReader:
    """Limits are those of the content in force, the status follows from it and from use, and so do derived columns."""

    def __init__(self) -> None:
        self._limits = Finding("limits = licence content")
        self._status = Finding("status = licence content")
        self._columns = Finding("columns = licence content")

    def read(self, row: Mapping[str, Any]) -> None:
        """One licence; one that is not known yet has no content, and content that cannot be read is told elsewhere."""
        for finding in (self._limits, self._status, self._columns):
            finding.examined += 1
        name = f"licence {row['licence_id']}"
        if row["snapshot"] is None:
            if row["version"] or row["accounts"] or row["issuer"] is not None:
                self._columns.blame(f"{name} has no content, and a version, a balance or a place in the list")
            return
        try:
            state = _state(row)
        except UNREADABLE:
            return
        self._limits.blame(_of_the_limits(name, state))
        if state.derived_status() is not state.status:
            self._status.blame(
                f"{name} is {state.status}; its content and its balances make it {state.derived_status()}"
            )
        self._columns.blame(_of_the_columns(name, state, row))

    def findings(self) -> list[Finding]:
        """The three checks."""
        return [self._limits, self._status, self._columns]


def _state(row: Mapping[str, Any]) -> LicenceState:
    accounts = [_account(*entry) for entry in json.loads(row["accounts"] or "[]")]
    return LicenceState(
        row["licence_id"],
        row["version"],
        licence=decode_licence(row["snapshot"]),
        status=Status(row["status"]),
        expired_version=row["expired_version"],
        accounts={(account.line_no, account.dim): account for account in accounts},
    )


def _account(line_no: int, dim: str, unit: str, *texts: str) -> Account:
    cap, reserved, consumed, replaced = texts
    return Account(line_no, Dim(dim), unit, Decimal(cap), Decimal(reserved), Decimal(consumed), replaced)


def _of_the_limits(name: str, state: LicenceState) -> str:
    assert state.licence is not None
    lawful = {(cap.line_no, Dim(cap.dim)): cap for cap in line_caps(state.licence)}
    for place in sorted({*lawful, *state.accounts}):
        about = f"{name} line {place[0]} {place[1]}"
        cap, account = lawful.get(place), state.accounts.get(place)
        if account is None:
            return f"{about}: the content has a limit, the ledger no balance"
        if account.cap != (cap.cap if cap else ZERO) or (cap is not None and account.unit != cap.unit):
            said = f"{cap.cap} {cap.unit}" if cap else "none"
            return f"{about}: the limit is {account.cap} {account.unit}; that of the content: {said}"
    return ""


def _of_the_columns(name: str, state: LicenceState, row: Mapping[str, Any]) -> str:
    licence = state.licence
    assert licence is not None
    if (row["valid_to"], row["holder"]) != (licence.valid_to, licence.holder.identification):
        return f"{name}: last day or holder is not that of its content"
    *listed, terms = index_row(state)
    if [row[column] for column in _LISTED] != listed or (row["terms"] or []) != _terms(str(terms)):
        return f"{name} is not listed by its content"
    return ""


def _terms(joined: str) -> list[str]:
    return joined.split(TERM_SEPARATOR) if joined else []
