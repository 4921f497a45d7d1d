"""When certificates end: the first of a chain counts, a renewed file is read again, an unreadable one is told once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from certex_bridge.operations import surroundings
from certex_bridge.operations.surroundings import certificate_files, first_end, watch_certificates
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.settings import Settings
from tests.support.wire_feed import until

NAME = "certex_bridge_certificate_expiry_timestamp_seconds"


def write(file: Path, *days: int) -> None:
    """A chain whose members end after so many days."""
    authority = trustme.CA()
    parts = []
    for one in days:
        issued = authority.issue_cert("bridge.test", not_after=datetime.now(UTC) + timedelta(days=one))
        parts.append(issued.cert_chain_pems[0].bytes())
    file.write_bytes(b"".join(parts))


def days_left(end: float | None) -> int:
    assert end is not None
    return round((end - datetime.now(UTC).timestamp()) / 86_400)


def test_a_chain_ends_with_its_first_member(tmp_path: Path) -> None:
    write(tmp_path / "chain.pem", 40, 7, 90)
    assert days_left(first_end(tmp_path / "chain.pem")) == 7


@pytest.mark.parametrize("text", [b"", b"no certificate\n"])
def test_a_file_without_a_certificate_is_told(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "empty.pem").write_bytes(text)
    with pytest.raises(ValueError, match=r"(?i)certificate|pem"):
        first_end(tmp_path / "empty.pem")


def test_only_files_that_are_named_count(tmp_path: Path) -> None:
    file = tmp_path / "server.pem"
    settings = Settings.model_construct(kafka_ssl_certfile=file)
    assert certificate_files(settings) == {"kafka": file}
    both = settings.model_copy(update={"http_ssl_certfile": file, "database_ssl_cert": file})
    assert certificate_files(both) == {"gateway": file, "kafka": file, "database": file}


async def test_a_renewed_certificate_shows_and_a_lost_one_keeps_its_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings, "CERTIFICATES_SECONDS", 0.01)
    told: list[str] = []
    monkeypatch.setattr(surroundings.LOG, "warning", lambda event, **_fields: told.append(event))
    file, metrics, stop = tmp_path / "client.pem", Metrics(), asyncio.Event()
    write(file, 5)
    settings = Settings.model_construct(kafka_ssl_certfile=file, roles=("intake",))
    watching = asyncio.create_task(watch_certificates(settings, stop, metrics))

    def left() -> int:
        return days_left(metrics.registry.get_sample_value(NAME, {"use": "kafka"}) or 0)

    async def shows(days: int) -> bool:
        return left() == days

    async def complains() -> bool:
        return bool(told)

    await until(lambda: shows(5))
    write(file, 60)
    await until(lambda: shows(60))
    file.unlink()
    await until(complains)
    assert left() == 60
    stop.set()
    await watching
    assert told == ["certificate.unreadable"]
