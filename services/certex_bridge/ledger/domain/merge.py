"""Merging facts: commutative, associative, idempotent, so order and duplicates of events do not matter."""

from __future__ import annotations

from dataclasses import replace

from certex_bridge.ledger.domain.facts import ALL_ITEMS, Captured, Facts, ItemRelease, Override, Payload, Request, Stamp


def merge(a: Facts, b: Facts) -> Facts:
    """The least set of facts that holds both; the payload with the greatest version wins.

    Acceptance is the earliest told, releases the latest told per item, invalidation absorbs (it is never untold). Of
    two generations the later holds alone.
    """
    if a is b or a == _EMPTY:
        return b
    if b == _EMPTY:
        return a
    if a.generation != b.generation:
        return b if _later(b.generation, a.generation) else a
    newest = _newer_payload(a, b)
    first_accepted = _first_accepted(a, b)
    first_invalidated = b if _earlier(b.invalidated, a.invalidated) else a
    return Facts(
        payload=_content(a, b, newest),
        payload_rank=newest.payload_rank,
        lodged=_earliest(a.lodged, b.lodged),
        presented=_latest(a.presented, b.presented),
        accepted=first_accepted.accepted,
        acceptance_day=first_accepted.acceptance_day,
        releases=_merge_releases(a.releases, b.releases),
        invalidated=first_invalidated.invalidated,
        invalidation_reason=first_invalidated.invalidation_reason,
        rejected=_earliest(a.rejected, b.rejected),
        exited=_earliest(a.exited, b.exited),
        not_presented=_earliest(a.not_presented, b.not_presented),
        recheck=_latest(a.recheck, b.recheck),
        mrn=max(a.mrn, b.mrn),
        lrn=max(a.lrn, b.lrn),
        exporter=max(a.exporter, b.exporter),
        requests=_merge_requests(a.requests, b.requests),
        simplified=max(a.simplified, b.simplified),
        supplements=_union(a.supplements, b.supplements),
        generation=a.generation,
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


def _later(one: Stamp | None, other: Stamp | None) -> bool:
    return one is not None and (other is None or one > other)


def _union(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    return a if a == b else tuple(sorted({*a, *b}))


def _merge_requests(a: tuple[Request, ...], b: tuple[Request, ...]) -> tuple[Request, ...]:
    if not a or not b or a == b:
        return a or b
    known = {request.reference: request for request in a}
    for told in b:
        held = known.get(told.reference)
        known[told.reference] = told if held is None else _merge_request(held, told)
    return tuple([known[reference] for reference in sorted(known)])


def _merge_request(a: Request, b: Request) -> Request:
    asked = b if _earlier(b.asked, a.asked) else a
    return Request(
        a.reference,
        asked.asked,
        asked.changes,
        asked.content,
        _earliest(a.granted, b.granted),
        _earliest(a.refused, b.refused),
        _earliest(a.rejected, b.rejected),
    )


def _merge_releases(
    a: tuple[tuple[int, ItemRelease], ...], b: tuple[tuple[int, ItemRelease], ...]
) -> tuple[tuple[int, ItemRelease], ...]:
    if not a or not b or a == b:
        return a or b
    last = dict(a)
    for item, release in b:
        known = last.get(item)
        if known is None or release.stamp > known.stamp:
            last[item] = release
    return tuple(sorted(last.items(), key=lambda pair: pair[0]))


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
    """The latest release or refusal that covers this item, named or for the whole declaration."""
    found: ItemRelease | None = None
    for number, release in facts.releases:
        if number in (item, ALL_ITEMS) and (found is None or release.stamp > found.stamp):
            found = release
    return found
