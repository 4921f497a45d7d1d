"""`journal verify` and `journal heads`: the verifier with a progress bar, and what it compares a later ledger with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.operations.heads import Heads, is_signed, private_key, public_key, read_heads, write_heads
from certex_bridge.operations.reading import connection
from certex_bridge.operations.seals import Seal
from certex_bridge.operations.seals_command import read_seals
from certex_bridge.operations.terminal import console, count, print_json, say, table
from certex_bridge.operations.verify import Progress as Told
from certex_bridge.operations.verify import Report, verify
from certex_bridge.operations.verify_heads import take_heads
from certex_bridge.operations.verify_seals import Witness
from certex_bridge.platform.postgres import ssl_argument
from certex_bridge.platform.settings import Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from rich.table import Table


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept outside of the database to compare it with."""

    heads: Path | None = None
    seals: Path | None = None
    keys: Sequence[Path] = ()
    """Public keys, one of which must have signed the heads and each seal."""
    newer: bool = False
    """Only what was written after the last of the seals is verified."""


@dataclass(frozen=True, slots=True)
class _Outside:
    heads: Heads | None
    witness: Witness
    after: Seal | None


def run_verify(kept: Kept, *, as_json: bool) -> int:
    """Verify the ledger of the settings' database; 0 when everything holds, else 1.

    Raises:
        ConfigurationError: the settings name no database, or a file is not what it should be, or not signed by the key.
    """
    outside = _outside(kept)
    settings = Settings.load()
    url = settings.database_url.get_secret_value()
    if not url:
        raise ConfigurationError("CERTEX_DATABASE_URL must be set: it names the ledger's database")
    began = time.monotonic()
    report = asyncio.run(_with_bar(url, settings, outside, quiet=as_json))
    if as_json:
        print_json({"ok": report.ok, "checks": [asdict(check) for check in report.checks]})
    else:
        say(as_table(report))
        seconds = time.monotonic() - began
        verdict = (
            "[bold green]OK[/]  every invariant holds" if report.ok else f"[bold red]{len(report.failed)} WRONG[/]"
        )
        say(f"{verdict} [dim]({seconds:.1f} s)[/]")
    return 0 if report.ok else 1


def _outside(kept: Kept) -> _Outside:
    keys = [public_key(path) for path in kept.keys]
    seals = read_seals(kept.seals) if kept.seals is not None else {}
    if kept.newer and not seals:
        raise ConfigurationError("--newer needs --seals with a file that has a seal: it begins after the last of them")
    heads = _heads(kept.heads, keys) if kept.heads is not None else None
    witness = Witness(seals, keys if kept.seals is not None or kept.heads is None else ())
    return _Outside(heads, witness, seals[max(seals)] if kept.newer else None)


def _heads(path: Path, keys: Sequence[Ed25519PublicKey]) -> Heads:
    try:
        file = read_heads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    if keys and not any(is_signed(file, key) for key in keys):
        raise ConfigurationError(f"{path.name} is not signed by the key")
    return file.heads


def run_heads(out: Path, key: Path | None, *, as_json: bool) -> None:
    """Write the heads of the settings' ledger into a file that does not exist yet.

    Raises:
        ConfigurationError: the settings name no database, the key is none, or the file cannot be written.
    """
    signer = private_key(key) if key is not None else None
    heads = asyncio.run(_taken())
    content = write_heads(heads, signer)
    try:
        with out.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise ConfigurationError(f"{out} cannot be written: {error.strerror}") from error
    told = {"as_of": heads.as_of.isoformat(), "licences": len(heads.licences), "head": read_heads(content).head.hex()}
    if as_json:
        print_json(told)
    else:
        say(f"{count(len(heads.licences))} licences as of {told['as_of']}; head of heads {told['head']}")


async def _taken() -> Heads:
    async with connection(Settings.load()) as opened:
        return await take_heads(opened)


async def _with_bar(url: str, settings: Settings, outside: _Outside, *, quiet: bool) -> Report:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    silent = quiet or not console().is_terminal
    with Progress(*columns, console=console(), transient=True, disable=silent) as bar:
        task = bar.add_task("journal", total=None)

        def told(name: str, done: int, total: int) -> None:
            bar.update(task, description=name, completed=done, total=total or None)

        progress: Told = told
        return await verify(
            url,
            progress=progress,
            ssl=ssl_argument(settings, url),
            heads=outside.heads,
            witness=outside.witness,
            after=outside.after,
        )


def as_table(report: Report) -> Table:
    """The checks, those that failed with the first wrong row."""
    from rich.markup import escape

    made = table("", "", "check", "rows", "", numbers=frozenset({2}))
    for check in report.checks:
        made.add_row(
            "[green]✓[/]" if check.ok else "[red]✗[/]", check.name, count(check.examined), escape(check.detail)
        )
    return made
