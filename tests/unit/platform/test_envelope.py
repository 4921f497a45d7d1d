"""A record becomes a CloudEvent or is refused with a code; headers have one reading."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certex_bridge.platform.envelope import CloudEvent, Envelope, read_cloudevent, read_headers
from certex_bridge.platform.poison import Poison

BINARY = {
    "content-type": "application/json",
    "ce_specversion": "1.0",
    "ce_id": "be-1",
    "ce_type": "customs.declaration.released.v1",
    "ce_source": "/be/customs",
    "ce_time": "2026-03-01T10:00:00+01:00",
}
STRUCTURED = {
    "specversion": "1.0",
    "id": "be-1",
    "type": "customs.declaration.released.v1",
    "source": "/be/customs",
    "time": "2026-03-01T09:00:00Z",
    "data": {"mrn": "x"},
}


def record(value: bytes | None = b"{}", changes: dict[str, str | None] | None = None, **rest: object) -> Envelope:
    headers = {**BINARY, **(changes or {})}
    pairs = tuple((name, text.encode()) for name, text in headers.items() if text is not None)
    return Envelope("customs.declarations.v1", 0, 7, b"k", value, rest.get("headers", pairs))  # type: ignore[arg-type]


def structured(document: object, content_type: str = "application/cloudevents+json") -> Envelope:
    value = document if isinstance(document, bytes) else json.dumps(document).encode()
    return record(value, headers=(("content-type", content_type.encode()),))


def refusal(envelope: Envelope) -> tuple[str, str]:
    with pytest.raises(Poison) as caught:
        read_cloudevent(envelope)
    return caught.value.code, caught.value.field


def test_binary_mode_takes_attributes_from_headers_and_data_from_the_value() -> None:
    event = read_cloudevent(record(b'{"a":1}', {"ce_traceparent": "00-1", "ce_subject": "s", "other": "x"}))
    assert event == CloudEvent(
        id="be-1",
        type="customs.declaration.released.v1",
        source="/be/customs",
        time=datetime(2026, 3, 1, 9, tzinfo=UTC),
        data=b'{"a":1}',
        extensions={"traceparent": "00-1", "subject": "s"},
    )


def test_structured_mode_keeps_the_bytes_of_the_data() -> None:
    raw = json.dumps(STRUCTURED).encode().replace(b'{"mrn": "x"}', b'{"mrn" :  "x"}')
    event = read_cloudevent(structured(raw, "application/cloudevents+json; charset=UTF-8"))
    assert (event.id, event.data, event.time) == ("be-1", b'{"mrn" :  "x"}', datetime(2026, 3, 1, 9, tzinfo=UTC))
    assert event.extensions == {}


def test_structured_mode_reads_base64_data() -> None:
    document = {key: value for key, value in STRUCTURED.items() if key != "data"}
    document |= {"data_base64": base64.b64encode(b"<a/>").decode(), "datacontenttype": "application/xml"}
    event = read_cloudevent(structured(document))
    assert (event.data, event.content_type) == (b"<a/>", "application/xml")


@pytest.mark.parametrize(
    "change",
    [
        {"data": None, "data_base64": "AA=="},
        {"data_base64": "AA=="},
        {"id": 5},
        {"time": "2026-03-01"},
        {"specversion": "0.3"},
        {"type": ""},
    ],
)
def test_a_structured_document_that_is_no_event_is_refused(change: dict[str, object]) -> None:
    assert refusal(structured({**STRUCTURED, **change}))[0] == "ENVELOPE"


def test_a_structured_event_without_data_or_with_broken_base64_is_refused() -> None:
    bare = {key: value for key, value in STRUCTURED.items() if key != "data"}
    assert refusal(structured(bare))[0] == "ENVELOPE"
    assert refusal(structured({**bare, "data_base64": "*"}))[0] == "ENVELOPE"
    assert refusal(structured({**bare, "data_base64": 5}))[0] == "ENVELOPE"
    assert refusal(structured([STRUCTURED]))[0] == "ENVELOPE"
    assert refusal(structured(STRUCTURED, "application/cloudevents-batch+json"))[0] == "ENVELOPE"
    assert refusal(structured(b'{"id":"a","id":"b"}'))[0] == "JSON_DUPLICATE_KEY"
    many = {f"x{number}": "y" for number in range(101)}
    assert refusal(structured({**STRUCTURED, **many}))[0] == "LIMIT"


@pytest.mark.row("E191")
@pytest.mark.parametrize("value", [None, b""])
def test_a_record_without_value_is_refused(value: bytes | None) -> None:
    assert refusal(record(value)) == ("NULL_VALUE", "value")


@pytest.mark.row("E191")
def test_a_record_without_key_is_read() -> None:
    envelope = record()
    assert read_cloudevent(Envelope("t", 0, 0, None, b"{}", envelope.headers)).id == "be-1"


@pytest.mark.row("E056")
@pytest.mark.parametrize("event_id", [None, "", "  "])
def test_without_event_id_nothing_stands_in(event_id: str | None) -> None:
    assert refusal(record(changes={"ce_id": event_id})) == ("NO_EVENT_ID", "ce_id")


@pytest.mark.row("E057")
def test_an_event_id_has_128_characters_at_most() -> None:
    assert read_cloudevent(record(changes={"ce_id": "i" * 128})).id == "i" * 128
    assert refusal(record(changes={"ce_id": "i" * 129})) == ("LIMIT", "ce_id")
    assert refusal(record(changes={"ce_id": "i" * 10_000})) == ("LIMIT", "ce_id")
    assert refusal(record(changes={"ce_id": "a\x07b"})) == ("ENVELOPE", "ce_id")


@pytest.mark.row("E193")
@pytest.mark.parametrize(
    ("envelope", "code"),
    [
        (record(b"x" * (50 << 20)), "LIMIT"),
        (record(b"x" * ((1 << 20) + 1)), "LIMIT"),
        (record(headers=(("big", b"x" * (1 << 20)),)), "LIMIT"),
        (record(headers=tuple((f"h{number}", b"") for number in range(10_000))), "LIMIT"),
        (record(headers=(("ce_id", b"a"), ("ce_id", b"b"))), "HEADER_DUPLICATE"),
        (record(headers=(("ce_id", b"a"), ("CE_ID", b"b"))), "HEADER_DUPLICATE"),
        (record(headers=(("trace", b"1"), ("trace", b"1"))), "HEADER_DUPLICATE"),
        (record(headers=(("ce_id", "a".encode("utf-16")),)), "HEADER_ENCODING"),
        (record(headers=(("other", b"\xff"),)), "HEADER_ENCODING"),
        (record(headers=(("other", None),)), "HEADER_ENCODING"),
    ],
)
def test_sizes_and_headers_are_bounded_and_unique(envelope: Envelope, code: str) -> None:
    assert refusal(envelope)[0] == code


def test_what_is_exactly_as_large_as_allowed_is_read() -> None:
    assert len(read_cloudevent(record(b"x" * (1 << 20))).data) == 1 << 20
    assert len(read_headers(record(headers=tuple((f"h{number:02}", b"") for number in range(100))))) == 100
    assert read_headers(record(headers=(("big", b"x" * ((16 << 10) - 3)),))).keys() == {"big"}
    with pytest.raises(Poison, match="headers exceed"):
        read_headers(record(headers=(("big", b"x" * ((16 << 10) - 2)),)))


@pytest.mark.row("E194")
def test_key_and_record_timestamp_are_no_identity() -> None:
    envelope = record()
    for timestamp in (-1, 0, 2**62):
        other = Envelope("t", 3, 9, b"\xff\x00", b"{}", envelope.headers, timestamp)
        assert read_cloudevent(other) == read_cloudevent(envelope)
    assert Envelope("t", 0, 0, None, b"", (), -1).received_at is None
    assert Envelope("t", 0, 0, None, b"", (), 2**62).received_at is None
    assert Envelope("t", 0, 0, None, b"", (), 1_000).received_at == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "changes",
    [
        {"ce_specversion": None},
        {"ce_specversion": "2.0"},
        {"ce_type": None},
        {"ce_source": ""},
        {"ce_time": None},
        {"ce_time": "2026-03-01T10:00:00"},
        {"ce_time": "2026-13-01T10:00:00Z"},
        {"ce_time": "0001-01-01T00:00:00Z"},
        {"ce_time": "9999-12-31T23:59:59-12:00"},
        {"ce_source": "a\nb"},
    ],
)
def test_required_attributes_are_there_and_possible(changes: dict[str, str | None]) -> None:
    assert refusal(record(changes=changes))[0] == "ENVELOPE"


def test_long_attributes_are_refused() -> None:
    assert refusal(record(changes={"ce_source": "s" * 513})) == ("LIMIT", "ce_source")


@pytest.mark.row("E142")
def test_a_leap_second_is_read() -> None:
    event = read_cloudevent(record(changes={"ce_time": "2016-12-31T23:59:60Z"}))
    assert event.time == datetime(2016, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


def test_headers_are_read_by_lower_case_name() -> None:
    assert read_headers(record(headers=(("Profile", b"wco"),))) == {"profile": "wco"}


names = st.sampled_from([*BINARY, "ce_x", "x"]) | st.text(max_size=8)


@given(
    value=st.none() | st.binary(max_size=64) | st.just(json.dumps(STRUCTURED).encode()),
    headers=st.lists(st.tuples(names, st.binary(max_size=20) | st.sampled_from([t.encode() for t in BINARY.values()]))),
    timestamp=st.integers(-(2**63), 2**63 - 1),
)
def test_any_record_is_an_event_or_poison(
    value: bytes | None, headers: list[tuple[str, bytes]], timestamp: int
) -> None:
    code = ""
    try:
        read_cloudevent(Envelope("t", 0, 0, None, value, tuple(headers), timestamp))
    except Poison as poison:
        code = poison.code
    assert code not in ("POISON", "UNDECODABLE")
