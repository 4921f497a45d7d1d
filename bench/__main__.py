"""`python -m bench`: all figures from one run, as a table and in out/bench.json. See README.md here."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from bench import ledger, movements, naive, throughput, workload
from bench.availability import availability
from bench.disk import sizes
from bench.latency import PER_SECOND, latency
from bench.machine import machine
from bench.report import table
from bench.servers import Servers, servers
from bench.telemetry import telemetry

PARTS = (
    "database",
    "ledger",
    "certificates",
    "items",
    "naive",
    "latency",
    "checks",
    "movements",
    "telemetry",
    "evidence",
    "disk",
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much each part does."""

    warm: int
    items: int
    naive: int
    certificates: int
    ledger: int
    batches: int
    latency_seconds: int
    movements: int
    traced: int
    """Declarations of each run of the part telemetry."""
    pairs: int
    sized: int
    """Declarations of the part disk."""


FULL = Size(
    warm=3_000,
    items=60_000,
    naive=4_000,
    certificates=20_000,
    ledger=15_000,
    batches=205,
    latency_seconds=20,
    movements=6_000,
    traced=20_000,
    pairs=5,
    sized=20_000,
)
QUICK = Size(
    warm=1_000,
    items=6_000,
    naive=800,
    certificates=3_000,
    ledger=3_000,
    batches=45,
    latency_seconds=6,
    movements=1_200,
    traced=3_000,
    pairs=2,
    sized=2_000,
)


def split_of(workers: int) -> list[str]:
    """Roles of each process: every one reads and can publish, one of them leads the relay; timers run in the first."""
    return ["intake,relay,worker", *["intake,relay"] * (workers - 1)]


async def measure(where: Servers, size: Size, split: list[str], parts: set[str], licences: int) -> dict[str, Any]:
    """Run the parts in turn; the keys of out/bench.json."""
    found: dict[str, Any] = {"machine": await machine(where), "processes": split, "licences": licences}
    peaks = [0.0]
    if "database" in parts:
        found["database_movements_per_second"] = await _told("database", ledger.database_rate(where, size.batches))
    found |= await _ledger(where, size, parts, licences)
    if parts & {"certificates", "items", "latency"}:
        await _told("warm-up", throughput.items(where, split, size.warm, licences))
    if "certificates" in parts:
        rate = await _told("certificates", throughput.certificates(where, split, size.certificates))
        found |= {"certificates_per_second": rate.per_second, "certificates_per_second_steady": rate.steady}
        peaks.append(rate.peak_mb)
    if "items" in parts:
        rate = await _told("items", throughput.items(where, split, size.items, licences))
        found |= {
            "items_per_second": rate.per_second,
            "items_per_second_steady": rate.steady,
            "items_seconds": rate.seconds,
            "declarations": size.items,
            "cpu_us_per_declaration": rate.cpu_us,
            "proven": rate.proven,
        }
        peaks.append(rate.peak_mb)
    if "naive" in parts:
        found["naive_items_per_second"] = await _told("naive", naive.measure(where, len(split), size.naive, licences))
    if "latency" in parts:
        times = await _told("latency", latency(where, split, size.latency_seconds, licences))
        found |= {"latency_p50_ms": times.p50, "latency_p99_ms": times.p99, "latency_max_ms": times.longest}
        found["latency_offered_per_second"] = PER_SECOND
        peaks.append(times.peak_mb)
    if parts & {"checks", "movements"}:
        told, peak = await _gateway(where, split, size, parts)
        found |= told
        peaks.append(peak)
    if "telemetry" in parts:
        found |= await _told("telemetry", _telemetry(where, split, size, licences))
    found |= await _sizes(where, size, licences) if "disk" in parts else {}
    return found | _derived(found, max(peaks))


