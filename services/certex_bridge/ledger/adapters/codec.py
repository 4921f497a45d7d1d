"""Facts and licences as stored bytes: JSON by msgspec, decoded into the domain's own types."""

from __future__ import annotations

import msgspec

from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.licensing.domain.licence import Licence

_encoder = msgspec.json.Encoder(decimal_format="string")
_facts = msgspec.json.Decoder(Facts)
_licence = msgspec.json.Decoder(Licence)


def encode_facts(facts: Facts) -> bytes:
    """Facts as bytes; every amount keeps its digits."""
    return _encoder.encode(facts)


def decode_facts(raw: bytes) -> Facts:
    """The facts that `encode_facts` wrote."""
    return _facts.decode(raw)


def encode_licence(licence: Licence) -> bytes:
    """A licence snapshot as bytes."""
    return _encoder.encode(licence)


def decode_licence(raw: bytes) -> Licence:
    """The licence that `encode_licence` wrote."""
    return _licence.decode(raw)
