"""`journal seals`: the published seals, in a file that is kept where the ledger's administrators cannot write.

The file has one seal a line, as the messages of topic certex.seals.v1: a reader of the topic may write it as well.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.operations.reading import connection
from certex_bridge.operations.seals import Seal, read_body
from certex_bridge.operations.terminal import count, print_json, say
from certex_bridge.platform.migrations import load_queries
from certex_bridge.platform.settings import Settings

PAGE = 1_000


def read_seals(path: Path) -> dict[int, Seal]:
    """The seals of a file by number, each following from the one before it in the file.

    Raises:
        ConfigurationError: the file cannot be read, or was changed or cut after it was written.
    """
    try:
        return dict(_chained(path))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path.name} cannot be used: {error}") from error


def _chained(path: Path) -> Iterator[tuple[int, Seal]]:
    last: Seal | None = None
    for line in path.read_bytes().splitlines():
        seal = read_body(json.loads(line))
        if last is not None and seal.number <= last.number:
            continue  # a topic may have a message twice
        if last is not None and (seal.number, seal.before) != (last.number + 1, last.chain):
            raise ValueError(f"seal {seal.number} does not follow from seal {last.number}")
        yield seal.number, seal
        last = seal


def run_seals(path: Path, *, as_json: bool) -> None:
    """Add the seals to a file that it does not have yet; it is made if there is none.

    Raises:
        ConfigurationError: the settings name no database, the file is none of seals, or cannot be written.
    """
    kept = read_seals(path) if path.exists() else {}
    last = kept[max(kept)] if kept else None
    lines, newest = asyncio.run(_newer(last))
    try:
        with path.open("ab") as file:
            file.writelines(lines)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
    told = {"written": len(lines), "seal": newest.number, "asOf": newest.as_of.isoformat(), "chain": newest.chain}
    if as_json:
        print_json(told)
    else:
        say(f"{count(len(lines))} seals written; the last is {told['seal']}, as of {told['asOf']}: {told['chain']}")


async def _newer(last: Seal | None) -> tuple[list[bytes], Seal]:
    """The lines to add, and the newest seal."""
    lines: list[bytes] = []
    async with connection(Settings.load()) as opened:
        while rows := await _page(opened, last):
            for row in rows:
                seal = _following(last, row["agg_ver"], row["body"])
                lines.append(bytes(row["body"]) + b"\n")
                last = seal
    if last is None:
        raise ConfigurationError("the ledger has no seal yet; the role worker makes one every CERTEX_SEAL_SECONDS")
    return lines, last


def _following(last: Seal | None, number: int, body: bytes) -> Seal:
    try:
        seal = read_body(json.loads(body))
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"seal {number} of the ledger cannot be used: {error}") from error
    if last is not None and seal.before != last.chain:
        raise ConfigurationError(f"seal {number} of the ledger does not follow from the file's last")
    return seal


async def _page(opened: Any, last: Seal | None) -> list[Any]:
    query = load_queries("certex_bridge.operations", "seals.sql")["bodies"]
    rows: list[Any] = await opened.fetch(query, last.number if last else 0, PAGE)
    return rows
