"""The audit of locked packages: which versions an advisory is about, and what is said when nothing is known."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import audit
import pytest

NOW = datetime(2026, 11, 30, tzinfo=UTC)
LOCK = """\
Aio_Kafka==0.14.0 \\
    --hash=sha256:00
lxml==6.1.3 ; python_version >= "3.11" \\
    --hash=sha256:00
uvicorn[standard]==0.30
# aiohttp==1.0 is a remark
"""


def advisory(name: str = "lxml", **more: Any) -> dict[str, Any]:
    ranges = more.pop("events", None)
    affected = {"package": {"ecosystem": more.pop("ecosystem", "PyPI"), "name": name}}
    affected |= {"versions": more.pop("versions", [])}
    affected |= {"ranges": [{"type": more.pop("type", "ECOSYSTEM"), "events": ranges}]} if ranges else {}
    return {"id": "PYSEC-1", "modified": "2026-11-29T01:02:03Z", "summary": "bad", "affected": [affected], **more}


def database(folder: Path, *entries: dict[str, Any]) -> Path:
    path = folder / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, entry in enumerate(entries):
            archive.writestr(f"GHSA-{number}.json", json.dumps(entry))
    return path


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "runtime.txt"
    path.write_text(LOCK, "utf-8")
    return path


def test_a_lock_is_read_with_names_as_they_are_compared() -> None:
    assert audit.pins(LOCK) == {("aio-kafka", "0.14.0"), ("lxml", "6.1.3"), ("uvicorn", "0.30")}


@pytest.mark.parametrize(
    ("events", "affected"),
    [
        ([{"introduced": "0"}], True),
        ([{"introduced": "0"}, {"fixed": "6.1.3"}], False),
        ([{"introduced": "0"}, {"fixed": "6.1.4"}], True),
        ([{"introduced": "6.1.4"}], False),
        ([{"introduced": "6.1.3"}, {"last_affected": "6.1.3"}], True),
        ([{"introduced": "0"}, {"last_affected": "6.1.2"}], False),
        ([{"fixed": "7.0"}, {"introduced": "6.0"}, {"fixed": "5.0"}, {"introduced": "0"}], True),
        ([{"introduced": "0"}, {"fixed": "5.0"}, {"introduced": "6.0"}, {"fixed": "6.1.3rc1"}], False),
        ([{"introduced": "0"}, {"fixed": "6.1.10"}], True),
    ],
)
def test_ranges_of_versions(events: list[dict[str, str]], affected: bool) -> None:
    found = audit.weaknesses(audit.pins(LOCK), [advisory(events=events)])
    assert [one.package for one in found] == (["lxml"] if affected else [])


@pytest.mark.parametrize(
    ("more", "affected"),
    [
        ({"versions": ["6.1.2", "6.1.3"]}, True),
        ({"versions": ["6.1.2"]}, False),
        ({"versions": ["6.1.3"], "ecosystem": "npm"}, False),
        ({"versions": ["6.1.3"], "withdrawn": "2026-01-01T00:00:00Z"}, False),
        ({"events": [{"introduced": "0"}], "type": "GIT"}, False),
        ({"name": "LXML", "versions": ["6.1.3"]}, True),
        ({"name": "lxml-stubs", "versions": ["6.1.3"]}, False),
    ],
)
def test_what_an_advisory_is_about(more: dict[str, Any], affected: bool) -> None:
    assert bool(audit.weaknesses(audit.pins(LOCK), [advisory(**more)])) == affected


def test_a_version_that_cannot_be_compared_has_to_be_looked_at() -> None:
    assert audit.weaknesses({("lxml", "strange!")}, [advisory(events=[{"introduced": "0"}, {"fixed": "1"}])])


def test_a_weakness_is_told_with_what_mends_it(tmp_path: Path, lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = advisory(events=[{"introduced": "0"}, {"fixed": "6.2"}], aliases=["CVE-2026-1"])
    assert audit.main([str(database(tmp_path, entry)), str(lock)], NOW) == 1
    said = capsys.readouterr()
    assert "lxml 6.1.3: PYSEC-1, CVE-2026-1: bad; mended in 6.2\n" in said.out
    assert "3 packages, 1 advisories up to 2026-11-29: 1 weaknesses, 0 accepted" in said.out
    assert said.err == ""


@pytest.mark.parametrize(("until", "code"), [("2026-11-30", 0), ("2026-11-29", 1)])
def test_a_weakness_may_be_accepted_for_a_time(tmp_path: Path, lock: Path, until: str, code: int) -> None:
    accepted = tmp_path / "accepted.toml"
    accepted.write_text(f'[[accepted]]\nid = "CVE-2026-1"\nreason = "never called"\nuntil = {until}\n', "utf-8")
    path = database(tmp_path, advisory(versions=["6.1.3"], aliases=["CVE-2026-1"]))
    assert audit.main([str(path), str(lock), "--accepted", str(accepted)], NOW) == code


def test_a_weakness_is_not_accepted_without_reason(tmp_path: Path, lock: Path) -> None:
    accepted = tmp_path / "accepted.toml"
    accepted.write_text('[[accepted]]\nid = "PYSEC-1"\nuntil = 2027-01-01\n', "utf-8")
    with pytest.raises(ValueError, match="PYSEC-1 needs a reason"):
        audit.main([str(database(tmp_path, advisory())), str(lock), "--accepted", str(accepted)], NOW)


def test_an_old_database_is_told(tmp_path: Path, lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main([str(database(tmp_path, advisory(modified="2026-11-15T00:00:00Z"))), str(lock)], NOW) == 0
    assert "older than 14 days" in capsys.readouterr().err


def test_a_folder_of_yaml_is_read_too(tmp_path: Path, lock: Path) -> None:
    folder = tmp_path / "vulns" / "lxml"
    folder.mkdir(parents=True)
    (folder / "PYSEC-2026-1.yaml").write_text(
        "id: PYSEC-2026-1\nmodified: '2026-11-29T00:00:00Z'\naffected:\n- package: {ecosystem: PyPI, name: lxml}\n"
        "  ranges:\n  - type: ECOSYSTEM\n    events: [{introduced: '0'}]\n",
        "utf-8",
    )
    assert audit.main([str(tmp_path / "vulns"), str(lock)], NOW) == 1


@pytest.mark.parametrize("content", [None, b"no zip", {}, {"a.json": "{"}, {"a.json": "[]"}])
def test_without_a_database_nothing_is_called_well(tmp_path: Path, lock: Path, content: Any) -> None:
    path = tmp_path / "all.zip"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in content.items():
                archive.writestr(name, text)
    assert audit.main([str(path), str(lock)], NOW) == 2


def test_every_lock_of_the_project_can_be_read() -> None:
    for path in audit.LOCKS.glob("*.txt"):
        assert audit.pins(path.read_text("utf-8")), path.name
