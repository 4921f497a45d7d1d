"""Each suite has the make target that runs it, and `make test` needs no packages but those it installs."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
PYTEST_SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]
FAST_SUITES = set(PYTEST_SETTINGS["testpaths"])
IMPORT_ROOTS = [ROOT / path for path in PYTEST_SETTINGS["pythonpath"]]


def locked(groups: list[str]) -> set[str]:
    """Names of the packages in the groups' locks."""
    texts = [(ROOT / "requirements" / f"{group}.txt").read_text("utf-8") for group in groups]
    return {name for text in texts for name in re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE)}


def executed(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree less those that only a type checker reads."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from executed(child)


def imported(file: Path) -> set[str]:
    """Modules a file imports anywhere in it, those of `from package import module` included."""
    found = set()
    for node in executed(ast.parse(file.read_text("utf-8"), str(file))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def own_file(module: str) -> Path | None:
    """The file of a module of ours that is not installed: of tests, tools or bench."""
    paths = (base / f"{module.replace('.', '/')}.py" for base in IMPORT_ROOTS)
    return next((path for path in paths if path.is_file()), None)


def reached(files: list[Path]) -> Iterator[tuple[Path, str]]:
    """Each import of these files and of our own modules they lead to."""
    waiting, seen = list(files), set(files)
    while waiting:
        file = waiting.pop()
        for module in imported(file):
            yield file, module
            own = own_file(module)
            if own is not None and own not in seen:
                seen.add(own)
                waiting.append(own)


def test_each_suite_is_run_by_a_make_target() -> None:
    """A new folder is either collected by make test or named by a target of its own."""
    suites = {file.relative_to(ROOT).parts[1] for file in (ROOT / "tests").rglob("test_*.py")}
    named = set(re.findall(r"\$\(PYTEST(?:_ALONE)?\) .*\b(tests/[a-z]+)$", MAKEFILE, re.MULTILINE))
    assert {f"tests/{suite}" for suite in suites} == FAST_SUITES | named
    assert {"tests/ops", "tests/console"}.isdisjoint(FAST_SUITES)


def test_make_test_collects_only_what_its_own_groups_can_import() -> None:
    """Pytest imports all that it collects, whatever -m leaves out afterwards."""
    rule = re.search(r"^\$\(TESTABLE\):.*\n\t@\$\(PYTHON\) tools/bootstrap\.py (.+)$", MAKEFILE, re.MULTILINE)
    assert rule is not None
    packages = locked(rule[1].split())
    owners = packages_distributions()
    names = {module: {re.sub(r"[-_.]+", "-", owner).lower() for owner in found} for module, found in owners.items()}
    ours = {"certex_bridge", *(path.stem for base in IMPORT_ROOTS for path in base.iterdir())}
    files = [file for suite in sorted(FAST_SUITES) for file in (ROOT / suite).rglob("*.py")]
    missing = {
        f"{file.relative_to(ROOT)} imports {top}"
        for file, module in reached([ROOT / "tests" / "conftest.py", *files])
        if (top := module.partition(".")[0]) not in ours | sys.stdlib_module_names
        and not names.get(top, set()) & packages
    }
    assert not missing, f"not in the groups of make test: {', '.join(sorted(missing))}"
