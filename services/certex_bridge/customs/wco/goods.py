"""Goods items and their documents in WCO shape, told in the words of the canonical event.

Documents come as AdditionalDocument with the code split in category and type (`X` + `002`, United Kingdom) or as
SupportingDocument with the code in one piece (`X060`, Denmark). A document's sequence is its position on its level.
What is wrong with one document is gathered in `problems` by (item, sequence); it counts only if the document turns out
to cite a licence.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from certex_bridge.customs.limits import PER_LEVEL
from certex_bridge.customs.wco.tree import Element, child, children, first, text
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.kernel.identifiers import check_mrn
from certex_bridge.platform.poison import Poison
from certex_bridge.platform.xmlgate import local_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DOCUMENTS = ("AdditionalDocument", "SupportingDocument")
_DIGITS_OF_A_NUMBER = 5
_SIMPLIFIED = frozenset({"YSDE", "YCLE", "YMRN", "NMRN", "NCLE"})
"""Previous documents of a supplementary declaration that can name the simplified one: category Y (initial declaration)
with a simplified declaration, an entry in the declarant's records or an MRN (United Kingdom); CL214 codes elsewhere."""


Problems = dict[tuple[int, int], list[Finding]]
"""Findings by item (0: shipment) and document sequence."""

_SINGLE = ("CategoryCode", "ID", "TypeCode", "LineNumeric", "LPCOExemptionCode")


def goods_item(item: Element, problems: Problems) -> dict[str, Any]:
    """One GovernmentAgencyGoodsItem.

    Raises:
        Poison: WCO_STRUCTURE when it has no number, or an element twice that can occur once.
    """
    number = item_number(item)
    commodity = child(item, "Commodity")
    measure = child(commodity, "GoodsMeasure")
    procedure, additional = _procedures(item)
    charge = child(child(commodity, "InvoiceLine"), "ItemChargeAmount")
    return {
        "item": number,
        "procedure": procedure,
        "additionalProcedures": additional,
        "commodity": _commodity(commodity),
        "destination": text(item, "Destination", "CountryCode") or None,
        "origin": text(first(item, "Origin"), "CountryCode") or None,
        "netMass": text(measure, "NetNetWeightMeasure") or None,
        "grossMass": text(measure, "GrossMassMeasure") or None,
        "supplementaryUnits": text(measure, "TariffQuantity") or None,
        "amount": None if charge is None else {"amount": text(charge), "currency": charge.get("currencyID", "")},
        "documents": documents(problems, number, item),
        "references": references(item),
        "simplifiedDeclarations": simplified_declarations(item),
    }


def item_number(item: Element) -> int:
    """Its SequenceNumeric.

    Raises:
        Poison: WCO_STRUCTURE when it is none.
    """
    written = text(item, "SequenceNumeric")
    number = _number(written)
    if number is None:
        field = "GovernmentAgencyGoodsItem/SequenceNumeric"
        raise Poison("WCO_STRUCTURE", "a number of at most five digits is expected", field, written)
    return number


def documents(problems: Problems, number: int, *levels: Element | None) -> list[dict[str, Any]]:
    """The documents on these elements, counted through; `number` is the item's, 0 for the shipment.

    Raises:
        Poison: WCO_STRUCTURE when there are too many.
    """
    found = at_most(PER_LEVEL, (entry for level in levels for entry in _entries(level)), "documents")
    return [_document(entry, number, position, problems) for position, entry in enumerate(found, start=1)]


def at_most(limit: int, entries: Iterable[Element], field: str) -> list[Element]:
    """The elements, once they are known not to be too many: none is looked at before.

    Raises:
        Poison: WCO_STRUCTURE.
    """
    found = list(islice(entries, limit + 1))
    if len(found) > limit:
        raise Poison("WCO_STRUCTURE", f"at most {limit} are expected", field)
    return found


