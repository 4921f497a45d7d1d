"""The console, wired to a process with the role gateway: pages under /console beside the functions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from certex_bridge.ledger.adapters.reader import PostgresReader
from certex_bridge.operations.gateway_role import ApplicationFactory, Gateway, application_of, parts_of
from certex_bridge.operations.policies import policy_of
from certex_bridge.platform.kafka import TopicCatalogue, create_consumer

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

    from certex_bridge.operations.composition import Bridge
    from certex_bridge.oversight.console.flow import Place
    from certex_bridge.oversight.console.repairs import Letter
    from certex_bridge.platform.health import Application, Receive, Scope, Send
    from certex_bridge.platform.settings import Settings
    from certex_bridge.singlewindow.http.access import Access


def open_gateway(bridge: Bridge, access: Access, factory: ApplicationFactory = application_of) -> Gateway:
    """The role gateway of an opened bridge, with the console beside it when CERTEX_CONSOLE_AUTH asks for one.

    `factory` makes the application of the functions.
    """
    parts = parts_of(bridge)
    if bridge.settings.console_auth == "off":
        return Gateway(bridge.settings, access, parts, factory)
    ends = LogEnds(bridge.settings)
    parts = replace(parts, tasks={**parts.tasks, "console": ends.run})
    gateway = Gateway(bridge.settings, access, parts, factory)
    gateway.application = beside(console_application(bridge, ends), gateway.application)
    return gateway


def console_application(bridge: Bridge, ends: LogEnds) -> Application:
    """The console's pages on the parts of an opened bridge."""
    # Here: the pages and their templates load only where they are served.
    from certex_bridge.oversight.console.app import Console, Surroundings

    async def depths() -> Mapping[str, float]:
        return await bridge.calendar.depths()

    around = Surroundings(
        pool=bridge.pool,
        reader=PostgresReader(bridge.pool),
        policy=policy_of(bridge.settings),
        depths=depths,
        ends=ends.now,
        post=poster(bridge.settings),
        metrics=bridge.metrics,
    )
    return Console(bridge.settings, around).application()


def beside(console: Application, others: Application) -> Application:
    """Requests for /console go to the console, all others to the functions."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        ours = scope["type"] == "http" and (path == "/console" or path.startswith("/console/"))
        await (console if ours else others)(scope, receive, send)

    return application


def poster(settings: Settings) -> Callable[[Letter], Any]:
    """Publishes a repaired record; a connection of its own, since this happens a few times a day."""

    async def post(letter: Letter) -> tuple[str, int, int]:
        from certex_bridge.laboratory.messages import Message
        from certex_bridge.laboratory.publish import Sender

        message = Message(letter.topic, letter.key or b"", letter.value, letter.headers, letter.topic)
        async with Sender(settings) as sender:
            sent = await sender.send([message])
        return sent[0].place

    return post


class LogEnds:
    """Where the logs of the topics that are read end; one consumer without group, connected at the first question."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer: AIOKafkaConsumer | None = None
        self._lock = asyncio.Lock()

    async def now(self) -> Mapping[Place, int]:
        """End of each partition, topic names without prefix.

        Raises:
            KafkaError: the broker is away; the next question connects anew.
        """
        async with self._lock:
            try:
                consumer = await self._connected()
                found = await consumer.end_offsets(await self._places(consumer))
            except BaseException:
                await self._leave()
                raise
        prefix = len(self._settings.topic_prefix)
        return {(place.topic[prefix:], place.partition): end for place, end in found.items()}

    async def _connected(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            self._consumer = create_consumer(self._settings)
            await self._consumer.start()
        return self._consumer

    async def _places(self, consumer: AIOKafkaConsumer) -> list[Any]:
        from aiokafka import TopicPartition

        wanted = [self._settings.topic_prefix + name for name in TopicCatalogue.load().names("in")]
        known = await consumer.topics()
        return [
            TopicPartition(topic, partition)
            for topic in wanted
            if topic in known
            for partition in consumer.partitions_for_topic(topic) or ()
        ]

    async def _leave(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    async def run(self, stop: asyncio.Event) -> None:
        """Disconnect at the end of the process."""
        await stop.wait()
        await self._leave()
