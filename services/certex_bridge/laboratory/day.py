"""A day of the European Union: all records of the laboratory in the order they are sent, in five waves.

The same seed, sizes and date give the same records, byte for byte. What becomes of two declarations that compete for
the rest of one licence line depends, as in life, on which of them is taken in first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import NamedTuple

from certex_bridge.laboratory.acts import act, changes
from certex_bridge.laboratory.declarations import Exporters
from certex_bridge.laboratory.faults import Office, faults
from certex_bridge.laboratory.licences import PROPORTIONS_2022, Authorities, Book, Issued, issue_event, local, shares
from certex_bridge.laboratory.lives import AT_HOME, LIMITED, PATHS, Clock, Path, Sent, play, transit, unknown_licence
from certex_bridge.laboratory.messages import Fate, Message

WAVES = ("licences of the past", "morning: lodged, accepted", "noon: licences change", "afternoon: released", "evening")
_ENDS = (4.0, 12.0, 13.0, 18.0, 48.0)
"""Hours at which the waves end."""

_LATE_LICENCES = 0.02
"""Part of the individual and global licences whose issue event comes in the evening only."""
_CLAIMS_PER_DECLARATION = 3
_LINES_PER_LICENCE = 2
_FAULT_ROUND_PER = 600
"""Declarations per round of every fault."""


@dataclass(frozen=True, slots=True)
class Wave:
    """Records that are sent together; the next wave begins when these are taken in."""

    name: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """All records of one day, and the laboratory's own count of what it sent."""

    day: date
    waves: tuple[Wave, ...]

    @property
    def messages(self) -> list[Message]:
        """All records in order."""
        return [message for wave in self.waves for message in wave.messages]

    def sent(self) -> Counter[str]:
        """Records by what the laboratory calls them."""
        return Counter(message.label for message in self.messages)

    def fates(self) -> Counter[Fate]:
        """Records by what must become of them."""
        return Counter(message.fate for message in self.messages)

    def answered(self) -> set[str]:
        """Ids that must be in the inbox with an answer."""
        return {message.event_id for message in self.messages if message.fate is Fate.ANSWERED}


def with_records(day: Day, sent: Iterable[Sent]) -> Day:
    """The day with more records, each at the end of the wave in which it is sent."""
    waves = zip(day.waves, _waves(list(sent), day.day), strict=True)
    return replace(day, waves=tuple([replace(wave, messages=wave.messages + more.messages) for wave, more in waves]))


class Special(NamedTuple):
    """Licences outside the book that some paths cite."""

    unknown: tuple[Issued, ...]
    """Issued in the evening, or never."""
    transit: tuple[Issued, ...]


def make_day(*, licences: int, declarations: int, seed: int, day: date) -> Day:
    """The records of one day.

    Args:
        licences: how many are issued before the day begins, in the proportions of 2022; at least 1.
        declarations: how many live their life on this day.
        seed: another one, another day.
        day: the calendar day it is played on.
    """
    random = Random(f"certex-bridge laboratory {seed}")  # noqa: S311  # repeatable on purpose, nothing secret
    limited = max(1, shares(licences, PROPORTIONS_2022)["INDIVIDUAL"])
    authorities = Authorities(random, day, _CLAIMS_PER_DECLARATION * declarations // (limited * _LINES_PER_LICENCE))
    book = authorities.book(licences)
    sent: list[Sent] = []
    for licence in book.licences:
        licence.known = licence.kind in {"EUGEA", "NGEA"} or random.random() >= _LATE_LICENCES
    late, ghosts = _unknown(book, authorities, random)
    issued = [(one, _issue(one, day, random, hour=0)) for one in book.licences if one.known]
    sent += [event for _, event in issued]
    sent += [_issue(licence, day, random, hour=18) for licence in late]
    exporters = Exporters(random, day, book, declarations)
    crossing = [authorities.licence("TRANSIT", random.choice(book.companies)) for _ in range(1 + licences // 200)]
    sent += [_issue(one, day, random, hour=0) for one in crossing]
    sent += _lives(exporters, book, Special((*late, *ghosts), tuple(crossing)), declarations, random, day)
    office = Office(authorities, exporters, [(one, event.message) for one, event in issued])
    sent += faults(office, day, max(1, declarations // _FAULT_ROUND_PER))
    sent += changes(book, day, random)
    sent += _old_versions(book, day)
    return Day(day, _waves(sent, day))


def _unknown(book: Book, authorities: Authorities, random: Random) -> tuple[list[Issued], list[Issued]]:
    """Licences that are cited before they are issued, and some that never are (they stay in nobody's book)."""
    late = [licence for licence in book.licences if not licence.known]
    limited = [one for one in book.licences if one.kind == "INDIVIDUAL" and one.known]
    if not late and len(limited) > 1:
        limited[0].known = False
        late = [limited[0]]
    ghosts = [authorities.licence("INDIVIDUAL", random.choice(book.licences).holder) for _ in range(2)]
    return late, ghosts


def _issue(licence: Issued, day: date, random: Random, *, hour: int) -> Sent:
    at = local(day, hour + random.random() * 0.9, licence.wire["issuer"])
    return Sent(at, issue_event(licence, at))


def _lives(
    exporters: Exporters, book: Book, special: Special, declarations: int, random: Random, day: date
) -> list[Sent]:
    paths: list[Path] = []
    named = {path.__name__: path for path in PATHS}
    for name, count in shares(declarations, {path.__name__: part for path, part in PATHS.items()}).items():
        paths += [named[name]] * count
    random.shuffle(paths)
    limited = [one for one in book.of_kind("INDIVIDUAL") if one.known] or book.licences
    sent: list[Sent] = []
    for path in paths:
        licence = None
        if path is unknown_licence:
            licence = random.choice(special.unknown)
        elif path is transit:
            licence = random.choice(special.transit)
        elif path in LIMITED:
            licence = random.choice(limited)
        plan = exporters.plan(licence=licence, at_home=path in AT_HOME)
        sent += play(path, plan, _clock(plan.office[:2], random, day), random)
    return sent


def _clock(state: str, random: Random, day: date) -> Clock:
    def at(first: float, last: float) -> datetime:
        return local(day, random.uniform(first, last), state).replace(microsecond=0)

    accepted = at(8, 11.8)
    return Clock(accepted, max(at(12, 12.95), accepted + timedelta(minutes=1)), at(13.1, 17.8), at(18.1, 21.9))


def _old_versions(book: Book, day: date) -> list[Sent]:
    """A version older than the one in force arrives in the evening."""
    changed = [licence for licence in book.licences if licence.wire["version"] > 1][:3]
    sent = []
    for licence in changed:
        at = local(day, 19, licence.wire["issuer"])
        before, version = licence.wire, licence.wire["version"]
        licence.wire = before | {"version": version - 2, "applicationNumber": "an older form", "status": "VALID"}
        if version > 1:
            sent.append(Sent(at, act(licence, "modified", at, "lower version")))
        licence.wire = before
    return sent


def _waves(sent: list[Sent], day: date) -> tuple[Wave, ...]:
    begin = local(day, 0, "BE")
    sent.sort(key=lambda one: one.at)
    waves: list[list[Message]] = [[] for _ in WAVES]
    for one in sent:
        hours = (one.at - begin).total_seconds() / 3600
        waves[next(number for number, end in enumerate(_ENDS) if hours < end)].append(one.message)
    return tuple(Wave(name, tuple(messages)) for name, messages in zip(WAVES, waves, strict=True))
