"""Amendments in WCO shape: what the branch and its pointers change, and what they do not."""

from __future__ import annotations

import re

import pytest

from certex_bridge.ledger.domain.facts import DeclarationCommand
from certex_bridge.ledger.domain.requests import Changes, ItemChange, Request
from tests.support.wco_words import Doc, Goods, Place, amendment, branches, goods
from tests.unit.customs.samples import codes, swapped, wco, wco_bytes, wco_poison

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
    invoice = licence.replace("<TypeCode>002<", "<TypeCode>935<")
    assert changes(swapped(PARTIAL, "<GoodsShipment>", "<GoodsShipment>" + invoice)).findings == ()
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


ONE, TWO = Doc("LIC1-0001", "10"), Doc("LIC2-0001", "5")


def asked(command: DeclarationCommand) -> Request:
    (found,) = command.facts.requests
    return found


@pytest.mark.parametrize("count", [None, 2])
def test_a_body_that_needs_nothing_else_is_the_whole_content(count: int | None) -> None:
    found = asked(amendment(goods([ONE], [TWO]), (1, 1, "22C.502"), count=count))
    assert found.content is not None
    assert [[claim.licence_id for claim in item.claims] for item in found.content.items] == [["GB/LIC1"], ["GB/LIC2"]]
    assert found.changes is not None
    assert [item.places for item in found.changes.items] == [(1,), ()]


@pytest.mark.parametrize(
    ("items", "place", "count"),
    [
        (goods([ONE]), (1, 1), 3),
        (goods([ONE]), (1, 2, "22C.502"), None),
        (goods([ONE]), (2, 1, "22C.502"), None),
        (goods([ONE]), (2, "23A.128"), None),
        (branches([ONE]), (1, 1), None),
        ((), (1, 1), None),
    ],
)
def test_a_body_that_lacks_something_is_read_by_its_pointers(
    items: tuple[Goods, ...], place: Place, count: int | None
) -> None:
    found = asked(amendment(items, place, count=count))
    assert (found.content, found.changes is not None) == (None, True)


@pytest.mark.parametrize("lacking", ["Exporter", "Destination", "Commodity", "GovernmentProcedure"])
def test_every_part_of_a_declaration_makes_it_whole(lacking: str) -> None:
    raw = wco_bytes("amendment-whole").replace(b"<SequenceNumeric>2<", b"<SequenceNumeric>1<")
    assert request(raw).content is not None
    assert request(re.sub(rf"<{lacking}>.*?</{lacking}>".encode(), b"", raw, flags=re.DOTALL)).content is None


@pytest.mark.parametrize(
    ("pointer", "everything"),
    [("42A", True), ("67A", True), ("68A", True), ("68A.1", False), ("02A.1", False)],
)
def test_a_pointer_above_the_items_narrows_nothing(pointer: str, everything: bool) -> None:
    section, _, number = pointer.partition(".")
    written = f"<SequenceNumeric>{number}</SequenceNumeric>" if number else ""
    pointers = (
        f"<Amendment><Pointer>{written}<DocumentSectionCode>{section}</DocumentSectionCode></Pointer></Amendment>"
    )
    found = asked(amendment(branches([ONE]), pointers=pointers))
    assert found.changes is not None
    assert found.changes.everything is everything


@pytest.mark.parametrize("documents", [[ONE], []])
def test_a_pointer_may_name_the_documents_of_an_item_without_a_place(documents: list[Doc]) -> None:
    steps = [("68A", "<SequenceNumeric>1</SequenceNumeric>"), ("02A", "")]
    inside = "".join(
        f"<Pointer>{place}<DocumentSectionCode>{section}</DocumentSectionCode></Pointer>" for section, place in steps
    )
    found = asked(amendment(branches(documents), pointers=f"<Amendment>{inside}</Amendment>")).changes
    assert found is not None
    assert found.items[0].named
    assert [(one.seq, one.named, one.added) for one in found.items[0].documents] == [(0, True, True)] * len(documents)
    assert [finding.field for finding in found.findings] == ([] if documents else ["items[1].documents"])


def test_what_is_remarked_about_a_whole_body_is_remarked_once() -> None:
    assert codes(amendment(goods([Doc("LIC1-0001", "10", "EE")]), (1, 1))) == ["STATUS_NOT_ACTED_ON"]
