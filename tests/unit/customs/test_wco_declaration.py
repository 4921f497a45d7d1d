"""WCO declarations: wrappers, identity, documents in national shapes, amendments and cancellations."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from certex_bridge.customs.options import DecodeOptions
from certex_bridge.customs.profiles import decode_message
from certex_bridge.customs.wco import declaration, goods
from certex_bridge.customs.wco.place import lodged_in
from certex_bridge.customs.wco.profile import decode_wco
from certex_bridge.customs.wco.tree import text
from certex_bridge.kernel.identifiers import mrn_check_digit
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind
from certex_bridge.ledger.domain.requests import Request
from certex_bridge.ledger.domain.simplified import SimplifiedReference
from certex_bridge.ledger.domain.stamps import PayloadRank
from certex_bridge.platform.poison import Poison
from certex_bridge.platform.xmlgate import parse_xml
from tests.unit.customs.samples import codes, commands, payload, swapped, wco, wco_bytes, wco_envelope, wco_poison

WRAPPERS = ("declaration-bare", "declaration-metadata", "declaration-request")


def request(command: DeclarationCommand) -> Request:
    """The only request of a command."""
    (found,) = command.facts.requests
    return found


def claims(command: DeclarationCommand) -> list[tuple[object, ...]]:
    return [
        (c.item, c.doc_seq, c.document_code, c.licence_id, c.line_no, str(c.quantity), str(c.value), c.status_code)
        for item in payload(command).items
        for c in item.claims
    ]


@pytest.mark.parametrize("name", WRAPPERS)
def test_the_content_is_the_same_in_every_wrapper(name: str) -> None:
    command = wco(name)
    assert claims(command) == [
        (1, 2, "X002", "GB/GBSIEL2026/0004711/P", 1, "4 NAR", "48000 GBP", "AE"),
        (2, 1, "X002", "GB/GBOGEL2026/0000092", 3, "12.5 KGMG", "None", ""),
    ]
    found = payload(command)
    assert found.items[0].claims[0].reference == "GBSIEL2026/0004711/P-0001"
    assert (found.declaration_type, found.additional_type, found.exporter) == ("EX", "A", "GB123456789012")
    assert (found.consignee_name, found.destination, found.office) == ("Hanbit Tooling Co., Ltd.", "KR", "GB000011")
    assert [(item.procedure, item.commodity, item.destination, item.origin) for item in found.items] == [
        ("1040", "85258900", "KR", "GB"),
        ("1000", "90149000", "JP", ""),
    ]
    assert str(found.items[0].amount) == "48000 GBP"
    assert (str(found.items[0].net_mass), str(found.items[0].supplementary_units)) == ("26", "4")
    assert found.items[0].additional_procedures == ("1CG",)
    assert (command.mrn, command.lrn, command.exporter) == ("", "NWT-26-00731", "GB123456789012")
    assert command.facts.lodged is not None


@pytest.mark.row("E044", "E209")
def test_the_same_content_is_the_same_event_whatever_wraps_it() -> None:
    ids = {(wco(name).event_id, wco(name).payload_sha256) for name in WRAPPERS}
    assert len(ids) == 1
    raw = wco_bytes("declaration-bare")
    respelt = raw.replace(b"<!-- Remarks between elements are dropped. -->", b"").replace(b"\n", b"\n\t")
    assert wco(respelt).event_id == wco(raw).event_id
    unqualified = re.sub(rb' xmlns="[^"]*"', b"", raw)
    assert wco(unqualified).event_id == wco(raw).event_id


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('unitCode="NAR">4<', 'unitCode="NAR">5<'),
        ('unitCode="NAR">4<', 'unitCode="MIL">4<'),
        ("NWT-26-00731", "NWT-26-00732"),
        ("<ExitOffice><ID>GB000060</ID></ExitOffice>", "<ExitOffice><ID>GB000061</ID></ExitOffice>"),
        ("<TypeCode>EXA</TypeCode>", ""),
    ],
)
def test_other_content_is_another_event(old: str, new: str) -> None:
    assert wco(swapped("declaration-bare", old, new)).event_id != wco("declaration-bare").event_id


def test_the_record_s_event_id_wins() -> None:
    command = wco("declaration-bare", {"ce_id": "gw-77", "ce_source": "/gb/gateway"})
    assert (command.event_id, command.source) == ("gw-77", "/gb/gateway")
    assert command.payload_sha256 == wco("declaration-request").payload_sha256
    assert wco_poison(wco_bytes("declaration-bare"), {"ce_id": "x" * 129}) == "LIMIT"


def test_the_time_is_that_of_message_wrapper_or_record() -> None:
    record_time = datetime(2026, 3, 3, 12, tzinfo=UTC)
    assert wco("declaration-bare").occurred_at == record_time
    assert wco("declaration-request").occurred_at == datetime(2026, 3, 4, 10, 12, 44, 501000, UTC)
    assert wco("declaration-danish").occurred_at == datetime(2026, 3, 4, 8, 15, tzinfo=UTC)
    header = {"ce_time": "2026-03-04T10:00:00Z"}
    assert wco("declaration-bare", header).occurred_at == datetime(2026, 3, 4, 10, tzinfo=UTC)
    assert wco_poison(wco_bytes("declaration-bare"), {"ce_time": "noon"}) == "ENVELOPE"
    broken = swapped("declaration-danish", "20260304091500+01", "Wed Mar 04 09:15:00 CET 2026")
    assert (wco(broken).occurred_at, codes(wco(broken))) == (record_time, ["DATE_INVALID"])


def test_codes_in_one_piece_and_lines_in_an_element_are_read() -> None:
    command = wco("declaration-danish")
    assert claims(command) == [(1, 1, "X060", "DK/DK-2026-00418", 2, "125.5 KGM", "84000 DKK", "")]
    (item,) = payload(command).items
    assert (item.commodity, item.destination, item.origin) == ("68151200", "XS", "JP")
    assert (payload(command).consignee_id, payload(command).office) == ("RS100200300", "DK003102")
    assert payload(command).destination == "XS"


def test_a_danish_reference_keeps_its_last_part() -> None:
    raw = swapped("declaration-danish", "<LineNumeric>2</LineNumeric>", "")
    assert claims(wco(raw))[0][3:5] == ("DK/DK-2026-00418", None)
    (split,) = commands(raw, options=DecodeOptions(line_suffix_countries={"DK"}))
    assert claims(split)[0][3:5] == ("DK/DK-2026", 418)


@pytest.mark.row("R18")
@pytest.mark.parametrize(("code", "kind"), [("EXA", "A"), ("EXD", "D"), ("EXF", "F"), ("EXZ", "Z"), ("COA", "A")])
def test_every_original_is_lodged(code: str, kind: str) -> None:
    command = wco(swapped("declaration-bare", "EXA", code))
    assert (command.kind, payload(command).additional_type) == (EventKind.LODGED, kind)
    assert payload(command).declaration_type == code[:2]


@pytest.mark.parametrize(
    ("written", "day", "remarks"),
    [
        ('<DateTimeString formatCode="102">20260220</DateTimeString>', "2026-02-20", []),
        ("20260220101500+00", "2026-02-20T10:15:00+00:00", []),
        ("last Friday", "", ["DATE_INVALID"]),
    ],
)
def test_an_original_may_state_the_day_of_exit(written: str, day: str, remarks: list[str]) -> None:
    """WCO 024; it counts for a retrospective declaration."""
    shipment = f"<GoodsShipment><ExitDateTime>{written}</ExitDateTime>"
    raw = swapped("declaration-bare", "<GoodsShipment>", shipment).replace(b">EXA<", b">EXR<")
    command = wco(raw)
    assert (payload(command).additional_type, command.facts.exit_day) == ("R", day)
    assert codes(command) == [*codes(wco("declaration-bare")), *remarks]


@pytest.mark.row("R18")
def test_a_supplementary_is_linked_to_every_simplified_declaration_that_it_names() -> None:
    name = "declaration-supplementary"
    command = wco(name)
    mrn = "26GB9RD02VBKK4C1A" + mrn_check_digit("26GB9RD02VBKK4C1A")
    assert (command.kind, command.mrn, command.lrn) == (EventKind.SUPPLEMENTARY, "", "NWT-26-00744")
    assert command.facts.simplified == (SimplifiedReference(mrn),)
    assert command.facts.payload_rank == PayloadRank(0, 1, command.facts.payload_rank.stamp)  # type: ignore[union-attr]
    one_item = wco(swapped(name, mrn, "23GBCDS123456789B1-1"))
    assert one_item.facts.simplified == (SimplifiedReference("23GBCDS123456789B1", 1),)
    assert codes(one_item) == ["MRN_CHECK_DIGIT"]
    for code in ("CLE", "MRN"):
        other = (
            f"<PreviousDocument><CategoryCode>Y</CategoryCode><ID>23GBCDS123456789B1-2</ID><TypeCode>{code}</TypeCode>"
        )
        many = wco(swapped(name, "<PreviousDocument>", f"{other}</PreviousDocument><PreviousDocument>"))
        assert many.facts.simplified == (SimplifiedReference("23GBCDS123456789B1", 2), SimplifiedReference(mrn))


@pytest.mark.row("R18")
def test_an_item_names_the_simplified_item_that_it_supplements() -> None:
    name = "declaration-supplementary"
    previous = "<PreviousDocument><CategoryCode>Y</CategoryCode><ID>23GBCDS123456789B1-3</ID><TypeCode>SDE</TypeCode>"
    inside = f"<GovernmentAgencyGoodsItem>{previous}</PreviousDocument>"
    command = wco(swapped(name, "<GovernmentAgencyGoodsItem>", inside))
    assert payload(command).items[0].simplified == (SimplifiedReference("23GBCDS123456789B1", 3),)
    other_kind = swapped(name, "<GovernmentAgencyGoodsItem>", inside).replace(b"EXY", b"EXA")
    assert payload(wco(other_kind)).items[0].simplified == ()


@pytest.mark.row("R18")
@pytest.mark.parametrize(
    ("old", "new"), [("MRN", "23GBCDS123456789B1-"), ("MRN", "GB-INVENTORY-7"), ("SDE", "DCR"), ("EXY", "EXA")]
)
def test_a_previous_document_of_another_kind_links_nothing(old: str, new: str) -> None:
    mrn = "26GB9RD02VBKK4C1A" + mrn_check_digit("26GB9RD02VBKK4C1A")
    alone = wco(swapped("declaration-supplementary", mrn if old == "MRN" else old, new))
    assert (alone.kind, alone.mrn, alone.lrn) == (EventKind.LODGED, "", "NWT-26-00744")
    assert alone.facts.simplified == ()


@pytest.mark.parametrize(
    ("trader", "country"),
    [("XI123456789012", "GB"), ("GB123456789012", "GB"), ("DK12345678", "DK"), ("FR12345678901234", "FR")],
)
def test_northern_ireland_shares_the_issuer_of_the_united_kingdom(trader: str, country: str) -> None:
    raw = wco_bytes("declaration-danish").replace(b"DK12345678", trader.encode())
    raw = raw.replace(b"<SupervisingOffice><ID>DK003102</ID></SupervisingOffice>", b"")
    command = wco(raw.replace(b"DK-2026-00418", b"L418"))
    assert claims(command)[0][3] == f"{country}/L418"


def test_without_exporter_the_declarant_names_the_declaration_and_holds_no_licence() -> None:
    raw = swapped("declaration-bare", "<Exporter><ID>GB123456789012</ID></Exporter>", "")
    command = wco(raw)
    assert (command.exporter, payload(command).exporter) == ("GB333444555000", "")


@pytest.mark.parametrize("name", ["amendment-partial", "amendment-whole", "cancellation"])
def test_a_request_is_known_by_the_mrn_and_its_own_reference_is_not_the_declaration_s(name: str) -> None:
    command = wco(name)
    assert (command.mrn, command.lrn, command.facts.lrn) == ("26GB7KX41QWZ30M8R1", "", "")
    assert dict(command.extensions)["wcoreference"].startswith("NWT-26-00731-")


def test_a_cancellation_request_moves_nothing() -> None:
    for raw in (wco_bytes("cancellation"), swapped("cancellation", ">13<", ">1<")):
        command = wco(raw)
        assert (command.kind, command.facts.invalidated, codes(command)) == (EventKind.REQUESTED, None, [])
        assert not request(command).amends


@pytest.mark.parametrize(
    ("figure", "code"),
    [
        ('<QuantityQuantity unitCode="NAR">0</QuantityQuantity>', "INVALID_QUANTITY"),
        ('<QuantityQuantity unitCode="NAR">+4</QuantityQuantity>', "LEXICAL"),
        ('<QuantityQuantity unitCode="KGG">4</QuantityQuantity>', "UNIT_UNKNOWN"),
        ("<QuantityQuantity>4</QuantityQuantity>", "UNIT_UNKNOWN"),
        ('<QuantityQuantity unitCode="NAR">4</QuantityQuantity><QuantityQuantity>5</QuantityQuantity>', "LEXICAL"),
    ],
)
@pytest.mark.row("E212")
def test_an_impossible_figure_refuses_its_claim_only(figure: str, code: str) -> None:
    raw = swapped("declaration-bare", '<QuantityQuantity unitCode="NAR">4</QuantityQuantity>', figure)
    first, second = (item.claims[0] for item in payload(wco(raw)).items)
    assert ([finding.code for finding in first.findings], second.findings) == ([code], ())


@pytest.mark.row("E212")
def test_blanks_and_references_in_numbers_are_one_reading() -> None:
    raw = swapped("declaration-bare", 'unitCode="NAR">4<', 'unitCode="NAR">\n &#52; <')
    assert wco(raw).event_id == wco("declaration-bare").event_id
    assert claims(wco(raw))[0][5] == "4 NAR"


def test_a_licence_document_without_reference_is_a_bad_claim() -> None:
    raw = swapped("declaration-bare", "GBSIEL2026/0004711/P-0001</ID>", "</ID>")
    first, second = (item.claims[0] for item in payload(wco(raw)).items)
    assert [finding.code for finding in first.findings] == ["LICENCE_NUMBER_INVALID"]
    assert second.findings == ()


def test_a_waiver_is_no_claim_whatever_its_text() -> None:
    command = wco("declaration-waiver")
    assert [len(item.claims) for item in payload(command).items] == [0, 1]
    assert codes(command) == ["LICENCE_NOT_CLAIMED"]


def test_shipment_documents_over_several_items_stay_with_the_shipment() -> None:
    document = "<AdditionalDocument><CategoryCode>X</CategoryCode><ID>GB7-0002</ID><TypeCode>002</TypeCode>"
    raw = swapped("declaration-bare", "<Consignee>", f"{document}</AdditionalDocument><Consignee>")
    (claim,) = payload(wco(raw)).header_claims
    assert (claim.item, claim.licence_id, claim.line_no, claim.reference) == (0, "GB/GB7", 2, "GB7-0002")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<FunctionCode>9</FunctionCode>", "<FunctionCode>4</FunctionCode>", "WCO_FUNCTION"),
        ("<FunctionCode>9</FunctionCode>", "", "WCO_FUNCTION"),
        (
            "<FunctionCode>9</FunctionCode>",
            "<FunctionCode>9</FunctionCode><FunctionCode>13</FunctionCode>",
            "WCO_STRUCTURE",
        ),
        ("</GoodsShipment>", "</GoodsShipment><GoodsShipment/>", "WCO_STRUCTURE"),
        ("<FunctionalReferenceID>NWT-26-00731</FunctionalReferenceID>", "", "IDENTITY_MISSING"),
        ("NWT-26-00731<", "N" * 36 + "<", "LRN_INVALID"),
        ("<FunctionCode>9</FunctionCode>", "<FunctionCode>9</FunctionCode><ID>26GB</ID>", "MRN_INVALID"),
        ("GB123456789012</ID></Exporter>", "123456</ID></Exporter>", "EORI_INVALID"),
        ("<SequenceNumeric>2<", "<SequenceNumeric>1<", "ITEM_DUPLICATE"),
        ("<SequenceNumeric>2<", "<SequenceNumeric>two<", "WCO_STRUCTURE"),
        ("<SequenceNumeric>2<", "<SequenceNumeric>0<", "WCO_STRUCTURE"),
        ("GBSIEL2026/0004711/P", "G" * 600, "WCO_STRUCTURE"),
        ("Declaration", "Manifest", "WCO_MESSAGE"),
    ],
)
def test_what_makes_the_whole_declaration_impossible_is_poison(old: str, new: str, code: str) -> None:
    assert wco_poison(swapped("declaration-bare", old, new)) == code


def test_a_function_that_is_not_taken_is_answered_with_those_that_are() -> None:
    raw = swapped("declaration-bare", "<FunctionCode>9</FunctionCode>", "<FunctionCode>5</FunctionCode>")
    (poison,) = decode_wco(wco_envelope(raw))
    assert isinstance(poison, Poison)
    assert (poison.code, poison.field, poison.value) == ("WCO_FUNCTION", "FunctionCode", "5")
    for told in ("function 9", "13 (COR, INV, GPR)", "4 (COR)", "1 (INV)", "not 5"):
        assert told in poison.message


def test_an_impossible_exporter_number_beside_an_mrn_is_remarked() -> None:
    raw = swapped("amendment-whole", "GB123456789012", "123456789012")
    assert codes(wco(raw)) == ["EORI_INVALID"]


def test_one_record_may_hold_several_messages() -> None:
    bodies = [wco_bytes(name).split(b"?>", 1)[1] for name in WRAPPERS]
    raw = b"<batch>" + b"".join(bodies) + wco_bytes("notification-01-accepted") + b"</batch>"
    found = commands(raw)
    assert [command.kind for command in found] == [EventKind.LODGED] * 3 + [EventKind.ACCEPTED]
    assert len({command.event_id for command in found}) == 2
    given = commands(raw, {"ce_id": "gw-1"})
    assert len({command.event_id for command in given}) == 4
    many = b"<batch>" + b"<Response/>" * 101 + b"</batch>"
    assert wco_poison(many) == "WCO_MESSAGE"


def test_one_bad_message_of_a_record_leaves_the_others_alone() -> None:
    good, bad = wco_bytes("notification-01-accepted"), wco_bytes("notification-08-released")
    bad = bad.replace(b"26GB7KX41QWZ30M8R1", b"26gb7KX41QWZ30M8R1")
    first, second = decode_wco(wco_envelope(b"<batch>" + bad + good + b"</batch>"))
    assert isinstance(first, Poison)
    assert first.code == "MRN_INVALID"
    assert not isinstance(second, Poison)
    assert second.event_id == wco("notification-01-accepted").event_id


def test_goods_are_presented_by_a_request_of_its_own() -> None:
    command = wco("presentation")
    assert (command.facts.presented is not None, request(command).reference) == (True, "NWT-26-00731-P1")
    unknown = wco(swapped("presentation", "GPR", "XYZ"))
    assert (unknown.kind, codes(unknown), unknown.facts.presented) == (EventKind.NOTED, ["WCO_FUNCTION"], None)


def test_the_number_of_items_is_remarked_where_it_differs() -> None:
    command = wco(swapped("declaration-bare", "<GoodsItemQuantity>2<", "<GoodsItemQuantity>3<"))
    assert codes(command) == ["ITEM_COUNT"]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("<TypeCode>935</TypeCode>", "<TypeCode>935</TypeCode><LineNumeric>1A</LineNumeric>", []),
        ("<TypeCode>935</TypeCode>", "<TypeCode>935</TypeCode><ID>again</ID>", []),
        ("<LPCOExemptionCode>AE<", "<LineNumeric>1A</LineNumeric><LPCOExemptionCode>AE<", ["LINE_INVALID"]),
        ("<LPCOExemptionCode>AE<", "<LineNumeric>2</LineNumeric><LPCOExemptionCode>AE<", ["LINE_CONFLICT"]),
        ("<LPCOExemptionCode>AE<", "<LineNumeric>1</LineNumeric><LPCOExemptionCode>AE<", []),
        ("<LPCOExemptionCode>AE<", "<ID>GBSIEL1</ID><LPCOExemptionCode>AE<", ["WCO_STRUCTURE"]),
    ],
)
def test_what_is_wrong_with_one_document_stays_with_its_claim(old: str, new: str, found: list[str]) -> None:
    claim = payload(wco(swapped("declaration-bare", old, new))).items[0].claims[0]
    assert claim.licence_id == "GB/GBSIEL2026/0004711/P"
    assert [finding.code for finding in claim.findings] == found


_LODGED = "<Exporter><ID>DE123456789012</ID></Exporter>"


@pytest.mark.parametrize(
    ("wrapper", "body", "country", "sign"),
    [
        (
            "<ResponsibleCountryCode>NL</ResponsibleCountryCode>",
            "<ExitOffice><ID>GB000060</ID></ExitOffice>",
            "GB",
            "OFFICE",
        ),
        ("<ResponsibleCountryCode>gb</ResponsibleCountryCode>", _LODGED, "GB", "WRAPPER"),
        ("<ResponsibleCountryCode>??</ResponsibleCountryCode>", _LODGED, "DE", "EXPORTER"),
        ("<ResponsibleCountryCode/>", _LODGED + "<Declarant><ID>DK12345678</ID></Declarant>", "DK", "EXPORTER"),
        ("<ResponsibleAgencyName>HMRC</ResponsibleAgencyName>", _LODGED, "GB", "WRAPPER"),
        ("", "<DeclarationOfficeID>DK007903</DeclarationOfficeID>" + _LODGED, "DK", "OFFICE"),
        ("", "<GoodsShipment><ExportCountry><ID>DK</ID></ExportCountry></GoodsShipment>" + _LODGED, "DK", "OFFICE"),
        ("", "<ID>26FR000382T7Q19BJ7</ID>" + _LODGED, "FR", "MRN"),
        ("", "<ExitOffice><ID>99000060</ID></ExitOffice>", "", ""),
    ],
)
def test_the_country_is_told_by_the_strongest_sign(wrapper: str, body: str, country: str, sign: str) -> None:
    root = parse_xml(f"<batch><MetaData>{wrapper}<Declaration>{body}</Declaration></MetaData></batch>".encode())
    declaration = root[0][-1]
    assert lodged_in(declaration, declaration, text(declaration, "ID")) == (country, sign)


def test_two_wrappers_in_one_record_keep_their_countries_and_times() -> None:
    other = wco_bytes("declaration-danish").split(b"?>", 1)[1].replace(b"GB", b"DK")
    raw = (
        b"<batch>"
        + wco_bytes("declaration-request").split(b"?>", 1)[1]
        + b"<MetaData>"
        + other
        + b"</MetaData></batch>"
    )
    british, danish = commands(raw)
    assert (british.source, danish.source) == ("wco/GB", "wco/DK")
    assert british.occurred_at != danish.occurred_at


def test_a_message_s_size_has_a_limit_of_its_own() -> None:
    record = wco_envelope(wco_bytes("declaration-bare"))
    with pytest.raises(Poison) as caught:
        decode_message(record, max_bytes=1_000)
    assert caught.value.code == "LIMIT"
    padding = b"<!--" + b"x" * (2 << 20) + b"-->"
    assert commands(wco_bytes("declaration-bare") + padding)


@pytest.mark.parametrize(("profile", "code"), [("", "PROFILE_MISSING"), ("aes", "PROFILE_UNKNOWN"), ("WCO", "")])
def test_the_profile_header_says_which_language_it_is(profile: str, code: str) -> None:
    record = wco_envelope(wco_bytes("declaration-bare"), {"profile": profile})
    if not code:
        assert len(decode_message(record)) == 1
        return
    with pytest.raises(Poison) as caught:
        decode_message(record)
    assert (caught.value.code, caught.value.field) == (code, "profile")


SOAP = "http://www.w3.org/2003/05/soap-envelope"


@pytest.mark.parametrize("message", ["declaration-bare", "notification-01-accepted"])
def test_known_envelopes_are_opened(message: str) -> None:
    raw = wco_bytes(message).rpartition(b"?>")[2]
    soap = f'<s:Envelope xmlns:s="{SOAP}"><s:Header/><s:Body>'.encode() + raw + b"</s:Body></s:Envelope>"
    assert wco(soap).event_id == wco(raw).event_id
    national = b"<submitDeclarationRequest><requestCommon/><requestDetail>" + raw
    assert wco(national + b"</requestDetail></submitDeclarationRequest>").event_id == wco(raw).event_id


@pytest.mark.parametrize("root", ["DeclarationFullResponse", "DeclarationStatusResponse", "SearchResult", "Archive"])
def test_an_answer_to_a_query_is_no_declaration(root: str) -> None:
    raw = wco_bytes("declaration-bare").split(b"?>", 1)[1]
    inside = b"<Details><MetaData>" + raw + b"</MetaData></Details>"
    answer = f"<p:{root} xmlns:p='urn:query'>".encode() + inside + f"</p:{root}>".encode()
    with pytest.raises(Poison) as refused:
        decode_wco(wco_envelope(answer))
    assert (refused.value.code, refused.value.field) == ("WCO_MESSAGE", root)
    enveloped = f'<s:Envelope xmlns:s="{SOAP}"><s:Body>'.encode() + answer + b"</s:Body></s:Envelope>"
    assert wco_poison(enveloped) == "WCO_MESSAGE"


def test_what_stands_beside_a_message_is_no_message() -> None:
    raw = wco_bytes("declaration-bare").split(b"?>", 1)[1]
    found = commands(b"<MetaData><Original>" + raw + b"</Original>" + raw + b"</MetaData>")
    assert len(found) == 1


DOCUMENT = "<SupportingDocument><ID>{}</ID><TypeCode>N999</TypeCode></SupportingDocument>"


def with_documents(count: int) -> Any:
    """The one answer to a declaration with so many documents on its first item."""
    raw = wco_bytes("declaration-bare").decode()
    end = "</GovernmentAgencyGoodsItem>"
    before, _, after = raw.partition(end)
    held = before.count("<SupportingDocument>") + before.count("<AdditionalDocument>")
    more = "".join(DOCUMENT.format(number) for number in range(count - held))
    (found,) = decode_wco(wco_envelope((before + more + end + after).encode()))
    return found


def test_documents_of_an_item_are_counted_before_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not isinstance(with_documents(99), Poison)
    read: list[object] = []
    monkeypatch.setattr(goods, "_document", lambda *seen: read.append(seen))
    refused = with_documents(100)
    assert (refused.code, refused.field, read) == ("WCO_STRUCTURE", "documents", [])


def test_items_are_counted_before_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = wco_bytes("declaration-bare").decode()
    start, end = "<GovernmentAgencyGoodsItem>", "</GovernmentAgencyGoodsItem>"
    many = raw.replace(start, f"{start}{end}" * 10_000 + start, 1).encode()
    read: list[object] = []
    monkeypatch.setattr(declaration, "goods_item", lambda *seen: read.append(seen))
    assert (wco_poison(many), read) == ("WCO_STRUCTURE", [])


def test_a_long_namespace_is_refused_at_the_gate() -> None:
    raw = b'<Declaration xmlns="' + b"u" * 257 + b'">' + b"<x/>" * 1_000 + b"</Declaration>"
    assert wco_poison(raw) == "XML_LIMIT"
