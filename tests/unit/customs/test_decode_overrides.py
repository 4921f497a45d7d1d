"""An officer's decision as an event: whose it is, why, and on what; nothing of it is guessed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from certex_bridge.customs.decode import decode_declaration_event
from certex_bridge.kernel.amounts import Quantity
from certex_bridge.ledger.domain.facts import Decision, DeclarationCommand
from certex_bridge.platform.poison import Poison
from tests.unit.customs.samples import data, envelope, event, golden


def decoded(**changes: Any) -> DeclarationCommand:
    told = {key: value for key, value in {**data("overridden"), **changes}.items() if value is not None}
    return decode_declaration_event(envelope({**event("overridden"), "data": told}))


def document(seq: int = 1, **figures: Any) -> list[dict[str, Any]]:
    return [{"item": 1, "documents": [{"seq": seq, **figures}]}]


NAR = {"amount": "3", "unit": "NAR"}


def test_the_golden_decision() -> None:
    command = golden("overridden")
    (override,) = command.facts.overrides
    assert (override.place, override.decision, override.quantity) == (
        (1, 1),
        Decision.AMEND,
        Quantity(Decimal(3), "NAR"),
    )
    assert (override.officer, override.stamp.event_id) == ("BE-AN-0417", command.event_id)
    assert override.evidence is not None
    assert override.evidence.document()["number"] == "2026/0302-17"
    assert not command.waits


def test_places_are_the_declaration_an_item_or_a_document() -> None:
    assert [o.place for o in decoded(decision="REFUSE", items=None).facts.overrides] == [(0, 0)]
    told = [{"item": 2}, {"item": 1, "documents": [{"seq": 2}, {"seq": 1}]}]
    assert [o.place for o in decoded(decision="ACCEPT", items=told).facts.overrides] == [(1, 1), (1, 2), (2, 0)]


@pytest.mark.row("E183")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"officer": None}, "JSON_SCHEMA"),
        ({"reason": None}, "JSON_SCHEMA"),
        ({"officer": " "}, "OFFICER_MISSING"),
        ({"reason": "\t"}, "REASON_MISSING"),
        ({"decision": "AMEND", "items": None}, "FIGURES_MISSING"),
        ({"decision": "AMEND", "items": [{"item": 1}]}, "FIGURES_MISSING"),
        ({"decision": "AMEND", "items": document()}, "FIGURES_MISSING"),
        ({"decision": "ACCEPT", "items": document(quantity=NAR)}, "FIGURES_UNEXPECTED"),
        ({"decision": "AMEND", "items": document(quantity=NAR) * 2}, "ITEM_DUPLICATE"),
        ({"decision": "REFUSE", "items": [{"item": 1}, {"item": 1}]}, "ITEM_DUPLICATE"),
        ({"items": document(quantity={"amount": "0", "unit": "NAR"})}, "ZERO"),
        ({"items": document(value={"amount": "1.005", "currency": "EUR"})}, "SCALE"),
        ({"evidence": {"type": "NOTE", "number": "1", "date": "2026-02-30"}}, "DATE_INVALID"),
        ({"mrn": "26BE"}, "MRN_INVALID"),
    ],
)
def test_what_is_no_decision(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Poison) as refused:
        decoded(**changes)
    assert refused.value.code == code
