"""Rules of the repository itself: what may stand in its files, and how large they may grow."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import tomllib
from pathlib import Path

from tests.support.scope import LATER

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ROOT / "services" / "certex_bridge"

LONGEST_FILE = 350
LONGEST_FUNCTION = 60
BANNED_MODULES = {"utils", "util", "common", "helpers", "helper", "misc", "tools"}

# Written in parts, so that this file does not break its own rule.
MACHINE_PATH = re.compile(r"(?<![\w.$}-])/(root|work|farm|home)/[a-z.]")
ALLOWED_PATHS = re.compile(r"/home/(nonroot|certex)\b|/root/\.\.\.")
REGISTRIES = re.compile(
    "|".join(
        name.replace(" ", r"\.")
        for name in (
            "pypi org",
            "pythonhosted org",
            "repo maven apache org",
            "repo1 maven org",
            "registry npmjs org",
            "registry yarnpkg com",
            "proxy golang org",
            "deb debian org",
            "security debian org",
            "archive ubuntu com",
            "crates io",
            "rubygems org",
        )
    )
)


def tracked() -> list[Path]:
    """Files that are or would be committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    names = listed.stdout.decode("utf-8").split("\0")
    return [path for name in sorted(filter(None, names)) if (path := ROOT / name).is_file()]


def texts() -> list[tuple[Path, str]]:
    """The text files among them."""
    found = []
    for path in tracked():
        raw = path.read_bytes()
        if b"\0" not in raw:
            found.append((path, raw.decode("utf-8")))
    return found


def modules(*folders: str) -> list[tuple[Path, ast.Module]]:
    """Parsed Python files below the folders."""
    wanted = tuple(str(ROOT / folder) for folder in folders)
    files = [path for path in tracked() if path.suffix == ".py" and str(path).startswith(wanted)]
    return [(path, ast.parse(path.read_text("utf-8"), str(path))) for path in files]


