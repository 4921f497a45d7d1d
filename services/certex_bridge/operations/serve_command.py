"""`serve`: one process with the roles asked for."""

from __future__ import annotations

from certex_bridge.operations.serve import serve
from certex_bridge.platform.runtime import leave, run_process
from certex_bridge.platform.settings import Settings


def run_serve(roles: str) -> None:
    """Run until a signal or a failure; ends the process with its exit status.

    Raises:
        BridgeError: a setting, the database or its schema is not fit; nothing was read.
    """
    settings = Settings.load(**({"roles": roles} if roles else {}))
    leave(run_process(lambda: serve(settings)))
