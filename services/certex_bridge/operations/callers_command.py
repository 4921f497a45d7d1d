"""`callers check`: a file of callers before the gateway gets it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.operations.terminal import count, print_json, say, table
from certex_bridge.platform.settings import Settings
from certex_bridge.singlewindow.callers import Caller
from certex_bridge.singlewindow.callers_file import load_callers


def run_check(file: Path | None, *, as_json: bool) -> None:
    """Show the callers of the file, or of the one in the settings.

    Raises:
        ConfigurationError: no file is named.
        CallersFileWrong: the file has mistakes; all of them are named.
    """
    path = file or Settings.load().callers_file
    if path is None:
        message = "name a file, or set CERTEX_CALLERS_FILE"
        raise ConfigurationError(message, field="CERTEX_CALLERS_FILE")
    callers = load_callers(path).by_name.values()
    if as_json:
        print_json([_document(one) for one in callers])
        return
    from rich.markup import escape

    made = table("", "caller", "state", "roles", "proof", "calls/s", "policies", numbers=frozenset({4}))
    for one in callers:
        cells = (
            one.name,
            one.member_state,
            "\n".join(sorted(one.roles)),
            _proof(one),
            f"{one.limits.rate:g}",
            _policies(one),
        )
        made.add_row(*map(escape, cells))
    say(made)
    say(f"{count(len(callers))} caller{'s' if len(callers) > 1 else ''}, no mistake.")


def _proof(caller: Caller) -> str:
    kinds = [
        *(f"OAuth {client}" for client in caller.oauth_clients),
        *caller.certificate_names,
        *(f"SHA-256 {fingerprint[:16]}…" for fingerprint in caller.certificate_fingerprints),
    ]
    return "\n".join(kinds) or "none: cannot call"


def _policies(caller: Caller) -> str:
    policies = caller.policies
    words = [
        policies.mode.value,
        "two steps" if policies.two_step else "",
        "" if policies.figures_shown else "no figures",
        f"pushes to {policies.callback_url}" if policies.callback_url else "",
    ]
    return "\n".join(filter(None, words))


def _document(caller: Caller) -> dict[str, Any]:
    return caller.model_dump(mode="json") | {"roles": sorted(caller.roles)}
