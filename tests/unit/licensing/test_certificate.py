"""Certificates: schema-valid for two validators, byte-identical, and every figure found again."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import xmlschema
from lxml import etree

from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.licensing.certificate import (
    FAMILY,
    NAMESPACE,
    VERSION,
    render_certificate,
)
from certex_bridge.licensing.certificate_parts import escape
from certex_bridge.licensing.content import licence_content
from certex_bridge.licensing.domain.licence import (
    Licence,
    LicenceCap,
    Party,
)
from certex_bridge.licensing.domain.texts import COUNTS, LENGTHS
from certex_bridge.platform.resources import schema_path
from certex_bridge.platform.xsd import DocumentInvalid, validator
from tests.unit.licensing.samples import CERTIFICATES, Account, accounts, golden, golden_licence

AT = datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC)
NAMES = [
    "individual",
    "global-capped",
    "national-general",
    "eugea-eu001",
    "eugea-eu003",
    "transit",
    "legacy-uk",
    "split",
]
STATUSES = ["Valid", "Cancelled", "Exhausted", "Expired", "Suspended", "Revoked"]
XSD = str(schema_path("xsd", FAMILY, VERSION))
N = {"c": NAMESPACE}
XS = "http://www.w3.org/2001/XMLSchema"


@pytest.fixture(scope="module")
def second() -> xmlschema.XMLSchema:
    """The independent validator."""
    return xmlschema.XMLSchema(XSD)


def rendered(licence: Licence, status: str = "Valid", balances: list[Account] | None = None, **changes: Any) -> bytes:
    arguments: dict[str, Any] = {"prepared_at": AT, "event_id": "event-1"} | changes
    return render_certificate(licence, status, accounts(licence) if balances is None else balances, **arguments)


def texts(document: bytes, path: str) -> list[str]:
    root = etree.fromstring(document)
    steps = "/".join(f"c:{step}" for step in path.split("/"))
    return [str(node.text) for node in root.iterfind(f".//{steps}", N)]


@pytest.mark.row("E169", "E170")
@pytest.mark.parametrize("name", [*NAMES, "split-part-1", "split-part-2"])
def test_golden_certificates(name: str, second: xmlschema.XMLSchema) -> None:
    command = golden(name.partition("-part-")[0])
    licence = command.parts[int(name[-1]) - 1] if "-part-" in name else command.licence
    assert licence is not None
    document = rendered(licence, prepared_at=command.occurred_at, event_id=command.event_id)
    path = CERTIFICATES / f"{name}.xml"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_bytes(document)
    assert document == path.read_bytes()
    second.validate(document)


@pytest.mark.row("E169")
def test_order_of_accounts_and_zone_of_the_time_do_not_matter() -> None:
    licence = golden_licence()
    elsewhere = AT.astimezone(timezone(timedelta(hours=9)))
    other = rendered(licence, balances=accounts(licence)[::-1], prepared_at=elsewhere)
    assert other == rendered(licence)


@pytest.mark.row("E170")
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("name", NAMES)
def test_every_type_in_every_status(name: str, status: str, second: xmlschema.XMLSchema) -> None:
    document = rendered(golden_licence(name), status)
    second.validate(document)
    assert texts(document, "status") == [status]
    assert bool(texts(document, "AcceptedProcedure/code")) == (status == "Valid")


def test_header() -> None:
    document = rendered(golden_licence(), sender="BRIDGE <BE>", recipient="CERTEX & CO")
    assert texts(document, "messageSender") == ["BRIDGE <BE>"]
    assert texts(document, "messageRecipient") == ["CERTEX & CO"]
    assert texts(rendered(golden_licence()), "messageRecipient") == ["EU-CSW-CERTEX"]
    assert texts(document, "statusDateAndTime") == ["2026-03-01T09:00:00"]
    assert texts(document, "preparationDateAndTime") == ["2026-03-01T09:00:00"]
    assert texts(document, "correlationIdentifier") == ["event-1"]
    (long_id,) = texts(rendered(golden_licence(), event_id="e" * 128), "correlationIdentifier")
    assert len(long_id) == 32


def test_message_identity_follows_the_content() -> None:
    licence = golden_licence()
    (first,) = texts(rendered(licence), "messageIdentification")
    assert texts(rendered(licence), "messageIdentification") == [first]
    others = [
        rendered(licence, "Suspended"),
        rendered(replace(licence, version=2)),
        rendered(licence, event_id="event-2"),
        rendered(licence, balances=[]),
    ]
    identities = {texts(document, "messageIdentification")[0] for document in others}
    assert len(identities | {first}) == 5


@pytest.mark.row("IR 3")
def test_each_figure_is_found_again() -> None:
    licence = golden_licence()
    balances = [
        Account(1, "QTY", "NAR", Decimal(40), Decimal("3.000000"), Decimal(37)),
        Account(2, "QTY", "KGM", Decimal("1313.025"), Decimal("0.000001"), Decimal(0)),
        Account(3, "QTY", "NAR", Decimal(300), Decimal(200), Decimal(150)),
        Account(3, "VAL", "EUR", Decimal("75000.00"), Decimal("0.10"), Decimal("74999.90")),
    ]
    document = rendered(licence, balances=balances)
    assert texts(document, "quantityAuthorised") == ["40", "1250.5", "300"]
    assert texts(document, "quantityLimit") == ["1313.025"]
    assert texts(document, "tolerancePercent") == ["5"]
    assert texts(document, "quantityReserved") == ["3", "0.000001", "200"]
    assert texts(document, "quantityConsumed") == ["37", "0", "150"]
    assert texts(document, "quantityAvailable") == ["0", "1313.024999", "0"]
    assert texts(document, "quantityOver") == ["50"]
    assert texts(document, "amountAuthorised") == ["1900000", "75000"]
    assert texts(document, "amountReserved") == ["0.1"]
    assert texts(document, "controlledBy") == ["Q", "Q", "B"]
    assert texts(document, "measurementUnitAndQualifier") == ["NAR", "KGM", "NAR"]


@pytest.mark.row("CR 10(2)(b)")
@pytest.mark.row("E171")
@pytest.mark.parametrize(
    "text", ["a & b", "<b>x</b>", "cdata ]]> end", "\U0001f6e0 \U00020000", "&amp; stays", "'\"quotes"]
)
def test_text_survives(text: str) -> None:
    licence = golden_licence()
    licence = replace(licence, lines=(replace(licence.lines[0], description=text),), conditions=(text,))
    document = rendered(licence)
    assert texts(document, "descriptionOfGoods") == [text]
    assert texts(document, "Condition/text") == [text]
    assert etree.fromstring(licence_content(licence, 1)).findtext("descriptionOfGoods") == text


def test_a_carriage_return_would_survive_a_parser() -> None:
    assert escape("cr\rhere") == "cr&#13;here"


def test_a_licence_that_was_not_linted_does_not_leave() -> None:
    licence = golden_licence()
    for bad in (replace(licence, authority=Party("x" * 71)), replace(licence, number="nul\x00")):
        with pytest.raises(DocumentInvalid) as caught:
            rendered(bad)
        assert caught.value.errors
    with pytest.raises(DocumentInvalid):
        rendered(licence, "Unknown")


@pytest.mark.row("IR 2", "DU Annex III")
def test_what_the_tables_map_for_each_type() -> None:
    individual, general = rendered(golden_licence()), rendered(golden_licence("eugea-eu001"))
    assert texts(individual, "Holder/identificationNumber") == ["BE0123456789"]
    assert texts(individual, "Holder/Address/city") == []
    assert texts(individual, "Consignee/Address/city") == ["Seoul"]
    assert texts(general, "Holder/Address/city") == ["Lyon"]
    transit = rendered(golden_licence("transit"))
    assert texts(transit, "Holder/name") == []
    assert texts(transit, "CommodityCode/taricCode") == ["00"]
    assert texts(transit, "Procedure/declarationType") == ["T1"]
    consignee = replace(golden_licence("eugea-eu001"), consignees=(Party("K"),), end_users=(Party("U"),))
    assert texts(rendered(consignee), "Consignee/name") == []
    assert texts(rendered(consignee), "EndUser/name") == []
    assert texts(individual, "EndUser/name") == ["Hanbit Aerospace"]
    assert texts(individual, "EndUser/Address/country") == ["KR"]
    assert texts(rendered(golden_licence("eugea-eu003")), "InitialLicence/referenceNumber") == ["CZ-2023-0042"]


def test_countries_stand_as_written_beside_the_customs_code() -> None:
    licence = replace(golden_licence(), destinations=("RS", "KR"), consignment_countries=("XS",))
    document = rendered(licence)
    assert texts(document, "CountryOfDestination/country") == ["RS", "KR"]
    assert texts(document, "CountryOfDestination/customsCountry") == ["XS"]
    assert texts(document, "CountryOfConsignment/customsCountry") == []
    party = Party("Kupac", country="RS")
    serbian = replace(
        golden_licence(),
        lines=(replace(golden_licence().lines[0], origin="RS"),),
        consignees=(party,),
        end_users=(party,),
        destinations=("RS",),
    )
    document = rendered(serbian)
    assert texts(document, "CertificateLine/customsCountryOfOrigin") == ["XS"]
    assert texts(document, "Consignee/Address/customsCountry") == ["XS"]
    assert texts(document, "EndUser/Address/customsCountry") == ["XS"]
    content = etree.fromstring(licence_content(serbian, 1))
    assert (content.findtext("countriesOfDestination"), content.findtext("customsCountryOfOrigin")) == ("XS", "XS")
    transit = replace(golden_licence("transit"), destinations=("XS",))
    assert texts(rendered(transit), "CountryOfDestination/customsCountry") == ["RS"]


@pytest.mark.row("E102")
def test_a_removed_line_keeps_its_use() -> None:
    licence = golden_licence()
    gone = [
        Account(9, "QTY", "NAR", Decimal(0), Decimal(0), Decimal(4)),
        Account(9, "VAL", "EUR", Decimal(0), Decimal(0), Decimal("0.01")),
        Account(8, "VAL", "EUR", Decimal(0), Decimal(1), Decimal(0)),
        Account(7, "QTY", "NAR", Decimal(0), Decimal(1), Decimal(0)),
    ]
    document = rendered(licence, balances=accounts(licence) + gone)
    assert texts(document, "RemovedLine/documentLineItemNumber") == ["7", "8", "9"]
    assert texts(document, "RemovedLine/SweCData/controlledBy") == ["Q", "V", "B"]
    assert texts(document, "RemovedLine/SweCData/SweCQuantity/quantityOver") == ["1", "4"]


def test_the_whole_licence_has_figures_of_its_own() -> None:
    licence = replace(golden_licence(), cap=LicenceCap(Quantity(Decimal(5), "NAR"), Money(Decimal("9.50"), "EUR")))
    only_quantity = replace(licence, cap=LicenceCap(Quantity(Decimal(5), "NAR")))
    assert texts(rendered(licence), "SweCData/controlledBy")[0] == "B"
    assert texts(rendered(only_quantity), "SweCData/controlledBy")[0] == "Q"
    dropped = [Account(0, "VAL", "EUR", Decimal(0), Decimal(2))]
    assert texts(rendered(golden_licence(), balances=dropped), "amountOver") == ["2"]
    general = replace(golden_licence("national-general"), cap=LicenceCap(value=Money(Decimal(1), "EUR")))
    assert texts(rendered(general), "SweCData/controlledBy") == ["O"]


def test_an_account_in_another_unit_shows_no_authorised_figure() -> None:
    licence = golden_licence()
    document = rendered(licence, balances=[Account(1, "QTY", "KGM", Decimal(7))])
    assert texts(document, "measurementUnitAndQualifier")[0] == "KGM"
    assert texts(document, "quantityAuthorised") == ["1250.5", "300"]


def test_tolerance_of_zero_is_not_stated_however_it_is_written() -> None:
    licence = golden_licence()
    document = rendered(replace(licence, lines=(replace(licence.lines[0], tolerance_percent="0.00"),)))
    assert texts(document, "tolerancePercent") == []


def in_schema(type_name: str) -> Callable[[str], bool]:
    """Validates a fragment against a shared type, in whatever namespace it is put."""
    source = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:other" xmlns="urn:other"
      elementFormDefault="qualified"><xs:include schemaLocation="licence-content.xsd"/>
      <xs:element name="Outcome"><xs:complexType><xs:sequence><xs:element name="LicenceContent" type="{type_name}"/>
      </xs:sequence></xs:complexType></xs:element></xs:schema>"""
    base = schema_path("xsd", FAMILY, VERSION).parents[2] / "shared" / "1" / "x.xsd"
    schema = etree.XMLSchema(etree.fromstring(source, base_url=base.as_uri()))
    return lambda fragment: bool(schema.validate(etree.fromstring(f'<Outcome xmlns="urn:other">{fragment}</Outcome>')))


