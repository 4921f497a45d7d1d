"""Decoding is total: a command, or `Poison` for what nobody could be answered about."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certex_bridge.kernel.errors import Severity
from certex_bridge.licensing import decode as decoder
from certex_bridge.licensing.decode import LicensingOptions, decode_licence_event
from certex_bridge.licensing.domain.commands import LicenceCommand, LicenceEventKind
from certex_bridge.licensing.domain.licence import LicenceType
from certex_bridge.licensing.events import EVENT_MODELS, Wire
from certex_bridge.licensing.wire_findings import validate
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.poison import Poison
from tests.unit.licensing.samples import (
    LICENCES,
    STRUCTURED,
    decode,
    event,
    golden,
    golden_event,
    snapshot,
    structured,
)


def errors(command: LicenceCommand) -> list[tuple[str, str]]:
    return [(finding.code, finding.field) for finding in command.findings if finding.severity is Severity.ERROR]


def poison(envelope: Envelope) -> str:
    with pytest.raises(Poison) as caught:
        decode_licence_event(envelope)
    return caught.value.code


def test_a_snapshot_becomes_a_licence() -> None:
    command = golden("individual")
    assert command.kind is LicenceEventKind.ISSUED
    assert command.occurred_at == datetime(2026, 1, 12, 8, 30, tzinfo=UTC)
    assert (command.licence_id, command.version) == ("BE/BE-2026-000123", 1)
    assert command.licence is not None
    assert str(command.licence.lines[1].quantity) == "1250.5 KGM"
    assert command.bar is None


def test_a_split_brings_its_parts() -> None:
    command = golden("split")
    assert [part.licence_id for part in command.parts] == ["DE/AG/2026/0815-1", "DE/AG/2026/0815-2"]
    assert command.licence is not None


def test_a_bar_has_no_licence() -> None:
    command = golden("exporter-barred")
    assert command.bar is not None
    assert command.bar.document_codes == ("X061", "X067")
    assert command.bar.from_day == date(2026, 6, 1)
    assert (command.licence, command.licence_id, command.version) == (None, "BE/bar:BE0123456789", 0)


def test_a_wrong_bar_is_answered() -> None:
    data = golden_event("exporter-barred")["data"]
    command = decode(data | {"from": "soon", "documentCodes": ["X060"]}, "licensing.exporter.barred.v1")
    assert errors(command) == [("DATE_INVALID", "from"), ("DOCUMENT_CODE_TYPE", "documentCodes[0]")]
    assert decode(data | {"documentCodes": 3}, "licensing.exporter.barred.v1").refused


@pytest.mark.row("E118", "E202")
@pytest.mark.parametrize(
    ("path", "value", "code", "field"),
    [
        ("lines__0__quantity__amount", 0.1, "AMOUNT_NOT_TEXT", "lines[0].quantity.amount"),
        ("lines__0__quantity__amount", 40, "AMOUNT_NOT_TEXT", "lines[0].quantity.amount"),
        ("lines__1__tolerancePercent", 5, "AMOUNT_NOT_TEXT", "lines[1].tolerancePercent"),
        ("lines__0__quantity__amount", True, "FIELD_TYPE", "lines[0].quantity.amount"),
        ("lines__0__quantity__amount", "1e3", "LEXICAL", "lines[0].quantity.amount"),
        ("lines__0__quantity__amount", "1.0000001", "SCALE", "lines[0].quantity.amount"),
        ("lines__0__quantity__amount", "1" * 17, "RANGE", "lines[0].quantity.amount"),
        ("lines__0__quantity__amount", "-1", "NEGATIVE", "lines[0].quantity.amount"),
        ("lines__0__quantity__amount", "0", "ZERO", "lines[0].quantity.amount"),
        ("lines__2__quantity__unit", "Stück{}", "UNIT_UNKNOWN", "lines[2].quantity.unit"),
        ("lines__0__value__currency", "EURO", "CURRENCY_UNKNOWN", "lines[0].value.currency"),
        ("lines__0__value__currency", 7, "FIELD_TYPE", "lines[0].value.currency"),
        ("lines__0__value__currency", "JPY", "SCALE", "lines[0].value.amount"),
        ("type", "FOO", "ENUM", "type"),
        ("type", ["INDIVIDUAL"], "FIELD_TYPE", "type"),
        ("version", "1", "FIELD_TYPE", "version"),
        ("validTo", "2026-02-30", "DATE_INVALID", "validTo"),
        ("validTo", "1026-02-20", "DATE_RANGE", "validTo"),
        ("validTo", 20260220, "FIELD_TYPE", "validTo"),
        ("holder", None, "FIELD_TYPE", "holder"),
        ("holder__eori", None, "FIELD_TYPE", "holder.eori"),
        ("consignees", "nobody", "FIELD_TYPE", "consignees"),
        ("consignees__0", 3, "FIELD_TYPE", "consignees[0]"),
        ("lines__1", None, "FIELD_TYPE", "lines[1]"),
        ("destinations__0", 410, "FIELD_TYPE", "destinations[0]"),
        ("cap", {"value": {"amount": "1"}}, "FIELD_MISSING", "cap.value.currency"),
    ],
)
def test_each_wrong_field_is_named_and_nothing_else(path: str, value: Any, code: str, field: str) -> None:
    command = decode(snapshot(**{path: value}))
    assert errors(command) == [(code, field)]
    assert command.licence is None
    assert command.licence_id == "BE/BE-2026-000123"


def test_findings_on_structure_and_content_come_together() -> None:
    data = snapshot(type="FOO", lines__0__quantity__amount=1, lines__0__origin="ZZ", holder__eori="?")
    del data["authority"]
    data["lines"][2]["line"] = 1
    assert errors(decode(data)) == [
        ("ENUM", "type"),
        ("FIELD_MISSING", "authority"),
        ("AMOUNT_NOT_TEXT", "lines[0].quantity.amount"),
        ("EORI_INVALID", "holder.eori"),
        ("COUNTRY_UNKNOWN", "lines[0].origin"),
        ("LINE_DUPLICATE", "lines[2].line"),
    ]


def test_a_finding_shows_no_personal_data_of_an_object() -> None:
    command = decode(snapshot(holder=["Somebody"], authority={"x": "y"}, lines__0__origin={"a": 1}))
    assert [finding.value for finding in command.findings] == ["x", "array", "", "object"]
    assert decode(snapshot(type="a\u200bb")).findings[0].value == "a\\u200bb"


def test_unknown_fields_are_tolerated_and_contacts_dropped() -> None:
    data = snapshot()
    data["holder"]["email"] = "a@example.org"
    data["future"] = {"x": 1}
    command = decode(data)
    assert not command.refused
    assert "example.org" not in repr(command.licence)


def test_the_document_code_is_derived() -> None:
    command = decode(snapshot(type="LARGE_PROJECT_GLOBAL", documentCode=None))
    assert command.licence is not None
    assert command.licence.document_code == "X070"


def test_legacy_codes_come_from_the_options() -> None:
    envelope = structured(golden_event("legacy-uk"))
    assert not decode_licence_event(envelope).refused
    strict = decode_licence_event(envelope, LicensingOptions(legacy_codes={}))
    assert errors(strict) == [("DOCUMENT_CODE_LEGACY", "documentCode")]


@pytest.mark.row("E194")
def test_the_record_key_is_checked_and_not_trusted() -> None:
    data = golden_event("individual")
    assert decode_licence_event(structured(data, b"BE/be-2026-000123")).findings == ()
    command = decode_licence_event(structured(data, b"DE/\xffX"))
    assert [finding.code for finding in command.findings] == ["KEY_MISMATCH"]
    assert not command.refused
    assert command.licence_id == "BE/BE-2026-000123"


@pytest.mark.row("E105")
def test_the_hash_tells_content_apart_and_not_its_spelling() -> None:
    first = golden("individual")
    turned = dict(reversed(list(golden_event("individual")["data"].items())))
    assert decode(turned).payload_sha256 == first.payload_sha256
    assert decode(snapshot(destinations=["JP"])).payload_sha256 != first.payload_sha256


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ([], "NO_IDENTITY"),
        ("x", "NO_IDENTITY"),
        ({}, "NO_IDENTITY"),
        ({"issuer": "BE"}, "NO_IDENTITY"),
        ({"issuer": "BE", "number": 5}, "NO_IDENTITY"),
        ({"issuer": "BE", "number": " "}, "NO_IDENTITY"),
        ({"issuer": "BE", "number": "x" * 257}, "NO_IDENTITY"),
    ],
)
def test_without_identity_nobody_can_be_answered(data: Any, code: str) -> None:
    assert poison(structured(event(data))) == code


def test_what_is_no_event_is_poison() -> None:
    assert poison(Envelope("t", 0, 0, None, None)) == "NULL_VALUE"
    assert poison(structured(event({}, "licensing.licence.deleted.v1"))) == "TYPE_UNKNOWN"
    assert poison(Envelope("t", 0, 0, None, b"{", STRUCTURED)) == "JSON_SYNTAX"


def test_a_number_that_cannot_be_stored_is_poison() -> None:
    raw = json.dumps(event(snapshot(number="A\x00B")), separators=(",", ":")).encode()
    assert poison(Envelope("t", 0, 0, None, raw, STRUCTURED)) in {"JSON_NUL", "NO_IDENTITY"}


def test_all_event_types_are_known() -> None:
    for ce_type, model in EVENT_MODELS.items():
        assert model.model_json_schema()["properties"]
        data = golden_event("exporter-barred")["data"] if "exporter" in ce_type else snapshot(parts=[])
        assert isinstance(decode(data, ce_type), LicenceCommand)


def test_every_type_can_be_derived() -> None:
    for kind in LicenceType:
        command = decode(snapshot(type=kind.value, documentCode=None))
        assert ("DOCUMENT_CODE_TYPE", "documentCode") not in errors(command)


def test_whatever_no_rule_foresaw_is_poison(monkeypatch: pytest.MonkeyPatch) -> None:
    def overflow(_: bytes) -> Any:
        raise RecursionError

    monkeypatch.setattr(decoder, "parse_json", overflow)
    data = json.dumps(snapshot()).encode()
    headers = {"ce_id": "1", "ce_type": "licensing.licence.issued.v1", "ce_source": "s", "ce_specversion": "1.0"}
    headers["ce_time"] = "2026-01-01T00:00:00Z"
    assert poison(Envelope("t", 0, 0, None, data, tuple((k, v.encode()) for k, v in headers.items()))) == "UNDECODABLE"


def test_a_part_that_is_no_object_is_named() -> None:
    data = golden_event("split")["data"] | {"conditions": [" "]}
    data["parts"][1] = 3
    command = decode(data, "licensing.licence.split.v1")
    assert errors(command) == [("FIELD_TYPE", "parts[1]"), ("BLANKS", "conditions[0]")]
    assert errors(decode(data | {"parts": "x"}, "licensing.licence.split.v1"))[0] == ("FIELD_TYPE", "parts")


def test_what_cannot_be_read_even_with_stand_ins_has_its_findings() -> None:
    class Odd(Wire):
        number: int

    findings, model = validate(Odd, {})
    assert model is None
    assert [(finding.code, finding.field) for finding in findings] == [("FIELD_MISSING", "number")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
PATHS = st.sampled_from(
    [
        *snapshot(),
        "parts",
        *(f"lines__0__{name}" for name in snapshot()["lines"][0]),
        "lines__0__quantity__amount",
        "lines__0__quantity__unit",
        "lines__2__value__currency",
        "lines__2__value__amount",
        "holder__name",
        "consignees__0",
        "consignees__0__country",
        "destinations__0",
    ]
)
TYPES = st.sampled_from(sorted(EVENT_MODELS))


def outcome(data: Any, ce_type: str) -> LicenceCommand | Poison:
    try:
        return decode(data, ce_type)
    except Poison as refused:
        return refused


@pytest.mark.row("E202")
@given(JSON, TYPES)
def test_arbitrary_json_is_poison_or_command(data: Any, ce_type: str) -> None:
    assert isinstance(outcome(data, ce_type), Poison | LicenceCommand)


@pytest.mark.row("E202")
@given(st.dictionaries(PATHS, JSON, min_size=1, max_size=3), TYPES)
def test_a_damaged_snapshot_is_answered_with_findings(changes: dict[str, Any], ce_type: str) -> None:
    data = snapshot()
    for path, value in sorted(changes.items()):
        try:
            *parents, leaf = path.split("__")
            place: Any = data
            for step in parents:
                place = place[int(step) if step.isdigit() else step]
            place[int(leaf) if leaf.isdigit() else leaf] = value
        except (TypeError, LookupError, KeyError):
            continue
    result = outcome(data, ce_type)
    if isinstance(result, Poison):
        assert result.code == "NO_IDENTITY" or result.code.startswith("JSON_")
    else:
        read = (result.licence, result.bar, result.write_off)
        assert result.refused or result.bare or any(one is not None for one in read)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_poison(raw: bytes) -> None:
    with pytest.raises(Poison):
        decode_licence_event(Envelope("t", 0, 0, None, raw, STRUCTURED))


@pytest.mark.parametrize("name", sorted(path.stem for path in LICENCES.glob("*.json")))
def test_golden_findings(name: str) -> None:
    command = golden(name)
    expected = LICENCES / "findings" / f"{name}.txt"
    text = "".join(f"{finding.severity} {finding.code} {finding.field}\n" for finding in command.findings)
    assert text == (expected.read_text() if expected.exists() else "")


def test_a_licence_of_northern_ireland_is_kept_under_the_united_kingdom() -> None:
    document = golden_event("legacy-uk")
    document["data"]["issuer"] = "XI"
    command = decode_licence_event(structured(document), LicensingOptions(legacy_codes={"GB": ("X002",)}))
    assert command.licence_id == "GB/GBSIEL2026/0004711/P"
    assert command.licence is not None
    assert command.licence.issuer == "GB"
    assert [(one.code, one.value) for one in command.findings if one.field == "issuer"] == [("ISSUER_NORMALISED", "XI")]
