"""`declaration identify`: an officer says which lodging a declaration was."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from certex_bridge.customs.events import event_type
from certex_bridge.kernel.canonical import content_id
from certex_bridge.ledger.domain.facts import EventKind
from certex_bridge.operations.submit import Fate, SubmitOptions, run_submit, submit_file
from certex_bridge.platform.settings import Settings

WAIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Identification:
    """Which declaration was which lodging, and who says so."""

    mrn: str
    lrn: str
    exporter: str
    """Of the lodging."""
    officer: str
    reason: str
    lodged_event: str = ""
    """Needed where that exporter has several open lodgings under the LRN."""


def run_identify(told: Identification, *, as_json: bool) -> int:
    """Publish the event and show what came of it; 0 when it was taken in.

    Raises:
        BridgeError: the settings name no servers.
    """
    with _as_file(told) as file:
        return run_submit([file], SubmitOptions("", "", WAIT_SECONDS, as_json))


async def identify(settings: Settings, told: Identification) -> Fate:
    """Publish the event; what came of it."""
    with _as_file(told) as file:
        return await submit_file(settings, file, SubmitOptions("", "", WAIT_SECONDS, as_json=False))


@contextmanager
def _as_file(told: Identification) -> Iterator[Path]:
    """The event as `submit` reads events."""
    data = {"mrn": told.mrn, "lrn": told.lrn, "exporter": told.exporter, "officer": told.officer, "reason": told.reason}
    if told.lodged_event:
        data["lodgedEvent"] = told.lodged_event
    event = {
        "specversion": "1.0",
        "id": content_id("identified", *data.values()),
        "type": event_type(EventKind.IDENTIFIED),
        "source": "urn:certex-bridge:operator",
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "datacontenttype": "application/json",
        "data": data,
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "identified.json"
        file.write_text(json.dumps(event), encoding="utf-8")
        yield file
