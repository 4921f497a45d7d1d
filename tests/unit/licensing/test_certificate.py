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
    licence_content,
    render_certificate,
)
from certex_bridge.licensing.domain.licence import (
    Licence,
    LicenceCap,
    Party,
)
from certex_bridge.licensing.domain.texts import COUNTS, LENGTHS
from certex_bridge.platform.resources import schema_path
from certex_bridge.platform.xsd import DocumentInvalid
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
    document = rendered(golden_licence(), sender="BRIDGE <BE>")
    assert texts(document, "messageSender") == ["BRIDGE <BE>"]
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


@pytest.mark.row("E171")
@pytest.mark.parametrize(
    "text", ["a & b", "<b>x</b>", "cdata ]]> end", "\U0001f6e0 \U00020000", "&amp; stays", "cr\rhere", "'\"quotes"]
)
def test_text_survives(text: str) -> None:
    licence = golden_licence()
    licence = replace(licence, lines=(replace(licence.lines[0], description=text),), conditions=(text,))
    document = rendered(licence)
    assert texts(document, "descriptionOfGoods") == [text]
    assert texts(document, "Condition/text") == [text]
    assert etree.fromstring(licence_content(licence, 1)).findtext("descriptionOfGoods") == text


def test_a_licence_that_was_not_linted_does_not_leave() -> None:
    licence = golden_licence()
    for bad in (replace(licence, authority=Party("x" * 71)), replace(licence, number="nul\x00")):
        with pytest.raises(DocumentInvalid) as caught:
            rendered(bad)
        assert caught.value.errors
    with pytest.raises(DocumentInvalid):
        rendered(licence, "Unknown")


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
    consignee = replace(golden_licence("eugea-eu001"), consignees=(Party("K"),))
    assert texts(rendered(consignee), "Consignee/name") == []


def test_countries_stand_as_written_beside_the_customs_code() -> None:
    licence = replace(golden_licence(), destinations=("RS", "KR"), consignment_countries=("XS",))
    document = rendered(licence)
    assert texts(document, "CountryOfDestination/country") == ["RS", "KR"]
    assert texts(document, "CountryOfDestination/customsCountry") == ["XS"]
    assert texts(document, "CountryOfConsignment/customsCountry") == []
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


def test_the_schema_and_the_lint_have_one_set_of_lengths(second: xmlschema.XMLSchema) -> None:
    seen = set()
    for element in second.elements["Certificate"].iter():
        name: Any = element.local_name
        kind: Any = element.type
        if name in LENGTHS:
            seen.add(name)
            assert kind.max_length == LENGTHS[name], name
    # CAS numbers and conditions sit in numbered groups of their own; a reason is not part of a certificate.
    assert seen == set(LENGTHS) - {"casNumber", "condition", "reason"}
    limits = {child.local_name: child.max_occurs for child in second.elements["Certificate"].iterchildren()}
    assert limits["CertificateLine"] == COUNTS["lines"]
    assert limits["Consignee"] == COUNTS["consignees"]
    assert limits["CountryOfDestination"] == limits["CountryOfConsignment"] == COUNTS["destinations"]
    assert limits["Procedure"] == limits["Condition"] == COUNTS["procedures"]