def references(*levels: Element | None) -> list[dict[str, Any]]:
    """The additional references (12 04) on these elements, counted through.

    Raises:
        Poison: WCO_STRUCTURE when there are too many.
    """
    listed = (entry for level in levels for entry in children(level, "AdditionalReference"))
    found = at_most(PER_LEVEL, listed, "references")
    return [
        {"seq": position, "type": _code(entry), "reference": _value(entry, "ID")}
        for position, entry in enumerate(found, start=1)
    ]


def simplified_declarations(*levels: Element | None) -> list[dict[str, Any]]:
    """The simplified declarations that previous documents on these elements name: an MRN, or `MRN-item`.

    A previous document whose number is no MRN (an inventory reference, say) names none.
    """
    found = []
    for level in levels:
        for entry in children(level, "PreviousDocument"):
            mrn, dash, item = _value(entry, "ID").partition("-")
            number = _number(item) if dash else None
            if _code(entry) in _SIMPLIFIED and bool(number) == bool(dash) and _is_mrn(mrn):
                found.append({"mrn": mrn, "item": number})
    return found


def _is_mrn(text: str) -> bool:
    return not any(finding.severity is Severity.ERROR for finding in check_mrn(text))


def _entries(level: Element | None) -> Iterator[Element]:
    if level is not None:
        for entry in level:
            if local_name(entry) in _DOCUMENTS:
                yield entry


def _document(entry: Element, item: int, position: int, problems: Problems) -> dict[str, Any]:
    written = _value(entry, "LineNumeric")
    line = _number(written)
    place = f"items[{item}].documents[{position}]" if item else f"documents[{position}]"
    if written and not line:
        message = "a line number has one to five digits and is not zero"
        _add(problems, item, position, Finding("LINE_INVALID", f"{place}.line", written, message))
    for name in _SINGLE:
        if sum(1 for _ in children(entry, name)) > 1:
            message = "an element that can occur once occurs again in the document"
            _add(problems, item, position, Finding("WCO_STRUCTURE", f"{place}.{name}", "", message))
    return {
        "seq": position,
        "type": _code(entry),
        "reference": _value(entry, "ID"),
        "line": line or None,
        "authority": text(child(entry, "Submitter"), "Name") or None,
        "status": _value(entry, "LPCOExemptionCode") or None,
        "quantity": _figure(entry, "QuantityQuantity", "unitCode", "unit"),
        "value": _figure(entry, "AmountAmount", "currencyID", "currency"),
    }


def _add(problems: Problems, item: int, position: int, finding: Finding) -> None:
    problems.setdefault((item, position), []).append(finding)


def _value(entry: Element, name: str) -> str:
    return text(first(entry, name))


def _code(entry: Element) -> str:
    return _value(entry, "CategoryCode") + _value(entry, "TypeCode")


def _figure(entry: Element, name: str, attribute: str, key: str) -> dict[str, str] | None:
    """A write-off figure. Several of them are written side by side: no figure, so the claim is refused, not guessed."""
    figures = [figure for write_off in children(entry, "WriteOff") for figure in children(write_off, name)]
    if not figures:
        return None
    return {"amount": " ".join(text(figure) for figure in figures), key: figures[0].get(attribute, "")}


def _procedures(item: Element) -> tuple[str, list[str]]:
    """Requested and previous procedure as four digits, and the additional ones (which have no previous code)."""
    main, additional = "", []
    for procedure in children(item, "GovernmentProcedure"):
        current, previous = text(procedure, "CurrentCode"), text(procedure, "PreviousCode")
        if not main and (previous or len(current) == 2):
            main = current + previous
        elif current:
            additional.append(current)
    return main, additional


def _commodity(commodity: Element | None) -> str | None:
    """The commodity code: in one piece (`TSP`), or as heading and nomenclature part (`HS`, `CN`)."""
    codes = {
        text(entry, "IdentificationTypeCode"): text(entry, "ID") for entry in children(commodity, "Classification")
    }
    return codes.get("TSP") or codes.get("HS", "") + codes.get("CN", "") or None


def _number(written: str) -> int | None:
    plain = written.isascii() and written.isdigit() and len(written) <= _DIGITS_OF_A_NUMBER
    return int(written) if plain else None
