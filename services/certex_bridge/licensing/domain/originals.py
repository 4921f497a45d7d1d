"""What the authority itself issued: its own bytes, and the document it attached, named by their hashes.

Customs may ask for the original (IR 2024/2145 Art. 5(1)(c)); a certificate made from it is no substitute. Contents are
kept apart from the snapshot, which has their names only: a hash says which bytes are meant, whoever keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass

from certex_bridge.kernel.canonical import sha256_hex

PDF, XML = "application/pdf", "application/xml"
MEDIA_TYPES = (PDF, XML)
"""Media types of an attached document."""


@dataclass(frozen=True, slots=True)
class AttachedDocument:
    """The licence document itself, as a file that the authority attached; the bytes are kept under their hash."""

    media_type: str
    """One of MEDIA_TYPES."""
    sha256: str
    """Hash of the file, 64 hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Received:
    """The data of a licence event, byte for byte as the authority wrote them."""

    body: bytes
    media_type: str
    """What the authority says that they are, for instance application/json."""

    @property
    def sha256(self) -> str:
        """Hash of the bytes, which the journal keeps."""
        return sha256_hex(self.body)
