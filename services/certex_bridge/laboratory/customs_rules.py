"""The rules of reserving, consuming and giving back, once more and from the outside (IR 2024/2145 Art. 6 to 8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from certex_bridge.laboratory.customs_book import (
    ANY,
    NONE,
    Amounts,
    Declared,
    Held,
    Line,
    LineKey,
    Place,
    Scratch,
)

if TYPE_CHECKING:
    from certex_bridge.singlewindow.messages.goods import GoodsItem, SupportingDocument
    from certex_bridge.singlewindow.messages.movement import QuantityMovement

Found = tuple[frozenset[str], tuple[Place, ...]]
"""Refusals that may come, and the claims that the answer must tell of."""

REFUSED = frozenset({"REFUSED"})
_OF_CONTENT = frozenset({"OK_RESERVED", "OK_ADJUSTED", "OK_CONSUMED"})
_WITHOUT_LIMIT = frozenset({"NOT_MANAGED", "NOT_APPLICABLE"})
_GONE = frozenset({"CONSUMED", "UNCOVERED", "WITHDRAWN"})
_GIVES_BACK = frozenset({"RESERVED", "WAITING", "UNRESERVED"}) | _WITHOUT_LIMIT


def documents_of(items: Iterable[GoodsItem]) -> Iterator[tuple[GoodsItem, SupportingDocument]]:
    """Every document with its item."""
    for item in items:
        for document in item.supporting_document:
            yield item, document


def amounts_of(document: Any) -> Amounts:
    """What a document writes off."""
    return Amounts(Decimal(document.quantity or 0), Decimal(document.amount or 0))


def settle(told: Declared, known: Declared | None, scratch: Scratch) -> None:
    """Decide on new content item by item: what shrinks first, then what asks for more, each item as a whole."""
    before = known.held if known else {}
    told.released = bool(known and known.released)
    for place, held in told.held.items():
        old = before.get(place)
        if old is not None and old.line == held.line:
            held.reserved, held.consumed, held.state, held.outcomes = (
                old.reserved,
                old.consumed,
                old.state,
                old.outcomes,
            )
    for place, old in before.items():
        if place not in told.held or told.held[place].line != old.line:
            scratch.move(old, NONE, NONE)
    groups = [[held for (number, _), held in told.held.items() if number == item] for item in sorted(told.items)]
    for group in sorted(filter(None, groups), key=_demand):
        _settle_item(group, scratch)


def _demand(group: list[Held]) -> int:
    return 2 if any(held.declared.exceeds(held.in_use) for held in group) else 0


def _settle_item(group: list[Held], scratch: Scratch) -> None:
    if any(held.line is None for held in group):
        for held in group:
            held.line, held.outcomes, held.state = None, frozenset(), ""
        return
    asked: dict[LineKey, Amounts] = {}
    for held in group:
        assert held.line is not None
        asked[held.line] = asked.get(held.line, NONE).plus(held.declared.minus(held.in_use))
    short = {key: _missing(more, scratch.line(key)) for key, more in asked.items()}
    for held in group:
        assert held.line is not None
        # Of an exhausted licence the status is told, whatever else is missing.
        held.short = frozenset() if scratch.line(held.line).exhausted else short[held.line]
        if any(short.values()):
            held.outcomes, held.state = REFUSED, held.state if held.in_use != NONE else "REFUSED"
        elif held.state == "CONSUMED":
            scratch.move(held, NONE, held.declared)
            held.outcomes = _OF_CONTENT
        else:
            held.outcomes, held.state = _OF_CONTENT - {"OK_CONSUMED"}, "RESERVED"
            scratch.move(held, held.declared, NONE)


def _missing(more: Amounts, line: Line) -> frozenset[str]:
    left = line.available
    codes = set()
    if more.quantity > left.quantity:
        codes.add("QUANTITY_EXCEEDED")
    if more.value > left.value:
        codes.add("VALUE_EXCEEDED")
    return frozenset(codes)


def decide(held: Held, figure: Amounts, scratch: Scratch) -> None:
    """An officer's figure holds whatever is left, or nothing does (Art. 8)."""
    if held.line is None or held.state in _GONE:
        held.line, held.outcomes = None, frozenset()
        return
    held.short = frozenset()
    held.state = "REFUSED" if figure == NONE else "RESERVED"
    held.outcomes = frozenset({"REFUSED" if figure == NONE else "OK_OVERRIDDEN"})
    scratch.move(held, scratch.line(held.line).limited(figure), NONE)


_IN_DOUBT = frozenset({"CLAIM_STATE", "MORE_THAN_RESERVED", "UNIT_MISMATCH"})
"""What may be said of a claim whose figures nobody foresees, before anything that is certain of a later one."""


