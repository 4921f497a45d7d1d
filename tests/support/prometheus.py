"""A Prometheus of its own for a test: Debian's program, a folder, a scrape each second."""

from __future__ import annotations

import asyncio
import json
import shutil
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from certex_bridge.platform.processes import LOOPBACK, free_port
from tests.support.wire_feed import until


class PrometheusServer:
    """Scrapes one target; ends only the process it started."""

    def __init__(self, folder: Path, target_port: int, rules: Sequence[Path]) -> None:
        self._folder = folder
        self._address = f"{LOOPBACK}:{free_port()}"
        self._config = folder / "prometheus.yaml"
        self._process: asyncio.subprocess.Process | None = None
        target = {"targets": [f"{LOOPBACK}:{target_port}"]}
        document = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(path) for path in rules],
            "scrape_configs": [{"job_name": "certex-bridge", "static_configs": [target]}],
        }
        self._config.write_text(yaml.safe_dump(document), "utf-8")

    async def __aenter__(self) -> Self:
        """Start it and wait until it answers."""
        found = shutil.which("prometheus")
        assert found, "prometheus is missing: python3 tools/fetch_ops.py installs or names it"
        options = [f"--config.file={self._config}", f"--storage.tsdb.path={self._folder / 'data'}"]
        with (self._folder / "prometheus.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                found, *options, f"--web.listen-address={self._address}", stdout=log, stderr=log
            )

        async def answers() -> bool:
            assert self._process is not None
            assert self._process.returncode is None, (self._folder / "prometheus.log").read_text("utf-8")
            try:
                return bool(await self.ask("query", query="vector(1)"))
            except OSError:
                return False

        await until(answers, what="Prometheus answers")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def ask(self, what: str, **arguments: str) -> list[dict[str, Any]]:
        """The result of `query` or `query_range`.

        Raises:
            OSError: it does not answer, or answers with an error (a wrong expression).
        """
        address = f"http://{self._address}/api/v1/{what}?{urllib.parse.urlencode(arguments)}"
        body = await asyncio.to_thread(_fetch, address)
        found: list[dict[str, Any]] = json.loads(body)["data"]["result"]
        return found

    async def value(self, query: str) -> float | None:
        """One figure now, or nothing."""
        found = await self.ask("query", query=query)
        return float(found[0]["value"][1]) if found else None


def _fetch(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310  # an address of our own
        body: bytes = answer.read()
        return body
