"""Fixtures every suite may use: a PostgreSQL, a broker, fresh databases and topics.

Without any setting both servers come from wheels and live as long as the run. `CERTEX_TEST_DATABASE_URL` names another
PostgreSQL (a user who may create databases), `CERTEX_TEST_KAFKA=apache` starts Apache Kafka, and
`CERTEX_TEST_KAFKA_BOOTSTRAP_SERVERS` names a running broker.
"""

from __future__ import annotations

import os
import secrets
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from certex_bridge.platform.embedded import EmbeddedBroker, EmbeddedPostgres
from tests.support.databases import Databases, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from certex_bridge.platform.embedded import BrokerServer
    from tests.support.kafka_server import KafkaServer

ROOT = Path(__file__).resolve().parent.parent


def on_apache_kafka() -> bool:
    """Whether this run uses Apache Kafka."""
    return os.environ.get("CERTEX_TEST_KAFKA", "") == "apache"


# A property is never judged by how fast the machine happens to be: no deadline, and slow generation is no failure.
settings.register_profile(
    "any-machine",
    parent=settings.get_profile(settings.get_current_profile_name()),  # in CI, Hypothesis' own
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any-machine")


def pytest_configure() -> None:
    """Let Ctrl-C reach what the tests start: a run in the background of a script inherits that it is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)  # before -m looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by fixture, and leave out what the embedded broker cannot do (see certex_bridge.platform.embedded)."""
    reason = "needs Apache Kafka: make test-kafka"
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if "databases" in names:
            item.add_marker(pytest.mark.postgres)
        if "kafka_server" in names:
            item.add_marker(pytest.mark.kafka_only)
        if names & {"bootstrap_servers", "kafka_server"} or item.get_closest_marker("kafka_only"):
            item.add_marker(pytest.mark.broker)
        if item.get_closest_marker("kafka_only") and not on_apache_kafka():
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The repository's folder."""
    return ROOT


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Makes databases on the run's PostgreSQL; not durable when embedded."""
    given = os.environ.get("CERTEX_TEST_DATABASE_URL", "")
    server = None if given else EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), durable=False)
    if server is not None:
        run(server.start())
    made = Databases(given or (server.url if server else ""))
    yield made
    run(made.close())
    if server is not None:
        run(server.stop())


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """Address of a fresh database with the bridge's schema, for this test alone."""
    url = run(databases.create_migrated())
    yield url
    run(databases.drop(url))


@pytest.fixture
def empty_database_url(databases: Databases) -> Iterator[str]:
    """Address of a fresh database without any table, for tests of the migrations."""
    url = run(databases.create())
    yield url
    run(databases.drop(url))


@pytest.fixture(scope="session")
def bootstrap_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of the run's broker; give topics and groups the `topic_prefix`, since all tests share it."""
    given = os.environ.get("CERTEX_TEST_KAFKA_BOOTSTRAP_SERVERS", "")
    if given:
        yield given
        return
    server = _broker(tmp_path_factory.mktemp("broker"))
    run(server.start())
    yield server.bootstrap_servers
    run(server.stop())


def _broker(directory: Path) -> BrokerServer:
    if not on_apache_kafka():
        return EmbeddedBroker(directory)
    from tests.support.kafka_server import KafkaServer

    return KafkaServer(directory)


@pytest.fixture
def kafka_server(tmp_path: Path) -> Iterator[KafkaServer]:
    """An Apache Kafka for this test alone, running, to be stopped, killed and restarted."""
    from tests.support.kafka_server import KafkaServer

    server = KafkaServer(tmp_path / "kafka")
    run(server.start())
    yield server
    run(server.kill())


@pytest.fixture
def topic_prefix() -> str:
    """Prefix that keeps this test's topics and groups apart from all others on the same broker."""
    return f"t{secrets.token_hex(4)}."
