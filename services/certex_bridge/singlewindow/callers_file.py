"""The file of the callers (TOML): read whole, or refused with every mistake named; read again when it changes.

[[caller]]
name = "DE-ATLAS"
member_state = "DE"
roles = ["clearance", "customs_officer"]
oauth_clients = ["atlas"]
limits = { rate = 500, burst = 1000 }
policies = { mode = "warn" }
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from certex_bridge.kernel.errors import ConfigurationError, Finding
from certex_bridge.platform.logs import get_logger
from certex_bridge.singlewindow.callers import Caller

if TYPE_CHECKING:
    from pathlib import Path

    from certex_bridge.platform.metrics import Metrics

LOG = get_logger("certex_bridge.callers")

FILE_BYTES_MAX = 4_194_304

_HEAD = re.compile(r"\s*\[\[\s*caller\s*\]\]")


class Lines:
    """Where the entries of a file stand, for people: a `[[caller]]` and the key within it.

    The parser does not tell. A file that writes its callers in another way has no lines.
    """

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._heads = [number for number, line in enumerate(self._lines) if _HEAD.match(line)]

    def told(self, entry: int, path: str, message: str) -> str:
        """The message with the line of a field (or of the entry, counted from 1) before it."""
        if entry > len(self._heads):
            return message
        start = self._heads[entry - 1]
        end = self._heads[entry] if entry < len(self._heads) else len(self._lines)
        key = re.compile(rf"\s*(\[\s*caller\s*\.\s*)?{re.escape(path.partition('.')[0])}\s*[=.\]]")
        found = [number for number in range(start, end) if key.match(self._lines[number])]
        return f"line {(found or [start])[0] + 1}: {message}"


class CallersFileWrong(ConfigurationError):
    """The file of the callers cannot be used; `findings` has every mistake."""

    code = "CALLERS_FILE"

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        lines = "\n  ".join(sorted(map(str, findings)))
        super().__init__(f"callers that cannot work (CERTEX_CALLERS_FILE):\n  {lines}", field="CERTEX_CALLERS_FILE")


class Callers:
    """All callers as one file has them; never changes."""

    def __init__(self, callers: Iterable[Caller] = ()) -> None:
        self.by_name: Mapping[str, Caller] = {caller.name: caller for caller in callers}
        self._by_credential = {proof: caller for caller in self.by_name.values() for proof in caller.credentials}

    def with_client(self, client: str) -> Caller | None:
        """The caller whose access tokens name this client id."""
        return self._by_credential.get(("oauth_clients", client))

    def with_certificate(self, fingerprint: str, names: Iterable[str]) -> Caller | None:
        """The caller of a client certificate: by its fingerprint, else by its names if they all lead to one caller."""
        known = self._by_credential.get(("certificate_fingerprints", fingerprint))
        if known is not None:
            return known
        proofs = (("certificate_names", name) for name in names)
        named = {caller.name: caller for proof in proofs if (caller := self._by_credential.get(proof))}
        return next(iter(named.values())) if len(named) == 1 else None


def read_callers(text: str) -> Callers:
    """The callers of a file's text.

    Raises:
        CallersFileWrong: names caller, field, value and rule of every mistake.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CallersFileWrong([Finding("SYNTAX", "", "", f"no TOML: {error}")]) from None
    lines = Lines(text)
    entries = document.pop("caller", [])
    findings = [
        _finding("extra_forbidden", name, value, "only [[caller]] is known") for name, value in document.items()
    ]
    if not isinstance(entries, list) or not entries:
        findings.append(_finding("missing", "caller", entries, "at least one [[caller]] is needed"))
        entries = []
    callers: dict[int, Caller] = {}
    for number, entry in enumerate(entries, 1):
        try:
            callers[number] = Caller.model_validate(entry)
        except ValidationError as error:
            findings += _mistakes(_place(number, entry), error, partial(lines.told, number))
    findings += _shared(callers, lines)
    if findings:
        raise CallersFileWrong(findings)
    return Callers(callers.values())


def _place(number: int, entry: object) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    return f"caller[{name if isinstance(name, str) and name else number}]"


def _finding(code: str, field: str, value: object, message: str) -> Finding:
    return Finding(code.upper(), field, "" if value is None else str(value)[:512], message)


def _mistakes(place: str, error: ValidationError, told: Callable[[str, str], str]) -> list[Finding]:
    findings = []
    for one in error.errors():
        path = ".".join(map(str, one["loc"]))
        value: Any = None if one["type"] == "missing" else one["input"]
        message = told(path, one["msg"].removeprefix("Value error, "))
        findings.append(_finding(one["type"], f"{place}.{path}" if path else place, value, message))
    return findings


def _shared(callers: Mapping[int, Caller], lines: Lines) -> list[Finding]:
    """A name or a proof of identity that two callers have would let one act as the other."""
    findings: list[Finding] = []
    owners: dict[tuple[str, str], str] = {}
    for number, caller in callers.items():
        for kind, value in sorted({("name", caller.name)} | caller.credentials):
            owner = owners.get((kind, value))
            if owner is not None:
                place = f"caller[{caller.name}].{kind}"
                message = lines.told(number, kind, f"belongs to the caller {owner} already")
                findings.append(_finding("duplicate", place, value, message))
            owners.setdefault((kind, value), caller.name)
    return findings


class CallerRegistry:
    """The callers in force: those of the newest file that was right."""

    def __init__(self, path: Path | None, metrics: Metrics) -> None:
        """Read the file; without a path nobody is known.

        Raises:
            CallersFileWrong: the process must not start with it.
        """
        self._path = path
        self._metrics = metrics
        self.current = Callers()
        self._seen: tuple[int, ...] | None = None
        if path is not None:
            self._seen, self.current = _state(path), load_callers(path)

    @property
    def has_file(self) -> bool:
        """Whether there is a file at all."""
        return self._path is not None

    def reload(self) -> bool:
        """Read the file if it changed; whether new rights are in force. A wrong file changes nothing and is told."""
        if self._path is None:
            return False
        seen = _state(self._path)
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            fresh = load_callers(self._path)
        except CallersFileWrong as error:
            self._metrics.gateway_callers_wrong.set(1)
            LOG.error("callers.refused", file=str(self._path), findings=[str(one) for one in error.findings])  # noqa: TRY400  # the findings say it all
            return False
        self.current = fresh  # one assignment: a request sees the old rights or the new ones, never a mixture
        self._metrics.gateway_callers_wrong.set(0)
        LOG.info("callers.loaded", file=str(self._path), callers=len(fresh.by_name))
        return True

    async def watch(self, stop: asyncio.Event, seconds: float) -> None:
        """Look at the file every `seconds` until `stop`."""
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), seconds)
                return
            await asyncio.to_thread(self.reload)


def _state(path: Path) -> tuple[int, ...] | None:
    """Changes with the file, also when a link is turned to another one (Kubernetes does that); None: not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def load_callers(path: Path) -> Callers:
    """The callers of a file.

    Raises:
        CallersFileWrong: it cannot be read, or has mistakes.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
        if len(raw) > FILE_BYTES_MAX:
            raise CallersFileWrong([Finding("TOO_LARGE", "", "", f"larger than {FILE_BYTES_MAX} bytes")])
        return read_callers(raw.decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CallersFileWrong([Finding("UNREADABLE", "", str(path), f"cannot be read: {error}")]) from None
