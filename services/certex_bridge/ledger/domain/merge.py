"""Merging facts: commutative, associative, idempotent, so order and duplicates of events do not matter."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from certex_bridge.ledger.domain.content import Payload
from certex_bridge.ledger.domain.facts import ALL_ITEMS, Captured, Facts, ItemRelease, Override
from certex_bridge.ledger.domain.requests import Request, RequestDecision
from certex_bridge.ledger.domain.simplified import SimplifiedReference
from certex_bridge.ledger.domain.stamps import Stamp
from certex_bridge.ledger.domain.superseded import superseded

_Name = TypeVar("_Name", str, SimplifiedReference)


def merge(a: Facts, b: Facts) -> Facts:
    """The least set of facts that holds both; the payload with the greatest version wins.

    Acceptance is the earliest told, releases the latest told per item, invalidation absorbs (it is never untold).
    """
    if a is b or a == _EMPTY:
        return b
    if b == _EMPTY:
        return a
    newest = _newer_payload(a, b)
    first_accepted = _first_accepted(a, b)
    last_exit = b if _latest(a.exit_told, b.exit_told) != a.exit_told else a
    first_invalidated = b if _earlier(b.invalidated, a.invalidated) else a
    return Facts(
        payload=_content(a, b, newest),
        payload_rank=newest.payload_rank,
        superseded=superseded(a, b),
        lodged=_earliest(a.lodged, b.lodged),
        presented=_latest(a.presented, b.presented),
        accepted=first_accepted.accepted,
        acceptance_day=first_accepted.acceptance_day,
        releases=_merge_releases(a.releases, b.releases),
        invalidated=first_invalidated.invalidated,
        invalidation_reason=first_invalidated.invalidation_reason,
        rejected=_earliest(a.rejected, b.rejected),
        exited=_earliest(a.exited, b.exited),
        exit_told=last_exit.exit_told,
        exit_day=last_exit.exit_day,
        not_presented=_earliest(a.not_presented, b.not_presented),
        release_overdue=_earliest(a.release_overdue, b.release_overdue),
        recheck=_latest(a.recheck, b.recheck),
        mrn=max(a.mrn, b.mrn),
        lrn=max(a.lrn, b.lrn),
        exporter=max(a.exporter, b.exporter),
        requests=_merge_requests(a.requests, b.requests),
        decisions=_merge_decisions(a.decisions, b.decisions),
        simplified=_union(a.simplified, b.simplified),
        supplements=_union(a.supplements, b.supplements),
        overrides=_merge_overrides(a.overrides, b.overrides),
        captured=_merge_captured(a.captured, b.captured),
    )


_EMPTY = Facts()


def _newer_payload(a: Facts, b: Facts) -> Facts:
    """Greatest (supplementary, version); of the same version the first told, so that a re-sent one is not newer."""
    mine, other = a.payload_rank, b.payload_rank
    if other is None:
        return a
    if mine is None:
        return b
    if mine.order != other.order:
        return b if other.order > mine.order else a
    return b if other.stamp < mine.stamp else a


def _content(a: Facts, b: Facts, newest: Facts) -> Payload | None:
    """The newest content; an office or exporter that only the other telling of the same version states is kept."""
    one, two = a.payload, b.payload
    if one is None or two is None or one is two or a.payload_rank is None or b.payload_rank is None:
        return newest.payload
    if a.payload_rank.order != b.payload_rank.order or newest.payload is None:
        return newest.payload
    office, exporter = max(one.office, two.office), max(one.exporter, two.exporter)
    if (office, exporter) == (newest.payload.office, newest.payload.exporter):
        return newest.payload
    return replace(newest.payload, office=office, exporter=exporter)


def _first_accepted(a: Facts, b: Facts) -> Facts:
    return b if _earlier(b.accepted, a.accepted) else a


def _earlier(one: Stamp | None, other: Stamp | None) -> bool:
    return one is not None and (other is None or one < other)


def _earliest(one: Stamp | None, other: Stamp | None) -> Stamp | None:
    return one if _earlier(one, other) else other


def _latest(one: Stamp | None, other: Stamp | None) -> Stamp | None:
    if one is None or other is None:
        return one or other
    return max(one, other)


def _union(a: tuple[_Name, ...], b: tuple[_Name, ...]) -> tuple[_Name, ...]:
    return a if a == b else tuple(sorted(set(a) | set(b)))


def _merge_requests(a: tuple[Request, ...], b: tuple[Request, ...]) -> tuple[Request, ...]:
    if not a or not b or a == b:
        return a or b
    held = {request.asked: request for request in (*a, *b)}
    return tuple([held[stamp] for stamp in sorted(held)])


def _merge_decisions(a: tuple[RequestDecision, ...], b: tuple[RequestDecision, ...]) -> tuple[RequestDecision, ...]:
    """One decision for each message: sent twice, it is the first one."""
    if not a or not b or a == b:
        return a or b
    first: dict[str, RequestDecision] = {}
    for decision in sorted((*a, *b), key=lambda one: one.stamp):
        first.setdefault(decision.sha256 or decision.stamp.event_id, decision)
    return tuple(first.values())


def _merge_releases(
    a: tuple[tuple[int, ItemRelease], ...], b: tuple[tuple[int, ItemRelease], ...]
) -> tuple[tuple[int, ItemRelease], ...]:
    if not a or not b or a == b:
        return a or b
    last = {(item, release.released): release for item, release in a}
    for item, release in b:
        known = last.get((item, release.released))
        if known is None or release.stamp > known.stamp:
            last[item, release.released] = release
    return tuple([(item, last[item, released]) for item, released in sorted(last)])


def _merge_overrides(a: tuple[Override, ...], b: tuple[Override, ...]) -> tuple[Override, ...]:
    if not a or not b or a == b:
        return a or b
    last = {one.place: one for one in a}
    for told in b:
        known = last.get(told.place)
        if known is None or told.stamp > known.stamp:
            last[told.place] = told
    return tuple([last[place] for place in sorted(last)])


def _merge_captured(a: tuple[Captured, ...], b: tuple[Captured, ...]) -> tuple[Captured, ...]:
    if not a or not b or a == b:
        return a or b
    last = {one.write_off.licence_id: one for one in a}
    for told in b:
        known = last.get(told.write_off.licence_id)
        if known is None or told.stamp > known.stamp:
            last[told.write_off.licence_id] = told
    return tuple([last[licence_id] for licence_id in sorted(last)])


def last_word(facts: Facts, item: int) -> ItemRelease | None:
    """The decision that counts for this item: the latest release, or the latest refusal that names it.

    A refusal that names no item is about what is not released yet (IR 2024/2145 Art. 6(4)): it never takes back an
    item that was released before.
    """
    release, refusal, refusal_of_the_rest = _decisions_on(facts, item)
    if release is None:
        return _latest_of(refusal, refusal_of_the_rest)
    return _latest_of(release, refusal)


def _decisions_on(facts: Facts, item: int) -> tuple[ItemRelease | None, ItemRelease | None, ItemRelease | None]:
    """Latest release that covers the item, latest refusal that names it, latest refusal that names none."""
    release: ItemRelease | None = None
    refusal: ItemRelease | None = None
    of_the_rest: ItemRelease | None = None
    for number, decision in facts.releases:
        if decision.released and number in (item, ALL_ITEMS):
            release = _latest_of(release, decision)
        elif not decision.released and number == item:
            refusal = decision
        elif not decision.released and number == ALL_ITEMS:
            of_the_rest = decision
    return release, refusal, of_the_rest


def _latest_of(one: ItemRelease | None, other: ItemRelease | None) -> ItemRelease | None:
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda decision: decision.stamp)