async def _sizes(where: Servers, size: Size, licences: int) -> dict[str, Any]:
    """Bytes on disk."""
    measured = await _told("disk", sizes(where, size.sized, licences))
    return {
        "licence_bytes": measured.licence,
        "declaration_bytes": measured.declaration,
        "declaration_bytes_by_table": measured.tables,
    }


async def _ledger(where: Servers, size: Size, parts: set[str], licences: int) -> dict[str, Any]:
    """The ledger without Kafka."""
    found: dict[str, Any] = {}
    if "ledger" in parts:
        found["ledger_movements_per_second"] = await _told("ledger", ledger.ledger_rate(where, size.ledger, licences))
    if "evidence" in parts:
        found["evidence_ratio"] = await _told("evidence", ledger.evidence_ratio(where, size.ledger, licences))
    return found


async def _gateway(where: Servers, split: list[str], size: Size, parts: set[str]) -> tuple[dict[str, Any], float]:
    """Calls over HTTP; the figures, and the memory of the largest process where that was looked at."""
    found: dict[str, Any] = {}
    peak = 0.0
    if "checks" in parts:
        asked = await _told("checks", availability(where, split, size.latency_seconds))
        found |= {
            f"check_{side}_{name}_ms": asked[side][name] for side in ("server", "client") for name in ("p50", "p99")
        }
        found |= {"checks_per_second": asked["per_second"], "check_statuses": asked["statuses"]}
    if "movements" in parts:
        held = await _told("movements", movements.movements(where, size.latency_seconds, size.movements))
        found |= {
            "reserve_p50_ms": held.p50,
            "reserve_p99_ms": held.p99,
            "reserve_per_second": held.ceiling,
            "reserve_alone_per_second": held.ceiling_alone,
            "reserve_executor_per_second": held.executor,
            "reserve_executor_alone_per_second": held.executor_alone,
            "group_commit_ratio": held.executor / held.executor_alone,
            "group_commit_ratio_http": held.ceiling / held.ceiling_alone,
        }
        peak = held.peak_mb
    return found, peak


async def _telemetry(where: Servers, split: list[str], size: Size, licences: int) -> dict[str, Any]:
    told = await telemetry(where, split, size.traced, licences, size.pairs)
    return {
        "telemetry_ratio": told.ratio,
        "telemetry_cpu_ratio": told.cpu_ratio,
        "telemetry_items_per_second": {"off": told.off, "traced": told.traced},
        "telemetry_bytes": told.received,
    }


def _derived(found: dict[str, Any], peak: float) -> dict[str, Any]:
    items = found.get("items_per_second")
    derived: dict[str, Any] = {"peak_memory_mb": peak}
    for name, other in (
        ("ratio_to_naive", "naive_items_per_second"),
        ("share_of_ledger_rate", "database_movements_per_second"),
    ):
        if items and found.get(other):
            derived[name] = items / found[other]
    return derived


async def _told(name: str, work: Any) -> Any:
    began = time.monotonic()
    result = await work
    print(f"  {name}: done in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return result


def rounded(value: Any) -> Any:
    """Figures with as many digits as they deserve."""
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    if isinstance(value, float):
        return round(value, 2) if value < 100 else round(value)
    return value


async def run(options: argparse.Namespace) -> None:
    """Start servers, measure, write."""
    size = QUICK if options.quick else FULL
    split = options.split.split(";") if options.split else split_of(options.workers)
    async with servers() as where:
        found = await measure(where, size, split, set(options.parts.split(",")), options.licences)
    found = {"quick": options.quick, **rounded(found)}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
    print(table(found))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: does it run, not how fast")
    parser.add_argument("--workers", type=int, default=2, help="processes of the bridge (default 2)")
    parser.add_argument("--split", default="", help="roles of each process instead, e.g. 'intake,worker;relay'")
    parser.add_argument("--licences", type=int, default=workload.LICENCES, help="licences that are cited")
    parser.add_argument("--parts", default=",".join(PARTS), help="only these parts")
    parser.add_argument("--out", type=Path, default=Path("out/bench.json"))
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
