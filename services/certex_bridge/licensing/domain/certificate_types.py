"""A live certificate type as data: its documents, licence types and statuses, and its rules tables.

What Annex I to Implementing Regulation (EU) 2024/2145 says of a formality is in its tables; what the bridge adds is in
a profile (which document codes cite a licence, which licence type each means, how the statuses of a licence are called
in the tables). Both become the values of this module, in which everything asked per claim is a look-up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.licensing.domain.documents import TRANSIT_TYPES
from certex_bridge.licensing.domain.licence import Direction

VALID, EXPIRED = "Valid", "Expired"
STATUSES = (VALID, "Cancelled", "Exhausted", EXPIRED, "Suspended", "Revoked")
"""The statuses that the bridge derives for a licence of any type; a profile gives each the word of its tables."""

NOT_YET_VALID = "Not yet valid"
"""Before the first day of validity; only some tables have a word for it."""

_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """A document code (D.E. 12 03 002) and the licence types that it can mean."""

    code: str
    licence_types: tuple[str, ...] = ()
    """None: the code cites a licence, and nobody published of which type."""
    direction: Direction = Direction.EXPORT
    """Of a licence of these types."""
    where_set: bool = False
    """Cites a licence only in declarations of the states for which the settings say so."""


@dataclass(frozen=True, slots=True)
class StatusRow:
    """A row of a rules table: the procedures that a licence in this status opens."""

    status: str
    procedures: tuple[str, ...] = ()
    reserved_while: str = ""
    """Status whose procedures are open as well when the quantity was reserved in it."""
    text: str = ""
    """That condition in the words of the law."""


@dataclass(frozen=True, slots=True)
class StatusTable:
    """A rules table, for one direction; in force from `first_day` to `last_day`, both included."""

    label: str
    """Name and version, for instance `dues-export.v1`."""
    direction: Direction
    first_day: date
    last_day: date | None
    verification: tuple[str, ...]
    """Procedures in printed order: first two digits of D.E. 11 09, or D.E. 11 01 for transit."""
    quantity_management: frozenset[str]
    rows: tuple[StatusRow, ...]


class TypeTable:
    """A rules table in the statuses of the bridge: each question is one look-up."""

    __slots__ = ("accepted", "closed", "kept", "managed", "table", "words")

    def __init__(self, table: StatusTable, words: Mapping[str, str]) -> None:
        rows = {row.status: row for row in table.rows}
        codes = frozenset(table.verification) | table.quantity_management
        nothing = StatusRow("")
        self.table = table
        self.words = words
        self.managed = table.quantity_management
        """Procedures with quantity management."""
        self.accepted = {status: rows.get(words[status], nothing).procedures for status in words}
        """By status: the procedures it opens, in printed order."""
        self.closed = {status: codes.difference(self.accepted[status]) for status in words}
        """By status: the procedures of the table that it does not open."""
        last = rows.get(words[EXPIRED], nothing)
        valid = rows.get(words[VALID], nothing)
        held = last.reserved_while and last.reserved_while == valid.status
        self.kept = frozenset(valid.procedures) if held else _NOTHING
        """Procedures that stay open after the last day for what was reserved while Valid."""

    def row(self, status: str) -> tuple[int, StatusRow] | None:
        """The row that speaks of a licence in this status (of the bridge), with its number from 1."""
        word = self.words.get(status)
        return next(((number, row) for number, row in enumerate(self.table.rows, 1) if row.status == word), None)


@dataclass(frozen=True)
class CertificateType:
    """One formality that is live here.

    Raises:
        ConfigurationError: a status of the bridge has no word, or there is no table.
    """

    name: str
    """As in the rules tables: DUES, ODS."""
    documents: tuple[DocumentKind, ...]
    statuses: Mapping[str, str]
    """From each of `STATUSES` (and `NOT_YET_VALID`, where the tables have it) to the word of the tables."""
    tables: tuple[StatusTable, ...]
    quantities: bool = True
    """Whether licences are written off at all."""
    references: bool = True
    """Whether an additional reference (D.E. 12 04) cites a licence like a supporting document (12 03) does."""
    issuer: str = ""
    """Who issues every licence of the type, where that is not a state."""
    cited_in: frozenset[str] = frozenset()
    """Countries in whose declarations a document code cites a licence of the type; none: wherever it is declared."""
    destinations: bool = True
    """Whether an export licence must name its destinations."""
    directions: Mapping[str, Direction] = field(init=False, compare=False)
    """Direction of each procedure that a table names."""
    versions: Mapping[Direction, tuple[TypeTable, ...]] = field(init=False, compare=False)
    """Tables of each direction, oldest first."""
    keeps: bool = field(init=False, compare=False)
    """Whether an expired licence can still be used for what was reserved while it was Valid."""

    def __post_init__(self) -> None:
        missing = [status for status in STATUSES if status not in self.statuses]
        if missing or not self.tables:
            raise ConfigurationError(
                f"certificate type {self.name} has no word for {', '.join(missing)}" if missing else "no rules table",
                field="statuses" if missing else "tables",
                value=self.name,
            )
        directions: dict[str, Direction] = {}
        versions: dict[Direction, list[TypeTable]] = {}
        for table in sorted(self.tables, key=lambda one: one.first_day):
            versions.setdefault(table.direction, []).append(TypeTable(table, self.statuses))
            for code in (*table.verification, *sorted(table.quantity_management)):
                directions[code] = table.direction
        object.__setattr__(self, "directions", MappingProxyType(directions))
        object.__setattr__(self, "versions", {direction: tuple(found) for direction, found in versions.items()})
        object.__setattr__(self, "keeps", any(table.kept for found in versions.values() for table in found))

    def table(self, direction: Direction, day: date) -> TypeTable:
        """The table in force on the day that counts (Regulation (EU) No 952/2013 Art. 172(2)).

        Before the first version, that one: declarations of the time before the tables can still be amended.

        Raises:
            KeyError: the direction has no table; those in `directions` have one.
        """
        versions = self.versions[direction]
        if len(versions) == 1:
            return versions[0]
        counting = [one for one in versions if one.table.first_day <= day]
        return counting[-1] if counting else versions[0]


class Asked(NamedTuple):
    """Which table a claim is judged by."""

    kind: CertificateType
    code: str
    """What the table is asked about."""
    direction: Direction | None
    """None: no table names it."""
    only: TypeTable | None
    """The table of that direction, where there is one version of it."""


_ASKED_MAX = 4096
"""Declarations ask few different questions; the bound is against senders who invent procedures."""


class CertificateTypes:
    """All certificate types that are live here; the first one is meant where nothing tells which.

    Raises:
        ConfigurationError: two types share a document code or a licence type.
    """

    def __init__(self, types: Iterable[CertificateType]) -> None:
        self.all: tuple[CertificateType, ...] = tuple(types)
        self.by_code: dict[str, CertificateType] = {}
        self.by_licence_type: dict[str, CertificateType] = {}
        self.meanings: dict[str, tuple[str, ...]] = {}
        """Licence types that a document code can mean; a code without any is left out."""
        self._kinds: dict[str, DocumentKind] = {}
        for one in self.all:
            for kind in one.documents:
                self._add(one, kind)
        self.claim_codes = self._codes(lambda _, kind: not kind.where_set)
        """Codes that cite a licence in every declaration."""
        self.document_only_codes = self._codes(lambda one, _: not one.references)
        """Codes that cite a licence in a supporting document (D.E. 12 03) and nowhere else."""
        self.issuers = {code: one.issuer for code, one in self.by_code.items() if one.issuer}
        """Issuer of what a code cites, where it is the same for every licence."""
        self.limited = {code: one.cited_in for code, one in self.by_code.items() if one.cited_in}
        """Countries whose declarations cite a licence by a code, where not all do."""

        self.asked = lru_cache(maxsize=_ASKED_MAX)(self._asked)
        """`(document code, licence type, procedure, declaration type)` to what is asked, see `_asked`."""

    def _asked(self, document_code: str, licence_type: str, procedure: str, declaration_type: str) -> Asked:
        kind = self.cited(document_code, licence_type)
        code = procedure_code(procedure, declaration_type)
        direction = kind.directions.get(code)
        versions = kind.versions[direction] if direction else ()
        return Asked(kind, code, direction, versions[0] if len(versions) == 1 else None)

    def _codes(self, chosen: Callable[[CertificateType, DocumentKind], bool]) -> frozenset[str]:
        return frozenset([kind.code for one in self.all for kind in one.documents if chosen(one, kind)])

    def _add(self, one: CertificateType, kind: DocumentKind) -> None:
        if self.by_code.setdefault(kind.code, one) is not one:
            raise ConfigurationError(
                "two certificate types have this document code", field="documents", value=kind.code
            )
        if kind.licence_types:
            self.meanings[kind.code] = self.meanings.get(kind.code, ()) + kind.licence_types
        for licence_type in kind.licence_types:
            if self.by_licence_type.setdefault(licence_type, one) is not one:
                raise ConfigurationError("two certificate types have this", field="licenceTypes", value=licence_type)
            self._kinds.setdefault(licence_type, kind)

    def cited(self, document_code: str, licence_type: str = "") -> CertificateType:
        """The certificate type of a licence, or of a document code while the licence is not known."""
        return self.by_licence_type.get(licence_type) or self.by_code.get(document_code) or self.all[0]

    def document_code(self, licence_type: str) -> str:
        """The code customs cite for a licence of this type, the first of several; empty for an unknown type."""
        kind = self._kinds.get(licence_type)
        return kind.code if kind else ""

    def direction(self, licence_type: str) -> Direction:
        """Direction of every licence of this type."""
        kind = self._kinds.get(licence_type)
        return kind.direction if kind else Direction.EXPORT


def procedure_code(procedure: str, declaration_type: str) -> str:
    """What a rules table is asked about: the declaration type in transit, else the requested procedure.

    Args:
        procedure: D.E. 11 09, four digits of which the first two are the requested one.
        declaration_type: D.E. 11 01.
    """
    return declaration_type if declaration_type in TRANSIT_TYPES else procedure[:2]
