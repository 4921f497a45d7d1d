"""Quarantine: what was put aside and why, its bytes made harmless, and repairs that need a second person."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiokafka.errors import KafkaError

from certex_bridge.oversight.console import papers
from certex_bridge.oversight.console.audit import record
from certex_bridge.oversight.console.repairs import REASON_LENGTH, Proposal, RepairRefused, Repairs, Shown
from certex_bridge.oversight.console.web import Stopped, Visit, moved, page
from certex_bridge.platform.logs import get_logger

if TYPE_CHECKING:
    from starlette.responses import Response

    from certex_bridge.oversight.console.reading import Reading

LOG = get_logger("certex_bridge.console")
SHOWN = 200
_NUMBER_LENGTH = 19
_NO_MISTAKES = dict.fromkeys(("form", "choice", "value", "reason"), "")
_CHOICES = ("RETRY", "EDIT", "DISCARD")


class QuarantinePages:
    """The list, one record, and what is done with it."""

    def __init__(self, reading: Reading, repairs: Repairs) -> None:
        self._reading = reading
        self._repairs = repairs

    async def listed(self, visit: Visit) -> Response:
        """The newest records."""
        every = visit.asked("show") == "all"
        async with self._reading.picture() as seen:
            rows = await seen.rows("quarantine", every, SHOWN)
        return page(visit, "quarantine.html", rows=rows, every=every, shown=SHOWN)

    async def show(self, visit: Visit) -> Response:
        """One record. Its bytes may hold personal data, so that it was looked at is in the trail."""
        return await self._page(visit, {}, audited=True)

    async def propose(self, visit: Visit) -> Response:
        """Take the form; with a mistake it comes again as it was filled in."""
        form, quarantine_id = visit.form, visit.request.path_params["id"]
        choice = form.get("choice", "")
        if choice not in _CHOICES:
            return await self._page(visit, {"choice": "CHOICE_MISSING"}, 422)
        value = None
        if choice == "EDIT":
            async with self._reading.picture() as seen:
                row = await seen.row("quarantined", quarantine_id)
            value = papers.edited(form.get("value", ""), row["raw"] if row else None)
        proposal = Proposal("DISCARD" if choice == "DISCARD" else "RETRY", form.get("reason", ""), value)
        try:
            await self._repairs.propose(visit.person, quarantine_id, proposal)
        except RepairRefused as refused:
            field = refused.field or "form"
            return await self._page(visit, {field: refused.code}, 422 if refused.field else 409)
        return moved(f"/console/quarantine/{quarantine_id}")

    async def approve(self, visit: Visit) -> Response:
        """Carry out what another person proposed: the proposal that the page showed."""
        quarantine_id = visit.request.path_params["id"]
        try:
            await self._repairs.approve(visit.person, quarantine_id, _chosen(visit))
        except RepairRefused as refused:
            status = 403 if refused.code == "SAME_PERSON" else 409
            if status == 403:
                await record(self._reading.pool, visit.person, "denied", visit.request.url.path, after=refused.code)
            return await self._page(visit, {"form": refused.code}, status)
        except KafkaError as error:
            LOG.warning("console.not_sent", quarantine_id=quarantine_id, error=str(error))
            return await self._page(visit, {"form": "BROKER_AWAY"}, 503)
        return moved(f"/console/quarantine/{quarantine_id}")

    async def decline(self, visit: Visit) -> Response:
        """Reject another's proposal, or take back one's own."""
        quarantine_id = visit.request.path_params["id"]
        try:
            await self._repairs.decline(visit.person, quarantine_id, _chosen(visit))
        except RepairRefused as refused:
            return await self._page(visit, {"form": refused.code}, 409)
        return moved(f"/console/quarantine/{quarantine_id}")

    async def _page(
        self, visit: Visit, mistakes: dict[str, str], status: int = 200, *, audited: bool = False
    ) -> Response:
        quarantine_id = visit.request.path_params["id"]
        async with self._reading.picture() as seen:
            row = await seen.row("quarantined", quarantine_id)
            if row is None:
                raise Stopped(404, "unknown", quarantine_id)
            repairs = await seen.rows("repairs", quarantine_id)
        if audited:
            await record(self._reading.pool, visit.person, "quarantine.viewed", quarantine_id)
        proposed = next((one for one in repairs if one["state"] == "PROPOSED"), None)
        raw = row["raw"]
        return page(
            visit,
            "quarantine_one.html",
            status,
            row=row,
            repairs=repairs,
            proposed=proposed,
            own=proposed is not None and proposed["proposed_by"] == visit.person.identity,
            difference=_difference(raw, proposed),
            headers=[(papers.escaped(name), _header(told)) for name, told in json.loads(row["headers"])],
            key=papers.readable(row["key"]),
            text=papers.readable(raw),
            hexadecimal=papers.hexadecimal(raw),
            editable=papers.editable(raw),
            typed=visit.form,
            mistakes=_NO_MISTAKES | mistakes,
            reason_length=REASON_LENGTH,
        )


def _chosen(visit: Visit) -> Shown:
    """The proposal that the page of this form showed."""
    number = visit.form.get("repair", "")
    known = number.isascii() and number.isdigit() and len(number) < _NUMBER_LENGTH
    return Shown(int(number) if known else 0, visit.form.get("shown", ""))


def _header(told: str | None) -> str:
    return "" if told is None else papers.readable(bytes.fromhex(told))


def _difference(raw: bytes | None, proposed: dict[str, Any] | None) -> str:
    return papers.difference(raw, proposed["value"]) if proposed and proposed["value"] is not None else ""
