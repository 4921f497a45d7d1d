"""Logs: one JSON object per line; no payload, no secret, no whole person."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
import structlog

from certex_bridge.platform.logs import configure_logging, get_logger, redact
from certex_bridge.platform.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    levels = {name: logging.getLogger(name).level for name in ("aiokafka", "uvicorn", "asyncio")}
    stream = io.StringIO()
    configure_logging(Settings.load(log_level="INFO"), stream)
    yield stream
    root.handlers[:], logging.raiseExceptions = before, raising
    root.setLevel(level)
    for name, value in levels.items():
        logging.getLogger(name).setLevel(value)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_object_with_its_context(output: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(correlation="c-1")
    get_logger("certex_bridge.test").info("batch.applied", events=500, name_of="x\ny")
    (line,) = lines(output)
    assert line["event"] == "batch.applied"
    assert (line["level"], line["logger"], line["events"]) == ("info", "certex_bridge.test", 500)
    assert line["correlation"] == "c-1"
    assert line["timestamp"].endswith("Z")


def test_libraries_speak_the_same_form(output: io.StringIO) -> None:
    logging.getLogger("some.library").warning("lost %s at postgresql://user:hunter2@host/db", "connection")
    (line,) = lines(output)
    assert line["event"] == "lost connection at postgresql://***@host/db"
    assert line["logger"] == "some.library"


def test_a_trace_is_part_of_the_line(output: io.StringIO) -> None:
    try:
        raise ValueError("in connection to kafka://u:hunter2@h")  # noqa: TRY301  # a trace is wanted
    except ValueError:
        get_logger("t").exception("batch.failed")
    (line,) = lines(output)
    assert "Traceback" in line["exception"]
    assert "hunter2" not in output.getvalue()


def test_what_the_database_quotes_of_a_row_stays_out(output: io.StringIO) -> None:
    inner = asyncpg.UniqueViolationError("duplicate key value violates unique constraint")
    inner.detail = "Key (lrn)=(PERSONAL-7) already exists."  # type: ignore[attr-defined]
    inner.sqlstate = "23505"
    for raised in (inner, ExceptionGroup("several", [inner])):
        try:
            try:
                raise raised  # noqa: TRY301  # a trace is wanted
            except Exception as caught:
                raise RuntimeError("batch failed") from caught
        except RuntimeError:
            get_logger("t").exception("batch.failed")
            logging.getLogger("some.library").exception("failed")
    text = output.getvalue()
    assert text.count("duplicate key value") == 4
    assert "PERSONAL-7" not in text


def test_lower_levels_and_chatter_are_left_out(output: io.StringIO) -> None:
    get_logger("t").debug("detail")
    logging.getLogger("aiokafka.consumer").info("joined")
    assert not output.getvalue()


@pytest.mark.parametrize("field", ["password", "kafka_password", "client_secret", "access_token", "Authorization"])
def test_secrets_are_starred(field: str) -> None:
    assert redact(None, "info", {"event": "e", field: "hunter2"})[field] == "***"


def test_payloads_become_fingerprints() -> None:
    line = redact(None, "info", {"event": "e", "payload": b"<xml/>", "value": "secret figures", "blob": b"\x00\x01"})
    assert line["payload"].startswith("6 bytes, sha256 ")
    assert "figures" not in line["value"]
    assert line["blob"].startswith("2 bytes, sha256 ")


def test_persons_are_cut() -> None:
    line = redact(None, "info", {"event": "e", "eori": "BE0123456789", "holder": "A&B", "mrn": "26BE000000000000A1"})
    assert line == {"event": "e", "eori": "BE01…", "holder": "A&B", "mrn": "26BE000000000000A1"}


def test_a_long_text_is_cut() -> None:
    assert len(redact(None, "info", {"event": "e", "text": "x" * 100_000})["text"]) == 8_000


def test_a_full_disk_does_not_raise(output: io.StringIO) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    configure_logging(Settings.load(), Full())
    get_logger("t").error("still.alive")


def test_the_console_form(output: io.StringIO) -> None:
    stream = io.StringIO()
    configure_logging(Settings.load(log_format="console"), stream)
    get_logger("t").info("batch.applied", events=3)
    assert "batch.applied" in stream.getvalue()
    assert "events=3" in stream.getvalue()
