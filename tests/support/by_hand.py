"""What persons decide, as events: an officer of customs overrides, a licensing officer captures a write-off."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from certex_bridge.kernel.amounts import Quantity
from certex_bridge.ledger.domain.facts import (
    ALL_DOCUMENTS,
    ALL_ITEMS,
    Decision,
    DeclarationCommand,
    EventKind,
    Facts,
    Override,
)
from certex_bridge.ledger.domain.stamps import Stamp
from certex_bridge.licensing.domain.commands import LicenceCommand, LicenceEventKind
from certex_bridge.licensing.domain.writeoff import Evidence, WriteOff, WriteOffLine, WriteOffSource
from tests.support.ledger_words import figures, licence_id

if TYPE_CHECKING:
    from datetime import datetime

    from certex_bridge.kernel.amounts import Money
    from certex_bridge.kernel.errors import Finding
    from tests.support.ledger_words import Authority, Customs

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
    customs: Customs,
    name: str,
    decision: str = "ACCEPT",
    places: Places | None = None,
    *,
    at: str = "",
    waits: bool = False,
    officer: str = OFFICER,
) -> DeclarationCommand:
    """An officer decides on a declaration."""
    stamp = customs.stamp(at)
    facts = overrides(stamp, Decision(decision), places, officer)
    command = customs.event(name, EventKind.OVERRIDDEN, facts, stamp)
    return replace(command, extensions=(("answer", "always"),)) if waits else command


def write_off(
    name: str,
    lines: dict[int | None, str],
    evidence: Evidence = PAPER_FORM,
    source: WriteOffSource = WriteOffSource.PAPER,
) -> WriteOff:
    """What a licensing officer reads off a form: line to total."""
    told = tuple(WriteOffLine(line_no, *_totals(text)) for line_no, text in lines.items())
    return WriteOff(licence_id(name), source, "BE-LIC-2", "The form came back from customs", evidence, told)


def _totals(text: str) -> tuple[Quantity | None, Money | None]:
    amount, _, unit = text.partition(" ")
    return (Quantity(Decimal(0), unit), None) if amount == "0" else figures(text)


def captured(
    authority: Authority, told: WriteOff, *, at: datetime | None = None, findings: tuple[Finding, ...] = ()
) -> LicenceCommand:
    """A write-off made outside the bridge is told."""
    made = authority.event(None, LicenceEventKind.WRITE_OFF_CAPTURED, findings=findings)
    content = hashlib.sha256(repr(told).encode()).hexdigest()
    when = at or made.occurred_at
    return replace(made, occurred_at=when, payload_sha256=content, licence_id=told.licence_id, write_off=told)