@pytest.mark.parametrize("name", NAMES)
def test_licence_content_is_valid_in_another_namespace(name: str) -> None:
    valid = in_schema("LicenceContentType")
    licence = golden_licence(name)
    for line_no in (None, 99_999, *(line.line_no for line in licence.lines)):
        assert valid(licence_content(licence, line_no)), name


def test_licence_content_names_line_and_figures() -> None:
    licence = golden_licence()
    line = etree.fromstring(licence_content(licence, 3))
    assert line.findtext("documentLineItemNumber") == "3"
    assert line.findtext("quantityAuthorised") == "300"
    assert line.findtext("amountAuthorised") == "75000"
    assert line.findtext("holderIdentificationNumber") == "BE0123456789"
    assert line.find("status") is None
    whole = etree.fromstring(licence_content(golden_licence("global-capped"), None))
    assert whole.findtext("amountAuthorised") == "5000000"
    assert whole.find("documentLineItemNumber") is None
    assert etree.fromstring(licence_content(golden_licence("transit"), 1)).find("holderIdentificationNumber") is None


def test_licence_content_holds_what_a_declaration_is_compared_with() -> None:
    line = etree.fromstring(licence_content(golden_licence(), 1))
    assert line.findtext("holderName") == "Precisiewerk Noord"
    assert line.findtext("Consignee/identificationNumber") == "KR1148612345"
    assert line.findtext("countriesOfDestination") == "KR"
    assert line.findtext("procedures") == "1000 2300"
    assert line.findtext("controlListCode") == "2B001.b.2"
    assert line.findtext("countryOfOrigin") == "DE"
    assert line.find("HolderAddress") is None
    general = etree.fromstring(licence_content(golden_licence("eugea-eu001"), None))
    assert general.findtext("HolderAddress/city") == "Lyon"
    assert general.find("Consignee") is None


