"""The day that counts for a declaration (UCC Art. 172(2)): a calendar day at the office where it was lodged.

Acceptance is an act of that office, and its date (D.E. 15 09) is the date of its calendar, whether customs tell it as a
date or as an instant. A licence is valid on calendar days, and in the whole customs territory (Regulation (EU) 2021/821
Art. 12(1)): the two are compared as days, whoever issued the licence.

Of a declaration lodged after the goods left (11 02 R; UCC-DA Art. 249, UCC-IA Art. 337) the day of exit counts: the
question is whether the goods would have been released then.
"""

from __future__ import annotations

from datetime import date, tzinfo
from functools import lru_cache

from certex_bridge.kernel.dates import legal_day, parse_date, parse_instant
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.kernel.identifiers import mrn_member_state
from certex_bridge.ledger.domain.facts import ALL_ITEMS, Facts
from certex_bridge.ledger.domain.policy import Policy

STRICT = Policy()

RETROSPECTIVE = "R"
"""D.E. 11 02: lodged after the goods left."""


def declaring_state(facts: Facts) -> str:
    """The state of the office of declaration: in the MRN, else the office's or the exporter's; empty: not known."""
    if facts.mrn:
        return mrn_member_state(facts.mrn)
    payload = facts.payload
    return ((payload.office or payload.exporter) if payload else facts.exporter)[:2]


def reference_day(facts: Facts, item: int, policy: Policy = STRICT) -> date:
    """The day that counts for one goods item: of a retrospective declaration that of exit, else that of acceptance.

    Raises:
        ValueError: nothing was told of the declaration.
    """
    return exit_counting(facts, item, policy) or _acceptance(facts, item, policy)


def exit_counting(facts: Facts, item: int = ALL_ITEMS, policy: Policy = STRICT) -> date | None:
    """The day of exit, where it counts: it was told of a retrospective declaration, and lies not after acceptance."""
    payload = facts.payload
    if payload is None or payload.additional_type != RETROSPECTIVE or not facts.exit_day:
        return None
    day = day_of(facts.exit_day, policy.zone(declaring_state(facts)))
    return day if day <= _acceptance(facts, item, policy) else None


def exit_remarks(facts: Facts, policy: Policy = STRICT) -> tuple[Finding, ...]:
    """Why a retrospective declaration is judged by the day of acceptance all the same."""
    payload = facts.payload
    if payload is None or payload.additional_type != RETROSPECTIVE or exit_counting(facts, policy=policy) is not None:
        return ()
    if not facts.exit_day:
        message = "a retrospective declaration states when the goods left; the day of acceptance counts"
        return (Finding("DAY_OF_EXIT_MISSING", "dayOfExit", "", message, Severity.WARNING),)
    message = "goods of a retrospective declaration left on or before the day of acceptance; that day counts"
    return (Finding("DAY_OF_EXIT_LATE", "dayOfExit", facts.exit_day, message, Severity.WARNING),)


def told_day(facts: Facts) -> str:
    """What the day that counts is read from, ISO text; empty before acceptance."""
    accepted = facts.acceptance_day or (facts.accepted.occurred_at.isoformat() if facts.accepted else "")
    day = exit_counting(facts) if accepted else None
    return day.isoformat() if day else accepted


def _acceptance(facts: Facts, item: int, policy: Policy) -> date:
    """The day of acceptance, before it that of release or lodging."""
    zone = policy.zone(declaring_state(facts))
    if facts.acceptance_day:
        return day_of(facts.acceptance_day, zone)
    stamp = facts.accepted
    if stamp is None:
        for number, release in facts.releases:
            if number in (0, item):
                stamp = release.stamp
    stamp = stamp or facts.lodged or (facts.payload_rank.stamp if facts.payload_rank else None)
    if stamp is None:
        raise ValueError("a declaration without facts has no reference day")
    return legal_day(stamp.occurred_at, zone)


@lru_cache(maxsize=4096)
def day_of(text: str, zone: tzinfo) -> date:
    """The calendar day of a date or an instant (ISO text) where this legal time counts."""
    if len(text) == len("2026-12-31"):
        return parse_date(text)
    return legal_day(parse_instant(text, zone), zone)
