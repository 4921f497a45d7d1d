"""The laboratory's customs system at the real gateway: every function, every form, every manner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from certex_bridge.laboratory.customs_channel import Form
from certex_bridge.laboratory.customs_client import Manner
from certex_bridge.laboratory.customs_requests import cited, goods
from tests.support.gateway_world import GatewayWorld, content, gateway_world
from tests.support.ledger_words import mrn_of

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


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("manner", list(Manner))
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


async def test_a_whole_day(world: GatewayWorld) -> None:
    from certex_bridge.laboratory.customs_day import Setting, play_day

    await world.issue("B", quantity="300")
    await world.issue("C", value="40000.00")
    customs = world.customs()
    await play_day(customs, Setting(("A", "B", "C"), "BE0123456789", "BE000123"), declarations=60, seed=1)
