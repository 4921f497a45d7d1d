"""What a country or an office decides about reading declarations."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo

from certex_bridge.customs.licence_documents import DOCUMENT_STATUSES, NEVER_A_LICENCE, StatusEffect
from certex_bridge.kernel.countries import issuing_state
from certex_bridge.kernel.dates import ZONES
from certex_bridge.licensing.domain.certificate_types import CertificateTypes
from certex_bridge.licensing.domain.documents import LEGACY_CODE
from certex_bridge.licensing.domain.dual_use import DUAL_USE_TYPES


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """Settings of the decoders; the defaults are those of a member state."""

    types: CertificateTypes = DUAL_USE_TYPES
    """Certificate types that are live: which document codes cite a licence, and where."""
    zones: Mapping[str, tzinfo] = field(default_factory=dict)
    """Country to the zone assumed for times without one; what is absent follows the kernel's table of legal times."""
    default_zone: tzinfo = UTC
    """Assumed for a country that neither `zones` nor the kernel's table knows."""
    legacy_codes: Mapping[str, Collection[str]] = field(default_factory=lambda: {"GB": (LEGACY_CODE,)})
    """Country to the codes from before 9 September 2021 that it still uses."""
    national_codes: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Country to national document codes that cite a licence of ours."""
    default_issuer: str = ""
    """Issuer of licences when neither document nor declaration tells a country."""
    issuer_countries: Mapping[str, str] = field(default_factory=dict)
    """Declaring country to issuing country where they differ."""
    line_suffix_countries: Collection[str] = frozenset({"GB"})
    """Countries whose WCO messages append the licence line to the reference (`NUMBER-0001`)."""
    document_statuses: Mapping[str, Mapping[str, StatusEffect]] = field(default_factory=dict)
    """Country to the meaning of document statuses, where it differs from the built-in table."""
    zero_quantity_countries: Collection[str] = frozenset({"GB"})
    """Countries whose declarants write the quantity 0 to have nothing written off from the licence."""
    clock_tolerance: timedelta = timedelta(hours=24)
    """How far a sender's clock may be ahead of the record timestamp before it is remarked."""

    def licence_codes(self, country: str) -> frozenset[str]:
        """The document codes that are claims in declarations of this country."""
        if country not in self.legacy_codes and country not in self.national_codes:
            return self.types.claim_codes
        own = {*self.legacy_codes.get(country, ()), *self.national_codes.get(country, ())}
        return (self.types.claim_codes | own) - NEVER_A_LICENCE

    def statuses(self, country: str) -> Mapping[str, StatusEffect]:
        """The meaning of document statuses in declarations of this country; empty: it uses none."""
        state = issuing_state(country)
        known, changed = DOCUMENT_STATUSES.get(state, {}), self.document_statuses.get(state)
        return {**known, **changed} if changed else known

    def zero_writes_off_nothing(self, country: str) -> bool:
        """Whether a declarant of this country may write the quantity 0."""
        return issuing_state(country) in self.zero_quantity_countries

    def issuer(self, country: str) -> str:
        """The issuer of a licence cited without issuer in a declaration of this country."""
        return self.issuer_countries.get(country) or issuing_state(country) or self.default_issuer

    def zone(self, country: str) -> tzinfo:
        """The zone of times that state none."""
        return self.zones.get(country) or ZONES.get(country) or self.default_zone


DEFAULT_OPTIONS = DecodeOptions()
