"""Amendments in WCO shape: what the branch and its pointers change, and what they do not."""

from __future__ import annotations

import pytest

from certex_bridge.ledger.domain.facts import Changes, ItemChange, Request
from tests.unit.customs.samples import codes, swapped, wco, wco_poison

PARTIAL = "amendment-partial"


def request(raw: bytes | str) -> Request:
    (found,) = wco(raw).facts.requests
    return found


def changes(raw: bytes | str) -> Changes:
    found = request(raw).changes
    assert found is not None
    return found


def documents(raw: bytes | str) -> list[tuple[object, ...]]:
    """Place, code, reference and quantity of every document change of the only item."""
    (item,) = changes(raw).items
    return [
        (one.seq, one.told.document_code, one.told.reference, str(one.told.quantity), one.ours)
        if one.told
        else (one.seq,)
        for one in item.documents
    ]


def test_a_document_belongs_to_the_place_a_pointer_names() -> None:
    assert documents(PARTIAL) == [(2, "X002", "GBSIEL2026/0004711/P-0001", "3 NAR", True)]
    assert (request(PARTIAL).reference, request(PARTIAL).content) == ("NWT-26-00731-A1", None)
    figure_only = swapped(PARTIAL, "<CategoryCode>X</CategoryCode>", "").replace(b"<TypeCode>002</TypeCode>", b"")
    figure_only = figure_only.replace(b"<ID>GBSIEL2026/0004711/P-0001</ID>", b"")
    assert documents(figure_only) == [(2, "", "", "3 NAR", True)]


def test_without_a_pointer_it_is_found_by_code_and_reference() -> None:
    raw = swapped(PARTIAL, "<DocumentSectionCode>02A<", "<DocumentSectionCode>99Z<")
    assert [found[0] for found in documents(raw)] == [0]
    other = raw.replace(b"<TypeCode>002<", b"<TypeCode>920<")
    assert documents(other) == []


def test_only_a_pointer_that_ends_at_the_thing_takes_it_out() -> None:
    assert changes("amendment-takes-out").findings == ()
    assert documents("amendment-takes-out") == [(1,)]
    whole = swapped("amendment-takes-out", "<DocumentSectionCode>02A<", "<DocumentSectionCode>99Z<")
    assert changes(whole).items == ()
    line = b"<Pointer><SequenceNumeric>1</SequenceNumeric><DocumentSectionCode>99Z</DocumentSectionCode></Pointer>"
    assert changes(whole.replace(line, b"")).items == (ItemChange(2, deleted=True),)


def test_one_document_may_go_while_another_changes() -> None:
    gone = (
        "<Amendment><Pointer><SequenceNumeric>1</SequenceNumeric><DocumentSectionCode>68A</DocumentSectionCode></Pointer>"
        "<Pointer><SequenceNumeric>5</SequenceNumeric><DocumentSectionCode>02A</DocumentSectionCode></Pointer></Amendment>"
    )
    assert [found[0] for found in documents(swapped(PARTIAL, "<GoodsShipment>", gone + "<GoodsShipment>"))] == [5, 2]


def test_what_cannot_be_read_as_a_change_is_a_finding() -> None:
    licence = "<AdditionalDocument><CategoryCode>X</CategoryCode><ID>GBSIEL9</ID><TypeCode>002</TypeCode></AdditionalDocument>"
    shipment = changes(swapped(PARTIAL, "<GoodsShipment>", "<GoodsShipment>" + licence))
    assert [(finding.code, finding.field) for finding in shipment.findings] == [("AMENDMENT_UNMERGED", "documents[1]")]
    tagged = swapped("amendment-takes-out", "02A</DocumentSectionCode>", "02A</DocumentSectionCode><TagID>D006</TagID>")
    assert [finding.field for finding in changes(tagged).findings] == ["items[2].documents[1]"]


def test_goods_and_people_change_too() -> None:
    found = changes("amendment-whole")
    (item,) = found.items
    assert (found.exporter, item.procedure, item.commodity, str(item.net_mass)) == (
        "GB123456789012",
        "1040",
        "85258900",
        "19.5",
    )


def test_a_danish_amendment_is_the_whole_content() -> None:
    found = request("amendment-danish")
    assert (found.reference, found.changes) == ("DK-EKS-26-8812-R1", None)
    assert found.content is not None
    assert str(found.content.items[0].claims[0].quantity) == "120 KGM"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("</GoodsShipment>", "<GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric></GovernmentAgencyGoodsItem></GoodsShipment>", "ITEM_DUPLICATE"),
        ("GBSIEL2026/0004711/P", "G" * 600, "WCO_STRUCTURE"),
    ],
)  # fmt: skip
def test_what_makes_the_whole_amendment_impossible_is_poison(old: str, new: str, code: str) -> None:
    assert wco_poison(swapped(PARTIAL, old, new)) == code


def test_findings_stay_with_the_document() -> None:
    raw = swapped(PARTIAL, "<TypeCode>002</TypeCode>", "<TypeCode>002</TypeCode><LineNumeric>1A</LineNumeric>")
    told = changes(raw).items[0].documents[0].told
    assert told is not None
    assert [finding.code for finding in told.findings] == ["LINE_INVALID"]
    waived = swapped(
        PARTIAL, "<TypeCode>002</TypeCode>", "<TypeCode>002</TypeCode><LPCOExemptionCode>XX</LPCOExemptionCode>"
    )
    assert codes(wco(waived)) == ["LICENCE_NOT_CLAIMED"]


def test_a_request_without_reference_is_one_of_its_own() -> None:
    raw = swapped(PARTIAL, "<FunctionalReferenceID>NWT-26-00731-A1</FunctionalReferenceID>", "")
    assert request(raw).reference == wco(raw).event_id
