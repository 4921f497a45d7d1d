"""Goods groups that requests share: what stands together, and what names a declaration."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from certex_bridge.singlewindow.messages.goods import CommodityCode, DeclarationReference, GoodsItem

DOCUMENT = {"sequenceNumber": 1, "type": "X060", "referenceNumber": "DE-1"}
MRN = "26DE00000000000001"


@pytest.mark.parametrize(
    ("content", "missing"),
    [
        ({"SupportingDocument": [DOCUMENT | {"quantity": "5"}]}, "quantity needs measurementUnitAndQualifier"),
        ({"SupportingDocument": [DOCUMENT | {"currency": "EUR"}]}, "currency needs amount"),
        ({"itemAmount": "5"}, "itemAmount needs currency"),
    ],
)
def test_a_figure_stands_with_its_unit(content: dict[str, Any], missing: str) -> None:
    with pytest.raises(ValidationError) as found:
        GoodsItem.model_validate({"declarationGoodsItemNumber": 1} | content)
    (problem,) = found.value.errors()
    assert (problem["type"], problem["msg"]) == ("FIGURE_INCOMPLETE", missing)


@pytest.mark.parametrize("content", [{}, {"LRN": "L1"}, {"Exporter": {"identificationNumber": "DE123"}}])
def test_without_mrn_both_lrn_and_exporter_name_the_declaration(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="IDENTITY_MISSING"):
        DeclarationReference.model_validate(content)
    DeclarationReference.model_validate(content | {"MRN": MRN})


def test_the_acceptance_is_stated_once() -> None:
    both = {"declarationAcceptanceDate": "2026-03-01", "declarationAcceptanceDateAndTime": "2026-03-01T10:00:00"}
    with pytest.raises(ValidationError, match="TOO_MANY"):
        DeclarationReference.model_validate({"MRN": MRN} | both)


@pytest.mark.parametrize(
    ("combined", "taric", "digits"), [(None, None, "847989"), ("97", None, "84798997"), ("97", "10", "8479899710")]
)
def test_a_commodity_code_has_the_digits_that_were_declared(
    combined: str | None, taric: str | None, digits: str
) -> None:
    code = CommodityCode(
        harmonized_system_sub_heading_code="847989", combined_nomenclature_code=combined, taric_code=taric
    )
    assert code.digits == digits