def test_what_remained_at_hand_over_is_told_beside_the_limit_it_makes() -> None:
    first = replace(golden_licence().lines[0], quantity_remaining=Quantity(Decimal(7), "NAR"), quantity_stated="40 C62")
    licence = replace(golden_licence(), lines=(first,))
    document = rendered(licence)
    assert texts(document, "quantityAuthorised") == ["40"]
    assert texts(document, "quantityRemaining") == texts(document, "quantityLimit") == ["7"]
    assert texts(document, "quantityAsStated") == ["40 C62"]


@pytest.mark.parametrize(
    ("element", "wrong"),
    [
        ("issueDate>2026-01-12", "issueDate>2026-01-12Z"),
        ("validityDate>2028-01-14", "validityDate>2028-01-14+01:00"),
        ("issuingCountry>BE", "issuingCountry>be"),
        ("country>KR", "country>K1"),
        ("currency>EUR", "currency>E1R"),
        ("measurementUnitAndQualifier>KGM", "measurementUnitAndQualifier>kg m"),
        ("harmonizedSystemSubHeadingCode>845710", "harmonizedSystemSubHeadingCode>84571x"),
        ("combinedNomenclatureCode>90", "combinedNomenclatureCode>9 "),
        ("type>X060", "type>x-60"),
        ("identificationNumber>BE0123456789", "identificationNumber>be 1"),
        ("quantityAuthorised>40", "quantityAuthorised>+40"),
        ("quantityAuthorised>40", "quantityAuthorised>040"),
        ("amountAuthorised>75000", "amountAuthorised>.5"),
        ("descriptionOfGoods>Spare", "descriptionOfGoods> Spare"),
        ("name>Precisiewerk Noord", "name>Precisiewerk Noord "),
        ("name>Precisiewerk Noord", "name>Precisiewerk\nNoord"),
    ],
)
def test_the_schema_refuses_what_the_lint_refuses(element: str, wrong: str, second: xmlschema.XMLSchema) -> None:
    document = rendered(golden_licence()).decode()
    spoilt = document.replace(f"<{element}", f"<{wrong}", 1)
    assert spoilt != document
    with pytest.raises(DocumentInvalid):
        validator(FAMILY, VERSION).validate(spoilt.encode())
    assert not second.is_valid(spoilt)


