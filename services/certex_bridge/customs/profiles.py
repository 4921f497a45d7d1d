"""Foreign customs messages (topic customs.messages.v1): the header `profile` says in which language they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certex_bridge.customs.options import DEFAULT_OPTIONS, DecodeOptions
from certex_bridge.customs.wco.profile import MAX_BYTES, PROFILE, decode_wco
from certex_bridge.platform.envelope import Envelope, EnvelopeLimits, read_headers
from certex_bridge.platform.poison import Poison

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from certex_bridge.ledger.domain.facts import DeclarationCommand

PROFILES: Mapping[str, Callable[[Envelope, DecodeOptions, int], list[DeclarationCommand | Poison]]] = {
    PROFILE: decode_wco
}
"""Decoder by profile name."""


def decode_message(
    envelope: Envelope, options: DecodeOptions = DEFAULT_OPTIONS, max_bytes: int = MAX_BYTES
) -> list[DeclarationCommand | Poison]:
    """The commands of one record, and the refusals of those of its messages that can never work.

    Raises:
        Poison: PROFILE_MISSING or PROFILE_UNKNOWN; what the profile's decoder raises. Nothing else is raised.
    """
    name = read_headers(envelope, EnvelopeLimits(value_bytes=max_bytes)).get("profile", "").strip()
    if not name:
        raise Poison("PROFILE_MISSING", "the header profile says which messages these are", "profile")
    decoder = PROFILES.get(name.lower())
    if decoder is None:
        raise Poison("PROFILE_UNKNOWN", f"the profiles are {', '.join(sorted(PROFILES))}", "profile", name)
    return decoder(envelope, options, max_bytes)
