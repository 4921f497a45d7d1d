"""The content of a licence in messages is, element by element, what the outcome documents carry."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from certex_bridge.licensing.content import licence_content
from certex_bridge.licensing.domain.licence import Direction, LicenceType, Party
from certex_bridge.singlewindow.messages.licence_content import content_of
from tests.support.ledger_words import licence, line

if TYPE_CHECKING:
    from certex_bridge.licensing.domain.licence import Licence

FULL = licence(
    "A",
    replace(line(1, "100 KGM+9.50 EUR"), commodity_codes=("8457109012", "901380"), origin="RS", control_list="2B001"),
    consignees=(Party("Buyer <&>", "RS1"), Party("Other")),
    destinations=("RS", "KR"),
    consignment_countries=("FR",),
    procedures=("1000", "2300"),
    cap="5 NAR+10.25 EUR",
)
GENERAL = licence("G", "", type=LicenceType.EU001, holder=Party("Holder", "BE1", "Street 1", "1000", "City", "RS"))
CASES = {
    "a line": (FULL, 1),
    "the whole licence": (FULL, 0),
    "a line that is gone": (FULL, 7),
    "transit": (replace(FULL, type=LicenceType.TRANSIT, direction=Direction.TRANSIT, procedures=("T1",)), 1),
    "general": (GENERAL, 0),
    "a holder without address": (replace(GENERAL, holder=Party("Holder"), valid_from=None, valid_to=None), 0),
}


def tree(element: Any) -> Any:
    """Name, and text or children."""
    return element.tag, [tree(child) for child in element] or (element.text or "")


def written(content: dict[str, Any], name: str) -> Any:
    """A dumped group in the same shape, without what is empty."""
    named = [(key, one) for key, value in content.items() for one in _elements(value)]
    return name, [written(one, key) if isinstance(one, dict) else (key, str(one)) for key, one in named]


def _elements(value: Any) -> tuple[Any, ...]:
    """One for each group; plain values of a list stand in one element."""
    if not isinstance(value, tuple):
        return (value,)
    return value if any(isinstance(one, dict) for one in value) else (" ".join(value),)[: len(value)]


@pytest.mark.parametrize(("told", "number"), CASES.values(), ids=CASES)
def test_both_say_the_same(told: Licence, number: int) -> None:
    document = etree.fromstring(licence_content(told, number or None))
    dumped = content_of(told, number).model_dump(by_alias=True, exclude_none=True)
    name, children = tree(document)
    children = [child for child in children if child != ("holderIdentificationNumber", "")]
    assert (name, children) == written(dumped, "LicenceContent")
