"""`subscriptions list|pause|resume|retry` and `pushes list`: who is told what, and what does not arrive."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from certex_bridge.kernel.errors import InputError
from certex_bridge.operations.reading import NotFound, read, write
from certex_bridge.operations.terminal import count, print_json, say, table
from certex_bridge.platform.migrations import load_queries

_SHOWN = 12
"""Characters of an id in a table; any unique beginning names a subscription."""


def _queries() -> dict[str, str]:
    return load_queries("certex_bridge.singlewindow.adapters.sql", "push_desk.sql")


def run_subscriptions(*, every: bool, as_json: bool) -> None:
    """Show the subscriptions in force; with `every` those that ended, too."""
    rows = [dict(row) for row in read(lambda database: database.fetch(_queries()["subscriptions"], every))]
    if as_json:
        print_json(rows)
    elif rows:
        _show_subscriptions(rows)
    else:
        say("There are no subscriptions.")


def _show_subscriptions(rows: list[dict[str, Any]]) -> None:
    from rich.markup import escape

    made = table("", "id", "caller", "scope", "address", "owed", "state", "error", numbers=frozenset({4}))
    for row in rows:
        scope = " ".join(filter(None, (row["scope"], row["issuer"], row["licence_id"])))
        about = (escape(row["caller"]), escape(scope), escape(row["url"]), count(row["owed"]))
        made.add_row(row["subscription_id"][:_SHOWN], *about, _state(row), escape(row["last_error"] or ""))
    say(made)


def _state(row: dict[str, Any]) -> str:
    if row["ended_at"] is not None:
        return f"ended {_time(row['ended_at'])}"
    if row["paused"]:
        return f"[yellow]paused {row['paused']}[/]"
    if row["failing_since"] is not None:
        return f"[red]failing since {_time(row['failing_since'])}, next try {_time(row['next_try'])}[/]"
    return "[green]works[/]"


def run_change(verb: str, subscription_id: str, *, as_json: bool) -> None:
    """Pause, resume or retry one subscription.

    Raises:
        NotFound, InputError: no subscription's id begins so, or more than one does.
    """

    async def change(database: Any) -> str:
        found = await database.fetch(_queries()["named"], subscription_id)
        if not found:
            raise NotFound(f"no subscription in force begins with {subscription_id}", value=subscription_id)
        if len(found) > 1:
            raise InputError(f"several subscriptions begin with {subscription_id}", field="id", value=subscription_id)
        name = str(found[0][0])
        async with database.transaction():
            if verb in {"resume", "retry"}:  # who resumes wants the next attempt now
                await database.execute(_queries()["retry"], name)
            if verb != "retry":
                await database.execute(_queries()[verb], name)
        return name

    name = write(change)
    if as_json:
        print_json({"subscription": name, "done": verb})
    else:
        told = {
            "pause": "is paused; what comes is kept",
            "resume": "gets what it missed, in order, as soon as a worker delivers",
            "retry": "is tried again at once",
        }
        say(f"{name[:_SHOWN]} {told[verb]}.")


def run_pushes(subscription_id: str, last: int, *, as_json: bool) -> None:
    """Show the newest pushes, of one subscription or of all."""
    rows = [dict(row) for row in read(lambda database: database.fetch(_queries()["pushes"], subscription_id, last))]
    if as_json:
        print_json(rows)
        return
    from rich.markup import escape

    made = table(
        "",
        "subscription",
        "number",
        "kind",
        "about",
        "made",
        "delivered",
        "attempts",
        "error",
        numbers=frozenset({1, 6}),
    )
    for row in rows:
        delivered = _time(row["delivered_at"]) if row["delivered_at"] else "-"
        about = (row["kind"], escape(row["subject"]), _time(row["created_at"]), delivered)
        numbers = (str(row["number"]), count(row["attempts"]))
        made.add_row(row["subscription_id"][:_SHOWN], numbers[0], *about, numbers[1], escape(row["last_error"]))
    say(made if rows else "There are no pushes.")


def _time(moment: object) -> str:
    """PostgreSQL's -infinity comes as the least instant there is: at once."""
    if not isinstance(moment, datetime) or moment.year == 1:
        return "now"
    return moment.isoformat(timespec="seconds")
