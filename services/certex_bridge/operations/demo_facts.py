"""The figures of the demo's closing tables, read from the database: what became of everything that was sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from certex_bridge.laboratory.messages import Fate
from certex_bridge.laboratory.publish import Published

_ANSWERS = """
SELECT a.body::jsonb ->> 'result' AS result, count(*) FROM answer a
WHERE a.event_id = ANY($1::text[]) GROUP BY 1 ORDER BY 2 DESC, 1
"""
_CLAIMS = """
SELECT outcome, split_part(reasons, ' ', 1) AS reason, count(*) FROM claim c
WHERE outcome <> '' AND NOT EXISTS (SELECT FROM declaration d WHERE d.decl_id = c.decl_id AND d.joined)
GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2
"""
_BALANCES = """
SELECT dim, unit, count(*) AS accounts, sum(cap) AS cap, sum(over) AS over, sum(available) AS available,
       sum(reserved) AS reserved, sum(consumed) AS consumed
FROM account GROUP BY dim, unit ORDER BY dim, sum(cap) DESC
"""
_QUARANTINE = """
SELECT q.code, count(*) FROM quarantine q
JOIN unnest($1::text[], $2::int[], $3::bigint[]) AS s(topic, partition, record) USING (topic, partition, record)
GROUP BY 1 ORDER BY 2 DESC, 1
"""
_QUARANTINED_PLACES = """
SELECT DISTINCT q.topic, q.partition, q.record FROM quarantine q
JOIN unnest($1::text[], $2::int[], $3::bigint[]) AS s(topic, partition, record) USING (topic, partition, record)
"""
_LICENCES = "SELECT status, count(*) FROM licence WHERE version > 0 GROUP BY 1 ORDER BY 2 DESC, 1"
_MESSAGES = "SELECT agg_type, count(*) FROM outbox GROUP BY 1 ORDER BY 1"
_TOTALS = """
SELECT (SELECT count(*) FROM movement) AS movements,
       (SELECT count(*) FROM declaration WHERE NOT joined) AS declarations,
       (SELECT count(*) FROM parked) AS parked, (SELECT count(*) FROM held) AS held
"""


@dataclass(frozen=True, slots=True)
class Balance:
    """All accounts in one dimension and unit, added up exactly."""

    dim: str
    unit: str
    accounts: int
    cap: Decimal
    over: Decimal
    available: Decimal
    reserved: Decimal
    consumed: Decimal

    @property
    def holds(self) -> bool:
        """Whether cap + over = available + reserved + consumed."""
        return self.cap + self.over == self.available + self.reserved + self.consumed


@dataclass(slots=True)
class Facts:
    """Everything the closing tables show; counts of the ledger are of the whole database."""

    answers: dict[str, int] = field(default_factory=dict)
    claims: list[tuple[str, str, int]] = field(default_factory=list)
    balances: list[Balance] = field(default_factory=list)
    quarantined: dict[str, int] = field(default_factory=dict)
    licences: dict[str, int] = field(default_factory=dict)
    messages: dict[str, int] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    unanswered: list[str] = field(default_factory=list)
    """Ids that should have an answer and have none."""
    lost: int = 0
    """Records that should be in quarantine and are not."""

    @property
    def accounted(self) -> bool:
        """Whether every record sent was answered, recognised as a repetition, or put into quarantine."""
        return not self.unanswered and not self.lost


async def gather_facts(pool: Any, published: Sequence[Published]) -> Facts:
    """Read the figures; `published` is everything the laboratory sent."""
    answered = sorted({one.message.event_id for one in published if one.message.fate is Fate.ANSWERED})
    topics, partitions, records = _columns([one.place for one in published])
    found = {
        row["event_id"] for row in await pool.fetch("SELECT event_id FROM answer WHERE event_id = ANY($1)", answered)
    }
    put_aside = {tuple(row) for row in await pool.fetch(_QUARANTINED_PLACES, topics, partitions, records)}
    bad = {one.place for one in published if one.message.fate is Fate.QUARANTINED}
    return Facts(
        answers=_counts(await pool.fetch(_ANSWERS, answered)),
        claims=[(row["outcome"], row["reason"], row["count"]) for row in await pool.fetch(_CLAIMS)],
        balances=[Balance(**dict(row)) for row in await pool.fetch(_BALANCES)],
        quarantined=_counts(await pool.fetch(_QUARANTINE, topics, partitions, records)),
        licences=_counts(await pool.fetch(_LICENCES)),
        messages=_counts(await pool.fetch(_MESSAGES)),
        totals=dict(await pool.fetchrow(_TOTALS)),
        unanswered=[event_id for event_id in answered if event_id not in found],
        lost=len(bad - put_aside),
    )


def _columns(places: Collection[tuple[str, int, int]]) -> tuple[list[str], list[int], list[int]]:
    return [one[0] for one in places], [one[1] for one in places], [one[2] for one in places]


def _counts(rows: Sequence[Sequence[Any]]) -> dict[str, int]:
    return {row[0]: row[1] for row in rows}
