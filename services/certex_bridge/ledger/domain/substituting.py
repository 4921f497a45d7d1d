"""One simplified declaration, whose content its supplementary ones state instead of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from certex_bridge.ledger.domain.content import ClaimSpec, Item, Payload
from certex_bridge.ledger.domain.facts import Facts, ItemRelease
from certex_bridge.ledger.domain.instrument import Instrument, Unit, as_released, rank_of, ruled
from certex_bridge.ledger.domain.merge import last_word
from certex_bridge.ledger.domain.simplified import PERIODIC_TYPES

ADDED_ITEM = 10_000
"""First number of goods of one item that need an item of their own; declared ones end before it."""


def replaced(group: Instrument, mrn: str, units: Sequence[Unit]) -> Facts:
    """The simplified declaration with the items that its supplementary ones state instead of its own.

    An item that cites no licence says nothing about one: what it stands for keeps its figures.
    """
    main = group.facts[mrn]
    payload = main.payload
    telling = sorted((unit for unit in units if unit.item.claims), key=_order)
    if payload is None or not telling:
        return main
    base = as_released(main)
    known = {item.number: item for item in base.items}
    named = {number for unit in telling for number in unit.items_of(mrn)}
    missing = sorted(named - {0} - known.keys())
    if missing:
        group.unallocated(telling, f"{mrn}-{missing[0]}", "the simplified declaration has no such item")
        return main
    covered = named - {0}
    if 0 in named:
        silent = {number for unit in units if not unit.item.claims for number in _stands_for(unit, mrn)}
        covered |= known.keys() - silent
    covering = [item for number, item in known.items() if number in covered]
    if licence_id := _summarised(mrn, telling, covering, known.keys()):
        group.unallocated(
            telling, licence_id, "it states goods items and figures beyond those of the only one it names"
        )
        return main
    placed = {number: item for number, item in known.items() if number not in covered}
    if not placed:
        base = _latest_content(telling, base)
    kept = frozenset(placed)
    releases = dict(main.releases)
    for unit in telling:
        number = min(_stands_for(unit, mrn))
        if number in kept:  # the number belongs to goods that it does not supplement
            number = _free(placed)
        if not _release(main, releases, number, known):
            group.unallocated(telling, mrn, "its items are partly released, and it is not said which is meant")
            return main
        held = placed.get(number)
        together = _together(held, unit.item) if held is not None else _numbered(unit.item, number)
        if together is None:
            fresh = _free(placed)
            _copy_release(main, releases, number, fresh)
            number, together = fresh, _numbered(unit.item, fresh)
        placed[number] = together
    content = replace(base, items=tuple([placed[number] for number in sorted(placed)]))
    counted = replace(main, releases=tuple(sorted(releases.items(), key=lambda pair: pair[0])))
    return ruled(counted, content, telling, partly=bool(kept))


def _order(unit: Unit) -> tuple[str, int]:
    return unit.decl_id, unit.item.number


def _stands_for(unit: Unit, mrn: str) -> set[int]:
    """The items of the simplified declaration that it is about: as named, else the one with its number."""
    return unit.items_of(mrn) - {0} or {unit.item.number}


def _summarised(mrn: str, units: Sequence[Unit], covered: Sequence[Item], known: Collection[int]) -> str:
    """The licence of which periodic supplementary declarations state more than this simplified one released.

    One for a period may stand for several simplified declarations although it names one: goods items that the named
    one does not have, and more of a licence in all, may be the goods of another one, which are written off already.
    Empty where nothing speaks for that; an item that says itself what it is for is believed.
    """
    added = [unit for unit in units if not unit.item.simplified and unit.items_of(mrn) == {0}]
    added = [unit for unit in added if unit.item.number not in known]
    if len(units) <= len(covered) or not any(
        unit.facts.payload and unit.facts.payload.additional_type in PERIODIC_TYPES for unit in added
    ):
        return ""
    stated, held = _totals([unit.item for unit in units]), _totals(covered)
    more = {licence_id for (licence_id, measure), total in stated.items() if total > held.get((licence_id, measure), 0)}
    return min(
        (claim.licence_id for unit in added for claim in unit.item.claims if claim.licence_id in more), default=""
    )


def _totals(items: Iterable[Item]) -> dict[tuple[str, str], Decimal]:
    """What goods items claim in all, by licence and unit or currency."""
    found: dict[tuple[str, str], Decimal] = {}
    for claim in [claim for item in items for claim in item.claims]:
        stated = [(one.unit, one.amount) for one in (claim.quantity,) if one is not None]
        stated += [(one.currency, one.amount) for one in (claim.value,) if one is not None]
        for measure, amount in stated:
            found[claim.licence_id, measure] = found.get((claim.licence_id, measure), Decimal(0)) + amount
    return found


def _latest_content(units: Sequence[Unit], base: Payload) -> Payload:
    """Exporter, destination and so on as the latest supplementary declaration has them."""
    latest = max(units, key=lambda unit: (rank_of(unit.facts).stamp, unit.decl_id)).facts.payload
    assert latest is not None
    headers = {unit.decl_id: unit.facts.payload.header_claims for unit in units if unit.facts.payload}
    claims = tuple([claim for decl_id in sorted(headers) for claim in headers[decl_id]])
    return replace(latest, office=latest.office or base.office, header_claims=claims)


def _free(placed: Mapping[int, Item]) -> int:
    return max([ADDED_ITEM - 1, *placed]) + 1


def _release(main: Facts, releases: dict[int, ItemRelease], number: int, known: Mapping[int, Item]) -> bool:
    """Release goods under another number like the items they came from; False when these differ."""
    if number in known or not main.releases or last_word(main, number) is not None:
        return True
    words = [last_word(main, one) for one in known]
    told = [word for word in words if word is not None]
    if not told:
        return True
    if len(told) < len(words) or len({word.released for word in told}) > 1:
        return False
    releases[number] = ItemRelease(max(word.stamp for word in told), told[0].released)
    return True


def _copy_release(main: Facts, releases: dict[int, ItemRelease], number: int, fresh: int) -> None:
    word = releases.get(number) or last_word(main, number)
    if word is not None:
        releases[fresh] = ItemRelease(word.stamp, word.released)


def _numbered(item: Item, number: int) -> Item:
    return replace(item, number=number, claims=tuple([replace(claim, item=number) for claim in item.claims]))


def _together(held: Item, more: Item) -> Item | None:
    """Two items of the same goods as one; None when they are not the same goods."""
    same = ("procedure", "commodity", "destination", "origin", "additional_procedures")
    if any(getattr(held, name) != getattr(more, name) for name in same):
        return None
    claims = list(held.claims)
    for claim in more.claims:
        place = next((number for number, one in enumerate(claims) if _alike(one, claim)), None)
        if place is None:
            claims.append(replace(claim, item=held.number, doc_seq=max([one.doc_seq for one in claims], default=0) + 1))
        else:
            claims[place] = _sum(claims[place], claim)
    return replace(
        held,
        net_mass=_plus(held.net_mass, more.net_mass),
        supplementary_units=_plus(held.supplementary_units, more.supplementary_units),
        amount=held.amount + more.amount if held.amount and more.amount and _paid_alike(held, more) else None,
        claims=tuple(claims),
    )


def _plus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


def _paid_alike(one: Item, other: Item) -> bool:
    return one.amount is not None and other.amount is not None and one.amount.currency == other.amount.currency


def _alike(one: ClaimSpec, other: ClaimSpec) -> bool:
    """Whether two documents claim the same line in figures that can be added."""
    units = [(spec.quantity and spec.quantity.unit, spec.value and spec.value.currency) for spec in (one, other)]
    places = [(spec.document_code, spec.licence_id, spec.line_no) for spec in (one, other)]
    return places[0] == places[1] and units[0] == units[1]


def _sum(one: ClaimSpec, other: ClaimSpec) -> ClaimSpec:
    return replace(
        one,
        quantity=one.quantity + other.quantity if one.quantity and other.quantity else None,
        value=one.value + other.value if one.value and other.value else None,
        findings=(*one.findings, *other.findings),
    )
