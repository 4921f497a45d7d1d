"""The lint names every mistake at once, with a stable code and the path of the field."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.licensing.domain.commands import ExporterBar, LicenceEventKind
from certex_bridge.licensing.domain.licence import (
    AuthorityStatus,
    Control,
    Direction,
    InitialLicence,
    Licence,
    LicenceCap,
    LicenceLine,
    LicenceType,
    Party,
    TradePartner,
)
from certex_bridge.licensing.domain.lint import lint, lint_bar, lint_split
from certex_bridge.licensing.domain.texts import LENGTHS, check_text
from tests.unit.licensing.samples import golden, golden_licence

ISSUED = LicenceEventKind.ISSUED
E_, W = Severity.ERROR, Severity.WARNING


def found(findings: list[Finding]) -> list[tuple[str, str, Severity]]:
    return [(finding.code, finding.field, finding.severity) for finding in findings]


def licence(**changes: Any) -> Licence:
    """The golden licence, changed."""
    return replace(golden_licence(), **changes)


def line(**changes: Any) -> Licence:
    """The golden licence with its first line alone, changed."""
    return licence(lines=(replace(golden_licence().lines[0], **changes),))


def holder(**changes: Any) -> Party:
    """The golden holder, changed."""
    return replace(golden_licence().holder, **changes)


def as_type(kind: LicenceType, code: str, **changes: Any) -> Licence:
    return licence(type=kind, document_code=code, **changes)


def national(**changes: Any) -> Licence:
    """A national general authorisation."""
    return as_type(LicenceType.NGEA, "X071", lines=(), **changes)


def quantity(amount: str, unit: str) -> Quantity:
    return Quantity.parse(amount, unit)


def money(amount: str, currency: str) -> Money:
    return Money.parse(amount, currency)


PIECES = quantity("10", "NAR")
EUROS = money("1000", "EUR")
PLAIN = LicenceLine(1, "Goods", Control.QUANTITY, PIECES)
GENERAL = as_type(LicenceType.EU001, "X061", valid_to=None, lines=())
REGISTERED = LicenceEventKind.EUGEA_REGISTERED

CASES: list[tuple[str, Licence, LicenceEventKind]] = [
    ("ERROR COUNTRY_UNKNOWN issuer", as_type(LicenceType.INDIVIDUAL, "X060", issuer="EL"), ISSUED),
    ("WARNING ISSUER_ZONE issuer", licence(issuer="CH"), ISSUED),
    ("WARNING ISSUER_TYPE issuer", licence(issuer="US"), ISSUED),
    ("WARNING DESTINATION_COUNT destinations", licence(destinations=("KR", "JP")), ISSUED),
    ("WARNING DESTINATION_IN_UNION destinations[1]", licence(destinations=("KR", "PL")), ISSUED),
    ("ERROR LICENCE_NUMBER_INVALID number", licence(number="A\tB"), ISSUED),
    ("ERROR LICENCE_NUMBER_BLANKS number", licence(number=" A"), ISSUED),
    ("WARNING LICENCE_NUMBER_NOT_NFC number", licence(number="e\u0301"), ISSUED),
    ("ERROR VERSION_RANGE version", licence(version=2**31), ISSUED),
    ("ERROR STATUS_EVENT status", licence(status=AuthorityStatus.REVOKED), ISSUED),
    ("ERROR KIND_TYPE type", golden_licence(), REGISTERED),
    ("WARNING EUGEA_ISSUED type", GENERAL, ISSUED),
    ("ERROR DIRECTION_TYPE direction", as_type(LicenceType.TRANSIT, "X072"), ISSUED),
    ("ERROR DOCUMENT_CODE_TYPE documentCode", as_type(LicenceType.GLOBAL, "X060"), ISSUED),
    ("ERROR DOCUMENT_CODE_LEGACY documentCode", as_type(LicenceType.LEGACY, "X002"), ISSUED),
    ("WARNING VALIDITY_OPEN validTo", licence(valid_to=None), ISSUED),
    ("ERROR DATE_ORDER validTo", licence(valid_to=date(2026, 1, 14)), ISSUED),
    ("ERROR DATE_ORDER issueDate", licence(issue_date=date(2028, 1, 15)), ISSUED),
    ("WARNING VALIDITY_NOT_MAPPED validTo", replace(GENERAL, valid_to=date(2030, 1, 1)), REGISTERED),
    ("ERROR FIELD_MISSING holder.name", licence(holder=Party("")), ISSUED),
    ("ERROR EORI_INVALID holder.eori", licence(holder=holder(identification="B")), ISSUED),
    ("ERROR TOO_LONG holder.street", licence(holder=holder(street="x" * 71)), ISSUED),
    ("ERROR COUNTRY_UNKNOWN holder.country", licence(holder=holder(country="UK")), ISSUED),
    ("ERROR FIELD_MISSING authority.name", licence(authority=Party("")), ISSUED),
    ("ERROR TOO_LONG consignees[0].identification", licence(consignees=(Party("A", "x" * 18),)), ISSUED),
    ("ERROR TOO_LONG endUsers[0].city", licence(end_users=(Party("A", city="x" * 36),)), ISSUED),
    ("WARNING CONSIGNEE_COUNT consignees", licence(consignees=(Party("A"), Party("B"))), ISSUED),
    ("ERROR COUNTRY_UNKNOWN destinations[1]", licence(destinations=("KR", "UK")), ISSUED),
    ("WARNING DUPLICATE destinations[1]", licence(destinations=("KR", "KR")), ISSUED),
    ("ERROR DESTINATION_MISSING destinations", licence(destinations=()), ISSUED),
    ("ERROR PROCEDURE_INVALID procedures[0]", licence(procedures=("100",)), ISSUED),
    ("WARNING PROCEDURE_NOT_LISTED procedures[0]", licence(procedures=("4000",)), ISSUED),
    ("ERROR FIELD_MISSING conditions[0]", licence(conditions=("",)), ISSUED),
    ("ERROR TOO_MANY conditions", licence(conditions=("x",) * 100), ISSUED),
    ("ERROR LINE_MISSING lines", licence(lines=()), ISSUED),
    ("ERROR LINE_NUMBER lines[0].line", line(line_no=100_000), ISSUED),
    ("ERROR LINE_DUPLICATE lines[1].line", licence(lines=(PLAIN, PLAIN)), ISSUED),
    ("ERROR FIELD_MISSING lines[0].description", line(description=""), ISSUED),
    ("ERROR COMMODITY_CODE_INVALID lines[0].commodityCodes[0]", line(commodity_codes=("8457109",)), ISSUED),
    ("ERROR TOO_MANY lines[0].commodityCodes", line(commodity_codes=("845710",) * 100), ISSUED),
    ("WARNING CAS_INVALID lines[0].cas[0]", line(cas=("111-48-7",)), ISSUED),
    ("WARNING CAS_INVALID lines[0].cas[0]", line(cas=("111487",)), ISSUED),
    ("ERROR TOO_LONG lines[0].cas[0]", line(cas=("x" * 13,)), ISSUED),
    ("ERROR COUNTRY_UNKNOWN lines[0].origin", line(origin="ZZ"), ISSUED),
    ("ERROR CONTROL_FIGURE lines[0].quantity", line(quantity=None), ISSUED),
    ("ERROR CONTROL_FIGURE lines[0].value", line(control=Control.VALUE, value=None), ISSUED),
    ("WARNING CONTROL_NONE lines[0].control", line(control=Control.NONE), ISSUED),
    ("WARNING CONTROL_IGNORED lines[0].control", replace(GENERAL, lines=(PLAIN,)), REGISTERED),
    ("WARNING CONTROL_IGNORED cap", replace(GENERAL, cap=LicenceCap(value=EUROS)), REGISTERED),
    ("ERROR FRACTION lines[0].quantity.amount", line(quantity=quantity("0.5", "NAR")), ISSUED),
    ("ERROR TOLERANCE_RANGE lines[0].tolerancePercent", line(tolerance_percent="100.0001"), ISSUED),
    (
        "ERROR SCALE lines[0].tolerancePercent",
        line(quantity=quantity("0.000001", "KGM"), tolerance_percent="5"),
        ISSUED,
    ),
    (
        "ERROR SCALE lines[0].tolerancePercent",
        line(control=Control.VALUE, value=money("10", "JPY"), tolerance_percent="5"),
        ISSUED,
    ),
    (
        "ERROR RANGE lines[0].tolerancePercent",
        line(quantity=quantity("9999999999999999", "KGM"), tolerance_percent="100"),
        ISSUED,
    ),
    ("ERROR CAP_UNIT lines[0].quantity.unit", licence(lines=(PLAIN,), cap=LicenceCap(quantity("1", "KGM"))), ISSUED),
    (
        "WARNING CAP_TOTAL cap.value.amount",
        licence(
            lines=(replace(PLAIN, control=Control.VALUE, value=EUROS),), cap=LicenceCap(value=money("1001", "EUR"))
        ),
        ISSUED,
    ),
    ("ERROR FRACTION cap.quantity.amount", licence(cap=LicenceCap(quantity("0.5", "NAR"))), ISSUED),
    ("ERROR FRACTION lines[0].tolerancePercent", line(quantity=PIECES, tolerance_percent="5"), ISSUED),
    ("ERROR COUNTRY_SPECIAL issuer", licence(issuer="QP"), ISSUED),
    ("ERROR FIELD_MISSING issueDate", licence(issue_date=None), ISSUED),
    ("ERROR DOCUMENT_CODE_FORM documentCode", as_type(LicenceType.INDIVIDUAL, "9A"), ISSUED),
    ("WARNING CONSIGNEE_MISSING consignees", licence(consignees=(), end_users=()), ISSUED),
    ("ERROR FIELD_MISSING initialLicence", as_type(LicenceType.EU003, "X063"), REGISTERED),
    ("ERROR SHIPMENT_VALUE_TYPE shipmentValueMax", licence(shipment_value_max=EUROS), ISSUED),
    ("ERROR ZERO shipmentValueMax.amount", national(shipment_value_max=Money(Decimal(0), "EUR")), ISSUED),
    ("ERROR COUNTRY_UNKNOWN initialLicence.issuer", licence(initial_licence=InitialLicence("UK", "1")), ISSUED),
    ("ERROR LICENCE_NUMBER_BLANKS initialLicence.number", licence(initial_licence=InitialLicence("CZ", " 1")), ISSUED),
    ("ERROR EUGEA_DESTINATION destinations[0]", replace(GENERAL, destinations=("KR",)), REGISTERED),
    ("WARNING MEMBER_STATE memberStatesOfLocation[0]", licence(location_states=("CH",)), ISSUED),
    ("WARNING DUPLICATE memberStatesOfEntry[1]", licence(entry_states=("BE", "BE")), ISSUED),
    ("ERROR TOO_LONG subStatus", licence(sub_status="x" * 71), ISSUED),
    ("ERROR BLANKS endUse[0]", licence(end_use=("x ",)), ISSUED),
    ("ERROR FIELD_MISSING additionalInformation[0]", licence(additional_information=("",)), ISSUED),
    ("ERROR FIELD_MISSING representative.name", licence(representative=Party("")), ISSUED),
    ("ERROR COUNTRY_UNKNOWN holder.countryOfRegistration", licence(holder=holder(registration_country="UK")), ISSUED),
    ("ERROR TOO_LONG holder.vat", licence(holder=holder(vat="x" * 18)), ISSUED),
    ("ERROR FIELD_MISSING tradePartners[0].type", licence(trade_partners=(TradePartner("", "N"),)), ISSUED),
    ("ERROR TOO_LONG lines[0].itemType", line(item_type="x" * 36), ISSUED),
    ("ERROR BLANKS lines[0].customsPurposesOnly", line(customs_purposes_only=" x"), ISSUED),
    ("ERROR TOO_MANY lines", licence(lines=(PLAIN,) * 1000), ISSUED),
    (
        "ERROR REMAINING_LIMIT lines[0].netQuantityRemaining.amount",
        line(quantity_remaining=quantity("41", "NAR")),
        ISSUED,
    ),
    ("ERROR REMAINING_UNIT lines[0].netQuantityRemaining.unit", line(quantity_remaining=quantity("4", "KGM")), ISSUED),
    ("ERROR FRACTION lines[0].netQuantityRemaining.amount", line(quantity_remaining=quantity("0.5", "NAR")), ISSUED),
    (
        "ERROR REMAINING_FIGURE lines[0].netValueRemaining",
        line(control=Control.VALUE, value=None, value_remaining=EUROS),
        ISSUED,
    ),
    (
        "ERROR REMAINING_UNIT cap.netValueRemaining.currency",
        licence(cap=LicenceCap(value=EUROS, value_remaining=money("1", "USD"))),
        ISSUED,
    ),
    (
        "ERROR REMAINING_LIMIT cap.netQuantityRemaining.amount",
        licence(cap=LicenceCap(quantity=PIECES, quantity_remaining=quantity("11", "NAR"))),
        ISSUED,
    ),
    ("ERROR CONTACT_DATA authority.name", licence(authority=Party("Office, tel. 02 123 45 67")), ISSUED),
    ("ERROR CONTACT_DATA conditions[0]", licence(conditions=("Ask j.doe@example.org first",)), ISSUED),
    ("ERROR CONTACT_DATA lines[0].description", line(description="Pump, call +32 2 123 45 67"), ISSUED),
]


@pytest.mark.row("DU 2(12)", "DU 11", "DU 12(2)")
@pytest.mark.parametrize(
    ("snapshot", "codes"),
    [
        (licence(issuer="EU"), {"ISSUER_TYPE"}),
        (as_type(LicenceType.GLOBAL, "X070", destinations=("KR", "JP")), set()),
        (as_type(LicenceType.LARGE_PROJECT_INDIVIDUAL, "X060", destinations=("KR", "JP")), set()),
        (licence(destinations=("KR", "JP")), {"DESTINATION_COUNT"}),
        (licence(destinations=("KR", "KR")), {"DUPLICATE"}),
        (as_type(LicenceType.GLOBAL, "X070", destinations=("KR", "FR")), {"DESTINATION_IN_UNION"}),
        (licence(issuer="XI"), set()),
        (licence(issuer="GB"), set()),
        (replace(GENERAL, issuer="EU"), {"EUGEA_ISSUED"}),
        (replace(GENERAL, issuer="US"), {"EUGEA_ISSUED", "ISSUER_TYPE", "ISSUER_ZONE"}),
        (as_type(LicenceType.TRANSIT, "X072", direction=Direction.TRANSIT, destinations=("PL",)), set()),
    ],
)
def test_what_the_type_says_of_destinations_and_of_the_granting_authority(snapshot: Licence, codes: set[str]) -> None:
    """Regulation (EU) 2021/821 Art. 2(12), 11 and 12."""
    told = {finding.code for finding in lint(snapshot, ISSUED)}
    about = {"DESTINATION_COUNT", "DESTINATION_IN_UNION", "ISSUER_TYPE", "DUPLICATE", "EUGEA_ISSUED", "ISSUER_ZONE"}
    assert told & about == codes


@pytest.mark.parametrize(("expected", "snapshot", "kind"), CASES, ids=[row[0] for row in CASES])
def test_each_mistake_has_its_code_and_path(expected: str, snapshot: Licence, kind: LicenceEventKind) -> None:
    severity, code, field = expected.split()
    assert (code, field, Severity(severity)) in found(lint(snapshot, kind))


@pytest.mark.parametrize(
    "name", ["individual", "global-capped", "national-general", "eugea-eu001", "eugea-eu003", "transit", "legacy-uk"]
)
def test_a_sound_licence_has_no_finding(name: str) -> None:
    command = golden(name)
    assert command.findings == ()
    assert command.licence is not None
    assert lint(command.licence, command.kind) == []


def test_all_mistakes_are_listed_in_one_go() -> None:
    wrong = licence(destinations=("UK",), holder=Party("", "x"), authority=Party(""))
    codes = [finding.code for finding in lint(wrong, ISSUED)]
    assert sorted(codes) == ["COUNTRY_UNKNOWN", "EORI_INVALID", "FIELD_MISSING", "FIELD_MISSING"]


def test_rules_that_compare_an_unread_field_stay_silent() -> None:
    unclear = as_type(LicenceType.GLOBAL, "X060")
    assert "DOCUMENT_CODE_TYPE" not in {finding.code for finding in lint(unclear, ISSUED, unread={"type"})}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (LicenceEventKind.SUSPENDED, AuthorityStatus.SUSPENDED),
        (LicenceEventKind.RESUMED, AuthorityStatus.VALID),
        (LicenceEventKind.REVOKED, AuthorityStatus.REVOKED),
        (LicenceEventKind.ANNULLED, AuthorityStatus.CANCELLED),
        (LicenceEventKind.MODIFIED, AuthorityStatus.SUSPENDED),
        (LicenceEventKind.SPLIT, AuthorityStatus.CANCELLED),
    ],
)
def test_the_act_decides_the_status(kind: LicenceEventKind, status: AuthorityStatus) -> None:
    assert lint(replace(golden_licence(), status=status), kind) == []
    wrong = AuthorityStatus.VALID if status is not AuthorityStatus.VALID else AuthorityStatus.REVOKED
    if kind in (LicenceEventKind.MODIFIED, LicenceEventKind.SPLIT):
        wrong = AuthorityStatus.REVOKED
    assert [finding.code for finding in lint(replace(golden_licence(), status=wrong), kind)] == ["STATUS_EVENT"]


def test_legacy_codes_are_a_setting() -> None:
    old = as_type(LicenceType.LEGACY, "X002")
    assert lint(old, ISSUED, legacy_codes={"BE": ("X002",)}) == []
    assert lint(golden_licence("legacy-uk"), ISSUED, legacy_codes={}) != []


def test_transit_holder_may_lack_an_eori() -> None:
    transit = golden_licence("transit")
    assert lint(replace(transit, holder=Party("")), ISSUED) == []
    assert found(lint(replace(transit, holder=Party("", "x")), ISSUED)) == [("EORI_INVALID", "holder.eori", E_)]
    assert transit.direction is Direction.TRANSIT
    assert [f.code for f in lint(replace(transit, procedures=("1000",)), ISSUED)] == ["PROCEDURE_INVALID"]


def test_a_cap_that_can_bind_is_no_finding() -> None:
    capped = replace(golden_licence(), lines=(PLAIN,), cap=LicenceCap(PIECES))
    assert lint(capped, ISSUED) == []
    open_line = replace(capped, lines=(PLAIN, LicenceLine(2, "More", Control.NONE)), cap=LicenceCap(quantity=PIECES))
    assert lint(open_line, ISSUED) == []


def test_thousands_of_pieces_may_be_decimal() -> None:
    assert lint(line(quantity=quantity("0.5", "MIL")), ISSUED) == []
    assert lint(line(quantity=quantity("0.5", "NARC")), ISSUED) == []
    assert lint(line(quantity=quantity("10", "NARC"), tolerance_percent="5"), ISSUED) == []
    assert lint(line(quantity=quantity("20", "NAR"), tolerance_percent="5"), ISSUED) == []


def test_what_remains_makes_the_limit_and_the_tolerance_none() -> None:
    assert lint(line(quantity=PIECES, quantity_remaining=quantity("3", "NAR"), tolerance_percent="5"), ISSUED) == []
    assert lint(line(value=None, value_remaining=EUROS), ISSUED) == []


def test_only_figures_that_bind_are_summed_under_the_limit() -> None:
    by_value = replace(PLAIN, control=Control.VALUE, quantity=quantity("9", "KGM"), value=EUROS)
    assert lint(licence(lines=(by_value,), cap=LicenceCap(PIECES)), ISSUED) == []


def test_a_national_code_is_a_setting() -> None:
    national = as_type(LicenceType.INDIVIDUAL, "9ABC")
    assert lint(national, ISSUED, legacy_codes={"BE": ("9ABC",)}) == []
    assert found(lint(national, ISSUED)) == [("DOCUMENT_CODE_TYPE", "documentCode", E_)]
    old = as_type(LicenceType.INDIVIDUAL, "X002")
    assert found(lint(old, ISSUED, legacy_codes={"BE": ("X002",)})) == [("DOCUMENT_CODE_TYPE", "documentCode", E_)]


@pytest.mark.row("IR 17")
@pytest.mark.parametrize(
    "text",
    [
        "j.doe@example.org",
        "write to <office@export-control.example.eu>",
        "+32 2 123 45 67",
        "(+49) 30/1234567",
        "0032 2 123 45 67",
        "Tel.: 02 123 45 67",
        "phone 555-01234",
        "Fax 030 1234567",
        "Tél. 01 23 45 67 89",
        "GSM: 0470 12 34 56",
    ],
)
def test_contact_data_are_found_in_free_text(text: str) -> None:
    (finding,) = check_text(text, "f", "condition")
    assert (finding.code, finding.value) == ("CONTACT_DATA", "")


@pytest.mark.parametrize(
    "text",
    [
        "Temperature -40 to +125 C, 20 000 rpm",
        "Part 0012345678, revision 3",
        "CAS 7664-39-3, 5 000 000 kg",
        "Telephone exchanges of the 4th generation",
        "2B001.b.2 @ 0.9 um",
        "Fax machines, 200 pieces",
        "accuracy +0.001/-0.002 mm",
        "Regulation (EU) 2021/821, Annex I, 2020-12-31",
        "IP 192.168.100.200",
    ],
)
def test_ordinary_text_is_no_contact_data(text: str) -> None:
    assert check_text(text, "f", "condition") == []


def test_a_text_that_is_far_too_long_is_not_read_to_its_end() -> None:
    (finding,) = check_text("x" * 600 + "a@b.example", "f", "condition")
    assert finding.code == "TOO_LONG"


@pytest.mark.parametrize(
    ("unread", "snapshot", "told"),
    [
        (
            "direction",
            licence(holder=Party("x" * 71, "?", country="UK")),
            {"TOO_LONG", "EORI_INVALID", "COUNTRY_UNKNOWN"},
        ),
        ("issueDate", licence(valid_to=date(2026, 1, 14)), {"DATE_ORDER"}),
        ("validTo", licence(valid_to=None), set()),
        ("cap", line(quantity=None), {"CONTROL_FIGURE"}),
        ("type", as_type(LicenceType.GLOBAL, "Y901"), {"DOCUMENT_CODE_TYPE"}),
        ("type", as_type(LicenceType.GLOBAL, "X060"), set()),
        ("issuer", as_type(LicenceType.GLOBAL, "9ABC"), set()),
        ("status", licence(status=AuthorityStatus.REVOKED), set()),
        ("lines", licence(lines=(PLAIN,), cap=LicenceCap(quantity("1", "KGM"))), set()),
        ("issueDate", replace(GENERAL, destinations=("KR",)), {"EUGEA_ISSUED"}),
    ],
)
def test_only_the_comparison_with_the_unread_field_is_left_out(unread: str, snapshot: Licence, told: set[str]) -> None:
    assert {finding.code for finding in lint(snapshot, ISSUED, unread={unread})} == told


def test_split_findings() -> None:
    original = golden_licence("global-capped")
    part = replace(original, number="P1", replaces=original.number.lower())
    assert lint_split(original, [part]) == []
    assert found(lint_split(original, [])) == [("PARTS_MISSING", "parts", E_)]
    assert found(lint_split(golden_licence(), [replace(part, issuer="BE", replaces="BE-2026-000123")])) == [
        ("SPLIT_TYPE", "type", W)
    ]
    assert found(lint_split(original, [original, replace(part, issuer="BE")])) == [
        ("PART_IDENTITY", "parts[0].number", E_),
        ("PART_REPLACES", "parts[0].replaces", W),
        ("PART_IDENTITY", "parts[1].issuer", E_),
    ]
    many = [replace(part, number=f"P{number}") for number in range(100)]
    assert found(lint_split(original, many)) == [("TOO_MANY", "parts", E_)]


def test_bar_findings() -> None:
    bar = ExporterBar("BE", "BE1", ("X061",), date(2026, 1, 1))
    assert lint_bar(bar) == []
    assert bar.bar_id == "BE/bar:BE1"
    assert found(lint_bar(replace(bar, eori="?", document_codes=("X060",), reason=" x"))) == [
        ("EORI_INVALID", "eori", E_),
        ("BLANKS", "reason", E_),
        ("DOCUMENT_CODE_TYPE", "documentCodes[0]", E_),
    ]


@pytest.mark.row("E171")
@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("a & b < c ]]> d", []),
        ("\U0001f6e0 astral \U00020000", []),
        ("caf\u00e9 \u00a0 no-break", []),
        ("cr\rlf", ["CONTROL_CHARACTER"]),
        ("line\u2028separator", ["CONTROL_CHARACTER"]),
        ("nul\x00", ["CONTROL_CHARACTER"]),
        ("soft\u00adhyphen and \u202e", ["ZERO_WIDTH"]),
        ("hangul\u3164filler", ["ZERO_WIDTH"]),
        ("\ud800", ["NOT_XML"]),
        ("\ufffe\u0301e\u0301", ["NOT_XML"]),
        ("e\u0301", ["NOT_NFC"]),
        ("\u200b\x01", ["ZERO_WIDTH", "CONTROL_CHARACTER"]),
        (" blank", ["BLANKS"]),
        ("", []),
    ],
)
def test_characters(text: str, codes: list[str]) -> None:
    assert [finding.code for finding in check_text(text, "f", "descriptionOfGoods")] == codes


def test_a_finding_shows_the_text_without_its_dangers() -> None:
    (finding,) = check_text("x\u200b" * 300, "f", "descriptionOfGoods")[:1]
    assert finding.code == "TOO_LONG"
    assert finding.value.isascii()


def test_lengths_count_characters_not_bytes() -> None:
    assert check_text("\U0001f6e0" * LENGTHS["city"], "f", "city") == []
