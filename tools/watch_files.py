"""Writes what watches the bridge into the chart: alert rules and dashboards.

python tools/watch_files.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from watch import boards, rules

ROOT = Path(__file__).resolve().parent.parent
FILES = ROOT / "helm" / "certex-bridge" / "files"


def files() -> dict[Path, str]:
    """Everything generated, by path."""
    made = {FILES / "rules" / name: text for name, text in rules.files().items()}
    return made | {FILES / "dashboards" / name: text for name, text in boards.files().items()}


def stale() -> list[str]:
    """Files that are not what the code says, and files nobody generates."""
    wanted = files()
    present = {path for folder in ("rules", "dashboards") for path in (FILES / folder).glob("*")}
    wrong = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    return sorted(str(path.relative_to(ROOT)) for path in {*wrong, *(present - set(wanted))})


def main() -> None:
    """Write the files; with --check: fail when one is stale."""
    if "--check" in sys.argv:
        if wrong := stale():
            sys.exit(f"stale: {', '.join(wrong)}; run make chart")
        return
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
