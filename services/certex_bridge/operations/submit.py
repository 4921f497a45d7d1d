"""`submit`: publish events, wait until the bridge has taken them in, and show what came of each."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from certex_bridge.laboratory.publish import Published, Sender
from certex_bridge.ledger.quarantine import key_text
from certex_bridge.operations.outcome_told import OUTCOME, in_words, verdicts_of
from certex_bridge.operations.reading import connection
from certex_bridge.operations.submit_files import FOREIGN, Submission, read_file
from certex_bridge.operations.terminal import colour, console, print_json, table
from certex_bridge.platform.envelope import Envelope, Poison
from certex_bridge.platform.settings import Settings

POLL_SECONDS = 0.1

_PASSED = "SELECT next_record FROM consumer_offset WHERE topic = $1 AND partition = $2"
_PLACES = "SELECT topic, partition, record FROM inbox WHERE event_id = ANY($1::text[])"
_HERE = "SELECT event_id FROM inbox WHERE topic = $1 AND partition = $2 AND record = $3"
_ANSWERS = "SELECT event_id, body FROM answer WHERE event_id = ANY($1::text[])"
_QUARANTINE = """
SELECT code, field, value, message, key FROM quarantine WHERE topic = $1 AND partition = $2 AND record = $3
"""
_BAD_RESULTS = ("REFUSED", "CONFLICT", "KEPT")
_BAD_CLAIMS = ("REFUSED", "UNCOVERED")


@dataclass(frozen=True, slots=True)
class SubmitOptions:
    """What the person at the terminal asked for."""

    profile: str
    ce_type: str
    wait_seconds: float
    as_json: bool


@dataclass(slots=True)
class Fate:
    """What came of one file."""

    file: str
    answers: list[dict[str, Any]] = field(default_factory=list)
    """Stored answers, one per event in the file."""
    quarantine: list[dict[str, str]] = field(default_factory=list)
    in_time: bool = True
    repeated: bool = False
    """All its events were taken in before; these are the answers they got then."""

    @property
    def ok(self) -> bool:
        """Whether everything was taken in and nothing refused."""
        return self.in_time and not self.quarantine and not any(_is_bad(answer) for answer in self.answers)


def _is_bad(answer: dict[str, Any]) -> bool:
    refused = any(claim["outcome"] in _BAD_CLAIMS for claim in answer.get("claims", ()))
    return refused or answer.get("result") in _BAD_RESULTS


def run_submit(files: Sequence[Path], options: SubmitOptions) -> int:
    """Submit the files in order; 0 when all were taken in and nothing was refused, else 1.

    Raises:
        BridgeError: a file is no event, or the settings name no servers.
    """
    settings = Settings.load()
    settings.require_servers()
    submissions = [read_file(file, options.profile, options.ce_type) for file in files]
    if options.as_json:
        fates = asyncio.run(_submit(settings, submissions, options, lambda _fate: None))
        print_json([_document(fate) for fate in fates])
    else:
        fates = _with_rows(settings, submissions, options)
    return 0 if all(fate.ok for fate in fates) else 1


async def submit_file(settings: Settings, file: Path, options: SubmitOptions) -> Fate:
    """Submit one file in a loop that runs already; what came of it.

    Raises:
        BridgeError: it is no event.
    """
    submission = read_file(file, options.profile, options.ce_type)
    return (await _submit(settings, [submission], options, lambda _fate: None))[0]


async def _submit(
    settings: Settings, submissions: Sequence[Submission], options: SubmitOptions, told: Callable[[Fate], None]
) -> list[Fate]:
    ids = _Ids(settings)
    fates = []
    async with connection(settings) as database, Sender(settings) as sender:
        for one in submissions:
            known, key = ids.of(one)
            message = replace(one.message, key=key or one.message.key)
            published = (await sender.send([message]))[0]
            fates.append(await _wait(database, published, str(one.file), known, options.wait_seconds))
            told(fates[-1])
    return fates


class _Ids:
    """Reads a record as the bridge will, to learn the ids of its events and the key that keeps them in order."""

    def __init__(self, settings: Settings) -> None:
        from certex_bridge.operations.composition import decoders_of

        self._decoders = decoders_of(settings)

    def of(self, one: Submission) -> tuple[list[str], bytes | None]:
        message = one.message
        envelope = Envelope(message.topic, 0, 0, message.key, message.value, message.headers, int(time.time() * 1000))
        try:
            read = self._decoders[message.topic](envelope)
        except Poison:  # the bridge will say so itself
            return [], None
        commands = [command for command in read if not isinstance(command, Poison)]
        key = None
        if message.topic == FOREIGN and commands:
            first: Any = commands[0]
            key = (first.mrn or f"{first.exporter}/{first.lrn}").encode()
        return [command.event_id for command in commands], key


async def _wait(database: Any, published: Published, file: str, ids: list[str], seconds: float) -> Fate:
    place = published.place
    until = time.monotonic() + seconds
    while True:
        passed = await database.fetchval(_PASSED, *place[:2])
        if passed is not None and passed > published.offset:
            return await _fate(database, place, file, ids)
        if time.monotonic() > until:
            return Fate(file, in_time=False)
        await asyncio.sleep(POLL_SECONDS)


async def _fate(database: Any, place: tuple[str, int, int], file: str, ids: list[str]) -> Fate:
    rows = await database.fetch(_QUARANTINE, *place)
    quarantine = [{**row, "key": key_text(row["key"])} for row in rows]
    if not ids and not quarantine:
        ids = [row["event_id"] for row in await database.fetch(_HERE, *place)]
    bodies = {row["event_id"]: row["body"] for row in await database.fetch(_ANSWERS, ids)}
    answers = [{"event": event_id, **json.loads(bodies[event_id])} for event_id in ids if event_id in bodies]
    for answer in answers:
        await _explain(database, answer)
    places = {tuple(row) for row in await database.fetch(_PLACES, ids)}
    return Fate(file, answers, quarantine, repeated=bool(places) and place not in places)


async def _explain(database: Any, answer: dict[str, Any]) -> None:
    """Give each claim its verdicts (field, value, sentence), from the outcome that told customs of it."""
    if not answer.get("claims") or not answer.get("dv"):
        return
    document = await database.fetchval(OUTCOME, answer["declaration"], answer["dv"])
    told = verdicts_of(bytes(document)) if document else {}
    for claim in answer["claims"]:
        place = (claim["item"], claim["document"])
        claim["verdicts"] = [one for key, verdicts in told.items() if key[:2] == place for one in verdicts]


def _document(fate: Fate) -> dict[str, Any]:
    return {
        "file": fate.file,
        "ok": fate.ok,
        "inTime": fate.in_time,
        "repeated": fate.repeated,
        "answers": fate.answers,
        "quarantine": fate.quarantine,
    }


def _with_rows(settings: Settings, submissions: Sequence[Submission], options: SubmitOptions) -> list[Fate]:
    """Submit, and show each file's rows as soon as they are known, above a bar on a terminal."""
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn())
    widest = max(len(one.file.name) for one in submissions)
    titles: tuple[str, ...] = ("file", "result", "about", "details")
    with Progress(*columns, console=console(), transient=True, disable=not console().is_terminal) as bar:
        task = bar.add_task("submitting", total=len(submissions))

        def told(fate: Fate) -> None:
            nonlocal titles
            made = table("", *titles)
            made.show_header, made.show_edge = bool(titles[0]), False
            for column, width in zip(made.columns, (min(widest, 40), 16, 26), strict=False):
                column.min_width = width
            for number, row in enumerate(_rows(fate, options.wait_seconds)):
                made.add_row("" if number else escape(Path(fate.file).name), *row)
            bar.console.print(made)
            bar.advance(task)
            titles = ("", "", "", "")

        return asyncio.run(_submit(settings, submissions, options, told))


