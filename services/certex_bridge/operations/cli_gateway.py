"""Commands around the gateway; as thin as those of `cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from certex_bridge.operations.cli_options import JsonFlag

callers_app = typer.Typer(help="Who may call the gateway.", no_args_is_help=True)


@callers_app.command("check")
def callers_check(
    file: Annotated[Path | None, typer.Argument(help="TOML file; default: CERTEX_CALLERS_FILE.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Read a file of callers as the gateway would, and show who may do what.

    Exit status 2 when the file has a mistake; every mistake is named with its line, caller and field.
    """
    from certex_bridge.operations.callers_command import run_check

    run_check(file, as_json=as_json)
