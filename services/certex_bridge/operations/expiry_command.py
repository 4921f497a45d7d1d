"""`licence undo-expiry`: a licence that a wrong clock let expire is valid again; the journal says who did it and why.

Timers rest while the clocks of worker and database differ (`CERTEX_CLOCK_SKEW_SECONDS_MAX`). When both were wrong, a
licence may have expired before its last day. The authority can send it again with a later last day; this is for the
case that nothing is wrong but the clock.
"""

from __future__ import annotations

import asyncio

from certex_bridge.kernel.dates import legal_day
from certex_bridge.kernel.errors import InputError
from certex_bridge.ledger.commands import INTERNAL, Delivery, ExpiryUndone
from certex_bridge.operations.composition import Bridge
from certex_bridge.operations.freeze_command import operator_of
from certex_bridge.operations.policies import policy_of
from certex_bridge.operations.reading import NotFound
from certex_bridge.operations.terminal import print_json, say
from certex_bridge.platform.settings import Settings

_LOOK = (
    "SELECT version, status, valid_to, expired_version, sv, clock_timestamp() AS now FROM licence WHERE licence_id = $1"
)
_OVER = "the validity of {licence} ended on {valid_to}: only a later last day, sent by its authority, makes it valid"


def run_undo_expiry(licence_id: str, reason: str, *, as_json: bool) -> None:
    """Take the expiry back in one transaction of the ledger; a licence that is not expired stays as it is.

    Raises:
        NotFound: the ledger has no such licence.
        InputError: REASON_MISSING; NOT_EXPIRED; VALIDITY_OVER where the last day is over by the database's clock.
    """
    if not reason.strip():
        raise InputError("say why", field="reason", code="REASON_MISSING")
    status, name = asyncio.run(_undo(licence_id, " ".join(reason.split())))
    if as_json:
        print_json({"licence": licence_id, "status": status, "by": name, "reason": " ".join(reason.split())})
    else:
        say(f"The expiry of {licence_id} is undone; its status is {status}. What was refused for it is decided again.")


async def _undo(licence_id: str, reason: str) -> tuple[str, str]:
    """Status afterwards, and who did it."""
    settings = Settings.load()
    bridge = Bridge(settings)
    await bridge.open()
    try:
        row = await bridge.pool.fetchrow(_LOOK, licence_id)
        if row is None or not row["version"]:
            raise NotFound(f"The ledger has no licence {licence_id}.", field="licence", value=licence_id)
        today = legal_day(row["now"], policy_of(settings).zone(licence_id.partition("/")[0]))
        if row["expired_version"] != row["version"]:
            sentence = f"{licence_id} has not expired; its status is {row['status']}"
            raise InputError(sentence, field="licence", value=licence_id, code="NOT_EXPIRED")
        if row["valid_to"] is not None and today > row["valid_to"]:
            sentence = _OVER.format(licence=licence_id, valid_to=row["valid_to"])
            raise InputError(sentence, field="licence", value=licence_id, code="VALIDITY_OVER")
        async with bridge.pool.acquire() as connection:
            name = (await operator_of(connection)).name
        undo = ExpiryUndone(licence_id, row["version"], row["sv"], today, name, reason, row["now"])
        applied = await bridge.executor.apply([Delivery(INTERNAL, undo)])
        if applied.answers[0].result != "APPLIED":
            raise InputError(
                f"{licence_id} changed at this moment: look again",
                field="licence",
                value=licence_id,
                code="NOT_EXPIRED",
            )
        return str(await bridge.pool.fetchval("SELECT status FROM licence WHERE licence_id = $1", licence_id)), name
    finally:
        await bridge.close()
