"""The console's application: pages under /console behind sessions and rights; every deed and refusal is in the trail.

It stands beside the functions of the single window, not behind their callers' identity: callers are systems, and these
pages are for people.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING

import asyncpg
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from certex_bridge.oversight.console import wording
from certex_bridge.oversight.console.audit import record
from certex_bridge.oversight.console.audit_page import AuditPage
from certex_bridge.oversight.console.declaration_pages import DeclarationPages
from certex_bridge.oversight.console.flow_page import FlowPage
from certex_bridge.oversight.console.licence_pages import LicencePages
from certex_bridge.oversight.console.login import Logins
from certex_bridge.oversight.console.oidc import OpenIdLogin
from certex_bridge.oversight.console.pace import Pace
from certex_bridge.oversight.console.people import Right
from certex_bridge.oversight.console.push_pages import PushPages
from certex_bridge.oversight.console.quarantine_pages import QuarantinePages
from certex_bridge.oversight.console.reading import Reading
from certex_bridge.oversight.console.repairs import Repairs
from certex_bridge.oversight.console.revocations import Revocations
from certex_bridge.oversight.console.search_page import SearchPage
from certex_bridge.oversight.console.sessions import COOKIE, PATH, Sessions, SignedValues, cookie_place
from certex_bridge.oversight.console.web import Stopped, Visit, moved, read_form, stopped_page
from certex_bridge.platform.console_settings import KEY_LENGTH_MIN
from certex_bridge.platform.local_host import is_for_this_machine
from certex_bridge.platform.logs import get_logger
from certex_bridge.singlewindow.http.limits import SecureHeaders

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from starlette.requests import Request

    from certex_bridge.ledger.domain.policy import Policy
    from certex_bridge.ledger.reading import LedgerReader
    from certex_bridge.oversight.console.flow import Ends
    from certex_bridge.oversight.console.people import Person
    from certex_bridge.oversight.console.repairs import Post
    from certex_bridge.platform.health import Application
    from certex_bridge.platform.metrics import Metrics
    from certex_bridge.platform.settings import Settings

LOG = get_logger("certex_bridge.console")

Page = Callable[[Visit], Awaitable[Response]]
_STATIC = {"htmx.min.js": "text/javascript", "console.css": "text/css", "mark.svg": "image/svg+xml"}
_AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
_YEAR = 31_536_000


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the console needs of the process it lives in."""

    pool: asyncpg.Pool[Any]
    reader: LedgerReader
    policy: Policy
    depths: Callable[[], Awaitable[Mapping[str, float]]]
    """Figures of the queues, by the names of their gauges."""
    ends: Ends
    post: Post
    metrics: Metrics


