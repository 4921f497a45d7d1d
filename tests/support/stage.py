"""A stage for the bridge as it runs: one database, one set of topics, processes on it, and what an auditor asks.

async with Stage(bootstrap_servers, database_url, topic_prefix, tmp_path) as stage:
await stage.feed(issued("A", 100), accepted("M1", A=40))
await stage.start()
await stage.settled()
assert await stage.balance("A") == "60/40/0"
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import asyncpg
from aiokafka import TopicPartition

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.operations.composition import TOPIC_OF
from certex_bridge.platform.kafka import Publisher, Record, TopicCatalogue, create_consumer, ensure_topics
from certex_bridge.platform.settings import Settings
from tests.support.bridge_process import BridgeProcess, until
from tests.support.ledger_words import mrn_of

if TYPE_CHECKING:
    from pathlib import Path

SETTLE_SECONDS = 40.0
READ_SECONDS = 20.0
PARTITIONS = 2

_QUICK = {
    "CERTEX_TOPICS_CREATE": "true",
    "CERTEX_TOPIC_PARTITIONS": str(PARTITIONS),
    "CERTEX_DATABASE_ASYNC_COMMIT": "true",
    "CERTEX_KAFKA_SESSION_TIMEOUT_MS": "6000",
    "CERTEX_KAFKA_HEARTBEAT_MS": "300",
    "CERTEX_KAFKA_FETCH_WAIT_MS": "20",
    "CERTEX_KAFKA_REQUEST_TIMEOUT_MS": "4000",
    "CERTEX_KAFKA_DELIVERY_SECONDS": "5",
    "CERTEX_RELAY_POLL_MS": "20",
    "CERTEX_WORKER_POLL_MS": "20",
    "CERTEX_GRACEFUL_STOP_SECONDS": "10",
    "CERTEX_RETRY_BACKOFF_MS_MAX": "500",
}


class Published(NamedTuple):
    """One record on an output topic."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: dict[str, str]

    @property
    def identity(self) -> tuple[str, str, int]:
        """Aggregate type, aggregate, version: from the message id."""
        agg_type, _, rest = self.headers["ce_id"].partition(":")
        agg_id, _, version = rest.rpartition(":")
        return agg_type, agg_id, int(version)


