"""Currencies: ISO 4217 alphabetic codes with the decimals of their minor unit."""

from __future__ import annotations

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

# ISO 4217 table A.3: left the list while licences written in them can still be open (a licence is re-issued, never
# converted here): Croatian kuna 2023, Antillean guilder 2025, Bulgarian lev 2026.
_WITHDRAWN: dict[str, int] = {"HRK": 2, "ANG": 2, "BGN": 2}

MINOR_UNITS: dict[str, int] = {
    **{code: digits for digits, codes in _BY_MINOR_UNIT.items() for code in codes.split()},
    **_WITHDRAWN,
}
"""Currency code to the number of decimals of its minor unit."""


def minor_unit(currency: str, field: str = "") -> int:
    """Decimals of the currency's minor unit (JPY 0, EUR 2, KWD 3).

    Raises:
        InputError: code CURRENCY_UNKNOWN; lower case is not repaired.
    """
    digits = MINOR_UNITS.get(currency)
    if digits is None:
        raise InputError("not an ISO 4217 currency code", field=field, value=currency, code="CURRENCY_UNKNOWN")
    return digits
