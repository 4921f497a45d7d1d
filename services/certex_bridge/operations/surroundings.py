"""What the bridge rests on and does not own: the database's clock, and the last days of its certificates."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import asyncpg
from cryptography import x509

from certex_bridge.platform.logs import get_logger
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.settings import Settings

LOG = get_logger("certex_bridge.operations")

CERTIFICATES_SECONDS = 300.0
"""How often the files are read again: a renewed certificate is replaced in place."""


async def clock_skew(pool: asyncpg.Pool[Any], clock: Callable[[], float] = time.time) -> float:
    """Seconds by which the database's clock is ahead of this process's.

    Raises:
        OSError, asyncpg.PostgresError: the database is away.
    """
    async with pool.acquire() as connection:  # the wait for a connection is no part of the round trip
        before = clock()
        theirs = await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
        return float(theirs) - (before + clock()) / 2


def certificate_files(settings: Settings) -> dict[str, Path]:
    """Files with certificates of ours, by use; those of authorities are the system's business."""
    files = {
        "gateway": settings.http_ssl_certfile,
        "kafka": settings.kafka_ssl_certfile,
        "database": settings.database_ssl_cert,
    }
    return {use: Path(file) for use, file in files.items() if file is not None}


def first_end(file: Path) -> float:
    """When the first certificate of a PEM file ends, in Unix time: a chain is as good as its weakest member.

    Raises:
        OSError, ValueError: there is no such file, or no certificate in it.
    """
    chain = x509.load_pem_x509_certificates(file.read_bytes())
    return min(one.not_valid_after_utc.timestamp() for one in chain)


async def watch_certificates(settings: Settings, stop: asyncio.Event, metrics: Metrics) -> None:
    """Tell when each certificate ends; a file that cannot be read keeps its last figure, and the log says why."""
    files = certificate_files(settings)
    wrong: dict[str, str] = {}
    while not stop.is_set():
        _tell_ends(files, wrong, metrics)
        try:
            await asyncio.wait_for(stop.wait(), CERTIFICATES_SECONDS)
        except TimeoutError:
            continue


def _tell_ends(files: Mapping[str, Path], wrong: dict[str, str], metrics: Metrics) -> None:
    for use, file in files.items():
        try:
            metrics.measured("certificate_expiry_timestamp_seconds", first_end(file), use)
            wrong.pop(use, None)
        except (OSError, ValueError) as error:
            if wrong.get(use) != str(error):
                wrong[use] = str(error)
                LOG.warning("certificate.unreadable", use=use, file=str(file), reason=str(error))
