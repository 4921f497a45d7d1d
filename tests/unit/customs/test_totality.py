"""Whatever the bytes are, decoding ends in commands or poison, soon."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certex_bridge.customs.decode import decode_declaration_event
from certex_bridge.customs.events import KINDS
from certex_bridge.customs.wco.profile import decode_wco
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.poison import Poison
from tests.support.effort import effort
from tests.unit.customs.samples import DECLARATIONS, STRUCTURED, WCO, envelope, event, wco_envelope

GOLDEN_JSON = [path.read_bytes() for path in sorted(DECLARATIONS.glob("*.json"))]
GOLDEN_XML = [path.read_bytes() for path in sorted(WCO.glob("*.xml"))]
CE = {"specversion": "1.0", "source": "/x", "time": "2026-01-01T00:00:00Z"}


def canonical(record: Envelope) -> str:
    """OK or the code; anything but poison fails the test."""
    try:
        decode_declaration_event(record)
    except Poison as poison:
        return poison.code
    return "OK"


def wco_verdict(record: Envelope) -> str:
    try:
        commands = decode_wco(record)
    except Poison as poison:
        return poison.code
    refused = [one.code for one in commands if isinstance(one, Poison)]
    return refused[0] if refused else "OK" if commands else "EMPTY"


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=6) | st.just("X060"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
NAMES = ["mrn", "lrn", "exporter", "declaration", "items", "item", "documents", "seq", "type", "reference", "version"]
NAMES += ["quantity", "amount", "unit", "value", "currency", "acceptedAt", "simplifiedMrn", "netMass", "line", "issuer"]
shaped = st.recursive(
    values | st.sampled_from(["26BEE0000B7Q2K5XA9", "BE0123456789", "EX", "40", "NAR", 1, 2]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=20,
)


@given(raw=st.binary(max_size=80), kind=st.sampled_from(sorted(KINDS)))
def test_random_bytes(raw: bytes, kind: str) -> None:
    headers = {f"ce_{name}": text for name, text in {**CE, "id": "1", "type": kind}.items()}
    pairs = tuple((name, text.encode()) for name, text in headers.items())
    assert canonical(Envelope("t", 0, 0, None, raw, pairs)) != "UNDECODABLE"
    assert canonical(Envelope("t", 0, 0, None, raw, STRUCTURED)) != "UNDECODABLE"
    assert wco_verdict(Envelope("t", 0, 0, None, raw, pairs)) not in ("UNDECODABLE", "OK")


@given(data=shaped, kind=st.sampled_from(sorted(KINDS)))
def test_random_documents(data: object, kind: str) -> None:
    assert canonical(envelope({**CE, "id": "1", "type": kind, "data": data})) != "UNDECODABLE"


@given(st.data())
@settings(max_examples=300)
def test_golden_events_with_one_value_replaced(draw: st.DataObject) -> None:
    document = json.loads(draw.draw(st.sampled_from(GOLDEN_JSON)))
    holder: object = document
    key: str | int | None = None
    while isinstance(holder, dict | list) and holder:
        key = draw.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        inner = holder[key]  # type: ignore[index]
        if not isinstance(inner, dict | list) or not inner or draw.draw(st.booleans()):
            holder[key] = draw.draw(values)  # type: ignore[index]
            break
        holder = inner
    assert canonical(envelope(document)) != "UNDECODABLE"


def mutated(draw: st.DataObject, golden: list[bytes]) -> bytes:
    """A golden message with some bytes cut out, doubled, overwritten or taken from another."""
    raw = draw.draw(st.sampled_from(golden))
    for _ in range(draw.draw(st.integers(1, 3))):
        begin = draw.draw(st.integers(0, len(raw)))
        end = draw.draw(st.integers(begin, min(len(raw), begin + 200)))
        other = draw.draw(st.sampled_from(golden))
        start = draw.draw(st.integers(0, len(other)))
        patch = draw.draw(
            st.just(b"") | st.binary(max_size=6) | st.just(raw[begin:end] * 2) | st.just(other[start:][:120])
        )
        raw = raw[:begin] + patch + raw[end:]
    return raw


@given(st.data())
@settings(max_examples=300)
def test_mutated_events(draw: st.DataObject) -> None:
    record = Envelope("t", 0, 0, None, mutated(draw, GOLDEN_JSON), STRUCTURED, 1)
    assert canonical(record) != "UNDECODABLE"


@given(st.data())
@settings(max_examples=300)
def test_mutated_messages(draw: st.DataObject) -> None:
    assert wco_verdict(wco_envelope(mutated(draw, GOLDEN_XML))) != "UNDECODABLE"


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12).map(
    lambda text: text.replace("&", "").replace("<", "").replace("]]>", "")
)


@given(st.data())
@settings(max_examples=300)
def test_messages_with_one_text_replaced(draw: st.DataObject) -> None:
    raw = draw.draw(st.sampled_from(GOLDEN_XML)).decode()
    pieces = raw.split(">")
    where = draw.draw(st.integers(1, len(pieces) - 1))
    text = draw.draw(
        TEXTS | st.sampled_from(["0", "-1", "9" * 20, "1e9", "99991231235959-12", "00010101000000Z", "20260229"])
    )
    pieces[where] = text + "<" + pieces[where].partition("<")[2] if "<" in pieces[where] else pieces[where]
    assert wco_verdict(wco_envelope(">".join(pieces).encode())) != "UNDECODABLE"


@pytest.mark.parametrize("timestamp", [-1, 0, 2**62, -(2**63)])
@pytest.mark.row("E194")
def test_any_record_timestamp(timestamp: int) -> None:
    assert canonical(envelope(event("accepted"), timestamp)) == "OK"
    assert wco_verdict(wco_envelope(GOLDEN_XML[0], None, timestamp)) in ("OK", "ENVELOPE")


@pytest.mark.row("E192")
@pytest.mark.parametrize("raw", [b"\x00\x00\x00\x00\x05payload", b"\x01", b'{"mrn":"26B', b"\x1f\x8b\x08\x00"])
def test_frames_of_other_serialisers_and_truncated_bodies(raw: bytes) -> None:
    assert canonical(Envelope("t", 0, 0, None, raw, STRUCTURED)).startswith("JSON_")
    assert wco_verdict(wco_envelope(raw)).startswith("XML_")


@pytest.mark.row("E193", "E198", "E206")
def test_large_messages_take_bounded_work() -> None:
    item = {"item": 1, "netMass": "x", "documents": [{"seq": 1, "type": "X060", "reference": "R"}]}
    items = [item | {"item": number} for number in range(1, 9_000)]
    large = envelope(event("accepted"))
    document = event("accepted")
    document["data"]["declaration"]["items"] = items
    large = envelope(document)
    goods = b"<GovernmentAgencyGoodsItem><SequenceNumeric>%d</SequenceNumeric></GovernmentAgencyGoodsItem>"
    head = b"<Declaration><FunctionCode>9</FunctionCode><FunctionalReferenceID>L</FunctionalReferenceID>"
    head += b"<Exporter><ID>GB1</ID></Exporter><GoodsShipment>"
    message = head + b"".join(goods % number for number in range(1, 9_999)) + b"</GoodsShipment></Declaration>"
    siblings = b"<r>" + b"<a/>" * 199_000 + b"</r>"
    repeats = head + b"<PreviousDocument/>" * 40_000 + b"</GoodsShipment></Declaration>"

    def read() -> None:
        assert canonical(large) == "OK"
        assert wco_verdict(wco_envelope(message)) == "OK"
        assert wco_verdict(wco_envelope(siblings)) == "WCO_MESSAGE"
        assert wco_verdict(wco_envelope(repeats)) == "WCO_STRUCTURE"

    assert effort(read, 5) < 5
