"""`journal verify`: the verifier with a progress bar, and its verdict as exit status."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.operations.terminal import console, count, print_json, say, table
from certex_bridge.operations.verify import Progress as Told
from certex_bridge.operations.verify import Report, verify
from certex_bridge.platform.postgres import ssl_argument
from certex_bridge.platform.settings import Settings

if TYPE_CHECKING:
    from rich.table import Table


def run_verify(*, as_json: bool) -> int:
    """Verify the ledger of the settings' database; 0 when everything holds, else 1.

    Raises:
        ConfigurationError: the settings name no database.
    """
    settings = Settings.load()
    url = settings.database_url.get_secret_value()
    if not url:
        raise ConfigurationError("CERTEX_DATABASE_URL must be set: it names the ledger's database")
    began = time.monotonic()
    report = asyncio.run(_with_bar(url, settings, quiet=as_json))
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


async def _with_bar(url: str, settings: Settings, *, quiet: bool) -> Report:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    silent = quiet or not console().is_terminal
    with Progress(*columns, console=console(), transient=True, disable=silent) as bar:
        task = bar.add_task("journal", total=None)

        def told(name: str, done: int, total: int) -> None:
            bar.update(task, description=name, completed=done, total=total or None)

        progress: Told = told
        return await verify(url, progress=progress, ssl=ssl_argument(settings, url))


def as_table(report: Report) -> Table:
    """The checks, those that failed with the first wrong row."""
    from rich.markup import escape

    made = table("", "", "check", "rows", "", numbers=frozenset({2}))
    for check in report.checks:
        made.add_row(
            "[green]✓[/]" if check.ok else "[red]✗[/]", check.name, count(check.examined), escape(check.detail)
        )
    return made
