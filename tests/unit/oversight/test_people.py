"""Who may what in the console."""

from __future__ import annotations

import pytest

from certex_bridge.oversight.console.people import DEMO_PERSONS, RIGHTS, Person, Right, Role
from certex_bridge.oversight.console.search_page import confinement


def person(*roles: Role, state: str = "", subject: str = "") -> Person:
    return Person("somebody", frozenset(roles), state, subject)


def test_who_looks_over_the_work_does_none_of_it() -> None:
    assert RIGHTS[Role.AUDITOR].isdisjoint({Right.REPAIR, Right.STEER})
    assert [role for role in Role if Right.AUDIT in RIGHTS[role]] == [Role.AUDITOR]
    assert [role for role in Role if Right.REPAIR in RIGHTS[role]] == [Role.OPERATOR]


@pytest.mark.parametrize("role", [Role.LICENSING_OFFICER, Role.CUSTOMS_OFFICER])
def test_officers_see_no_raw_records(role: Role) -> None:
    assert not any(person(role).may(right) for right in (Right.QUARANTINE, Right.PUSHES, Right.AUDIT, Right.FLOW))
    assert person(role).may(Right.LICENCES)


def test_a_licensing_officer_sees_the_own_states_licences_and_their_balances() -> None:
    lise = person(Role.LICENSING_OFFICER, state="BE")
    assert lise.sight.licence("BE")
    assert lise.sight.figures("BE", shown=False)
    assert not lise.sight.licence("FR")
    assert not lise.sight.figures("FR", shown=True)
    assert not lise.sight.declaration("BE")
    assert confinement(lise) == ("BE", "", "BE")


def test_a_customs_officer_sees_balances_where_the_installation_shows_them() -> None:
    niels = person(Role.CUSTOMS_OFFICER, state="NL")
    assert niels.sight.licence("BE")
    assert niels.sight.figures("BE", shown=True)
    assert not niels.sight.figures("BE", shown=False)
    assert niels.sight.declaration("NL")
    assert not niels.sight.declaration("BE")
    assert confinement(niels) == ("", "NL", "")
    assert not niels.sight.claim("NL/A", "BE")  # what others declare on licences of the own state is for its authority


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OPERATOR])
def test_a_state_does_not_confine_who_runs_or_audits(role: Role) -> None:
    everybody = person(role, state="BE")
    assert everybody.sight.figures("FR", shown=False)
    assert confinement(everybody) == ("", "", "")


def test_the_identity_outlives_the_name() -> None:
    assert person(Role.OPERATOR, subject="4711").identity == "4711"
    assert person(Role.OPERATOR).identity == "somebody"


def test_the_demo_has_two_persons_who_can_repair() -> None:
    assert sum(one.may(Right.REPAIR) for one in DEMO_PERSONS.values()) == 2
