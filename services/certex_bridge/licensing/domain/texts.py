"""Formats of the texts in a licence: one table that the lint reads, the certificate renders and the XSD repeats.

A text is never shortened, trimmed or repaired on its way to customs (Regulation (EU) 2022/2399 Art. 10(2)(b)): what
the certificate cannot carry is refused when the licence comes in, not when customs ask for it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from certex_bridge.kernel.errors import Finding, Severity

LENGTHS: Mapping[str, int] = MappingProxyType(
    {
        "referenceNumber": 70,
        "issuingAuthorityName": 70,
        "name": 70,
        "identificationNumber": 17,
        "streetAndNumber": 70,
        "postcode": 17,
        "city": 35,
        "descriptionOfGoods": 512,
        "controlListCode": 35,
        "casNumber": 12,
        "condition": 512,
        "applicationNumber": 70,
        "legalBasis": 255,
        "replacedReferenceNumber": 70,
        "figureAsStated": 70,
        "reason": 512,
        "unitAsStated": 35,
        "subStatus": 70,
        "endUse": 512,
        "additionalInformation": 512,
        "legalType": 70,
        "vatNumber": 17,
        "partnerType": 35,
        "itemType": 35,
        "technicalSpecification": 512,
        "regulation": 70,
        "consumptionMethod": 35,
        "customsPurposesOnly": 512,
        "officer": 35,
        "evidenceType": 35,
        "evidenceNumber": 70,
    }
)
"""Characters per text (UCC-IA Annex B for elements with a number, ours for the others); those from `reason` on
have no element of their own: the certificate has those of a licence in original form, the others are in the record."""

COUNTS: Mapping[str, int] = MappingProxyType(
    {
        "lines": 999,
        "consignees": 99,
        "endUsers": 99,
        "destinations": 300,
        "consignmentCountries": 300,
        "procedures": 99,
        "conditions": 99,
        "commodityCodes": 99,
        "cas": 99,
        "parts": 99,
        "memberStatesOfLocation": 27,
        "memberStatesOfEntry": 27,
        "endUse": 99,
        "additionalInformation": 99,
        "tradePartners": 99,
        "documentCodes": 99,
    }
)
"""Entries per list of a licence event; the XSD has the same limits."""

# Details of a contact have no place in the exchange (Regulation (EU) 2022/2399 Art. 6(3)), in free text neither.
_MAIL = re.compile(r"[^\s@<>(),;:]@[^\s@<>(),;:]+\.[^\W\d_]{2}").search
_TELEPHONE = re.compile(
    r"\+[1-9](?:[ ()./-]{0,2}[0-9]){7}"
    r"|(?<![\w.,])00[1-9][0-9]{0,2}(?:[ ./-]{1,2}[0-9]{1,5}){3}"
    r"|(?<!\w)(?:tel|phone|telephone|telefon|telefoon|fax|telefax|mobile|mobil|gsm|t[eé]l|t[eé]l[eé]phone)"
    r"(?:\.|(?!\w))[ :.-]{0,3}(?:no\.?|nr\.?)?[ :]{0,2}[(+]{0,2}[0-9](?:[ ()./-]{0,2}[0-9]){4}",
    re.IGNORECASE,
).search

_FIRST_NONCHARACTER, _LAST_NONCHARACTER = 0xFFFE, 0xFFFF
# Characters that show nothing although Unicode does not file them under "format".
_SHOWS_NOTHING = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


_TELEPHONE_HINTS = ("+", "00", "tel", "tél", "fax", "phone", "mobil", "gsm")


def _holds_contact(text: str) -> bool:
    """Plain searches first: hardly any text has a hint, and the expressions look at every position."""
    if "@" in text and _MAIL(text):
        return True
    folded = text.lower()
    return any(hint in folded for hint in _TELEPHONE_HINTS) and _TELEPHONE(text) is not None


def check_text(text: str, field: str, element: str, *, required: bool = False) -> list[Finding]:
    """Findings on one text against the format of the certificate element that will carry it.

    FIELD_MISSING (required and empty), TOO_LONG, BLANKS (around the text), CONTROL_CHARACTER (line breaks included:
    a schema may fold them, so sender and reader would see two texts), ZERO_WIDTH, NOT_XML, CONTACT_DATA (an e-mail
    address or a telephone number); NOT_NFC is a warning. Of a text that is too long only its beginning is looked at.
    """
    if not text:
        return [Finding("FIELD_MISSING", field, "", "the certificate needs this text")] if required else []
    findings = []
    if len(text) > LENGTHS[element]:
        message = f"{len(text)} characters where {element} holds {LENGTHS[element]}; texts are never shortened"
        findings.append(Finding("TOO_LONG", field, _seen(text), message))
        text = text[: LENGTHS[element]].strip()
    if text != text.strip():
        findings.append(Finding("BLANKS", field, _seen(text), "blanks around a text fail the customs schemas"))
    if not (text.isascii() and text.isprintable()):
        findings.extend(_check_characters(text, field))
    if _holds_contact(text):
        # The value is left out: a finding goes to logs and to other systems.
        message = "e-mail addresses and telephone numbers are not exchanged"
        findings.append(Finding("CONTACT_DATA", field, "", message))
    return findings


def _check_characters(text: str, field: str) -> list[Finding]:
    """One finding per kind of bad character, naming the first one of its kind."""
    first: dict[str, str] = {}
    for character in text:
        code = _refused(character)
        if code:
            first.setdefault(code, f"U+{ord(character):04X}")
    findings = [Finding(code, field, seen, _CHARACTER_MESSAGES[code]) for code, seen in first.items()]
    if "NOT_XML" not in first and not unicodedata.is_normalized("NFC", text):
        message = "letters with separate accents (not NFC) are sent as they are and may compare unequal"
        findings.append(Finding("NOT_NFC", field, _seen(text), message, Severity.WARNING))
    return findings


_CHARACTER_MESSAGES = {
    "CONTROL_CHARACTER": "control characters and line breaks are not accepted",
    "ZERO_WIDTH": "characters that show nothing are not accepted",
    "NOT_XML": "XML 1.0 cannot carry this character",
}


def _refused(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cs" or _FIRST_NONCHARACTER <= ord(character) <= _LAST_NONCHARACTER:
        return "NOT_XML"
    if category in {"Cc", "Zl", "Zp"}:
        return "CONTROL_CHARACTER"
    return "ZERO_WIDTH" if category == "Cf" or character in _SHOWS_NOTHING else ""


def _seen(text: str) -> str:
    """The text as shown in a finding: bounded, and without characters a log or database could choke on."""
    shown = text[:80]
    return shown if shown.isprintable() else shown.encode("unicode_escape").decode("ascii")
