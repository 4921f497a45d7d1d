r"""Patterns of the models in the regular expressions of XML Schema.

There a pattern holds for the whole value without anchors, there are no codes of characters, and `\s` means four
characters where the models mean all of Unicode's blanks.
"""

from __future__ import annotations

import re

from certex_bridge.kernel.errors import ConfigurationError

_BLANKS = (
    r" \t\n\r" + chr(0x85) + chr(0xA0) + chr(0x1680) + f"{chr(0x2000)}-{chr(0x200A)}"
    + chr(0x2028) + chr(0x2029) + chr(0x202F) + chr(0x205F) + chr(0x3000)
)  # fmt: skip
"""What `\\s` is to the models, as far as XML can carry it."""
_TOKEN = re.compile(r"\(\?:|\(\?|\\x[0-9a-fA-F]{2}(?:-\\x[0-9a-fA-F]{2})?|\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL)
_CLASS = re.compile(r"\[(?:\\.|[^\]\\])*\]")
_CODE = re.compile(r"\\[xu]([0-9a-fA-F]+)")
_UNKNOWN = frozenset("bBAzZGpP")
_IN_XML_BELOW_BLANK = {9: r"\t", 10: r"\n", 13: r"\r"}


def xsd_pattern(pattern: str) -> str:
    """The pattern as XML Schema writes it.

    Raises:
        ConfigurationError: not anchored at both ends, or it uses what there is no counterpart for.
    """
    if not (pattern.startswith("^") and pattern.endswith("$")):
        raise ConfigurationError("a pattern holds for the whole value", field="pattern", value=pattern)
    translated = "".join(_one(piece, pattern) for piece in _TOKEN.findall(pattern[1:-1]))
    return _CLASS.sub(_once, translated)


def _one(piece: str, pattern: str) -> str:
    if piece == "(?:":
        return "("
    if piece == "(?" or (piece[0] == "\\" and piece[1] in _UNKNOWN):
        raise ConfigurationError(f"XML Schema has nothing like {piece}", field="pattern", value=pattern)
    codes = [int(code, 16) for code in _CODE.findall(piece)]
    if codes:
        return _characters(codes[0], codes[-1])
    return _BLANKS if piece == r"\s" else piece


def _characters(first: int, last: int) -> str:
    """A character or a range of them, without those that no XML document has."""
    if last < 32:
        return "".join(text for code, text in _IN_XML_BELOW_BLANK.items() if first <= code <= last)
    if first >= 0xFFFE:
        return ""
    text = chr(first)
    return text if first == last else f"{text}-{chr(last)}"


def _once(found: re.Match[str]) -> str:
    """A class of characters that names no line break twice."""
    text = found[0]
    for mark in _IN_XML_BELOW_BLANK.values():
        head, seen, tail = text.partition(mark)
        text = head + seen + tail.replace(mark, "")
    return text
