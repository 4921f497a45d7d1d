"""How a supplementary declaration names the simplified ones that it supplements (UCC Art. 167)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from certex_bridge.ledger.domain.facts import Facts

SUPPLEMENTARY_TYPES = frozenset("UVXYZ")
"""Additional declaration types (D.E. 11 02) of supplementary declarations; U and V recapitulate many shipments."""

PERIODIC_TYPES = SUPPLEMENTARY_TYPES - {"X"}
"""Of them those that may stand for a period, with the goods of several simplified declarations (UCC Art. 167(1))."""


@dataclass(frozen=True, slots=True, order=True)
class SimplifiedReference:
    """A simplified declaration that a supplementary one names as previous document (D.E. 12 01; UCC Art. 167(4))."""

    mrn: str
    item: int = 0
    """The goods item of it that is meant; 0: the whole declaration."""


def simplified_of(facts: Facts) -> tuple[SimplifiedReference, ...]:
    """Every simplified declaration that the declaration names, as a whole or on an item."""
    items = facts.payload.items if facts.payload is not None else ()
    return (*facts.simplified, *[reference for item in items for reference in item.simplified])
