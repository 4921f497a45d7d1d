"""A rules table of Implementing Regulation (EU) 2024/2145 Annex I, as printed.

Procedures are codes of D.E. 11 09 001 (two digits, the requested procedure) or of D.E. 11 01 (the transit declaration
types T to TIR). A blank cell of the law is an empty value here and sets no condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType


class Direction(StrEnum):
    """Which side of trade a table serves. Annex I prints it for dual-use only; else it follows from the codes."""

    IMPORT = "IMPORT"
    EXPORT = "EXPORT"
    TRANSIT = "TRANSIT"


Procedures = Mapping[str, str]
"""Codes in printed order, each with the mark of its footnote, or with an empty text."""

NO_PROCEDURES: Procedures = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PreviousProcedure:
    """A condition on D.E. 11 09 002: one of `required`, when there are any, and none of `excluded`."""

    text: str
    required: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()

    def holds(self, previous: str) -> bool:
        """Whether the declared previous procedure fulfils it; 00 and an empty text mean that there was none."""
        return previous not in self.excluded and (not self.required or previous in self.required)


@dataclass(frozen=True, slots=True)
class ReservedWhile:
    """Opens the procedures of the row `status` when the quantity was reserved while the document had that status."""

    text: str
    status: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what the document must show for the procedures to be open."""

    number: int
    """Its place in the table, from 1."""
    status: str
    procedures: Procedures
    type: str = ""
    """Empty: every type of the table."""
    decisions: tuple[str, ...] = ()
    """Several where one cell of the law holds alternatives."""
    measure: str = ""
    printed: str = ""
    """The cell of the status where it says more than the status itself."""
    previous: PreviousProcedure | None = None
    reserved: ReservedWhile | None = None

    def matches(self, document_type: str, status: str, decision: str, measure: str) -> bool:
        """Whether the row speaks of a document that shows these."""
        return (
            self.status == status
            and self.type in {"", document_type}
            and (not self.decisions or decision in self.decisions)
            and self.measure in {"", measure}
        )

    def overlaps(self, other: Row) -> bool:
        """Whether some document would match both rows."""
        return (
            self.status == other.status
            and (self.type == other.type or not self.type or not other.type)
            and (not self.decisions or not other.decisions or not set(self.decisions).isdisjoint(other.decisions))
            and (self.measure == other.measure or not self.measure or not other.measure)
        )


@dataclass(frozen=True, slots=True)
class Remark:
    """What a reader of the law must know about the table; about `procedures` only, where there are any."""

    text: str
    procedures: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Source:
    """Where the table was read: CELEX number, part of the annex, day of reading."""

    celex: str
    place: str
    read: date


@dataclass(frozen=True, slots=True)
class RulesTable:
    """One table with the two lists printed above it; in force from `valid_from` to `valid_to`, both included."""

    name: str
    version: int
    formality: str
    law: str
    types: tuple[str, ...]
    directions: tuple[Direction, ...]
    source: Source
    valid_from: date
    valid_to: date | None
    verification: Procedures
    quantity_management: Procedures
    rows: tuple[Row, ...]
    footnotes: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()

    @property
    def label(self) -> str:
        """Name and version, as rule identifiers carry them."""
        return f"{self.name}.v{self.version}"

    def in_force(self, day: date) -> bool:
        """Whether the table governs declarations accepted on the day (Reg. 952/2013 Art. 172(2))."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)
