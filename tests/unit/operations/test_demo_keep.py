"""What the demo tells of the servers it leaves running."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from certex_bridge.operations import demo_command
from certex_bridge.platform.settings import Settings

URL = "postgresql://bridge:geheim@db.example:5432/bridge"


class EmptyPool:
    """A ledger without anything to show."""

    async def fetchval(self, *_: Any) -> None:
        return None


@pytest.mark.parametrize(("embedded", "told"), [(True, True), (False, False)])
async def test_the_password_of_a_named_server_is_never_printed(
    capsys: pytest.CaptureFixture[str], embedded: bool, told: bool
) -> None:
    settings = Settings.load(database_url=URL, kafka_bootstrap_servers="broker:9092")
    roles = asyncio.create_task(asyncio.sleep(0))
    await demo_command._keep(settings, EmptyPool(), roles, tell_address=embedded, gateway="http://127.0.0.1:8080")
    said = capsys.readouterr().out
    assert ("geheim" in said) is told
    assert "certex-bridge journal verify" in said
