"""`quarantine list|show|retry|discard`: what could not be used, and what becomes of it.

A record is retried by publishing it again under its own key and event id, as it was or repaired: whatever had an effect
before has none a second time, because the inbox knows its id.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from certex_bridge.kernel.errors import InputError
from certex_bridge.operations.reading import NotFound, connection, read, write
from certex_bridge.operations.terminal import count, print_json, say, table
from certex_bridge.platform.settings import Settings

_COLUMNS = "quarantine_id, topic, partition, record, code, field, value, message, event_id, at, resolved"
_LIST = f"SELECT {_COLUMNS} FROM quarantine WHERE $1 OR resolved = '' ORDER BY at DESC, quarantine_id LIMIT $2"  # noqa: S608
_ONE = f"SELECT {_COLUMNS}, key, raw, headers FROM quarantine WHERE starts_with(quarantine_id, $1) LIMIT 2"  # noqa: S608
_RESOLVE = "UPDATE quarantine SET resolved = $2 WHERE quarantine_id = $1"

_SHOWN = 12
"""Characters of an id in a table; any unique beginning names a record."""


def run_list(*, every: bool, last: int, as_json: bool) -> None:
    """Show the records nobody has dealt with, newest first; with `every` the others, too."""
    rows = [dict(row) for row in read(lambda database: database.fetch(_LIST, every, last))]
    if as_json:
        print_json(rows)
        return
    from rich.markup import escape

    made = table("", "id", "since", "topic", "partition", "offset", "code", "field", "event", "resolved")
    for row in rows:
        place = (row["topic"], str(row["partition"]), str(row["record"]))
        about = (row["code"], escape(row["field"]), escape(row["event_id"]), escape(row["resolved"]))
        made.add_row(row["quarantine_id"][:_SHOWN], row["at"].isoformat(timespec="seconds"), *place, *about)
    say(made if rows else "Nothing is in quarantine.")


def run_show(quarantine_id: str, *, as_json: bool) -> None:
    """Show one record with its bytes.

    Raises:
        NotFound, InputError: no record's id begins so, or more than one does.
    """
    row = read(lambda database: _one(database, quarantine_id))
    headers = _headers(row)
    if as_json:
        bodies = {"key": _base64(row["key"]), "raw": _base64(row["raw"])}
        print_json({**row, **bodies, "headers": [[name, _base64(value)] for name, value in headers]})
        return
    from rich.markup import escape

    for name in (
        "quarantine_id",
        "topic",
        "partition",
        "record",
        "at",
        "event_id",
        "code",
        "field",
        "value",
        "message",
    ):
        say(f"[dim]{name:>13}[/]  {escape(str(row[name]))}")
    for name, value in headers:
        say(f"[dim]{'header':>13}[/]  {escape(name)}: {escape(_text(value))}")
    say(f"[dim]{'resolved':>13}[/]  {escape(row['resolved'] or 'no')}")
    say(escape(_text(row["raw"])))


def run_retry(quarantine_id: str, repaired: Path | None, *, as_json: bool) -> None:
    """Publish a record again, with the bytes of `repaired` when it is given.

    Headers without value are left out: nothing reads them, and they may be why the record was refused.

    Raises:
        NotFound, InputError: no such record, or its bytes were not kept and no file is given.
        KafkaError: the broker does not take it.
    """
    settings = Settings.load()
    settings.require_servers()
    value = repaired.read_bytes() if repaired else None
    place = asyncio.run(_retry(settings, quarantine_id, value))
    if as_json:
        print_json(dict(zip(("topic", "partition", "offset"), place, strict=True)))
    else:
        say(f"Published again: {place[0]} partition {place[1]} offset {place[2]}.")


async def _retry(settings: Settings, quarantine_id: str, value: bytes | None) -> tuple[str, int, int]:
    from certex_bridge.laboratory.messages import Message
    from certex_bridge.laboratory.publish import Sender

    async with connection(settings, readonly=False) as database:
        row = await _one(database, quarantine_id)
        raw = row["raw"] if value is None else value
        if raw is None:
            message = f"the bytes of {row['quarantine_id']} were not kept: give them with --file"
            raise InputError(message, field="file", code="RAW_MISSING")
        headers = tuple((name, told) for name, told in _headers(row) if told is not None)
        async with Sender(settings) as sender:
            sent = await sender.send([Message(row["topic"], row["key"] or b"", raw, headers, row["quarantine_id"])])
        place = sent[0].place
        await database.execute(_RESOLVE, row["quarantine_id"], f"RETRIED {place[0]} {place[1]} {place[2]}")
    return place


def run_discard(quarantine_id: str, reason: str, *, as_json: bool) -> None:
    """Close a record for good; it stays in the database with the reason.

    Raises:
        NotFound, InputError: no such record.
    """

    async def discard(database: Any) -> str:
        row = await _one(database, quarantine_id)
        await database.execute(_RESOLVE, row["quarantine_id"], f"DISCARDED {reason}")
        return str(row["quarantine_id"])

    done = write(discard)
    if as_json:
        print_json({"id": done, "resolved": f"DISCARDED {reason}"})
    else:
        say(f"{done[:_SHOWN]} is closed.")


async def _one(database: Any, beginning: str) -> dict[str, Any]:
    rows = await database.fetch(_ONE, beginning)
    if not rows or not beginning:
        raise NotFound(f"No quarantined record has an id that begins with {beginning!r}.", field="id")
    if len(rows) > 1:
        raise InputError(f"{count(2)} records or more begin with {beginning!r}", field="id", code="ID_AMBIGUOUS")
    return dict(rows[0])


def _headers(row: dict[str, Any]) -> Sequence[tuple[str, bytes | None]]:
    told = json.loads(row["headers"])
    return [(name, None if value is None else bytes.fromhex(value)) for name, value in told]


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _text(value: bytes | None) -> str:
    """Bytes for reading: as text where they are text, with escapes where not."""
    return "(not kept)" if value is None else value.decode("utf-8", "backslashreplace")
