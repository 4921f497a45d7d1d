"""`report mismatches`: what was released against the verdict."""

from __future__ import annotations

from datetime import UTC, datetime

from certex_bridge.ledger.adapters.mismatches import PostgresMismatches
from certex_bridge.ledger.mismatches import Asked
from certex_bridge.operations.reading import read
from certex_bridge.operations.terminal import count, print_json, say, table
from certex_bridge.singlewindow.functions.reports import MismatchesFound, first_instant, last_instant, shown


def run_mismatches(member_state: str, source: str, days: tuple[str, str], *, as_json: bool) -> None:
    """Show the report.

    Raises:
        InputError: a day is none.
    """
    asked = Asked(
        member_state=member_state,
        source=source,
        since=first_instant(days[0], "since"),
        until=last_instant(days[1], "until"),
    )
    found = shown(read(lambda database: PostgresMismatches(database).report(asked)))
    if as_json:
        print_json(found.model_dump(mode="json", by_alias=True))
        return
    if found.total:
        _show(found)
    else:
        say("Nothing was released against the verdict.")
    if found.undecided:
        _show_undecided(found)


def _show_undecided(found: MismatchesFound) -> None:
    from rich.markup import escape

    made = table("Undecided: nothing is booked", "since", "declaration", "LRN", "state", "reason", "could be")
    for one in found.undecided:
        since = _moment(one.since)
        lrn, candidates = escape(one.local_reference_number), escape(one.candidates.replace("; ", "\n"))
        made.add_row(since, escape(one.declaration), lrn, one.state, one.reason, candidates)
    say(made)


def _show(found: MismatchesFound) -> None:
    from rich.markup import escape

    totals = table("", "sender", "state", "verdict", "claims", numbers=frozenset({3}))
    for total in found.totals:
        totals.add_row(escape(total.source), total.member_state, total.verdict, count(total.claims))
    say(totals)
    made = table("", "released at", "declaration", "item", "licence", "verdict", "reasons", numbers=frozenset({2}))
    for one in found.listed:
        at, item = _moment(one.released_at), str(one.declaration_goods_item_number)
        made.add_row(at, escape(one.declaration), item, escape(one.licence), one.verdict, " ".join(one.reasons))
    say(made)


def _moment(at: datetime) -> str:
    """In UTC, to the second, as short as it can be told: the tables are wide."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
