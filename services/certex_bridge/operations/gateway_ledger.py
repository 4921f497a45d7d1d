"""The functions that move quantities: group commit, and the topic that keeps calls while the database is away."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from certex_bridge.customs.decode import decode_declaration_event
from certex_bridge.ledger.adapters.answers import PostgresAnswers
from certex_bridge.ledger.adapters.mismatches import PostgresMismatches
from certex_bridge.ledger.gathering import BATCH_MAX, Gathering
from certex_bridge.licensing.decode import decode_licence_event
from certex_bridge.operations.composition import transient
from certex_bridge.operations.policies import decode_options_of, licensing_options_of
from certex_bridge.platform.kafka import Publisher
from certex_bridge.singlewindow.functions import manual, movements, reports
from certex_bridge.singlewindow.functions.keeping import Keeping
from certex_bridge.singlewindow.functions.ledger_calls import LedgerCalls

if TYPE_CHECKING:
    from certex_bridge.operations.composition import Bridge
    from certex_bridge.operations.gateway_role import GatewayParts, GatewayTimes

CALL_SECONDS = 5.0
"""Longest that a call waits for its transaction, where the limit of the whole request is not shorter."""
KEEP_SECONDS = 3.0
"""Longest that it then waits for the broker."""


def ledger_functions(bridge: Bridge, times: GatewayTimes) -> GatewayParts:
    """Operations of the ledger, and the task that ends what they began."""
    from certex_bridge.operations.gateway_role import GatewayParts

    settings = bridge.settings
    gathering = Gathering(
        bridge.hurried_executor(times.database_wait),
        PostgresAnswers(bridge.pool, times.database_wait),
        transient,
        gather_seconds=times.gather,
        batch_max=BATCH_MAX if times.gather else 1,
        meter=bridge.meter,
    )
    publisher = Publisher(settings)
    keeping = Keeping(publisher.send_all, KEEP_SECONDS)
    decoder = partial(decode_declaration_event, options=decode_options_of(settings))
    seconds = min(CALL_SECONDS, settings.gateway_handler_seconds)
    calls = LedgerCalls(gathering, decoder, keeping.keep, seconds)
    licensing = partial(decode_licence_event, options=licensing_options_of(settings))
    captures = manual.Captures(gathering, licensing, seconds)
    sender = settings.message_sender

    async def end_in_order(stop: asyncio.Event) -> None:
        await stop.wait()
        await gathering.stop()
        await keeping.stop()
        await publisher.stop()

    return GatewayParts(
        (*movements.operations(calls, sender), *manual.operations(calls, captures, sender)),
        reports.reads(PostgresMismatches(bridge.pool)),
        {"ledger": end_in_order},
    )
