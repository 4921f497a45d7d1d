"""Reading what anybody may have written: two kinds of batches that would block a partition for ever.

A header name that is not UTF-8 makes aiokafka raise while it unpacks a batch, and a batch compressed to almost nothing
can unpack into more memory than the machine has. Both come again at every attempt, so one record from one sender
would stop everybody's. Here a name becomes readable text with escapes, and a batch that grows beyond the limit becomes
one record without event id that carries the compressed bytes: quarantine takes it, the offset moves on.

aiokafka has no opening for this, so its fetcher's class for fetched bytes is replaced by `install`.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

import aiokafka.consumer.fetcher
import cramjam
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import MemoryRecords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UNPACKED_BYTES_MAX = 64 << 20
"""Far above what a batch of 1 MiB holds in practice, far below what hurts."""

FIRST_BUFFER = 1 << 16

REFUSED_HEADER = "certex-refused"

_LENGTH = struct.Struct(">i")
_OVERHEAD = 12  # base offset and length, before the part that the length counts
_MAGIC_AT, _ATTRIBUTES_AT, _RECORDS_AT = 16, 21, 61
_GZIP, _SNAPPY, _LZ4, _ZSTD = 1, 2, 3, 4
_CODEC_MASK = 0x07
_FULL = "failed to write whole buffer"


class TooLarge(ValueError):
    """The batch grows beyond the limit, or is not what its codec says."""


class TolerantRecords:
    """Fetched bytes of one partition, batch by batch; the interface of aiokafka's MemoryRecords."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._inner = MemoryRecords(data)
        self._at = 0

    def size_in_bytes(self) -> int:
        """Length of the fetched bytes."""
        return len(self._data)

    def has_next(self) -> bool:
        """Whether a whole batch follows."""
        return bool(self._inner.has_next())

    def next_batch(self) -> Any:
        """The next batch; aiokafka's own for the formats before Kafka 0.11."""
        start = self._at
        batch = self._inner.next_batch()
        if batch is None:
            return None
        self._at = start + _OVERHEAD + int(_LENGTH.unpack_from(self._data, start + 8)[0])
        raw = self._data[start : self._at]
        return TolerantBatch(batch, raw) if raw[_MAGIC_AT] >= 2 else batch


class TolerantBatch:
    """One batch: everything is asked of aiokafka's own, except the records."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)  # only for the marker of a control batch

    def __iter__(self) -> Iterator[Any]:
        codec = self._raw[_ATTRIBUTES_AT + 1] & _CODEC_MASK
        try:
            plain = unpack(self._raw, codec) if codec else self._raw
        except TooLarge as error:
            return iter([self._refused(str(error))])
        try:
            return iter([*(DefaultRecordBatch(plain) if codec else self._batch)])
        except UnicodeDecodeError:
            return iter(_Escaping(plain))

    def _refused(self, reason: str) -> Any:
        headers: list[tuple[str, bytes | None]] = [(REFUSED_HEADER, reason.encode())]
        last = self._batch.next_offset - 1
        return _DefaultRecordPy(last, self._batch.max_timestamp, 0, None, bytes(self._raw), headers)


def unpack(raw: memoryview, codec: int, limit: int = UNPACKED_BYTES_MAX) -> bytes:
    """The same batch without compression.

    Raises:
        TooLarge: more than `limit` bytes, or not decodable.
    """
    head = bytearray(raw[:_RECORDS_AT])
    try:
        records = _CODECS[codec](raw[_RECORDS_AT:], limit)
    except KeyError:
        raise TooLarge(f"unknown codec {codec}") from None
    except TooLarge:
        raise
    except (zlib.error, cramjam.DecompressionError, ValueError, IndexError) as error:
        raise TooLarge(str(error)[:200]) from error
    head[_ATTRIBUTES_AT + 1] &= ~_CODEC_MASK & 0xFF
    _LENGTH.pack_into(head, 8, _RECORDS_AT - _OVERHEAD + len(records))
    return bytes(head) + records


def _gzip(data: memoryview, limit: int) -> bytes:
    decompressor = zlib.decompressobj(31)
    plain = _within(decompressor.decompress(data, limit + 1), limit)
    if not decompressor.eof:
        raise TooLarge("the compressed bytes end too early")
    return plain


def _growing(decompress_into: Callable[[bytes, bytearray], int]) -> Callable[[memoryview, int], bytes]:
    """Decompress into a buffer that is made larger until everything fits, or the limit is reached."""

    def unpacked(data: memoryview, limit: int) -> bytes:
        packed, size = bytes(data), min(limit, max(FIRST_BUFFER, 8 * len(data)))
        while True:
            buffer = bytearray(size)
            try:
                written = decompress_into(packed, buffer)
            except cramjam.DecompressionError as error:
                if _FULL not in str(error):
                    raise
            else:
                return bytes(memoryview(buffer)[:written])
            if size == limit:
                raise TooLarge(_sentence(limit))
            size = min(limit, 4 * size)

    return unpacked


def _snappy(data: memoryview, limit: int) -> bytes:
    from aiokafka.codec import snappy_decode

    # At most 64 bytes out of 3: a batch the broker took cannot grow beyond bounds.
    return _within(bytes(snappy_decode(bytes(data))), limit)


def _within(plain: bytes, limit: int) -> bytes:
    if len(plain) > limit:
        raise TooLarge(_sentence(limit))
    return plain


def _sentence(limit: int) -> str:
    return f"the batch unpacks to more than {limit} bytes"


_CODECS: dict[int, Callable[[memoryview, int], bytes]] = {
    _GZIP: _gzip,
    _SNAPPY: _snappy,
    _LZ4: _growing(cramjam.lz4.decompress_into),
    _ZSTD: _growing(cramjam.zstd.decompress_into),
}


class _EscapingBytes(bytearray):
    """Bytes whose text is always readable."""

    @overload
    def __getitem__(self, at: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> _EscapingBytes: ...
    def __getitem__(self, at: SupportsIndex | slice) -> int | _EscapingBytes:
        piece = super().__getitem__(at)
        return piece if isinstance(piece, int) else _EscapingBytes(piece)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002  # never strict
        return super().decode(encoding, "backslashreplace")


class _Escaping(_DefaultRecordBatchPy):  # type: ignore[misc]  # final for type checkers, and untyped
    """aiokafka's batch in plain Python, reading header names with escapes."""

    def __init__(self, plain: bytes | memoryview) -> None:
        super().__init__(plain)
        self._buffer = _EscapingBytes(plain)


def install() -> None:
    """Let every consumer of this process read through `TolerantRecords`."""
    aiokafka.consumer.fetcher.MemoryRecords = TolerantRecords
