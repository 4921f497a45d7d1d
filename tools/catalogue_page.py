"""Writes docs/reference/catalogue.md from out/catalogue.json: row, tests, result, and what is left with the reason."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

ROWS = 212
GROUPS = (
    (1, 20, "Plain life cycle"),
    (21, 42, "Order and lateness"),
    (43, 60, "Duplicates and identity"),
    (61, 74, "Several licences, concurrency"),
    (75, 88, "Amendments"),
    (89, 112, "Licence changes with use"),
    (113, 133, "Quantities, units, money"),
    (134, 142, "Dates and clocks"),
    (143, 163, "Crash, broker, database"),
    (164, 171, "Outputs"),
    (172, 181, "Synchronous interface"),
    (182, 190, "Override, correction, operations"),
    (191, 212, "Malformed input"),
)


def page(results: dict[str, dict[str, str]], later: dict[str, str]) -> str:
    """The page as Markdown."""
    proven = sum(1 for row, tests in results.items() if row.startswith("E") and "passed" in tests.values())
    lines = [
        "# Acceptance catalogue",
        "",
        f"{proven} of {ROWS} rows have a passing test. A test claims a row by `@pytest.mark.row`; this page is",
        "written by `python tools/catalogue_page.py` after `make check`.",
    ]
    for first, last, title in GROUPS:
        lines += ["", f"## {title}", "", "| Row | Result | Tests |", "| --- | --- | --- |"]
        for number in range(first, last + 1):
            row = f"E{number:03d}"
            tests = results.get(row, {})
            if tests:
                passed = "passed" in tests.values() and not {"failed", "error"} & set(tests.values())
                shown = sorted({test.partition("[")[0].removeprefix("tests/") for test in tests})
                names = "<br>".join(f"`{name}`" for name in shown[:4]) + ("<br>…" if len(shown) > 4 else "")
                lines.append(f"| {row} | {'passed' if passed else 'see tests'} | {names} |")
            else:
                lines.append(f"| {row} | later | {later.get(row, 'no test claims it yet')} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Read the results, write the page."""
    from tests.support.scope import LATER

    results = json.loads((ROOT / "out" / "catalogue.json").read_text("utf-8"))
    target = ROOT / "docs" / "reference" / "catalogue.md"
    target.write_text(page(results, LATER), "utf-8")
    print(f"written: {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
