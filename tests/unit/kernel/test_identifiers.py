"""Identifiers are checked and never repaired."""

from __future__ import annotations

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certex_bridge.kernel.errors import Finding, IdentifierError, Severity
from certex_bridge.kernel.identifiers import (
    check_commodity_code,
    check_eori,
    check_event_id,
    check_licence_number,
    check_lrn,
    check_mrn,
    commodity_matches,
    licence_key,
    mrn_check_digit,
    mrn_member_state,
)

ALPHANUMERIC = string.ascii_uppercase + string.digits
stems = st.from_regex(r"\A[0-9]{2}[A-Z]{2}[A-Z0-9]{13}\Z")
VALUES = dict(zip(string.digits, range(10), strict=True)) | dict(
    zip(string.ascii_uppercase, (n for n in range(10, 39) if n % 11), strict=True)
)


def residue(stem: str) -> int:
    """The paper's algorithm, step by step."""
    return sum(VALUES[character] << position for position, character in enumerate(stem)) % 11


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings]


@pytest.mark.row("E053")
@pytest.mark.parametrize(
    "mrn", ["10NL5663962BE1E825", "06DE586600006143E1", "99IT9876AB88901209", "25GB34F7Y1O2CX8PT4"]
)
def test_real_mrns_of_both_formats_verify(mrn: str) -> None:
    assert check_mrn(mrn) == []
    assert mrn_check_digit(mrn[:17]) == mrn[17]


@given(stems)
def test_the_check_digit_is_the_papers(stem: str) -> None:
    assert VALUES["A"] == 10
    assert (VALUES["K"], VALUES["L"], VALUES["U"], VALUES["V"], VALUES["Z"]) == (21, 23, 32, 34, 38)
    assert mrn_check_digit(stem) == str(residue(stem) % 10)
    assert check_mrn(stem + mrn_check_digit(stem)) == []


@given(stems, st.integers(0, 16), st.sampled_from(ALPHANUMERIC))
def test_one_changed_character_is_noticed_unless_the_residues_agree(stem: str, at: int, other: str) -> None:
    changed = stem[:at] + other + stem[at + 1 :]
    if at < 2 and not other.isdigit():
        return
    if at in {2, 3} and other.isdigit():
        return
    noticed = check_mrn(changed + mrn_check_digit(stem)) != []
    # Letters repeat residues (1 and B), and 10 is written 0: the only blind spots.
    assert noticed is (residue(changed) % 10 != residue(stem) % 10)


@given(stems, st.integers(4, 16), st.sampled_from(string.digits))
def test_one_changed_digit_is_noticed_except_for_ten_written_as_zero(stem: str, at: int, other: str) -> None:
    stem = stem[:at] + "5" + stem[at + 1 :]
    changed = stem[:at] + other + stem[at + 1 :]
    if other != "5" and {residue(stem), residue(changed)} != {0, 10}:
        assert codes(check_mrn(changed + mrn_check_digit(stem))) == ["MRN_CHECK_DIGIT"]


@pytest.mark.row("E052")
def test_a_wrong_check_digit_is_a_warning() -> None:
    for _ in range(2):  # the second answer comes from the cache and must be a list of its own
        findings = check_mrn("24GB34F7Y1O2CX8PT4", "declaration.mrn")
        assert codes(findings) == ["MRN_CHECK_DIGIT"]
        assert findings[0].severity is Severity.WARNING
        assert findings[0].field == "declaration.mrn"
        findings.clear()


@pytest.mark.row("E052")
@pytest.mark.parametrize(
    "text",
    [
        "25gb34f7y1o2cx8pt4",
        " 25GB34F7Y1O2CX8PT4",
        "25GB34F7Y1O2CX8PT4 ",
        "25GB34F7Y1O2CX8PT4\n",
        "25GB34F7Y1O2CX8PT",
        "25GB34F7Y1O2CX8PT44",
        "2XGB34F7Y1O2CX8PT4",
        "25G134F7Y1O2CX8PT4",
        "25GB34F7Y1O2CX8PTX",
        "25GB34F7Y1-2CX8PT4",
        "٢٥GB34F7Y1O2CX8PT4",
        "25ＧＢ34F7Y1O2CX8PT4",
        "",
        "9" * 100_000,
    ],
)
def test_an_impossible_mrn_is_an_error(text: str) -> None:
    (finding,) = check_mrn(text)
    assert (finding.code, finding.severity, finding.field) == ("MRN_INVALID", Severity.ERROR, "mrn")
    assert len(finding.value) <= 512


@pytest.mark.parametrize("stem", ["", "25GB34F7Y1O2CX8P", "25GB34F7Y1O2CX8PT4", "25gb34F7Y1O2CX8PT"])
def test_no_check_digit_without_a_stem(stem: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        mrn_check_digit(stem)
    assert caught.value.code == "MRN_INVALID"


def test_the_member_state_of_an_mrn() -> None:
    assert mrn_member_state("10NL5663962BE1E825") == "NL"


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("BE-2026-000123", "BE/BE-2026-000123"),
        (" be-2026-000123\t", "BE/BE-2026-000123"),
        ("a b/c", "BE/A B/C"),
        ("é1", "BE/É1"),
        ("straße", "BE/STRAßE"),
        ("ı", "BE/ı"),
        ("ſ", "BE/ſ"),
        ("ﬁ1", "BE/ﬁ1"),
    ],
)
def test_a_licence_key_trims_and_capitalises(number: str, key: str) -> None:
    assert licence_key("BE", number) == key


