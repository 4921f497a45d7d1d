"""Facts and licences as stored bytes: JSON by msgspec, decoded into the domain's own types."""

from __future__ import annotations

import msgspec

from certex_bridge.kernel.errors import Finding
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.lodgings import Anchor, DraftEvent, LodgingKey, LodgingMark, MrnMark
from certex_bridge.ledger.domain.model import DeclarationState
from certex_bridge.licensing.domain.licence import Licence, LicenceLine

_encoder = msgspec.json.Encoder(decimal_format="string")
_facts = msgspec.json.Decoder(Facts)


class _Identity(msgspec.Struct, omit_defaults=True):
    """How a declaration got its facts: what was told of an MRN itself and which lodging it was, or a draft's events."""

    own: Facts | None = None
    lodging: LodgingKey | None = None
    events: tuple[DraftEvent, ...] = ()
    doubts: tuple[Finding, ...] = ()


class _Marks(msgspec.Struct, omit_defaults=True):
    """What an anchor knows of lodgings and MRNs."""

    lodgings: tuple[LodgingMark, ...] = ()
    mrns: dict[str, MrnMark] = {}
    unnamed: bool = False


_identity = msgspec.json.Decoder(_Identity)
_marks = msgspec.json.Decoder(_Marks)
_licence = msgspec.json.Decoder(Licence)
_line = msgspec.json.Decoder(LicenceLine)


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


def encode_identity(state: DeclarationState) -> bytes | None:
    """How a declaration got its facts, as bytes; None for one that has only its own."""
    if state.own is None and state.lodging is None and not state.events and not state.doubts:
        return None
    return _encoder.encode(_Identity(state.own, state.lodging, state.events, state.doubts))


def decode_identity(state: DeclarationState, raw: bytes | None) -> DeclarationState:
    """The declaration with what `encode_identity` wrote."""
    if raw:
        found = _identity.decode(raw)
        state.own, state.lodging, state.events, state.doubts = found.own, found.lodging, found.events, found.doubts
    return state


def encode_marks(anchor: Anchor) -> str:
    """What an anchor knows of lodgings and MRNs, as text."""
    return _encoder.encode(_Marks(anchor.lodgings, dict(anchor.mrns), anchor.unnamed)).decode()


def decode_anchor(lrn: str, exporters: tuple[str, ...], marks: str) -> Anchor:
    """The anchor that `encode_marks` wrote."""
    found = _marks.decode(marks)
    return Anchor(lrn, exporters, found.lodgings, found.mrns, found.unnamed)


def decode_line(raw: str) -> LicenceLine:
    """One line of a snapshot that `encode_licence` wrote."""
    return _line.decode(raw)
