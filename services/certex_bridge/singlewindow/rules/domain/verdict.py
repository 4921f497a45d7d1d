"""Whether a supporting document opens a procedure: Implementing Regulation (EU) 2024/2145 Art. 1(1) and Annex I."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from certex_bridge.kernel.errors import ConfigurationError, InputError
from certex_bridge.singlewindow.rules.domain.consistency import contradictions
from certex_bridge.singlewindow.rules.domain.tables import NO_PROCEDURES, Direction, Procedures, Row, RulesTable

_PROCEDURE = re.compile(r"[0-9]{2}|[A-Z][A-Z0-9]{0,4}")
_PREVIOUS = re.compile(r"([0-9]{2})?")
_KEPT_ANSWERS = 4096
"""Declarations ask few different questions; the bound is against senders who invent words."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a declaration cites, and what its supporting document shows; empty where there is nothing to show.

    `procedure` is D.E. 11 09 001, or D.E. 11 01 for transit; `previous_procedure` is D.E. 11 09 002. `reserved_while`
    is the status the document had when the quantity was reserved. For a COI, `status` is the state of box 23.
    """

    type: str
    direction: Direction
    procedure: str
    status: str
    decision: str = ""
    measure: str = ""
    previous_procedure: str = ""
    reserved_while: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the table says. Not applicable never means refused: the formality has nothing to say on the procedure."""

    applicable: bool
    """The table names the procedure at all."""
    verification: bool
    """The procedure stands in the verification list."""
    quantity_management: bool
    """The procedure stands in the quantity management list."""
    allowed: bool
    """What the document shows opens the procedure."""
    rule: str = ""
    """Table, version and number of the row that decided, for instance ods-export.v1/3; empty when no row speaks."""
    notes: tuple[str, ...] = ()
    """Condition, footnote and remark that concern the procedure: for people, and to be kept with the decision."""


NOT_APPLICABLE = Verdict(applicable=False, verification=False, quantity_management=False, allowed=False)


class _Indexed:
    """A table with what a question looks up."""

    def __init__(self, table: RulesTable) -> None:
        self.table = table
        self.known = frozenset(table.verification) | frozenset(table.quantity_management)
        self.known = self.known.union(*(row.procedures for row in table.rows))
        self.rows: dict[str, list[Row]] = {}
        for row in table.rows:
            self.rows.setdefault(row.status, []).append(row)

    def row(self, asked: Question, status: str) -> Row | None:
        """The only row for what the document shows, were it in this status."""
        rows = self.rows.get(status, ())
        return next((row for row in rows if row.matches(asked.type, status, asked.decision, asked.measure)), None)

    def opened(self, row: Row, asked: Question) -> Procedures:
        """The procedures of the row, or those of the status in which the quantity was reserved."""
        if row.reserved is None or asked.reserved_while != row.reserved.status:
            return row.procedures
        then = self.row(asked, row.reserved.status)
        return then.procedures if then else NO_PROCEDURES

    def notes(self, row: Row | None, opened: Procedures, asked: Question) -> Iterable[str]:
        if row and row.reserved:
            yield row.reserved.text
        if row and row.previous and asked.procedure in opened and not row.previous.holds(asked.previous_procedure):
            yield row.previous.text
        mark = opened.get(asked.procedure) or self.table.verification.get(asked.procedure)
        if mark:
            yield self.table.footnotes[mark]
        yield from (remark.text for remark in self.table.remarks if asked.procedure in remark.procedures)


class RuleBook:
    """All rules tables, ready to be asked.

    Raises:
        ConfigurationError: the tables contradict themselves or each other.
    """

    def __init__(self, tables: Iterable[RulesTable]) -> None:
        self.tables = tuple(sorted(tables, key=lambda table: (table.name, table.version)))
        if faults := contradictions(self.tables):
            raise ConfigurationError("; ".join(faults), field="rules", value=faults[0].split(":", maxsplit=1)[0])
        self._types = frozenset(one for table in self.tables for one in table.types)
        self._indexed: dict[tuple[str, Direction], list[_Indexed]] = {}
        for table in sorted(self.tables, key=lambda one: one.valid_from, reverse=True):
            indexed = _Indexed(table)
            for key in ((one, direction) for one in table.types for direction in table.directions):
                self._indexed.setdefault(key, []).append(indexed)
        self._answer = lru_cache(maxsize=_KEPT_ANSWERS)(self._judge)

    def verdict(self, asked: Question, accepted_on: date | None = None) -> Verdict:
        """The answer of the table in force on the day of acceptance, or of the newest one when no day is given.

        Raises:
            InputError: CERTIFICATE_TYPE (no table knows it), PROCEDURE (neither two digits nor a declaration type; four
                digits must be split) or PREVIOUS_PROCEDURE (not two digits).
        """
        return self._answer(asked, accepted_on)

    def _judge(self, asked: Question, accepted_on: date | None) -> Verdict:
        self._check(asked)
        tables = self._indexed.get((asked.type, asked.direction), ())
        found = next((one for one in tables if accepted_on is None or one.table.in_force(accepted_on)), None)
        if found is None or asked.procedure not in found.known:
            return NOT_APPLICABLE
        row = found.row(asked, asked.status)
        opened = found.opened(row, asked) if row else NO_PROCEDURES
        fits = row is not None and (row.previous is None or row.previous.holds(asked.previous_procedure))
        return Verdict(
            applicable=True,
            verification=asked.procedure in found.table.verification,
            quantity_management=asked.procedure in found.table.quantity_management,
            allowed=fits and asked.procedure in opened,
            rule=f"{found.table.label}/{row.number}" if row else "",
            notes=tuple(found.notes(row, opened, asked)),
        )

    def _check(self, asked: Question) -> None:
        if asked.type not in self._types:
            raise InputError(
                "no rules table is for this certificate type", field="type", value=asked.type, code="CERTIFICATE_TYPE"
            )
        if not _PROCEDURE.fullmatch(asked.procedure):
            raise InputError(
                "a procedure is two digits or a declaration type",
                field="procedure",
                value=asked.procedure,
                code="PROCEDURE",
            )
        if not _PREVIOUS.fullmatch(asked.previous_procedure):
            raise InputError(
                "a previous procedure is two digits",
                field="previousProcedure",
                value=asked.previous_procedure,
                code="PREVIOUS_PROCEDURE",
            )
