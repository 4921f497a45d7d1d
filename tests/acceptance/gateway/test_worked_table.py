"""The worked numbers of a line limited in quantity and value, row by row over HTTP, read back as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from certex_bridge.laboratory.customs_channel import Form
from certex_bridge.laboratory.customs_requests import cited, goods
from tests.support.gateway_world import GatewayWorld, content, gateway_world
from tests.support.ledger_words import mrn_of

if TYPE_CHECKING:
    from certex_bridge.laboratory.customs_client import CustomsClient

A, B, C = "M1", "M2", "M3"
NOTHING: list[str] = []
TABLE = (
    ("reserve A 40 / 20000", "40/0/60", "20000/0/30000", "Valid", NOTHING),
    ("reserve B 60 / 30000.01", "40/0/60", "20000/0/30000", "Valid", ["VALUE_EXCEEDED"]),
    ("amend B 60 / 30000", "100/0/0", "50000/0/0", "Valid", NOTHING),
    ("consume A", "60/40/0", "30000/20000/0", "Valid", NOTHING),
    ("unreserve B", "0/40/60", "0/20000/30000", "Valid", NOTHING),
    ("reserve C 60 / 1000", "60/40/0", "1000/20000/29000", "Valid", NOTHING),
    ("consume C", "0/100/0", "0/21000/29000", "Exhausted", NOTHING),
    ("amend A 30 / 15000", "0/90/10", "0/16000/34000", "Valid", NOTHING),
    ("withdraw C", "0/30/70", "0/15000/35000", "Valid", NOTHING),
    ("amend A 101 / 15000", "0/30/70", "0/15000/35000", "Valid", ["ADJUST_REFUSED", "QUANTITY_EXCEEDED"]),
)


@pytest.mark.row("IR 6(1)(b)", "IR 6(2)", "IR 6(3)", "IR 6(4)", "IR 6(5)", "IR 7")
@pytest.mark.parametrize("form", [Form.JSON, Form.XML])
async def test_every_row_of_the_worked_table(database_url: str, form: Form) -> None:
    async with gateway_world(database_url) as world:
        await world.issue("L", quantity="100", value="50000.00")
        customs = world.customs(form=form)
        versions: dict[str, int] = {}
        for told, quantity, value, status, reasons in TABLE:
            answer = await step(customs, told, versions)
            codes = {one.code for claim in answer.claim_results for one in claim.verdicts if one.severity == "ERROR"}
            found = await balances(world, customs)
            assert (sorted(codes), found) == (reasons, (quantity, value, status)), told
        await world.sound()


async def step(customs: CustomsClient, told: str, versions: dict[str, int]) -> Any:
    """One row in words: verb, declaration, quantity / value."""
    verb, letter, *figures = told.replace(" / ", " ").split()
    name = {"A": A, "B": B, "C": C}[letter]
    if verb in {"reserve", "amend"}:
        versions[name] = versions.get(name, 0) + 1
        item = goods(1, [cited(1, "L", quantity=figures[0], value=figures[1])])
        call = customs.reserve if verb == "reserve" else customs.adjust
        return await call(content(name, item, version=versions[name]))
    call_by_verb = {"consume": customs.consume, "unreserve": customs.unreserve, "withdraw": customs.withdraw}
    return await call_by_verb[verb](mrn_of(name))


async def balances(world: GatewayWorld, customs: CustomsClient) -> tuple[str, str, str]:
    """Reserved/consumed/available in pieces and in euro, and the status, as GET /v1/licences tells them."""
    view = await customs.look_at_licence("BE/L")
    told = {
        one["dimension"]: "/".join(one[name] for name in ("reserved", "consumed", "available"))
        for one in view["balances"]
    }
    return told["QTY"], told["VAL"], view["status"]
