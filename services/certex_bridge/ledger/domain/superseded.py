"""Earlier versions of a declaration's content: enough of them to tell another declaration's content from its own.

A version that a later one replaced books nothing any more. Whether a lodging can be a declaration depends on every
version that both tell: the order in which lodging and amendments arrive must not decide it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from certex_bridge.ledger.domain.content import Payload
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.issuers import as_declared
from certex_bridge.ledger.domain.stamps import PayloadRank, SupersededContent


def fingerprint(payload: Payload) -> str:
    """The same for contents that declare the same: sha256 over all fields, equal amounts written alike."""
    return hashlib.sha256("\x1f".join(_leaves(as_declared(payload))).encode()).hexdigest()


def _leaves(value: Any) -> Iterator[str]:
    if is_dataclass(value):
        for field in fields(value):
            yield from _leaves(getattr(value, field.name))
    elif isinstance(value, tuple):
        yield str(len(value))
        for one in value:
            yield from _leaves(one)
    else:
        yield repr(value.normalize() if isinstance(value, Decimal) else value)


def superseded(a: Facts, b: Facts) -> tuple[SupersededContent, ...]:
    """Every version told that is not the newest, of each what was told first; sorted by version."""
    older = _replaced(a, b)
    if older is None and a.superseded == b.superseded:
        return a.superseded
    told: dict[tuple[int, int], SupersededContent] = {}
    for one in (*a.superseded, *b.superseded, *((older,) if older else ())):
        known = told.get(one.rank.order)
        if known is None or one.rank.stamp < known.rank.stamp:
            told[one.rank.order] = one
    return tuple([told[order] for order in sorted(told)])


def _replaced(a: Facts, b: Facts) -> SupersededContent | None:
    """The content of which the other tells a later version."""
    one, other = _content(a), _content(b)
    if one is None or other is None or one[0].order == other[0].order:
        return None
    rank, payload = min(one, other, key=lambda told: told[0].order)
    return SupersededContent(rank, fingerprint(payload))


def _content(facts: Facts) -> tuple[PayloadRank, Payload] | None:
    return (facts.payload_rank, facts.payload) if facts.payload_rank and facts.payload else None


def conflicts(held: Facts, told: Facts) -> bool:
    """Whether the newest version of both has two contents."""
    one, other = _content(held), _content(told)
    if one is None or other is None or one[0].order != other[0].order:
        return False
    return one[1] != other[1] and as_declared(one[1]) != as_declared(other[1])


def contradicts(one: Facts, other: Facts) -> bool:
    """Whether any version that both tell has two contents: then they are of two declarations."""
    if conflicts(one, other):
        return True
    if not (one.superseded or other.superseded):
        return False
    mine, theirs = _versions(one), _versions(other)
    return any(mine[order] != theirs[order] for order in mine.keys() & theirs.keys())


def _versions(facts: Facts) -> dict[tuple[int, int], str]:
    told = {one.rank.order: one.fingerprint for one in facts.superseded}
    newest = _content(facts)
    return told | {newest[0].order: fingerprint(newest[1])} if newest else told
