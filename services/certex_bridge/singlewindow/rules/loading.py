"""The rules tables of schemas/rules as they lie in files, and the rule book made of them.

The JSON Schema of the files is made from the structures below, so that it cannot say anything else than the reader.
"""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.platform.jsongate import parse_json
from certex_bridge.platform.poison import Poison
from certex_bridge.platform.resources import resource_path
from certex_bridge.singlewindow.rules.domain import tables
from certex_bridge.singlewindow.rules.domain.verdict import RuleBook

SCHEMA_PATH = "schemas/rules/table.schema.json"

_CODE = r"[0-9]{2}|T|T1|T2|T2F|T2SM|TIR"
Code = Annotated[str, Meta(pattern=f"^({_CODE})$", description="code of D.E. 11 09 001 or 11 01")]
Printed = Annotated[str, Meta(pattern=rf"^({_CODE})\*?$", description="a code, with the mark of its footnote")]
PreviousCode = Annotated[str, Meta(pattern="^[0-9]{2}$", description="code of D.E. 11 09 002")]
Text = Annotated[str, Meta(min_length=1, max_length=1024)]
Count = Annotated[int, Meta(ge=1)]


class _Data(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """Camel case in files, nothing unknown."""


class PreviousProcedureData(_Data, frozen=True):
    """Condition on the previous procedure, with the words of the law."""

    text: Text
    required: tuple[PreviousCode, ...] = ()
    excluded: tuple[PreviousCode, ...] = ()


class ReservedWhileData(_Data, frozen=True):
    """The procedures of the row of `status` are open when the quantity was reserved in that status."""

    text: Text
    status: Text


class RowData(_Data, frozen=True):
    """A row; what it leaves out sets no condition. `printed` is the status cell where it says more than the status."""

    status: Text
    procedures: tuple[Printed, ...]
    type: Text | None = None
    printed: Text | None = None
    decisions: tuple[Text, ...] = ()
    measure: Text | None = None
    previous_procedure: PreviousProcedureData | None = None
    reserved_while: ReservedWhileData | None = None


class RemarkData(_Data, frozen=True):
    """A remark of ours, on the whole table or on some procedures."""

    text: Text
    procedures: tuple[Code, ...] = ()


class SourceData(_Data, frozen=True):
    """Where and when the table was read."""

    celex: Annotated[str, Meta(pattern="^3[0-9]{4}[A-Z][0-9]{4}$")]
    place: Text
    read: date


class TableData(_Data, frozen=True):
    """A rules table of Implementing Regulation (EU) 2024/2145 Annex I."""

    table: Annotated[str, Meta(pattern="^[a-z]+(-[a-z]+)*$")]
    version: Count
    formality: Text
    law: Text
    types: Annotated[tuple[Text, ...], Meta(min_length=1)]
    directions: Annotated[tuple[tables.Direction, ...], Meta(min_length=1)]
    source: SourceData
    valid_from: date
    verification: tuple[Printed, ...]
    quantity_management: tuple[Printed, ...]
    rows: Annotated[tuple[RowData, ...], Meta(min_length=1)]
    valid_to: date | None = None
    footnotes: dict[str, Text] = {}
    remarks: tuple[RemarkData, ...] = ()


@cache
def rule_book() -> RuleBook:
    """All tables of this installation; read once in a process.

    Raises:
        ConfigurationError: a file is missing, is not what its schema says, or the tables contradict each other.
    """
    return RuleBook(read_table(path) for path in sorted(resource_path("schemas", "rules").glob("*/v*.json")))


def read_table(path: Path) -> tables.RulesTable:
    """One file, which must lie where its name and version say: schemas/rules/<table>/v<version>.json.

    Raises:
        ConfigurationError: it is not what the schema says, or lies elsewhere.
    """
    place = f"{path.parent.name}/{path.name}"
    try:
        data = msgspec.convert(parse_json(path.read_bytes()), TableData)
    except (Poison, msgspec.ValidationError) as error:
        raise ConfigurationError(f"the rules table cannot be read: {error}", field=place) from error
    if place != f"{data.table}/v{data.version}.json":
        raise ConfigurationError("the file holds another table", field=place, value=f"{data.table} {data.version}")
    return _table(data)


def json_schema() -> str:
    """The JSON Schema of the files."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Rules table"}
    return json.dumps(head | msgspec.json.schema(TableData), indent=2, ensure_ascii=False) + "\n"


def _table(data: TableData) -> tables.RulesTable:
    return tables.RulesTable(
        name=data.table,
        version=data.version,
        formality=data.formality,
        law=data.law,
        types=data.types,
        directions=data.directions,
        source=tables.Source(data.source.celex, data.source.place, data.source.read),
        valid_from=data.valid_from,
        valid_to=data.valid_to,
        verification=_procedures(data.verification),
        quantity_management=_procedures(data.quantity_management),
        rows=tuple(_row(number, row) for number, row in enumerate(data.rows, 1)),
        footnotes=data.footnotes,
        remarks=tuple(tables.Remark(one.text, frozenset(one.procedures)) for one in data.remarks),
    )


def _row(number: int, data: RowData) -> tables.Row:
    reserved = data.reserved_while
    return tables.Row(
        number=number,
        status=data.status,
        procedures=_procedures(data.procedures),
        type=data.type or "",
        decisions=data.decisions,
        measure=data.measure or "",
        printed=data.printed or "",
        previous=_previous(data.previous_procedure) if data.previous_procedure else None,
        reserved=tables.ReservedWhile(reserved.text, reserved.status) if reserved else None,
    )


def _previous(data: PreviousProcedureData) -> tables.PreviousProcedure:
    return tables.PreviousProcedure(data.text, frozenset(data.required), frozenset(data.excluded))


def _procedures(printed: tuple[str, ...]) -> tables.Procedures:
    return {code.rstrip("*"): "*" if code.endswith("*") else "" for code in printed}
