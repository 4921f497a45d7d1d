"""Batches that anybody may have written: read alike, whatever the codec, and never a reason to stop."""

from __future__ import annotations

import struct
from random import Random
from typing import Any

import aiokafka.consumer.fetcher
import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder, _DefaultRecordBatchBuilderPy
from aiokafka.record.memory_records import MemoryRecords

from certex_bridge.platform import kafka_clients  # noqa: F401  # installs
from certex_bridge.platform.kafka_records import REFUSED_HEADER, TolerantRecords, TooLarge, unpack

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


class BadName(str):
    """A header name whose bytes are no UTF-8."""

    __slots__ = ()

    def encode(self, *_: Any, **__: Any) -> bytes:
        return b"\xff\xfename"


def batch(
    *records: tuple[bytes | None, bytes | None, list[tuple[str, bytes]]],
    codec: int = 0,
    builder: Any = DefaultRecordBatchBuilder,
) -> bytes:
    made = builder(2, codec, 0, -1, -1, 0, 100_000_000)
    for offset, (key, value, headers) in enumerate(records):
        made.append(offset, 1_700_000_000_000 + offset, key, value, headers)
    return bytes(made.build())


def read(data: bytes, reader: Any = TolerantRecords) -> list[tuple[Any, ...]]:
    records, seen = reader(data), []
    while records.has_next():
        one = records.next_batch()
        assert one.validate_crc()
        seen += [(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in one]
    return seen


ORDINARY: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]] = [
    (b"BE/1", b'{"a": 1}' * 40, [("ce_id", b"1"), ("ce_type", b"\xff\xfe")]),
    (None, b"v", []),
    (b"k", None, [("é", b"")]),
]


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_ordinary_batches_are_read_as_aiokafka_reads_them(codec: int) -> None:
    data = batch(*ORDINARY, codec=codec) + batch(*ORDINARY[:1], codec=0) + batch(*ORDINARY, codec=codec)[:-5]
    assert read(data) == read(data, MemoryRecords)
    assert len(read(data)) == 4
    assert TolerantRecords(data).size_in_bytes() == len(data)
    assert TolerantRecords(b"").next_batch() is None


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@pytest.mark.parametrize("size", [1_000, 100_000, 3_000_000])
def test_large_batches_are_read_whole(codec: int, size: int) -> None:
    random = Random(size)
    dense: list[Any] = [(b"k", random.randbytes(size // 10), []) for _ in range(10)]
    thin: list[Any] = [(b"k", b"<line>40 NAR</line>" * (size // 190), []) for _ in range(10)]
    for records in (dense, thin):
        data = batch(*records, codec=codec)
        assert read(data) == read(data, MemoryRecords)


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_a_header_name_that_is_no_text_is_escaped(codec: int) -> None:
    poison = (b"k", b"poison", [(BadName("x"), b"v"), ("ce_id", b"7")])
    data = batch(ORDINARY[0], poison, ORDINARY[1], codec=codec, builder=_DefaultRecordBatchBuilderPy)
    with pytest.raises(UnicodeDecodeError):
        read(data, MemoryRecords)
    seen = read(data)
    assert [one[0] for one in seen] == [0, 1, 2]
    assert seen[1][2:] == (b"k", b"poison", (("\\xff\\xfename", b"v"), ("ce_id", b"7")))
    assert seen[0][4] == tuple(ORDINARY[0][2])


@pytest.mark.parametrize("codec", [1, 2, 3, 4], ids=["gzip", "snappy", "lz4", "zstd"])
def test_a_batch_that_grows_beyond_the_limit_becomes_one_refused_record(
    codec: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("certex_bridge.platform.kafka_records.unpack", lambda raw, codec: unpack(raw, codec, 1_000_000))
    bomb = batch(*[(b"k", b"\x00" * 2_000_000, [])] * 3, codec=codec)
    after = batch(ORDINARY[0])
    records = TolerantRecords(bomb + after)
    first = records.next_batch()
    (refused,) = list(first)
    assert refused.offset == first.next_offset - 1 == 2
    assert refused.value == bomb
    assert refused.key is None
    assert refused.headers == [(REFUSED_HEADER, b"the batch unpacks to more than 1000000 bytes")]
    assert [one.key for one in records.next_batch()] == [b"BE/1"]


def test_memory_stays_bounded_while_a_bomb_is_looked_at() -> None:
    import tracemalloc

    bomb = memoryview(batch((b"k", b"\x00" * 90_000_000, []), codec=4))
    assert len(bomb) < 20_000
    tracemalloc.start()
    with pytest.raises(TooLarge, match="more than 8000000"):
        unpack(bomb, 4, 8_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60_000_000


@pytest.mark.parametrize("codec", [1, 3, 4, 5, 7])
def test_what_is_not_what_its_codec_says_is_refused(codec: int) -> None:
    data = bytearray(batch(ORDINARY[0]))
    struct.pack_into(">h", data, 21, codec)
    (refused,) = list(TolerantRecords(bytes(data)).next_batch())
    assert refused.headers[0][0] == REFUSED_HEADER


def test_every_consumer_of_the_process_reads_so() -> None:
    assert aiokafka.consumer.fetcher.MemoryRecords is TolerantRecords
