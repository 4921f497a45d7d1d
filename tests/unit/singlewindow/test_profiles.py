"""Profiles of live certificate types: strict reading, what they must agree with, and what settings change."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.licensing.domain.dual_use import DUAL_USE
from certex_bridge.licensing.domain.licence import Direction
from certex_bridge.operations.policies import policy_of
from certex_bridge.platform.settings import Settings
from certex_bridge.singlewindow.rules import profiles_page
from certex_bridge.singlewindow.rules.loading import rule_book
from certex_bridge.singlewindow.rules.profiles import SCHEMA_PATH, certificate_types, json_schema, read_profile

NAMES = {one.name for one in certificate_types().all}


def dues(project_root: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((project_root / "schemas/rules/profiles/dues.json").read_text("utf-8"))
    return document


def written(folder: Path, document: object, name: str = "dues.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(document), "utf-8")
    return path


def ozone(document: dict[str, Any], code: str = "E999", kind: str = "SLIP") -> dict[str, Any]:
    """The same profile as that of another formality, of which the tables are there."""
    words = {status: "Valid" if status == "Valid" else "Closed" for status in document["statuses"]}
    told = {"type": "ODS", "tables": ["ods-import"], "statuses": words}
    return document | told | {"documents": [{"code": code, "licenceTypes": [kind], "text": "A slip"}]}


def test_the_dual_use_profile_says_what_the_program_says() -> None:
    types = certificate_types()
    assert types.all[0] == DUAL_USE
    assert types.all[0].versions.keys() == DUAL_USE.versions.keys()


def test_every_profile_has_the_name_of_its_file(project_root: Path) -> None:
    files = {path.stem.upper() for path in (project_root / "schemas/rules/profiles").glob("*.json")}
    assert files == NAMES | {"PROFILE.SCHEMA"}


def test_the_schema_is_that_of_the_reader(project_root: Path) -> None:
    assert (project_root / SCHEMA_PATH).read_text("utf-8") == json_schema()


def test_the_tables_have_the_procedures_that_the_rule_book_has() -> None:
    for one in certificate_types().all:
        for direction, versions in one.versions.items():
            for version in versions:
                (table,) = [table for table in rule_book().tables if table.label == version.table.label]
                codes = [code for code in table.verification if code.isdigit() == (direction is Direction.EXPORT)]
                assert list(version.table.verification) == codes


@pytest.mark.parametrize(
    ("spoil", "value"),
    [
        (lambda document: document.update(colour="red"), None),
        (lambda document: document["documents"][0].update(code="x060"), None),
        (lambda document: document["documents"][0].update(licenceTypes=["individual"]), None),
        (lambda document: document.update(referenceIn=["12 05"]), None),
        (lambda document: document.update(issuer="EUR"), None),
        (lambda document: document.update(type="ODS"), "ODS"),
        (lambda document: document.update(tables=["dues-import"]), "dues-import"),
        (lambda document: document.update(tables=["ods-export"]), "ods-export"),
        (lambda document: document["statuses"].update(Valid="Open"), "Open"),
        (lambda document: document["statuses"].pop("Revoked"), "DUES"),
    ],
)
def test_a_profile_that_does_not_fit_is_refused(
    tmp_path: Path, project_root: Path, spoil: Callable[[dict[str, Any]], object], value: str | None
) -> None:
    document = dues(project_root)
    assert read_profile(written(tmp_path, document)) == DUAL_USE
    spoil(document)
    with pytest.raises(ConfigurationError) as caught:
        read_profile(written(tmp_path, document))
    assert value is None or caught.value.value == value


def test_a_file_with_a_key_twice_is_refused(tmp_path: Path, project_root: Path) -> None:
    path = written(tmp_path, dues(project_root))
    path.write_text(path.read_text("utf-8").replace('{"type"', '{"quantities": true, "type"', 1), "utf-8")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_profile(path)


@pytest.fixture
def folder(tmp_path: Path, project_root: Path) -> Path:
    """Profiles of dual-use and of one more type."""
    shutil.copy(project_root / "schemas/rules/profiles/dues.json", tmp_path)
    written(tmp_path, ozone(dues(project_root)), "ods.json")
    return tmp_path


def test_every_profile_is_live_unless_the_settings_choose(folder: Path) -> None:
    assert [one.name for one in certificate_types(folder=folder).all] == ["DUES", "ODS"]
    assert [one.name for one in certificate_types({"ODS"}, folder=folder).all] == ["DUES", "ODS"]
    assert [one.name for one in certificate_types({"DUES"}, folder=folder).all] == ["DUES"]
    with pytest.raises(ConfigurationError) as caught:
        certificate_types({"CITES"}, folder=folder)
    assert (caught.value.field, caught.value.value) == ("certificate_types", "CITES")


def test_of_an_import_and_transit_table_the_transit_part_is_used(folder: Path) -> None:
    other = certificate_types(folder=folder).all[1]
    assert dict(other.directions) == dict.fromkeys(("T", "T1", "TIR"), Direction.TRANSIT)
    assert other.versions[Direction.TRANSIT][0].managed == frozenset()


def test_settings_add_document_codes(folder: Path) -> None:
    types = certificate_types(further_codes={"SLIP": ["E998"], "TRANSIT": ["9TRA"]}, folder=folder)
    assert types.meanings["E998"] == ("SLIP",)
    assert (types.document_code("SLIP"), types.document_code("TRANSIT")) == ("E999", "X072")
    assert {"E998", "9TRA"} <= types.claim_codes
    with pytest.raises(ConfigurationError) as caught:
        certificate_types(further_codes={"STAMP": ["E998"]}, folder=folder)
    assert (caught.value.field, caught.value.value) == ("further_document_codes", "STAMP")


def test_two_profiles_of_one_code_are_refused(folder: Path, project_root: Path) -> None:
    written(folder, ozone(dues(project_root), code="X060"), "ods.json")
    with pytest.raises(ConfigurationError) as caught:
        certificate_types(folder=folder)
    assert caught.value.value == "X060"


def test_the_policy_has_what_the_settings_say() -> None:
    told = {"registration_required": {"BE": ("X061",)}, "further_document_codes": {"INDIVIDUAL": ("9IND",)}}
    policy = policy_of(Settings(**told))
    assert policy.must_register("BE", "X061")
    assert not policy.must_register("DE", "X067")
    assert policy.types.meanings["9IND"] == ("INDIVIDUAL",)
    assert policy_of(Settings()).must_register("DE", "X067")


def test_the_page_shows_every_type(project_root: Path) -> None:
    page = profiles_page.render()
    assert page == (project_root / "docs/reference/certificate-types.md").read_text("utf-8"), "run make contracts"
    for one in certificate_types().all:
        assert f"## {one.name}\n" in page
        assert all(f"`{kind.code}`" in page for kind in one.documents)
