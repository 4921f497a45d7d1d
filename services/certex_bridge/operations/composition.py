"""The composition root: settings in, wired roles out. Nothing else in the package knows all parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import asyncpg
from aiokafka.errors import KafkaError

from certex_bridge.customs.decode import decode_declaration_event
from certex_bridge.customs.profiles import decode_message
from certex_bridge.ledger.adapters.calendar import PostgresCalendar
from certex_bridge.ledger.adapters.outbox import PostgresOutbox
from certex_bridge.ledger.adapters.positions import PostgresPositions
from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.adapters.status_changes import PostgresStatusChanges
from certex_bridge.ledger.commands import Command
from certex_bridge.ledger.envelopes import Envelopes
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.intake import Decoder, Intake, Limits
from certex_bridge.ledger.relay import Relay
from certex_bridge.ledger.worker import ClocksApart, Rhythm, Worker
from certex_bridge.licensing.decode import decode_licence_event
from certex_bridge.operations.database_size import SIZE_SECONDS, DatabaseSize
from certex_bridge.operations.heads import private_key
from certex_bridge.operations.licence_measures import LicenceMeasures
from certex_bridge.operations.measuring import LedgerMeasures
from certex_bridge.operations.meters import BridgeMeter
from certex_bridge.operations.policies import decode_options_of, licensing_options_of, policy_of, types_of
from certex_bridge.operations.pushing import DeliveryRole, fan_out_rhythm
from certex_bridge.operations.sealing import Sealer
from certex_bridge.operations.surroundings import clock_skew
from certex_bridge.platform.envelope import Envelope, Poison
from certex_bridge.platform.kafka import BatchSubscription, FencedPublisher, create_broker, subscribe_batches
from certex_bridge.platform.kafka_batches import Commit
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.postgres import check_schema, create_pool, retry_cause
from certex_bridge.platform.runtime import BatchRole, Role
from certex_bridge.platform.settings import Settings
from certex_bridge.platform.time_limit import timed
from certex_bridge.platform.tracing import Tracing, tracing_of
from certex_bridge.platform.watchdog import Turns
from certex_bridge.singlewindow.adapters.pushes import PostgresPushes
from certex_bridge.singlewindow.callers import Caller
from certex_bridge.singlewindow.documents import LETTER_BYTES_MAX, BridgeDocuments

TOPIC_OF: Mapping[str, str] = {
    "acknowledgement": "licensing.acknowledgements.v1",
    "balance": "licensing.balances.v1",
    "certificate": "certex.certificates.v1",
    "outcome": "certex.outcomes.v1",
    "notification": "certex.notifications.v1",
    "incident": "licensing.incidents.v1",
    "record": "licensing.records.v1",
    "deadletter": "certex.deadletters.v1",
    "seal": "certex.seals.v1",
}
"""Topic by outbox aggregate type."""

LETTER_FRAME_BYTES = 8_192
"""Room for the headers and the key of a dead letter below the largest message."""

DEPTHS_SECONDS = 5.0
"""How often the depths of the queues are looked up."""

CLOSE_SECONDS = 5.0
"""Limit of giving database connections back."""


def decoders_of(settings: Settings) -> dict[str, Decoder]:
    """From a record to commands, by topic."""
    customs, licensing = decode_options_of(settings), licensing_options_of(settings)

    def licences(envelope: Envelope) -> Sequence[Command]:
        return (decode_licence_event(envelope, licensing),)

    def declarations(envelope: Envelope) -> Sequence[Command]:
        return (decode_declaration_event(envelope, customs),)

    def messages(envelope: Envelope) -> Sequence[Command | Poison]:
        return decode_message(envelope, customs, settings.message_bytes_max)

    decoders: dict[str, Decoder] = {
        "licensing.licences.v1": licences,
        "customs.declarations.v1": declarations,
        "customs.messages.v1": messages,
    }
    return {topic: timed(decoder, settings.decode_seconds) for topic, decoder in decoders.items()}


def transient(error: BaseException) -> str | None:
    """Label of a failure that can pass (a server away, another transaction in the way, clocks apart), or None."""
    if isinstance(error, ClocksApart):
        return "clock"
    return "broker" if isinstance(error, KafkaError) else retry_cause(error)


class Bridge:
    """All parts of one process, wired; open it, take its roles, close it."""

    def __init__(self, settings: Settings, metrics: Metrics | None = None, tracing: Tracing | None = None) -> None:
        self.settings = settings
        self.tracing = tracing or tracing_of(settings)
        self.metrics = metrics or Metrics()
        self.turns = Turns()
        self.subscriptions: list[BatchSubscription] = []
        self.forgetting: list[Callable[[], None]] = []
        """What drops memories of the database when a new connection is made."""
        self.callers: Callable[[], Mapping[str, Caller]] = dict
        """The callers in force by name; a process with the role gateway has some."""
        self._pool: asyncpg.Pool[Any] | None = None

    async def open(self) -> None:
        """Connect to the database and check that its schema is the one this release works on.

        Raises:
            DatabaseUnfit, SchemaMismatch: the bridge must not start.
        """
        settings = self.settings
        self._pool = await create_pool(settings, self._connected)
        try:
            await check_schema(self._pool)
        except BaseException:
            await self.close()
            raise
        self._documents = BridgeDocuments(
            settings.message_sender,
            settings.message_recipient,
            min(LETTER_BYTES_MAX, settings.kafka_message_bytes_max - LETTER_FRAME_BYTES),
            figures_shown=settings.figures_shown_to_customs,
            types=types_of(settings),
        )
        self.store = PostgresStore(self._pool)
        self.outbox = PostgresOutbox(self._pool)
        self.calendar = PostgresCalendar(self._pool)
        self.pushes = PostgresPushes(self._pool, PostgresStatusChanges())
        self.executor = self._executor(self.store)
        self.meter = BridgeMeter(self.metrics, TOPIC_OF)
        self.forgetting += [self.store.forget, self._documents.forget]

    def hurried_executor(self, wait_seconds: float) -> Executor:
        """An executor for those who rather have no answer than wait longer for a connection."""
        return self._executor(self.store.hurried(wait_seconds))

    def _executor(self, store: PostgresStore) -> Executor:
        return Executor(store, self._documents, policy_of(self.settings), tracing=self.tracing)

    async def _connected(self, _connection: object) -> None:
        """A new connection may lead to another server, which may lack what is remembered of the one before."""
        for forget in self.forgetting:
            forget()

    async def close(self) -> None:
        """Give the connections back, and send the last traces; bounded."""
        await self.tracing.stop()
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
        makers: dict[str, Callable[[], Sequence[Role]]] = {
            "intake": lambda: [self._intake()],
            "worker": lambda: [self._worker(), DeliveryRole(self, transient)],
            "relay": lambda: [self._relay()],
        }
        return [role for name, make in makers.items() if name in names for role in make()]

    def _intake(self) -> BatchRole:
        settings = self.settings
        decoders = decoders_of(settings)
        intake = Intake(
            self.executor,
            decoders,
            transient,
            self.meter,
            # A quarter: with one more record and the transaction still well before the watchdog's limit.
            Limits(settings.quarantine_run_max, settings.watchdog_stuck_seconds / 4),
            self.tracing,
            settings.kafka_group,
        )

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
            positions=PostgresPositions(self.pool),
        )
        self.subscriptions.append(subscription)
        return BatchRole("intake", broker, [subscription], settings, self.turns)

    def _worker(self) -> Worker:
        settings = self.settings
        longest = settings.statement_timeout_ms / 1000 + settings.database_connect_seconds
        measures = LedgerMeasures(self.pool, self.metrics)
        licences = LicenceMeasures(self.pool, self.metrics, settings.reservation_idle_days)
        size = DatabaseSize(self.pool, self.metrics, settings.database_capacity_bytes)
        key = settings.seal_key_file
        sealer = Sealer(self.pool, settings.seal_seconds, private_key(key) if key else None)

        async def measure_seals() -> None:
            self.metrics.measured("seals_behind_seconds", await sealer.behind())

        return Worker(
            self.executor,
            self.calendar,
            zone=policy_of(settings).zone,
            skew=lambda: clock_skew(self.pool),
            skew_seconds_max=settings.clock_skew_seconds_max,
            poll_seconds=settings.worker_poll_ms / 1000,
            timers_seconds=settings.timers_poll_seconds,
            more=[fan_out_rhythm(self)],
            measures=[
                Rhythm("depths", DEPTHS_SECONDS, self._measure),
                Rhythm("ledger", settings.verify_poll_seconds, measures.measure),
                Rhythm("licences", settings.verify_poll_seconds, licences.measure),
                Rhythm("size", SIZE_SECONDS, size.measure),
                Rhythm("seals", settings.seal_seconds, sealer.seal),
                Rhythm("seals_behind", DEPTHS_SECONDS, measure_seals),
            ],
            meter=self.meter,
            transient=transient,
            turned=lambda rhythm, pause: self.turns.mark(f"worker.{rhythm}", pause + longest),
        )

    def _relay(self) -> RelayRole:
        return RelayRole(self)

    async def _measure(self) -> None:
        found = {**await self.calendar.depths(), **await self.pushes.depths()}
        for name, value in found.items():
            self.metrics.measured(name, value)
        self.metrics.measured("database_clock_skew_seconds", await clock_skew(self.pool))


class RelayRole:
    """Publishes the outbox; empties it before it stops."""

    name = "relay"

    def __init__(self, bridge: Bridge) -> None:
        settings = bridge.settings
        # A broker that is away holds a batch up for as long; to restart this process would help nobody.
        longest = 2 * settings.kafka_delivery_seconds + 2 * settings.statement_timeout_ms / 1000
        self._publisher = FencedPublisher(settings)
        self._relay = Relay(
            bridge.outbox,
            self._publisher,
            Envelopes(TOPIC_OF, f"urn:certex-bridge:{settings.message_sender.lower()}"),
            rows_max=settings.relay_batch_max,
            idle_seconds=settings.relay_poll_ms / 1000,
            meter=bridge.meter,
            transient=transient,
            turned=lambda: bridge.turns.mark(self.name, longest),
            tracing=bridge.tracing,
        )
        self._turns = bridge.turns

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until told to stop; what is committed by then and we lead is sent first.

        Raises:
            Exception: a failure that cannot pass.
        """
        try:
            await self._relay.run(stop)
        finally:
            self._turns.forget(self.name)
            await self._publisher.stop()

    def ready(self) -> str | None:
        """The relay is ready while it runs; it may wait for its turn to lead."""
        return None
