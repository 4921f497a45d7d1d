"""A file that runs of the tests beside each other change one after the other."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path


def rewrite(file: Path, change: Callable[[str], str]) -> None:
    """Write what `change` makes of the file's text (empty: there is none); nobody else changes it meanwhile."""
    file.parent.mkdir(exist_ok=True)
    with file.open("a+", encoding="utf-8") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        opened.seek(0)
        text = change(opened.read())
        opened.seek(0)
        opened.truncate()
        opened.write(text)
