"""Known weaknesses of the locked packages, from a database the operator brings: `make audit DB=all.zip`.

    python3 tools/audit.py DATABASE [--accepted requirements/accepted.toml] [LOCK …]

The database is an export of OSV's ecosystem PyPI or a copy of PyPA's advisory database, as a zip file or a folder: a
JSON or YAML file for each advisory (https://ossf.github.io/osv-schema/). Nothing is fetched and nothing leaves the
machine. Exit status 1 when a package has a weakness that nobody accepted, 2 when there is no database to speak of.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
STALE_DAYS = 14
"""A database whose newest entry is older says little about what became known since."""

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


class NoDatabase(Exception):
    """There is no database, or it cannot be read: nothing is known, which is not the same as no weakness."""


@dataclass(frozen=True, slots=True, order=True)
class Weakness:
    """An advisory about a locked version."""

    package: str
    version: str
    id: str
    aliases: tuple[str, ...]
    fixed: tuple[str, ...]
    summary: str

    def __str__(self) -> str:
        names = ", ".join((self.id, *self.aliases))
        mended = f"; mended in {', '.join(self.fixed)}" if self.fixed else "; no release mends it"
        return f"{self.package} {self.version}: {names}: {self.summary}{mended}"


def pins(text: str) -> set[tuple[str, str]]:
    """Name (as PEP 503 writes it) and version of each package of a lock."""
    return {(canonicalize_name(name), version) for name, version in _PIN.findall(text)}


def advisories(database: Path) -> Iterator[dict[str, Any]]:
    """Every advisory of a zip file or a folder.

    Raises:
        NoDatabase: there is none, or a file is no advisory.
    """
    count = 0
    for name, text in _files(database):
        try:
            one = json.loads(text) if name.endswith(".json") else yaml.safe_load(text)
        except (ValueError, yaml.YAMLError) as error:
            raise NoDatabase(f"{name} cannot be read: {error}") from None
        if isinstance(one, dict) and "id" in one and "affected" in one:
            count += 1
            yield one
    if not count:
        raise NoDatabase(f"{database} has no advisory: is it an export of OSV or PyPA's database?")


def _files(database: Path) -> Iterator[tuple[str, bytes]]:
    wanted = (".json", ".yaml", ".yml")
    try:
        if database.is_dir():
            for path in sorted(database.rglob("*")):
                hidden = any(part.startswith(".") for part in path.relative_to(database).parts)  # .git, .github
                if path.suffix in wanted and path.is_file() and not hidden:
                    yield path.name, path.read_bytes()
        else:
            with zipfile.ZipFile(database) as archive:
                for entry in archive.infolist():
                    if entry.filename.endswith(wanted):
                        yield entry.filename, archive.read(entry)
    except (OSError, zipfile.BadZipFile) as error:
        raise NoDatabase(f"{database}: {error}") from None


def is_affected(version: str, affected: Mapping[str, Any]) -> bool:
    """Whether an advisory's entry is about this version: it lists it, or it lies in one of its ranges.

    A version that does not follow PEP 440 and is not listed counts as affected: somebody has to look.
    """
    if version in affected.get("versions", ()):
        return True
    ranges = [one for one in affected.get("ranges", ()) if one.get("type") == "ECOSYSTEM"]
    try:
        here = Version(version)
        return any(_within(here, one.get("events", ())) for one in ranges)
    except InvalidVersion:
        return bool(ranges)


def _within(here: Version, events: Sequence[Mapping[str, str]]) -> bool:
    """In the order of versions: introduced switches on, fixed and what follows last_affected switch off."""

    def place(event: Mapping[str, str]) -> tuple[Version, int]:
        ((kind, text),) = event.items()
        return Version("0.dev0" if text == "0" else text), kind == "last_affected"

    inside = False
    for event in sorted((one for one in events if "limit" not in one), key=place):
        ((kind, _),) = event.items()
        at = place(event)[0]
        if kind == "introduced" and here >= at:
            inside = True
        elif (kind == "fixed" and here >= at) or (kind == "last_affected" and here > at):
            inside = False
    return inside


def weaknesses(locked: Iterable[tuple[str, str]], known: Iterable[Mapping[str, Any]]) -> list[Weakness]:
    """What the advisories say of the locked versions; one that was withdrawn says nothing."""
    versions: dict[str, set[str]] = {}
    for name, version in locked:
        versions.setdefault(name, set()).add(version)
    found = set()
    for one in known:
        for affected in () if one.get("withdrawn") else one["affected"]:
            package = affected.get("package", {})
            name = canonicalize_name(package.get("name", ""))
            if package.get("ecosystem") == "PyPI":
                found |= {
                    _weakness(name, version, one, affected)
                    for version in versions.get(name, ())
                    if is_affected(version, affected)
                }
    return sorted(found)


def _weakness(name: str, version: str, one: Mapping[str, Any], affected: Mapping[str, Any]) -> Weakness:
    fixed = {
        event["fixed"] for part in affected.get("ranges", ()) for event in part.get("events", ()) if "fixed" in event
    }
    summary = str(one.get("summary") or one.get("details") or "").strip().partition("\n")[0][:160]
    aliases = tuple(sorted(one.get("aliases", ())))
    return Weakness(name, version, one["id"], aliases, tuple(sorted(fixed)), summary)


def accepted_ids(file: Path, today: date) -> set[str]:
    """Advisories somebody judged, each with a reason and a day until which that holds.

    Raises:
        ValueError: an entry lacks its reason or its day.
    """
    if not file.exists():
        return set()
    found = set()
    for entry in tomllib.loads(file.read_text("utf-8")).get("accepted", ()):
        if not entry.get("reason") or not isinstance(entry.get("until"), date):
            raise ValueError(f"{file.name}: {entry.get('id')} needs a reason and a day (until)")
        if entry["until"] >= today:
            found.add(entry["id"])
    return found


def newest(known: Iterable[Mapping[str, Any]]) -> str:
    """The latest day on which an advisory was changed, as ISO 8601 writes it; empty: none says."""
    return max((str(one.get("modified", ""))[:10] for one in known), default="")


def main(arguments: Sequence[str] | None = None, now: datetime | None = None) -> int:
    """Print what is known about the locked packages; see the module for the exit status."""
    parser = argparse.ArgumentParser(
        prog="audit", description="Known weaknesses of the locked packages, without a network."
    )
    parser.add_argument("database", type=Path)
    parser.add_argument("locks", type=Path, nargs="*", help="default: every lock of requirements/")
    parser.add_argument("--accepted", type=Path, default=LOCKS / "accepted.toml")
    asked = parser.parse_args(arguments)
    today = (now or datetime.now(UTC)).date()
    locks = asked.locks or sorted(LOCKS.glob("*.txt"))
    locked = set().union(*(pins(path.read_text("utf-8")) for path in locks))
    try:
        known = list(advisories(asked.database))
    except NoDatabase as error:
        print(error, file=sys.stderr)
        return 2
    accepted = accepted_ids(asked.accepted, today)
    found = weaknesses(locked, known)
    open_ones = [one for one in found if not accepted & {one.id, *one.aliases}]
    for one in open_ones:
        print(one)
    day = newest(known)
    print(
        f"{len(locked)} packages, {len(known)} advisories up to {day or 'an unknown day'}: "
        f"{len(open_ones)} weaknesses, {len(found) - len(open_ones)} accepted"
    )
    if not day or (today - date.fromisoformat(day)).days > STALE_DAYS:
        print(f"The database is older than {STALE_DAYS} days: what became known since is not in it.", file=sys.stderr)
    return 1 if open_ones else 0


if __name__ == "__main__":
    sys.exit(main())
