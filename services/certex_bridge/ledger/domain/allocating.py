"""Several simplified declarations that are supplemented together: their totals per licence line are compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from certex_bridge.kernel.amounts import Money, Quantity, format_decimal
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.content import ClaimSpec, Item, Payload
from certex_bridge.ledger.domain.instrument import PLACE, Instrument, Unit, as_released, cites, rank_of, ruled
from certex_bridge.ledger.domain.merge import last_word


class _Row(NamedTuple):
    """One document of a simplified declaration in a pool."""

    mrn: str
    item: int
    claim: ClaimSpec


Key = tuple[str, str, int]
"""Document code, licence and line (0 where the line is not stated)."""

_DIMENSIONS = (("quantity", "unit"), ("value", "currency"))


class _Uncertain(Exception):
    """Why the totals cannot be allocated."""

    def __init__(self, value: str, why: str) -> None:
        super().__init__(why)
        self.value = value


def allocate(group: Instrument, pool: Sequence[str], units: Sequence[Unit]) -> None:
    """Let the simplified declarations of a pool hold in all what its supplementary ones state.

    Nothing changes where the totals agree. A difference is everyone's own figure in order of MRN, item and document,
    the last one takes what is left; where that is not certain, the figures stand and a finding says why.
    """
    telling = [unit for unit in units if unit.item.claims]
    if not telling:
        return
    contents = {mrn: as_released(group.facts[mrn]) for mrn in pool if cites(group.facts[mrn])}
    rows = list(_rows(contents, units))
    try:
        figures = _allocated(group, rows, [claim for unit in telling for claim in unit.item.claims], telling)
    except _Uncertain as uncertain:
        group.unallocated(telling, uncertain.value, str(uncertain))
        return
    for mrn, content in contents.items():
        mine = {place[1:]: claim for place, claim in figures.items() if place[0] == mrn}
        if not mine:
            continue
        items = tuple([replace(item, claims=tuple(_changed(item, mine))) for item in content.items])
        group.counted[mrn] = ruled(group.facts[mrn], replace(content, items=items), telling, partly=True)
        before, after = _text(rows, mrn, {}), _text(rows, mrn, figures)
        message = f"{before} as simplified, {after} of what the supplementary declarations state in all"
        group.tell(mrn, Finding("SUPPLEMENTARY_DIFFERENCE", PLACE, after, message, Severity.WARNING))


def _rows(contents: Mapping[str, Payload], units: Sequence[Unit]) -> Iterator[_Row]:
    """The documents that the totals stand for, in order of MRN, item and document."""
    for mrn in sorted(contents):
        named = {number for unit in units for number in unit.items_of(mrn)}
        for item in contents[mrn].items:
            if 0 in named or item.number in named:
                for claim in item.claims:
                    yield _Row(mrn, item.number, claim)


def _keys(claims: Iterable[ClaimSpec]) -> dict[tuple[str, int | None], int]:
    """The line that each licence is cited with; where only one line is ever stated, it is everybody's."""
    lines: dict[str, set[int]] = {}
    for claim in claims:
        lines.setdefault(claim.licence_id, set()).update([claim.line_no] if claim.line_no is not None else [])
    found: dict[tuple[str, int | None], int] = {}
    for licence_id, stated in lines.items():
        found |= {(licence_id, line): line for line in stated}
        found[licence_id, None] = next(iter(stated)) if len(stated) == 1 else 0
    return found


def _allocated(
    group: Instrument, rows: Sequence[_Row], told: Sequence[ClaimSpec], units: Sequence[Unit]
) -> dict[tuple[str, int, int], ClaimSpec | None]:
    """The documents whose figures change, by MRN, item and document; None: nothing is left for it.

    Raises:
        _Uncertain: the totals cannot be compared, or it is not certain whose figure changes.
    """
    lines = _keys([*[row.claim for row in rows], *told])

    def key(claim: ClaimSpec) -> Key:
        return claim.document_code, claim.licence_id, lines[claim.licence_id, claim.line_no]

    held: dict[Key, list[_Row]] = {}
    for row in rows:
        held.setdefault(key(row.claim), []).append(row)
    stated: dict[Key, list[ClaimSpec]] = {}
    for claim in told:
        stated.setdefault(key(claim), []).append(claim)
    for one in sorted(held.keys() ^ stated.keys()):
        raise _Uncertain(one[1], "a licence is cited by the ones and not by the others")
    changed: dict[tuple[str, int, int], ClaimSpec | None] = {}
    for one in sorted(held):
        totals = _totals(one[1], held[one], stated[one])
        if any(total != own for total, own in totals.values()):
            _one_standing(group, held[one], units)
            for row, share in zip(held[one], _shares(held[one], totals), strict=True):
                changed[row.mrn, row.item, row.claim.doc_seq] = share
    return changed


