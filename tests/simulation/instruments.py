"""What simplified and supplementary declarations hold together, written from the rules alone.

Every declaration cites line 1 of one licence with one figure per goods item, and the licence has room for all of it, so
only the rules of the instrument decide. It reads the events anew each time and imports no decision of the real ledger.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from certex_bridge.ledger.domain.facts import DeclarationCommand, ItemRelease
from certex_bridge.ledger.domain.stamps import Stamp
from tests.simulation.model import last_word

ZERO = Decimal(0)
Held = tuple[Decimal, Decimal]
"""Reserved and consumed."""


@dataclass
class Told:
    """What customs said of one declaration."""

    figures: dict[int, Decimal] = field(default_factory=dict)
    names: dict[int, frozenset[tuple[str, int]]] = field(default_factory=dict)
    """Per item, what it supplements: (MRN, item or 0)."""
    explicit: set[int] = field(default_factory=set)
    """Items that say it themselves."""
    order: tuple[int, Stamp] | None = None
    accepted: Stamp | None = None
    words: dict[tuple[int, bool], ItemRelease] = field(default_factory=dict)
    """Last release and last refusal per item; 0 for all of them."""
    ended: bool = False

    def word(self, item: int) -> ItemRelease | None:
        """What counts for an item: released is released, unless a later word refuses this very item."""
        return last_word(self.words, item)

    @property
    def stamp(self) -> Stamp:
        """When the content was told."""
        assert self.order is not None
        return self.order[1]

    def left(self, item: int, since: Stamp) -> Decimal | None:
        """A figure that was really released after the content of that moment, if customs stated one."""
        word = self.word(item)
        if word is None or not word.released or word.figures is None or self._changed(since, word.stamp):
            return None
        return next((f.quantity.amount for f in word.figures if f.doc_seq == 1 and f.quantity), ZERO)

    def _changed(self, since: Stamp, moment: Stamp) -> bool:
        """Whether content is the later word; in one instant, any but the first version is."""
        if since == self.accepted:
            return False
        first = self.order is not None and self.order == (1, since)
        return since.occurred_at > moment.occurred_at or (since.occurred_at == moment.occurred_at and not first)


@dataclass
class Content:
    """What counts of a declaration: figures, and since when."""

    figures: dict[int, Decimal]
    since: Stamp
    words: dict[tuple[int, bool], ItemRelease]


def read(events: Iterable[DeclarationCommand]) -> dict[str, Told]:
    """Everything told, by MRN."""
    found: dict[str, Told] = defaultdict(Told)
    whole: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for one in sorted(events, key=lambda e: (e.occurred_at, e.event_id)):
        told, facts = found[one.mrn], one.facts
        rank = facts.payload_rank
        if facts.payload is not None and rank is not None and (told.order is None or rank.version > told.order[0]):
            told.order = (rank.version, rank.stamp)
            items = facts.payload.items
            told.figures = {i.number: i.claims[0].quantity.amount for i in items if i.claims[0].quantity}
            told.names = {i.number: frozenset((r.mrn, r.item) for r in i.simplified) for i in items}
        told.accepted = told.accepted or facts.accepted
        told.ended |= facts.invalidated is not None
        told.words |= {(item, word.released): word for item, word in facts.releases}
        whole[one.mrn] |= {(reference.mrn, reference.item) for reference in facts.simplified}
    for mrn, told in found.items():
        told.explicit = {number for number, names in told.names.items() if names}
        told.names = {number: names or frozenset(whole[mrn]) for number, names in told.names.items()}
    return found


def expected(events: Iterable[DeclarationCommand]) -> dict[str, Held]:
    """What each declaration holds when everything has settled."""
    told = read(events)
    parents = {mrn for one in told.values() for names in one.names.values() for mrn, _ in names}
    known = {mrn for mrn, one in told.items() if one.order is not None}
    children = {mrn for mrn in known if any(told[mrn].names.values())}
    content = {
        mrn: Content(dict(told[mrn].figures), told[mrn].stamp, dict(told[mrn].words)) for mrn in known - children
    }
    ruling: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for mrn in sorted(children):
        own = {}
        words = [told[mrn].word(item) for item in told[mrn].figures]
        counts = not told[mrn].ended and all(word is None or word.released for word in words)
        for item, names in told[mrn].names.items():
            mains = {name for name, _ in names}
            if not mains & known:
                own[item] = told[mrn].figures[item]
            elif counts and (len(mains) == 1 or mains <= known):
                for name in mains:
                    ruling[name].append((mrn, item))
        content[mrn] = Content(own, told[mrn].stamp, dict(told[mrn].words))
    for pool in _pools(told, ruling):
        (_one if len(pool) == 1 else _several)(told, content, pool, sorted({u for mrn in pool for u in ruling[mrn]}))
    return {mrn: _held(told[mrn], content[mrn]) if mrn in content else (ZERO, ZERO) for mrn in told.keys() | parents}


def _held(told: Told, content: Content) -> Held:
    if told.ended:
        return ZERO, ZERO
    seen = Told(accepted=told.accepted, words=content.words, order=told.order)
    reserved = consumed = ZERO
    for item, figure in content.figures.items():
        word = seen.word(item)
        if word is None:
            reserved += figure if told.accepted else ZERO
        elif word.released:
            left = seen.left(item, content.since)
            consumed += figure if left is None else left
    return reserved, consumed


def _pools(told: dict[str, Told], ruling: dict[str, list[tuple[str, int]]]) -> list[list[str]]:
    pools = [{mrn} for mrn in sorted(ruling)]
    for units in ruling.values():
        for child, item in units:
            mains = {name for name, _ in told[child].names[item]}
            touched = [pool for pool in pools if pool & mains]
            pools = [pool for pool in pools if not pool & mains] + [set().union(*touched)]
    return [sorted(pool) for pool in pools]


def _released_figures(one: Told) -> dict[int, Decimal]:
    left = {item: one.left(item, one.stamp) for item in one.figures}
    found = {item: figure if left[item] is None else left[item] for item, figure in one.figures.items()}
    return {item: figure for item, figure in found.items() if figure}  # type: ignore[misc]


def _one(told: dict[str, Told], content: dict[str, Content], pool: list[str], units: list[tuple[str, int]]) -> None:
    """Its content is what its supplementary declarations say."""
    (mrn,) = pool
    main = told[mrn]
    named = {unit: {item for name, item in told[unit[0]].names[unit[1]] if name == mrn} for unit in units}
    if any(items - {0} - main.figures.keys() for items in named.values()):
        return
    whole = any(0 in items for items in named.values())
    replaced = main.figures.keys() if whole else set().union(*named.values())
    # Every supplementary declaration here is one for a period: goods that the only one it names never had, and more in
    # all than left under it, may be another one's.
    beyond = len(units) > len(main.figures.keys() & replaced) and any(
        items == {0} and item not in main.figures.keys() | told[child].explicit
        for (child, item), items in named.items()
    )
    left = sum((figure for item, figure in _released_figures(main).items() if item in replaced), ZERO)
    if beyond and sum((told[child].figures[number] for child, number in units), ZERO) > left:
        return
    figures = {item: figure for item, figure in _released_figures(main).items() if item not in replaced}
    kept = main.figures.keys() - replaced
    words = dict(main.words)
    for (child, number), items in named.items():
        place = min(items - {0}, default=number)
        if place not in main.figures and main.words and main.word(place) is None:
            each = [main.word(item) for item in main.figures]
            some = [word for word in each if word]
            if some and (len(some) < len(each) or len({word.released for word in some}) > 1):
                return
            if some:
                words[place, some[0].released] = ItemRelease(max(word.stamp for word in some), some[0].released)
        figures[place] = figures.get(place, ZERO) + told[child].figures[number]
    stamps = [told[child].stamp for child, _ in units] + ([main.stamp] if kept & figures.keys() else [])
    content[mrn] = Content(figures, max(stamps), words)


def _several(told: dict[str, Told], content: dict[str, Content], pool: list[str], units: list[tuple[str, int]]) -> None:
    """In all they hold what is stated in all, if it is certain whose figure changes."""
    scope = {name for child, number in units for name in told[child].names[number]}
    own = {
        (mrn, item): figure
        for mrn in pool
        for item, figure in sorted(_released_figures(told[mrn]).items())
        if (mrn, 0) in scope or (mrn, item) in scope
    }
    total = sum((told[child].figures[number] for child, number in units), ZERO)
    since = max(told[child].stamp for child, _ in units)
    if not own or total == sum(own.values(), ZERO):
        return
    words = [(told[mrn], told[mrn].word(item)) for mrn, item in own]
    if any(one.ended or (word and not word.released) for one, word in words):
        return
    if any(word and word.figures is not None and word.stamp.occurred_at > since.occurred_at for _, word in words):
        return
    if len({(word is not None, word is not None or one.accepted is not None) for one, word in words}) > 1:
        return
    for mrn in {mrn for mrn, _ in own}:
        figures = _released_figures(told[mrn])
        content[mrn] = Content(figures, max(since, told[mrn].stamp), dict(told[mrn].words))
    for number, (mrn, item) in enumerate(own, 1):
        share = total if number == len(own) else min(total, own[mrn, item])
        total -= share
        content[mrn].figures[item] = share
