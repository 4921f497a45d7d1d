"""Seals: what is chained, published, read again and signed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from certex_bridge.kernel.canonical import GENESIS, chain
from certex_bridge.operations.seals import Seal, is_signed, key_id, read_body, read_line, sign

FIRST = Seal(
    1,
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2026, 3, 1, 9, tzinfo=UTC),
    (("answer", 2, "aa"), ("movement", 9, "bb")),
)


def told(changed: dict[str, object] | None = None) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(FIRST.body())
    return body | (changed or {})


def test_a_seal_is_chained_by_its_line_and_read_again_from_its_message() -> None:
    assert FIRST.line == (
        '[1,1,"1970-01-01T00:00:00+00:00","2026-03-01T09:00:00+00:00",[["answer",2,"aa"],["movement",9,"bb"]]]'
    )
    assert FIRST.chain == chain(GENESIS, FIRST.line.encode()).hex()
    assert read_body(told()) == FIRST
    assert read_line(FIRST.line) == (1, FIRST.since, FIRST.as_of, FIRST.rows)


@pytest.mark.parametrize(
    "changed",
    [
        {"seal": 2},
        {"asOf": "2026-03-01T09:00:01+00:00"},
        {"rows": []},
        {"rows": [{"table": "answer", "rows": 3, "digest": "aa"}, {"table": "movement", "rows": 9, "digest": "bb"}]},
        {"before": "11" * 32},
        {"chain": "11" * 32},
        {"form": 2},
    ],
)
def test_a_message_that_was_changed_is_no_seal(changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not what was chained"):
        read_body(told(changed))


def test_a_line_of_another_form_is_not_read() -> None:
    with pytest.raises(ValueError, match="form is 2"):
        read_line(FIRST.line.replace("[1,", "[2,", 1))


def test_a_signature_is_of_one_key_under_its_name() -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    name, signature = sign(FIRST.chain, key)

    assert name == key_id(key.public_key()) != key_id(other.public_key())
    assert is_signed(FIRST.chain, name, signature, [other.public_key(), key.public_key()])
    assert not is_signed(FIRST.chain, name, signature, [other.public_key()])
    assert not is_signed(FIRST.chain, key_id(other.public_key()), signature, [other.public_key()])
    assert not is_signed(replace(FIRST, number=2).chain, name, signature, [key.public_key()])
    assert not is_signed(FIRST.chain, name, "no base 64", [key.public_key()])
    assert not is_signed(FIRST.chain, "", "", [key.public_key()])
