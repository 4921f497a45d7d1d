"""Certificates for the tests of TLS: one authority, a server named localhost, a client."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import trustme
from cryptography.hazmat.primitives import serialization

if TYPE_CHECKING:
    from pathlib import Path


def _pkcs8(pem: bytes) -> bytes:
    # Kafka reads PKCS #8 only.
    key = serialization.load_pem_private_key(pem, password=None)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Certificates:
    """PEM files made in `folder` when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _authority(self) -> trustme.CA:
        self._folder.mkdir(parents=True, exist_ok=True)
        return trustme.CA()

    def _write(self, name: str, *parts: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(b"".join(parts))
        path.chmod(0o600)
        return path

    @cached_property
    def authority(self) -> Path:
        """The authority's certificate: what a client trusts."""
        return self._write("authority.pem", self._authority.cert_pem.bytes())

    @cached_property
    def server_keystore(self) -> Path:
        """Key and chain of the server in one file."""
        issued = self._authority.issue_cert("localhost", "127.0.0.1")
        return self._write(
            "server.pem", _pkcs8(issued.private_key_pem.bytes()), *(item.bytes() for item in issued.cert_chain_pems)
        )

    @cached_property
    def _client(self) -> trustme.LeafCert:
        return self._authority.issue_cert("bridge@example.invalid", common_name="certex-bridge")

    @cached_property
    def client_certificate(self) -> Path:
        """The client's certificate chain."""
        return self._write("client.pem", *(item.bytes() for item in self._client.cert_chain_pems))

    @cached_property
    def client_key(self) -> Path:
        """The client's key."""
        return self._write("client.key", _pkcs8(self._client.private_key_pem.bytes()))
