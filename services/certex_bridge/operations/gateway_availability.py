"""Check availability (F1) and the plain reads, wired to the database of a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certex_bridge.ledger.adapters.reader import PostgresReader, ReadLimits
from certex_bridge.operations.policies import decode_options_of, policy_of
from certex_bridge.platform.postgres import retry_cause
from certex_bridge.singlewindow.adapters.interests import PostgresInterests
from certex_bridge.singlewindow.functions.availability import Availability, CheckSettings, operation_of
from certex_bridge.singlewindow.functions.reads import reads
from certex_bridge.singlewindow.interests import BufferedInterests

if TYPE_CHECKING:
    from certex_bridge.operations.composition import Bridge
    from certex_bridge.operations.gateway_role import GatewayParts, GatewayTimes


def availability(bridge: Bridge, times: GatewayTimes) -> GatewayParts:
    """The operation, the reads, and the task that writes interests."""
    from certex_bridge.operations.gateway_role import GatewayParts

    settings = bridge.settings
    policy, shown = policy_of(settings), settings.figures_shown_to_customs
    limits = ReadLimits(check=times.check_budget, connection=times.database_wait)
    reader = PostgresReader(bridge.pool, limits)
    interests = BufferedInterests(PostgresInterests(bridge.pool), retry_cause)
    told = CheckSettings(settings.message_sender, policy, decode_options_of(settings), shown)
    function = Availability(reader, interests, told)
    bridge.forgetting += [reader.forget, function.forget]
    return GatewayParts(
        operations=(operation_of(function),),
        reads=reads(reader, policy, figures_shown=shown),
        tasks={"interests": interests.run},
    )
