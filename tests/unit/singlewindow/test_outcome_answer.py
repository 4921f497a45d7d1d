"""A stored document as one caller's answer: what is put in, what is left out, and that it stays valid."""

from __future__ import annotations

import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.platform.xsd import validator
from certex_bridge.singlewindow.messages.outcome import QuantityMovementResponse
from certex_bridge.singlewindow.messages.xml import read_message
from certex_bridge.singlewindow.outcome_answer import answer_to, is_negative, without_figures
from tests.support.clearance import Desk, caller
from tests.support.ledger_words import licence, mrn_of
from tests.support.scenario import Scenario


async def documents() -> tuple[bytes, bytes]:
    """A positive and a negative outcome."""
    s = Scenario(InMemoryStore())
    await s.issue(licence("A", "100 NAR + 500.00 EUR"))
    desk = Desk(s.store)
    await desk.move("RESERVE", "M1", A="40 NAR + 100.00 EUR")
    await desk.move("RESERVE", "M2", A="61 NAR + 100.00 EUR")
    outbox = s.store.contents.outbox  # type: ignore[union-attr]  # in memory
    return outbox["outcome", mrn_of("M1"), 1].body, outbox["outcome", mrn_of("M2"), 1].body


def proven(document: bytes) -> QuantityMovementResponse:
    validator("quantity-movement", 1).validate(document)
    return read_message(document, QuantityMovementResponse)


async def test_recipient_and_correlation_are_the_call_s() -> None:
    stored, _ = await documents()
    told = proven(answer_to(stored, caller("A & B \\1"), "call<1>\\g<0>"))
    assert (told.message_recipient, told.correlation_identifier) == ("A & B \\1", "call<1>\\g<0>")
    assert answer_to(stored, caller("A"), "1") == answer_to(stored, caller("A"), "1")


async def test_figures_that_follow_from_a_balance_are_left_out() -> None:
    for stored in await documents():
        shown, hidden = proven(stored), proven(without_figures(stored))
        (claim,), (bare,) = shown.claim_results, hidden.claim_results
        assert claim.quantity_available is not None
        assert (bare.quantity_available, bare.amount_available) == (None, None)
        assert bare.quantity_requested == claim.quantity_requested
        assert [verdict.available for verdict in bare.verdicts] == [None] * len(claim.verdicts)
        assert b"Available" not in answer_to(stored, caller(figures_shown=False), "1")


@pytest.mark.parametrize("mode", ["warn", "shadow"])
async def test_who_is_not_stopped_is_told_so(mode: str) -> None:
    positive, negative = await documents()
    assert [is_negative(positive), is_negative(negative)] == [False, True]
    for stored in (positive, negative):
        (finding,) = proven(answer_to(stored, caller(mode=mode), "1")).findings
        assert (finding.code, finding.original_attribute_value) == ("CALLER_MODE", mode)
        assert proven(answer_to(stored, caller(), "1")).findings == ()