@pytest.mark.row("E054")
def test_the_same_number_of_two_issuers_is_two_licences() -> None:
    assert licence_key("BE", "2026-1") != licence_key("NL", "2026-1")


@pytest.mark.row("E055")
@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("É1", unicodedata.normalize("NFD", "É1")),
        ("A1", "А1"),
        ("O1", "Ο1"),
        ("I1", "ı1"),
        ("S1", "ſ1"),
        ("SS1", "ß1"),
        ("A1", "A\u200b1"),
        ("A1", "Ａ1"),
    ],
)
def test_look_alikes_are_different_licences(a: str, b: str) -> None:
    assert licence_key("BE", a) != licence_key("BE", b)


@given(st.text(max_size=80))
def test_a_licence_key_is_its_own_key(number: str) -> None:
    key = licence_key("BE", number)
    assert licence_key("BE", key.removeprefix("BE/")) == key


@pytest.mark.parametrize("number", ["1", "BE-2026-000123", "A B/C", "É1", "x" * 70, "ΑΔΕΙΑ 12"])
def test_licence_numbers_without_findings(number: str) -> None:
    assert check_licence_number(number) == []


@pytest.mark.row("E055")
@pytest.mark.parametrize(
    ("number", "found"),
    [
        ("", ["LICENCE_NUMBER_INVALID"]),
        ("x" * 71, ["LICENCE_NUMBER_INVALID"]),
        *((f"A{c}1", ["LICENCE_NUMBER_INVALID"]) for c in "\x00\t\n\x7f\x85\u200b\u200d\u00ad\u2028\u202e\ufeff"),
        *((f"A{c}1", ["LICENCE_NUMBER_INVALID"]) for c in "\u034f\u115f\u3164\u2800\ufe0f\U000e0100\ue000\ud800\u0378"),
        (" A1", ["LICENCE_NUMBER_BLANKS"]),
        ("A1\u00a0", ["LICENCE_NUMBER_BLANKS"]),
        ("  ", ["LICENCE_NUMBER_INVALID", "LICENCE_NUMBER_BLANKS"]),
        ("E\u03011", ["LICENCE_NUMBER_NOT_NFC"]),
        (
            "\n" + "E\u0301" * 70,
            ["LICENCE_NUMBER_INVALID", "LICENCE_NUMBER_INVALID", "LICENCE_NUMBER_BLANKS", "LICENCE_NUMBER_NOT_NFC"],
        ),
    ],
)
def test_every_finding_on_a_licence_number_comes_at_once(number: str, found: list[str]) -> None:
    findings = check_licence_number(number, "number")
    assert codes(findings) == found
    for finding in findings:
        assert finding.field == "number"
        assert (finding.severity is Severity.ERROR) is (finding.code == "LICENCE_NUMBER_INVALID")


@pytest.mark.parametrize("eori", ["BE0123456789", "FI1234567-8", "GR1", "XI123456789012345", "GB123456789012"])
def test_eori_numbers(eori: str) -> None:
    assert check_eori(eori) == []


@pytest.mark.parametrize(
    "eori", ["BE", "be0123456789", "B10123", "BE0123 456", "BE1234567890123456", "BE١", "", "BE1\n"]
)
def test_impossible_eori_numbers(eori: str) -> None:
    assert codes(check_eori(eori)) == ["EORI_INVALID"]


@pytest.mark.parametrize("lrn", ["1", "LRN-2026/0001", "A B", "x" * 22])
def test_lrns(lrn: str) -> None:
    assert check_lrn(lrn) == []


@pytest.mark.parametrize("lrn", ["", " A", "A ", "x" * 23, "é", "A\n", "A\x00B"])
def test_impossible_lrns(lrn: str) -> None:
    assert codes(check_lrn(lrn)) == ["LRN_INVALID"]


def test_commodity_codes() -> None:
    for text in ("845710", "84571090", "8457109000"):
        assert check_commodity_code(text) == []
    for text in ("84571", "8457109", "845710900", "84571090001", "8457 10", "84571O", "", "٨٤٥٧١٠"):
        assert codes(check_commodity_code(text)) == ["COMMODITY_CODE_INVALID"]


@pytest.mark.parametrize(
    ("a", "b", "match"),
    [
        ("845710", "84571090", True),
        ("84571090", "845710", True),
        ("84571090", "8457109000", True),
        ("84571090", "84571010", False),
        ("84571", "84571090", False),
        ("", "", False),
    ],
)
def test_commodity_codes_match_on_the_shorter(*, a: str, b: str, match: bool) -> None:
    assert commodity_matches(a, b) is match


def test_event_ids() -> None:
    for text in ("1", "BE:2026/1", "é", "x" * 128):
        assert check_event_id(text) == []
    for text in ("", "x" * 129, "a\nb", "a\x00", "x" * 10_000, "a\u200b"):
        assert codes(check_event_id(text)) == ["EVENT_ID_INVALID"]
