"""What the ledger holds of a licence: now, entry by entry, and at any instant of the past."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from typing import Any

from certex_bridge.kernel.dates import parse_date, parse_instant
from certex_bridge.kernel.errors import InputError
from certex_bridge.kernel.identifiers import licence_key
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.operations.reading import NotFound

_LEGAL_ZONE = Policy().zone
_LICENCE = "SELECT licence_id, version, status, lv, nv, frozen, snapshot FROM licence WHERE licence_id = $1"
_ACCOUNTS = """
SELECT line_no, dim, unit, cap, over, available, reserved, consumed FROM account
WHERE licence_id = $1 ORDER BY line_no, dim
"""
_CLAIMS = "SELECT state, count(*) FROM claim WHERE licence_id = $1 GROUP BY 1 ORDER BY 2 DESC, 1"
_WAITING = "SELECT count(DISTINCT decl_id) FROM parked WHERE licence_id IN ($1, '*' || substr($1, strpos($1, '/')))"
_MOVEMENTS = """
SELECT lv, seq, line_no, dim, kind, claim, d_cap, d_res, d_cons, d_over, at, detail, event_id, written_at
FROM movement WHERE licence_id = $1 ORDER BY lv, seq
"""
_LAST_MOVEMENTS = """
SELECT * FROM (
    SELECT lv, seq, line_no, dim, kind, claim, d_cap, d_res, d_cons, d_over, at, detail, event_id, written_at
    FROM movement WHERE licence_id = $1 ORDER BY lv DESC, seq DESC LIMIT $2
) AS newest ORDER BY lv, seq
"""
_VERSION_STATUS = "SELECT status, at FROM licence_version WHERE licence_id = $1 AND version = $2"

_DATE_LENGTH = len("2026-12-31")


@dataclass(slots=True)
class Balance:
    """One account."""

    line: int
    """0: the whole licence."""
    dimension: str
    unit: str
    cap: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    consumed: Decimal = Decimal(0)

    @property
    def available(self) -> Decimal:
        """What a new claim may still take."""
        return max(self.cap - self.reserved - self.consumed, Decimal(0))

    @property
    def over(self) -> Decimal:
        """What is in use beyond the limit."""
        return max(self.reserved + self.consumed - self.cap, Decimal(0))

    def as_document(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self) | {"available": self.available, "over": self.over}


@dataclass(slots=True)
class LicenceView:
    """A licence as shown."""

    licence: str
    version: int
    status: str
    balances: list[Balance] = field(default_factory=list)
    content: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, int] = field(default_factory=dict)
    waiting: int = 0
    """Declarations parked until the licence is known."""
    journal_version: int = 0
    frozen: bool = False
    at: str = ""
    """The instant shown; empty for now."""


def normalised(text: str) -> str:
    """`issuer/NUMBER` as the ledger knows it.

    Raises:
        InputError: not ISSUER/NUMBER.
    """
    issuer, slash, number = text.partition("/")
    if not slash or not number.strip() or len(issuer) != 2:
        raise InputError(f"{text!r} is not ISSUER/NUMBER, for instance BE/BE-2026-000123", value=text, code="LICENCE")
    return licence_key(issuer.upper(), number)


async def licence_now(database: Any, licence_id: str) -> LicenceView:
    """The licence as it is.

    Raises:
        NotFound: the ledger has never heard of it.
    """
    row = await database.fetchrow(_LICENCE, licence_id)
    if row is None:
        raise NotFound(f"No licence {licence_id} is known, and no declaration cites it.")
    view = LicenceView(licence_id, row["version"], row["status"], journal_version=row["lv"], frozen=row["frozen"])
    view.content = _content(row["snapshot"])
    view.claims = {one["state"]: one["count"] for one in await database.fetch(_CLAIMS, licence_id)}
    view.waiting = await database.fetchval(_WAITING, licence_id)
    for one in await database.fetch(_ACCOUNTS, licence_id):
        view.balances.append(
            Balance(one["line_no"], one["dim"], one["unit"], one["cap"], one["reserved"], one["consumed"])
        )
    return view


def _content(snapshot: bytes | None) -> dict[str, Any]:
    if snapshot is None:
        return {}
    import json

    document: dict[str, Any] = json.loads(snapshot)
    return document


async def history(database: Any, licence_id: str, last: int) -> list[dict[str, Any]]:
    """The newest journal entries, oldest first.

    Raises:
        NotFound: the licence has no journal.
    """
    rows = [dict(row) for row in await database.fetch(_LAST_MOVEMENTS, licence_id, last)]
    if not rows:
        raise NotFound(f"The journal has no entry on {licence_id}.")
    return rows


def parse_moment(text: str, issuer: str, legal_zone: Callable[[str], tzinfo] = _LEGAL_ZONE) -> datetime:
    """The instant meant; a date means the end of that day in the issuing state's legal time.

    Raises:
        InputError: DATE_INVALID or DATE_RANGE.
    """
    zone = legal_zone(issuer)
    if len(text) == _DATE_LENGTH:
        day: date = parse_date(text, "TIME")
        return datetime.combine(day, time.max, zone)
    return parse_instant(text, zone, "TIME")


async def licence_at(database: Any, licence_id: str, moment: datetime, *, recorded: bool) -> LicenceView:
    """Balances at an instant, rebuilt from the journal alone.

    Raises:
        NotFound: the licence has no journal entry up to then.
    """
    rows = [dict(row) for row in await database.fetch(_MOVEMENTS, licence_id)]
    rows = [row for row in rows if (row["written_at"] if recorded else parse_instant(row["at"])) <= moment]
    if not rows:
        raise NotFound(f"The journal has no entry on {licence_id} up to {moment.isoformat()}.")
    view = rebuild(licence_id, rows)
    view.at = moment.isoformat()
    version = await database.fetchrow(_VERSION_STATUS, licence_id, view.version)
    if version is not None and not view.status:
        view.status = version["status"]
    return view


def rebuild(licence_id: str, rows: list[dict[str, Any]]) -> LicenceView:
    """Add up journal entries, in order; pure."""
    view = LicenceView(licence_id, 0, "")
    accounts: dict[tuple[int, str], Balance] = {}
    for row in rows:
        view.journal_version = row["lv"]
        if row["kind"] == "VERSION":
            view.version = int(row["detail"].split()[0].removeprefix("version="))
            view.status = ""
        elif row["kind"] == "STATUS":
            view.status = row["detail"].rpartition(">")[2]
        else:
            account = accounts.setdefault((row["line_no"], row["dim"]), Balance(row["line_no"], row["dim"], ""))
            account.unit = row["detail"] if row["kind"] == "CAP" else account.unit
            account.cap += row["d_cap"]
            account.reserved += row["d_res"]
            account.consumed += row["d_cons"]
    view.balances = [accounts[key] for key in sorted(accounts)]
    return view
