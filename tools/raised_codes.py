"""Whether each code of the reference was raised in a test, and each code raised stands in the reference: make codes.

Reads out/raised.json, which the runs of the tests wrote (tests/support/raised.py).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from certex_bridge.operations.code_catalogue import Section, sections

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "out" / "raised.json"
_ANSWERING = frozenset({"customs", "ledger", "licensing"})
"""Parts whose findings are told to those who sent something; other parts have findings on settings and files too."""


def raised(by_test: Mapping[str, Iterable[str]]) -> set[tuple[str, str, str]]:
    """Kind, code and part of everything that a test raised."""
    return {(kind, code, part) for codes in by_test.values() for kind, code, part in map(str.split, codes)}


def problems(found: Iterable[tuple[str, str, str]], reference: Sequence[Section]) -> Iterator[str]:
    """What the reference promises and no test raised, and what was raised and the reference does not know."""
    found = set(found)
    for section in reference:
        there = {code for kind, code, part in found if section.raises(kind, part)}
        yield from (f"{section.title}: no test raises {code}" for code in sorted(section.codes - there))
    for kind, code, part in sorted(found):
        # Messages of the tests have rules of their own; what stops a process is said in its sentence first.
        if kind in {"mistake", "stop"} or (kind == "finding" and part not in _ANSWERING):
            continue
        if not any(code in section.codes and section.raises(kind, part) for section in reference):
            yield f"the reference does not know the {kind} {code}, which {part} raises"


def main() -> int:
    """Print what does not fit; the exit code says whether all does."""
    if not FILE.exists():
        print("out/raised.json is not there: run make test first", file=sys.stderr)
        return 2
    reference = sections()
    wrong = list(problems(raised(json.loads(FILE.read_text("utf-8"))), reference))
    for line in wrong:
        print(line, file=sys.stderr)
    codes = sum(len(section.codes) for section in reference)
    print(f"{codes} codes in the reference, {len(wrong)} wrong" if wrong else f"{codes} codes, each raised in a test")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
