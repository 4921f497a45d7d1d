"""File names of collected documents."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from certex_bridge.laboratory.collect import file_name


def record(key: bytes | None, event_id: bytes | None) -> Any:
    headers = [("ce_id", event_id)] if event_id else []
    return SimpleNamespace(key=key, headers=headers, offset=7)


def test_name_is_key_and_version() -> None:
    assert file_name(record(b"BE/BE-2026-1", b"certificate:BE/BE-2026-1:3")) == "BE_BE-2026-1.3.xml"


def test_name_leaves_the_folder_never() -> None:
    assert "/" not in file_name(record(b"../../etc/passwd", b"x:../1"))


def test_record_without_id_is_named_by_its_place() -> None:
    assert file_name(record(None, None)) == ".7.xml"
