"""Decisions that a country may take differently, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from certex_bridge.kernel.dates import ZONES
from certex_bridge.ledger.domain.reasons import Rule
from certex_bridge.licensing.domain.certificate_types import CertificateTypes
from certex_bridge.licensing.domain.dual_use import DUAL_USE_TYPES

_UNION_SEAT = ZoneInfo("Europe/Brussels")


EVERYWHERE_REGISTERED: Mapping[str, frozenset[str]] = MappingProxyType({"*": frozenset({"X067", "X068"})})
"""EU007 and EU008: registration is a condition of the Regulation itself (Reg. 2021/821 Annex II, Sections G and H)."""


class SettleGroup(StrEnum):
    """What is booked whole or not at all: a goods item (it counts as a declaration, UCC-IA Art. 222) or all of them."""

    ITEM = "ITEM"
    DECLARATION = "DECLARATION"


class FigureSource(StrEnum):
    """Where the declared figure may come from, tried in order."""

    DOCUMENT = "DOCUMENT"
    """D.E. 12 03 006 / 12 03 014."""
    NET_MASS = "NET_MASS"
    """D.E. 18 01, only for a line in kilograms."""
    ITEM_AMOUNT = "ITEM_AMOUNT"
    """D.E. 14 08, only in the line's currency."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings of the ledger's decisions; the defaults are the strict reading of the law."""

    settle_group: SettleGroup = SettleGroup.ITEM
    enforced: frozenset[Rule] = frozenset()
    """Comparisons that refuse; the others are reported."""
    ladder: tuple[FigureSource, ...] = (FigureSource.DOCUMENT,)
    unit_aliases: bool = False
    """Whether exact factors between units of one dimension are used (TNE = 1000 KGM)."""
    amendment_years: int = 3
    """UCC Art. 173(3)."""
    types: CertificateTypes = DUAL_USE_TYPES
    """Live certificate types: document codes, statuses and rules tables."""
    registration: Mapping[str, frozenset[str]] = field(default_factory=lambda: EVERYWHERE_REGISTERED)
    """Issuing state (`*`: every other one) to the general authorisations that need a registration before first use."""
    further_codes: frozenset[str] = frozenset()
    """Document codes outside the Union's list that some issuer still uses."""
    calendar_zone: tzinfo = _UNION_SEAT
    """Legal time of a state that no list knows."""
    calendar_zones: Mapping[str, tzinfo] = field(default_factory=dict)
    """Legal time by state, where it differs from the built-in list."""

    def must_register(self, issuer: str, document_code: str) -> bool:
        """Whether an exporter may use a general authorisation only after a registration with this state."""
        return document_code in self.registration.get(issuer, self.registration.get("*", ()))

    def zone(self, state: str) -> tzinfo:
        """The legal time in which a state's authorities count days."""
        return self.calendar_zones.get(state) or ZONES.get(state) or self.calendar_zone
