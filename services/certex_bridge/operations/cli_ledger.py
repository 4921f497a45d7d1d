"""The commands `licence …` and `declaration …`; like all commands they import what they need when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from certex_bridge.operations.cli_options import JsonFlag

licence_app = typer.Typer(help="What the ledger holds of a licence.", no_args_is_help=True)
declaration_app = typer.Typer(help="What the ledger holds of a declaration.", no_args_is_help=True)

Licence = Annotated[str, typer.Argument(metavar="ISSUER/NUMBER", help="For instance BE/BE-2026-000123.")]


@licence_app.command("show")
def licence_show(licence: Licence, as_json: JsonFlag = False) -> None:
    """Status, validity, lines and balances as they are now."""
    from certex_bridge.operations.show import run_licence_show

    run_licence_show(licence, as_json=as_json)


@licence_app.command("original")
def licence_original(
    licence: Licence,
    version: Annotated[int, typer.Option(min=0, help="Which version; 0: the one in force.")] = 0,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write the files there.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """What the authority issued: its own bytes and the document it attached, with their hashes."""
    from certex_bridge.operations.show_original import run_licence_original

    run_licence_original(licence, version, out, as_json=as_json)


@licence_app.command("refused")
def licence_refused(
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many, counted from the newest.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """Licence events that were refused, or whose act counts without its content, newest first."""
    from certex_bridge.operations.refused_command import run_refused

    run_refused(last, as_json=as_json)


@licence_app.command("history")
def licence_history(
    licence: Licence,
    last: Annotated[int, typer.Option(min=1, help="So many of the newest entries.")] = 100,
    as_json: JsonFlag = False,
) -> None:
    """The journal of a licence: every version, status and movement, oldest first."""
    from certex_bridge.operations.show import run_licence_history

    run_licence_history(licence, last, as_json=as_json)


@licence_app.command("at")
def licence_at(
    licence: Licence,
    time: Annotated[str, typer.Argument(metavar="TIME", help="2026-03-01, or 2026-03-01T10:00:00+01:00.")],
    recorded: Annotated[
        bool, typer.Option("--recorded", help="As the ledger knew it then, not as customs and authorities dated it.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Balances at an instant, rebuilt from the journal alone. A date means the end of that day in the issuing state."""
    from certex_bridge.operations.show import run_licence_at

    run_licence_at(licence, time, recorded=recorded, as_json=as_json)


Why = Annotated[str, typer.Option(help="Why; kept for ever in the audit trail.")]


@licence_app.command("freeze")
def licence_freeze(licence: Licence, reason: Why, as_json: JsonFlag = False) -> None:
    """Let nothing new be reserved while the balance is examined; releases and exits are booked as before."""
    from certex_bridge.operations.freeze_command import run_freeze

    run_freeze(licence, reason, frozen=True, as_json=as_json)


@licence_app.command("unfreeze")
def licence_unfreeze(licence: Licence, reason: Why, as_json: JsonFlag = False) -> None:
    """Let the licence be used again after the examination."""
    from certex_bridge.operations.freeze_command import run_freeze

    run_freeze(licence, reason, frozen=False, as_json=as_json)


@licence_app.command("undo-expiry")
def licence_undo_expiry(licence: Licence, reason: Why, as_json: JsonFlag = False) -> None:
    """Make a licence valid again that a wrong clock let expire before its last day."""
    from certex_bridge.operations.expiry_command import run_undo_expiry

    run_undo_expiry(licence, reason, as_json=as_json)


@declaration_app.command("show")
def declaration_show(
    declaration: Annotated[str, typer.Argument(metavar="ID", help="MRN, or EXPORTER/LRN before acceptance.")],
    as_json: JsonFlag = False,
) -> None:
    """State, claims with their outcomes and reasons, and what they moved."""
    from certex_bridge.operations.show import run_declaration_show

    run_declaration_show(declaration, as_json=as_json)


@declaration_app.command("identify")
def declaration_identify(  # an option each
    mrn: Annotated[str, typer.Argument(metavar="MRN", help="The declaration that nobody can tell.")],
    lrn: Annotated[str, typer.Option(help="LRN that customs name with it.")],
    exporter: Annotated[str, typer.Option(help="EORI of the exporter whose lodging it was.")],
    officer: Annotated[str, typer.Option(help="Who says so.")],
    reason: Annotated[str, typer.Option(help="How it is known.")],
    lodged_event: Annotated[str, typer.Option(help="Id of the event that lodged it, of several of his.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Say by hand which lodging a declaration was, where several could be meant."""
    from certex_bridge.operations.identify import Identification, run_identify

    raise typer.Exit(run_identify(Identification(mrn, lrn, exporter, officer, reason, lodged_event), as_json=as_json))
