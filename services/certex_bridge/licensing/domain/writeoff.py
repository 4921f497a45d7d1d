"""A write-off that was made outside the bridge: on paper, on an ATA carnet, under contingency, or corrected since.

The form of Regulation (EU) 2021/821 Annex III A has a block for it (boxes 23 to 26): remaining, deducted, and in box
26 the customs document, its number and its date, with the member state. Those name the write-off here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.kernel.canonical import content_id

PAPER = "paper/"
"""Beginning of the identity of a captured write-off; no exporter's number begins like this."""

_DIGITS = 40
"""Hexadecimal digits of the identity; 160 bits meet nobody by chance."""


class WriteOffSource(StrEnum):
    """Where a captured figure comes from."""

    PAPER = "paper"
    CONTINGENCY = "contingency"
    ATA = "ata"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The document that proves a figure: kind, number and date, as box 26 of the form asks for them."""

    type: str
    number: str
    date: str
    """Calendar day, ISO text."""
    member_state: str = ""

    @property
    def write_off_id(self) -> str:
        """Identity of the write-off that this document proves: whoever captures it again means the same one."""
        parts = (self.type.casefold(), self.number.casefold(), self.date, self.member_state)
        return PAPER + content_id("write-off", *parts)[:_DIGITS]

    def document(self) -> dict[str, str]:
        """As it stands in journal entries."""
        told = {"type": self.type, "number": self.number, "date": self.date, "memberState": self.member_state}
        return {name: text for name, text in told.items() if text}


@dataclass(frozen=True, slots=True)
class WriteOffLine:
    """What was written off one licence line in total; None where a dimension was not written off."""

    line_no: int | None
    """None: the only line of the licence."""
    quantity: Quantity | None
    value: Money | None


@dataclass(frozen=True, slots=True)
class WriteOff:
    """One captured write-off of one licence; a later one on the same evidence states the new totals."""

    licence_id: str
    source: WriteOffSource
    officer: str
    reason: str
    evidence: Evidence
    lines: tuple[WriteOffLine, ...]
    """Each line once; a line that is not named any more was not written off."""
