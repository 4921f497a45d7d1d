"""`licence refused`: licence events that were refused, as a whole or in their content, and acts that wait."""

from __future__ import annotations

import json
from typing import Any

from certex_bridge.operations.reading import read
from certex_bridge.operations.terminal import print_json, say, table

_LIST = """
SELECT r.event_id, r.licence_id, r.kind, r.version, r.verdict, r.act, r.findings, r.written_at,
       coalesce(l.status, 'Unknown') AS status
FROM refused_licence_event r LEFT JOIN licence l USING (licence_id)
ORDER BY r.written_at DESC, r.event_id LIMIT $1
"""


def run_refused(last: int, *, as_json: bool) -> None:
    """Show the newest, with what became of an act and the licence's present status."""
    rows = [_row(dict(row)) for row in read(lambda database: database.fetch(_LIST, last))]
    if as_json:
        print_json(rows)
        return
    from rich.markup import escape

    made = table("", "since", "licence", "event", "version", "act", "status now", "findings")
    for row in rows:
        codes = ", ".join(dict.fromkeys(f"{one['code']} {one['field']}".strip() for one in row["findings"]))
        about = (escape(row["licence_id"]), row["kind"], str(row["version"] or ""), row["act"].lower(), row["status"])
        made.add_row(row["written_at"].isoformat(timespec="seconds"), *about, escape(codes))
    say(made if rows else "No licence event was refused.")


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"findings": json.loads(row["findings"])}
