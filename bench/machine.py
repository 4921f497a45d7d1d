"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from bench.servers import Servers

_BLOCK = b"\0" * 8192
_SECONDS = 1.0


async def machine(where: Servers) -> dict[str, Any]:
    """Processor, memory, versions, and how often a second the disk makes a block durable."""
    connection = await asyncpg.connect(where.database, timeout=30)
    try:
        postgres = await connection.fetchval("SHOW server_version")
        fsync = await connection.fetchval(
            "SELECT current_setting('fsync') || '/' || current_setting('synchronous_commit')"
        )
    finally:
        await connection.close()
    return {
        "cores": os.cpu_count(),
        "cpu": _cpu_model(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "postgres": postgres,
        "postgres_fsync": fsync,
        "kafka": where.kafka_name,
        "fdatasync_per_second": round(fdatasync_rate(where.folder)),
        "load_before": round(os.getloadavg()[0], 2),
    }


def fdatasync_rate(folder: Path) -> float:
    """8 kB blocks a second that one writer makes durable, one after the other."""
    file = folder / "fdatasync"
    descriptor = os.open(file, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        began, count = time.perf_counter(), 0
        while (seconds := time.perf_counter() - began) < _SECONDS:
            os.write(descriptor, _BLOCK)
            os.fdatasync(descriptor)
            count += 1
        return count / seconds
    finally:
        os.close(descriptor)
        file.unlink()


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
