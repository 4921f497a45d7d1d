"""What the rules tables of IR 2024/2145 Annex I say of a licence: on one procedure, or on all of its table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from certex_bridge.licensing.domain import licence as licensing
from certex_bridge.singlewindow.messages.availability import AnnexOneVerdict
from certex_bridge.singlewindow.rules.domain.tables import Direction, RulesTable
from certex_bridge.singlewindow.rules.domain.verdict import Question
from certex_bridge.singlewindow.rules.loading import rule_book

DUAL_USE = "DUES"
"""The certificate type of dual-use licences."""


def verdicts(
    direction: licensing.Direction, status: str, day: date, procedures: Sequence[str] = (), previous: str = ""
) -> tuple[AnnexOneVerdict, ...]:
    """The verdict of the table in force on the day of acceptance.

    Args:
        direction: of the licence; its table is asked.
        status: the licence's on that day.
        day: of acceptance.
        procedures: D.E. 11 09 001, or 11 01 for transit; none: all that the table names.
        previous: D.E. 11 09 002.
    """
    return _verdicts(direction, status, day, tuple(procedures), previous)


@lru_cache(maxsize=4096)
def _verdicts(
    direction: licensing.Direction, status: str, day: date, procedures: tuple[str, ...], previous: str
) -> tuple[AnnexOneVerdict, ...]:
    side = Direction(direction.value)
    tables = [one for one in rule_book().tables if DUAL_USE in one.types and side in one.directions]
    table = next((one for one in tables if one.in_force(day)), None)
    if table is None:
        return ()
    known = dict.fromkeys((*table.verification, *table.quantity_management))
    return tuple([_verdict(table, status, one, previous, day) for one in procedures or known])


def _verdict(table: RulesTable, status: str, procedure: str, previous: str, day: date) -> AnnexOneVerdict:
    asked = Question(DUAL_USE, table.directions[0], procedure, status, previous_procedure=previous)
    found = rule_book().verdict(asked, day)
    return AnnexOneVerdict(
        table=table.name,
        version=table.version,
        procedure=procedure,
        allowed=found.allowed,
        quantity_management=found.quantity_management,
        note=found.notes,
    )