class Console:
    """Sessions, rights and the audit trail around the pages."""

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        key = settings.console_key.get_secret_value().encode()
        values = SignedValues(key or secrets.token_bytes(KEY_LENGTH_MIN))
        self.sessions = Sessions(values, settings.console_idle_seconds, settings.console_session_seconds)
        self.reading = Reading(around.pool)
        self.secure = settings.console_url.startswith("https:") or settings.http_ssl_certfile is not None
        issuer = OpenIdLogin(settings, values, around.metrics) if settings.console_auth == "oidc" else None
        self.revocations = Revocations(settings.console_session_seconds)
        self._pace = Pace(settings.console_logins_per_minute)
        self._cookie, self._path = cookie_place(COOKIE, secure=self.secure)
        self._logins = Logins(self, issuer)
        self._settings = settings
        self._around = around

    def application(self) -> Application:
        """The ASGI application for every path that begins with /console."""
        routes = [
            *self._entrance(),
            *self._pages(),
            Route("/console/static/{name}", _static, methods=["GET"]),
        ]

        async def missing(request: Request, _error: Exception) -> Response:
            return await self._answer(None, _missing, request)

        inner = Starlette(routes=routes, exception_handlers={HTTPException: missing})
        inner.router.redirect_slashes = False
        return SecureHeaders(inner)

    def _entrance(self) -> list[Route]:
        logins = self._logins
        return [
            self._get("/console", None, _to_start),
            self._get("/console/", None, _to_start),
            self._get("/console/login", None, logins.show),
            self._post("/console/login", None, logins.by_name),
            self._get("/console/login/issuer", None, logins.leave),
            self._get("/console/login/done", None, logins.done),
            self._post("/console/logout", None, logins.out),
        ]

    def _pages(self) -> list[Route]:
        around, reading, settings = self._around, self.reading, self._settings
        licences = LicencePages(reading, around.reader, around.policy, shown=settings.figures_shown_to_customs)
        quarantine = QuarantinePages(reading, Repairs(around.pool, around.post))
        pushes = PushPages(reading)
        flow = FlowPage(reading, around.depths, around.ends)
        one = "/console/quarantine/{id}"
        return [
            self._get("/console/search", Right.SEARCH, SearchPage(reading).show),
            self._get("/console/licences/{id:path}", Right.LICENCES, licences.show),
            self._get("/console/declarations/{id:path}", Right.DECLARATIONS, DeclarationPages(reading).show),
            self._get("/console/flow", Right.FLOW, flow.show),
            self._get("/console/flow/figures", Right.FLOW, flow.figures),
            self._get("/console/quarantine", Right.QUARANTINE, quarantine.listed),
            self._get(one, Right.QUARANTINE, quarantine.show),
            self._post(one + "/propose", Right.REPAIR, quarantine.propose),
            self._post(one + "/approve", Right.REPAIR, quarantine.approve),
            self._post(one + "/decline", Right.REPAIR, quarantine.decline),
            self._get("/console/pushes", Right.PUSHES, pushes.show),
            self._post("/console/pushes/{id}/{verb}", Right.STEER, pushes.steer),
            self._get("/console/notices", Right.NOTICES, pushes.notices),
            self._get("/console/audit", Right.AUDIT, AuditPage(reading).show),
        ]

    def _get(self, path: str, right: Right | None, handler: Page) -> Route:
        return Route(path, self._answering(right, handler), methods=["GET"])

    def _post(self, path: str, right: Right | None, handler: Page) -> Route:
        return Route(path, self._answering(right, handler), methods=["POST"])

    def _answering(self, right: Right | None, handler: Page) -> Callable[[Request], Awaitable[Response]]:
        return partial(self._answer, right, handler)

    async def _answer(self, right: Right | None, handler: Page, request: Request) -> Response:
        visit = self._visit(request)
        came = visit.session
        try:
            response = await self._let_in(visit, right, handler)
        except Stopped as stopped:
            response = stopped_page(visit, stopped)
        except _AWAY as error:
            LOG.warning("console.database_away", path=request.url.path, error=type(error).__name__)
            response = stopped_page(visit, Stopped(503, "away"))
        except Exception:
            LOG.exception("console.failed", path=request.url.path)
            response = stopped_page(visit, Stopped(500, "broken"))
        self._set_cookies(visit, response, new=visit.session is not came)
        return response

    def _visit(self, request: Request) -> Visit:
        cookies = request.cookies
        language = wording.chosen_language(
            request.query_params.get("lang", ""),
            cookies.get(wording.LANGUAGE_COOKIE, ""),
            request.headers.get("accept-language", ""),
        )
        session = self.sessions.read(cookies.get(self._cookie, "")) or self.sessions.begin()
        return Visit(request, session, wording.words(language), self.sessions.form_token(session))

    async def _let_in(self, visit: Visit, right: Right | None, handler: Page) -> Response:
        request = visit.request
        if self._settings.console_auth == "local" and not is_for_this_machine(request.scope["headers"]):
            raise Stopped(403, "host")
        visit.check()
        await self._end_if_over(visit)
        person = visit.session.person
        if person is None:
            self._slow_down(request)
        if right is not None and person is None:
            return self._to_login(visit)
        if request.method == "POST":
            visit.form = await read_form(request)
            visit.check()
            if not self.sessions.form_is_ours(visit.session, visit.form.get("csrf", "")):
                await self.refused("form", person, request.url.path)
                raise Stopped(403, "form")
        if right is not None and person is not None and not person.may(right):
            await record(self.reading.pool, person, "denied", request.url.path, after=right.value)
            raise Stopped(403, "denied", right.value)
        return await handler(visit)

    def _to_login(self, visit: Visit) -> Response:
        """To the login; by way of the issuer alone when only its word has become too old, and nothing is lost by it."""
        request = visit.request
        if request.method != "GET":
            return moved("/console/login", None)
        query = {"next": request.url.path}
        due = self._settings.console_auth == "oidc" and self.sessions.is_due(request.cookies.get(self._cookie, ""))
        if due and not visit.fragment:
            return moved("/console/login/issuer", query | {"quiet": "1"})
        return moved("/console/login", query)

    async def _end_if_over(self, visit: Visit) -> None:
        """A copy of a cookie outlives its session; the session is then none."""
        if visit.session.person is not None and await self.revocations.is_over(self.reading.pool, visit.session):
            visit.session = self.sessions.begin()
            visit.form_token = self.sessions.form_token(visit.session)

    def _slow_down(self, request: Request) -> None:
        """What strangers send is counted and limited by address.

        Raises:
            Stopped: 429.
        """
        if request.method != "POST" and not request.url.path.startswith("/console/login/"):
            return
        if not self._pace.allows(request.client.host if request.client else ""):
            self._around.metrics.console_refusals_total.labels("pace").inc()
            raise Stopped(429, "too_many")

    async def refused(self, what: str, person: Person | None, subject: str, why: str = "") -> None:
        """Count a refused form or login; it is a row of the trail only where it is somebody's."""
        self._around.metrics.console_refusals_total.labels(what).inc()
        LOG.info("console.refused", what=what, why=why)
        if person is not None and what == "form":
            await record(self.reading.pool, person, "form.refused", subject, after=why)
        elif person is not None:
            await record(self.reading.pool, person, "login.refused", subject, after=why)

    def _set_cookies(self, visit: Visit, response: Response, *, new: bool) -> None:
        request = visit.request
        if not (visit.fragment and request.method == "GET" and not new):  # what a page fetches by itself is no click
            session = self.sessions.clicked(visit.session)
            response.set_cookie(
                self._cookie, self.sessions.cookie(session), path=self._path, httponly=True, samesite="strict",
                secure=self.secure,
            )  # fmt: skip
        if request.query_params.get("lang", "") in wording.LANGUAGES:
            response.set_cookie(
                wording.LANGUAGE_COOKIE, visit.words.language, _YEAR, path=PATH, httponly=True, samesite="lax",
                secure=self.secure,
            )  # fmt: skip


async def _to_start(_visit: Visit) -> Response:
    return moved("/console/search")


async def _missing(visit: Visit) -> Response:
    raise Stopped(404, "missing", visit.request.url.path)


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _STATIC:
        return Response("not found\n", 404, media_type="text/plain")
    body = files("certex_bridge.oversight.console").joinpath(f"static/{name}").read_bytes()
    return Response(body, media_type=_STATIC[name], headers={"Cache-Control": "public, max-age=3600"})
