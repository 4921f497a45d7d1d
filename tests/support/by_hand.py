"""What persons decide, as events: an officer of customs overrides, a licensing officer captures a write-off."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from certex_bridge.ledger.domain.facts import (
    ALL_DOCUMENTS,
    ALL_ITEMS,
    Decision,
    DeclarationCommand,
    EventKind,
    Facts,
    Override,
    Stamp,
)
from certex_bridge.licensing.domain.writeoff import Evidence
from tests.support.ledger_words import figures

if TYPE_CHECKING:
    from tests.support.scenario import Scenario

OFFICER, REASON = "BE-OFFICER-7", "The consignee's need is proven"
PAPER_FORM = Evidence("C651", "LIC-FORM-17", "2026-02-20", "BE")

Places = dict[tuple[int, int], str]
"""(item, document) to the figures of AMEND; no places: the whole declaration."""


def overrides(stamp: Stamp, decision: Decision, places: Places | None = None, officer: str = OFFICER) -> Facts:
    """The facts of one decision."""
    told = []
    for (item, seq), text in sorted((places or {(ALL_ITEMS, ALL_DOCUMENTS): ""}).items()):
        quantity, value = figures(text)
        told.append(Override(item, seq, stamp, decision, officer, REASON, PAPER_FORM, quantity, value))
    return Facts(overrides=tuple(told))


def overridden(
    s: Scenario,
    name: str,
    decision: str = "ACCEPT",
    places: Places | None = None,
    *,
    at: str = "",
    waits: bool = False,
    officer: str = OFFICER,
) -> DeclarationCommand:
    """An officer decides on a declaration."""
    stamp = s.customs.stamp(at)
    facts = overrides(stamp, Decision(decision), places, officer)
    command = s.customs.event(name, EventKind.OVERRIDDEN, facts, stamp)
    return replace(command, extensions=(("answer", "always"),)) if waits else command
