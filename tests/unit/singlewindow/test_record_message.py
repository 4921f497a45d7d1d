"""What the licensing side is told of a record: golden messages that fit their contract."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from certex_bridge.ledger.listing import IndexEntry
from certex_bridge.singlewindow.events import RecordBody
from certex_bridge.singlewindow.records import RecordState, RecordVersion, record_message
from tests.unit.singlewindow.samples import golden

AT = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
LICENCE = IndexEntry(
    "BE/BE-2026-000123", "BE", "BE-2026-000123", 2, "X060", "EXPORT", "Valid", date(2026, 1, 1), date(2026, 12, 31),
    "BE0123456789", AT,
)  # fmt: skip
FIRST = (("END-USER", "Confirmed by letter of 1 March."), ("SITE", "Hall 3"))
STATE = RecordState("NSW.BE", "R-77", 1, LICENCE.licence_id, "BE", "26BE000000000001M6", 2, FIRST, deleted=False)
VERSIONS = {
    "added": RecordVersion(STATE, "ADD", "", (), 2, AT, "call"),
    "amended": RecordVersion(
        STATE._replace(version=2, information=FIRST[:1]), "AMEND", "The hall was wrong.", FIRST, 2, AT, "call"
    ),
    "deleted": RecordVersion(
        STATE._replace(version=3, information=(), deleted=True), "DELETE", "Wrong licence.", FIRST[:1], 2, AT, "call"
    ),
}


@pytest.mark.parametrize("name", VERSIONS)
def test_a_record_is_told_whole(name: str) -> None:
    message = record_message(VERSIONS[name], LICENCE)
    assert message.body == golden("records", f"{name}.json", message.body).read_bytes()
    told = RecordBody.model_validate_json(message.body)
    assert (message.agg_type, message.agg_ver, message.key) == ("record", told.version, "BE/BE-2026-000123")
    assert (told.record, told.member_state) == (message.agg_id, "BE")
