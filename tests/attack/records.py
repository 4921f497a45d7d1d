"""Hostile Kafka records: canonical events, licences, WCO messages. Right is a code, or taken with findings."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from certex_bridge.platform.resources import contract_path
from tests.attack import json_texts, xml_texts
from tests.attack.attacks import Attack, RecordIn

DECLARATIONS, LICENCES, MESSAGES = "customs.declarations.v1", "licensing.licences.v1", "customs.messages.v1"
STRUCTURED = (("content-type", b"application/cloudevents+json"),)
CE = {"specversion": "1.0", "id": "a-1", "source": "/x", "time": "2026-03-03T07:41:12+01:00"}
KINDS = {DECLARATIONS: "customs.declaration.accepted.v1", LICENCES: "licensing.licence.issued.v1"}
GOLDEN = {DECLARATIONS: ("declarations", "accepted.json"), LICENCES: ("licences", "individual.json")}
ODD: dict[str, Any] = {
    "null": None, "true": True, "number": 7, "fraction": 1.5, "empty text": "", "empty list": [], "empty object": {},
    "long text": "x" * 100_000, "NUL": "a\x00b", "lone surrogate": "a\ud800", "lists in lists": [[[[1]]]],
    "100 objects": [{}] * 100, "path": "../../etc/passwd", "SQL": "' OR 1=1 --", "script": "<script>alert(1)</script>",
    "huge figure": "9" * 400, "exponent": "1e9", "not a number": "NaN", "minus": "-1", "comma": "1,5",
}  # fmt: skip


def binary(kind: str, **changes: str | bytes | None) -> tuple[tuple[str, bytes | None], ...]:
    """Headers of an event in binary mode."""
    told: dict[str, str | bytes | None] = {**CE, "type": kind, **changes}
    pairs = [(f"ce_{name}", value.encode() if isinstance(value, str) else value) for name, value in told.items()]
    return (("content-type", b"application/json"), *pairs)


def golden(topic: str) -> dict[str, Any]:
    """A sound event."""
    document: dict[str, Any] = json.loads(contract_path("examples", *GOLDEN[topic]).read_bytes())
    return document


def attacks() -> Iterator[Attack]:
    """All of them."""
    yield from _texts()
    yield from _envelopes()
    yield from _fields()
    yield from _wco()


def _texts() -> Iterator[Attack]:
    for topic, kind in KINDS.items():
        for code, texts in json_texts.BY_CODE.items():
            for name, body in texts.items():
                # Records may have more values than a call: some of the large ones are no more than of the wrong shape.
                right = "NULL_VALUE" if not body else code if code != "JSON_LIMIT" else "JSON_LIMIT|JSON_SCHEMA"
                yield Attack("Kafka JSON", f"{topic}: {name}", right, RecordIn(topic, body, binary(kind)))
        for name, body in json_texts.SHAPE.items():
            right = "NO_IDENTITY" if topic == LICENCES else "JSON_SCHEMA"  # whose licence it is comes first
            yield Attack("Kafka JSON", f"{topic}: {name}", right, RecordIn(topic, body, binary(kind)))


def _envelopes() -> Iterator[Attack]:
    kind = KINDS[DECLARATIONS]
    body = json.dumps(golden(DECLARATIONS)["data"]).encode()
    cases: dict[str, tuple[str, bytes | None, tuple[tuple[str, bytes | None], ...]]] = {
        "tombstone": ("NULL_VALUE", None, binary(kind)),
        "no headers": ("NO_EVENT_ID", body, ()),
        "no id": ("NO_EVENT_ID", body, binary(kind, id="")),
        "blank id": ("NO_EVENT_ID", body, binary(kind, id=" ")),
        "id of 129": ("LIMIT", body, binary(kind, id="x" * 129)),
        "id with a line": ("ENVELOPE", body, binary(kind, id="a\nb")),
        "id in bytes": ("HEADER_ENCODING", body, binary(kind, id=b"\xff")),
        "id without value": ("HEADER_ENCODING", body, binary(kind, id=None)),
        "id twice": ("HEADER_DUPLICATE", body, (*binary(kind), ("CE_ID", b"other"))),
        "version 2": ("ENVELOPE", body, binary(kind, specversion="2.0")),
        "no type": ("ENVELOPE", body, binary("")),
        "unknown type": ("TYPE_UNKNOWN", body, binary("customs.declaration.exploded.v1")),
        "type of a licence": ("TYPE_UNKNOWN", body, binary(KINDS[LICENCES])),
        "long type": ("LIMIT", body, binary("x" * 513)),
        "no source": ("ENVELOPE", body, binary(kind, source="")),
        "time without zone": ("ENVELOPE", body, binary(kind, time="2026-03-03T07:41:12")),
        "time of year 0": ("ENVELOPE", body, binary(kind, time="0000-01-01T00:00:00Z")),
        "time of year 99999": ("ENVELOPE", body, binary(kind, time="99999-01-01T00:00:00Z")),
        "end of all time": ("ENVELOPE", body, binary(kind, time="9999-12-31T23:59:59-14:00")),
        "time in words": ("ENVELOPE", body, binary(kind, time="now")),
        "time in other digits": ("ENVELOPE", body, binary(kind, time="٢٠٢٦-03-03T07:41:12Z")),
        "101 headers": ("LIMIT", body, (*binary(kind), *((f"h{one}", b"") for one in range(100)))),
        "header of 20 kB": ("LIMIT", body, (*binary(kind), ("h", b"x" * 20_000))),
        "value of 2 MiB": ("LIMIT", b"{" + b" " * (2 << 20) + b"}", binary(kind)),
        "structured, no object": ("ENVELOPE", b"[]", STRUCTURED),
        "structured, without data": ("ENVELOPE", json.dumps({**CE, "type": kind}).encode(), STRUCTURED),
        "structured, batch": ("ENVELOPE", b"[]", (("content-type", b"application/cloudevents-batch+json"),)),
        "structured, in Avro": ("ENVELOPE", b"x", (("content-type", b"application/cloudevents+avro"),)),
        "structured, both data": ("ENVELOPE", json.dumps({**CE, "type": kind, "data": {}, "data_base64": ""}).encode(), STRUCTURED),
        "structured, wrong base 64": ("ENVELOPE", json.dumps({**CE, "type": kind, "data_base64": "*"}).encode(), STRUCTURED),
        "structured, XML inside": (
            "JSON_.*|ENVELOPE", json.dumps({**CE, "type": kind, "data_base64": base64.b64encode(b"<a/>").decode()}).encode(), STRUCTURED,
        ),
        "structured, id as number": ("ENVELOPE", json.dumps({**CE, "type": kind, "id": 1, "data": {}}).encode(), STRUCTURED),
        "structured, id in capitals too": ("ENVELOPE", json.dumps({**CE, "type": kind, "ID": "b", "data": {}}).encode(), STRUCTURED),
        "structured, 200 attributes": (
            "LIMIT", json.dumps({**CE, "type": kind, "data": {}, **{f"x{one}": "y" for one in range(200)}}).encode(), STRUCTURED,
        ),
    }  # fmt: skip
    for name, (right, value, headers) in cases.items():
        yield Attack("Kafka envelopes", name, right, RecordIn(DECLARATIONS, value, headers))


def _fields() -> Iterator[Attack]:
    """Each field at the top of the data, and of its parts, with each odd value: a code or findings, never more."""
    right = "TAKEN|[A-Z][A-Z0-9_]*"
    for topic, kind in KINDS.items():
        data = golden(topic)["data"]
        inner = "declaration" if topic == DECLARATIONS else "holder"
        for name, value in ODD.items():
            for place in ("number" if topic == LICENCES else "mrn", "version", inner):
                yield _changed(topic, kind, place, name, right, {**data, place: value})
            places = ("items", "exporter") if topic == DECLARATIONS else ("name", "eori")
            for place in places:
                changed = {**data, inner: {**data[inner], place: value}}
                yield _changed(topic, kind, f"{inner}.{place}", name, right, changed)
    items = golden(DECLARATIONS)["data"]
    for name, listed in {
        "10,000 items": [items["declaration"]["items"][0]] * 10_000,
        "9,999 empty items": [{}] * 9_999,
        "100 documents": [{**items["declaration"]["items"][0], "documents": [{}] * 100}],
        "item numbers alike": [items["declaration"]["items"][0]] * 99,
    }.items():
        changed = {**items, "declaration": {**items["declaration"], "items": listed}}
        yield _changed(DECLARATIONS, KINDS[DECLARATIONS], "items", name, right, changed)
    licence = golden(LICENCES)["data"]
    for name, changed in {
        "50,000 consignees": {**licence, "consignees": [{}] * 50_000},
        "9,999 lines": {**licence, "lines": licence["lines"] * 9_999},
        "20,000 destinations": {**licence, "destinations": ["KR"] * 20_000},
        "lines alike": {**licence, "lines": licence["lines"] * 50},
    }.items():
        yield _changed(LICENCES, KINDS[LICENCES], "content", name, right, changed)


def _changed(topic: str, kind: str, place: str, name: str, right: str, data: dict[str, Any]) -> Attack:
    value = json.dumps(data).encode("utf-8", "surrogatepass")
    return Attack("Kafka fields", f"{topic} {place}: {name}", right, RecordIn(topic, value, binary(kind)))


def _wco() -> Iterator[Attack]:
    told = (("content-type", b"application/xml"), ("ce_id", b"a-1"), ("profile", b"wco"))
    for code, texts in xml_texts.BY_CODE.items():
        for name, text in texts.items():
            right = "NULL_VALUE" if not text else code
            yield Attack("Kafka XML", name, right, RecordIn(MESSAGES, text.encode(), told))
    for name, raw in xml_texts.ENCODING.items():
        yield Attack("Kafka XML", name, "XML_ENCODING", RecordIn(MESSAGES, raw, told))
    for name, text in xml_texts.ROOT.items():
        yield Attack("Kafka XML", name, "WCO_MESSAGE|XML_LIMIT", RecordIn(MESSAGES, text.encode(), told))
    for name, raw in _wco_documents().items():
        yield Attack(
            "Kafka XML",
            name,
            "TAKEN|WCO_[A-Z_]+|ITEM_DUPLICATE|XML_LIMIT|LIMIT|DECODE_TIME",
            RecordIn(MESSAGES, raw, told),
        )


def _wco_documents() -> dict[str, bytes]:
    """Messages of customs, each sound but for one thing."""
    sound = contract_path("examples", "wco", "declaration-bare.xml").read_bytes()
    start = sound.index(b"<GovernmentAgencyGoodsItem>")
    end = sound.index(b"</GovernmentAgencyGoodsItem>") + len(b"</GovernmentAgencyGoodsItem>")
    item = sound[start:end]
    document = item[
        item.index(b"<AdditionalDocument>") : item.index(b"</AdditionalDocument>") + len(b"</AdditionalDocument>")
    ]
    unknown = b"<Unknown>" + b"<x/>" * 60_000 + b"</Unknown>"
    return {
        "10,000 documents on an item": sound.replace(document, document * 10_000, 1),
        "3,000 items alike": sound.replace(item, item * 3_000, 1),
        "101 messages": b"<Messages>" + sound[sound.index(b"<Declaration") :] * 101 + b"</Messages>",
        "60,000 unknown elements": sound.replace(item, item + unknown, 1),
        "190,000 remarks": sound.replace(item, item + b"<!---->" * 190_000, 1),
        "unknown elements in a namespace of 200 characters": sound.replace(
            item, item + b'<u:a xmlns:u="' + b"n" * 200 + b'">' + b"<u:b/>" * 60_000 + b"</u:a>", 1
        ),
        "figures of 400 digits": sound.replace(b">4<", b">" + b"9" * 400 + b"<"),
        "figures in words": sound.replace(b">4<", b">four<"),
        "minus": sound.replace(b">4<", b">-4<"),
        "numbers of items alike": sound.replace(b"<SequenceNumeric>2<", b"<SequenceNumeric>1<"),
        "item number beyond": sound.replace(b"<SequenceNumeric>1<", b"<SequenceNumeric>99999999999999999999<", 1),
        "reference of 100 kB": sound.replace(b"GBSIEL2026", b"G" * 100_000),
        "script in a reference": sound.replace(b"GBSIEL2026", b"&lt;script&gt;"),
        "unknown function": sound.replace(b"<FunctionCode>9<", b"<FunctionCode>99<"),
        "another model": sound.replace(b"urn:wco:datamodel:WCO:DEC-DMS:2", b"urn:wco:datamodel:WCO:CARGO:1"),
    }
