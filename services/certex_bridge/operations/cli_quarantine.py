"""The commands `quarantine …`; like all commands they import what they need when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from certex_bridge.operations.cli_options import JsonFlag

quarantine_app = typer.Typer(help="Records that could not be used.", no_args_is_help=True)

Quarantined = Annotated[str, typer.Argument(metavar="ID", help="Id, or its beginning as the list shows it.")]
Reason = Annotated[str, typer.Option(help="Why; kept with the record.")]
ProposalNumber = Annotated[int, typer.Option(help="Its number, as quarantine show tells it.")]
ShownHash = Annotated[str, typer.Option(metavar="SHA256", help="Hash of what it does, as quarantine show tells it.")]


@quarantine_app.command("list")
def quarantine_list(
    every: Annotated[bool, typer.Option("--all", help="Also those that were dealt with.")] = False,
    last: Annotated[int, typer.Option(min=1, help="So many of the newest.")] = 100,
    as_json: JsonFlag = False,
) -> None:
    """Records nobody has dealt with, newest first."""
    from certex_bridge.operations.quarantine_command import run_list

    run_list(every=every, last=last, as_json=as_json)


@quarantine_app.command("show")
def quarantine_show(quarantined: Quarantined, as_json: JsonFlag = False) -> None:
    """One record: where it came from, why it could not be used, and its bytes."""
    from certex_bridge.operations.quarantine_command import run_show

    run_show(quarantined, as_json=as_json)


@quarantine_app.command("retry")
def quarantine_retry(
    quarantined: Quarantined,
    reason: Reason,
    file: Annotated[Path | None, typer.Option(help="Repaired bytes in place of the record's own.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Propose to publish a record again under its key and event id; what was applied before is not applied again."""
    from certex_bridge.operations.quarantine_command import run_propose

    run_propose(quarantined, "RETRY", reason, file, as_json=as_json)


@quarantine_app.command("discard")
def quarantine_discard(quarantined: Quarantined, reason: Reason, as_json: JsonFlag = False) -> None:
    """Propose to close a record for good; it stays in the database."""
    from certex_bridge.operations.quarantine_command import run_propose

    run_propose(quarantined, "DISCARD", reason, None, as_json=as_json)


@quarantine_app.command("approve")
def quarantine_approve(
    quarantined: Quarantined, proposal: ProposalNumber, shown: ShownHash, as_json: JsonFlag = False
) -> None:
    """Carry out what another person proposed, if it still is what you were shown."""
    from certex_bridge.operations.quarantine_command import run_decide

    run_decide(quarantined, (proposal, shown), approved=True, as_json=as_json)


@quarantine_app.command("reject")
def quarantine_reject(
    quarantined: Quarantined, proposal: ProposalNumber, shown: ShownHash, as_json: JsonFlag = False
) -> None:
    """Reject what another person proposed, or take back your own proposal."""
    from certex_bridge.operations.quarantine_command import run_decide

    run_decide(quarantined, (proposal, shown), approved=False, as_json=as_json)