def consume(request: QuantityMovement, known: Declared, scratch: Scratch) -> Found:
    """CONSUME: everything that is named must be reserved, or have been consumed like this before (Art. 6(3))."""
    if known.ended == "INVALIDATED":
        return frozenset({"CLAIM_STATE"}), ()
    told = {item.declaration_goods_item_number: item.supporting_document for item in request.goods_item}
    if _unknown(told, known):
        return frozenset({"CLAIM_UNKNOWN"}), ()
    named = _named(told, known)
    doubtful = False
    for place in named:
        held = known.held[place]
        figure = _leaving(place, told, held, scratch)
        refusal = _not_consumable(held, figure)
        if refusal == "?":
            doubtful = True
        elif refusal:
            return frozenset({refusal}) | (_IN_DOUBT if doubtful else frozenset()), ()
        else:
            _let_go(held, figure, scratch)
    if not told:
        known.released = True
    return frozenset({""}) | _IN_DOUBT if doubtful else ANY, tuple(named)


def _leaving(place: Place, told: Mapping[int, tuple[SupportingDocument, ...]], held: Held, scratch: Scratch) -> Amounts:
    """What leaves on a citation: the document's own figures, as declared where it has none, nothing when left out."""
    documents = told.get(place[0], ())
    if not documents:
        return held.declared
    for document in documents:
        if document.sequence_number == place[1]:
            figures = Amounts(
                held.declared.quantity if document.quantity is None else Decimal(document.quantity),
                held.declared.value if document.amount is None else Decimal(document.amount),
            )
            return scratch.line(held.line).limited(figures) if held.line is not None else figures
    return NONE


def _not_consumable(held: Held, figure: Amounts) -> str:
    if held.state in _WITHOUT_LIMIT:
        return ""
    if held.state == "CONSUMED" and held.line is not None:
        return "" if figure == held.consumed else "CLAIM_STATE"
    if held.line is None:
        return "CLAIM_STATE" if held.state in {"REFUSED", "UNRESERVED", "WITHDRAWN", "CLOSED"} else "?"
    if held.state != "RESERVED":
        return "CLAIM_STATE"
    return "MORE_THAN_RESERVED" if figure.exceeds(held.in_use) else ""


def _let_go(held: Held, figure: Amounts, scratch: Scratch) -> None:
    if held.state in _WITHOUT_LIMIT:
        held.outcomes = frozenset()
    elif figure == NONE:
        held.state, held.outcomes = "UNRESERVED", frozenset({"OK_UNRESERVED"})
        scratch.move(held, NONE, NONE)
    else:
        again = held.outcomes if held.state == "CONSUMED" else frozenset()
        held.state, held.outcomes = "CONSUMED", again | {"OK_CONSUMED"}
        scratch.move(held, NONE, figure)


def unreserve(request: QuantityMovement, known: Declared, scratch: Scratch) -> Found:
    """UNRESERVE: nothing that is named has left, and something of it is held (Art. 6(4))."""
    told = {item.declaration_goods_item_number: item.supporting_document for item in request.goods_item}
    if _unknown(told, known):
        return frozenset({"CLAIM_UNKNOWN"}), ()
    named = _named(told, known)
    states = [known.held[place].state for place in named]
    if any(state in _GONE for state in states) or not _some(states, _GIVES_BACK):
        return frozenset({"CLAIM_STATE"}), ()
    for place in named:
        _give_back(known.held[place], scratch)
    if not told:
        known.ended = known.ended or "NOT_RELEASED"
    return _surely(states), tuple(named)


def withdraw(_request: QuantityMovement, known: Declared, scratch: Scratch) -> Found:
    """WITHDRAW: something is or was held (Art. 7)."""
    states = [held.state for held in known.held.values()]
    if known.ended != "INVALIDATED" and not _some(states, _GIVES_BACK | _GONE):
        return frozenset({"CLAIM_STATE"}), ()
    for held in known.held.values():
        _give_back(held, scratch)
    known.ended = "INVALIDATED"
    return _surely(states), tuple(known.held)


def _surely(states: list[str]) -> frozenset[str]:
    """A followed claim that waited may have been decided meanwhile."""
    return ANY if all(states) and "WAITING" not in states else frozenset({"", "CLAIM_STATE"})


def _some(states: list[str], wanted: frozenset[str]) -> bool:
    live = [state for state in states if state != "CLOSED"]
    return not live or any(state in wanted or not state for state in live)


def _give_back(held: Held, scratch: Scratch) -> None:
    if held.consumed != NONE:
        held.state, held.outcomes = "WITHDRAWN", frozenset({"OK_WITHDRAWN"})
    elif held.reserved != NONE:
        held.state, held.outcomes = "UNRESERVED", frozenset({"OK_UNRESERVED"})
    elif held.state not in {"WITHDRAWN", "UNRESERVED", "CLOSED"}:
        held.state, held.outcomes = "CLOSED", frozenset({"CLOSED"})
    scratch.move(held, NONE, NONE)


def _unknown(told: Mapping[int, tuple[SupportingDocument, ...]], known: Declared) -> bool:
    """An item that the declaration has not, or a figure for a document that is no citation."""
    return any(
        item not in known.items
        or any(
            (one.quantity is not None or one.amount is not None) and (item, one.sequence_number) not in known.held
            for one in documents
        )
        for item, documents in told.items()
    )


def _named(told: Mapping[int, object], known: Declared) -> list[Place]:
    return sorted(place for place in known.held if not told or place[0] in told)
