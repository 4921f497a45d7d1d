"""What one check of the verifier found, and what reads rows for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import InvalidOperation
from typing import Any, Protocol

import msgspec

UNREADABLE = (msgspec.MsgspecError, ValueError, KeyError, TypeError, InvalidOperation)
"""What reading a stored value raises that nobody wrote so."""


@dataclass(slots=True)
class Finding:
    """What one check found: the first wrong row, or nothing."""

    name: str
    examined: int = 0
    wrong: str = ""

    def blame(self, sentence: str) -> None:
        """Only the first wrong row counts; what follows may follow from it."""
        self.wrong = self.wrong or sentence


class Reader(Protocol):
    """Takes rows in order."""

    def read(self, row: Mapping[str, Any]) -> None:
        """Look at one row."""

    def findings(self) -> list[Finding]:
        """What was found, once the last row was read."""
