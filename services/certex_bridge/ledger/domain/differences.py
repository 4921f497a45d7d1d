"""What differs between two statements about the same thing: the path of each field, what it was, what it is now.

Told to whoever must find out which of two messages is right, so it is bounded, and persons are named by path alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from itertools import islice
from typing import Any, NamedTuple

from certex_bridge.kernel.amounts import Money, Quantity, format_decimal
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.issuers import as_declared

DIFFERENCES_TOLD = 5
"""Fields named one by one; that there are more is said."""
VALUE_LENGTH = 70

_LEAVES = (Quantity, Money, Decimal, date, Enum, str, int, bytes)
_KEYS = ("number", "doc_seq", "seq", "line_no")
"""What entries of a list are known by, in this order; entries without one are known by their place."""
_NAMES = {
    "claims": "documents", "header_claims": "documents", "line_no": "line", "document_code": "type",
    "additional_type": "additionalType", "declaration_type": "type", "licence_id": "licence",
}  # fmt: skip
_STATEMENT = "told"
"""What an amendment says about a document: its fields are the document's."""
_UNSAID = frozenset({"findings", "issuer_from", "version"})
"""What follows from the rest, or is what the two have in common."""
_PERSONAL = frozenset({"name", "consignee_name", "street", "city", "postcode"})


class Difference(NamedTuple):
    """One field that the two say differently."""

    field: str
    before: str
    """Bounded text; empty where it was not stated."""
    now: str

    @property
    def sentence(self) -> str:
        """In words."""
        if self.before == self.now:
            return f"{self.field} differs"
        return f"{self.field} was {self.before or 'not stated'}, is now {self.now or 'not stated'}"


class Conflicting(NamedTuple):
    """A version that came again with other content."""

    about: str
    """version."""
    value: str
    """Which one."""
    earlier: str
    """The event that told it first."""
    found: tuple[Difference, ...]

    @property
    def field(self) -> str:
        """The first field that differs."""
        return self.found[0].field if self.found else self.about

    @property
    def told(self) -> str:
        """What it is now said to be."""
        return self.found[0].now if self.found else self.value

    def sentence(self, decl_id: str) -> str:
        """In words, for whoever has to decide which one is right."""
        return (
            f"Declaration {decl_id}: {self.about} {self.value} arrived before with other content, "
            f"in event {self.earlier}; that one counts. {in_words(self.found)}"
        )


def differences(before: object, now: object) -> tuple[Difference, ...]:
    """Every field that two values of one type say differently, in their order; one more than are told, at most."""
    return tuple(islice(_walk("", before, now), DIFFERENCES_TOLD + 1))


def in_words(found: tuple[Difference, ...]) -> str:
    """The differences as a sentence."""
    told = "; ".join(one.sentence for one in found[:DIFFERENCES_TOLD])
    more = "; and more" if len(found) > DIFFERENCES_TOLD else ""
    return f"{told}{more}." if told else ""


def conflicting(held: Facts, told: Facts) -> Conflicting:
    """What two statements about one version of a declaration contradict each other in."""
    if held.payload is None or told.payload is None or held.payload_rank is None:
        return Conflicting("version", "", "", ())
    rank = held.payload_rank
    found = differences(as_declared(held.payload), as_declared(told.payload))
    return Conflicting("version", str(rank.version), rank.stamp.event_id, found)


def _walk(path: str, before: Any, now: Any) -> Iterator[Difference]:
    if before == now:
        return
    if isinstance(before, tuple) and isinstance(now, tuple):
        yield from _entries(path, before, now)
    elif is_dataclass(before) and type(before) is type(now) and not isinstance(before, _LEAVES):
        for one in fields(before):
            if one.name in _UNSAID:
                continue
            name = f"{path}.{_camel(one.name)}" if path else _camel(one.name)
            name = path if one.name == _STATEMENT else name
            pair = (getattr(before, one.name), getattr(now, one.name))
            if one.name in _PERSONAL and pair[0] != pair[1]:
                yield Difference(name, "", "")
            else:
                yield from _walk(name, *pair)
    else:
        yield Difference(path or "content", _shown(before), _shown(now))


def _entries(path: str, before: tuple[Any, ...], now: tuple[Any, ...]) -> Iterator[Difference]:
    old, new = _keyed(before), _keyed(now)
    for key in [*old, *[key for key in new if key not in old]]:
        yield from _walk(f"{path}[{key}]", old.get(key), new.get(key))


def _keyed(entries: tuple[Any, ...]) -> dict[object, Any]:
    keyed = {_key(entry, place): entry for place, entry in enumerate(entries, 1)}
    return keyed if len(keyed) == len(entries) else dict(enumerate(entries, 1))


def _key(entry: Any, place: int) -> object:
    return next((getattr(entry, name) for name in _KEYS if getattr(entry, name, None) is not None), place)


def _camel(name: str) -> str:
    first, *rest = _NAMES.get(name, name).split("_")
    return first + "".join(word.capitalize() for word in rest)


def _shown(value: object) -> str:
    """A value in few characters; of what has parts, only that it is there."""
    if value is None or value == ():
        return ""
    if isinstance(value, Decimal):
        return format_decimal(value)
    return str(value)[:VALUE_LENGTH] if isinstance(value, _LEAVES) else "stated"
