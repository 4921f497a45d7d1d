"""`migrate`: the schema of the database to this release."""

from __future__ import annotations

import asyncio

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.operations.terminal import count, print_json, say
from certex_bridge.platform.migrations import migrate
from certex_bridge.platform.postgres import ssl_argument
from certex_bridge.platform.settings import Settings


def run_migrate(phase: str, *, as_json: bool = False) -> None:
    """Apply what is missing of a phase and say how much it was.

    Raises:
        ConfigurationError: the settings name no database.
        SchemaMismatch: the schema is not one this release can go on from.
    """
    settings = Settings.load()
    secret = settings.database_migration_url.get_secret_value() or settings.database_url.get_secret_value()
    if not secret:
        raise ConfigurationError("CERTEX_DATABASE_URL or CERTEX_DATABASE_MIGRATION_URL must be set")
    applied = asyncio.run(migrate(secret, phase, ssl=ssl_argument(settings, secret)))
    if as_json:
        print_json({"applied": applied})
    elif applied:
        say(f"{count(applied)} migration{'s' if applied > 1 else ''} applied.")
    else:
        say("The schema is up to date.")
