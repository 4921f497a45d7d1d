"""The commands `notice announce|end|list`; like all commands they import what they need when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from certex_bridge.operations.cli_options import JsonFlag

notice_app = typer.Typer(help="Notices of unavailability to all callers.", no_args_is_help=True)

NoticeName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the notice, used once for ever.")]


@notice_app.command("announce")
def notice_announce(  # noqa: PLR0913, PLR0917  # one option per field of the notice
    notice: NoticeName,
    function: Annotated[str, typer.Option(metavar="F1…F9|ALL", help="What is unavailable.")],
    reason: Annotated[str, typer.Option(help="Why; all callers read it.")],
    sudden: Annotated[bool, typer.Option("--sudden", help="A failure, not a plan.")] = False,
    begins: Annotated[str, typer.Option("--from", metavar="TIME", help="First moment, UTC; default: now.")] = "",
    ends: Annotated[str, typer.Option("--until", metavar="TIME", help="End, UTC; default: not known yet.")] = "",
    meanwhile: Annotated[str, typer.Option(help="How to work meanwhile.")] = "",
    issuer: Annotated[str, typer.Option(metavar="STATE", help="Only for its licences; default: for all.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Announce that a function is or will be unavailable; while it is, its calls are refused with the notice."""
    from certex_bridge.operations.notice_command import run_announce

    kind = "SUDDEN" if sudden else "PLANNED"
    run_announce(notice, function, kind, reason, begins, ends, meanwhile, issuer, as_json=as_json)


@notice_app.command("end")
def notice_end(
    notice: NoticeName,
    ends: Annotated[str, typer.Option("--until", metavar="TIME", help="Another end, UTC; default: now.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """End a notice, or move its end."""
    from certex_bridge.operations.notice_command import run_end

    run_end(notice, ends, as_json=as_json)


@notice_app.command("list")
def notice_list(as_json: JsonFlag = False) -> None:
    """Notices that are in force or planned."""
    from certex_bridge.operations.notice_command import run_list

    run_list(as_json=as_json)
