"""The commands `positions show|accept`; like all commands they import what they need when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from certex_bridge.operations.cli_options import JsonFlag

positions_app = typer.Typer(help="How far each partition was read, and what was never read.", no_args_is_help=True)


@positions_app.command("show")
def positions_show(as_json: JsonFlag = False) -> None:
    """Per partition: the database's number, the group's, where the log begins and ends; every gap there ever was.

    Exit status 1 when a gap is open: records are gone from a log that were never read, and reading stands still there.
    """
    from certex_bridge.operations.positions_command import run_show

    raise typer.Exit(run_show(as_json=as_json))


@positions_app.command("accept")
def positions_accept(  # the gap, word for word, and who says so
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="Topic, without prefix.")],
    partition: Annotated[int, typer.Argument(metavar="PARTITION")],
    from_record: Annotated[int, typer.Option("--from", metavar="RECORD", help="The first record that is lost.")],
    to_record: Annotated[int, typer.Option("--to", metavar="RECORD", help="The first record that is still there.")],
    reason: Annotated[str, typer.Option(help="Why it may be read on; kept for ever.")],
    by: Annotated[str, typer.Option(help="Who says so; default: the user of this system.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Let reading go on behind a gap, which is named as `positions show` names it."""
    from certex_bridge.operations.positions_command import run_accept

    run_accept((topic, partition, from_record, to_record), by, reason, as_json=as_json)
