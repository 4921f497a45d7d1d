"""Login and logout: at the issuer, or for a demo on this machine by a name from a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from certex_bridge.oversight.console.audit import record
from certex_bridge.oversight.console.oidc import LOGIN_SECONDS, LoginRefused, OpenIdLogin
from certex_bridge.oversight.console.people import DEMO_PERSONS, Person
from certex_bridge.oversight.console.sessions import FLOW_COOKIE, cookie_place
from certex_bridge.oversight.console.web import Stopped, Visit, moved, page

if TYPE_CHECKING:
    from certex_bridge.oversight.console.app import Console

START = "/console/search"


def onwards(path: str) -> str:
    """The page asked for before the login; only our own ones, so that no link leads out by way of the login."""
    safe = path.startswith("/console/") and "//" not in path and "\\" not in path and path.isprintable()
    return path if safe and not path.startswith("/console/log") else START


class Logins:
    """The pages of login and logout."""

    def __init__(self, console: Console, issuer: OpenIdLogin | None) -> None:
        """Without an issuer, the persons of the demo."""
        self._console = console
        self._issuer = issuer
        self._cookie, self._path = cookie_place(FLOW_COOKIE, secure=console.secure)

    async def show(self, visit: Visit) -> Response:
        """The login page."""
        persons = [] if self._issuer else list(DEMO_PERSONS.values())
        return page(visit, "login.html", persons=persons, onwards=onwards(visit.asked("next")), mistake="")

    async def by_name(self, visit: Visit) -> Response:
        """A person of the demo."""
        person = None if self._issuer else DEMO_PERSONS.get(visit.form.get("person", ""))
        if person is None:
            raise Stopped(403, "denied", "login")
        return await self._enter(visit, person, onwards(visit.form.get("next", "")))

    async def leave(self, visit: Visit) -> Response:
        """Off to the issuer."""
        if self._issuer is None:
            raise Stopped(404, "missing", "/console/login/issuer")
        address, cookie = self._issuer.begin(onwards(visit.asked("next")), quiet=visit.asked("quiet") == "1")
        response = moved(address)
        # Lax: it must come along when the issuer's page sends the browser back.
        response.set_cookie(
            self._cookie, cookie, LOGIN_SECONDS, path=self._path, httponly=True, samesite="lax",
            secure=self._console.secure,
        )  # fmt: skip
        return response

    async def done(self, visit: Visit) -> Response:
        """Back from the issuer."""
        if self._issuer is None:
            raise Stopped(404, "missing", "/console/login/done")
        try:
            query = dict(visit.request.query_params)
            person, following = await self._issuer.finish(query, visit.request.cookies.get(self._cookie, ""))
        except LoginRefused as refused:
            await self._console.refused("login", refused.person, "", refused.why)
            if refused.person is not None:  # known to the issuer, and of no role any more
                now = self._console.sessions.now()
                await self._console.revocations.end_all(self._console.reading.pool, refused.person.identity, now)
            if refused.asked_again:  # not logged in there any more: no mistake, and the usual way in
                response = moved("/console/login", {"next": refused.asked_again})
            else:
                response = page(visit, "login.html", 403, persons=[], onwards=START, mistake=refused.why)
        else:
            await self._enter(visit, person, following)
            # A page of ours that goes on by itself: a redirect would still count as a click from the issuer's pages,
            # and the strict cookie of the session would stay behind.
            response = page(visit, "welcome.html", following=following)
        response.delete_cookie(self._cookie, path=self._path, secure=self._console.secure, httponly=True)
        return response

    async def _enter(self, visit: Visit, person: Person, following: str) -> Response:
        console = self._console
        await console.revocations.logged_in(console.reading.pool, person, console.sessions.now())
        visit.session = console.sessions.begin(person)
        visit.form_token = self._console.sessions.form_token(visit.session)
        await record(self._console.reading.pool, person, "login")
        return moved(following)

    async def out(self, visit: Visit) -> Response:
        """Leave the console."""
        if visit.session.person is not None:
            await self._console.revocations.end(self._console.reading.pool, visit.session)
            await record(self._console.reading.pool, visit.session.person, "logout")
        visit.session = self._console.sessions.begin()
        return moved("/console/login")
