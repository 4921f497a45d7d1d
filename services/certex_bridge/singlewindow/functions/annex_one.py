"""What the rules tables of IR 2024/2145 Annex I say of a licence: on one procedure, or on all of its table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache, lru_cache

from certex_bridge.licensing.domain import licence as licensing
from certex_bridge.licensing.domain.certificate_types import CertificateTypes
from certex_bridge.singlewindow.messages.availability import AnnexOneVerdict
from certex_bridge.singlewindow.rules.domain.tables import Direction, RulesTable
from certex_bridge.singlewindow.rules.domain.verdict import Question
from certex_bridge.singlewindow.rules.loading import rule_book
from certex_bridge.singlewindow.rules.profiles import certificate_types


@cache
def _types() -> CertificateTypes:
    """Every type that has a profile: what a licence is does not depend on which types are live here."""
    return certificate_types((), {})


def verdicts(
    licence: licensing.Licence, status: str, day: date, procedures: Sequence[str] = (), previous: str = ""
) -> tuple[AnnexOneVerdict, ...]:
    """The verdict of the table in force on the day of acceptance.

    Args:
        licence: the table of its certificate type and direction is asked.
        status: the licence's on that day, in the bridge's words.
        day: of acceptance.
        procedures: D.E. 11 09 001, or 11 01 for transit; none: all that the table names.
        previous: D.E. 11 09 002.
    """
    kind = _types().cited(licence.document_code, licence.type)
    side, word = Direction(licence.direction.value), kind.statuses.get(status, status)
    return _verdicts(kind.name, side, word, day, tuple(procedures), previous)


@lru_cache(maxsize=4096)
def _verdicts(
    kind: str, side: Direction, status: str, day: date, procedures: tuple[str, ...], previous: str
) -> tuple[AnnexOneVerdict, ...]:
    tables = [one for one in rule_book().tables if kind in one.types and side in one.directions]
    table = next((one for one in tables if one.in_force(day)), None)
    if table is None:
        return ()
    known = dict.fromkeys((*table.verification, *table.quantity_management))
    asked = [Question(kind, side, one, status, previous_procedure=previous) for one in procedures or known]
    return tuple([_verdict(table, one, day) for one in asked])


def _verdict(table: RulesTable, asked: Question, day: date) -> AnnexOneVerdict:
    found = rule_book().verdict(asked, day)
    return AnnexOneVerdict(
        table=table.name,
        version=table.version,
        procedure=asked.procedure,
        allowed=found.allowed,
        quantity_management=found.quantity_management,
        note=found.notes,
    )
