"""The file of heads: written, read, signed, and refused once a byte of it is another."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.operations.heads import Heads, is_signed, private_key, public_key, read_heads, write_heads

HEADS = Heads(
    datetime(2026, 3, 1, 10, 0, 0, 5, tzinfo=UTC),
    {"BE/Ü 1": (7, "ab" * 32), "BE/A": (0, "00" * 32)},
    {("outbox", "2026-03-01"): (3, "cd" * 32), ("inbox", "2026-02-28"): (1, "ef" * 32)},
)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def test_what_was_written_is_read() -> None:
    plain, signed = read_heads(write_heads(HEADS)), read_heads(write_heads(HEADS, KEY))

    assert plain.heads == signed.heads == HEADS
    assert plain.head == signed.head
    assert plain.signature is None
    assert is_signed(signed, KEY.public_key())
    assert not is_signed(plain, KEY.public_key())
    assert not is_signed(signed, Ed25519PrivateKey.generate().public_key())


def test_the_head_of_heads_is_known() -> None:
    assert (
        write_heads(HEADS).splitlines()[-1]
        == b'["head","e747b2be63d72d06ca5e7e709a0bafb65dc1c27efc88b91e7160aa49dd77115c"]'
    )


@pytest.mark.parametrize("line", range(6))
def test_no_line_can_be_left_out_or_changed(line: int) -> None:
    lines = write_heads(HEADS).splitlines()
    assert len(lines) == 6
    for other in (
        lines[:line] + lines[line + 1 :],
        [*lines[:line], lines[line].replace(b'"', b' "', 1), *lines[line + 1 :]],
    ):
        if line < 5 or len(other) == 5:
            with pytest.raises(ConfigurationError, match="the file of heads cannot be used"):
                read_heads(b"\n".join(other))


@pytest.mark.parametrize(
    "content", [b"", b"x", b"[1]", b"{}", b'["head",1]', b'["signature","*"]', b'["signature",""]', b"[]\n[1,2]"]
)
def test_what_is_no_file_of_heads_is_refused(content: bytes) -> None:
    with pytest.raises(ConfigurationError, match="the file of heads cannot be used"):
        read_heads(content)


def test_another_form_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("certex_bridge.operations.heads.VERSION", 2)
        later = write_heads(HEADS)
    with pytest.raises(ConfigurationError, match="no file of heads in form 1"):
        read_heads(later)


def test_keys_are_read_from_pem(tmp_path: Path) -> None:
    secret, public = tmp_path / "heads.key", tmp_path / "heads.pub"
    secret.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    assert is_signed(read_heads(write_heads(HEADS, private_key(secret))), public_key(public))


def test_another_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.key"
    other = generate_private_key(SECP256R1())
    file.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for path in (file, tmp_path / "missing"):
        with pytest.raises(ConfigurationError, match="must be an Ed25519 private key in PEM"):
            private_key(path)
        with pytest.raises(ConfigurationError, match="must be an Ed25519 public key in PEM"):
            public_key(path)
