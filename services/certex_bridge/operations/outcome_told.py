"""What an outcome document says of its claims and of the message, for the commands: code, field, value and sentence."""

from __future__ import annotations

from typing import Any

OUTCOME = "SELECT body FROM outbox WHERE agg_type = 'outcome' AND agg_id = $1 AND agg_ver = $2"
OUTCOMES = "SELECT agg_ver, at, body FROM outbox WHERE agg_type = 'outcome' AND agg_id = $1 ORDER BY agg_ver"

Told = dict[str, str]
"""One verdict or finding: severity, rule, code, field, value, available, message; empty where it is not told."""

_NAMES = (
    ("severity", "severity"),
    ("rule", "rule"),
    ("code", "code"),
    ("field", "errorPointer"),
    ("value", "originalAttributeValue"),
    ("available", "available"),
    ("message", "text"),
)


def verdicts_of(document: bytes, *, judged: bool = False) -> dict[tuple[int, int, str], list[Told]]:
    """Every verdict that has a code, by goods item, document and licence.

    `judged`: only of claims that the rules were tested on; an event refused as a whole repeats them as they stand.
    """
    found: dict[tuple[int, int, str], list[Told]] = {}
    for claim in _root(document).iterfind("{*}ClaimResult"):
        if judged and not (claim.findtext("{*}rulesPassed") or claim.findtext("{*}rulesNotTested")):
            continue
        item = int(claim.findtext("{*}declarationGoodsItemNumber") or 0)
        place = (
            item,
            int(claim.findtext("{*}SupportingDocument/{*}sequenceNumber") or 0),
            str(claim.findtext("{*}licenceIdentification") or ""),
        )
        found.setdefault(place, []).extend(_told(one) for one in claim.iterfind("{*}Verdict"))
    return found


def findings_of(document: bytes) -> list[Told]:
    """The findings on the message as a whole."""
    return [_told(one) for one in _root(document).iterfind("{*}Finding")]


def in_words(told: Told) -> str:
    """`CODE (field: value): sentence`."""
    about = ": ".join(filter(None, (told["field"], told["value"])))
    about += f", available {told['available']}" if told.get("available") else ""
    place = f" ({about})" if about else ""
    return f"{told['code']}{place}" + (f": {told['message']}" if told["message"] else "")


def _told(element: Any) -> Told:
    return {name: str(element.findtext("{*}" + tag) or "") for name, tag in _NAMES}


def _root(document: bytes) -> Any:
    from certex_bridge.platform.xmlgate import XmlLimits, parse_xml

    return parse_xml(document, XmlLimits(size_bytes=max(len(document), 1)))
