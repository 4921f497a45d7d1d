"""A licence: as it stands or stood at a moment, its journal with proof, claims, versions, certificate."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from certex_bridge.kernel.dates import parse_date, parse_instant
from certex_bridge.kernel.errors import InputError
from certex_bridge.ledger.reading import LedgerAway, ReadTooSlow, Until
from certex_bridge.oversight.console.bars import bar
from certex_bridge.oversight.console.papers import paper
from certex_bridge.oversight.console.proof import FIRST, Proof, marked
from certex_bridge.oversight.console.web import Stopped, Visit, page
from certex_bridge.singlewindow.rights import issuer_in

if TYPE_CHECKING:
    from starlette.responses import Response

    from certex_bridge.ledger.domain.policy import Policy
    from certex_bridge.ledger.reading import LedgerReader
    from certex_bridge.oversight.console.reading import Picture, Reading

JOURNAL_ROWS = 100
CLAIMS_SHOWN = 200
WALK_ROWS = 2_000
WALKS = 4
"""Whole journals proved at a time: each computes as many hashes as the journal has rows."""
_END = 2**62
_DATE_LENGTH = len("2026-12-31")
VIEWS = ("overview", "journal", "claims", "versions")


class LicencePages:
    """One address per licence, one view of it at a time."""

    def __init__(self, reading: Reading, reader: LedgerReader, policy: Policy, *, shown: bool) -> None:
        """`shown`: whether customs see balances."""
        self._reading = reading
        self._reader = reader
        self._policy = policy
        self._shown = shown
        self._walks = asyncio.Semaphore(WALKS)

    async def show(self, visit: Visit) -> Response:
        """The view asked for."""
        licence_id = visit.request.path_params["id"]
        issuer = issuer_in(licence_id)
        person = visit.person
        if not person.sight.licence(issuer):
            raise Stopped(403, "foreign", licence_id)
        figures = person.sight.figures(issuer, shown=self._shown)
        view = visit.asked("view", "overview")
        views = VIEWS if figures else ("overview", "versions")
        if view not in views:
            raise Stopped(403 if view in VIEWS else 404, "figures" if view in VIEWS else "missing", licence_id)
        async with self._reading.picture() as seen:
            licence = await seen.row("licence", licence_id)
            if licence is None:
                raise Stopped(404, "unknown", licence_id)
            licence["content"] = json.loads(licence.pop("snapshot") or b"{}")
            told = await getattr(self, f"_{view}")(visit, seen, licence, figures)
        return page(visit, f"licence_{view}.html", licence=licence, view=view, views=views, figures=figures, **told)

    async def _overview(self, visit: Visit, seen: Picture, licence: dict[str, Any], figures: bool) -> dict[str, Any]:  # noqa: FBT001  # one signature for all views
        licence_id = licence["licence_id"]
        accounts = await seen.rows("accounts", licence_id) if figures else []
        told = {
            "changes": await seen.rows("status_changes", licence_id),
            "days": _by_day(await seen.rows("days", licence_id)) if figures else [],
        }
        past: dict[str, Any] = (
            await self._past(visit, licence_id) if figures else {"at": "", "mistake": "", "past": None}
        )
        if past["past"] is not None:
            accounts = [_past_row(one) for one in past["past"].accounts]
        return told | past | {"accounts": [{**one, "bar": bar(one)} for one in accounts]}

    async def _past(self, visit: Visit, licence_id: str) -> dict[str, Any]:
        """The licence at the moment in the query: a day (to its end in the issuer's legal time), or an instant."""
        text = visit.asked("at")
        told: dict[str, Any] = {"at": text, "mistake": "", "past": None}
        if not text:
            return told
        zone = self._policy.zone(issuer_in(licence_id))
        try:
            day = datetime.combine(parse_date(text, "at"), time.max, zone) if len(text) == _DATE_LENGTH else None
            moment = day or parse_instant(text, zone, "at")
        except InputError as error:
            return told | {"mistake": error.message}
        try:
            past = await self._reader.past(licence_id, Until(moment, None))
        except (LedgerAway, ReadTooSlow) as error:
            raise Stopped(503, "away") from error
        if past is None:
            return told | {"mistake": visit.words("licence.past.nothing")}
        return told | {"past": past, "moment": moment}

    async def _journal(self, visit: Visit, seen: Picture, licence: dict[str, Any], _figures: bool) -> dict[str, Any]:  # noqa: FBT001  # see _overview
        licence_id = licence["licence_id"]
        place = (visit.number("lv", _END), visit.number("seq", 2**31 - 1))
        rows = await seen.rows("journal", licence_id, *place, JOURNAL_ROWS + 1)
        more = rows.pop() if len(rows) > JOURNAL_ROWS else None
        rows.reverse()
        shown = marked(more["chain"] if more else FIRST, rows)
        newest = place[0] == _END
        proof = await self._walk(seen, licence_id) if visit.asked("proof") == "whole" else None
        head = licence["chain"].hex()
        return {
            "rows": shown[::-1],
            "older": more,
            "newest": newest,
            "head": head,
            "head_right": (shown[-1]["chain"] if shown else FIRST) == head if newest else None,
            "sound": all(row["proved"] for row in shown),
            "proof": proof,
        }

    async def _walk(self, seen: Picture, licence_id: str) -> Proof:
        """Every row of the journal, a part at a time."""
        proof, place = Proof(), (0, 0)
        async with self._walks:
            while rows := await seen.rows("journal_onwards", licence_id, *place, WALK_ROWS):
                await proof.walk(rows)
                place = (rows[-1]["lv"], rows[-1]["seq"])
        return proof

    async def _claims(self, _visit: Visit, seen: Picture, licence: dict[str, Any], _figures: bool) -> dict[str, Any]:  # noqa: FBT001  # see _overview
        licence_id = licence["licence_id"]
        return {
            "open": await seen.rows("claims_of_licence", licence_id, CLAIMS_SHOWN),
            "closed": await seen.rows("claims_closed", licence_id, CLAIMS_SHOWN),
            "shown": CLAIMS_SHOWN,
        }

    async def _versions(self, visit: Visit, seen: Picture, licence: dict[str, Any], _figures: bool) -> dict[str, Any]:  # noqa: FBT001  # see _overview
        licence_id = licence["licence_id"]
        versions = await seen.rows("versions", licence_id)
        chosen = visit.number("version", versions[0]["version"] if versions else 0)
        raw = await seen.value("certificate", licence_id, chosen)
        document = await asyncio.to_thread(paper, bytes(raw), "certificate") if raw else None
        return {"versions": versions, "chosen": chosen, "document": document}


def _past_row(account: Any) -> dict[str, Any]:
    names = ("line_no", "dim", "unit", "cap", "reserved", "consumed", "over", "available")
    return {name: getattr(account, name) for name in names}


def _by_day(rows: list[dict[str, Any]]) -> list[tuple[str, dict[str, int]]]:
    """Numbers of movements by kind of the newest days on which any happened."""
    days: dict[str, dict[str, int]] = {}
    for row in rows:
        days.setdefault(row["day"], {})[row["kind"]] = row["number"]
    return list(days.items())[:31]
