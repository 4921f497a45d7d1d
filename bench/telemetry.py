"""What traces cost: the same declarations with traces off and with one in a hundred traced, in pairs of runs.

Single figures of a shared machine are worth little; two runs right after each other, in an order that changes from pair
to pair, can be compared.
"""

from __future__ import annotations

import statistics
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from bench import throughput
from bench.servers import Servers

SAMPLE = 0.01
_WARM_ITEMS = 1_000


@dataclass(slots=True)
class Telemetry:
    """Pairs of items a second."""

    off: list[float] = field(default_factory=list)
    traced: list[float] = field(default_factory=list)
    cpu_off: list[float] = field(default_factory=list)
    """Microseconds of processor time for one declaration."""
    cpu_traced: list[float] = field(default_factory=list)
    received: int = 0
    """Bytes of spans that reached the collector."""

    @property
    def ratio(self) -> float:
        """The middle of the paired ratios of rates."""
        return statistics.median(traced / off for off, traced in zip(self.off, self.traced, strict=True))

    @property
    def cpu_ratio(self) -> float:
        """The middle of the paired ratios of processor time."""
        return statistics.median(traced / off for off, traced in zip(self.cpu_off, self.cpu_traced, strict=True))


class NothingTraced(Exception):
    """No span reached the collector: the figures would compare off with off."""


@asynccontextmanager
async def collector(found: Telemetry) -> AsyncIterator[str]:
    """Takes traces and counts their bytes; yields its address."""

    async def take(request: web.Request) -> web.Response:
        found.received += len(await request.read())
        return web.Response(status=200)

    application = web.Application(client_max_size=1 << 26)
    application.router.add_post("/v1/traces", take)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces"
    finally:
        await runner.cleanup()


async def telemetry(where: Servers, split: Sequence[str], count: int, licences: int, pairs: int) -> Telemetry:
    """Measure so many pairs.

    Raises:
        NothingTraced: the traces did not arrive.
        Inexact, NotDone, ProcessEnded: as in `throughput.items`.
    """
    found = Telemetry()
    async with collector(found) as endpoint:
        traced = {"CERTEX_TRACES": "otlp", "CERTEX_TRACES_ENDPOINT": endpoint, "CERTEX_TRACES_SAMPLE": str(SAMPLE)}
        off = {"CERTEX_TRACES": "off"}
        await throughput.items(where, split, _WARM_ITEMS, licences, off)
        for pair in range(pairs):
            order: list[tuple[Mapping[str, str], list[float], list[float]]]
            order = [(off, found.off, found.cpu_off), (traced, found.traced, found.cpu_traced)]
            for environment, rates, cpu in order if pair % 2 == 0 else reversed(order):
                rate = await throughput.items(where, split, count, licences, environment)
                rates.append(rate.per_second)
                cpu.append(rate.cpu_us)
    if not found.received:
        raise NothingTraced
    return found
