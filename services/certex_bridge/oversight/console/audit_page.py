"""The audit trail for auditors: newest first, by person and by deed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certex_bridge.oversight.console.web import Visit, page

if TYPE_CHECKING:
    from starlette.responses import Response

    from certex_bridge.oversight.console.reading import Reading

SHOWN = 100
ACTIONS = ("login", "logout", "denied", "form.refused", "licence", "quarantine.viewed", "repair", "subscription")
"""Deeds as the filter offers them, by the beginning of their names."""


class AuditPage:
    """Entries a page at a time."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def show(self, visit: Visit) -> Response:
        """The entries asked for."""
        person, action = visit.asked("person"), visit.asked("action")
        async with self._reading.picture() as seen:
            rows = await seen.rows("audit", person, action, visit.number("before"), SHOWN)
        last = rows[-1]["audit_no"] if len(rows) == SHOWN else 0
        return page(visit, "audit.html", rows=rows, who=person, action=action, actions=ACTIONS, last=last)
