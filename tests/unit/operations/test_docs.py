"""The documentation names commands, files and examples that exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import docs_drawings
import docs_site
import pytest
import typer.main
import yaml

from certex_bridge.operations.cli import app
from certex_bridge.platform.metric_catalogue import CATALOGUE
from certex_bridge.platform.settings import Settings
from tests.support.documents import ROOT, pages, shell_blocks

if TYPE_CHECKING:
    from pathlib import Path

ADRS = sorted(path for path in (ROOT / "docs" / "adr").glob("0*.md") if not path.name.startswith("0000"))
RUN = ("docs/howto/", "docs/quickstart.md")
"""Pages whose commands are run by tests/integration/docs."""
MAKE_ONLY = ("README.md", "CONTRIBUTING.md")
ON_A_CLUSTER = ("docs/runbooks/",)
"""Pages for a cluster: commands of the bridge are checked to exist, kubectl's are read by people."""


def commands(project_root: Path) -> list[list[str]]:
    """Command lines in the shell blocks of quickstart and how-tos, without comments."""
    docs = project_root / "docs"
    pages = [docs / "quickstart.md", *(docs / "howto").glob("*.md"), *(docs / "runbooks").glob("*.md")]
    text = "\n".join(path.read_text("utf-8") for path in pages)
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    lines = re.findall(r"^(?:\.venv/bin/)?certex-bridge ([^#\n]+)", blocks, re.MULTILINE)
    lines = [line.partition("||")[0].partition(" | ")[0] for line in lines]
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
        assert settings <= {*Settings.model_fields, "secrets_dir"}, path.name  # that one is where to find the others
        metrics = set(re.findall(r"\bcertex_bridge_([a-z_]+)", text))
        assert metrics <= {spec.name for spec in CATALOGUE}, path.name
        links = [link.partition("#")[0] for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text)]
        assert [link for link in links if not (path.parent / link).exists()] == [], path.name


@pytest.mark.parametrize("path", ADRS, ids=[path.stem[:4] for path in ADRS])
def test_every_decision_record_has_its_parts(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith(f"# {path.stem[:4]}: ")
    assert re.search(r"^Status: (proposed|accepted|superseded)", text, re.MULTILINE)
    assert all(f"## {part}" in text for part in ("Context", "Decision", "Consequences"))


def test_the_shell_blocks_of_every_page_are_run_or_say_why_not(project_root: Path) -> None:
    for page in pages():
        name = page.relative_to(project_root).as_posix()
        blocks = [block for block in shell_blocks(page) if not block.reason]
        if name in MAKE_ONLY:
            makefile = (project_root / "Makefile").read_text("utf-8")
            lines = [line for block in blocks for line in block.text.splitlines()]
            assert all(re.match(r"make ([a-z-]+)\b", line) for line in lines), name
            assert [line for line in lines if f"\n{line.split()[1]}:" not in makefile] == [], name
        else:
            assert not blocks or name.startswith(RUN + ON_A_CLUSTER), f"{name}: who runs its commands?"


def test_programs_of_the_runbooks_are_those_an_operator_has(project_root: Path) -> None:
    for page in sorted((project_root / "docs" / "runbooks").glob("*.md")):
        lines = [line for block in shell_blocks(page) for line in block.text.splitlines() if line.strip()]
        odd = [line for line in lines if line.split()[0] not in {"kubectl", "certex-bridge", "export", "helm", "curl"}]
        assert not odd, page.name


def test_drawings_and_the_index_of_decisions_are_what_the_code_says() -> None:
    assert docs_drawings.stale() == [], "make docs writes them"


def test_links_of_the_site_lead_to_its_own_files(project_root: Path) -> None:
    events = (project_root / "docs" / "reference" / "events.md").read_text("utf-8")
    moved = docs_site.moved(project_root / "docs" / "reference" / "events.md", "reference/events.md")
    assert "](../../contracts/asyncapi.yaml)" in events
    assert "](../files/contracts/asyncapi.yaml)" in moved
    assert "](../files/contracts/examples/licences/index.md)" in moved
    assert "contracts/examples/licences/individual.json" in docs_site.linked()
    assert "[individual.json](individual.json)" in docs_site.listing("contracts/examples/licences")
    assert "](../runbooks/README.md)" in docs_site.moved(project_root / "docs/howto/watch.md", "howto/watch.md")


def test_dead_letters_are_kept_as_long_as_the_page_on_data_protection_says(project_root: Path) -> None:
    topics = yaml.safe_load((project_root / "contracts" / "topics.yaml").read_text("utf-8"))["topics"]
    days = {one["name"]: one.get("retention_days") for one in topics}
    page = (project_root / "docs" / "architecture" / "data-protection.md").read_text("utf-8")
    (line,) = [line for line in page.splitlines() if "Records in quarantine, dead letters" in line]
    assert f"topic: {days['certex.deadletters.v1']} days" in line
