"""Documents and foreign bytes for reading."""

from __future__ import annotations

from pathlib import Path

import pytest

from certex_bridge.oversight.console import papers

EXAMPLES = Path(__file__).resolve().parents[3] / "contracts" / "examples"
OUTCOME = min((EXAMPLES / "outcomes").glob("*.xml"))
CERTIFICATE = min((EXAMPLES / "certificates").glob("*.xml"))


def test_a_certificate_is_set_in_lines_and_still_fits_its_schema() -> None:
    found = papers.paper(CERTIFICATE.read_bytes(), "certificate")
    assert found.text.count("\n") > 20
    assert not found.errors


def test_what_is_wrong_names_a_line_that_is_shown() -> None:
    raw = CERTIFICATE.read_bytes().replace(b"</messageSender>", b"</messageSender><surprise/>")
    found = papers.paper(raw, "certificate")
    line, message = found.errors[0]
    assert "surprise" in message
    assert "surprise" in found.text.splitlines()[line - 1]


def test_bytes_that_are_no_xml_are_shown_as_they_are() -> None:
    found = papers.paper(b"<a>", "certificate")
    assert found.text == "<a>"
    assert found.errors


def test_every_rule_of_a_claim_has_its_verdict() -> None:
    told = papers.outcomes(OUTCOME.read_bytes())
    assert told
    for outcome in told.values():
        assert len({one.rule for one in outcome.verdicts}) >= 18
        assert len(outcome.rules("passed")) + len(outcome.rules("untested")) + len(outcome.remarkable) == len(
            outcome.verdicts
        )


def test_an_outcome_that_cannot_be_read_has_no_verdicts() -> None:
    assert papers.outcomes(b"<") == {}


def test_characters_that_deceive_are_shown_as_escapes() -> None:
    assert papers.readable("a\u202eb\x00c\u200bd\x1b[1m\té".encode()) == "a\\u202eb\\u0000c\\u200bd\\u001b[1m\té"
    assert papers.readable(b"\xff\xfe") == "\\xff\\xfe"
    assert papers.readable(None) == ""


def test_hexadecimal_table() -> None:
    assert papers.hexadecimal(b"A\x00" + b"b" * 15).splitlines() == [
        "000000  41 00 62 62 62 62 62 62 62 62 62 62 62 62 62 62  A.bbbbbbbbbbbbbb",
        "000010  62                                               b",
    ]
    assert papers.hexadecimal(None) == ""


@pytest.mark.parametrize("raw", [b"\xff", b"a\x00b", "a\u202eb".encode(), b"x" * 70_000, b"lone\rreturn"])
def test_what_a_form_would_change_cannot_be_edited(raw: bytes) -> None:
    assert papers.editable(raw) is None


@pytest.mark.parametrize("raw", [b'{"a":1}', "é\n".encode(), b"a\r\nb"])
def test_a_form_gives_the_same_bytes_back(raw: bytes) -> None:
    text = papers.editable(raw)
    assert text is not None
    as_sent = text.replace("\r\n", "\n").replace("\n", "\r\n")
    assert papers.edited(as_sent, raw) == raw


def test_bytes_that_were_not_kept_are_written_anew() -> None:
    assert papers.editable(None) == ""
    assert papers.edited("a\r\nb", None) == b"a\nb"


def test_the_difference_names_what_was_edited() -> None:
    told = papers.difference(b'{"a":1,"b":2,"c":3}', b'{"a":1,"b":4,"c":3}')
    assert '-"b":2,' in told
    assert '+"b":4,' in told
    assert "---" not in told
