"""The documentation names commands, files and examples that exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from certex_bridge.operations.cli import app
from certex_bridge.platform.metric_catalogue import CATALOGUE
from certex_bridge.platform.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def commands(project_root: Path) -> list[list[str]]:
    """Command lines in the shell blocks of quickstart and how-tos, without comments."""
    docs = project_root / "docs"
    text = "\n".join(path.read_text("utf-8") for path in [docs / "quickstart.md", *(docs / "howto").glob("*.md")])
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    lines = re.findall(r"^(?:\.venv/bin/)?certex-bridge ([^#\n]+)", blocks, re.MULTILINE)
    return [line.split() for line in lines] + [["demo", "--seed", "2", "--licences", "2000", "--declarations", "20000"]]


def test_every_command_of_the_quickstart_is_one_with_these_options(project_root: Path) -> None:
    told = commands(project_root)
    assert len(told) > 8
    for words in told:
        command: Any = typer.main.get_command(app)
        rest = list(words)
        while rest and rest[0] in getattr(command, "commands", {}):
            command = command.commands[rest.pop(0)]
        assert not getattr(command, "commands", {}), words
        known = {option for one in command.params for option in one.opts}
        assert {word for word in rest if word.startswith("--")} <= known, words


def test_every_file_of_the_quickstart_and_of_the_reading_list_exists(project_root: Path) -> None:
    files = [word for words in commands(project_root) for word in words if word.startswith("contracts/")]
    readme = (project_root / "README.md").read_text("utf-8")
    reading = re.findall(r"^\d\. `([a-z/_]+\.py)`", readme, re.MULTILINE)
    assert len(reading) == 6
    files += [f"services/certex_bridge/{name}" for name in reading]
    assert [name for name in files if not (project_root / name).is_file()] == []


def test_settings_metrics_and_links_of_the_how_tos_exist(project_root: Path) -> None:
    for path in (project_root / "docs" / "howto").glob("*.md"):
        text = path.read_text("utf-8")
        settings = {name.lower() for name in re.findall(r"\bCERTEX_([A-Z][A-Z_]+)\b", text)}
        assert settings <= set(Settings.model_fields), path.name
        metrics = set(re.findall(r"\bcertex_bridge_([a-z_]+)", text))
        assert metrics <= {spec.name for spec in CATALOGUE}, path.name
        links = [link.partition("#")[0] for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text)]
        assert [link for link in links if not (path.parent / link).exists()] == [], path.name


@pytest.mark.parametrize("adr", range(1, 8))
def test_every_decision_record_has_its_parts(adr: int, project_root: Path) -> None:
    (path,) = (project_root / "docs" / "adr").glob(f"{adr:04}-*.md")
    text = path.read_text("utf-8")
    assert text.startswith(f"# {adr:04}: ")
    assert re.search(r"^Status: (proposed|accepted|superseded)", text, re.MULTILINE)
    assert all(f"## {part}" in text for part in ("Context", "Decision", "Consequences"))
