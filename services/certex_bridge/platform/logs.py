"""Logs: one JSON object per line on standard error, without payloads, secrets or more of a person than needed.

An event has a dotted name (`batch.applied`) and fields; the texts of libraries arrive in the same form. What is bound
with `structlog.contextvars` appears on every line of the task.
"""

from __future__ import annotations

import hashlib
import logging
import re
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

import structlog

from certex_bridge.platform.tracing import current_trace, ids_of, recorded

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from structlog.typing import FilteringBoundLogger, Processor

    from certex_bridge.platform.settings import Settings

SECRET_FIELDS = re.compile(r"passw|secret|token|authorization|credential|private_key|cookie", re.IGNORECASE)
PAYLOAD_FIELDS = frozenset({"payload", "body", "data", "raw", "value", "document", "xml", "record"})
"""Replaced by length and the beginning of the hash: enough to find the bytes in quarantine."""
PERSON_FIELDS = frozenset({"eori", "holder", "exporter", "declarant", "representative", "consignee", "name", "address"})
"""Cut after four characters: the country and the kind of number stay."""

TEXT_MAX = 8_000
"""Characters of one field: a stack fits, a document does not."""

_CREDENTIALS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^\s/@]+@", re.IGNORECASE)
_NOISY = ("aiokafka", "faststream", "certex_bridge.faststream", "uvicorn", "asyncio")


def without_detail(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take the DETAIL out of the database's errors before they are written: it quotes the row."""
    told = event.get("exc_info")
    error = told if isinstance(told, BaseException) else (told[1] if isinstance(told, tuple) else sys.exc_info()[1])
    seen: set[int] = set()
    waiting = [error] if told else []
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        if getattr(one, "sqlstate", None) and getattr(one, "detail", None):
            setattr(one, "detail", None)  # noqa: B010  # asyncpg's, which this module does not import
        waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
    return event


def with_trace(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Name the trace and the span of what is worked on, where one is recorded."""
    trace = current_trace()
    if recorded(trace):
        event["trace_id"], event["span_id"] = ids_of(trace)
    return event


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last processor before the line is written: nothing above leaves with it."""
    for field, value in event.items():
        if field in {"event", "timestamp", "level", "logger"}:
            event[field] = _text(value)
        elif SECRET_FIELDS.search(field):
            event[field] = "***"
        elif field in PAYLOAD_FIELDS:
            event[field] = _fingerprint(value)
        elif field in PERSON_FIELDS and isinstance(value, str):
            event[field] = value[:4] + "…" if len(value) > 4 else value
        else:
            event[field] = _text(value)
    return event


def _text(value: object) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        return _fingerprint(value)
    if not isinstance(value, str):
        return value
    return _CREDENTIALS.sub(r"\g<scheme>***@", value[:TEXT_MAX])


def _fingerprint(value: object) -> str:
    raw = bytes(value) if isinstance(value, bytes | bytearray | memoryview) else str(value).encode("utf-8", "replace")
    return f"{len(raw)} bytes, sha256 {hashlib.sha256(raw).hexdigest()[:16]}"


def configure_logging(settings: Settings, stream: TextIO | None = None) -> None:
    """Set up structlog and the standard library's logging; call once at the start of a process."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        with_trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        without_detail,
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    out = stream or sys.stderr
    last: Processor = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    if settings.log_format == "console":
        last = structlog.dev.ConsoleRenderer(colors=out.isatty())
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    # A full disk must not become an exception in the middle of a transaction.
    logging.raiseExceptions = False
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.DEBUG if settings.log_level == "DEBUG" else logging.WARNING)


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger: `log.info("batch.applied", events=500)`."""
    return cast("FilteringBoundLogger", structlog.stdlib.get_logger(name))
