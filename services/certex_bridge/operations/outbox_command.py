"""`outbox held|release|resend`: what the broker refused, and sending messages again."""

from __future__ import annotations

from collections.abc import Sequence

from certex_bridge.ledger.adapters.resend import HeldMessages, Resending
from certex_bridge.operations.reading import read, write
from certex_bridge.operations.terminal import count, print_json, say, table


def run_held(*, as_json: bool) -> None:
    """Show the aggregates whose messages are held back, oldest first."""
    rows = read(lambda database: Resending(database).held())
    if as_json:
        print_json([row._asdict() for row in rows])
    elif rows:
        _show(rows)
    else:
        say("Nothing is held.")


def _show(rows: Sequence[HeldMessages]) -> None:
    from rich.markup import escape

    made = table("", "type", "id", "versions", "messages", "since", "reason", "bytes", numbers=frozenset({3, 6}))
    for row in rows:
        versions = f"{row.first}" if row.first == row.last else f"{row.first}-{row.last}"
        since = row.since.isoformat(timespec="seconds")
        made.add_row(row.agg_type, escape(row.agg_id), versions, count(row.messages), since, row.code, count(row.bytes))
    say(made)


def run_release(agg_type: str, agg_id: str, *, as_json: bool) -> None:
    """Send what is held of an aggregate, and what came after it, in order.

    Raises:
        NotQueued: nothing of it is held.
    """
    _tell(write(lambda database: Resending(database).release(agg_type, agg_id)), as_json=as_json)


def run_resend(agg_type: str, agg_id: str, first: int, *, as_json: bool) -> None:
    """Send the versions from `first` on again, in order.

    Raises:
        NotQueued: there is no such version, or an earlier one is held.
    """
    _tell(write(lambda database: Resending(database).resend(agg_type, agg_id, first)), as_json=as_json)


def _tell(messages: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"messages": messages})
    else:
        say(f"{count(messages)} messages go out again, in order, as soon as a relay leads.")
