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

from certex_bridge.platform.logs import get_logger
from certex_bridge.singlewindow.http.problems import problem_document
from certex_bridge.singlewindow.refusals import Refusal

if TYPE_CHECKING:
    from certex_bridge.operations.composition import Bridge
    from certex_bridge.platform.health import Application, HttpRole, Receive, Scope, Send
    from certex_bridge.platform.runtime import Role
    from certex_bridge.platform.settings import Settings
    from certex_bridge.singlewindow.http.access import Access
    from certex_bridge.singlewindow.http.problems import Renderer
    from certex_bridge.singlewindow.operation import Operation

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
    tasks: Mapping[str, Background] = field(default_factory=dict)
    """Their background work by name."""


Wiring = Callable[["Bridge", GatewayTimes], GatewayParts]
ApplicationFactory = Callable[[Sequence["Operation"]], "Application"]

WIRINGS: tuple[Wiring, ...] = ()
"""One for each group of functions."""


def parts_of(bridge: Bridge, wirings: Sequence[Wiring] = WIRINGS) -> GatewayParts:
    """All functions and tasks of the gateway of an opened bridge."""
    times = GatewayTimes.of(bridge.settings)
    parts = [wire(bridge, times) for wire in wirings]
    tasks = [pair for part in parts for pair in part.tasks.items()]
    assert len({name for name, _ in tasks}) == len(tasks), "two tasks of one name"
    return GatewayParts([one for part in parts for one in part.operations], dict(tasks))


def application_of(_operations: Sequence[Operation]) -> Application:
    """The application that answers for these operations."""

    async def answer(scope: Scope, _receive: Receive, _send: Send) -> None:
        raise Refusal("NOT_FOUND", "there is nothing at this address", field="path", value=scope["path"])

    return answer


class Gateway:
    """The role: its application is served by the process's `HttpRole`, its tasks run here."""

    name = "gateway"

    def __init__(
        self,
        settings: Settings,
        access: Access,
        parts: GatewayParts,
        factory: ApplicationFactory = application_of,
        render: Renderer = problem_document,
    ) -> None:
        """`factory` makes the application from the operations; `render` writes what is refused before it."""
        self.application = access.protect(factory(parts.operations), render)
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


def in_stop_order(roles: Sequence[Role], http: HttpRole, gateway: Gateway | None) -> list[Role]:
    """The roles of a process in the order in which they stop.

    Without a gateway the HTTP server is the last to go: health and metrics tell of the stop. With one it goes before
    the gateway's tasks, on which calls in work depend, and both before the relay, which sends what those calls wrote.
    """
    if gateway is None:
        return [*roles, http]
    before = [role for role in roles if role.name != "relay"]
    return [*before, http, gateway, *(role for role in roles if role.name == "relay")]
