"""Showing licences: names as people type them, instants, and balances added up from the journal."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from certex_bridge.kernel.errors import InputError
from certex_bridge.operations import terminal
from certex_bridge.operations.show_declaration import answerable
from certex_bridge.operations.show_licence import Balance, normalised, parse_moment, rebuild


def row(lv: int, kind: str, **figures: Any) -> dict[str, Any]:
    nothing = {"d_cap": Decimal(0), "d_res": Decimal(0), "d_cons": Decimal(0)}
    return {"lv": lv, "seq": 1, "line_no": 1, "dim": "QTY", "kind": kind, "detail": ""} | nothing | figures


def test_balances_are_added_up_from_the_journal() -> None:
    view = rebuild(
        "BE/1",
        [
            row(1, "CAP", d_cap=Decimal(100), detail="NAR"),
            row(1, "VERSION", line_no=0, dim="NONE", detail="version=1 sha256=00"),
            row(2, "RESERVE", d_res=Decimal(40)),
            row(3, "CONSUME", d_res=Decimal(-40), d_cons=Decimal(30)),
            row(4, "CAP", d_cap=Decimal(-80), detail="NAR"),
            row(4, "VERSION", line_no=0, dim="NONE", detail="version=2 sha256=11"),
            row(4, "STATUS", line_no=0, dim="NONE", detail="Valid->Exhausted"),
        ],
    )
    (balance,) = view.balances
    assert (balance.cap, balance.reserved, balance.consumed, balance.unit) == (
        Decimal(20),
        Decimal(0),
        Decimal(30),
        "NAR",
    )
    assert (balance.available, balance.over) == (Decimal(0), Decimal(10))
    assert (view.version, view.status, view.journal_version) == (2, "Exhausted", 4)


def test_a_new_version_ends_what_was_said_of_the_status() -> None:
    rows = [row(1, "STATUS", detail="Valid->Exhausted"), row(2, "VERSION", detail="version=2 sha256=11")]
    assert rebuild("BE/1", rows).status == ""


def test_who_answers_for_a_movement() -> None:
    told = {"decision": "ACCEPT", "officer": "O-1", "reason": "why", "evidence": {"type": "NOTE", "number": "17"}}
    assert answerable(json.dumps(told)) == "O-1: why (NOTE 17)"
    assert answerable(json.dumps(told | {"evidence": {}})) == "O-1: why"
    assert answerable("NAR") == answerable("") == ""


@pytest.mark.parametrize(("text", "key"), [("BE/be-1", "BE/BE-1"), ("be/X", "BE/X"), ("DE/A/B", "DE/A/B")])
def test_licences_as_people_type_them(text: str, key: str) -> None:
    assert normalised(text) == key


@pytest.mark.parametrize("text", ["", "BE", "BE/", "BE/ ", "/1", "BEL/1"])
def test_what_is_no_licence(text: str) -> None:
    with pytest.raises(InputError) as refused:
        normalised(text)
    assert refused.value.code == "LICENCE"


def test_a_date_is_the_end_of_the_day_where_the_licence_was_issued() -> None:
    assert parse_moment("2026-03-01", "FI").isoformat() == "2026-03-01T23:59:59.999999+02:00"
    assert parse_moment("2026-03-01T10:00:00", "FI").isoformat() == "2026-03-01T10:00:00+02:00"
    assert parse_moment("2026-03-01T10:00:00Z", "FI").utcoffset() is not None


@pytest.mark.parametrize(
    ("amount", "shown"), [("0", "0"), ("1234567.50", "1,234,567.5"), ("1000", "1,000"), ("0.000001", "0.000001")]
)
def test_figures_lose_no_digit(amount: str, shown: str) -> None:
    assert terminal.grouped(Decimal(amount)) == shown


def test_json_has_amounts_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    balance = Balance(1, "QTY", "KGM", Decimal("1E+3"), Decimal("0.10"), Decimal(0))
    terminal.print_json(balance.as_document())
    shown = json.loads(capsys.readouterr().out)
    assert (shown["cap"], shown["reserved"], shown["available"]) == ("1000", "0.1", "999.9")
