"""The part of a day's declarations that customs clear over HTTP: taken out of the day's records, told as calls.

A declaration is told in one way only, by record or by call, except what the single window has no function for (the
exit): that stays a record.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from certex_bridge.laboratory.customs_client import Manner
from certex_bridge.laboratory.customs_requests import KINDS, movement_of
from certex_bridge.laboratory.messages import DECLARATIONS, Fate

if TYPE_CHECKING:
    from certex_bridge.laboratory.day import Day
    from certex_bridge.laboratory.messages import Message, Wire

SHARE = 0.1
LEAST = 100
"""Declarations that are cleared over HTTP at least, as long as the other half is left to the records."""
_RECORDS_ONLY = frozenset({"exit-confirmed"})
_FIGURE = re.compile(r"[0-9]{1,16}(\.[0-9]{1,6})?").fullmatch
_ODD = {"same id, same content": Manner.TWICE, "same content, new id": Manner.FORGETFUL}
"""What a record sent once more is as a call."""


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a declaration, to be told by a call."""

    mrn: str
    told: Wire
    """The movement, without header."""
    at: datetime
    """When it happened."""
    manner: Manner = Manner.PLAIN


@dataclass(frozen=True, slots=True)
class Split:
    """A day in two parts."""

    records: Day
    calls: tuple[tuple[Step, ...], ...]
    """Steps by wave, in order."""

    @property
    def declarations(self) -> list[str]:
        """MRNs of what is cleared over HTTP."""
        return sorted({step.mrn for wave in self.calls for step in wave})


class _Taken(NamedTuple):
    """A declaration that is taken out of the records."""

    manners: Mapping[str, Manner]
    """By event id."""
    content: Wire
    """As accepted."""


def split_day(day: Day) -> Split:
    """Take a part of the declarations out of the records; the same day, the same part."""
    events: dict[str, list[Message]] = {}
    for message in day.messages:
        if message.topic == DECLARATIONS and message.key:
            events.setdefault(message.key.decode("utf-8", "replace"), []).append(message)
    # What belongs to a supplementary declaration told by a record is decided when that is taken in, between two calls.
    joint = _supplemented(day)
    able = [mrn for mrn, told in events.items() if mrn not in joint and _tellable(told)]
    wanted = min(max(LEAST, round(SHARE * len(events))), len(able) // 2)
    chosen = set(able[:: max(1, len(able) // wanted)][:wanted]) if wanted else set()
    taken = {mrn: _taken(events[mrn]) for mrn in chosen}
    calls = []
    waves = []
    for wave in day.waves:
        mine = [one for one in wave.messages if _is_taken(one, chosen)]
        waves.append(replace(wave, messages=tuple(one for one in wave.messages if not _is_taken(one, chosen))))
        calls.append(tuple(step for one in mine if (step := _step(one, taken)) is not None))
    return Split(replace(day, waves=tuple(waves)), tuple(calls))


def _supplemented(day: Day) -> set[str]:
    """MRNs of simplified declarations that a supplementary one names."""
    named: set[str] = set()
    for message in day.messages:
        if _kind(message) == "supplementary":
            data = _data(message)
            named |= {one["mrn"] for one in data.get("simplifiedDeclarations", ())}
            named |= {data["simplifiedMrn"]} if "simplifiedMrn" in data else set()
    return named


def _kind(message: Message) -> str:
    ce_type = next((value.decode() for name, value in message.headers if name == "ce_type"), "")
    return ce_type.split(".")[2] if ce_type.count(".") == 3 else ""


def _tellable(told: Sequence[Message]) -> bool:
    """Accepted first, nothing but what has a function, in the order in which it happened, and no fault."""
    plain = [one for one in told if one.label not in _ODD]
    kinds = [_kind(one) for one in plain]
    if not kinds or kinds[0] != "accepted" or not set(kinds) <= set(KINDS) | _RECORDS_ONLY:
        return False
    if any(
        one.label != f"declaration {kind}" or one.fate is not Fate.ANSWERED
        for one, kind in zip(plain, kinds, strict=True)
    ):
        return False
    if "declaration" not in _data(plain[0]):  # lodged before under its LRN, by a record with another key
        return False
    times = [_at(one) for one in plain]
    return times == sorted(times) and not any(_unreadable(one) for one in plain)


def _unreadable(message: Message) -> bool:
    """A figure that the format of the functions cannot hold."""
    content = _data(message).get("declaration") or {}
    figures = [
        one.get(name, {}).get("amount", "1")
        for item in content.get("items", ())
        for one in item.get("documents", ())
        for name in ("quantity", "value")
    ]
    return not all(map(_FIGURE, figures))


def _taken(told: Sequence[Message]) -> _Taken:
    """A record sent again is a manner of the call that tells it."""
    manners: dict[str, Manner] = {}
    bodies = {one.value: one.event_id for one in told if one.label not in _ODD}
    for one in told:
        manners.setdefault(one.event_id, Manner.PLAIN)
        if one.label in _ODD:
            manners[bodies[one.value]] = _ODD[one.label]
    accepted = next(one for one in told if one.label == "declaration accepted")
    return _Taken(manners, _data(accepted)["declaration"])


def _is_taken(message: Message, chosen: set[str]) -> bool:
    key = (message.key or b"").decode("utf-8", "replace")
    return message.topic == DECLARATIONS and key in chosen and _kind(message) not in _RECORDS_ONLY


def _step(message: Message, taken: Mapping[str, _Taken]) -> Step | None:
    """The call that tells it; None for a record sent again."""
    if message.label in _ODD:
        return None
    data = _data(message)
    mine = taken[data["mrn"]]
    told = movement_of(_kind(message), data, mine.content)
    return Step(data["mrn"], told, _at(message), mine.manners[message.event_id])


def _data(message: Message) -> Wire:
    data: Wire = json.loads(message.value or b"{}")
    return data


def _at(message: Message) -> datetime:
    return datetime.fromisoformat(next(value.decode() for name, value in message.headers if name == "ce_time"))
