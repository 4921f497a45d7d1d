"""`report mismatches`: what was released against the verdict."""

from __future__ import annotations

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
    elif found.total:
        _show(found)
    else:
        say("Nothing was released against the verdict.")


def _show(found: MismatchesFound) -> None:
    from rich.markup import escape

    totals = table("", "sender", "state", "verdict", "claims", numbers=frozenset({3}))
    for total in found.totals:
        totals.add_row(escape(total.source), total.member_state, total.verdict, count(total.claims))
    say(totals)
    made = table("", "released at", "declaration", "item", "licence", "verdict", "reasons", numbers=frozenset({2}))
    for one in found.listed:
        at, item = one.released_at.isoformat(timespec="seconds"), str(one.declaration_goods_item_number)
        made.add_row(at, escape(one.declaration), item, escape(one.licence), one.verdict, " ".join(one.reasons))
    say(made)
