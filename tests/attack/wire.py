"""Hostile bytes on a connection: heads, framing, two requests in one, trailers, connections that only wait.

The answer to such bytes is the status of each answer in a row, and how it ended: `400 closed`, `200 200 closed`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.attack.attacks import Attack, Wire
from tests.attack.bodies import CHECK

HOST = b"Host: 127.0.0.1\r\n"
WHO = HOST + b"Certex-Caller: NSW.BE\r\nCertex-Member-State: BE\r\nContent-Type: application/json\r\n"
BODY = json.dumps(CHECK).encode()
POST = b"POST /v1/checks HTTP/1.1\r\n" + WHO
SMUGGLED = b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n"
REFUSED = "400 closed"


def chunked(*chunks: bytes, ending: bytes = b"0\r\n\r\n") -> bytes:
    """A body in chunks."""
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + ending


def attacks() -> Iterator[Attack]:
    """All of them."""
    for name, (right, *parts) in {**_heads(), **_framing(), **_smuggled(), **_large()}.items():
        yield Attack("wire", name, right, Wire(tuple(parts)))


def _heads() -> dict[str, tuple[str | bytes, ...]]:
    lines: dict[str, bytes] = {
        "no version": b"GET /livez\r\n\r\n",
        "HTTP/9.9": b"GET /livez HTTP/9.9\r\n" + HOST + b"\r\n",
        "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "TLS on a plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32),
        "SSH": b"SSH-2.0-OpenSSH_9.0\r\n",
        "Redis": b"*1\r\n$4\r\nPING\r\n",
        "bytes": bytes(range(256)),
        "NULs": bytes(100),
        "method with a blank": b"GE T /livez HTTP/1.1\r\n" + HOST + b"\r\n",
        "method of 1,000 letters": b"A" * 1_000 + b" /livez HTTP/1.1\r\n" + HOST + b"\r\n",
        "lower-case method": b"get /livez HTTP/1.1\r\n" + HOST + b"\r\n",
        "blank before the name": b"GET /livez HTTP/1.1\r\n Host: x\r\n\r\n",
        "blank before the colon": b"GET /livez HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n",
        "no colon": b"GET /livez HTTP/1.1\r\nHost\r\n\r\n",
        "no name": b"GET /livez HTTP/1.1\r\n: x\r\n" + HOST + b"\r\n",
        "folded field": b"GET /livez HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n",
        "NUL in a value": b"GET /livez HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n",
        "NUL in a name": b"GET /livez HTTP/1.1\r\n" + HOST + b"X\x00: a\r\n\r\n",
        "CR alone in a value": b"GET /livez HTTP/1.1\r\n" + HOST + b"X: a\rb\r\n\r\n",
        "colon in a name": b"GET /livez HTTP/1.1\r\n" + HOST + b"X(y): a\r\n\r\n",
        "blank in the address": b"GET /li vez HTTP/1.1\r\n" + HOST + b"\r\n",
        "control in the address": b"GET /livez\x01 HTTP/1.1\r\n" + HOST + b"\r\n",
    }
    right = "400 closed|closed|(400|404|405|401|200) closed"
    return {f"head: {name}": (right, raw) for name, raw in lines.items()}


def _framing() -> dict[str, tuple[str | bytes, ...]]:
    chunks = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    found: dict[str, bytes] = {
        "length twice": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "length twice, the same": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "lengths in a list": POST + b"Content-Length: 5, 5\r\n\r\nhello",
        "length with a plus": POST + b"Content-Length: +5\r\n\r\nhello",
        "length below nothing": POST + b"Content-Length: -1\r\n\r\nhello",
        "length in hexadecimal": POST + b"Content-Length: 0x5\r\n\r\nhello",
        "length with a blank": POST + b"Content-Length: 5 0\r\n\r\nhello",
        "length of words": POST + b"Content-Length: many\r\n\r\nhello",
        "length beyond 64 bits": POST + b"Content-Length: 99999999999999999999999\r\n\r\nhello",
        "length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"hello"),
        "chunks and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + chunked(b"hello"),
        "chunked with a blank": POST + b"Transfer-Encoding : chunked\r\n\r\n" + chunked(b"hello"),
        "chunked with a vertical tab": POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n" + chunked(b"hello"),
        "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"hello"),
        "chunked, identity": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n" + chunked(b"hello"),
        "another coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n" + chunked(b"hello"),
        "chunked in HTTP/1.0": POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b"hello"),
        "size below nothing": chunks + b"-1\r\nhello\r\n0\r\n\r\n",
        "size with 0x": chunks + b"0x5\r\nhello\r\n0\r\n\r\n",
        "size of words": chunks + b"five\r\nhello\r\n0\r\n\r\n",
        "size beyond 64 bits": chunks + b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        "size empty": chunks + b"\r\nhello\r\n0\r\n\r\n",
        "chunk without its end": chunks + b"5\r\nhello0\r\n\r\n",
        "chunk longer than said": chunks + b"3\r\nhello\r\n0\r\n\r\n",
        "LF alone behind the size": chunks + b"5\nhello\r\n0\r\n\r\n",
        "NUL in the size": chunks + b"5\x00\r\nhello\r\n0\r\n\r\n",
    }
    return {f"framing: {name}": (r"(400|413|431) closed|400 400 closed|closed", raw) for name, raw in found.items()}


def _smuggled() -> dict[str, tuple[str | bytes, ...]]:
    """A second request inside the first one's body is never answered."""
    length = b"Content-Length: %d\r\n" % len(SMUGGLED)
    hidden = chunked(ending=b"0\r\n\r\n") + SMUGGLED
    found: dict[str, bytes] = {
        "length before chunks": POST + length + b"Transfer-Encoding: chunked\r\n\r\n" + hidden,
        "chunks before length": POST + b"Transfer-Encoding: chunked\r\n" + length + b"\r\n" + hidden,
        "coding in capitals, and a length": POST + b"TRANSFER-ENCODING: CHUNKED\r\n" + length + b"\r\n" + hidden,
        "coding with a tab": POST + b"Transfer-Encoding:\tchunked\r\n" + length + b"\r\n" + hidden,
        "coding between blanks": POST + b"Transfer-Encoding:  chunked  \r\n" + length + b"\r\n" + hidden,
        "coding behind LF": POST + b"X: y\nTransfer-Encoding: chunked\r\n" + length + b"\r\n" + hidden,
        "coding folded": POST + b"Transfer-Encoding:\r\n chunked\r\n" + length + b"\r\n" + hidden,
        "coding quoted": POST + b'Transfer-Encoding: "chunked"\r\n' + length + b"\r\n" + hidden,
        "two lengths": POST + b"Content-Length: 0\r\n" + length + b"\r\n" + SMUGGLED,
    }
    told = {f"two in one: {name}": ("400 closed|closed", raw) for name, raw in found.items()}
    body = b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED
    told["two in one: a request as body"] = ("400 (closed|open)", POST + body)  # the body alone is answered
    upgrade = b"GET /livez HTTP/1.1\r\n" + HOST + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"
    told["two in one: upgrade"] = ("200 closed|400 closed|200 400 closed", upgrade + SMUGGLED)
    return told