def offences(pattern: re.Pattern[str], allowed: re.Pattern[str] | None = None) -> list[str]:
    """Lines that hold the pattern."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line) and not (allowed and allowed.search(line))
    ]


def test_no_file_names_a_place_of_one_machine() -> None:
    assert not offences(MACHINE_PATH, ALLOWED_PATHS)


def test_no_file_names_a_registry() -> None:
    assert not offences(REGISTRIES)


def test_lock_files_hold_versions_and_hashes_only() -> None:
    line = re.compile(r"[a-z0-9][a-z0-9._\[\]-]*==[\w.!+]+( ; .+)?( \\)?|    --hash=sha256:[0-9a-f]{64}( \\)?|")
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    assert locks
    lines = [(lock.name, text) for lock in locks for text in lock.read_text("utf-8").splitlines()]
    odd = [f"{name}: {text}" for name, text in lines if not line.fullmatch(text)]
    assert not odd


def test_one_version_of_each_package_over_all_locks() -> None:
    seen: dict[str, set[str]] = {}
    for lock in (ROOT / "requirements").glob("*.txt"):
        for name, version in re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", lock.read_text("utf-8"), re.MULTILINE):
            seen.setdefault(name, set()).add(version)
    assert not {name: versions for name, versions in seen.items() if len(versions) > 1}


def test_key_versions_are_the_measured_ones() -> None:
    """A crowded resolution once fell back to years-old releases without a word."""
    lock = (ROOT / "requirements" / "runtime.txt").read_text("utf-8")
    found = dict(re.findall(r"^([a-z0-9-]+)==(\d+\.\d+)", lock, re.MULTILINE))
    expected = {"faststream": "0.7", "aiokafka": "0.14", "lxml": "6.1", "pydantic": "2.14", "xmlschema": "4.3"}
    assert {name: found[name] for name in expected} == expected


def test_no_file_is_too_long() -> None:
    lengths = {path.relative_to(ROOT): path.read_text("utf-8").count("\n") for path, _ in modules("services")}
    assert not {str(path): length for path, length in lengths.items() if length > LONGEST_FILE}


def test_no_function_is_too_long() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.name}": node.end_lineno - node.lineno + 1
        for path, tree in modules("services", "tools")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    }
    assert not long


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    names = [path.relative_to(ROOT) for path, _ in modules("services")]
    assert not [str(name) for name in names if BANNED_MODULES & {name.stem, name.parent.name}]


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path, tree in modules("services", "tests", "tools", "bench")
        if ast.get_docstring(tree) is None and tree.body
    ]
    assert not silent


def test_no_bare_except() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in modules("services", "tools", "bench", "tests")
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    assert not bare


def test_markdown_pages_have_one_title() -> None:
    wrong = {}
    for path, text in texts():
        if path.suffix == ".md":
            outside_code = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.DOTALL | re.MULTILINE)
            titles = re.findall(r"^# .+", outside_code, re.MULTILINE)
            if len(titles) != 1:
                wrong[str(path.relative_to(ROOT))] = titles
    assert not wrong


def test_markdown_links_to_files_lead_somewhere() -> None:
    broken = []
    for path, text in texts():
        if path.suffix != ".md":
            continue
        targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text)
        broken += [f"{path.relative_to(ROOT)}: {target}" for target in targets if not (path.parent / target).exists()]
    assert not broken


def test_changelog_keeps_its_shape() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings, "CHANGELOG.md has no release"
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    shape = re.compile(r"\[?Unreleased\]?|\[?\d+\.\d+\.\d+\]? (-|–|—) \d{4}-\d{2}-\d{2}")
    assert not [heading for heading in headings if not shape.fullmatch(heading)]
    assert "Unreleased" in headings[0] or version in headings[0]
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_licence_is_the_declared_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["license"] == "EUPL-1.2"
    assert (ROOT / "LICENSE").read_text("utf-8").startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2")


def test_files_end_with_one_newline_and_have_no_carriage_returns() -> None:
    """Samples of foreign systems keep their bytes."""
    foreign = ("contracts/examples", "tests/samples", "schemas/rules")
    odd = [
        str(path.relative_to(ROOT))
        for path, text in texts()
        if text and not str(path.relative_to(ROOT)).startswith(foreign) and (not text.endswith("\n") or "\r" in text)
    ]
    assert not odd


def test_no_file_is_large() -> None:
    large = {str(path.relative_to(ROOT)): path.stat().st_size for path in tracked() if path.stat().st_size > 400_000}
    assert not large


def test_the_front_door_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    described = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    phony = set(re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE).group(1).split())  # type: ignore[union-attr]
    assert targets == described == phony


def test_check_runs_what_the_readme_tells_people_to_run() -> None:
    readme, makefile = (ROOT / "README.md").read_text("utf-8"), (ROOT / "Makefile").read_text("utf-8")
    told = set(re.findall(r"(?:^|`|&& )make ([a-z-]+)", readme, re.MULTILINE))
    known = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert "test" in told
    assert told <= known
    assert "\t@$(MAKE) test\n" in makefile.split("\ncheck:", 1)[1].split("\n\n", 1)[0]


def test_editorconfig_is_readable() -> None:
    parser = configparser.ConfigParser()
    parser.read_string("[top]\n" + (ROOT / ".editorconfig").read_text("utf-8"))
    assert parser["*"]["charset"] == "utf-8"


def test_the_catalogue_page_says_what_the_tests_claim() -> None:
    """Rows and claims; the results themselves are those of the last whole `make check`."""
    claimed = set()
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for call in re.findall(r"mark\.row\(([^)]*)\)", file.read_text("utf-8")):
            claimed |= set(re.findall(r'"(E\d{3})"', call))
    page = (ROOT / "docs" / "reference" / "catalogue.md").read_text("utf-8")
    shown = dict(re.findall(r"^\| (E\d{3}) \| ([a-z ]+) \|", page, re.MULTILINE))
    assert len(shown) == 212
    assert {row for row, result in shown.items() if result == "passed"} == claimed
    assert set(LATER) == {row for row, result in shown.items() if result == "later"}
