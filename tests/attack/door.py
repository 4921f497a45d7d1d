"""A gateway with console as a process of its own, under watch, and attacks on it over sockets."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Self
from urllib.parse import urlencode, urlsplit

from tests.attack import bodies, console, wire
from tests.attack.attacks import Attack, Request, Wire
from tests.attack.bait import SECRET, Bait

CALLERS = """
[[caller]]
name = "NSW.BE"
member_state = "BE"
roles = ["clearance", "customs_officer", "licensing_officer", "auditor"]
limits = { rate = 100000.0, burst = 100000, concurrent = 1000 }
"""
ANSWER_SECONDS = 40.0
"""Longer than the server's own limits: what takes so long is never answered."""
QUIET_SECONDS = 0.4
"""A connection that is answered and stays open is left after this."""
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]")
_CODE = re.compile(rb"<code>([A-Z0-9_]+)</code>.*?<errorReason>([A-Z0-9_]+)</errorReason>", re.DOTALL)
_FAULT = re.compile(rb"<soap:Value>soap:(\w+)</soap:Value>|<faultcode>soap:(\w+)</faultcode>")


def attacks() -> list[Attack]:
    """All that are answered over a connection."""
    return [*bodies.attacks(), *wire.attacks(), *console.attacks()]


def free_port() -> int:
    """A port nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


class Door:
    """The gateway; use it as a context."""

    def __init__(self, database_url: str, bootstrap_servers: str, folder: Path) -> None:
        self.port, self._health_port = free_port(), free_port()
        self.touched = folder / "touched.txt"
        self._log = folder / "gateway.log"
        callers = folder / "callers.toml"
        callers.write_text(CALLERS, "utf-8")
        settings = {
            "ROLES": "gateway", "HTTP_HOST": "127.0.0.1", "HTTP_PORT": str(self.port), "HEALTH_PORT": str(self._health_port), "CALLERS_FILE": str(callers),
            "DATABASE_URL": database_url, "DATABASE_ASYNC_COMMIT": "true", "CONSOLE_AUTH": "local", "LOG_LEVEL": "ERROR",
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers, "CONSOLE_LOGINS_PER_MINUTE": "100000", "GATEWAY_CHECK_BUDGET_MS": "5000", "GATEWAY_DATABASE_WAIT_MS": "5000",
        }  # fmt: skip
        ports = (
            urlsplit(database_url).port or 5432,
            bootstrap_servers.rpartition(":")[2],
            self.port,
            self._health_port,
        )
        self._environment = {**os.environ, **{f"CERTEX_{name}": value for name, value in settings.items()}}
        self._environment["ATTACK_PORTS"] = ",".join(map(str, ports))
        self._cookie = ""
        self.process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.attack.watched", str(self.touched), "serve"]
        root = Path(__file__).resolve().parents[2]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=root, env=self._environment, stdout=log, stderr=log)
        deadline = time.monotonic() + 90
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"the gateway did not start: {self._log.read_text('utf-8')[-2000:]}")
            time.sleep(0.05)
        self._cookie = self._enter()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._health_port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _enter(self) -> str:
        """The cookie of an operator."""
        page, cookie = self._ask_page("GET", "/console/login", b"", "")
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
        assert found is not None, page[:500]
        form = urlencode({"csrf": found[1], "person": "Ada Operator"}).encode()
        return self._ask_page("POST", "/console/login", form, cookie)[1]

    def _ask_page(self, method: str, path: str, body: bytes, cookie: str) -> tuple[str, str]:
        headers = (console.FORM, ("Cookie", f"certex-console={cookie}"))
        raw, _ = self._exchange((self._raw(Request(path, body, headers, method)),))
        found = re.findall(r"set-cookie: certex-console=([^;]+);", raw.decode("utf-8", "replace"))
        return raw.decode("utf-8", "replace"), found[-1] if found else cookie

    def answer(self, attack: Attack, bait: Bait) -> tuple[str, float]:
        """The answer, and the seconds until its last byte."""
        if isinstance(attack.what, Wire):
            raw, ending = self._exchange(attack.what.parts)
            statuses = [status.decode() for status in _STATUS.findall(raw)]
            return " ".join([*statuses, ending[0]]), ending[1]
        assert isinstance(attack.what, Request)
        raw, ending = self._exchange((self._raw(replace(attack.what, body=bait.put_into(attack.what.body))),))
        assert SECRET.encode() not in raw, "the answer tells what stands in the file"
        return _told(raw), ending[1]

    def _raw(self, request: Request) -> bytes:
        pairs = dict(request.headers)
        lines = [f"{request.method} {request.path} HTTP/1.1"]
        if "Host" not in pairs:
            lines.append(f"Host: 127.0.0.1:{self.port}")
        lines += [f"{name}: {value.replace('{cookie}', self._cookie)}" for name, value in request.headers]
        lines += [f"Content-Length: {len(request.body)}"] if request.body or request.method == "POST" else []
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1", "replace") + request.body

    def _exchange(self, parts: tuple[bytes, ...]) -> tuple[bytes, tuple[str, float]]:
        """All that is answered; how it ended (closed or open), and the seconds until the last byte."""
        began = last = time.perf_counter()
        heard = b""
        with socket.create_connection(("127.0.0.1", self.port), 5) as one:
            one.settimeout(ANSWER_SECONDS)
            try:
                for part in parts:
                    one.sendall(part)
            except OSError:
                pass  # answered and closed before all was sent
            ending = "closed"
            try:
                while data := one.recv(1 << 16):
                    heard, last = heard + data, time.perf_counter()
                    one.settimeout(QUIET_SECONDS)
            except TimeoutError:
                ending = "open" if heard else "silent"
            except OSError:
                pass  # reset: it ended, too
        return heard, (ending, last - began)


def _told(raw: bytes) -> str:
    """The answer in words: status, code and reason of the first mistake where it has them."""
    found = _STATUS.match(raw)
    if found is None:
        return "nothing"
    status, body = found[1].decode(), raw.partition(b"\r\n\r\n")[2]
    if body.startswith(b"{"):
        document = json.loads(body)
        if "code" in document and document.get("errors"):
            return f"{status} {document['code']} {document['errors'][0]['errorReason']}"
    if (code := _CODE.search(body)) is not None:
        return f"{status} {code[1].decode()} {code[2].decode()}"
    if (fault := _FAULT.search(body)) is not None:
        return f"{status} SOAP {(fault[1] or fault[2]).decode()}"
    return status
