"""The topics of contracts/topics.yaml: names, keys, partitions, how long records are kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.platform.kafka_security import client_security

if TYPE_CHECKING:
    from collections.abc import Iterator

    from certex_bridge.platform.settings import Settings

DAY_MS = 86_400_000

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE / "_data" / "contracts" / "topics.yaml", _PACKAGE.parents[1] / "contracts" / "topics.yaml")


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One topic; `name` is without the prefix of the settings."""

    name: str
    key: str
    """What the record key holds."""
    direction: Literal["in", "out"]
    """As seen from the bridge."""
    owner: str
    description: str
    partitions: int
    replication: int
    min_in_sync_replicas: int
    cleanup: Literal["delete", "compact"]
    retention_days: int = 0
    """0: for ever (compacted topics)."""
    compression: str = "producer"
    personal_data: str = ""
    """What of a person the records hold, and who may read them; empty: nothing beyond the names in public acts."""

    def configuration(self, replication: int) -> dict[str, str]:
        """The broker's settings of the topic, with as many replicas as there are."""
        values = {
            "cleanup.policy": self.cleanup,
            "compression.type": self.compression,
            "min.insync.replicas": str(min(self.min_in_sync_replicas, replication)),
        }
        if self.retention_days:
            values["retention.ms"] = str(self.retention_days * DAY_MS)
        return values


class TopicCatalogue:
    """All topics by name."""

    def __init__(self, specs: dict[str, TopicSpec]) -> None:
        self._specs = specs

    @staticmethod
    @cache
    def load() -> TopicCatalogue:
        """Read topics.yaml, packaged or in the source tree.

        Raises:
            ConfigurationError: the file is missing or says something impossible.
        """
        place = next((path for path in _PLACES if path.is_file()), None)
        if place is None:
            raise ConfigurationError("contracts/topics.yaml is neither packaged nor in the source tree")
        return TopicCatalogue.parse(place.read_text("utf-8"))

    @staticmethod
    def parse(text: str) -> TopicCatalogue:
        """Read the text of topics.yaml.

        Raises:
            ConfigurationError: an entry is incomplete or has an unknown field.
        """
        document: dict[str, Any] = yaml.safe_load(text)
        try:
            entries = [TopicSpec(**{**document["defaults"], **entry}) for entry in document["topics"]]
        except (KeyError, TypeError) as error:
            raise ConfigurationError(f"topics.yaml: {error}") from error
        return TopicCatalogue({entry.name: entry for entry in entries})

    def __getitem__(self, name: str) -> TopicSpec:
        if name not in self._specs:
            raise ConfigurationError(f"{name} is not a topic of contracts/topics.yaml", field=name)
        return self._specs[name]

    def __iter__(self) -> Iterator[TopicSpec]:
        return iter(self._specs.values())

    def names(self, direction: Literal["in", "out"] | None = None) -> list[str]:
        """Names without prefix, all or of one direction."""
        return [spec.name for spec in self if direction in {None, spec.direction}]


@dataclass(frozen=True, slots=True)
class TopicReport:
    """What was found at the broker; names are without prefix."""

    created: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    narrow: tuple[str, ...] = ()
    """Topics with fewer partitions than the contract says: keys move when they are widened later."""


async def ensure_topics(settings: Settings, *, create: bool | None = None) -> TopicReport:
    """Compare the broker's topics with the contract and create the missing ones when `create` (default: the settings).

    Raises:
        KafkaError: the broker cannot be reached, or refuses to create a topic.
    """
    admin = AIOKafkaAdminClient(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        client_id=f"{settings.kafka_group}-admin",
        request_timeout_ms=settings.kafka_request_timeout_ms,
        **client_security(settings),
    )
    await admin.start()
    try:
        wanted = {settings.topic_prefix + spec.name: spec for spec in TopicCatalogue.load()}
        present = set(await admin.list_topics())
        missing = {name: spec for name, spec in wanted.items() if name not in present}
        described = await admin.describe_topics([name for name in wanted if name in present])
        found = {one["topic"]: len(one["partitions"]) for one in described}
        expected = {name: settings.topic_partitions or spec.partitions for name, spec in wanted.items()}
        narrow = tuple(wanted[name].name for name, number in found.items() if number < expected.get(name, 0))
        if not missing or not (settings.topics_create if create is None else create):
            return TopicReport(missing=tuple(spec.name for spec in missing.values()), narrow=narrow)
        brokers = len((await admin.describe_cluster())["brokers"])
        await _create(admin, settings, missing, brokers)
        return TopicReport(created=tuple(spec.name for spec in missing.values()), narrow=narrow)
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, settings: Settings, missing: dict[str, TopicSpec], brokers: int) -> None:
    new = []
    for name, spec in missing.items():
        replicas = settings.topic_replication or min(spec.replication, brokers)
        partitions = settings.topic_partitions or spec.partitions
        new.append(NewTopic(name, partitions, replicas, topic_configs=spec.configuration(replicas)))
    answer = await admin.create_topics(new)
    for name, code, *message in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:  # another process was faster
            raise KafkaError(f"{name}: {error.__name__} {' '.join(filter(None, message))}")