class Stage:
    """One database and one topic prefix with the bridge's processes on it."""

    def __init__(self, bootstrap_servers: str, database_url: str, prefix: str, folder: Path, **changes: str) -> None:
        self.database_url = database_url
        self._folder = folder
        self.environment = {
            **_QUICK,
            "CERTEX_KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
            "CERTEX_DATABASE_URL": database_url,
            "CERTEX_TOPIC_PREFIX": prefix,
            "CERTEX_KAFKA_GROUP": f"{prefix}bridge",
            **changes,
        }
        values = {name.removeprefix("CERTEX_").lower(): value for name, value in self.environment.items()}
        self.settings = Settings.load(**values)
        self.processes: list[BridgeProcess] = []
        self._publisher = Publisher(self.settings)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Connect, make the topics."""
        await ensure_topics(self.settings)
        await self._publisher.start()
        self._stack.push_async_callback(self._publisher.stop)
        self.pool = await asyncpg.create_pool(self.database_url, min_size=1, max_size=2)
        self._stack.push_async_callback(self._close_pool)
        self._stack.push_async_callback(self._end_processes)
        return self

    async def __aexit__(self, *_: object) -> None:
        """End what was started."""
        await self._stack.aclose()

    async def _close_pool(self) -> None:
        self.pool.terminate()

    async def _end_processes(self) -> None:
        for process in self.processes:
            await process.kill()

    # -- acting

    def launch(self, failpoint: str = "", **changes: str) -> BridgeProcess:
        """A process with settings (`roles="intake"`), not waited for."""
        environment = self.environment | {f"CERTEX_{name.upper()}": value for name, value in changes.items()}
        if failpoint:
            environment["CERTEX_FAILPOINT"] = failpoint
        process = BridgeProcess(environment, self._folder / f"bridge-{len(self.processes)}.log")
        self.processes.append(process)
        process.start()
        return process

    async def start(self, failpoint: str = "", **changes: str) -> BridgeProcess:
        """A process with settings, once it is ready."""
        return await self.launch(failpoint, **changes).ready()

    async def feed(self, *records: Record) -> None:
        """Publish records and wait for the broker."""
        errors = await self._publisher.send_all(records)
        assert not any(errors), errors

    # -- waiting

    async def settled(self, seconds: float = SETTLE_SECONDS) -> None:
        """Wait until every record that was fed is on disk, every wake is done and everything is published."""
        ends = {place: end for place, end in (await self.ends("in")).items() if end}

        async def quiet() -> bool:
            for process in self.processes:
                code = process.exit_code
                assert code is None or code <= 0, f"the bridge ended with {code}\n{process.said()}"
            rows = await self.rows("SELECT topic, partition, next_record FROM consumer_offset")
            done = {(topic, partition): next_record for topic, partition, next_record in rows}
            if any(done.get(place, 0) < end for place, end in ends.items()):
                return False
            left = await self.value("SELECT (SELECT count(*) FROM wake) + (SELECT count(*) FROM unsent)")
            return not left

        try:
            await until("everything taken in and published", quiet, seconds)
        except AssertionError as error:
            logs = "\n".join(process.said() for process in self.processes)
            raise AssertionError(f"{error}: {await self._where(ends)}\n{logs}") from None

    async def _where(self, ends: dict[tuple[str, int], int]) -> str:
        rows = await self.rows("SELECT topic, partition, next_record FROM consumer_offset")
        left = await self.rows("SELECT (SELECT count(*) FROM wake), (SELECT count(*) FROM unsent)")
        return f"fed {ends}, taken {[tuple(row) for row in rows]}, wakes and batches left {tuple(left[0])}"

    # -- asking the broker

    async def ends(self, direction: Any) -> dict[tuple[str, int], int]:
        """The end of every partition of the topics of one direction, by topic without prefix."""
        consumer = create_consumer(self.settings)
        await consumer.start()
        try:
            async with asyncio.timeout(READ_SECONDS):
                ends = await consumer.end_offsets(self._partitions(direction))
        finally:
            await consumer.stop()
        cut = len(self.settings.topic_prefix)
        return {(one.topic[cut:], one.partition): end for one, end in ends.items()}

    def _partitions(self, direction: Any) -> list[TopicPartition]:
        names = TopicCatalogue.load().names(direction)
        return [
            TopicPartition(self.settings.topic_prefix + name, number) for name in names for number in range(PARTITIONS)
        ]

    async def published(self) -> list[Published]:
        """Everything on the output topics, in order of each partition."""
        consumer = create_consumer(self.settings)
        await consumer.start()
        found: list[Published] = []
        cut = len(self.settings.topic_prefix)
        try:
            partitions = self._partitions("out")
            consumer.assign(partitions)
            ends = {one: end for one, end in (await consumer.end_offsets(partitions)).items() if end}
            await consumer.seek_to_beginning(*partitions)
            async with asyncio.timeout(READ_SECONDS):
                while any([await consumer.position(one) < end for one, end in ends.items()]):
                    for one, records in (await consumer.getmany(timeout_ms=100)).items():
                        found += [
                            Published(
                                one.topic[cut:], one.partition, record.offset, record.key, record.value,
                                {name: value.decode() for name, value in record.headers},
                            )
                            for record in records
                        ]  # fmt: skip
        finally:
            await consumer.stop()
        return found

    async def messages(self, kind: str, aggregate: str) -> list[Published]:
        """First occurrences of one aggregate's messages, in the order of publication."""
        first: dict[tuple[str, str, int], Published] = {}
        for one in await self.published():
            first.setdefault(one.identity, one)
        return [one for (agg_type, agg_id, _), one in first.items() if (agg_type, agg_id) == (kind, aggregate)]

    # -- asking the database

    async def rows(self, query: str, *arguments: object) -> list[Any]:
        """Rows of a query."""
        return list(await self.pool.fetch(query, *arguments))

    async def value(self, query: str, *arguments: object) -> Any:
        """One value of a query."""
        return await self.pool.fetchval(query, *arguments)

    async def balance(self, name: str, line: int = 1, issuer: str = "BE") -> str:
        """`available/reserved/consumed` of a line's quantity."""
        query = "SELECT available, reserved, consumed FROM account WHERE (licence_id, line_no, dim) = ($1, $2, 'QTY')"
        row = (await self.rows(query, f"{issuer}/{name}", line))[0]
        return "/".join(format_decimal(figure) for figure in row)

    async def claims(self, name: str) -> str:
        """The states of a declaration's claims, in order."""
        query = "SELECT state, reasons FROM claim WHERE decl_id = $1 ORDER BY item, doc_seq"
        return ", ".join(row["state"] for row in await self.rows(query, mrn_of(name) if "/" not in name else name))

    async def answers(self) -> dict[str, str]:
        """Event id -> result."""
        rows = await self.rows("SELECT event_id, body::json->>'result' AS result FROM answer")
        return {row["event_id"]: row["result"] for row in rows}

    async def quarantined(self) -> dict[str, str]:
        """Event id (or place without one) -> code."""
        rows = await self.rows("SELECT event_id, topic, partition, record, code FROM quarantine")
        return {row["event_id"] or f"{row['topic']}/{row['partition']}/{row['record']}": row["code"] for row in rows}

    async def distinct_events(self) -> int:
        """Event ids in the inbox."""
        return int(await self.value("SELECT count(*) FROM inbox"))

    # -- the audit

    async def audit(self, *, every_answer: bool = True) -> list[Published]:
        """Nothing lost, nothing twice, everything published in order with identical bytes; what was published.

        Raises:
            AssertionError: with the first thing that is wrong.
        """
        from certex_bridge.operations.verify import verify

        report = await verify(self.database_url)
        assert report.ok, [(check.name, check.detail) for check in report.failed]
        if every_answer:
            assert (
                await self.value("SELECT count(*) FROM inbox i LEFT JOIN answer a USING (event_id) WHERE a IS NULL")
                == 0
            )
        found = await self.published()
        await self._check_published(found)
        return found

    async def _check_published(self, found: list[Published]) -> None:
        rows = await self.rows("SELECT agg_type, agg_id, agg_ver, key, body, at FROM outbox")
        due = {(row["agg_type"], row["agg_id"], row["agg_ver"]): row for row in rows}
        first: dict[tuple[str, str, int], Published] = {}
        order: dict[tuple[str, str], list[int]] = defaultdict(list)
        for one in found:
            known = first.setdefault(one.identity, one)
            assert (one.value, one.key, one.headers) == (known.value, known.key, known.headers), one.identity
            if known is one:
                order[one.identity[:2]].append(one.identity[2])
        assert first.keys() == due.keys(), sorted(first.keys() ^ due.keys())[:5]
        for identity, one in first.items():
            row = due[identity]
            assert (one.topic, one.key, one.value) == (TOPIC_OF[identity[0]], row["key"].encode(), row["body"])
            assert one.headers["ce_time"] == row["at"]
        for aggregate, versions in order.items():
            dense = aggregate[0] == "certificate" or versions[-1] == len(versions)
            assert versions == sorted(versions), f"{aggregate} out of order: {versions}"
            assert dense, f"{aggregate} has gaps: {versions}"
