"""The profiles of live certificate types: schemas/rules/profiles/<type>.json, joined with the rules tables they name.

A profile is what Annex I does not say: document codes, licence types, where a reference may live, the bridge's
statuses in the words of the tables. A further certificate type is a further file.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from certex_bridge.kernel.countries import MEMBER_STATES
from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.licensing.domain.certificate_types import (
    CertificateType,
    CertificateTypes,
    DocumentKind,
    StatusRow,
    StatusTable,
)
from certex_bridge.licensing.domain.documents import DOCUMENT_CODE_PATTERN
from certex_bridge.licensing.domain.licence import Direction
from certex_bridge.platform.jsongate import parse_json
from certex_bridge.platform.poison import Poison
from certex_bridge.platform.resources import resource_path
from certex_bridge.singlewindow.rules.domain import tables
from certex_bridge.singlewindow.rules.loading import Text, rule_book

SCHEMA_PATH = "schemas/rules/profiles/profile.schema.json"
ALWAYS = "DUES"
"""Live in every installation: national document codes belong to it."""

Code = Annotated[str, Meta(pattern=f"^({DOCUMENT_CODE_PATTERN})$", description="D.E. 12 03 002")]
LicenceTypeName = Annotated[str, Meta(pattern="^[A-Z][A-Z0-9_]{1,34}$")]
DirectionName = Annotated[Direction, Meta(description="which table a licence of these types is judged by")]


class _Data(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """Camel case in files, nothing unknown."""


class DocumentData(_Data, frozen=True):
    """A document code. `whereSet`: it cites a licence only where the settings say so of a state."""

    code: Code
    licence_types: tuple[LicenceTypeName, ...]
    text: Text
    direction: DirectionName = Direction.EXPORT
    where_set: bool = False


class SourceData(_Data, frozen=True):
    """Where and when something was read that the Regulation does not say."""

    what: Text
    place: Text
    read: date


class ProfileData(_Data, frozen=True):
    """A live certificate type."""

    type: Annotated[str, Meta(pattern="^[A-Z]+(-[A-Z]+)*$", description="as in the rules tables")]
    tables: Annotated[tuple[Text, ...], Meta(min_length=1, description="rules tables in use, every version of them")]
    documents: Annotated[tuple[DocumentData, ...], Meta(min_length=1)]
    statuses: Annotated[dict[str, Text], Meta(description="from the bridge's status to the word of the tables")]
    reference_in: Annotated[
        tuple[Literal["12 03", "12 04"], ...], Meta(min_length=1, description="data groups that can cite a licence")
    ]
    quantities: Annotated[bool, Meta(description="whether licences are written off")]
    sources: tuple[SourceData, ...]
    issuer: Annotated[str, Meta(pattern="^[A-Z]{2}$", description="who issues every licence of the type")] | None = None
    destinations_required: bool = True
    cited_in: Annotated[
        tuple[Annotated[str, Meta(pattern="^[A-Z]{2}$")], ...],
        Meta(
            description="countries whose declarations cite a licence by these codes; EU: every member state; none: all"
        ),
    ] = ()


def certificate_types(
    live: Collection[str] = (),
    further_codes: Mapping[str, Iterable[str]] | None = None,
    folder: Path | None = None,
) -> CertificateTypes:
    """The certificate types of this installation, dual-use first.

    Args:
        live: names of those that are live; none named means every one with a profile. Dual-use always is.
        further_codes: licence type to document codes that cite it beside those of its profile.
        folder: where the profiles lie, if not with the package.

    Raises:
        ConfigurationError: a file is not what its schema says, names a table that is not there, or contradicts
            another; a setting names what no profile has.
    """
    paths = sorted((folder or resource_path("schemas", "rules", "profiles")).glob("[a-z]*.json"))
    found = [read_profile(path) for path in paths if not path.name.endswith(".schema.json")]
    known = {one.name: one for one in found}
    for name in sorted({*live, ALWAYS} - known.keys()):
        raise ConfigurationError("no profile of this certificate type", field="certificate_types", value=name)
    further = {licence_type: tuple(codes) for licence_type, codes in (further_codes or {}).items()}
    chosen = [one for one in found if not live or one.name in live or one.name == ALWAYS]
    chosen.sort(key=lambda one: one.name != ALWAYS)
    types = CertificateTypes(_with_codes(one, further) for one in chosen)
    for licence_type in sorted(further.keys() - types.by_licence_type.keys()):
        raise ConfigurationError("no such licence type", field="further_document_codes", value=licence_type)
    return types


def read_profile(path: Path) -> CertificateType:
    """One file, which must be called as its type in small letters.

    Raises:
        ConfigurationError: it is not what the schema says, or names what the rules tables do not have.
    """
    data = _read(path)
    if path.name != f"{data.type.lower()}.json":
        raise ConfigurationError("the file holds another profile", field=path.name, value=data.type)
    found = [table for table in rule_book().tables if table.name in data.tables and data.type in table.types]
    for name in data.tables:
        if name not in {table.name for table in found}:
            raise ConfigurationError("no such rules table for this type", field=path.name, value=name)
    words = {row.status for table in found for row in table.rows}
    for word in sorted(set(data.statuses.values()) - words):
        raise ConfigurationError("no rules table has this status", field=path.name, value=word)
    return CertificateType(
        name=data.type,
        documents=tuple(
            DocumentKind(one.code, one.licence_types, one.direction, one.where_set) for one in data.documents
        ),
        statuses=data.statuses,
        tables=tuple(judged for table in found for judged in _tables(table)),
        quantities=data.quantities,
        references="12 04" in data.reference_in,
        issuer=data.issuer or "",
        destinations=data.destinations_required,
        cited_in=_countries(data.cited_in),
    )


def read_data(name: str) -> ProfileData:
    """The file of a certificate type as it is written.

    Raises:
        ConfigurationError: it is not what the schema says.
    """
    return _read(resource_path("schemas", "rules", "profiles", f"{name.lower()}.json"))


def _countries(codes: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*[MEMBER_STATES if code == "EU" else {code} for code in codes])


def _read(path: Path) -> ProfileData:
    try:
        return msgspec.convert(parse_json(path.read_bytes()), ProfileData)
    except (Poison, msgspec.ValidationError) as error:
        raise ConfigurationError(f"the profile cannot be read: {error}", field=path.name) from error


def _tables(table: tables.RulesTable) -> Iterable[StatusTable]:
    """The table for each direction that licences can have, with the procedures of that direction."""
    for direction in (Direction(one.value) for one in table.directions if one.value in Direction.__members__):
        yield StatusTable(
            label=table.label,
            direction=direction,
            first_day=table.valid_from,
            last_day=table.valid_to,
            verification=_of(direction, table.verification),
            quantity_management=frozenset(_of(direction, table.quantity_management)),
            rows=tuple(_row(direction, row) for row in table.rows),
        )


def _row(direction: Direction, row: tables.Row) -> StatusRow:
    held = row.reserved
    opened = _of(direction, row.procedures)
    return StatusRow(row.status, opened, held.status if held else "", held.text if held else "")


def _of(direction: Direction, codes: Iterable[str]) -> tuple[str, ...]:
    """Transit is asked for by declaration type, everything else by the digits of a procedure."""
    return tuple(code for code in codes if code.isdigit() == (direction is not Direction.TRANSIT))


def _with_codes(one: CertificateType, further: Mapping[str, tuple[str, ...]]) -> CertificateType:
    own = {licence_type: kind for kind in one.documents for licence_type in kind.licence_types}
    added = tuple(
        DocumentKind(code, (licence_type,), own[licence_type].direction)
        for licence_type, codes in further.items()
        if licence_type in own
        for code in codes
    )
    return replace(one, documents=one.documents + added) if added else one


def json_schema() -> str:
    """The JSON Schema of the files."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Profile of a live certificate type"}
    return json.dumps(head | msgspec.json.schema(ProfileData), indent=2, ensure_ascii=False) + "\n"
