"""Refusals: one mistake or many, with the numbers of CL180."""

from __future__ import annotations

from certex_bridge.singlewindow.http.problems import problem_document
from certex_bridge.singlewindow.refusals import REFUSALS, FieldError, Refusal


def test_a_refusal_of_one_thing_has_one_error() -> None:
    refusal = Refusal("MRN_INVALID", "that is no MRN", field="MRN", value="26DE000000000000A1")
    assert refusal.errors == (
        FieldError("MRN", "93", "MRN_INVALID", "26DE000000000000A1", "that is no MRN"),
    )  # fmt: skip


def test_many_mistakes_are_all_told_and_the_first_names_the_refusal() -> None:
    errors = [FieldError("GoodsItem[1]", "13", "MISSING"), FieldError("MRN", "93", "MRN_INVALID", "x")]
    refusal = Refusal("SCHEMA_INVALID", "two mistakes", errors=errors)
    assert (refusal.errors, refusal.field, refusal.value) == (tuple(errors), "GoodsItem[1]", "")
    assert b'"errorReason": "MRN_INVALID"' in problem_document({}, refusal)[0]


def test_the_number_of_the_cause_replaces_that_of_the_kind() -> None:
    assert Refusal("SCHEMA_INVALID", "no such code", field="type", error_code="12").errors[0].error_code == "12"


def test_who_should_ask_again_is_told_when() -> None:
    assert Refusal("NOT_AVAILABLE", "the database is away").headers == {"Retry-After": "5"}
    assert (
        Refusal("NOT_AVAILABLE", "the database is away", headers={"Retry-After": "30"}).headers["Retry-After"] == "30"
    )
    assert Refusal("METHOD", "only POST", headers={"Allow": "POST"}).headers == {"Allow": "POST"}


def test_every_kind_has_an_error_status_and_a_number_of_the_code_list() -> None:
    for code, kind in REFUSALS.items():
        assert 400 <= kind.status < 600, code
        assert kind.error_code in {"12", "13", "14", "15", "26", "92", "93"}, code
        assert bool(kind.retry_seconds) == (kind.status in {429, 503}), code
