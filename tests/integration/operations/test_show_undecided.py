"""`declaration show` on declarations that nobody can tell, and on one that is certain."""

from __future__ import annotations

import asyncio
import json
import shlex
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from certex_bridge.operations.show import run_declaration_show
from tests.integration.operations.test_verify import OTHER, Filled
from tests.support.ledger_words import HOLDER, Authority, Customs, mrn_of

if TYPE_CHECKING:
    from collections.abc import Callable

M21, M22, M23 = map(mrn_of, ("M21", "M22", "M23"))


@pytest.fixture
def shown(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs the command on a ledger with undecided declarations; gives what it said."""

    async def fill() -> None:
        async with asyncpg.create_pool(database_url, min_size=1, max_size=1) as pool:
            await Filled(pool).lodge_twice(Authority(), Customs())

    asyncio.run(fill())
    monkeypatch.setenv("CERTEX_DATABASE_URL", database_url)

    def show(declaration: str, *, as_json: bool = False) -> str:
        run_declaration_show(declaration, as_json=as_json)
        return capsys.readouterr().out

    return show


def test_an_undecided_declaration_says_so_and_how_it_is_settled(shown: Callable[..., str]) -> None:
    told: dict[str, Any] = json.loads(shown(M21, as_json=True))["undecided"]
    assert (told["code"], told["field"], told["value"]) == ("DRAFT_AMBIGUOUS", "lrn", "L21")
    assert [one["exporter"] for one in told["candidates"]] == [HOLDER, OTHER]
    text = shown(M21)
    assert f"UNDECIDED since {told['since']}: nothing is booked for it" in text
    assert "DRAFT_AMBIGUOUS (lrn: L21)" in text
    for one in told["candidates"]:
        assert one["lodgedEvent"] in text
        assert one["lodgedAt"] in text
        assert f"    {one['command']}" in text.splitlines()
        assert shlex.split(one["command"])[3] == M21


def test_without_any_lodging_it_says_what_is_waited_for(shown: Callable[..., str]) -> None:
    told = json.loads(shown(M22, as_json=True))["undecided"]
    assert (told["code"], told["candidates"]) == ("CONTENT_MISSING", [])
    text = shown(M22)
    assert "UNDECIDED since" in text
    assert "as soon as customs send its lodging" in text


def test_a_certain_declaration_says_nothing_of_it(shown: Callable[..., str]) -> None:
    assert json.loads(shown(M23, as_json=True))["undecided"] is None
    assert "UNDECIDED" not in shown(M23)
