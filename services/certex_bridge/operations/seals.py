"""Seals: number and hash of all rows that were written up to an instant, each seal chained to the one before.

A seal is made in the background, is kept in the database, and is published. Whoever changes what was sealed has to
write all later seals anew, and those who keep the published ones see it (ADR 0022). With a key each seal is signed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certex_bridge.kernel.canonical import GENESIS, chain

FORM = 1
"""Which tables are sealed, and how; another list is another form."""
_SIGNED = b"certex-bridge-seal 1 "
"""Before the chain value in what is signed: the key may have other uses."""
_KEY_ID_CHARACTERS = 16

Rows = tuple[str, int, str]
"""Table, number of rows, hash over them."""


@dataclass(frozen=True, slots=True)
class Seal:
    """One seal; it covers what was written from `since` on and before `as_of`."""

    number: int
    """Dense from 1."""
    since: datetime
    as_of: datetime
    rows: tuple[Rows, ...]
    """Tables that got rows, in order of their names."""
    before: str = GENESIS.hex()
    """Chain value of the seal before."""
    key_id: str = ""
    """Of the key that signed it; empty: it is not signed."""
    signature: str = ""
    """Ed25519, in base 64."""

    @property
    def line(self) -> str:
        """What is chained."""
        entry = [FORM, self.number, self.since.isoformat(), self.as_of.isoformat(), self.rows]
        return json.dumps(entry, ensure_ascii=False, separators=(",", ":"))

    @property
    def chain(self) -> str:
        """The seal's own chain value, in hexadecimal."""
        return chain(bytes.fromhex(self.before), self.line.encode()).hex()

    def body(self) -> bytes:
        """The message of topic certex.seals.v1."""
        told = {
            "form": FORM,
            "seal": self.number,
            "since": self.since.isoformat(),
            "asOf": self.as_of.isoformat(),
            "rows": [{"table": table, "rows": rows, "digest": digest} for table, rows, digest in self.rows],
            "before": self.before,
            "chain": self.chain,
            "key": self.key_id,
            "signature": self.signature,
        }
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def read_body(body: Mapping[str, Any]) -> Seal:
    """The seal of a message.

    Raises:
        ValueError, KeyError, TypeError: it is none, of another form, or was changed after it was written.
    """
    rows = tuple([(str(row["table"]), int(row["rows"]), str(row["digest"])) for row in body["rows"]])
    moments = (datetime.fromisoformat(body["since"]), datetime.fromisoformat(body["asOf"]))
    seal = Seal(int(body["seal"]), *moments, rows, body["before"], body["key"], body["signature"])
    if body["form"] != FORM or body["chain"] != seal.chain:
        raise ValueError(f"seal {seal.number} is of another form, or not what was chained")
    return seal


def read_line(line: str) -> tuple[int, datetime, datetime, tuple[Rows, ...]]:
    """Number, instants and rows of a chained line.

    Raises:
        ValueError, TypeError: it is none, or of another form.
    """
    form, number, since, as_of, rows = json.loads(line)
    if form != FORM:
        raise ValueError(f"its form is {form}, not {FORM}")
    return number, datetime.fromisoformat(since), datetime.fromisoformat(as_of), tuple([tuple(row) for row in rows])


def key_id(key: Ed25519PublicKey) -> str:
    """A short name of a key, made from it."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:_KEY_ID_CHARACTERS]


def sign(chain_value: str, key: Ed25519PrivateKey) -> tuple[str, str]:
    """The key's name and its signature of a chain value."""
    signature = key.sign(_SIGNED + bytes.fromhex(chain_value))
    return key_id(key.public_key()), base64.b64encode(signature).decode()


def is_signed(chain_value: str, name: str, signature: str, keys: Sequence[Ed25519PublicKey]) -> bool:
    """Whether one of these keys signed a chain value under its name."""
    for key in keys:
        if key_id(key) == name:
            try:
                key.verify(base64.b64decode(signature, validate=True), _SIGNED + bytes.fromhex(chain_value))
            except (InvalidSignature, ValueError):
                return False
            return True
    return False