def test_every_item_of_the_schemas_says_its_format_and_code_list() -> None:
    families = schema_path("xsd", FAMILY, VERSION).parents[2]
    kinds = {}
    for path in sorted(families.glob("shared/1/*.xsd")) + sorted(families.glob("certificate/1/*.xsd")):
        root = etree.parse(path).getroot()
        for kind in root.iter(f"{{{XS}}}simpleType"):
            kinds[kind.get("name")] = (told(kind, "format"), told(kind, "codeList"))
        for group in root.iter(f"{{{XS}}}complexType", f"{{{XS}}}group"):
            for item in group.iter(f"{{{XS}}}element"):
                code_format, code_list = kinds.get(item.get("type"), ("", ""))
                assert not code_format or told(item, "format") == code_format, (path.name, item.get("name"))
                assert not code_list or told(item, "codeList"), (path.name, item.get("name"))


def told(node: Any, name: str) -> str:
    """What the annotation of a schema component says under a name."""
    found = [each for each in node.iterfind("./{*}annotation/{*}appinfo/*") if etree.QName(each).localname == name]
    return str(found[0].text) if found else ""


def test_repeating_groups_begin_with_their_sequence_number(second: xmlschema.XMLSchema) -> None:
    groups: list[Any] = [
        child
        for element in second.elements["Certificate"].iter()
        for child in element.iterchildren()
        if child.max_occurs != 1
    ]
    assert len(groups) >= 10
    for group in groups:
        children: list[Any] = list(group.iterchildren())
        assert children[0].local_name == "sequenceNumber", group.local_name


