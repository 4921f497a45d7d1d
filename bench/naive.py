"""The baseline: a plain consumer on the same libraries that does everything for one record before it takes the next.

It is given our decoder, our document builder and our validation, so that what differs is the shape alone: no batches,
no outbox, no journal with a hash chain, no inbox. Licences are locked in order, so that it does not deadlock, and the
movement's key keeps a repeated message from counting twice. As many processes run as of the bridge.

Run by the benchmark as a process of its own: `python -m bench.naive GROUP`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from bench import workload
from bench.processes import running
from bench.servers import Servers, place
from bench.watching import counter, publish, watch
from certex_bridge.customs.decode import decode_declaration_event
from certex_bridge.customs.options import DecodeOptions
from certex_bridge.ledger.domain.content import ClaimSpec
from certex_bridge.ledger.domain.facts import DeclarationCommand
from certex_bridge.ledger.domain.model import NOTHING, ClaimKey, Figures
from certex_bridge.ledger.domain.outcome import ClaimOutcome, DeclarationOutcome
from certex_bridge.licensing.content import licence_content
from certex_bridge.licensing.decode import LicensingOptions, decode_licence_event
from certex_bridge.licensing.domain.licence import Licence
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.kafka import Record, consumer_arguments, producer_arguments
from certex_bridge.platform.settings import Settings
from certex_bridge.singlewindow.outcome_document import render_outcome

OUTCOMES = "certex.outcomes.v1"
DECLARATIONS = "customs.declarations.v1"

SCHEMA = """
CREATE TABLE naive_line (
    licence_id text NOT NULL, line_no integer NOT NULL, unit text NOT NULL,
    available numeric(22, 6) NOT NULL CHECK (available >= 0), reserved numeric(22, 6) NOT NULL DEFAULT 0,
    PRIMARY KEY (licence_id, line_no)
);
CREATE TABLE naive_movement (
    event_id text NOT NULL, item integer NOT NULL, licence_id text NOT NULL, line_no integer NOT NULL,
    quantity numeric(22, 6) NOT NULL, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (event_id, item)
);
"""
LOCK = "SELECT available, unit FROM naive_line WHERE licence_id = $1 AND line_no = $2 FOR UPDATE"
INSERT = "INSERT INTO naive_movement (event_id, item, licence_id, line_no, quantity) VALUES ($1, $2, $3, $4, $5)"
UPDATE = (
    "UPDATE naive_line SET available = available - $3, reserved = reserved + $3 WHERE licence_id = $1 AND line_no = $2"
)


@dataclass(slots=True)
class Naive:
    """The consumer."""

    consumer: AIOKafkaConsumer
    producer: AIOKafkaProducer
    connection: Any
    topic: str
    licences: dict[str, Licence]

    async def run(self) -> None:
        """Read until ended from outside."""
        async for record in self.consumer:
            await self.handle(record)

    async def handle(self, record: ConsumerRecord[bytes, bytes]) -> None:
        """One message from decoding to the commit of its offset."""
        command = decode_declaration_event(_envelope(record), DecodeOptions())
        try:
            async with self.connection.transaction():
                claims = await self._reserve(command)
        except asyncpg.UniqueViolationError:
            claims = []  # a rebalance gave it to both; whoever booked it answers
        if claims:
            document = render_outcome(
                _outcome(command, claims), _content, sender="BENCH", recipient="BENCH", prepared_at=datetime.now(UTC)
            )
            await self.producer.send_and_wait(self.topic, document, key=record.key)
        await self.consumer.commit({TopicPartition(record.topic, record.partition): record.offset + 1})

    async def _reserve(self, command: DeclarationCommand) -> list[ClaimOutcome]:
        payload = command.facts.payload
        assert payload is not None
        specs = [spec for item in payload.items for spec in item.claims]
        claims = []
        for spec in sorted(specs, key=lambda one: (one.licence_id, one.line_no or 0)):
            wanted = spec.quantity.amount if spec.quantity else Decimal(0)
            available, unit = await self.connection.fetchrow(LOCK, spec.licence_id, spec.line_no)
            if available < wanted:
                raise ValueError("the workload never asks for more than there is")
            await self.connection.execute(INSERT, command.event_id, spec.item, spec.licence_id, spec.line_no, wanted)
            await self.connection.execute(UPDATE, spec.licence_id, spec.line_no, wanted)
            claims.append(_claim(command, spec, self.licences[spec.licence_id], unit, available - wanted))
        return claims


def _content(licence: Licence, line_no: int) -> str:
    return licence_content(licence, line_no or None)


def _envelope(record: ConsumerRecord[bytes, bytes]) -> Envelope:
    return Envelope(
        DECLARATIONS, record.partition, record.offset, record.key, record.value, tuple(record.headers), record.timestamp
    )


def _claim(
    command: DeclarationCommand, spec: ClaimSpec, licence: Licence, unit: str, available: Decimal
) -> ClaimOutcome:
    wanted = Figures(spec.quantity.amount if spec.quantity else Decimal(0), Decimal(0))
    key = ClaimKey(command.mrn, spec.item, spec.doc_seq, spec.licence_id, spec.line_no or 0)
    return ClaimOutcome(
        key, spec.reference, spec.document_code, "OK_RESERVED", "RESERVED", unit, "", wanted, wanted, NOTHING, NOTHING,
        (), (), (), (), (), licence=licence, licence_status="Valid", licence_version=1, available_quantity=available,
    )  # fmt: skip


def _outcome(command: DeclarationCommand, claims: Sequence[ClaimOutcome]) -> DeclarationOutcome:
    return DeclarationOutcome(
        command.mrn, 1, command.mrn, command.lrn, command.exporter, "", "ACCEPTED", 1, command.event_id,
        command.kind.value, command.occurred_at, tuple(claims),
    )  # fmt: skip


def _licences(count: int) -> dict[str, Licence]:
    found = {}
    for record in workload.licences(count):
        envelope = Envelope(record.topic, 0, 0, record.key, record.value, record.headers, 0)
        licence = decode_licence_event(envelope, LicensingOptions()).licence
        assert licence is not None
        found[licence.licence_id] = licence
    return found


async def main(licences: int) -> None:
    """The process: settings from the environment, until SIGTERM."""
    settings = Settings.load()
    topic = settings.topic_prefix + DECLARATIONS
    consumer = AIOKafkaConsumer(topic, **consumer_arguments(settings, settings.kafka_group))
    producer = AIOKafkaProducer(**producer_arguments(settings))
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    await consumer.start()
    await producer.start()
    await Naive(consumer, producer, connection, settings.topic_prefix + OUTCOMES, _licences(licences)).run()


async def measure(where: Servers, processes: int, count: int, licences: int) -> float:
    """Items a second of the baseline, while it runs at full speed.

    Raises:
        NotDone, ProcessEnded: it did not work.
    """
    made = workload.Declarations(seed=2, licences_known=licences)
    records: list[Record] = made.take(count)
    async with place(where, "naive") as at:
        await _issue(at.database, licences)
        await publish(at, records)
        command = [("naive", ["-m", "bench.naive", str(licences)])] * processes
        async with running(command, at.environment, where.folder) as team, counter(at, (OUTCOMES,)) as counting:
            curve = await watch(counting, at.topic(OUTCOMES), count, team.check)
        connection = await asyncpg.connect(at.database)
        reserved = await connection.fetchval("SELECT sum(reserved) FROM naive_line")
        await connection.close()
    if reserved != made.quantity:
        raise ValueError(f"the baseline reserved {reserved} of {made.quantity}")
    return curve.rate_between(0.1, 1.0) * workload.ITEMS


async def _issue(url: str, licences: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(SCHEMA)
        lines = [
            (licence_id, line.line_no, line.quantity.unit, line.quantity.amount)
            for licence_id, licence in _licences(licences).items()
            for line in licence.lines
            if line.quantity is not None
        ]
        columns = ["licence_id", "line_no", "unit", "available"]
        await connection.copy_records_to_table("naive_line", records=lines, columns=columns)
    finally:
        await connection.close()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
