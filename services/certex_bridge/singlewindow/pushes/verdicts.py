"""What a document opens in each status: the tables of Implementing Regulation (EU) 2024/2145 Annex I, turned round."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from certex_bridge.singlewindow.rules.domain.verdict import RuleBook

DUAL_USE = "DUES"


class Opened(NamedTuple):
    """The newest table that speaks of the document, and the procedures it opens."""

    table: str
    procedures: tuple[str, ...]


class Verdicts:
    """Answers by certificate type, direction and status."""

    def __init__(self, book: RuleBook, type_of: Callable[[str], str] = lambda _code: DUAL_USE) -> None:
        self._book = book
        self._type_of = type_of
        """Certificate type by document code (D.E. 12 03 002)."""
        self.opened = lru_cache(maxsize=256)(self._opened)

    def _opened(self, document_code: str, direction: str, status: str) -> Opened:
        """Procedures in printed order; nothing for a status the table does not name."""
        kind = self._type_of(document_code)
        fitting = [table for table in self._book.tables if kind in table.types and direction in table.directions]
        if not fitting:
            return Opened("", ())
        table = max(fitting, key=lambda one: one.valid_from)
        rows = [row for row in table.rows if row.status == status and row.type in {"", kind}]
        return Opened(table.label, tuple(dict.fromkeys(code for row in rows for code in row.procedures)))
