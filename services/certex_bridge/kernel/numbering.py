"""How an issuer's licence numbers are compared: what of a written number is no part of its identity.

Blanks around a number and the case of its letters never count. What else does not count is a matter of the issuer, and
data: `schemas/rules/licence-numbers.json` says the same with its sources, and a test compares the two. The same table
is used when a licence is issued and when it is cited, so both sides always come to the same identity.

Stored identities are made with it: a change of this table is a migration of the ledger, and therefore no setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Numbering(NamedTuple):
    """What does not count in the numbers of one issuer."""

    ignored: str = ""
    """Characters that are left out wherever they stand."""
    suffixes: tuple[str, ...] = ()
    """Ends of a number that are left out, in capitals and without ignored characters; the first that fits."""


AS_WRITTEN = Numbering()
"""Of every issuer without an entry: only case and blanks around the number do not count."""

NUMBERINGS: Mapping[str, Numbering] = MappingProxyType({"GB": Numbering(ignored=" ")})
"""Issuer to its numbering. United Kingdom: traders are asked to declare references without blanks."""


def numbering_of(issuer: str) -> Numbering:
    """The numbering of an issuer."""
    return NUMBERINGS.get(issuer, AS_WRITTEN)


def normalised(number: str, numbering: Numbering = AS_WRITTEN) -> str:
    """The number as it is compared; never empty where the number as written is not."""
    trimmed = number.strip()
    capitals = trimmed.upper() if trimmed.isascii() else "".join(map(_capital, trimmed))
    if not numbering.ignored and not numbering.suffixes:
        return capitals
    kept = "".join([character for character in capitals if character not in numbering.ignored])
    suffix = next((one for one in numbering.suffixes if kept.endswith(one) and kept != one), "")
    return kept.removesuffix(suffix) or capitals


def spellings(number: str) -> frozenset[str]:
    """The number as each issuer would compare it: whoever issued it, the licence is known under one of these."""
    return frozenset({normalised(number), *[normalised(number, one) for one in NUMBERINGS.values()]})


def _capital(character: str) -> str:
    """The capital, unless it is another letter's capital too (dotless i, long s, ligatures).

    Upper-casing must not merge two numbers that differ on paper.
    """
    capital = character.upper()
    return capital if capital.lower() == character else character
