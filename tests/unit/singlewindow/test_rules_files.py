"""The files of the rules tables: strict reading, the place of each, the schema and the page made from them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.singlewindow.rules import reference_page
from certex_bridge.singlewindow.rules.domain.verdict import RuleBook
from certex_bridge.singlewindow.rules.loading import SCHEMA_PATH, json_schema, read_table, rule_book


@pytest.fixture
def flegt(project_root: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((project_root / "schemas/rules/flegt/v1.json").read_text("utf-8"))
    return document


def written(folder: Path, document: object, place: str = "flegt/v1.json") -> Path:
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), "utf-8")
    return path


def test_every_file_of_the_folder_is_read_once(project_root: Path) -> None:
    folder = project_root / "schemas/rules"
    files = {path for path in folder.rglob("*") if path.is_file() and path.parent.name != "profiles"}
    read = {project_root / "schemas/rules" / one.name / f"v{one.version}.json" for one in rule_book().tables}
    assert files == read | {project_root / SCHEMA_PATH, folder / "licence-numbers.json"}
    assert rule_book() is rule_book()


def test_tables_name_their_source(project_root: Path) -> None:
    for table in rule_book().tables:
        assert table.source.celex == "32024R2145"
        assert str(table.valid_from) == "2024-10-17"
        assert table.source.read > table.valid_from


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document.update(colour="red"),
        lambda document: document.pop("verification"),
        lambda document: document["rows"][0].update(procedures=["1000"]),
        lambda document: document["rows"][0].update(procedures=["61**"]),
        lambda document: document["rows"].clear(),
        lambda document: document.update(directions=["SIDEWAYS"]),
        lambda document: document.update(validFrom="17.10.2024"),
        lambda document: document.update(version=0),
        lambda document: document["source"].update(celex="2024/2145"),
    ],
)
def test_a_file_that_breaks_its_schema_is_refused(
    tmp_path: Path, flegt: dict[str, Any], spoil: Callable[[dict[str, Any]], object]
) -> None:
    assert read_table(written(tmp_path, flegt)).name == "flegt"
    spoil(flegt)
    with pytest.raises(ConfigurationError) as caught:
        read_table(written(tmp_path, flegt))
    assert caught.value.field == "flegt/v1.json"


def test_a_file_with_a_key_twice_is_refused(tmp_path: Path, flegt: dict[str, Any]) -> None:
    path = written(tmp_path, flegt)
    path.write_text(path.read_text("utf-8").replace('{"table"', '{"version": 2, "table"', 1), "utf-8")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_table(path)


def test_a_file_in_the_place_of_another_is_refused(tmp_path: Path, flegt: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="another table"):
        read_table(written(tmp_path, flegt, "cbam/v1.json"))


def test_schema_and_page_are_fresh(project_root: Path) -> None:
    assert (project_root / SCHEMA_PATH).read_text("utf-8") == json_schema()
    assert (project_root / "docs/reference/rules.md").read_text("utf-8") == reference_page.render()


def test_the_schema_allows_nothing_unknown() -> None:
    objects = [one for one in json.loads(json_schema())["$defs"].values() if one.get("type") == "object"]
    assert objects
    assert all(one["additionalProperties"] is False for one in objects)


def test_the_page_shows_an_end_of_validity(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flegt: dict[str, Any]
) -> None:
    table = read_table(written(tmp_path, flegt | {"validTo": "2027-12-31"}))
    monkeypatch.setattr(reference_page, "rule_book", lambda: RuleBook([table]))
    assert "from 2024-10-17 to 2027-12-31" in reference_page.render()


def test_the_page_has_a_line_for_each_row() -> None:
    lines = [line for line in reference_page.render().splitlines() if line.startswith("| ")]
    rows = sum(len(table.rows) for table in rule_book().tables)
    assert len(lines) == rows + 2 * len(rule_book().tables)
