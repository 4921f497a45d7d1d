"""The command line. Commands are thin and import what they need when they run, so that `--help` answers at once."""

from __future__ import annotations

import logging
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from certex_bridge.kernel.errors import BridgeError
from certex_bridge.operations.cli_gateway import callers_app, report_app
from certex_bridge.operations.cli_ledger import declaration_app, licence_app
from certex_bridge.operations.cli_notice import notice_app
from certex_bridge.operations.cli_options import JsonFlag
from certex_bridge.operations.cli_positions import positions_app
from certex_bridge.operations.cli_pushes import pushes_app, subscriptions_app
from certex_bridge.operations.cli_quarantine import quarantine_app
from certex_bridge.operations.failures import explain

USER_MISTAKE = 2
"""Exit status of a wrong argument, setting or file, and of a server that cannot be reached."""

app = typer.Typer(
    name="certex-bridge",
    help="Keeps the quantity ledger between export-licence systems and customs declarations (EU CSW-CERTEX).",
    epilog="Settings are environment variables CERTEX_…; see docs/reference/settings.md.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
journal_app = typer.Typer(help="The append-only journal.", no_args_is_help=True)
outbox_app = typer.Typer(help="Messages on their way out: what is held, and sending again.", no_args_is_help=True)
contracts_app = typer.Typer(help="Contracts, schemas and reference pages made from the code; alone: write.")
app.add_typer(licence_app, name="licence")
app.add_typer(declaration_app, name="declaration")
app.add_typer(journal_app, name="journal")
app.add_typer(positions_app, name="positions")
app.add_typer(outbox_app, name="outbox")
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(callers_app, name="callers")
app.add_typer(notice_app, name="notice")
app.add_typer(subscriptions_app, name="subscriptions")
app.add_typer(pushes_app, name="pushes")
app.add_typer(report_app, name="report")
app.add_typer(contracts_app, name="contracts", hidden=True)  # for those who change the code

AggregateType = Annotated[str, typer.Argument(metavar="TYPE", help="balance, outcome, certificate, notification …")]
AggregateId = Annotated[str, typer.Argument(metavar="ID", help="ISSUER/NUMBER, or the declaration's MRN.")]


class Phase(StrEnum):
    """Which migrations to apply."""

    PRE = "pre"
    POST = "post"
    ALL = "all"


def _version(wanted: bool) -> None:
    if wanted:
        from certex_bridge.platform.metrics import bridge_version

        print(f"certex-bridge {bridge_version()}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of the program itself."""


@app.command()
def demo(
    licences: Annotated[int, typer.Option(min=4, max=200_000, help="Licences issued before the day begins.")] = 400,
    declarations: Annotated[int, typer.Option(min=16, max=500_000, help="Declarations of the day.")] = 3000,
    seed: Annotated[int, typer.Option(help="Another seed, another day.")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running and tell how to reach it.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for certificates, outcomes and demo.json.")] = Path("out"),
) -> None:
    """Play a day of the European Union on embedded servers, and prove at the end that every figure is right.

    Exit status 0 when the verifier is satisfied. CERTEX_DATABASE_URL and CERTEX_KAFKA_BOOTSTRAP_SERVERS name real
    servers instead.
    """
    from certex_bridge.operations.demo_command import DemoOptions, run_demo

    raise typer.Exit(run_demo(DemoOptions(licences, declarations, seed, keep, out)))


@app.command()
def serve(
    roles: Annotated[
        str,
        typer.Option(
            metavar="intake,relay,worker,gateway", help="Roles with commas; default: CERTEX_ROLES, else three."
        ),
    ] = "",
) -> None:
    """Run the bridge until SIGTERM or Ctrl-C.

    Roles: intake reads events and keeps the ledger, relay publishes what follows, worker settles what waited, fires
    the legal timers and measures, gateway answers customs over HTTP and is asked for by name. One process may have all
    of them; intakes, workers and gateways may be many, one relay leads.
    """
    from certex_bridge.operations.serve_command import run_serve

    run_serve(roles)


@app.command()
def migrate(
    phase: Annotated[Phase, typer.Option(help="pre: before a deploy; post: after it.")] = Phase.ALL,
    as_json: JsonFlag = False,
) -> None:
    """Bring the database's schema to this release, as the role of CERTEX_DATABASE_MIGRATION_URL."""
    from certex_bridge.operations.migrate_command import run_migrate

    run_migrate(phase.value, as_json=as_json)


@app.command()
def submit(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="JSON events, or foreign messages.")],
    profile: Annotated[str, typer.Option(help="Profile of foreign messages, for instance wco.")] = "",
    ce_type: Annotated[str, typer.Option("--type", help="Event type of files that hold bare data.")] = "",
    wait: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for each answer.")] = 30.0,
    as_json: JsonFlag = False,
) -> None:
    """Publish events and show what came of each: its answer, or why it is in quarantine.

    A file is a CloudEvent in structured JSON, bare data with --type, or with --profile a message as its sender wrote
    it. Exit status 1 when something was refused, put into quarantine or not answered in time.
    """
    from certex_bridge.operations.submit import SubmitOptions, run_submit

    raise typer.Exit(run_submit(files, SubmitOptions(profile, ce_type, wait, as_json)))


@journal_app.command("verify")
def journal_verify(
    heads: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Heads of an earlier moment, of journal heads.")
    ] = None,
    seals: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Seals kept outside, of journal seals or of certex.seals.v1.")
    ] = None,
    newer: Annotated[
        bool, typer.Option("--newer", help="Only what was written after the last of these seals.")
    ] = False,
    key: Annotated[
        list[Path] | None,
        typer.Option(metavar="PEM", help="Public key that must have signed; several may be named, one is enough."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Prove guards, sums, chains, content, states, messages, seals; names the first row that is wrong (exit status 1).

    With heads or seals kept outside it also proves that nothing written before them was changed, taken away or put in
    between since, by whoever owns the database.
    """
    from certex_bridge.operations.verify_command import Kept, run_verify

    raise typer.Exit(run_verify(Kept(heads, seals, key or (), newer), as_json=as_json))


@journal_app.command("seals")
def journal_seals(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of seals, or a new one.")],
    as_json: JsonFlag = False,
) -> None:
    """Add the seals made since to a file, which journal verify --seals compares with.

    Keep it where the database's administrators cannot write.
    """
    from certex_bridge.operations.seals_command import run_seals

    run_seals(file, as_json=as_json)


@journal_app.command("heads")
def journal_heads(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")],
    key: Annotated[Path | None, typer.Option(metavar="PEM", help="Ed25519 private key to sign with.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write the head of every licence's journal, hashes of all that was written, and one head over them.

    Keep the file where the database's administrators cannot write: journal verify --heads compares with it.
    """
    from certex_bridge.operations.verify_command import run_heads

    run_heads(out, key, as_json=as_json)


@outbox_app.command("held")
def outbox_held(as_json: JsonFlag = False) -> None:
    """Messages the broker refused, with everything that is held behind them."""
    from certex_bridge.operations.outbox_command import run_held

    run_held(as_json=as_json)


@outbox_app.command("release")
def outbox_release(aggregate_type: AggregateType, aggregate: AggregateId, as_json: JsonFlag = False) -> None:
    """Try what is held again, with everything after it, in order: once the broker's limit or right is mended."""
    from certex_bridge.operations.outbox_command import run_release

    run_release(aggregate_type, aggregate, as_json=as_json)


@outbox_app.command("resend")
def outbox_resend(
    aggregate_type: AggregateType,
    aggregate: AggregateId,
    first: Annotated[int, typer.Option("--from", min=1, metavar="VERSION", help="The first version to send.")] = 1,
    as_json: JsonFlag = False,
) -> None:
    """Publish messages once more, for a reader that has a gap: all versions from one on, in order, with equal ids."""
    from certex_bridge.operations.outbox_command import run_resend

    run_resend(aggregate_type, aggregate, first, as_json=as_json)


@contracts_app.callback(invoke_without_command=True)
def contracts(context: typer.Context) -> None:
    """Write the generated files when no command is given."""
    if context.invoked_subcommand is None:
        contracts_write()


@contracts_app.command("write")
def contracts_write() -> None:
    """Write AsyncAPI, JSON schemas and reference pages anew; needs the source tree."""
    from certex_bridge.operations.contracts import run_write

    run_write()


@contracts_app.command("check")
def contracts_check() -> None:
    """Fail when a generated file is not what the code says (exit status 1)."""
    from certex_bridge.operations.contracts import run_check

    raise typer.Exit(run_check())


def main() -> None:
    """The console script; a user's mistake is one sentence with its code, never a traceback."""
    # Clients of Kafka and PostgreSQL log what they are about to raise; the sentence below is enough.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        app()
    except BridgeError as error:
        _fail(error.message, error.code)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        known = explain(error)
        if known is None:
            raise
        _fail(*known)


def _fail(sentence: str, code: str) -> None:
    from rich.markup import escape

    from certex_bridge.operations.terminal import console, print_json

    if "--json" in sys.argv[1:]:
        print_json({"error": {"code": code, "message": sentence}})
    else:
        console(errors=True).print(f"[bold red]error[/] {escape(sentence)} [dim]\\[{code}][/]", soft_wrap=True)
    sys.exit(USER_MISTAKE)
