"""The composition root: settings in, wired roles out. Nothing else in the package knows all parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
from aiokafka.errors import KafkaError

from certex_bridge.customs.decode import decode_declaration_event
from certex_bridge.customs.options import DecodeOptions
from certex_bridge.customs.wco.profile import decode_wco
from certex_bridge.ledger.adapters.calendar import PostgresCalendar
from certex_bridge.ledger.adapters.outbox import PostgresOutbox
from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.commands import Command
from certex_bridge.ledger.domain.policy import FigureSource, Policy, SettleGroup
from certex_bridge.ledger.domain.reasons import Rule
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.intake import Decoder, Intake
from certex_bridge.ledger.relay import Envelopes, Relay
from certex_bridge.ledger.worker import Worker
from certex_bridge.licensing.decode import LicensingOptions, decode_licence_event
from certex_bridge.operations.meters import BridgeMeter
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.kafka import BatchSubscription, Publisher, create_broker, subscribe_batches
from certex_bridge.platform.kafka_batches import Commit
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.migrations import SchemaMismatch, schema_state
from certex_bridge.platform.postgres import create_pool, retry_cause
from certex_bridge.platform.runtime import BatchRole, Role
from certex_bridge.platform.settings import Settings
from certex_bridge.platform.watchdog import Turns
from certex_bridge.singlewindow.documents import BridgeDocuments

TOPIC_OF: Mapping[str, str] = {
    "acknowledgement": "licensing.acknowledgements.v1",
    "balance": "licensing.balances.v1",
    "certificate": "certex.certificates.v1",
    "outcome": "certex.outcomes.v1",
    "notification": "certex.notifications.v1",
    "deadletter": "certex.deadletters.v1",
}
"""Topic by outbox aggregate type."""

CLOSE_SECONDS = 5.0
"""Limit of giving database connections back."""


def policy_of(settings: Settings) -> Policy:
    """The ledger's decisions as the settings say."""
    return Policy(
        settle_group=SettleGroup(settings.settle_group),
        enforced=frozenset(Rule(name) for name in settings.enforce_mismatches),
        ladder=tuple(FigureSource(name) for name in settings.declared_figure_ladder),
        unit_aliases=settings.unit_aliases,
        show_available=settings.figures_shown_to_customs,
        further_codes=frozenset(code for codes in settings.legacy_document_codes.values() for code in codes),
        calendar_zone=ZoneInfo(settings.calendar_zone),
        calendar_zones={country: ZoneInfo(name) for country, name in settings.calendar_zones.items()},
    )


def decoders_of(settings: Settings) -> dict[str, Decoder]:
    """From a record to commands, by topic."""
    customs = DecodeOptions(
        zones={country: ZoneInfo(name) for country, name in settings.calendar_zones.items()},
        default_zone=ZoneInfo(settings.calendar_zone),
        legacy_codes=settings.legacy_document_codes,
    )
    licensing = LicensingOptions(legacy_codes=settings.legacy_document_codes)

    def licences(envelope: Envelope) -> Sequence[Command]:
        return (decode_licence_event(envelope, licensing),)

    def declarations(envelope: Envelope) -> Sequence[Command]:
        return (decode_declaration_event(envelope, customs),)

    def messages(envelope: Envelope) -> Sequence[Command]:
        return decode_wco(envelope, customs)

    return {
        "licensing.licences.v1": licences,
        "customs.declarations.v1": declarations,
        "customs.messages.v1": messages,
    }


def transient(error: BaseException) -> str | None:
    """Label of a failure that can pass (database or broker away, another transaction in the way), or None."""
    return "broker" if isinstance(error, KafkaError) else retry_cause(error)


