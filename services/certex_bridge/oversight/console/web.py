"""One request of the console: who clicks, in which language, with which form; and its answer as a page."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse, RedirectResponse, Response

from certex_bridge.oversight.console.people import Right
from certex_bridge.oversight.console.wording import LANGUAGES, Words

if TYPE_CHECKING:
    from starlette.requests import Request

    from certex_bridge.oversight.console.people import Person
    from certex_bridge.oversight.console.sessions import Session

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
FORM_BYTES_MAX = 524_288
FORM_SECONDS = 10.0
FORM_FIELDS_MAX = 50
_NUMBER_MAX = 2**31 - 1

NAVIGATION: tuple[tuple[Right, str], ...] = (
    (Right.SEARCH, "/console/search"),
    (Right.FLOW, "/console/flow"),
    (Right.QUARANTINE, "/console/quarantine"),
    (Right.PUSHES, "/console/pushes"),
    (Right.NOTICES, "/console/notices"),
    (Right.AUDIT, "/console/audit"),
)


class Stopped(Exception):
    """The request ends with an explaining page."""

    def __init__(self, status: int, what: str, subject: str = "") -> None:
        """`what` names the sentences of the page: stopped.<what>.title and .text."""
        super().__init__(what)
        self.status = status
        self.what = what
        self.subject = subject


@dataclass(slots=True)
class Visit:
    """One request."""

    request: Request
    session: Session
    words: Words
    form_token: str
    form: dict[str, str] = field(default_factory=dict)

    @property
    def person(self) -> Person:
        """Who clicks; asked only where a right was needed."""
        assert self.session.person is not None, "a page with a right has a person"
        return self.session.person

    @property
    def fragment(self) -> bool:
        """Whether htmx asks for a part of the page only."""
        return self.request.headers.get("hx-request") == "true" and "hx-boosted" not in self.request.headers

    def asked(self, name: str, default: str = "") -> str:
        """A parameter of the query."""
        return self.request.query_params.get(name, default).strip()

    def number(self, name: str, default: int = 0) -> int:
        """A whole number of the query that the database can hold; what is none counts as absent."""
        text = self.asked(name)
        digits = text.isascii() and text.isdigit() and len(text) < 16
        return min(int(text), _NUMBER_MAX) if digits else default

    def check(self) -> None:
        """That the database can be asked for what the address and the form say.

        Raises:
            Stopped: a text holds the character NUL.
        """
        texts = (*self.request.path_params.values(), *self.request.query_params.values(), *self.form.values())
        if any("\0" in str(text) for text in texts):
            raise Stopped(400, "unreadable")


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, within size and time.

    Raises:
        Stopped: too large, or too slow.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(FORM_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > FORM_BYTES_MAX:
                    raise Stopped(413, "too_large")
    except TimeoutError:
        raise Stopped(408, "too_slow") from None
    try:
        pairs = parse_qsl(
            bytes(body).decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX
        )
    except ValueError:
        raise Stopped(413, "too_large") from None
    return dict(pairs)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("certex_bridge.oversight.console"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["languages"] = LANGUAGES
    environment.filters["segment"] = lambda text: quote(str(text), safe="/")
    environment.filters["query"] = urlencode
    return environment


def page(visit: Visit, name: str, status: int = 200, **values: Any) -> Response:
    """A page of a template."""
    person = visit.session.person
    shown = [(right, path) for right, path in NAVIGATION if person and person.may(right)]
    kept = {key: value for key, value in visit.request.query_params.items() if key != "lang"}
    body = (
        _templates()
        .get_template(name)
        .render(
            t=visit.words,
            person=person,
            rights={right.value for right in Right if person and person.may(right)},
            navigation=shown,
            path=visit.request.url.path,
            kept=kept,
            csrf=visit.form_token,
            **values,
        )
    )
    headers = {"Content-Security-Policy": POLICY, "Content-Language": visit.words.language, "Vary": "Accept-Language"}
    return HTMLResponse(body, status, headers)


def stopped_page(visit: Visit, stopped: Stopped) -> Response:
    """The page that explains why there is no other."""
    return page(visit, "stopped.html", stopped.status, what=stopped.what, subject=stopped.subject)


def moved(path: str, query: Mapping[str, str] | None = None) -> Response:
    """On to another page, after a form or without a session."""
    return RedirectResponse(path + (f"?{urlencode(query)}" if query else ""), 303)
