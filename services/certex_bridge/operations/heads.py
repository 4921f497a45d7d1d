"""Heads: what a ledger was at an instant, in one file that is kept where the ledger's administrators cannot write.

Each line is a JSON array: the form and the instant, the chain value of every licence, a hash over what each table had
got on each day, then the head of the heads (a hash chain over all lines before) and, with a key, its Ed25519 signature.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from certex_bridge.kernel.canonical import GENESIS, chain
from certex_bridge.kernel.errors import ConfigurationError

FORM = "certex-bridge-heads"
VERSION = 1
_SIGNED = b"certex-bridge-heads 1 "
"""Before the head in what is signed: the key may have other uses."""


@dataclass(frozen=True, slots=True)
class Heads:
    """A ledger as it was."""

    as_of: datetime
    """Everything written before, and nothing else, is in `rows`."""
    licences: dict[str, tuple[int, str]]
    """Journal version and chain value in hexadecimal, by licence."""
    rows: dict[tuple[str, str], tuple[int, str]]
    """Number and hash of rows, by table and day (UTC)."""


@dataclass(frozen=True, slots=True)
class HeadsFile:
    """What a file says, and what it is worth."""

    heads: Heads
    head: bytes
    signature: bytes | None


def write_heads(heads: Heads, key: Ed25519PrivateKey | None = None) -> bytes:
    """The file; signed if there is a key."""
    lines, head = [], GENESIS
    for entry in _entries(heads):
        line = _line(entry)
        head = chain(head, line)
        lines.append(line)
    lines.append(_line(["head", head.hex()]))
    if key is not None:
        lines.append(_line(["signature", base64.b64encode(key.sign(_SIGNED + head)).decode()]))
    return b"\n".join(lines) + b"\n"


def _entries(heads: Heads) -> Iterator[list[Any]]:
    yield [FORM, VERSION, heads.as_of.isoformat()]
    for licence_id, place in sorted(heads.licences.items()):
        yield ["licence", licence_id, *place]
    for group, rows in sorted(heads.rows.items()):
        yield ["rows", *group, *rows]


def _line(entry: list[Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()


def read_heads(content: bytes) -> HeadsFile:
    """What a file says.

    Raises:
        ConfigurationError: it is no such file, or was changed or cut after it was written.
    """
    try:
        return _file(content.splitlines())
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"the file of heads cannot be used: {error}") from error


def _file(all_lines: list[bytes]) -> HeadsFile:
    *lines, last = all_lines
    signature = None
    kind, value = json.loads(last)
    if kind == "signature":
        signature = base64.b64decode(value, validate=True)
        *lines, last = lines
        kind, value = json.loads(last)
    head = GENESIS
    for line in lines:
        head = chain(head, line)
    if kind != "head" or value != head.hex():
        raise ValueError("its last line is not the head of the lines before")
    return HeadsFile(_heads(map(json.loads, lines)), head, signature)


def _heads(entries: Iterable[list[Any]]) -> Heads:
    (form, version, as_of), *rest = entries
    if (form, version) != (FORM, VERSION):
        raise ValueError(f"it is no file of heads in form {VERSION}")
    licences: dict[str, tuple[int, str]] = {}
    rows: dict[tuple[str, str], tuple[int, str]] = {}
    for kind, *values in rest:
        if kind == "licence":
            licence_id, lv, link = values
            licences[licence_id] = (lv, link)
        else:
            name, day, number, digest = values
            rows[name, day] = (number, digest)
    return Heads(datetime.fromisoformat(as_of), licences, rows)


def is_signed(file: HeadsFile, key: Ed25519PublicKey) -> bool:
    """Whether the file carries the signature of this key."""
    if file.signature is None:
        return False
    try:
        key.verify(file.signature, _SIGNED + file.head)
    except InvalidSignature:
        return False
    return True


def private_key(path: Path) -> Ed25519PrivateKey:
    """An Ed25519 key in PEM, to sign with.

    Raises:
        ConfigurationError: the file is no such key.
    """
    key = _load(path, lambda data: load_pem_private_key(data, None))
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{path.name} must be an Ed25519 private key in PEM")
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """An Ed25519 public key in PEM, to prove a signature with.

    Raises:
        ConfigurationError: the file is no such key.
    """
    key = _load(path, load_pem_public_key)
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigurationError(f"{path.name} must be an Ed25519 public key in PEM")
    return key


def _load(path: Path, reader: Any) -> Any:
    try:
        return reader(path.read_bytes())
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        return None
