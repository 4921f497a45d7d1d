"""A PostgreSQL with TLS for tests, from the machine's own packages: the embedded wheel is built without TLS."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import ssl
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from certex_bridge.platform.embedded import unprivileged_identity
from certex_bridge.platform.processes import LOOPBACK, ChildProcess, Identity, command_line, free_port
from tests.support.certificates import Certificates

if TYPE_CHECKING:
    from collections.abc import Iterable

NOBODY = 65534
PASSWORD = "certex-test"


def server_binaries() -> Path | None:
    """The folder with initdb and postgres, None when the machine has none."""
    places = [path.parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)]
    on_path = shutil.which("initdb")
    return next(iter(places), Path(on_path).resolve().parent if on_path else None)


class SecurePostgres:
    """One server that takes encrypted connections only, with a certificate for localhost."""

    def __init__(self, directory: Path, binaries: Path) -> None:
        self._directory = directory
        self._binaries = binaries
        self._port = free_port()
        self._child: ChildProcess | None = None
        self.certificates = Certificates(directory / "certificates")

    def url(self, host: str) -> str:
        """Address of the database `postgres` under one of the machine's names."""
        return f"postgresql://certex:{PASSWORD}@{host}:{self._port}/postgres"

    async def start(self) -> None:
        """Make the cluster and wait until it accepts connections."""
        identity = await unprivileged_identity()
        self._directory.mkdir(parents=True, exist_ok=True)
        keystore, password = self.certificates.server_keystore, self._directory / "password"
        password.write_text(PASSWORD)
        if identity is Identity.NOBODY:
            _give_away([self._directory.parent, self._directory, *self._directory.rglob("*")])
        data = self._directory / "data"
        initdb = [str(self._binaries / "initdb"), "-D", str(data), "-U", "certex", f"--pwfile={password}", "--no-sync"]
        command = command_line([*initdb, "--auth=scram-sha-256"], identity, signal.SIGKILL)
        await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, timeout=60)
        options = {
            "port": self._port, "listen_addresses": LOOPBACK, "unix_socket_directories": "", "fsync": "on",
            "ssl": "on", "ssl_cert_file": keystore, "ssl_key_file": keystore,
        }  # fmt: skip
        (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
        parts = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._child = ChildProcess(
            "PostgreSQL",
            [self._binaries / "postgres", "-D", data, *parts],
            self._directory / "postgres.log",
            identity=identity,
            stop_signal=signal.SIGINT,
        )
        self._child.start()
        await self._child.wait_ready(self._ready, 60)

    async def _ready(self) -> bool:
        """Whether it lets us in: it listens before that, and then says that it is starting up."""
        authority = ssl.create_default_context(cafile=str(self.certificates.authority))
        try:
            connection = await asyncpg.connect(self.url("localhost"), ssl=authority, timeout=10)
        except (OSError, TimeoutError, asyncpg.CannotConnectNowError):
            return False
        await connection.close()
        return True

    async def stop(self) -> None:
        """Fast shutdown."""
        if self._child is not None:
            await self._child.stop()


def _give_away(paths: Iterable[Path]) -> None:
    for path in paths:
        os.chown(path, NOBODY, NOBODY)
