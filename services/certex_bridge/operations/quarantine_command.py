"""`quarantine list|show|retry|discard|approve|reject`: what could not be used, and what becomes of it.

A record is retried by publishing it again under its own key and event id, as it was or repaired: whatever had an effect
before has none a second time, because the inbox knows its id. As in the console one person proposes and another
approves; persons are told apart by their logins at the database, and what is approved is what was shown.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from certex_bridge.kernel.errors import InputError
from certex_bridge.ledger.quarantine import key_text
from certex_bridge.operations.console_role import poster
from certex_bridge.operations.freeze_command import operator_of
from certex_bridge.operations.outcome_told import in_words
from certex_bridge.operations.reading import NotFound, OneConnection, read, write
from certex_bridge.operations.terminal import count, print_json, say
from certex_bridge.oversight.console.repairs import Letter, Proposal, RepairRefused, Repairs, Shown
from certex_bridge.oversight.console.wording import words
from certex_bridge.platform.settings import Settings

_COLUMNS = "quarantine_id, topic, partition, record, code, field, value, message, event_id, at, resolved"
_LIST = f"SELECT {_COLUMNS}, key FROM quarantine WHERE $1 OR resolved = '' ORDER BY at DESC, quarantine_id LIMIT $2"  # noqa: S608  # put together of constants
_ONE = f"SELECT {_COLUMNS}, key, raw, headers FROM quarantine WHERE starts_with(quarantine_id, $1) LIMIT 2"  # noqa: S608  # put together of constants
_PROPOSED = """
SELECT repair_id, kind, reason, proposed_name, proposed_at, value, repair_shown(r) AS shown
FROM console_repair r WHERE quarantine_id = $1 AND state = 'PROPOSED'
"""

_SHOWN = 12
"""Characters of an id in a table; any unique beginning names a record."""


def run_list(*, every: bool, last: int, as_json: bool) -> None:
    """Show the records nobody has dealt with, newest first; with `every` the others, too."""
    found = read(lambda database: database.fetch(_LIST, every, last))
    rows = [{**row, "key": key_text(row["key"])} for row in found]
    if as_json:
        print_json(rows)
        return
    from rich.markup import escape

    for row in rows:  # two lines each: seven columns beside a sentence fit on no terminal
        place = f"{row['topic']} {row['partition']}/{row['record']}"
        event = row["event_id"][:_SHOWN] + ("…" if len(row["event_id"]) > _SHOWN else "")
        about = "  ".join(filter(None, (place, row["key"], event and f"event {event}", row["resolved"])))
        say(f"[bold]{row['quarantine_id'][:_SHOWN]}[/]  {row['at'].isoformat(timespec='seconds')}  {escape(about)}")
        say(f"    {escape(in_words(row))}")
    if not rows:
        say("Nothing is in quarantine.")


def run_show(quarantine_id: str, *, as_json: bool) -> None:
    """Show one record with its bytes.

    Raises:
        NotFound, InputError: no record's id begins so, or more than one does.
    """

    async def find(database: Any) -> tuple[dict[str, Any], Any]:
        row = await _one(database, quarantine_id)
        return row, await database.fetchrow(_PROPOSED, row["quarantine_id"])

    row, proposed = read(find)
    headers = _headers(row)
    if as_json:
        bodies = {"key": _base64(row["key"]), "raw": _base64(row["raw"])}
        told = dict(proposed) | {"value": _base64(proposed["value"])} if proposed else None
        print_json({**row, **bodies, "headers": [[name, _base64(value)] for name, value in headers], "proposed": told})
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
    if proposed:
        about = f"{proposed['kind']} by {proposed['proposed_name']}: {proposed['reason']}"
        say(f"[dim]{'proposed':>13}[/]  {escape(about)}")
        if proposed["value"] is not None:
            say(escape(_text(proposed["value"])))
        say(_how_to_decide(row["quarantine_id"], Shown(proposed["repair_id"], proposed["shown"])))


def run_propose(quarantine_id: str, kind: str, reason: str, repaired: Path | None, *, as_json: bool) -> None:
    """Propose to publish a record again, with the bytes of `repaired` when it is given, or to close it (DISCARD).

    Raises:
        NotFound, InputError: no such record.
        RepairRefused: it cannot be proposed so.
    """
    proposal = Proposal(kind, reason, repaired.read_bytes() if repaired else None)

    async def propose(database: Any) -> tuple[str, Shown]:
        name = (await _one(database, quarantine_id))["quarantine_id"]
        return name, await _repairs(database).propose(await operator_of(database), name, proposal)

    name, shown = write(_told(propose))
    if as_json:
        print_json({"id": name, "proposal": shown.repair_id, "shown": shown.sha256})
    else:
        say(f"Proposed. {_how_to_decide(name, shown)}")


def run_decide(quarantine_id: str, decided: tuple[int, str], *, approved: bool, as_json: bool) -> None:
    """Approve what another person proposed and this one was shown, or reject it (take it back, where it is one's own).

    `decided` is the proposal's number and the hash of what it does.

    Headers without value are left out: nothing reads them, and they may be why the record was refused.

    Raises:
        NotFound, InputError: no such record.
        RepairRefused: it cannot be decided so: one's own, exchanged, or decided before.
        KafkaError: the broker does not take the record; the proposal stands.
    """

    async def decide(database: Any) -> tuple[str, str]:
        name = (await _one(database, quarantine_id))["quarantine_id"]
        repairs, person, shown = _repairs(database), await operator_of(database), Shown(*decided)
        if approved:
            return name, await repairs.approve(person, name, shown)
        await repairs.decline(person, name, shown)
        return name, ""

    name, resolved = write(_told(decide))
    if as_json:
        print_json({"id": name, "resolved": resolved})
    else:
        done = f"is closed: {resolved}" if approved else "has no proposal any more"
        say(f"{name[:_SHOWN]} {done}.")


T = TypeVar("T")


def _told(work: Callable[[Any], Awaitable[T]]) -> Callable[[Any], Awaitable[T]]:
    """The work, whose refusals have the console's sentences."""

    async def run(database: Any) -> T:
        try:
            return await work(database)
        except RepairRefused as refused:
            sentence = words("en")(f"repair.{refused.code}")
            raise RepairRefused(sentence, field=refused.field, value=refused.value, code=refused.code) from None

    return run


def _repairs(database: Any) -> Repairs:
    settings = Settings.load()

    async def post(letter: Letter) -> tuple[str, int, int]:
        settings.require_servers()
        place: tuple[str, int, int] = await poster(settings)(letter)
        return place

    return Repairs(OneConnection(database), post)  # type: ignore[arg-type]  # what it uses of a pool is there


def _how_to_decide(quarantine_id: str, shown: Shown) -> str:
    about = f"{quarantine_id[:_SHOWN]} --proposal {shown.repair_id} --shown {shown.sha256}"
    return f"Another person decides, in the console or with:\n    certex-bridge quarantine approve {about}"


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
