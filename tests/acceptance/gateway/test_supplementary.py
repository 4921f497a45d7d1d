"""Simplified and supplementary declarations over HTTP: one instrument, whatever the form of the message."""

from __future__ import annotations

import json
from typing import Any

import pytest

from certex_bridge.singlewindow.messages.json import read_json_message
from certex_bridge.singlewindow.messages.movement import QuantityMovement
from certex_bridge.singlewindow.messages.outcome import QuantityMovementResponse
from certex_bridge.singlewindow.messages.xml import read_message, write_message
from tests.support.clearance import JSON, XML, Desk, caller, goods
from tests.support.ledger_words import mrn_of
from tests.support.scenario import Scenario


def supplementary(desk: Desk, name: str, *items: Any, of: list[dict[str, Any]], type_: str = "X") -> dict[str, Any]:
    """A reservation for a supplementary declaration."""
    message = desk.message("RESERVE", name, *items)
    message["DeclarationReference"] |= {"additionalDeclarationType": type_}
    if of:
        message["DeclarationReference"]["SimplifiedDeclaration"] = of
    return message


async def simplified(desk: Desk, name: str, figure: str) -> None:
    """Reserved and consumed."""
    message = desk.message("RESERVE", name, A=figure)
    message["DeclarationReference"]["additionalDeclarationType"] = "C"
    assert (await desk.send(message)).outcomes == ["OK_RESERVED"]
    assert (await desk.move("CONSUME", name, A=figure)).outcomes == ["OK_CONSUMED"]


@pytest.mark.row("R18")
@pytest.mark.parametrize("form", [JSON, XML])
async def test_a_supplementary_declaration_for_two_is_written_off_once(s: Scenario, desk: Desk, form: str) -> None:
    await simplified(desk, "M1", "40")
    await simplified(desk, "M2", "20")
    items = [goods(1, A="38"), goods(2, A="21")]
    items[1]["SimplifiedDeclaration"] = [{"MRN": mrn_of("M2"), "declarationGoodsItemNumber": 1}]
    body = json.dumps(supplementary(desk, "M7", *items, of=[{"MRN": mrn_of("M1")}])).encode()
    if form == XML:
        body = write_message(read_json_message(body, QuantityMovement))
    answer = await desk.post(body, form)
    told = (
        answer.body if form == JSON else read_message(answer.body, QuantityMovementResponse).model_dump_json().encode()
    )
    assert b"ONE_INSTRUMENT" in told
    await s.wake()
    assert await s.balance("A") == "0/59/41"
    assert (await desk.move("CONSUME", "M7")).outcomes == []
    await s.wake()
    assert await s.balance("A") == "0/59/41"


@pytest.mark.parametrize("type_", list("UVXYZ"))
@pytest.mark.parametrize("movement", ["RESERVE", "ADJUST"])
async def test_one_that_names_none_is_refused(s: Scenario, desk: Desk, movement: str, type_: str) -> None:
    await simplified(desk, "M1", "40")
    if movement == "ADJUST":
        assert (await desk.move("RESERVE", "M7", A="5")).outcomes == ["OK_RESERVED"]
    message = desk.message(movement, "M7", A="40")
    message["DeclarationReference"]["additionalDeclarationType"] = type_
    told = await desk.send(message)
    assert told.told["Finding"][0]["code"] == "SIMPLIFIED_NOT_NAMED"
    assert await s.balance("A") == ("5/40/55" if movement == "ADJUST" else "0/40/60")


async def test_who_goes_on_whatever_the_answer_is_told_and_books_nothing(s: Scenario) -> None:
    desk = Desk(s.store, caller(mode="warn"))
    message = supplementary(desk, "M7", goods(1, A="40"), of=[])
    told = await desk.send(message)
    assert [finding.split()[1] for finding in told.findings] == ["CALLER_MODE", "SIMPLIFIED_NOT_NAMED", "NO_CLAIMS"]
    assert await s.balance("A") == "0/0/100"


async def test_an_mrn_that_cannot_be_is_refused(desk: Desk) -> None:
    told = await desk.send(supplementary(desk, "M7", goods(1, A="40"), of=[{"MRN": "26BE"}]))
    assert told.status == 400
