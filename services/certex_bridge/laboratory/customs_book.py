"""What a customs system writes down of its declarations and of the licence lines it draws on."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

ZERO = Decimal(0)
ANY = frozenset({""})
"""Refusals of a call that is surely taken: none."""

Place = tuple[int, int]
"""Goods item and document."""
LineKey = tuple[str, int]
"""Licence (issuer/number) and line."""


class Amounts(NamedTuple):
    """A quantity and a value."""

    quantity: Decimal = ZERO
    value: Decimal = ZERO

    def plus(self, other: Amounts) -> Amounts:
        """The sum."""
        return Amounts(self.quantity + other.quantity, self.value + other.value)

    def minus(self, other: Amounts) -> Amounts:
        """The difference."""
        return Amounts(self.quantity - other.quantity, self.value - other.value)

    def exceeds(self, other: Amounts) -> bool:
        """Whether one of the two is more."""
        return self.quantity > other.quantity or self.value > other.value


NONE = Amounts()


@dataclass(slots=True)
class Line:
    """A licence line: its limits (None: not limited) and what is in use of them."""

    quantity: Decimal | None = None
    value: Decimal | None = None
    reserved: Amounts = NONE
    consumed: Amounts = NONE

    def limited(self, told: Amounts) -> Amounts:
        """The part that is written off: only what the line limits."""
        return Amounts(
            told.quantity if self.quantity is not None else ZERO, told.value if self.value is not None else ZERO
        )

    @property
    def available(self) -> Amounts:
        """What is left; beyond the limit nothing."""
        used = self.reserved.plus(self.consumed)
        return Amounts(max(ZERO, (self.quantity or ZERO) - used.quantity), max(ZERO, (self.value or ZERO) - used.value))

    @property
    def exhausted(self) -> bool:
        """Whether one of its limits is consumed."""
        return (self.quantity is not None and self.consumed.quantity >= self.quantity) or (
            self.value is not None and self.consumed.value >= self.value
        )


@dataclass(slots=True)
class Held:
    """One citation of a declaration, and what it holds."""

    line: LineKey | None
    """None: followed, not foreseen."""
    declared: Amounts
    state: str = ""
    outcomes: frozenset[str] = frozenset()
    """What the answer may call it; empty: anything."""
    short: frozenset[str] = frozenset()
    """Codes of what was missing, when it was refused for want of room."""
    reserved: Amounts = NONE
    consumed: Amounts = NONE

    @property
    def in_use(self) -> Amounts:
        """Reserved or consumed."""
        return self.reserved.plus(self.consumed)


@dataclass(slots=True)
class Declared:
    """A declaration as customs know it."""

    version: int
    content: object
    held: dict[Place, Held]
    items: frozenset[int]
    ended: str = ""
    """INVALIDATED or NOT_RELEASED, when the whole of it ended so."""
    released: bool = False


@dataclass(slots=True)
class Foreseen:
    """What a call should come to."""

    refusals: frozenset[str]
    """Codes one of which refuses the call; an empty one: it is taken."""
    mrn: str = ""
    after: Declared | None = None
    lines: dict[LineKey, Line] = field(default_factory=dict)
    named: tuple[Place, ...] = ()
    """Claims that the answer must tell of."""

    @property
    def taken(self) -> bool:
        """Whether the call may have an effect."""
        return "" in self.refusals


class Scratch:
    """Copies of what a call may change."""

    def __init__(self, lines: Mapping[LineKey, Line]) -> None:
        self._lines = lines
        self.changed: dict[LineKey, Line] = {}

    def line(self, key: LineKey) -> Line:
        """The line, to be changed."""
        if key not in self.changed:
            self.changed[key] = copy.copy(self._lines[key])
        return self.changed[key]

    def move(self, held: Held, reserved: Amounts, consumed: Amounts) -> None:
        """Let a citation hold this much."""
        if held.line is not None:
            line = self.line(held.line)
            line.reserved = line.reserved.minus(held.reserved).plus(reserved)
            line.consumed = line.consumed.minus(held.consumed).plus(consumed)
        held.reserved, held.consumed = reserved, consumed
