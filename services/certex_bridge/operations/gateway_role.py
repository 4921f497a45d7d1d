"""The role gateway: the single window's functions over HTTP, behind identity and limits.

The functions are brought by `WIRINGS`: each takes the opened bridge and gives its operations and the tasks that go with
them. The role is ready when it listens and the callers are loaded. Whether the database is there does not count: the
functions have answers of their own without it, and a process taken out of service could not give them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from certex_bridge.operations.gateway_availability import availability
from certex_bridge.operations.gateway_ledger import ledger_functions
from certex_bridge.operations.pushing import subscriptions
from certex_bridge.platform.logs import get_logger
from certex_bridge.platform.tracing import OFF, Tracing
from certex_bridge.singlewindow.http.answers import Answers
from certex_bridge.singlewindow.http.gateway import gateway_application

if TYPE_CHECKING:
    from certex_bridge.operations.composition import Bridge
    from certex_bridge.platform.health import Application, HttpRole
    from certex_bridge.platform.metrics import Metrics
    from certex_bridge.platform.runtime import Role
    from certex_bridge.platform.settings import Settings
    from certex_bridge.singlewindow.http.access import Access
    from certex_bridge.singlewindow.operation import Operation, Read

LOG = get_logger("certex_bridge.gateway")

Background = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
"""Works until the event is set, then ends what it began and returns; returning earlier is a failure."""


@dataclass(frozen=True, slots=True)
class GatewayTimes:
    """How long a call waits for what, in seconds."""

    gather: float
    """For others that share its transaction."""
    database_wait: float
    """For a database connection."""
    check_budget: float
    """For an availability check as a whole."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """From the settings, which have milliseconds."""
        return cls(
            settings.gateway_gather_ms / 1000,
            settings.gateway_database_wait_ms / 1000,
            settings.gateway_check_budget_ms / 1000,
        )


@dataclass(frozen=True, slots=True)
class GatewayParts:
    """What functions bring to the gateway."""

    operations: Sequence[Operation] = ()
    reads: Sequence[Read] = ()
    """Plain reads for people and the console."""
    tasks: Mapping[str, Background] = field(default_factory=dict)
    """Their background work by name."""
    guards: Sequence[Callable[[Operation], Operation]] = ()
    """What stands before every function, those of other groups included."""


Wiring = Callable[["Bridge", GatewayTimes], GatewayParts]
ApplicationFactory = Callable[["GatewayParts", "Settings", "Metrics"], "Application"]


def wire_desk(bridge: Bridge, _times: GatewayTimes) -> GatewayParts:
    """Records, lists and notices; what is announced away is refused before its function is asked."""
    from certex_bridge.operations.desk import Desk

    desk = Desk(bridge, bridge.pushes)
    return GatewayParts(desk.operations, desk.reads, tasks={"desk": desk.run}, guards=(desk.guard,))


WIRINGS: tuple[Wiring, ...] = (availability, ledger_functions, subscriptions, wire_desk)
"""One for each group of functions."""


def parts_of(bridge: Bridge, wirings: Sequence[Wiring] = WIRINGS) -> GatewayParts:
    """All functions and tasks of the gateway of an opened bridge."""
    times = GatewayTimes.of(bridge.settings)
    parts = [wire(bridge, times) for wire in wirings]
    tasks = [pair for part in parts for pair in part.tasks.items()]
    assert len({name for name, _ in tasks}) == len(tasks), "two tasks of one name"
    operations = [one for part in parts for one in part.operations]
    for guard in [guard for part in parts for guard in part.guards]:
        operations = [guard(one) for one in operations]
    return GatewayParts(operations, [one for part in parts for one in part.reads], dict(tasks))


def application_of(parts: GatewayParts, settings: Settings, metrics: Metrics, tracing: Tracing = OFF) -> Application:
    """The application that answers for these operations and reads."""
    return gateway_application(parts.operations, metrics, settings.message_sender, parts.reads, tracing=tracing)


class Gateway:
    """The role: its application is served by the process's `HttpRole`, its tasks run here."""

    name = "gateway"

    def __init__(
        self,
        settings: Settings,
        access: Access,
        parts: GatewayParts,
        factory: ApplicationFactory = application_of,
    ) -> None:
        """`factory` makes the application; what is refused before it is answered in the form of the request too."""
        answers = Answers(settings.message_sender)
        self.application = access.protect(factory(parts, settings, access.metrics), answers.render)
        self._settings = settings
        self._tasks: dict[str, Background] = {"access": access.watch, **parts.tasks}
        self._running = False

    def ready(self) -> str | None:
        """Why the role is not ready, or None; the HTTP role says itself whether it listens."""
        return None if self._running else "not started yet"

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the background tasks running until `stop`, then let each end what it began.

        Raises:
            Exception: the failure of a task.
            RuntimeError: a task ended although nobody asked it to.
        """
        settings = self._settings
        LOG.info("gateway.open", auth=settings.gateway_auth, behind_tls=settings.http_behind_tls)
        tasks = [asyncio.create_task(work(stop), name=f"gateway.{name}") for name, work in self._tasks.items()]
        asked = asyncio.create_task(stop.wait())
        self._running = True
        try:
            await asyncio.wait([asked, *tasks], return_when=asyncio.FIRST_COMPLETED)
            early = [task.get_name() for task in tasks if task.done()]
            if early and not stop.is_set():
                _raise_failure(tasks)
                raise RuntimeError(f"{', '.join(early)} ended although nobody asked")
            await asyncio.wait(tasks)
            _raise_failure(tasks)
        finally:
            self._running = False
            for task in (asked, *tasks):
                task.cancel()
            await asyncio.gather(asked, *tasks, return_exceptions=True)


def _raise_failure(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done():
            task.result()


def in_stop_order(roles: Sequence[Role], http: HttpRole | None = None, gateway: Gateway | None = None) -> list[Role]:
    """The roles of a process in the order in which they stop; probes and metrics go after all of them.

    The gateway's server goes before its tasks, on which calls in work depend, and both before the relay, which sends
    what those calls wrote.
    """
    before = [role for role in roles if role.name != "relay"]
    served = [role for role in (http, gateway) if role is not None]
    return [*before, *served, *(role for role in roles if role.name == "relay")]
