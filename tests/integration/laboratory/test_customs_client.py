"""The laboratory's customs system at the real gateway: every function, every form, every manner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from certex_bridge.laboratory.customs_channel import Form
from certex_bridge.laboratory.customs_client import Manner
from certex_bridge.laboratory.customs_comparison import Mismatch
from certex_bridge.laboratory.customs_day import Setting, play_day
from certex_bridge.laboratory.customs_requests import cited, goods
from tests.support.gateway_world import OFFICE, GatewayWorld, content, gateway_world
from tests.support.ledger_words import HOLDER, mrn_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[GatewayWorld]:
    async with gateway_world(database_url) as made:
        await made.issue("A", quantity="100", value="50000.00")
        yield made
        await made.sound()


def one(quantity: str, value: str = "") -> dict[str, object]:
    return goods(1, [cited(1, "A", quantity=quantity, value=value or f"{quantity}.00")])


@pytest.mark.row("IR 4")
@pytest.mark.parametrize(
    ("form", "manner"), [*((form, Manner.TWICE) for form in Form), *((Form.JSON, manner) for manner in Manner)]
)
async def test_a_life_in_every_form_and_manner(world: GatewayWorld, form: Form, manner: Manner) -> None:
    customs = world.customs(form=form)
    await customs.check(content("M1", one("40")))
    await customs.reserve(content("M1", one("40")), manner=manner)
    await customs.reserve(content("M2", one("61")), manner=manner)
    await customs.consume(mrn_of("M1"), [one("30")], manner=manner)
    await customs.adjust(content("M1", one("20"), version=2), manner=manner)
    await customs.adjust(content("M1", one("101"), version=3), manner=manner)
    await customs.reserve(content("M3", one("80")), manner=manner)
    await customs.unreserve(mrn_of("M3"), manner=manner)
    await customs.withdraw(mrn_of("M1"), manner=manner)
    outcomes = [made.outcome for made in customs.made if made.function != "F1 check"]
    assert set(outcomes) >= {"OK_RESERVED", "REFUSED", "OK_CONSUMED", "OK_ADJUSTED", "OK_UNRESERVED", "OK_WITHDRAWN"}
    await customs.look_at_declaration(mrn_of("M1"))


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
async def test_a_whole_day(world: GatewayWorld, seed: int) -> None:
    await world.issue("B", quantity="300")
    await world.issue("C", value="40000.00")
    customs = world.customs()
    await play_day(customs, Setting(("A", "B", "C"), HOLDER, OFFICE), declarations=40, seed=seed)
    outcomes = {made.outcome for made in customs.made}
    assert outcomes >= {"OK_RESERVED", "OK_CONSUMED", "OK_ADJUSTED", "OK_UNRESERVED", "OK_WITHDRAWN", "OK_OVERRIDDEN"}
    lies = {"MRN_UNKNOWN", "CLAIM_STATE", "MORE_THAN_RESERVED", "FOREIGN_MEMBER_STATE", "SENDER_MISMATCH"}
    assert outcomes >= lies | {"CLAIM_CONFLICT", "VERSION_OLD"}


async def test_a_difference_tells_both_sides(world: GatewayWorld) -> None:
    customs = world.customs()
    world.expectation.licence("BE/A", quantity="10", value="50000.00")
    with pytest.raises(Mismatch, match="expected REFUSED, told OK_RESERVED") as difference:
        await customs.reserve(content("M1", one("11")))
    assert difference.value.field == f"{mrn_of('M1')} 1.1 outcome"
    world.expectation.licence("BE/A", quantity="100", value="50000.00")
    with pytest.raises(Mismatch, match="expected 0 / 0 / 100, told 11 / 0 / 89"):
        await customs.look_at_licence("BE/A")
    world.expectation.lines.clear()