def test_the_schema_and_the_lint_have_one_set_of_lengths(second: xmlschema.XMLSchema) -> None:
    seen = set()
    for element in second.elements["Certificate"].iter():
        name: Any = element.local_name
        kind: Any = element.type
        if name in LENGTHS:
            seen.add(name)
            assert kind.max_length == LENGTHS[name], name
    # CAS numbers and conditions sit in numbered groups, figures as stated are elements of two names.
    names = list(LENGTHS)
    assert seen == set(names[: names.index("reason")]) - {"casNumber", "condition", "figureAsStated"}
    limits = {child.local_name: child.max_occurs for child in second.elements["Certificate"].iterchildren()}
    assert limits["CertificateLine"] == COUNTS["lines"]
    assert limits["Consignee"] == COUNTS["consignees"]
    assert limits["CountryOfDestination"] == limits["CountryOfConsignment"] == COUNTS["destinations"]
    assert limits["Procedure"] == limits["Condition"] == COUNTS["procedures"]


def test_nothing_of_the_operator_is_in_a_transit_certificate_in_any_form() -> None:
    licence = golden_licence("transit")
    named = Party("Nobody's Agent", "BE77", legal_type="GmbH", vat="DE811", registration_country="DE")
    document = rendered(replace(licence, holder=named, representative=named, sub_status="Under review")).decode()
    assert "<dataItem>subStatus</dataItem><text>Under review</text>" in document
    for text in ("Nobody", "GmbH", "DE811", "representative", "holder.", "<box>"):
        assert text not in document


def test_boxes_have_numbers_on_the_form_only() -> None:
    general = replace(golden_licence("national-general"), end_use=("Repair",), additional_information=("Signed",))
    document = rendered(general).decode()
    assert "<dataItem>endUse</dataItem><text>Repair</text>" in document
    assert "<box>" not in document