def _rows(fate: Fate, seconds: float) -> list[tuple[str, str, str]]:
    from rich.markup import escape

    if not fate.in_time:
        return [(colour("no answer"), "", f"nothing after {seconds:g} s: is certex-bridge serve running?")]
    rows = [
        (colour("quarantined"), escape(one["key"] or one["field"]), escape(in_words(one))) for one in fate.quarantine
    ]
    for answer in fate.answers:
        about = str(answer.get("declaration") or answer.get("licence", ""))
        before = "as answered before" if fate.repeated else ""
        rows.append((colour(str(answer["result"])), escape(about), before or escape(_details(answer))))
        rows += [
            (f"  {finding['severity'].lower()}", f"  {finding['code']}", escape(in_words(finding)))
            for finding in answer.get("findings", ())
        ]
        rows += [row for claim in answer.get("claims", ()) for row in _claim(claim)]
    return rows


def _details(answer: dict[str, Any]) -> str:
    if answer.get("code") and answer.get("detail"):
        return f"{answer['code']}: {answer['detail']}"
    if answer.get("version"):
        return f"version {answer['version']}"
    return str(answer.get("detail") or answer.get("state") or "")


def _claim(claim: dict[str, Any]) -> list[tuple[str, str, str]]:
    from rich.markup import escape

    from certex_bridge.ledger.domain.reasons import SENTENCES

    verdicts = claim.get("verdicts", [])
    told = {one["code"] for one in verdicts}
    words = [in_words(one) for one in verdicts]
    words += [
        f"{code}: {SENTENCES[code]}" if code in SENTENCES else code for code in claim["reasons"] if code not in told
    ]
    place = f"  item {claim['item']}, document {claim['document']}"
    first = (f"  {colour(str(claim['outcome']))}", place, escape(words[0]) if words else "")
    return [first, *[("", "", escape(one)) for one in words[1:]]]
