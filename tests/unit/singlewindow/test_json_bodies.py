"""Balances and notifications: canonical JSON that fits its contract, the same bytes every time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from certex_bridge.kernel.canonical import canonical_json
from certex_bridge.ledger.domain.model import OPEN_STATES, Account, Dim, Kind, LicenceState, Status
from certex_bridge.ledger.domain.reasons import Answerable, Incident
from certex_bridge.ledger.domain.risk import covered
from certex_bridge.ledger.ports import OpenClaim, StatusChange
from certex_bridge.ledger.pushes import member_state
from certex_bridge.singlewindow import events
from certex_bridge.singlewindow.balance import balance_body, told_as
from certex_bridge.singlewindow.events import BalanceBody, IncidentBody, StatusBody
from certex_bridge.singlewindow.notification import INCIDENT_SENTENCES, incidents_body, status_body
from tests.unit.singlewindow.samples import AT, LICENCE, MRN, golden, state, two_accounts

CAUSE = {"event": "0198c6d2-1111-7000-8000-000000000001", "kind": "RESERVE", "declaration": MRN}
CLAIM = f"{MRN}#1.1@{LICENCE.licence_id}:1"
DRAFT = "BE0123456789/LRN-2026-0002"
INTERESTED = [
    OpenClaim(LICENCE.licence_id, MRN, 1, 1, "RESERVED", "X060", "BE0123456789", "BE000123", "2026-03-01"),
    OpenClaim(LICENCE.licence_id, DRAFT, 2, 1, "CHECKED", "X060", "BE0123456789", "BE000123"),
]


def change(old: str, reason: str) -> StatusChange:
    return StatusChange(LICENCE.licence_id, old, reason, AT, "e-7")


SHORTER = replace(LICENCE, valid_to=date(2026, 2, 1), version=3)


def over_used() -> Account:
    return Account(1, Dim.QTY, "KGM", Decimal("100.500"), Decimal("60.25"), Decimal("50.5"))


def suspended() -> LicenceState:
    return state(*two_accounts(), status=Status.SUSPENDED)


MADE: dict[str, tuple[str, bytes, type[BaseModel]]] = {
    "reserved": ("balances", balance_body(state(*two_accounts()), CAUSE, AT), BalanceBody),
    "over-used": ("balances", balance_body(state(over_used()), {**CAUSE, "kind": "OVERRIDE"}, AT), BalanceBody),
    "issued": (
        "balances",
        balance_body(
            state(Account(1, Dim.QTY, "NAR", Decimal(100)), lv=1),
            {"event": "e-1", "kind": "CAP", "declaration": ""},
            AT,
        ),
        BalanceBody,
    ),
    "suspended": (
        "notifications",
        status_body(suspended(), change("Valid", "SUSPENDED"), "BE", INTERESTED),
        StatusBody,
    ),
    "expired": (
        "notifications",
        status_body(state(status=Status.EXPIRED), change("Valid", "VALIDITY_PASSED"), "BE", INTERESTED),
        StatusBody,
    ),
    "validity-shortened": (
        "notifications",
        status_body(state(licence=SHORTER, version=3), change("Valid", "VALIDITY_SHORTENED"), "BE", INTERESTED),
        StatusBody,
    ),
    "exporter-barred": (
        "notifications",
        status_body(state(), change("Valid", "EXPORTER_BARRED"), "BE", INTERESTED),
        StatusBody,
    ),
    "uncovered": (
        "incidents",
        incidents_body(suspended(), [Incident.UNCOVERED, Incident.RELEASED_ON_BLOCKED], MRN, CLAIM, AT, "e-7"),
        IncidentBody,
    ),
    "cap-below-use": (
        "incidents",
        incidents_body(state(over_used()), [Incident.CAP_BELOW_USE], "", "", AT, "e-7"),
        IncidentBody,
    ),
    "overridden": (
        "incidents",
        incidents_body(
            state(over_used()),
            [Incident.OVERRIDDEN],
            MRN,
            CLAIM,
            AT,
            "e-7",
            Answerable("BE-AN-0417", "The licensing authority confirmed the extension"),
        ),
        IncidentBody,
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_each_message_is_its_golden_file_byte_by_byte(name: str) -> None:
    folder, body, _ = MADE[name]
    assert body == golden(folder, f"{name}.json", body).read_bytes()


@pytest.mark.parametrize("name", MADE)
def test_each_message_is_canonical_and_fits_its_contract(name: str) -> None:
    _, body, model = MADE[name]
    read = model.model_validate_json(body)
    assert canonical_json(json.loads(body)) == body
    assert canonical_json(read.model_dump(mode="json", by_alias=True, exclude_unset=True)) == body


def test_the_contract_lists_exactly_the_words_of_the_domain() -> None:
    assert set(get_args(events.StatusName)) == {status.value for status in Status}
    assert set(get_args(events.IncidentName)) == {incident.value for incident in Incident} == set(INCIDENT_SENTENCES)
    assert set(get_args(events.MovementName)) == {kind.value for kind in Kind}
    assert set(get_args(events.OpenState)) == {open_.value for open_ in OPEN_STATES}


@pytest.mark.parametrize("model", [BalanceBody, StatusBody, IncidentBody])
def test_the_contract_gives_a_json_schema(model: type[BaseModel]) -> None:
    schema = model.model_json_schema(by_alias=True)
    assert schema["additionalProperties"] is False
    assert "licenceVersion" in schema["required"]


def test_a_reservation_on_a_blocked_licence_is_at_risk_and_one_on_an_expired_is_not() -> None:
    suspended_ = StatusBody.model_validate_json(MADE["suspended"][1])
    assert [(claim.at_risk, claim.valid_at_acceptance) for claim in suspended_.interested] == [
        (True, True),
        (False, None),
    ]
    expired = StatusBody.model_validate_json(MADE["expired"][1])
    assert not any(claim.at_risk for claim in expired.interested)


def test_a_reservation_accepted_on_a_day_no_longer_covered_is_at_risk() -> None:
    shortened = StatusBody.model_validate_json(MADE["validity-shortened"][1])
    first, draft = shortened.interested
    assert (first.at_risk, first.valid_at_acceptance) == (True, False)
    assert (draft.at_risk, draft.valid_at_acceptance) == (False, None)
    assert (shortened.document_code, shortened.valid_to) == ("X060", "2026-02-01")


def test_a_type_whose_reservations_outlive_the_licence_has_none_at_risk() -> None:
    body = json.loads(
        status_body(
            state(licence=SHORTER, version=3), change("Valid", "VALIDITY_SHORTENED"), "BE", INTERESTED, keeps=True
        )
    )
    assert not any(claim["atRisk"] for claim in body["interested"] if claim["claimState"] == "RESERVED")
    blocked = json.loads(status_body(suspended(), change("Valid", "SUSPENDED"), "BE", INTERESTED, keeps=True))
    assert any(claim["atRisk"] for claim in blocked["interested"])


def test_an_acceptance_told_as_an_instant_is_its_day_at_the_office_of_declaration() -> None:
    days = LICENCE.valid_from, LICENCE.valid_to
    assert covered("2026-12-31T23:30:00Z", "BE", *days) is False  # New Year at an office in Belgium
    assert covered("2026-12-31T22:30:00Z", "BE", *days) is True
    assert covered("2026-12-31T23:30:00Z", "PT", *days) is True


def test_a_licence_not_seen_yet_is_named_by_its_key() -> None:
    unseen = LicenceState("BE/A/B", nv=1)
    body = json.loads(status_body(unseen, change("", "VERSION"), "BE", INTERESTED))
    assert [claim["validAtAcceptance"] for claim in body["interested"]] == [None, None]
    assert (body["issuer"], body["number"], body["oldStatus"]) == ("BE", "A/B", "Unknown")


def test_the_member_state_stands_in_the_mrn_only() -> None:
    assert member_state(MRN) == "BE"
    assert member_state("BE0123456789/LRN-1") == ""  # as long as an MRN
    assert member_state("") == ""
    assert member_state(DRAFT, "NL000123") == "NL"


@given(st.text(), st.text(st.characters(codec="utf-8")))
def test_any_text_gives_json(event: str, declaration: str) -> None:
    body = balance_body(state(), {"event": event, "kind": "RESERVE", "declaration": declaration}, AT)
    read = json.loads(body)["cause"]
    assert read["event"] == event.encode("utf-8", "replace").decode()
    assert read["declaration"] == told_as(declaration).encode("utf-8", "replace").decode()


def test_the_licensing_side_reads_no_exporter_of_a_draft() -> None:
    claim = f"{DRAFT}#1.1@{LICENCE.licence_id}:1"
    balance = balance_body(state(), {**CAUSE, "declaration": DRAFT}, AT)
    incident = incidents_body(state(), [Incident.UNCOVERED], DRAFT, claim, AT, "e-7")
    for body in (balance, incident):
        assert b"BE0123456789" not in body
    read = json.loads(incident)
    assert read["claim"] == f"{told_as(DRAFT)}#1.1@{LICENCE.licence_id}:1"
    assert json.loads(balance)["cause"]["declaration"] == read["declaration"] == told_as(DRAFT)


quantities = st.decimals(min_value=0, max_value=10**10, places=6)


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 99999), st.sampled_from(Dim)),
        st.tuples(quantities, quantities, quantities),
        max_size=4,
    )
)
def test_any_accounts_give_a_sorted_balance_that_adds_up(
    figures: dict[tuple[int, Dim], tuple[Decimal, Decimal, Decimal]],
) -> None:
    accounts = [
        Account(line, dim, "NAR" if dim is Dim.QTY else "EUR", *amounts) for (line, dim), amounts in figures.items()
    ]
    body = balance_body(state(*accounts), CAUSE, AT)
    assert balance_body(state(*reversed(accounts)), CAUSE, AT) == body
    read = BalanceBody.model_validate_json(body)
    assert [(account.line, account.dimension) for account in read.accounts] == sorted(figures)
    for account in read.accounts:
        in_use = Decimal(account.reserved) + Decimal(account.consumed)
        assert Decimal(account.available) - Decimal(account.over) == Decimal(account.authorised) - in_use


@pytest.mark.parametrize("amount", ["1.0", "1e3", "-1", "01", "1.", "", "1,0"])
def test_the_contract_refuses_amounts_in_another_form(amount: str) -> None:
    body = json.loads(MADE["issued"][1])
    body["accounts"][0]["reserved"] = amount
    with pytest.raises(ValidationError):
        BalanceBody.model_validate_json(json.dumps(body))