def _large() -> dict[str, tuple[str | bytes, ...]]:
    start = b"GET /livez HTTP/1.1\r\n" + HOST
    chunks = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    trailer = b"a: b\r\n"
    return {
        "large: field of 100 kB": ("431 closed|closed", start + b"X: " + b"a" * 100_000 + b"\r\n\r\n"),
        "large: 20,000 fields": ("431 closed|closed", start + b"".join(b"x%d: y\r\n" % one for one in range(20_000)) + b"\r\n"),
        "large: address of 100 kB": ("431 closed|closed", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n"),
        "large: cookies of 100 kB": ("431 closed|closed", start + b"Cookie: " + b"a=b; " * 20_000 + b"\r\n\r\n"),
        "large: 10 MB of trailers": ("(400|431) closed|closed", chunks + b"0\r\n" + trailer * (10_000_000 // 6) + b"\r\n"),
        "large: 10 MB of trailers to nobody": (
            "(401|405|400|431|200) closed|closed",
            b"POST /livez HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + trailer * (10_000_000 // 6) + b"\r\n",
        ),
        "large: chunk's extension of 1 MB": ("(400|431) closed|closed", chunks + b"1;" + b"x" * 1_000_000 + b"\r\na\r\n0\r\n\r\n"),
        "large: 300,000 chunks of a byte": ("(400|431) closed|closed", chunks + b"1\r\na\r\n" * 300_000 + b"0\r\n\r\n"),
        "large: body of 20 MB announced": (
            "413 (closed|open)|closed", POST + b"Content-Length: 20000000\r\n\r\n" + bytes(2_000_000),
        ),
        "large: body of 20 MB in chunks": ("413 (closed|open)|closed", chunks + chunked(*[bytes(1_000_000)] * 20)),
        "large: 2,000 requests in a row": ("(200 )*(open|closed)", (start + b"\r\n") * 2_000),
        "large: blank lines without end": ("(400|431|408) closed|closed", b"\r\n" * 500_000),
        "trailers: a caller's name behind the body": (
            "401 (open|closed)",
            b"POST /v1/checks HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            + chunked(BODY, ending=b"0\r\nCertex-Caller: NSW.BE\r\nCertex-Member-State: BE\r\n\r\n"),
        ),
    }  # fmt: skip
