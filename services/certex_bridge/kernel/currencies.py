"""Currencies: ISO 4217 alphabetic codes with the decimals of their minor unit, and those that the euro replaced."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor
from types import MappingProxyType
from typing import NamedTuple

from certex_bridge.kernel.errors import InputError

# ISO 4217 table A.1 as published 2026-01-01. Codes without a minor unit (precious metals, SDR, test codes) are left
# out: nobody can value goods in them on a declaration.
_BY_MINOR_UNIT: dict[int, str] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
        CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF
        IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
        MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP
        SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG
        YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

# ISO 4217 table A.3: left the list while licences written in them can still be open: Croatian kuna 2023, Antillean
# guilder 2025, Bulgarian lev 2026.
_WITHDRAWN: dict[str, int] = {"HRK": 2, "ANG": 2, "BGN": 2}

MINOR_UNITS: dict[str, int] = {
    **{code: digits for digits, codes in _BY_MINOR_UNIT.items() for code in codes.split()},
    **_WITHDRAWN,
}
"""Currency code to the number of decimals of its minor unit."""


EURO = "EUR"


class Replaced(NamedTuple):
    """A currency that the euro replaced."""

    rate: Decimal
    """Units for one euro, six significant figures; never inverted or shortened (Regulation (EC) No 1103/97 Art. 4)."""
    first_day: date
    """From this day on amounts in the currency are read as amounts in euro (Regulation (EC) No 974/98 Art. 14)."""


# Regulation (EC) No 2866/98 as amended for each adoption; for the lev Regulation (EU) 2025/1408.
_ADOPTIONS = """
    SIT 239.640  2007-01-01
    CYP 0.585274 2008-01-01
    MTL 0.429300 2008-01-01
    SKK 30.1260  2009-01-01
    EEK 15.6466  2011-01-01
    LVL 0.702804 2014-01-01
    LTL 3.45280  2015-01-01
    HRK 7.53450  2023-01-01
    BGN 1.95583  2026-01-01
"""

REPLACED: Mapping[str, Replaced] = MappingProxyType(
    {
        code: Replaced(Decimal(rate), date.fromisoformat(day))
        for code, rate, day in (line.split() for line in _ADOPTIONS.strip().splitlines())
    }
)
"""By code, those replaced in this century after the first twelve; older amounts are in no licence that can be open."""


def is_replaced(currency: str, day: date) -> bool:
    """Whether amounts in this currency are read as amounts in euro on this day."""
    known = REPLACED.get(currency)
    return known is not None and known.first_day <= day


def in_euro(amount: Decimal, currency: str) -> Decimal:
    """An amount in a replaced currency as the amount in euro that it is by law.

    Divided by the legal rate and rounded once, to the nearest cent, half a cent upwards (Regulation (EC) No 1103/97
    Art. 4 and 5). It is the only rounding there is, and the law's own: everybody gets the same cent.

    Raises:
        KeyError: the euro did not replace this currency.
    """
    cents = floor(Fraction(amount) * 100 / Fraction(REPLACED[currency].rate) + Fraction(1, 2))
    return Decimal(cents).scaleb(-2)


def minor_unit(currency: str, field: str = "") -> int:
    """Decimals of the currency's minor unit (JPY 0, EUR 2, KWD 3).

    Raises:
        InputError: code CURRENCY_UNKNOWN; lower case is not repaired.
    """
    digits = MINOR_UNITS.get(currency)
    if digits is None:
        raise InputError("not an ISO 4217 currency code", field=field, value=currency, code="CURRENCY_UNKNOWN")
    return digits
