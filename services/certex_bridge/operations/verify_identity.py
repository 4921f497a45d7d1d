"""Whether every declaration has certain content, or stands in the list of those that are undecided (ADR 0010)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from certex_bridge.ledger.adapters.codec import decode_anchor, decode_facts, decode_identity
from certex_bridge.ledger.adapters.rows import undecided_since
from certex_bridge.ledger.domain.lodgings import Anchor
from certex_bridge.ledger.domain.model import DeclarationState
from certex_bridge.ledger.domain.standing import declaration_state
from certex_bridge.ledger.instrument import is_linked
from certex_bridge.operations.verify_finding import UNREADABLE, Finding


class IdentityReader:
    """No declaration was accepted or released without content, or with that of a lodging that is not certain.

    Those whose content nobody can tell are listed as undecided, since then, and hold nothing. What the worker is about
    to look at again is left out: its lodging changed in the transaction that woke it.
    """

    def __init__(self) -> None:
        self._listed = Finding("undecided listed")
        self._certain = Finding("lodgings certain")

    def read(self, row: Mapping[str, Any]) -> None:
        """One declaration with the anchor of its LRN; facts that cannot be read are named by another check."""
        name = f"declaration {row['decl_id']}"
        try:
            facts = decode_facts(row["facts"])
        except UNREADABLE:
            return
        self._listed.examined += 1
        self._certain.examined += 1
        try:
            state = decode_identity(DeclarationState(row["decl_id"], facts=facts), row["identity"])
            anchor = _anchor(row)
        except UNREADABLE as error:
            self._certain.blame(f"{name}: {error}")
            return
        self._listed.blame(_of_the_list(name, state, row))
        if not row["woken"]:
            self._certain.blame(_of_the_lodging(name, state, anchor))

    def findings(self) -> list[Finding]:
        """The two checks."""
        return [self._listed, self._certain]


def _anchor(row: Mapping[str, Any]) -> Anchor | None:
    if row["marks"] is None:
        return None
    lrn = row["decl_id"]  # of no importance here: the row was found by it
    return decode_anchor(lrn, tuple(json.loads(row["exporters"])), row["marks"])


def _of_the_list(name: str, state: DeclarationState, row: Mapping[str, Any]) -> str:
    """What is wrong with its place in the list of undecided declarations; empty: nothing."""
    since, listed = undecided_since(state), row["undecided_since"]
    if since is not None and listed is None:
        standing = declaration_state(state.facts).lower().replace("_", " ")
        return f"{name} is {standing}, has no content and is not listed as undecided"
    if since is None and listed is not None:
        return f"{name} is listed as undecided and is not"
    if since != listed:
        return f"{name} is listed as undecided since {listed}, it is since {since}"
    if listed is not None and row["holds"] and not row["woken"] and not is_linked(state.facts):
        return f"{name} is undecided and holds quantities"
    return ""


def _of_the_lodging(name: str, state: DeclarationState, anchor: Anchor | None) -> str:
    """What is wrong with the lodging that it has its content from; empty: nothing, or it has its own."""
    if state.lodging is None:
        if state.own is not None:
            return f"{name} has the content of a lodging that is not named"
        return ""
    lodged = f"the lodging of {state.lodging.exporter}, event {state.lodging.event_id}"
    if anchor is None:
        return f"{name} was {lodged}: nothing is known of its LRN"
    if state.decl_id in anchor.mrns:
        certain = anchor.placements()[state.decl_id].lodging == state.lodging
    else:  # so old that it is not matched anew
        certain = all(mark.key != state.lodging for mark in anchor.lodgings)
    return "" if certain else f"{name} has the content of {lodged}, which is not certain"
