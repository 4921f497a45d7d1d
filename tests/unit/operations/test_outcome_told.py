"""The words that commands show of an outcome, an answer, and a record in quarantine."""

from __future__ import annotations

import pytest

from certex_bridge.operations.outcome_told import findings_of, in_words, verdicts_of
from certex_bridge.operations.submit import Fate, _rows
from certex_bridge.platform.resources import contract_path

REFUSED = (contract_path("examples", "outcomes") / "refused.xml").read_bytes()
CONFLICT = (contract_path("examples", "outcomes") / "conflict.xml").read_bytes()


def test_verdicts_have_field_value_and_sentence() -> None:
    told = verdicts_of(REFUSED)[1, 1, "BE/BE-2026-000123"]
    assert "VALUE_EXCEEDED (amount: 50000.01, available 50000): " in in_words(told[0])
    assert {one["severity"] for one in told} == {"ERROR", "WARNING"}
    assert verdicts_of(REFUSED, judged=True) == verdicts_of(REFUSED)
    assert verdicts_of(CONFLICT, judged=True) == {}


def test_findings_are_those_of_the_message() -> None:
    (told,) = findings_of(CONFLICT)
    assert told["code"] == "CLAIM_CONFLICT"
    assert "was" in told["message"]
    assert findings_of(REFUSED) == []


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"code": "X", "field": "", "value": "", "message": ""}, "X"),
        ({"code": "X", "field": "f", "value": "", "message": "why"}, "X (f): why"),
        ({"code": "X", "field": "f", "value": "v", "message": "why", "available": "3"}, "X (f: v, available 3): why"),
    ],
)
def test_what_is_not_told_leaves_no_mark(told: dict[str, str], words: str) -> None:
    assert in_words(told) == words


def test_submit_shows_warnings_of_the_message_and_every_verdict_of_a_claim() -> None:
    warning = {
        "code": "MRN_CHECK_DIGIT",
        "field": "mrn",
        "value": "26BE",
        "message": "not right",
        "severity": "WARNING",
    }
    verdicts = verdicts_of(REFUSED)[1, 1, "BE/BE-2026-000123"]
    claim = {"item": 1, "document": 1, "outcome": "REFUSED", "reasons": ["VALUE_EXCEEDED", "LEXICAL"]}
    fate = Fate("a.json", [{"result": "APPLIED", "declaration": "26BE", "findings": [warning], "claims": [claim]}])
    bare = [row[2] for row in _rows(fate, 1)]
    assert bare[1:] == [
        "MRN_CHECK_DIGIT (mrn: 26BE): not right",
        "VALUE_EXCEEDED: The declared value exceeds the available value.",
        "LEXICAL",
    ]
    explained = [
        row[2] for row in _rows(Fate("a.json", [fate.answers[0] | {"claims": [claim | {"verdicts": verdicts}]}]), 1)
    ]
    assert any("50000.01" in words for words in explained)
    assert explained[-1] == "LEXICAL"


def test_submit_shows_key_field_and_value_of_a_record_in_quarantine() -> None:
    row = {"code": "CONFLICTING_DUPLICATE", "field": "items[1]", "value": "12 NAR", "message": "why", "key": "26BE"}
    assert [one[1:] for one in _rows(Fate("a.json", quarantine=[row]), 1)] == [
        ("26BE", "CONFLICTING_DUPLICATE (items[1]: 12 NAR): why")
    ]


def test_submit_shows_what_a_conflict_is_about() -> None:
    answer = {
        "result": "CONFLICT",
        "declaration": "26BE",
        "code": "CONFLICTING_DUPLICATE",
        "detail": "version 2 arrived",
    }
    assert _rows(Fate("a.json", [answer]), 1)[0][2] == "CONFLICTING_DUPLICATE: version 2 arrived"
