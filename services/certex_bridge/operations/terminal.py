"""How commands speak: one console for people, plain lines without a terminal, JSON where asked."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from certex_bridge.kernel.amounts import format_decimal

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

PLAIN_WIDTH = 120
"""Columns when the output is no terminal: tables keep their shape in a log."""


@cache
def console(*, errors: bool = False) -> Console:
    """The console on standard output, or on standard error."""
    from rich.console import Console

    stream = sys.stderr if errors else sys.stdout
    return Console(stderr=errors, highlight=False, width=None if stream.isatty() else PLAIN_WIDTH)


def say(what: RenderableType = "") -> None:
    """Print for people; rich markup is understood, so escape what others wrote."""
    console().print(what)


def print_json(document: object) -> None:
    """Print for programs: one JSON document, nothing else on standard output."""
    print(json.dumps(document, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return figure(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def table(title: str, *columns: str, numbers: frozenset[int] = frozenset()) -> Table:
    """An empty table in the house style; `numbers` names the columns that are right-aligned."""
    from rich import box
    from rich.table import Table

    made = Table(
        title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False, header_style="dim"
    )
    for place, column in enumerate(columns):
        made.add_column(
            column, justify="right" if place in numbers else "left", overflow="fold", no_wrap=column == "licence"
        )
    return made


def count(number: int) -> str:
    """A count with thousands separated."""
    return f"{number:,}"


def figure(amount: Decimal) -> str:
    """An exact amount as text: no exponent, no trailing zeros."""
    text = format_decimal(abs(amount))
    return f"-{text}" if amount < 0 else text


def grouped(amount: Decimal) -> str:
    """An exact amount for reading: thousands separated, no digit lost."""
    whole, dot, decimals = figure(amount).partition(".")
    return f"{int(whole):,}{dot}{decimals}"


def colour(word: str) -> str:
    """A status, outcome or result in its colour."""
    for style, words in _COLOURS.items():
        if any(word.startswith(start) for start in words):
            return f"[{style}]{word}[/]"
    return word


_COLOURS = {
    "green": ("OK", "Valid", "ACCEPTED", "APPLIED", "RESERVED", "CONSUMED", "RECORDED"),
    "red": ("REFUSED", "UNCOVERED", "CONFLICT", "KEPT", "Revoked", "Cancelled", "quarantined"),
    "yellow": ("WAITING", "Suspended", "Exhausted", "Expired", "SUPERSEDED", "Unknown", "no answer"),
    "dim": ("CLOSED", "ALREADY_DONE", "WITHDRAWN", "UNRESERVED"),
}
