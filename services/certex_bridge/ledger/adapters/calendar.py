"""What the clock may have overtaken, and the depths that are measured, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import asyncpg

from certex_bridge.ledger.worker import Expiring, Unpresented

_EXPIRING = """
SELECT licence_id, version, valid_to, sv FROM licence
WHERE valid_to IS NOT NULL AND expired_version < version AND valid_to < $1::date ORDER BY valid_to LIMIT $2
"""
_UNPRESENTED = """
SELECT decl_id, lrn, exporter, unpresented_since FROM declaration
WHERE state = 'LODGED' AND NOT joined AND unpresented_since < $1 ORDER BY unpresented_since LIMIT $2
"""
_UNRELEASED = """
SELECT decl_id FROM declaration WHERE unreleased_since < $1 ORDER BY unreleased_since LIMIT $2
"""
_DEPTHS = """
WITH waiting AS (
    SELECT count(*) AS rows, min(unsent.at) FILTER (WHERE agg_type = 'acknowledgement') AS acknowledgement
    FROM unsent JOIN outbox USING (batch_id))
SELECT (SELECT rows FROM waiting) AS outbox_unsent,
       (SELECT coalesce(extract(epoch FROM now() - acknowledgement), 0) FROM waiting) AS unacknowledged_oldest_seconds,
       (SELECT coalesce(extract(epoch FROM now() - min(at)), 0) FROM unsent) AS outbox_oldest_seconds,
       (SELECT count(DISTINCT decl_id) FROM parked) AS parked_declarations,
       (SELECT coalesce(extract(epoch FROM now() - min(parked_at)), 0) FROM parked) AS parked_oldest_seconds,
       (SELECT count(*) FROM wake) AS wake_rows,
       (SELECT count(*) FROM wake WHERE failures > 0) AS wakes_put_off,
       (SELECT count(*) FROM quarantine WHERE resolved = '') AS quarantine_open,
       (SELECT coalesce(extract(epoch FROM now() - min(at)), 0) FROM quarantine WHERE resolved = '')
           AS quarantine_oldest_seconds,
       (SELECT count(DISTINCT (agg_type, agg_id)) FROM held) AS relay_held,
       (SELECT count(*) FROM declaration WHERE undecided_since IS NOT NULL) AS undecided_declarations,
       (SELECT coalesce(extract(epoch FROM now() - min(undecided_since)), 0) FROM declaration
        WHERE undecided_since IS NOT NULL) AS undecided_oldest_seconds
"""


class PostgresCalendar:
    """Timers that are due, and measurements, on a pool of asyncpg connections."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def expiring(self, before: datetime, limit: int) -> Sequence[Expiring]:
        """Licences whose last day is over somewhere in the Union; the worker judges by legal time."""
        latest = (before + timedelta(hours=14)).date()
        return [
            Expiring(licence_id, version, valid_to.isoformat(), change)
            for licence_id, version, valid_to, change in await self._pool.fetch(_EXPIRING, latest, limit)
        ]

    async def unpresented(self, before: datetime, limit: int) -> Sequence[Unpresented]:
        """Declarations lodged before this instant and neither presented nor accepted."""
        found = []
        for decl_id, lrn, exporter, since in await self._pool.fetch(_UNPRESENTED, before, limit):
            draft = bool(exporter) and decl_id == f"{exporter}/{lrn}"
            found.append(Unpresented(decl_id, "" if draft else decl_id, lrn if draft else "", exporter, since))
        return found

    async def unreleased(self, before: datetime, limit: int) -> Sequence[str]:
        """MRNs whose goods left before this instant, and no release was told."""
        return [decl_id for (decl_id,) in await self._pool.fetch(_UNRELEASED, before, limit)]

    async def depths(self) -> Mapping[str, float]:
        """Figures for the gauges of the same names."""
        row = await self._pool.fetchrow(_DEPTHS)
        assert row is not None, "a SELECT without FROM has one row"
        return {name: float(value) for name, value in row.items()}
