"""Documents for reading: XML set in lines and judged by its schema, bytes of strangers made harmless."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from certex_bridge.platform.poison import Poison
from certex_bridge.platform.xmlgate import parse_xml
from certex_bridge.platform.xsd import DocumentInvalid, Validator

SHOWN_BYTES = 65_536
"""More of a record is not shown, and it cannot be edited here."""
_HEX_BYTES = 2_048
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Controls, invisible characters and those that turn the direction of text: shown as escapes, never as themselves."""


@dataclass(frozen=True, slots=True)
class Paper:
    """An XML document for reading."""

    text: str
    family: str
    version: int
    errors: tuple[tuple[int, str], ...] = ()
    """(line of the text shown, what is wrong there); empty: it fits its schema."""


def paper(document: bytes, family: str, version: int = 1) -> Paper:
    """Set in lines and validated; errors name the lines that are shown."""
    try:
        root = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
        etree.indent(root, "  ")
        text = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    except etree.XMLSyntaxError:
        text = document
    errors: tuple[tuple[int, str], ...] = ()
    try:
        Validator(family, version).validate(text)  # not the shared one: this runs in a thread of its own
    except DocumentInvalid as invalid:
        errors = invalid.errors
    return Paper(escaped(text.decode("utf-8", "backslashreplace")), family, version, errors)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule said of a claim."""

    rule: str
    result: str
    """passed, failed, warned, or nothing to test on."""
    code: str = ""
    declared: str = ""
    available: str = ""
    text: str = ""


@dataclass(slots=True)
class Outcome:
    """What the last answer to customs said of a claim."""

    table: str = ""
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def remarkable(self) -> list[Verdict]:
        """Those that say more than their rule's name."""
        return [one for one in self.verdicts if one.code]

    def rules(self, result: str) -> list[str]:
        """The rules with this result and nothing more to say."""
        return [one.rule for one in self.verdicts if one.result == result and not one.code]


ClaimPlace = tuple[int, int, str, int]
"""Goods item, document, licence, line."""


def outcomes(document: bytes) -> dict[ClaimPlace, Outcome]:
    """Every claim's every verdict in an outcome document (XSD family quantity-movement)."""
    try:
        root = parse_xml(document)
    except Poison:
        return {}
    found = {}
    for result in root.iterfind("{*}ClaimResult"):
        place = (
            int(_text(result, "declarationGoodsItemNumber") or 0),
            int(_text(result, "SupportingDocument/{*}sequenceNumber") or 0),
            _text(result, "licenceIdentification"),
            int(_text(result, "SupportingDocument/{*}documentLineItemNumber") or 0),
        )
        found[place] = Outcome(_text(result, "rulesTable"), _verdicts(result))
    return found


def _verdicts(result: Any) -> list[Verdict]:
    told = [
        Verdict(
            _text(one, "rule"),
            "warned" if _text(one, "severity") == "WARNING" else "failed",
            _text(one, "code"),
            _text(one, "originalAttributeValue"),
            _text(one, "available"),
            _text(one, "text"),
        )
        for one in result.iterfind("{*}Verdict")
    ]
    told += [Verdict(rule, "passed") for rule in _text(result, "rulesPassed").split()]
    return told + [Verdict(rule, "untested") for rule in _text(result, "rulesNotTested").split()]


def _text(element: Any, path: str) -> str:
    return str(element.findtext("{*}" + path) or "")


def escaped(text: str) -> str:
    """Text whose characters are what they look like; line ends and tabs stay."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def readable(raw: bytes | None) -> str:
    """Foreign bytes as text: what is no UTF-8 and what cannot be seen as escapes, and not endlessly much."""
    return escaped((raw or b"")[:SHOWN_BYTES].decode("utf-8", "backslashreplace").replace("\r\n", "\n"))


def hexadecimal(raw: bytes | None) -> str:
    """The first bytes as a table: offset, hexadecimal, printable."""
    lines = []
    for start in range(0, min(len(raw or b""), _HEX_BYTES), 16):
        row = (raw or b"")[start : start + 16]
        seen = "".join(chr(one) if 32 <= one < 127 else "." for one in row)
        lines.append(f"{start:06x}  {row.hex(' '):<47}  {seen}")
    return "\n".join(lines)


def editable(raw: bytes | None) -> str | None:
    """Text for a form field that gives the same bytes back; None when no form field can."""
    if raw is None:
        return ""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if len(raw) > SHOWN_BYTES or _CONTROL.search(text.replace("\r\n", "\n")) else text


def edited(text: str, original: bytes | None) -> bytes:
    """Bytes of a form field: browsers write line ends as CRLF, so those of the original count."""
    if b"\r\n" not in (original or b""):
        text = text.replace("\r\n", "\n")
    return text.encode("utf-8", "backslashreplace")


def difference(before: bytes | None, after: bytes) -> str:
    """What was changed, line by line."""
    old, new = (readable(one).replace("><", ">\n<").replace(',"', ',\n"').splitlines() for one in (before, after))
    return "\n".join(
        line for line in difflib.unified_diff(old, new, lineterm="", n=1) if line[:3] not in {"---", "+++"}
    )
