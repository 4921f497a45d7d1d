"""Subscriptions with what they are owed, the newest pushes, and announced times of unavailability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certex_bridge.oversight.console.audit import record
from certex_bridge.oversight.console.web import Stopped, Visit, moved, page

if TYPE_CHECKING:
    from starlette.responses import Response

    from certex_bridge.oversight.console.reading import Reading

SHOWN = 100
VERBS = {"pause": ("pause",), "resume": ("retry", "resume"), "retry": ("retry",)}
"""Statements of each verb; who resumes wants the next attempt now."""
_STATE = "SELECT paused FROM subscription WHERE subscription_id = $1 AND ended_at IS NULL FOR UPDATE"


class PushPages:
    """Function F2 as operators see it, and notices (F10) as everybody does."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def show(self, visit: Visit) -> Response:
        """Subscriptions and pushes."""
        every, chosen = visit.asked("show") == "all", visit.asked("subscription")
        async with self._reading.picture() as seen:
            subscriptions = await seen.rows("desk.subscriptions", every)
            pushes = await seen.rows("desk.pushes", chosen, SHOWN)
        return page(
            visit, "pushes.html", subscriptions=subscriptions, pushes=pushes, every=every, chosen=chosen, shown=SHOWN
        )

    async def steer(self, visit: Visit) -> Response:
        """Pause, resume or retry one subscription."""
        subscription_id, verb = visit.request.path_params["id"], visit.request.path_params["verb"]
        if verb not in VERBS:
            raise Stopped(404, "missing", visit.request.url.path)
        async with self._reading.pool.acquire() as connection, connection.transaction():
            before = await connection.fetchval(_STATE, subscription_id)
            if before is None:
                raise Stopped(404, "unknown", subscription_id)
            if before != visit.form.get("paused"):  # another state than the page showed
                raise Stopped(409, "exchanged", subscription_id)
            for statement in VERBS[verb]:
                await connection.execute(self._reading.desk[statement], subscription_id)
            after = await connection.fetchval(_STATE, subscription_id)
            await record(connection, visit.person, f"subscription.{verb}", subscription_id, before, after)
        return moved("/console/pushes")

    async def notices(self, visit: Visit) -> Response:
        """Notices of unavailability (IR (EU) 2024/2145 Art. 11)."""
        async with self._reading.picture() as seen:
            rows = await seen.rows("notices")
        return page(visit, "notices.html", rows=rows)
