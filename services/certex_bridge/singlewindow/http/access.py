"""Everything that stands before the gateway's functions, put together from the settings."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from certex_bridge.singlewindow.callers_file import CallerRegistry
from certex_bridge.singlewindow.http.identity import Authenticator, Identity
from certex_bridge.singlewindow.http.keys import KeyStore, fetcher
from certex_bridge.singlewindow.http.limits import BodyLimits, CallerLimits, HandlerTime, SecureHeaders
from certex_bridge.singlewindow.http.problems import RefusalAnswers, problem_document
from certex_bridge.singlewindow.http.tokens import TokenVerifier

if TYPE_CHECKING:
    from certex_bridge.platform.health import Application
    from certex_bridge.platform.metrics import Metrics
    from certex_bridge.platform.settings import Settings
    from certex_bridge.singlewindow.http.problems import Renderer


class Access:
    """Who may call, and within which limits.

    Raises:
        CallersFileWrong: the file of the callers has mistakes; the process must not start.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self.registry = CallerRegistry(settings.callers_file, metrics)
        self.keys = KeyStore(fetcher(settings), settings.oidc_keys_pause_seconds, metrics)
        tokens = TokenVerifier(settings, self.keys)
        self._authenticator = Authenticator(settings.gateway_auth, self.registry, tokens)

    def protect(self, application: Application, render: Renderer = problem_document) -> Application:
        """The application behind identity and limits; `render` writes refusals in the form a request asks for.

        Identity comes before the body is read: a stranger cannot make the process hold a megabyte.
        """
        settings = self._settings
        timed = HandlerTime(application, settings.gateway_handler_seconds)
        whole = BodyLimits(timed, settings.gateway_body_bytes_max, settings.gateway_body_seconds)
        known = Identity(CallerLimits(whole), self._authenticator)
        return SecureHeaders(RefusalAnswers(known, self._metrics, render))

    async def watch(self, stop: asyncio.Event) -> None:
        """Keep callers and keys fresh until `stop`."""
        settings = self._settings
        async with asyncio.TaskGroup() as group:
            group.create_task(stop.wait())
            if self.registry.has_file:
                group.create_task(self.registry.watch(stop, settings.callers_poll_seconds))
            if settings.gateway_auth in {"oauth", "both"}:
                group.create_task(self.keys.watch(stop, settings.oidc_keys_poll_seconds))
