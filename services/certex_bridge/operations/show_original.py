"""`licence original`: what an authority issued, byte for byte, as files."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from certex_bridge.kernel.canonical import sha256_hex
from certex_bridge.kernel.errors import InputError
from certex_bridge.ledger.adapters.reader import original_of
from certex_bridge.ledger.reading import Original
from certex_bridge.operations.reading import NotFound, read
from certex_bridge.operations.show_licence import normalised
from certex_bridge.operations.terminal import count, print_json, say, table
from certex_bridge.platform.postgres import load_queries

_IN_FORCE = "SELECT version FROM licence WHERE licence_id = $1"
_SUFFIXES = {"application/pdf": "pdf", "application/xml": "xml"}
_NOT_A_NAME = re.compile("[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class File:
    """One thing that was issued."""

    what: str
    version: int
    """Version that it came with, as far as that is known; 0: with this one or an earlier one."""
    media_type: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Hash of the content."""
        return sha256_hex(self.content)

    def as_document(self) -> dict[str, Any]:
        """For programs."""
        told = {"what": self.what, "mediaType": self.media_type, "sha256": self.sha256}
        return told | {"version": self.version or None, "content": base64.b64encode(self.content).decode()}


def run_licence_original(text: str, version: int, out: Path | None, *, as_json: bool) -> None:
    """Show, and write, what was issued with a version.

    Raises:
        InputError: not ISSUER/NUMBER; FOLDER: the files cannot be written.
        NotFound: the licence or the version is unknown.
    """
    licence_id = normalised(text)
    found: Original = read(lambda database: _original(database, licence_id, version))
    shown = files(found)
    written = _write(licence_id, found.version, shown, out) if out else []
    if as_json:
        document = {"licence": licence_id, "version": found.version, "event": found.event_id, "at": found.at}
        print_json(document | {"files": [file.as_document() for file in shown]})
        return
    from rich.markup import escape

    made = table(
        f"{escape(licence_id)}: issued with version {found.version}", "what", "of version", "media type", "bytes",
        "sha256", numbers=frozenset({1, 3}),
    )  # fmt: skip
    for file in shown:
        of = str(file.version) if file.version else ""
        made.add_row(file.what, of, escape(file.media_type), count(len(file.content)), file.sha256)
    say(made)
    for path in written:
        say(escape(str(path)))


def files(found: Original) -> list[File]:
    """What there is, the authority's own things first."""
    shown = []
    if found.issued is not None:
        shown.append(File("licence event", found.issued.version, found.issued.media_type, found.issued.content))
    if found.attached is not None:
        shown.append(File("attached document", 0, found.attached.media_type, found.attached.content))
    return [*shown, File("certificate", found.version, "application/xml", found.certificate)]


async def _original(database: Any, licence_id: str, version: int) -> Original:
    wanted = version or await database.fetchval(_IN_FORCE, licence_id) or 0
    query = load_queries("certex_bridge.ledger.adapters.sql", "reads.sql")["original"]
    row = await database.fetchrow(query, licence_id, wanted)
    if row is None:
        which = f"version {version} of licence {licence_id}" if version else f"licence {licence_id}"
        raise NotFound(f"No {which} is known.")
    return original_of(row)


def _write(licence_id: str, version: int, shown: list[File], folder: Path) -> list[Path]:
    """A name has letters, digits, dots and hyphens: nothing that a sender wrote leads to another folder."""
    name = _NOT_A_NAME.sub("-", licence_id)
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in shown:
            suffix = _SUFFIXES.get(file.media_type, "json")
            path = folder / f"{name}-v{version}-{file.what.replace(' ', '-')}.{suffix}"
            path.write_bytes(file.content)
            paths.append(path)
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {error.strerror}", value=str(folder), code="FOLDER") from error
    return paths