class Bridge:
    """All parts of one process, wired; open it, take its roles, close it."""

    def __init__(self, settings: Settings, metrics: Metrics | None = None) -> None:
        self.settings = settings
        self.metrics = metrics or Metrics()
        self.turns = Turns()
        self.subscriptions: list[BatchSubscription] = []
        self._pool: asyncpg.Pool[Any] | None = None

    async def open(self) -> None:
        """Connect to the database and check that its schema is the one this release works on.

        Raises:
            DatabaseUnfit, SchemaMismatch: the bridge must not start.
        """
        self._pool = await create_pool(self.settings)
        problem = (await schema_state(self._pool)).problem
        if problem is not None:
            raise SchemaMismatch(problem)
        documents = BridgeDocuments(self.settings.message_sender, self.settings.message_recipient)
        self.store = PostgresStore(self._pool)
        self.outbox = PostgresOutbox(self._pool)
        self.calendar = PostgresCalendar(self._pool)
        self.executor = Executor(self.store, documents, policy_of(self.settings))
        self.meter = BridgeMeter(self.metrics, TOPIC_OF)

    async def close(self) -> None:
        """Give the connections back; bounded."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            try:
                await asyncio.wait_for(pool.close(), CLOSE_SECONDS)
            except TimeoutError:
                pool.terminate()

    @property
    def pool(self) -> asyncpg.Pool[Any]:
        """The database connections."""
        assert self._pool is not None, "open() first"
        return self._pool

    def roles(self, names: Collection[str]) -> list[Role]:
        """The roles of this process, in the order in which they stop."""
        makers: dict[str, Callable[[], Role]] = {"intake": self._intake, "worker": self._worker, "relay": self._relay}
        return [make() for name, make in makers.items() if name in names]

    def _intake(self) -> BatchRole:
        settings = self.settings
        decoders = decoders_of(settings)
        intake = Intake(self.executor, decoders, transient, self.meter)

        async def on_batch(envelopes: list[Envelope], commit: Commit) -> None:
            await intake.on_batch(envelopes, commit)

        broker = create_broker(settings)
        subscription = subscribe_batches(
            broker,
            list(decoders),
            settings.kafka_group,
            on_batch,
            settings=settings,
            metrics=self.metrics,
            start_offsets=self.next_offsets,
        )
        self.subscriptions.append(subscription)
        return BatchRole("intake", broker, [subscription], settings, self.turns)

    def _worker(self) -> Worker:
        settings = self.settings
        return Worker(
            self.executor,
            self.calendar,
            poll_seconds=settings.worker_poll_ms / 1000,
            timers_seconds=settings.timers_poll_seconds,
            measure=self._measure,
            transient=transient,
        )

    def _relay(self) -> RelayRole:
        return RelayRole(self)

    async def _measure(self) -> None:
        for name, value in (await self.calendar.depths()).items():
            getattr(self.metrics, name).set(value)

    async def next_offsets(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Where the database says that reading goes on, for partitions whose group offset is lost."""
        rows = await self.pool.fetch("SELECT topic, partition, next_record FROM consumer_offset")
        known = {(row[0], row[1]): row[2] for row in rows}
        return {place: known[place] for place in places if place in known}


class RelayRole:
    """Publishes the outbox; empties it before it stops."""

    name = "relay"

    def __init__(self, bridge: Bridge) -> None:
        settings = bridge.settings
        self._publisher = Publisher(settings)
        self._relay = Relay(
            bridge.outbox,
            self._publisher,
            Envelopes(TOPIC_OF, f"urn:certex-bridge:{settings.message_sender.lower()}"),
            rows_max=settings.relay_batch_max,
            idle_seconds=settings.relay_poll_ms / 1000,
            sent=bridge.meter.sent,
            led=bridge.meter.led,
            transient=transient,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until told to stop; what is committed by then and we lead is sent first.

        Raises:
            Exception: a failure that cannot pass.
        """
        try:
            await self._relay.run(stop)
        finally:
            await self._publisher.stop()

    def ready(self) -> str | None:
        """The relay is ready while it runs; it may wait for its turn to lead."""
        return None
