"""The shell blocks of the documentation, and what runs them as a reader would."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_BLOCK = re.compile(r"(?:^<!-- not run: (?P<reason>[^\n]+?) -->\n)?^```sh\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE)

PRELUDE = r"""
set -euo pipefail
server=
stop_server() {
  if [ -n "$server" ]; then
    kill -TERM "$server"
    wait "$server" || { echo "serve ended with $?"; exit 1; }
    server=
  fi
}
certex-bridge() {
  if [ "$1" != serve ]; then command certex-bridge "$@"; return; fi
  stop_server
  command certex-bridge "$@" >> serve.log 2>&1 &
  server=$!
  until curl -skf --max-time 5 "http://127.0.0.1:$CERTEX_HEALTH_PORT/readyz" > ready.txt; do
    kill -0 "$server" || { tail -5 serve.log; exit 1; }
    sleep 0.1
  done
}
trap stop_server EXIT
"""
"""`serve` goes on while the reader works in another terminal; the next `serve`, or the end of the page, ends it."""


@dataclass(frozen=True, slots=True)
class ShellBlock:
    """One block marked `sh`."""

    text: str
    reason: str
    """Why it cannot be run; empty: it is run."""


def shell_blocks(page: Path) -> list[ShellBlock]:
    """The blocks of a page, in their order."""
    found = _BLOCK.finditer(page.read_text("utf-8"))
    return [ShellBlock(match["text"], match["reason"] or "") for match in found]


def pages() -> list[Path]:
    """Every page of the documentation, and those of the project itself."""
    return sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), ROOT / "helm" / "certex-bridge" / "README.md"])


def script(page: Path, changes: dict[str, str]) -> str:
    """All blocks of a page that are run, as one script; `changes` puts this test's places for those of the text."""
    text = "\n".join(block.text for block in shell_blocks(page) if not block.reason)
    for said, meant in changes.items():
        text = text.replace(said, meant)
    return PRELUDE + text
