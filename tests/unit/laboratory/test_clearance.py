"""The part of the day that is cleared over HTTP, and the server that takes pushes."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

import pytest

from certex_bridge.laboratory.clearance import LEAST, split_day
from certex_bridge.laboratory.day import make_day
from certex_bridge.laboratory.messages import DECLARATIONS
from certex_bridge.laboratory.push_receiver import signed
from certex_bridge.singlewindow.messages.movement import QuantityMovement
from certex_bridge.singlewindow.pushes.signing import signature

if TYPE_CHECKING:
    from certex_bridge.laboratory.clearance import Split

DAY = date(2026, 3, 2)
HEADER = {
    "messageSender": "NSW", "messageRecipient": "CERTEX", "preparationDateAndTime": "2026-03-02T08:00:00",
    "messageIdentification": "1", "messageType": "CBQMRQ",
}  # fmt: skip


@pytest.fixture(scope="module")
def split() -> Split:
    return split_day(make_day(licences=120, declarations=600, seed=1, day=DAY))


def test_at_least_a_hundred_declarations_are_told_by_calls_and_by_nothing_else(split: Split) -> None:
    assert len(split.declarations) == LEAST
    taken = set(split.declarations)
    told = [one for one in split.records.messages if one.topic == DECLARATIONS and one.key]
    still = {one.label for one in told if (one.key or b"").decode() in taken}
    assert still <= {"declaration exit-confirmed", "same id, same content", "same content, new id"}


def test_the_same_day_has_the_same_part(split: Split) -> None:
    assert split_day(make_day(licences=120, declarations=600, seed=1, day=DAY)) == split


def test_every_step_is_a_message_of_the_interface(split: Split) -> None:
    steps = [step for wave in split.calls for step in wave]
    read = [QuantityMovement.model_validate(HEADER | step.told, by_alias=True, by_name=False) for step in steps]
    assert set(Counter(one.movement_type for one in read)) == {"RESERVE", "CONSUME", "UNRESERVE", "ADJUST", "WITHDRAW"}


@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_a_supplementary_declaration_joins_is_told_by_calls(seed: int) -> None:
    """It is decided together with what a record tells, whenever that is taken in: no call could foresee its answer."""
    day = make_day(licences=40, declarations=200, seed=seed, day=DAY)
    joint: set[str] = set()
    for message in day.messages:
        if message.label == "declaration supplementary":
            told = json.loads(message.value or b"{}")
            joint |= {one["mrn"] for one in told.get("simplifiedDeclarations", [])} | {told.get("simplifiedMrn", "")}
    assert len(joint) > 3
    assert joint.isdisjoint(split_day(day).declarations)


@pytest.mark.parametrize(("licences", "declarations"), [(4, 16), (5, 40)])
def test_a_small_day_leaves_half_to_the_records(licences: int, declarations: int) -> None:
    for seed in range(3):
        small = split_day(make_day(licences=licences, declarations=declarations, seed=seed, day=DAY))
        assert len(small.declarations) <= declarations // 2


def test_a_signature_is_checked_over_id_time_and_body() -> None:
    right = signature(b"key", "w/1", 7, b"body")
    assert signed(b"key", "w/1", "7", b"body", f"v1,bm9uZQ== {right}")
    for wrong in ((b"other", "w/1", "7", b"body"), (b"key", "w/2", "7", b"body"), (b"key", "w/1", "8", b"body")):
        assert not signed(*wrong, right)
    assert not signed(b"key", "w/1", "7", b"body", "v1,***")
    assert not signed(b"key", "w/1", "7", b"body", right.replace("v1", "v2"))
