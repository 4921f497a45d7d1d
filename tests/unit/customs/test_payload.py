"""Which documents become claims, of which licence, with which figures and findings."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from certex_bridge.customs.cited import split_line
from certex_bridge.customs.licence_documents import REFERENCE_SEQ, SHIPMENT_SEQ
from certex_bridge.customs.options import DecodeOptions
from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.kernel.errors import Severity
from certex_bridge.platform.poison import Poison
from tests.support.another_type import BOTH
from tests.unit.customs.samples import (
    accepted,
    codes,
    data,
    decode,
    event,
    only_claim,
    only_item,
    payload,
    with_document,
    with_item,
)


def finding_codes(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(finding.code, finding.field) for finding in only_claim(with_document(document)).findings]


def quantity(amount: str, unit: str = "NAR") -> dict[str, Any]:
    return {"quantity": {"amount": amount, "unit": unit}}


def value(amount: str, currency: str = "EUR") -> dict[str, Any]:
    return {"value": {"amount": amount, "currency": currency}}


def document(seq: int, **change: Any) -> dict[str, Any]:
    return {"seq": seq, "type": "X060", "reference": "BE-1", "line": 1} | change


def test_an_item_carries_what_the_rules_need() -> None:
    item = only_item(
        with_item(
            {
                "additionalProcedures": ["F75"],
                "amount": {"amount": "100.50", "currency": "EUR"},
                "netMass": "5200",
                "supplementaryUnits": "2",
            }
        )
    )
    assert (item.number, item.procedure, item.commodity, item.destination, item.origin) == (
        1,
        "1000",
        "84571090",
        "KR",
        "DE",
    )
    assert (item.net_mass, item.supplementary_units) == (Decimal(5200), Decimal(2))
    assert item.amount == Money(Decimal("100.50"), "EUR")
    assert item.additional_procedures == ("F75",)


def test_the_item_overrides_the_destination_of_the_shipment() -> None:
    assert only_item(with_item({"destination": "JP"})).destination == "JP"
    assert only_item(with_item({"destination": None})).destination == "KR"
    assert only_item(with_item({"destination": None}, destination=None)).destination == ""


@pytest.mark.parametrize("code", sorted(DecodeOptions().types.claim_codes))
def test_union_codes_are_claims(code: str) -> None:
    assert only_claim(with_document({"type": code})).document_code == code


@pytest.mark.parametrize("code", ["Y901", "X002", "N380", "X059", "X073", "x060", "C512", ""])
def test_other_codes_are_not(code: str) -> None:
    assert only_item(with_document({"type": code})).claims == ()


def test_a_type_decides_where_its_licences_are_cited_and_who_issues_them() -> None:
    options = DecodeOptions(types=BOTH)
    claim = only_claim(with_document({"type": "E999", "issuer": None}, options))
    assert (claim.licence_id, claim.issuer_from) == ("EU/BE-2026-000123", "")
    assert only_claim(with_document({"type": "E999"}, options)).licence_id.startswith("BE/")
    references = [{"seq": 1, "type": "E999", "reference": "S"}, {"seq": 2, "type": "X060", "reference": "B"}]
    read = with_item({"documents": [], "references": references}, options)
    assert [spec.licence_id for spec in only_item(read).claims] == ["BE/B"]
    (finding,) = [finding for finding in read.findings if finding.code == "LICENCE_NOT_CLAIMED"]
    assert (finding.field, finding.value) == ("items[1].references[1]", "E999 S")
    national = replace(options, national_codes={"BE": ("9DKU",)})
    assert only_item(with_item({"documents": [], "references": references}, national)).claims


def test_legacy_and_national_codes_are_settings_of_the_declaring_country() -> None:
    options = DecodeOptions(legacy_codes={"BE": ("X002",)}, national_codes={"BE": ("9DKU", "Y901")})
    assert only_claim(with_document({"type": "X002"}, options)).document_code == "X002"
    assert only_claim(with_document({"type": "9DKU"}, options)).document_code == "9DKU"
    assert only_item(with_document({"type": "Y901"}, options)).claims == ()
    elsewhere = DecodeOptions(national_codes={"FR": ("9DKU",)})
    assert only_item(with_document({"type": "9DKU"}, elsewhere)).claims == ()
    assert "X002" in DecodeOptions().licence_codes("GB")


@pytest.mark.parametrize(
    ("change", "identity"),
    [
        ({"issuer": "DE"}, "DE/BE-2026-000123"),
        ({"issuer": None}, "BE/BE-2026-000123"),
        ({"reference": " be-2026-a "}, "BE/BE-2026-A"),
    ],
)
@pytest.mark.row("E054")
def test_a_licence_is_named_by_issuer_and_number(change: dict[str, Any], identity: str) -> None:
    claim = only_claim(with_document(change))
    assert claim.licence_id == identity
    assert claim.reference == (change.get("reference") or "BE-2026-000123")


def test_the_declaring_state_is_told_by_mrn_office_or_exporter() -> None:
    content = data()["declaration"]
    content["items"][0]["documents"][0]["issuer"] = None
    changes: list[tuple[dict[str, Any], str]] = [
        ({"mrn": "26NL000382T7Q19BJ7"}, "NL"),
        ({"mrn": None, "office": "FR000040"}, "FR"),
        ({"mrn": None, "office": None}, "BE"),
    ]
    for change, issuer in changes:
        lodged = event("lodged")
        lodged["data"] |= {"declaration": content, **change}
        assert payload(decode(lodged)).items[0].claims[0].licence_id == f"{issuer}/BE-2026-000123"


def test_without_any_country_the_issuer_is_a_setting_or_a_finding() -> None:
    options = DecodeOptions(issuer_countries={"BE": "LU"}, default_issuer="AT")
    assert only_claim(with_document({"issuer": None}, options)).licence_id.startswith("LU/")
    assert options.issuer("") == "AT"
    assert finding_codes({"issuer": "be"}) == [("ISSUER_UNKNOWN", "items[1].documents[1].issuer")]
    assert finding_codes({"issuer": "BEL"}) == [("ISSUER_UNKNOWN", "items[1].documents[1].issuer")]


@pytest.mark.row("E055")
@pytest.mark.parametrize("reference", ["BE\u200b1", "BE\x071", "\u202eBE1", "", "   ", "x" * 71, "BE\u00ad1"])
def test_invisible_and_impossible_references_are_findings(reference: str) -> None:
    assert finding_codes({"reference": reference})[0] == ("LICENCE_NUMBER_INVALID", "items[1].documents[1].reference")


@pytest.mark.row("E055")
def test_composed_and_decomposed_letters_are_two_licences() -> None:
    composed = only_claim(with_document({"reference": "É1"}))
    decomposed = only_claim(with_document({"reference": "E\u03011"}))
    assert composed.licence_id != decomposed.licence_id
    assert [finding.severity for finding in decomposed.findings] == [Severity.WARNING]


@pytest.mark.row("E113", "E114", "E119")
@pytest.mark.parametrize("amount", ["0.000001", "40", "40.000000", "9999999999.999999"])
def test_exact_quantities_are_kept(amount: str) -> None:
    claim = only_claim(with_document(quantity(amount)))
    assert claim.quantity == Quantity(Decimal(amount), "NAR")
    assert claim.findings == ()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(quantity("0.0000001"), "SCALE", marks=pytest.mark.row("E115")),
        pytest.param(quantity("1.0000005"), "SCALE", marks=pytest.mark.row("E115")),
        pytest.param(quantity("19999999999.999999"), "RANGE", marks=pytest.mark.row("E116")),
        *(
            pytest.param(quantity(text), "LEXICAL", marks=pytest.mark.row("E117"))
            for text in ("1e3", "1E+3", "+5", "05", " 5", "5.", ".5", "1,5", "١٢", "0x10", "NaN", "Infinity", "")
        ),
        pytest.param(quantity("-0"), "INVALID_QUANTITY", marks=pytest.mark.row("E117")),
        (quantity("0"), "INVALID_QUANTITY"),
        (quantity("-4"), "INVALID_QUANTITY"),
        pytest.param(quantity("1", "kgm"), "UNIT_UNKNOWN", marks=pytest.mark.row("E124")),
        pytest.param(quantity("1", "KGG"), "UNIT_UNKNOWN", marks=pytest.mark.row("E124")),
        pytest.param(quantity("1", ""), "UNIT_UNKNOWN", marks=pytest.mark.row("E124")),
    ],
)
def test_a_quantity_that_cannot_be_written_off_refuses_its_claim(change: dict[str, Any], code: str) -> None:
    claim = only_claim(with_document(change))
    assert claim.quantity is None
    assert [(finding.code, finding.field) for finding in claim.findings] == [(code, "items[1].documents[1].quantity")]
    assert claim.findings[0].severity is Severity.ERROR
    assert claim.value is not None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (value("0"), "INVALID_QUANTITY"),
        (value("1.005"), "SCALE"),
        pytest.param(value("100.50", "JPY"), "SCALE", marks=pytest.mark.row("E130")),
        (value("1", "EURO"), "CURRENCY_UNKNOWN"),
        (value("1", "eur"), "CURRENCY_UNKNOWN"),
    ],
)
def test_a_value_that_cannot_be_written_off_refuses_its_claim(change: dict[str, Any], code: str) -> None:
    claim = only_claim(with_document(change))
    assert claim.value is None
    assert [(finding.code, finding.field) for finding in claim.findings] == [(code, "items[1].documents[1].value")]


def test_units_with_qualifier_are_normalised() -> None:
    assert str(only_claim(with_document(quantity("1", "KGM#G"))).quantity) == "1 KGMG"


def test_figures_may_be_absent() -> None:
    claim = only_claim(with_document({"quantity": None, "value": None, "line": None, "status": "EA"}))
    assert (claim.quantity, claim.value, claim.line_no, claim.status_code) == (None, None, None, "EA")


def test_measures_that_cannot_be_read_are_remarked_and_absent() -> None:
    command = with_item({"netMass": "1,5", "supplementaryUnits": "0", "amount": {"amount": "1.234", "currency": "EUR"}})
    item = only_item(command)
    assert (item.net_mass, item.supplementary_units, item.amount) == (None, None, None)
    assert [(finding.code, finding.field, finding.severity) for finding in command.findings] == [
        ("LEXICAL", "items[1].netMass", Severity.WARNING),
        ("ZERO", "items[1].supplementaryUnits", Severity.WARNING),
        ("SCALE", "items[1].amount", Severity.WARNING),
    ]
    assert len(item.claims) == 1


@pytest.mark.parametrize(
    ("change", "remarked"),
    [
        (quantity("5200.1", "KGM"), True),
        (quantity("5200", "KGM"), False),
        (quantity("5481", "KGMG"), True),
        (quantity("5480", "KGMG"), False),
        (quantity("99999", "NAR"), False),
    ],
)
def test_writing_off_more_than_the_goods_weigh_is_remarked_not_corrected(
    change: dict[str, Any], remarked: bool
) -> None:
    claim = only_claim(with_document(change))
    assert [finding.code for finding in claim.findings] == (["EXCEEDS_MASS"] if remarked else [])
    assert all(finding.severity is Severity.WARNING for finding in claim.findings)
    assert str(claim.quantity) == " ".join(change["quantity"].values())


@pytest.mark.row("E058")
def test_the_same_line_cited_twice_is_two_claims() -> None:
    item = only_item(with_item({"documents": [document(2, **quantity("3")), document(1, **quantity("4"))]}))
    assert [(claim.doc_seq, str(claim.quantity)) for claim in item.claims] == [(1, "4 NAR"), (2, "3 NAR")]
    assert {claim.licence_id for claim in item.claims} == {"BE/BE-1"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"documents": [document(1), document(1, reference="BE-2")]}, "items[1].documents"),
        ({"documents": [document(1), document(1, type="N380")]}, "items[1].documents"),
        ({"references": [{"seq": 1, "type": "Y901"}, {"seq": 1, "type": "Y902"}]}, "items[1].references"),
    ],
)
def test_duplicate_sequence_numbers_are_poison(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Poison) as caught:
        with_item(change)
    assert (caught.value.code, caught.value.field) == ("ITEM_DUPLICATE", field)


def test_duplicate_items_and_shipment_documents_are_poison() -> None:
    content = data()["declaration"]
    content["items"] += content["items"][:1]
    with pytest.raises(Poison) as caught:
        accepted({"declaration": content})
    assert (caught.value.code, caught.value.field, caught.value.value) == ("ITEM_DUPLICATE", "items", "[1]")
    with pytest.raises(Poison, match="twice"):
        with_item({}, documents=[document(1), document(1)])


def test_items_are_sorted_by_number() -> None:
    content = data()["declaration"]
    content["items"].reverse()
    assert [item.number for item in payload(accepted({"declaration": content})).items] == [1, 2, 3]


def test_a_licence_in_the_references_is_a_claim_unless_a_document_cites_it() -> None:
    references = [
        {"seq": 2, "type": "X060", "reference": "BE-9"},
        {"seq": 1, "type": "X060", "reference": "be-1"},
        {"seq": 3, "type": "Y901", "reference": "BE-8"},
        {"seq": 4, "type": "X060"},
        {"seq": 5, "type": "X060", "reference": "BE-9"},
    ]
    claims = only_item(with_item({"documents": [document(1)], "references": references})).claims
    assert [(claim.doc_seq, claim.licence_id) for claim in claims] == [(1, "BE/BE-1"), (REFERENCE_SEQ + 2, "BE/BE-9")]
    assert (claims[1].quantity, claims[1].line_no) == (None, None)
    alone = only_item(with_item({"documents": [], "references": references[:1]})).claims
    assert [claim.licence_id for claim in alone] == ["BE/BE-9"]


def test_a_shipment_licence_is_derived_to_the_only_item() -> None:
    command = with_item({"documents": []}, documents=[document(1), document(2, type="N380")])
    claim = only_claim(command)
    assert (claim.item, claim.doc_seq, claim.line_no, claim.quantity) == (1, SHIPMENT_SEQ + 1, 1, None)
    assert payload(command).header_claims == ()


def test_a_shipment_licence_that_the_item_cites_adds_nothing() -> None:
    command = with_item({"documents": [document(1, **quantity("2"))]}, documents=[document(1)])
    assert only_claim(command).doc_seq == 1


@pytest.mark.parametrize("level", ["documents", "references"])
def test_a_shipment_licence_over_several_items_stays_with_the_shipment(level: str) -> None:
    entry = {"seq": 1, "type": "X060", "reference": "BE-1"}
    found = payload(accepted({"declaration": data()["declaration"] | {level: [entry]}}))
    (claim,) = found.header_claims
    assert (claim.item, claim.licence_id, claim.quantity) == (0, "BE/BE-1", None)
    assert [len(item.claims) for item in found.items] == [1, 1, 1]


@pytest.mark.parametrize("reference", ["", "Exemption", "BE-1"])
def test_a_waiver_is_known_by_its_status_and_not_by_a_missing_reference(reference: str) -> None:
    """Only a country whose statuses are known has waivers; elsewhere a document without reference is a bad claim."""
    change = {"type": "X002", "reference": reference, "status": "XX", "quantity": None, "value": None}
    mrn = "24GB0MC86MH6WYKAA3"
    document = data()["declaration"]["items"][0]["documents"][0]
    content = data()["declaration"]
    content["items"] = [content["items"][0] | {"documents": [document | change]}]
    british = accepted({"mrn": mrn, "declaration": content})
    assert (only_item(british).claims, codes(british)) == ((), ["LICENCE_NOT_CLAIMED"])
    claim = only_claim(with_document({"reference": reference, "status": "XX"}))
    assert [finding.code for finding in claim.findings] == ([] if reference else ["LICENCE_NUMBER_INVALID"])


def test_a_dual_use_document_that_is_no_claim_is_remarked() -> None:
    command = with_document({"type": "X002"})
    assert (only_item(command).claims, codes(command)) == ((), ["LICENCE_NOT_CLAIMED"])
    command = with_item({"documents": [], "references": [{"seq": 1, "type": "X060"}]})
    assert (only_item(command).claims, codes(command)) == ((), ["LICENCE_NOT_CLAIMED"])
    assert command.findings[0].field == "items[1].references[1]"


def test_statuses_that_exhaust_or_differ_are_remarked_and_move_nothing() -> None:
    mrn = "24GB0MC86MH6WYKAA3"
    content = data()["declaration"]
    first = content["items"][0]["documents"][0]
    documents = [
        first | {"seq": seq, "status": status, "reference": f"GB{seq}"}
        for seq, status in enumerate(("ES", "EP"), start=1)
    ]
    content["items"] = [content["items"][0] | {"documents": documents}]
    command = accepted({"mrn": mrn, "declaration": content})
    assert codes(command) == ["STATUS_NOT_ACTED_ON", "STATUS_MIXED"]
    assert [str(claim.quantity) for claim in only_item(command).claims] == [
        str(first["quantity"]["amount"]) + " NAR"
    ] * 2


def test_an_issuer_taken_from_the_trader_s_number_is_remarked() -> None:
    content = data()["declaration"]
    content["items"][0]["documents"][0]["issuer"] = None
    lodged = event("lodged")
    lodged["data"] |= {"declaration": content, "mrn": None, "office": None}
    assert codes(decode(lodged)) == ["ISSUER_ASSUMED"]
    assert payload(decode(lodged)).items[0].claims[0].issuer_from == "EXPORTER"
    lodged["data"]["office"] = "FR000040"
    assert codes(decode(lodged)) == []


def test_the_payload_names_its_people() -> None:
    found = payload(with_item({}))
    assert (found.declaration_type, found.additional_type, found.exporter) == ("EX", "A", "BE0123456789")
    assert (found.consignee_id, found.consignee_name) == ("KR1148612345", "Hanbit Tooling Co., Ltd.")
    assert (found.office, found.destination) == ("BE212000", "KR")
    bare = payload(with_item({}, consignee=None, additionalType=None))
    assert (bare.consignee_id, bare.consignee_name, bare.additional_type) == ("", "", "")


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("GBSIEE2E350002-0001", ("GBSIEE2E350002", 1)),
        ("GBSIEE2E350002-00012", ("GBSIEE2E350002", 12)),
        ("A-B-0003", ("A-B", 3)),
        (" A-0003 ", ("A", 3)),
        ("GBSIEE2E350002", ("GBSIEE2E350002", None)),
        ("GBSIEE2E350002-001", ("GBSIEE2E350002-001", None)),
        ("GBSIEE2E350002-000001", ("GBSIEE2E350002-000001", None)),
        ("GBSIEE2E350002-0000", ("GBSIEE2E350002-0000", None)),
        ("GBSIEE2E350002-١٢٣٤", ("GBSIEE2E350002-١٢٣٤", None)),
        ("-0001", ("-0001", None)),
        ("", ("", None)),
    ],
)
def test_a_line_suffix_has_four_or_five_digits(reference: str, expected: tuple[str, int | None]) -> None:
    assert split_line(reference) == expected


def test_canonical_references_are_never_taken_apart() -> None:
    command = with_document({"reference": "DK-2025-0012", "line": None})
    assert (only_claim(command).licence_id, only_claim(command).line_no) == ("BE/DK-2025-0012", None)
    assert codes(command) == []
