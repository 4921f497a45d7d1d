"""Identifiers of the customs and licensing world: licence number, MRN, LRN, EORI, office, commodity code, event id.

A check returns findings and repairs nothing: lower case, blanks and look-alike letters stay what they are, because
two parties that repair differently end up with two identities.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from certex_bridge.kernel.countries import issuing_state
from certex_bridge.kernel.errors import Finding, IdentifierError, Severity
from certex_bridge.kernel.numbering import normalised, numbering_of

LICENCE_NUMBER_LENGTH = 70
"""D.E. 12 03 001 is an..70."""
EVENT_ID_LENGTH = 128

EORI_PATTERN = r"[A-Z]{2}[!-~]{1,15}"
"""Country and 1 to 15 printable ASCII characters."""
COMMODITY_PATTERN = r"[0-9]{6}(?:[0-9]{2}){0,2}"
"""HS 6, CN 8 or TARIC 10 digits."""

_COMMODITY_MATCH_DIGITS = 6

_MRN = re.compile(r"[0-9]{2}[A-Z]{2}[A-Z0-9]{13}[0-9]", re.ASCII).fullmatch
_MRN_STEM = re.compile(r"[0-9]{2}[A-Z]{2}[A-Z0-9]{13}", re.ASCII).fullmatch
_LRN = re.compile(r"[!-~](?:[ -~]{0,20}[!-~])?", re.ASCII).fullmatch
_EORI = re.compile(EORI_PATTERN, re.ASCII).fullmatch
_COMMODITY = re.compile(COMMODITY_PATTERN, re.ASCII).fullmatch

# ISO 6346 letter values (A=10, multiples of 11 skipped) taken modulo 11 and written as digits of base 13.
_LETTER_VALUES = [value for value in range(10, 39) if value % 11]
_RESIDUES = str.maketrans(
    {
        letter: "0123456789a"[value % 11]
        for letter, value in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", _LETTER_VALUES, strict=True)
    }
)

# Characters that print nothing although Unicode does not file them under format or control.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_INVISIBLE_RANGES = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def licence_key(issuer: str, number: str) -> str:
    """The identity of a licence, `issuer/NUMBER`: the number as the issuer's numbering compares it.

    Two licences of different issuers never share a key. XI issues under GB: one authority serves the United Kingdom.
    """
    state = issuing_state(issuer)
    return f"{state}/{normalised(number, numbering_of(state))}"


def licence_number(licence_id: str) -> str:
    """The number in the identity of a licence."""
    return licence_id.partition("/")[2]


def issuer_of(licence_id: str) -> str:
    """The issuer in the identity of a licence."""
    return licence_id.partition("/")[0]


def _prints_nothing(character: str) -> bool:
    return (
        unicodedata.category(character) in _REFUSED_CATEGORIES
        or character in _INVISIBLE
        or any(ord(character) in block for block in _INVISIBLE_RANGES)
    )


def check_licence_number(number: str, field: str = "number") -> list[Finding]:
    """Findings on a licence number (an..70).

    LICENCE_NUMBER_INVALID (error): empty, too long, or with control, zero-width or unassigned characters.
    LICENCE_NUMBER_BLANKS (warning): blanks around it, which are not part of the identity.
    LICENCE_NUMBER_NOT_NFC (warning): another spelling of the same letters would be another licence.
    """
    seen = number[:512]
    findings = []
    if not number.strip():
        findings.append(Finding("LICENCE_NUMBER_INVALID", field, seen, "a licence number is not empty"))
    if len(number) > LICENCE_NUMBER_LENGTH:
        message = f"{len(number)} characters where at most {LICENCE_NUMBER_LENGTH} are accepted"
        findings.append(Finding("LICENCE_NUMBER_INVALID", field, seen, message))
    if not (number.isascii() and number.isprintable()) and any(map(_prints_nothing, number)):
        message = "control, zero-width and unassigned characters are not accepted"
        findings.append(Finding("LICENCE_NUMBER_INVALID", field, seen, message))
    if number != number.strip():
        message = "blanks around the number are not part of it"
        findings.append(Finding("LICENCE_NUMBER_BLANKS", field, seen, message, Severity.WARNING))
    if not unicodedata.is_normalized("NFC", number):
        message = "letters with separate accents (not NFC) name another licence than composed letters"
        findings.append(Finding("LICENCE_NUMBER_NOT_NFC", field, seen, message, Severity.WARNING))
    return findings


def _check_digit(mrn: str) -> str:
    # The algorithm sums value x 2^(position - 1) modulo 11. 13 leaves 2 when divided by 11, so the number read in
    # base 13 with the first position last has the same remainder: one conversion in C instead of 17 steps here.
    return str(int(mrn[16::-1].translate(_RESIDUES), 13) % 11 % 10)


def mrn_check_digit(first17: str) -> str:
    """The check digit for the first 17 characters of an MRN (paper DG XXI/0879/99, ISO 6346 values).

    Raises:
        IdentifierError: code MRN_INVALID when these are not the first 17 characters of an MRN.
    """
    if _MRN_STEM(first17) is None:
        message = "not two digits, a country and 13 capital letters or digits"
        raise IdentifierError(message, field="mrn", value=first17, code="MRN_INVALID")
    return _check_digit(first17)


@lru_cache(maxsize=65536)
def _mrn_findings(text: str, field: str) -> tuple[Finding, ...]:
    if _check_digit(text) == text[17]:
        return ()
    message = f"the check digit of these characters is {_check_digit(text)}"
    return (Finding("MRN_CHECK_DIGIT", field, text, message, Severity.WARNING),)


def check_mrn(text: str, field: str = "mrn") -> list[Finding]:
    """Findings on a master reference number (18 characters; legacy and current format).

    MRN_INVALID (error): impossible shape; lower case and blanks are not repaired.
    MRN_CHECK_DIGIT (warning): the last digit does not verify. A warning because customs' own test data fail it.
    """
    if _MRN(text) is None:
        message = "an MRN is two digits, a country, 13 capital letters or digits and a check digit"
        return [Finding("MRN_INVALID", field, text[:512], message)]
    return list(_mrn_findings(text, field))


def mrn_member_state(mrn: str) -> str:
    """The country in an MRN (positions 3 and 4)."""
    return mrn[2:4]


def check_lrn(text: str, field: str = "lrn") -> list[Finding]:
    """LRN_INVALID unless 1 to 22 printable ASCII characters without blanks around them (D.E. 12 09, an..22)."""
    if _LRN(text):
        return []
    message = "an LRN has 1 to 22 printable characters without blanks around them"
    return [Finding("LRN_INVALID", field, text[:512], message)]


def check_eori(text: str, field: str = "eori") -> list[Finding]:
    """EORI_INVALID unless two capital letters and 1 to 15 printable ASCII characters; hyphens are legal."""
    if _EORI(text):
        return []
    message = "an EORI number is a country code and 1 to 15 printable characters without blanks"
    return [Finding("EORI_INVALID", field, text[:512], message)]


_TWINS = {"GB": "XI", "XI": "GB"}


def eori_twins(eori: str) -> tuple[str, ...]:
    """All EORI numbers of the trader with this one, which comes first.

    The XI number of a trader in the United Kingdom is its GB number with another prefix.
    """
    twin = _TWINS.get(eori[:2])
    return (eori, twin + eori[2:]) if twin else (eori,)


def same_trader(a: str, b: str) -> bool:
    """Whether two EORI numbers are of one trader."""
    return a == b or (bool(a) and a in eori_twins(b))


def check_commodity_code(text: str, field: str = "commodity") -> list[Finding]:
    """COMMODITY_CODE_INVALID unless 6 (HS), 8 (CN) or 10 (TARIC) digits; seven and nine are a digit lost."""
    if _COMMODITY(text):
        return []
    message = "a commodity code has 6 (HS), 8 (CN) or 10 (TARIC) digits"
    return [Finding("COMMODITY_CODE_INVALID", field, text[:512], message)]


def commodity_matches(a: str, b: str) -> bool:
    """Whether one code is the beginning of the other, the shorter one having at least six digits."""
    shared = min(len(a), len(b))
    return shared >= _COMMODITY_MATCH_DIGITS and a[:shared] == b[:shared]


def check_event_id(text: str, field: str = "id") -> list[Finding]:
    """EVENT_ID_INVALID unless 1 to 128 printable characters."""
    if 0 < len(text) <= EVENT_ID_LENGTH and text.isprintable():
        return []
    message = f"an event id has 1 to {EVENT_ID_LENGTH} printable characters"
    return [Finding("EVENT_ID_INVALID", field, text[:512], message)]
