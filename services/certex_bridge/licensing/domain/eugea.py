"""Destinations of the Union general export authorisations, EU001 to EU008, by the day from which a list counts.

Regulation (EU) 2021/821 Annex II, Sections A to H, in ISO 3166 codes, read on 2026-11-01. Compared in GEONOM, the
declaration's code list: Serbia is RS or XS, and territories that GEONOM counts within a country (Svalbard, Puerto Rico,
the Channel Islands) stand with it, since a declaration cannot tell them apart.

Not in these lists, since they change from week to week and are not part of the Regulation: arms embargoes, which
close EU008 further.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from certex_bridge.kernel.countries import ISO_CODES, MEMBER_STATES, to_geonom, whole_country
from certex_bridge.licensing.domain.licence import LicenceType


class Destinations(NamedTuple):
    """One list and the first day on which it counts."""

    first_day: date
    countries: frozenset[str]
    """GEONOM codes."""


def _listed(codes: str) -> frozenset[str]:
    return frozenset(to_geonom(code) for code in codes.split())


_IN_FORCE = date(2021, 9, 9)
"""Regulation (EU) 2021/821 Art. 31."""

_EU001 = _listed("AU CA IS JP NZ NO CH LI GB US")
# "French overseas territories" are those outside the customs territory of the Union; China is with Hong Kong and Macao.
_REPAIR_AND_FAIRS = _listed(
    "AL AR BA BR CL CN HK MO BL NC PF PM TF WF IN KZ MX ME MA MK RS SG ZA KR TN TR UA AE",
)
_EU008_EXCLUDED = _listed(
    "AF AM AZ BY KH CF CN HK MO CG CD EG ER GE IR IQ IL KZ KG LB LY MY ML MU MN MM KP OM PK QA RU SA SO SS SD SY TJ TM "
    "AE UZ VE YE ZW"
)
_UNION = _listed(" ".join(MEMBER_STATES))
_EVERYWHERE = _listed(" ".join(ISO_CODES)) | {"XK"}

EUGEA_DESTINATIONS: Mapping[str, tuple[Destinations, ...]] = MappingProxyType(
    {
        LicenceType.EU001: (Destinations(_IN_FORCE, _EU001),),
        LicenceType.EU002: (Destinations(_IN_FORCE, _listed("AR ZA KR TR")),),
        LicenceType.EU003: (Destinations(_IN_FORCE, _REPAIR_AND_FAIRS),),
        LicenceType.EU004: (Destinations(_IN_FORCE, _REPAIR_AND_FAIRS),),
        LicenceType.EU005: (Destinations(_IN_FORCE, _listed("AR CN HK MO IN ZA KR TR UA")),),
        LicenceType.EU006: (Destinations(_IN_FORCE, _listed("AR KR TR UA")),),
        LicenceType.EU007: (Destinations(_IN_FORCE, _listed("AR BR CL IN ID IL JO MY MX MA PH SG ZA KR TH TN")),),
        LicenceType.EU008: (Destinations(_IN_FORCE, _EVERYWHERE - _UNION - _EU001 - _EU008_EXCLUDED),),
    }
)
"""Lists of each type, oldest first; an amendment of Annex II adds a list and leaves the older ones as they are."""


def eugea_allows(licence_type: str, country: str, day: date) -> bool:
    """Whether a Union general authorisation covers a destination on a calendar day.

    Args:
        licence_type: EU001 to EU008; every other type has no list and allows all.
        country: destination, ISO 3166 or GEONOM.
        day: the day that counts (of acceptance; for a registration its first day). Before the first list, that one
            counts: registrations of the time before Regulation (EU) 2021/821 live on under it.
    """
    lists = EUGEA_DESTINATIONS.get(licence_type)
    if lists is None:
        return True
    counting = [one for one in lists if one.first_day <= day] or lists[:1]
    listed = counting[-1].countries
    return to_geonom(country) in listed or whole_country(country) in listed
