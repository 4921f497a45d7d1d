"""What the wire holds beyond the lint: shape, units, figures that do not bind, sizes, and all fields of the record."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.licensing.certificate import largest_certificate, render_certificate
from certex_bridge.licensing.decode import ERRORS_ENOUGH, LicensingOptions, decode_licence_event
from certex_bridge.licensing.domain.caps import line_caps
from certex_bridge.licensing.domain.commands import LicenceCommand
from certex_bridge.licensing.domain.texts import COUNTS
from certex_bridge.licensing.wire_findings import outside
from certex_bridge.licensing.wire_shape import NAMES_TOLD
from tests.unit.licensing.samples import accounts, decode, event, golden_event, golden_licence, snapshot, structured

BAD_LINE = {
    "line": 0, "description": "", "control": "X", "quantity": {"amount": 1, "unit": 7},
    "value": {"amount": "x", "currency": "Q"}, "origin": "ZZ", "commodityCodes": ["1"],
}  # fmt: skip


def codes(command: LicenceCommand, severity: Severity = Severity.ERROR) -> list[tuple[str, str]]:
    return [(finding.code, finding.field) for finding in command.findings if finding.severity is severity]


@pytest.mark.parametrize(
    ("name", "entry"), [("conditions", " "), ("destinations", "KR"), ("lines", BAD_LINE), ("consignees", 3)]
)
def test_entries_beyond_the_limit_are_not_looked_at(name: str, entry: Any) -> None:
    limit = COUNTS[name]
    command = decode(snapshot(**{name: [entry] * (limit + 3000)}))
    assert ("TOO_MANY", name) in codes(command)
    assert not [field for _, field in codes(command) if field.startswith(f"{name}[{limit}")]
    inside = decode(snapshot(**{name: [entry] * limit}))
    assert len(command.findings) == len(inside.findings) + 1


def test_lists_within_lists_have_their_limit_too() -> None:
    command = decode(snapshot(lines__0__cas=["x"] * 5000, lines__1__commodityCodes=["1"] * 5000))
    assert [code for code, _ in codes(command)].count("TOO_MANY") == 2
    assert len(command.findings) < 250


def test_a_split_with_more_than_enough_mistakes_is_refused_without_checking_every_part() -> None:
    data = golden_event("split")["data"]
    data["parts"] = [data["parts"][0] | {"lines": [BAD_LINE] * 50} for _ in range(20)]
    command = decode(data, "licensing.licence.split.v1")
    assert codes(command)[-1][0] == "NOT_CHECKED"
    assert len(command.findings) > ERRORS_ENOUGH


PATHS = st.lists(st.sampled_from(["a", "b", "c[0]", "c[1]"]), min_size=1, max_size=3).map(".".join)


@given(st.lists(PATHS, max_size=6), st.lists(PATHS, max_size=6))
def test_findings_about_a_broken_field_its_parts_or_its_whole_are_left_out(broken: list[str], told: list[str]) -> None:
    def related(one: str, other: str) -> bool:
        a, b = one.replace("[", ".").split("."), other.replace("[", ".").split(".")
        return a[: len(b)] == b[: len(a)]

    def found(paths: list[str]) -> list[Finding]:
        return [Finding("X", path, "", "") for path in paths]

    kept = [finding.field for finding in outside(found(broken), found(told))]
    assert kept == [path for path in told if not any(related(path, other) for other in broken)]


@pytest.mark.parametrize(
    ("place", "name", "meant", "field"),
    [
        ("", "Cap", "cap", "Cap"),
        ("", "valid_until", None, "valid_until"),
        ("", "valid_to", "validTo", "valid_to"),
        ("", "VALID-TO", "validTo", "VALID-TO"),
        ("lines__0__", "tolerancepercent", "tolerancePercent", "lines[0].tolerancepercent"),
        ("lines__0__quantity__", "Unit", "unit", "lines[0].quantity.Unit"),
        ("holder__", "e-mail", None, "holder.e-mail"),
        ("consignees__0__", "phone", None, "consignees[0].phone"),
        ("cap__", "Value", "value", "cap.Value"),
    ],
)
def test_unknown_names_are_told_and_misspelt_ones_refused(place: str, name: str, meant: str | None, field: str) -> None:
    data = snapshot(cap={}) if place == "cap__" else snapshot()
    command = decode(snapshot_with(data, place, name))
    severity = Severity.WARNING if meant is None else Severity.ERROR
    assert ("UNKNOWN_FIELD", field) in codes(command, severity)
    assert command.refused is (meant is not None)
    if meant is not None:
        assert any(f"written {meant};" in finding.message for finding in command.findings)


def snapshot_with(data: dict[str, Any], place: str, name: str) -> dict[str, Any]:
    target: Any = data
    for step in filter(None, place.split("__")):
        target = target[int(step) if step.isdigit() else step]
    target[name] = "x"
    return data


def test_very_many_unknown_names_are_counted() -> None:
    command = decode(snapshot() | {f"x{number}": 1 for number in range(NAMES_TOLD + 7)})
    assert len(command.findings) == NAMES_TOLD + 1
    assert command.findings[-1].message.startswith("7 more")
    assert not decode(snapshot() | {"x" * 200: 1}).refused


def test_the_units_of_recommendation_20_are_read_as_their_taric_units() -> None:
    line = snapshot()["lines"][0] | {"quantity": {"amount": "40", "unit": "C62"}}
    command = decode(snapshot(lines=[line], cap={"quantity": {"amount": "9", "unit": "H87"}}))
    assert command.licence is not None
    read = command.licence.lines[0]
    assert (str(read.quantity), read.quantity_stated) == ("40 NAR", "40 C62")
    assert command.licence.cap.quantity_stated == "9 H87"
    assert line_caps(command.licence)[1].unit == "NAR"


@pytest.mark.parametrize(
    ("control", "amount", "unit", "code"),
    [
        ("VALUE", "40", "SET", "UNIT_UNKNOWN"),
        ("VALUE", "0", "NAR", "ZERO"),
        ("QUANTITY", "40", "SET", "UNIT_UNKNOWN"),
        ("QUANTITY", "0", "NAR", "ZERO"),
    ],
)
def test_a_figure_must_be_usable_only_where_it_binds(control: str, amount: str, unit: str, code: str) -> None:
    quantity = {"amount": amount, "unit": unit}
    command = decode(snapshot(lines__0__control=control, lines__0__quantity=quantity))
    binds = control == "QUANTITY"
    leaf = "unit" if code == "UNIT_UNKNOWN" else "amount"
    assert codes(command, Severity.ERROR if binds else Severity.WARNING) == [(code, f"lines[0].quantity.{leaf}")]
    if not binds:
        assert command.licence is not None
        line = command.licence.lines[0]
        assert (line.quantity, line.quantity_stated) == (None, f"{amount} {unit}")
        render_certificate(
            command.licence, "Valid", accounts(command.licence), prepared_at=command.occurred_at, event_id="e"
        )


def test_a_value_of_zero_that_does_not_bind_is_kept_as_stated() -> None:
    command = decode(snapshot(lines__0__value={"amount": "0.00", "currency": "EUR"}))
    assert codes(command, Severity.WARNING) == [("ZERO", "lines[0].value.amount")]
    assert command.licence is not None
    assert command.licence.lines[0].value_stated == "0.00 EUR"
    assert codes(decode(snapshot(lines__2__value={"amount": "0", "currency": "EUR"}))) == [
        ("ZERO", "lines[2].value.amount")
    ]
    assert codes(decode(snapshot(cap={"value": {"amount": "0", "currency": "EUR"}}))) == [("ZERO", "cap.value.amount")]


def test_words_for_a_unit_are_texts_like_others() -> None:
    bad = {"amount": "1", "unit": "x" * 36}
    assert ("TOO_LONG", "lines[0].quantity.unit") in codes(
        decode(snapshot(lines__0__control="VALUE", lines__0__quantity=bad))
    )


def test_nothing_left_is_a_limit_of_zero() -> None:
    left = {"amount": "0", "unit": "C62"}
    rest = {"amount": "0.00", "currency": "EUR"}
    data = snapshot(lines__0__netQuantityRemaining=left, lines__2__netValueRemaining=rest)
    command = decode(data)
    assert command.findings == ()
    assert command.licence is not None
    limits = {(cap.line_no, cap.dim): cap.cap for cap in line_caps(command.licence)}
    assert limits[1, "QTY"] == limits[3, "VAL"] == 0
    assert limits[3, "QTY"] == 300


def test_every_field_of_the_record_is_kept_and_contacts_are_not() -> None:
    data = snapshot()
    data["tradePartners"] = [{"type": "SELLER", "name": "P", "identification": "N1", "vat": "V1", "phone": "1"}]
    data["lines"][0] |= {"itemType": "GOODS", "consumptionMethod": "M", "customsPurposesOnly": "C"}
    licence = decode(data).licence
    assert licence is not None
    assert licence.sub_status == data["subStatus"]
    assert licence.representative is not None
    assert licence.representative.identification == "BE0987654321"
    assert (licence.location_states, licence.entry_states) == (("BE",), ("BE", "DE"))
    assert list(licence.end_use) == data["endUse"]
    assert list(licence.additional_information) == data["additionalInformation"]
    holder = licence.holder
    assert (holder.legal_type, holder.vat, holder.registration_country) == ("BV", "BE0123456789", "BE")
    (partner,) = licence.trade_partners
    assert (partner.type, partner.name, partner.identification, partner.vat) == ("SELLER", "P", "N1", "V1")
    line, wire = licence.lines[0], data["lines"][0]
    assert (line.technical_specification, line.end_use) == (wire["technicalSpecification"], wire["endUse"])
    assert (line.item_type, line.regulation) == ("GOODS", wire["controlListRegulation"])
    assert (line.consumption_method, line.customs_purposes_only) == ("M", "C")


def test_the_date_of_issue_is_required() -> None:
    data = snapshot()
    del data["issueDate"]
    assert codes(decode(data)) == [("FIELD_MISSING", "issueDate")]


def test_a_certificate_that_no_message_can_hold_is_refused() -> None:
    line = snapshot()["lines"][2] | {"description": "&" * 512}
    data = snapshot(lines=[line | {"line": number} for number in range(1, 400)])
    assert codes(decode(data)) == [("CERTIFICATE_SIZE", "")]
    larger = LicensingOptions(certificate_bytes_max=4 << 20)
    assert not decode_licence_event(structured(event(data)), larger).refused
    split = golden_event("split")["data"]
    split["parts"][1]["lines"] = data["lines"]
    command = decode(split, "licensing.licence.split.v1")
    assert ("CERTIFICATE_SIZE", "parts[1]") in codes(command)
    assert command.parts == ()


def test_no_use_makes_a_certificate_larger_than_foreseen() -> None:
    licence, command = golden_licence(), decode(snapshot())
    document = render_certificate(
        licence, "Valid", accounts(licence), prepared_at=command.occurred_at, event_id=command.event_id
    )
    assert largest_certificate(licence, command.event_id, command.occurred_at) > len(document)