def _totals(licence_id: str, rows: Sequence[_Row], told: Sequence[ClaimSpec]) -> dict[str, tuple[Decimal, Decimal]]:
    """By dimension: what is stated in all, and what was; a dimension that no simplified declaration states is left."""
    found = {}
    for name, unit in _DIMENSIONS:
        own = [getattr(row.claim, name) for row in rows]
        if not any(own):
            continue
        stated = [getattr(claim, name) for claim in told]
        if not all(own) or not all(stated) or len({getattr(figure, unit) for figure in own + stated}) > 1:
            raise _Uncertain(licence_id, f"the {name} is not stated by all of them in one {unit}")
        amounts = [sum((figure.amount for figure in figures), Decimal(0)) for figures in (stated, own)]
        found[name] = (amounts[0], amounts[1])
    if not found:
        raise _Uncertain(licence_id, "no figure is stated")
    return found


def _one_standing(group: Instrument, rows: Sequence[_Row], units: Sequence[Unit]) -> None:
    """A difference can be allocated only where it does not matter who carries it: all released, or none."""
    told, standings = max(rank_of(unit.facts).stamp for unit in units), set()
    for row in rows:
        facts = group.facts[row.mrn]
        word = last_word(facts, row.item)
        if facts.invalidated is not None or (word is not None and not word.released):
            raise _Uncertain(row.mrn, "it has ended, and what belongs to it is not said")
        if word is not None and word.figures is not None and word.stamp.occurred_at > told.occurred_at:
            raise _Uncertain(row.mrn, "figures were released after the supplementary declaration")
        standings.add((word is not None, facts.accepted is not None or word is not None))
    if len(standings) > 1:
        raise _Uncertain(rows[-1].mrn, "not all of them are released")


def _shares(rows: Sequence[_Row], totals: Mapping[str, tuple[Decimal, Decimal]]) -> list[ClaimSpec | None]:
    """Everyone its own figure as far as the total goes; the last takes what is left."""
    claims = [row.claim for row in rows]
    for name, (total, _) in totals.items():
        left = total
        for number, claim in enumerate(claims):
            figure: Quantity | Money = getattr(claim, name)
            share = left if number == len(claims) - 1 else min(left, figure.amount)
            left -= share
            claims[number] = _with(claim, replace(figure, amount=share))
    return [_nothing_or(claim, totals) for claim in claims]


def _with(claim: ClaimSpec, figure: Quantity | Money) -> ClaimSpec:
    return replace(claim, quantity=figure) if isinstance(figure, Quantity) else replace(claim, value=figure)


def _nothing_or(claim: ClaimSpec, totals: Mapping[str, tuple[Decimal, Decimal]]) -> ClaimSpec | None:
    amounts = [getattr(claim, name).amount for name in totals]
    if all(amounts):
        return claim
    if any(amounts):
        raise _Uncertain(claim.licence_id, "quantity and value would belong to different ones")
    return None


def _changed(item: Item, mine: Mapping[tuple[int, int], ClaimSpec | None]) -> Iterator[ClaimSpec]:
    for claim in item.claims:
        place = (item.number, claim.doc_seq)
        told = mine.get(place, claim)
        if told is not None:
            yield told


def _text(rows: Sequence[_Row], mrn: str, figures: Mapping[tuple[str, int, int], ClaimSpec | None]) -> str:
    """The figures of one simplified declaration in words."""
    told = []
    for row in rows:
        place = (row.mrn, row.item, row.claim.doc_seq)
        claim = figures.get(place, row.claim)
        if row.mrn == mrn:
            shown = [] if claim is None else [str(one) for one in (claim.quantity, claim.value) if one is not None]
            told.append(" and ".join(shown) or format_decimal(Decimal(0)))
    return ", ".join(told)
