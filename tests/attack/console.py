"""Hostile requests to the console: pages, forms, cookies. `{cookie}` becomes that of somebody who logged in."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote, urlencode

from tests.attack.attacks import Attack, Request
from tests.attack.bodies import TEXTS

FORM = ("Content-Type", "application/x-www-form-urlencoded")
INSIDE = (("Cookie", "certex-console={cookie}"),)
_SHOWN = {name: text for name, text in TEXTS.items() if len(text) < 1_000}


def attacks() -> Iterator[Attack]:
    """All of them."""
    yield from _strangers()
    yield from _pages()
    yield from _forms()


def _attack(name: str, right: str, request: Request) -> Attack:
    return Attack("console", name, right, request)


def _strangers() -> Iterator[Attack]:
    for page in ("search", "licences/BE/X", "declarations/X", "flow", "flow/figures", "quarantine", "quarantine/x", "pushes",
                 "notices", "audit"):  # fmt: skip
        yield _attack(f"stranger: {page}", "30[237]", Request(f"/console/{page}", b"", (), "GET"))
    for verb in ("quarantine/x/propose", "quarantine/x/approve", "quarantine/x/decline", "pushes/x/pause", "logout"):
        yield _attack(f"stranger: {verb}", "30[237]|403|401", Request(f"/console/{verb}", b"a=b", (FORM,)))
    for name, cookie in {
        "forged": "e30.AAAA", "no mark": "e30", "empty": "", "long": "x" * 8_000, "two dots": "a.b.c", "bytes": "\xff\xfe",
        "mark of zeros": "e30." + "0" * 64, "not base 64": "%%%." + "0" * 64,
    }.items():  # fmt: skip
        sent = Request("/console/search", b"", (("Cookie", f"certex-console={cookie}"),), "GET")
        yield _attack(f"cookie: {name}", "30[237]", sent)
    for name, target in {
        "address": "https://evil.example/", "without scheme": "//evil.example/", "backslash": "/\\evil.example", "script": "javascript:alert(1)",
        "up": "/console/../../v1", "line": "/console\r\nX: y", "NUL": "/console/\x00",
    }.items():  # fmt: skip
        path = "/console/login?" + urlencode({"next": target})
        yield _attack(f"led away: {name}", "200|400|404", Request(path, b"", (), "GET"))
    for path in ("/console/static/../app.py", "/console/static/..%2fapp.py", "/console/static/%2e%2e/app.py", "/console/static/x",
                 "/console/static//etc/passwd", "/console/static/app.py%00.css", "/console//", "/console/search/", "/console/none"):  # fmt: skip
        yield _attack(f"path: {path}", "404|30[237]|400", Request(path, b"", (), "GET"))
    sent = Request("/console/login", b"", (("Host", "evil.example"),), "GET")
    yield _attack("another host", "403", sent)


def _pages() -> Iterator[Attack]:
    fine = "200|400|404|422"
    for name, text in _SHOWN.items():
        word = quote(text, safe="")
        for page in (
            f"search?q={word}",
            f"licences/BE/{word}",
            f"declarations/{word}",
            f"quarantine/{word}",
            f"audit?person={word}",
        ):
            # An auditor's page is not an operator's.
            right = "200|400|403|404|422" if page.startswith("audit") else fine + "|30[237]"
            yield _attack(
                f"{page.partition('?')[0].partition('/')[0]}: {name}",
                right,
                Request(f"/console/{page}", b"", INSIDE, "GET"),
            )
    for query in (
        "after=99999999999999999999",
        "after=-1",
        "after=x",
        "seq=9223372036854775808",
        "version=2147483648",
        "page=1e9",
    ):
        yield _attack(f"quarantine?{query}", fine, Request(f"/console/quarantine?{query}", b"", INSIDE, "GET"))
        yield _attack(f"pushes?{query}", fine, Request(f"/console/pushes?{query}", b"", INSIDE, "GET"))


def _forms() -> Iterator[Attack]:
    many = "&".join(f"f{number}=x" for number in range(60))
    cases: dict[str, tuple[str, bytes, str]] = {
        "60 fields": ("400|413", many.encode(), FORM[1]),
        "field of 600 kB": ("413|400", b"a=" + b"x" * 600_000, FORM[1]),
        "NUL": ("400", b"person=%00", FORM[1]),
        "no token": ("403", b"person=Ada+Operator", FORM[1]),
        "wrong token": ("403", b"csrf=0&person=Ada+Operator", FORM[1]),
        "token of other letters": ("403|400", b"csrf=%ff%fe&person=x", FORM[1]),
        "parts": ("403|400|415", b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        "JSON": ("403|400|415", b"{}", "application/json"),
        "nothing": ("403|400", b"", FORM[1]),
    }
    for name, (right, body, media) in cases.items():
        yield _attack(f"login: {name}", right, Request("/console/login", body, (("Content-Type", media),)))
        inside = (("Content-Type", media), *INSIDE)
        yield _attack(
            f"logged in, repair: {name}", right + "|404", Request("/console/quarantine/x/approve", body, inside)
        )
