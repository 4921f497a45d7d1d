"""Contradictions inside the rules tables: no answer may depend on which of two rows or tables is found first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import combinations

from certex_bridge.singlewindow.rules.domain.tables import RulesTable


def contradictions(tables: Sequence[RulesTable]) -> list[str]:
    """A sentence for each contradiction; none for sound data."""
    return [fault for table in tables for fault in _inside(table)] + list(_between(tables))


def _inside(table: RulesTable) -> Iterator[str]:
    for row in table.rows:
        place = f"{table.label}/{row.number}"
        if row.type and row.type not in table.types:
            yield f"{place}: {row.type} is not a type of the table"
        if row.reserved and not any(one.status == row.reserved.status and not one.reserved for one in table.rows):
            yield f"{place}: no row has the status {row.reserved.status}"
    for one, other in combinations(table.rows, 2):
        if one.overlaps(other):
            yield f"{table.label}/{one.number}: the same document matches row {other.number}"
    lists = (table.verification, table.quantity_management, *(row.procedures for row in table.rows))
    for mark in sorted({mark for one in lists for mark in one.values() if mark} - table.footnotes.keys()):
        yield f"{table.label}: no footnote {mark}"


def _between(tables: Sequence[RulesTable]) -> Iterator[str]:
    for one, other in combinations(tables, 2):
        shared = set(one.types) & set(other.types) and set(one.directions) & set(other.directions)
        if shared and one.valid_from <= (other.valid_to or date.max) and other.valid_from <= (one.valid_to or date.max):
            yield f"{one.label} and {other.label} are in force for the same documents at the same time"
