"""The examples of the contract are what the gateway says, to the byte."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from certex_bridge.singlewindow.messages.json import read_json_message
from certex_bridge.singlewindow.messages.movement import QuantityMovement
from certex_bridge.singlewindow.messages.xml import write_message
from tests.support.clearance import XML, Desk

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.scenario import Scenario

STORY = ("reserve", "reserve-too-much", "consume-part", "consume-again", "adjust", "withdraw")


@pytest.mark.parametrize("last", range(1, len(STORY) + 1))
async def test_the_story_of_the_examples(s: Scenario, project_root: Path, last: int) -> None:
    folder = project_root / "contracts" / "examples" / "gateway" / "moveQuantity"
    assert {path.name.partition(".")[0] for path in folder.iterdir()} == set(STORY)
    desk = Desk(s.store)
    for case in STORY[:last]:
        request = read_json_message((folder / f"{case}.request.json").read_bytes(), QuantityMovement)
        answer = await desk.post(write_message(request), XML)
    expected = folder / f"{STORY[last - 1]}.response.xml"
    if os.environ.get("CERTEX_GOLDEN") == "write":
        expected.write_bytes(answer.body)
    assert answer.body == expected.read_bytes()
