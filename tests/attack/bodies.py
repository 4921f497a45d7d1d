"""Hostile HTTP requests to the gateway: bodies in JSON, XML and SOAP, fields, addresses, headers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from certex_bridge.singlewindow.http.soap import Soap
from tests.attack import json_texts, xml_texts
from tests.attack.attacks import Attack, Request

CALLER = (("Certex-Caller", "NSW.BE"), ("Certex-Member-State", "BE"))
JSON = (("Content-Type", "application/json"), *CALLER)
XML = (("Content-Type", "application/xml"), *CALLER)
SOAP_12 = (("Content-Type", Soap.V12.content_type), *CALLER)
SOAP_11 = (("Content-Type", Soap.V11.content_type), ("SOAPAction", '""'), *CALLER)
REFUSED = "400 SCHEMA_INVALID "
CHECK: dict[str, Any] = {
    "messageSender": "NSW.BE",
    "messageRecipient": "CERTEX",
    "preparationDateAndTime": "2026-03-03T07:40:00",
    "messageIdentification": "ATTACK-1",
    "messageType": "CBACRQ",
    "CertificateReference": [{"issuingCountry": "BE", "referenceNumber": "BE-2026-000123"}],
}
TEXTS: dict[str, str] = {
    "nothing": "",
    "blanks": "   ",
    "path": "../../../../etc/passwd",
    "path, encoded": "..%2f..%2fetc%2fpasswd",
    "device": "/dev/zero",
    "SQL": "' OR '1'='1' --",
    "SQL statement": "x'; DROP TABLE licence; --",
    "look-up": "${jndi:ldap://127.0.0.1/a}",
    "template": "{{7*7}}${7*7}<%= 7*7 %>",
    "script": "<script>alert(1)</script>",
    "attribute": '" onmouseover="alert(1)',
    "header": "a\r\nSet-Cookie: x=y",
    "format": "%s%n%x{0}{0.__class__}",
    "shell": "$(id)`id`;id|id",
    "right to left": "\u202egnp.exe",
    "zero width": "BE\u200b1",
    "not composed": "e\u0301" * 20,
    "emoji": "\U0001f469\u200d\U0001f52c" * 10,
    "escape of a terminal": "\x1b[2J\x1b]0;x\x07",
    "not a character": "\uffff\ufdd0",
    "10,000 letters": "x" * 10_000,
    "900,000 letters": "x" * 900_000,
    "address": "http://169.254.169.254/latest/meta-data/",
    "file": "file:///etc/passwd",
}
VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "number": 1,
    "minus": -1,
    "fraction": 1.5,
    "list": ["BE"],
    "lists in lists": [[[["BE"]]]],
    "object": {"a": 1},
    "20,000 elements": ["x"] * 20_000,
}
STRICT = ("messageSender", "preparationDateAndTime", "messageIdentification", "messageType")


def attacks() -> Iterator[Attack]:
    """All of them."""
    yield from _json()
    yield from _fields()
    yield from _xml()
    yield from _requests()


def _json() -> Iterator[Attack]:
    for path in ("/v1/checks", "/v1/movements", "/v1/subscriptions"):
        for code, texts in json_texts.BY_CODE.items():
            for name, body in texts.items():
                yield Attack("HTTP JSON", f"{path}: {name}", REFUSED + code, Request(path, body, JSON))
        for name, body in json_texts.SHAPE.items():
            right = REFUSED + "(TYPE|MISSING|NOT_ALLOWED|JSON_SCHEMA)"
            yield Attack("HTTP JSON", f"{path}: {name}", right, Request(path, body, JSON))
    huge = b'{"a":"' + b"x" * (2 << 20) + b'"}'
    yield Attack("HTTP JSON", "2 MiB", "413 BODY_TOO_LARGE BODY_TOO_LARGE", Request("/v1/checks", huge, JSON))


def _fields() -> Iterator[Attack]:
    wrong = REFUSED + "[A-Z_]+"
    for name in STRICT:
        right = "(403 SENDER_MISMATCH SENDER_MISMATCH|" + wrong + ")" if name == "messageSender" else wrong
        taken = right if name != "messageIdentification" else f"(200|{right})"  # printable ASCII is one
        for what, text in TEXTS.items():
            yield Attack("HTTP fields", f"{name}: {what}", taken, Request("/v1/checks", _check(**{name: text}), JSON))
        for what, value in VALUES.items():
            yield Attack("HTTP fields", f"{name}: {what}", right, Request("/v1/checks", _check(**{name: value}), JSON))
    for what, text in TEXTS.items():
        for name in ("issuingCountry", "referenceNumber"):
            cited = {"issuingCountry": "BE", "referenceNumber": "X", name: text}
            # Any printable text may be a number; the answer is then that there is no such licence.
            right = wrong if name == "issuingCountry" else f"(200|{wrong})"
            body = _check(CertificateReference=[cited])
            yield Attack("HTTP fields", f"{name}: {what}", right, Request("/v1/checks", body, JSON))
    for what, value in VALUES.items():
        body = _check(CertificateReference=value)
        yield Attack("HTTP fields", f"CertificateReference: {what}", wrong, Request("/v1/checks", body, JSON))
    for count in (100, 10_000, 500_000):
        body = _check(CertificateReference=[1] * count)
        right = REFUSED + "(TYPE|TOO_MANY)" if count < 50_000 else "413 BODY_TOO_LARGE BODY_TOO_LARGE"
        yield Attack("HTTP fields", f"{count} ones for certificates", right, Request("/v1/checks", body, JSON))


def _check(**changes: Any) -> bytes:
    return json.dumps({**CHECK, **changes}).encode("utf-8", "surrogatepass")


def _xml() -> Iterator[Attack]:
    for code, texts in xml_texts.BY_CODE.items():
        for name, text in texts.items():
            raw = text.encode()
            yield Attack("HTTP XML", f"/v1/checks: {name}", REFUSED + code, Request("/v1/checks", raw, XML))
            yield Attack("HTTP XML", f"/v1/messages: {name}", REFUSED + code, Request("/v1/messages", raw, XML))
            yield from _soap(name, text, code)
    for name, raw in xml_texts.ENCODING.items():
        right = REFUSED + "XML_ENCODING"
        yield Attack("HTTP XML", f"/v1/checks: {name}", right, Request("/v1/checks", raw, XML))
        yield Attack("HTTP SOAP", f"1.2: {name}", "(400|500) SOAP Receiver|" + right, Request("/soap", raw, SOAP_12))
    for name, text in xml_texts.ROOT.items():
        right = "404 FUNCTION_UNKNOWN FUNCTION_UNKNOWN|400 SCHEMA_INVALID .*"
        yield Attack("HTTP XML", f"/v1/messages: {name}", right, Request("/v1/messages", text.encode(), XML))
        yield Attack(
            "HTTP XML", f"/v1/checks: {name}", "400 SCHEMA_INVALID .*", Request("/v1/checks", text.encode(), XML)
        )


def _soap(name: str, text: str, code: str) -> Iterator[Attack]:
    """As it stands, and inside an envelope where it can stand there."""
    yield Attack("HTTP SOAP", f"1.2: {name}", REFUSED + code, Request("/soap", text.encode(), SOAP_12))
    if not text.startswith("<?xml") and code in {"XML_DOCTYPE", "XML_SPLIT_VALUE", "XML_LIMIT"}:
        inside = f'<s:Envelope xmlns:s="{Soap.V11}"><s:Body>{text}</s:Body></s:Envelope>'
        right = "500 SCHEMA_INVALID " + code
        yield Attack("HTTP SOAP", f"1.1, in the body: {name}", right, Request("/soap", inside.encode(), SOAP_11))


def _header_blocks(number: int, namespace: str) -> bytes:
    block = '<x:a s:mustUnderstand="1"/>'
    return (
        f'<s:Envelope xmlns:s="{Soap.V12}" xmlns:x="{namespace}"><s:Header>{block * number}</s:Header>'
        "<s:Body><b/></s:Body></s:Envelope>"
    ).encode()


def _requests() -> Iterator[Attack]:
    kind = "HTTP requests"
    fault = "500 SOAP MustUnderstand"
    for number in (1, 1_000, 38_000):
        body = _header_blocks(number, "urn:x")
        yield Attack("HTTP SOAP", f"{number} blocks that must be understood", fault, Request("/soap", body, SOAP_12))
    body = _header_blocks(4_000, "n" * 300_000)
    yield Attack("HTTP SOAP", "blocks in a long namespace", REFUSED + "XML_LIMIT", Request("/soap", body, SOAP_12))
    for path in (
        "/", "//", "/v1", "/v1/", "/v1/checks/", "/V1/checks", "/v1/checks;a=b", "/v1//checks", "/v1/./checks",
        "/v1/%2e%2e/checks", "/v1/checks%00", "/v1/checks%0d%0aX:y", "/v1/\xff", "/..%2f..%2fetc/passwd", "/.git/config",
        "/v1/checks/../../console", "/%63onsole", "/v1/" + "a/" * 2_000, "/v1/" + "x" * 20_000, "/admin", "/metrics/x",
        "/cgi-bin/test.cgi", "/wp-login.php", "/actuator/env", "/v1/licences", "/soap/",
    ):  # fmt: skip
        sent = Request(path, _check(), JSON)
        yield Attack(kind, f"POST {path[:40]!r}", "404 NOT_FOUND NOT_FOUND|405 METHOD METHOD|400.*|404|403", sent)
    reads = (
        "/v1/licences/BE/%00", "/v1/licences/BE/" + "x" * 600, "/v1/licences/BE/%0a", "/v1/licences/be/x",
        "/v1/licences/..%2f..%2f/x", "/v1/licences/BE/x?a=1", "/v1/licences/BE/x?asOf=1&asOf=2", "/v1/declarations/A%00B",
        "/v1/declarations/%ff%fe", "/v1/declarations/' OR 1=1", "/v1/reports/mismatches?from=9999-12-31",
        "/v1/reports/mismatches?" + "&".join(f"a{number}=1" for number in range(500)),
        "/v1/licences/BE/" + "%25" * 200, "/v1/declarations/" + "%2e%2e%2f" * 20,
    )  # fmt: skip
    for path in reads:
        right = "(400|404|403) .*|404"
        yield Attack(kind, f"GET {path[:60]}", right, Request(path.replace(" ", "%20"), b"", CALLER, "GET"))
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "CONNECT", "PROPFIND", "POSTPOST"):
        right = "405 METHOD METHOD|405|404 NOT_FOUND NOT_FOUND|400"
        yield Attack(kind, f"{method} /v1/checks", right, Request("/v1/checks", b"", CALLER, method))
    for media in (
        "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/octet-stream",
        "application/json; charset=utf-16", "application/yaml", "application/x-java-serialized-object", "image/svg+xml",
        "application/" + "x" * 5_000, "application/json, application/xml", "*/*", "application/msgpack",
    ):  # fmt: skip
        right = "415 CONTENT_TYPE CONTENT_TYPE|200|400 SCHEMA_INVALID .*"
        yield Attack(
            kind,
            f"Content-Type {media[:40]}",
            right,
            Request("/v1/checks", _check(), (("Content-Type", media), *CALLER)),
        )
    for encoding in ("gzip", "deflate", "br", "zstd", "identity, gzip"):
        body = json_texts.ZIPPED["gzip of 100 MB of zeros"]
        right = REFUSED + "JSON_(ENCODING|SYNTAX)|415.*"
        yield Attack(
            kind,
            f"Content-Encoding {encoding}",
            right,
            Request("/v1/checks", body, (*JSON, ("Content-Encoding", encoding))),
        )
    for name, pairs in {
        "nobody": (),
        "empty name": (("Certex-Caller", ""),),
        "unknown": (("Certex-Caller", "NSW.XX"),),
        "operator": (("Certex-Caller", "operator"), ("Certex-Member-State", "BE")),
        "long name": (("Certex-Caller", "x" * 5_000), ("Certex-Member-State", "BE")),
        "bytes": (("Certex-Caller", "\xff\xfe"), ("Certex-Member-State", "BE")),
        "forwarded": (("X-Forwarded-User", "NSW.BE"), ("X-Remote-User", "NSW.BE")),
        "certificate in a header": (("X-Client-Cert", "x"), ("X-SSL-Client-S-DN", "CN=NSW.BE")),
    }.items():
        sent = Request("/v1/checks", _check(), (("Content-Type", "application/json"), *pairs))
        yield Attack(kind, f"caller: {name}", "401 CALLER_UNKNOWN CALLER_UNKNOWN", sent)
    for host in (
        "evil.example",
        "127.0.0.1.evil.example",
        "169.254.169.254",
        "localhost.evil.example",
        "[::ffff:10.0.0.1]",
        "",
    ):
        sent = Request("/v1/checks", _check(), (("Host", host), *JSON))
        yield Attack(kind, f"Host {host}", "403 HOST_FOREIGN HOST_FOREIGN|400", sent)
