"""A browser without JavaScript: asks an ASGI application for pages, keeps cookies, fills in forms."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from certex_bridge.platform.health import Application


class Visitor:
    """One person's browser."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self.host = "127.0.0.1:8080"
        self.cookies: dict[str, str] = {}
        self.status = 0
        self.headers: dict[str, str] = {}
        self.set_cookies: list[str] = []
        self.text = ""
        self._token = ""
        self.hidden: dict[str, str] = {}
        """Hidden fields of the forms on the last page, without the token."""

    async def get(self, address: str, **headers: str) -> str:
        """The page at an address."""
        return await self._ask("GET", address, b"", headers)

    async def post(self, address: str, csrf: str | None = None, **fields: str) -> str:
        """Send a form with what the page seen last hides in it, unless something else is given."""
        token = csrf if csrf is not None else self.token()
        body = urlencode({**self.hidden, **fields, "csrf": token}).encode()
        return await self._ask("POST", address, body, {"content-type": "application/x-www-form-urlencoded"})

    def token(self) -> str:
        """The token of the forms on the last page that had any."""
        return self._token

    async def enter(self, name: str) -> None:
        """Log in by name."""
        await self.get("/console/login")
        await self.post("/console/login", person=name)
        await self.get("/console/search")

    async def _ask(self, method: str, address: str, body: bytes, headers: dict[str, str]) -> str:
        path, _, query = address.partition("?")
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        pairs = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
        scope: dict[str, Any] = {
            "type": "http", "http_version": "1.1", "method": method, "path": path, "raw_path": path.encode(),
            "query_string": query.encode(), "headers": [*pairs, (b"host", self.host.encode()), (b"cookie", cookie.encode())], "state": {},
            "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "root_path": "",
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._application(scope, receive, send)
        self.status = sent[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        self.set_cookies = [value.decode() for name, value in sent[0]["headers"] if name == b"set-cookie"]
        for one in self.set_cookies:
            for name, morsel in SimpleCookie(one).items():
                self.cookies[name] = morsel.value
        self.text = b"".join(message.get("body", b"") for message in sent[1:]).decode()
        if found := re.search(r'name="csrf" value="([0-9a-f]+)"', self.text):
            self._token = found[1]
        hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', self.text)
        self.hidden = {name: value for name, value in hidden if name != "csrf"}
        return self.text
