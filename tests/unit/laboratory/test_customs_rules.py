"""What customs expect of a CONSUME: certain answers where figures are foreseen, several where they are not."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from certex_bridge.laboratory.customs_book import ANY, NONE, Amounts, Declared, Held, Line, LineKey, Scratch
from certex_bridge.laboratory.customs_rules import consume

LINE: LineKey = ("BE/A", 1)
TEN = Amounts(Decimal(10))
IN_DOUBT = frozenset({"CLAIM_STATE", "MORE_THAN_RESERVED", "UNIT_MISMATCH"})


def reserved(line: LineKey | None = LINE) -> Held:
    """A claim of ten pieces; without a line it is followed and not foreseen."""
    return Held(line, TEN, state="RESERVED" if line else "", reserved=TEN if line else NONE)


def declared(**claims: Held) -> Declared:
    """Items by number, one document each."""
    held = {(int(item.removeprefix("item")), 1): claim for item, claim in claims.items()}
    return Declared(1, None, held, frozenset(item for item, _ in held))


def request(**quantities: int) -> Any:
    """A CONSUME that names items with a figure each; none: the whole declaration."""
    return SimpleNamespace(
        goods_item=tuple(
            SimpleNamespace(
                declaration_goods_item_number=int(item.removeprefix("item")),
                supporting_document=(SimpleNamespace(sequence_number=1, quantity=Decimal(figure), amount=None),),
            )
            for item, figure in quantities.items()
        )
    )


def played(asked: Any, known: Declared) -> tuple[frozenset[str], Line]:
    """What may be answered, and where the line stands then."""
    scratch = Scratch({LINE: Line(Decimal(100), reserved=TEN)})
    refusals, _ = consume(asked, known, scratch)
    return refusals, scratch.line(LINE)


def test_what_is_reserved_is_consumed_and_the_rest_given_back() -> None:
    refusals, line = played(request(item1=7), declared(item1=reserved()))
    assert refusals == ANY
    assert (line.reserved, line.consumed) == (NONE, Amounts(Decimal(7)))


def test_more_than_reserved_is_refused() -> None:
    refusals, line = played(request(item1=11), declared(item1=reserved()))
    assert refusals == {"MORE_THAN_RESERVED"}
    assert line.consumed == NONE


@pytest.mark.parametrize(("ended", "refusals"), [("INVALIDATED", {"CLAIM_STATE"}), ("", ANY)])
def test_after_an_invalidation_nothing_is_consumed(ended: str, refusals: frozenset[str]) -> None:
    known = declared(item1=reserved())
    known.ended = ended
    assert played(request(), known)[0] == refusals


def test_a_claim_that_is_not_foreseen_may_be_refused_or_not() -> None:
    refusals, _ = played(request(), declared(item1=reserved(None)))
    assert refusals == ANY | IN_DOUBT


def test_a_certain_refusal_behind_a_doubtful_claim_is_one_of_several() -> None:
    known = declared(item1=reserved(None), item2=reserved())
    refusals, _ = played(request(item1=1, item2=11), known)
    assert refusals == {"MORE_THAN_RESERVED"} | IN_DOUBT, "never taken, but which refusal comes first nobody knows"
    assert "" not in refusals


def test_an_item_that_was_not_declared_is_refused_before_anything_else() -> None:
    known = declared(item1=reserved(None))
    assert played(request(item3=1), known)[0] == {"CLAIM_UNKNOWN"}
