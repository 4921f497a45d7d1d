"""Country codes: ISO 3166 alpha-2 of licensing systems and the customs nomenclature (GEONOM).

Customs declarations use GEONOM, Annex I to Implementing Regulation (EU) 2020/1470; transit and most licensing
systems use ISO 3166. The two differ where it hurts: Serbia is XS in one and RS in the other.
"""

from __future__ import annotations

from certex_bridge.kernel.errors import Finding

# ISO 3166-1 alpha-2, officially assigned codes, 2025-12.
_ISO = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
    FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
    JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
    MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
    PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
    TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""

# Territories with an ISO code of their own that GEONOM counts within a country (its notes to FI, FR, GB, NO, US).
_WITHIN: dict[str, str] = {
    "AX": "FI",
    "GF": "FR",
    "GP": "FR",
    "MC": "FR",
    "MF": "FR",
    "MQ": "FR",
    "RE": "FR",
    "YT": "FR",
    "GG": "GB",
    "IM": "GB",
    "JE": "GB",
    "SJ": "NO",
    "PR": "US",
}

# GEONOM codes outside ISO 3166, with the ISO code that covers the place. XK is user-assigned in ISO and common.
_GEONOM_ONLY: dict[str, str] = {
    "XC": "ES",  # Ceuta
    "XI": "GB",  # Northern Ireland
    "XK": "XK",  # Kosovo
    "XL": "ES",  # Melilla
    "XS": "RS",  # Serbia
    "XU": "GB",  # United Kingdom without Northern Ireland
}

_SPECIAL = "EU QP QQ QR QS QU QV QW QX QY QZ"
_UNION = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"

ISO_CODES: frozenset[str] = frozenset(_ISO.split())
"""Officially assigned ISO 3166-1 alpha-2 codes."""
SPECIAL_CODES: frozenset[str] = frozenset(_SPECIAL.split())
"""GEONOM codes that name no country (high seas, stores, not specified, Union origin)."""
MEMBER_STATES: frozenset[str] = frozenset(_UNION.split())
"""The 27 member states; Greece is GR in customs (EL belongs to VAT and excise)."""

_TO_GEONOM: dict[str, str] = {"RS": "XS", **_WITHIN}
_ACCEPTED: frozenset[str] = ISO_CODES | _GEONOM_ONLY.keys() | SPECIAL_CODES


def check_country(code: str, field: str = "country") -> list[Finding]:
    """Findings on a country code: COUNTRY_UNKNOWN when neither ISO 3166 nor GEONOM has it (EL and UK: neither)."""
    if code in _ACCEPTED:
        return []
    return [Finding("COUNTRY_UNKNOWN", field, code[:512], "not a country code of ISO 3166 or GEONOM")]


def check_issuer(code: str, field: str = "issuer") -> list[Finding]:
    """Findings on an issuing country: those of `check_country`, and COUNTRY_SPECIAL for codes that name no country.

    EU stays: the Union itself can be the issuer of what its regulations authorise.
    """
    if code in SPECIAL_CODES and code != "EU":
        return [Finding("COUNTRY_SPECIAL", field, code, "high seas, stores and the like issue no licence")]
    return check_country(code, field)


_PARTS = {"XI": "GB", "XU": "GB"}
"""Parts of a country that GEONOM codes apart."""


def whole_country(country: str) -> str:
    """The country that GEONOM codes in parts, for one of these; other codes come back unchanged."""
    return _PARTS.get(country, country)


def issuing_state(country: str) -> str:
    """The state whose authority issues the licences of this country: one serves the whole United Kingdom."""
    return whole_country(country)


def valid_in(issuer: str, country: str) -> bool:
    """Whether a licence of this issuer can be used in declarations of this country.

    Regulation (EU) 2021/821 Art. 12(1): throughout the customs territory of the Union. It applies to Northern Ireland,
    too, whose licences are the United Kingdom's; a licence of another state is valid there alone. True where one of the
    two is not known.
    """
    if not issuer or not country or issuing_state(issuer) == issuing_state(country):
        return True
    return (issuer in MEMBER_STATES or issuer == "EU") and (country in MEMBER_STATES or country == "XI")


def to_geonom(iso: str) -> str:
    """The GEONOM code for an ISO code; GEONOM codes and unknown codes come back unchanged."""
    return _TO_GEONOM.get(iso, iso)


def to_iso(geonom: str) -> str:
    """The ISO code that covers a GEONOM code; ISO codes and unknown codes come back unchanged."""
    return _GEONOM_ONLY.get(geonom, geonom)


def same_country(a: str, b: str) -> bool:
    """Whether two codes, each ISO or GEONOM, name the same country in GEONOM (RS and XS do, GB and XI do not)."""
    return to_geonom(a) == to_geonom(b)


def within_country(part: str, whole: str) -> bool:
    """Whether `part` is `whole` or one of the parts GEONOM codes apart: XI and XU lie within GB.

    Ceuta (XC) and Melilla (XL) are not within ES: GEONOM excludes them from Spain.
    """
    return same_country(part, whole) or whole_country(part) == whole
