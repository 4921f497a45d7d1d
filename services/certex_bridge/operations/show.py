"""`licence show|history|at` and `declaration show`: tables for people, JSON for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from certex_bridge.operations import show_declaration, show_licence
from certex_bridge.operations.outcome_told import in_words
from certex_bridge.operations.policies import policy_of
from certex_bridge.operations.reading import read
from certex_bridge.operations.terminal import colour, console, count, grouped, print_json, say, table
from certex_bridge.platform.settings import Settings

if TYPE_CHECKING:
    from decimal import Decimal

    from rich.table import Table

    from certex_bridge.operations.show_licence import LicenceView

_DIMENSIONS = {"QTY": "quantity", "VAL": "value"}


def run_licence_show(text: str, *, as_json: bool) -> None:
    """Show a licence as it is.

    Raises:
        InputError: not ISSUER/NUMBER.
        NotFound: unknown.
    """
    licence_id = show_licence.normalised(text)
    _show_licence(read(lambda database: show_licence.licence_now(database, licence_id)), as_json=as_json)


def run_licence_at(text: str, moment_text: str, *, recorded: bool, as_json: bool) -> None:
    """Show a licence's balances at an instant, rebuilt from the journal.

    Raises:
        InputError: not ISSUER/NUMBER, or no instant.
        NotFound: no journal entry up to then.
    """
    licence_id = show_licence.normalised(text)
    settings = Settings.load()
    moment = show_licence.parse_moment(moment_text, licence_id.partition("/")[0], policy_of(settings).zone)
    _show_licence(
        read(lambda database: show_licence.licence_at(database, licence_id, moment, recorded=recorded)), as_json=as_json
    )


def _show_licence(view: LicenceView, *, as_json: bool) -> None:
    if as_json:
        document = asdict(view) | {"balances": [balance.as_document() for balance in view.balances]}
        print_json(document)
        return
    from rich.markup import escape

    moment = f"at {view.at}" if view.at else "now"
    say(f"[bold]{escape(view.licence)}[/]  {colour(view.status)}  version {view.version}  [dim]{moment}[/]")
    for line in _content_lines(view):
        say("  " + escape(line))
    if view.frozen:
        say("  [yellow]frozen: nothing new is reserved until somebody runs licence unfreeze[/]")
    if view.waiting:
        say(f"  [yellow]{count(view.waiting)} declarations wait for it[/]")
    say(_balances(view) if view.balances else "  [dim]no limit: use is checked, nothing is written off[/]")
    if view.claims:
        say("Claims: " + ", ".join(f"{count(number)} {state}" for state, number in view.claims.items()))


def _content_lines(view: LicenceView) -> list[str]:
    content = view.content
    if not content:
        return []
    holder = content["holder"]
    lines = [
        f"{content['type']} ({content['document_code']}), {content['direction'].lower()}",
        f"held by {holder['name']} ({holder['identification']})",
        f"valid {content['valid_from'] or 'from the beginning'} to {content['valid_to'] or 'without end'}",
    ]
    if content["destinations"]:
        lines.append(f"to {', '.join(content['destinations'])}")
    lines += [f"line {line['line_no']}: {line['description']} ({line['control_list']})" for line in content["lines"]]
    return lines


def _balances(view: LicenceView) -> Table:
    made = table(
        "",
        "line",
        "",
        "authorised",
        "over",
        "available",
        "reserved",
        "consumed",
        "unit",
        numbers=frozenset(range(2, 7)),
    )
    for one in view.balances:
        over = f"[red]{grouped(one.over)}[/]" if one.over else "0"
        figures = (grouped(one.cap), over, grouped(one.available), grouped(one.reserved), grouped(one.consumed))
        made.add_row(str(one.line) if one.line else "all", _DIMENSIONS[one.dimension], *figures, one.unit)
    return made


def run_licence_history(text: str, last: int, *, as_json: bool) -> None:
    """Show the newest journal entries of a licence.

    Raises:
        InputError: not ISSUER/NUMBER.
        NotFound: no journal.
    """
    licence_id = show_licence.normalised(text)
    rows = read(lambda database: show_licence.history(database, licence_id, last))
    if as_json:
        print_json({"licence": licence_id, "entries": rows})
        return
    from rich.markup import escape

    made = table(
        f"{escape(licence_id)}: journal",
        "entry", "at", "what", "line", "", "cap", "reserved", "consumed", "claim or detail",
        numbers=frozenset({5, 6, 7}),
    )  # fmt: skip
    for row in rows:
        moved = (_signed(row["d_cap"]), _signed(row["d_res"]), _signed(row["d_cons"]))
        line = str(row["line_no"]) if row["dim"] != "NONE" else ""
        about = escape("\n".join(filter(None, (_shortened(row["claim"] or row["detail"]), _by_whom(row)))))
        made.add_row(
            f"{row['lv']}.{row['seq']}", row["at"], row["kind"], line, _DIMENSIONS.get(row["dim"], ""), *moved, about
        )
    say(made)


def _by_whom(row: dict[str, Any]) -> str:
    return show_declaration.answerable(row["detail"]) if row["claim"] else ""


def _shortened(text: str) -> str:
    """A claim without its licence, which stands above the table; a hash by its first characters."""
    about = text.partition("@")[0]
    version, mark, digest = about.partition(" sha256=")
    return f"{version} sha256 {digest[:12]}…" if mark else about


def _signed(amount: Decimal) -> str:
    if not amount:
        return ""
    return f"[red]-{grouped(-amount)}[/]" if amount < 0 else f"[green]+{grouped(amount)}[/]"


def run_declaration_show(decl_id: str, *, as_json: bool) -> None:
    """Show a declaration.

    Raises:
        NotFound: unknown.
    """
    view = read(lambda database: show_declaration.declaration_view(database, decl_id.strip()))
    if as_json:
        print_json(view)
        return
    from rich.markup import escape

    names = ", ".join(f"{name} {view[key]}" for name, key in (("LRN", "lrn"), ("exporter", "exporter")) if view[key])
    say(f"[bold]{escape(view['declaration'])}[/]  {view['state'] or 'no content yet'}  [dim]{escape(names)}[/]")
    if view["waitingFor"]:
        say(f"  [yellow]waits for {escape(', '.join(view['waitingFor']))}[/]")
    if view["undecided"]:
        _undecided(view["undecided"])
    if view["joined"]:
        say("  accepted under an MRN; see there")
    for one in sorted(view["said"], key=lambda said: str(said["at"])):
        say(f"  {one['at']}  {escape(one['fact'])}")
    for one in view["findings"]:
        say(f"  {one['at']}  [yellow]{one['severity'].lower()}[/]")
        _indented(escape(in_words(one)), 4)
    say(_claims(view["claims"]))
    if view["movements"]:
        say(_movements(view["movements"]))


def _undecided(one: dict[str, Any]) -> None:
    """That nobody can tell its content, what it could be, and how it is settled."""
    from rich.markup import escape

    say(f"  [red]UNDECIDED[/] since {one['since'].isoformat(timespec='seconds')}: nothing is booked for it")
    _indented(escape(in_words(one)), 2)
    if not one["candidates"]:
        say("  It is settled as soon as customs send its lodging, or its content under the MRN.")
        return
    made = table("", "it could be the lodging of", "of", "event")
    for candidate in one["candidates"]:
        made.add_row(
            escape(candidate["exporter"]),
            candidate["lodgedAt"].isoformat(timespec="seconds"),
            escape(candidate["lodgedEvent"]),
        )
    say(made)
    say("  Once customs say which, settle it with the command of that lodging:")
    for candidate in one["candidates"]:  # whole lines, to be copied
        console().print(f"    {candidate['command']}", soft_wrap=True, markup=False)


def _indented(text: str, columns: int) -> None:
    """A sentence that may need several lines, all of them indented."""
    from rich.padding import Padding

    say(Padding(text, (0, 0, 0, columns), expand=False))


def _why(claim: dict[str, Any]) -> str:
    """The verdicts in words, one a line; of a reason that no outcome explains its code."""
    told = {one["code"] for one in claim["verdicts"]}
    words = [in_words(one) for one in claim["verdicts"]]
    return "\n".join(words + [code for code in claim["reasons"] if code not in told])


def _claims(claims: list[dict[str, Any]]) -> Table:
    from rich.markup import escape

    made = table("Claims", "item", "licence", "line", "state", "outcome", "requested", "reserved", "consumed", "why")
    for one in claims:
        figures = [_both(one, part) for part in ("req", "res", "cons")]
        line = str(one["line_no"]) if one["line_no"] else ""
        place = f"{one['item']}.{one['doc_seq']}"
        made.add_row(
            place,
            one["licence_id"],
            line,
            colour(one["state"]),
            colour(one["outcome"]),
            *figures,
            escape(_why(one)),
        )
    return made


def _both(claim: dict[str, Any], part: str) -> str:
    shown = [(claim[f"q_{part}"], claim["unit"]), (claim[f"v_{part}"], claim["currency"])]
    return "\n".join(f"{grouped(amount)} {unit}" for amount, unit in shown if amount)


def _movements(movements: list[dict[str, Any]]) -> Table:
    from rich.markup import escape

    made = table(
        "Movements", "at", "what", "licence", "line", "", "reserved", "consumed", "by", numbers=frozenset({5, 6})
    )
    for one in movements:
        moved = (_signed(one["d_res"]), _signed(one["d_cons"]))
        made.add_row(
            one["at"], one["kind"], one["licence_id"], str(one["line_no"] or "all"), _DIMENSIONS[one["dim"]], *moved,
            escape(_by_whom(one)),
        )  # fmt: skip
    return made
