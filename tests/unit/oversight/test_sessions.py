"""Sessions in a signed cookie, and forms that belong to them."""

from __future__ import annotations

import pytest

from certex_bridge.oversight.console.login import START, onwards
from certex_bridge.oversight.console.people import Person, Role
from certex_bridge.oversight.console.sessions import Sessions, SignedValues

ADA = Person("Ada", frozenset({Role.OPERATOR, Role.AUDITOR}), "BE", "4711")


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions(SignedValues(b"k" * 32), 600, 3_600, clock)


def test_a_cookie_brings_the_person_back(sessions: Sessions) -> None:
    session = sessions.begin(ADA)
    assert sessions.read(sessions.cookie(session)) == session


def test_a_session_before_the_login_has_no_person(sessions: Sessions) -> None:
    session = sessions.read(sessions.cookie(sessions.begin()))
    assert session is not None
    assert session.person is None


def test_a_cookie_that_was_touched_is_none(sessions: Sessions) -> None:
    cookie = sessions.cookie(sessions.begin(ADA))
    body, _, mark = cookie.partition(".")
    touched = [
        body[:-2] + "AA." + mark,
        body + "." + mark[:-1] + ("0" if mark[-1] != "0" else "1"),
        body,
        "",
        ".",
        "é.é",
    ]
    assert [sessions.read(one) for one in touched] == [None] * len(touched)


def test_another_key_or_another_purpose_opens_nothing(sessions: Sessions) -> None:
    cookie = sessions.cookie(sessions.begin(ADA))
    assert Sessions(SignedValues(b"o" * 32), 600, 3_600).read(cookie) is None
    assert SignedValues(b"k" * 32).open("login", cookie) is None


def test_a_session_without_clicks_is_over(sessions: Sessions, clock: Clock) -> None:
    cookie = sessions.cookie(sessions.begin(ADA))
    clock.now += 601
    assert sessions.read(cookie) is None


def test_clicks_keep_a_session_until_its_longest_time(sessions: Sessions, clock: Clock) -> None:
    session = sessions.begin(ADA)
    for _ in range(6):
        clock.now += 590
        found = sessions.read(sessions.cookie(session))
        assert found is not None
        session = sessions.clicked(found)
    clock.now += 100
    assert sessions.read(sessions.cookie(session)) is None


def test_a_form_belongs_to_its_session(sessions: Sessions) -> None:
    mine, other = sessions.begin(ADA), sessions.begin(ADA)
    assert sessions.form_is_ours(mine, sessions.form_token(mine))
    assert not sessions.form_is_ours(mine, sessions.form_token(other))
    assert not sessions.form_is_ours(mine, "")
    assert not sessions.form_is_ours(mine, "é")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "https://evil.example/",
        "//evil.example",
        "/console//evil.example",
        "/console/\\evil",
        "/elsewhere",
        "/console/login",
        "/console/logout",
    ],
)
def test_the_login_leads_to_our_own_pages_only(path: str) -> None:
    assert onwards(path) == START


def test_the_login_leads_where_the_person_wanted_to_go() -> None:
    assert onwards("/console/licences/BE/BE-1") == "/console/licences/BE/BE-1"


def test_only_a_session_that_is_over_by_its_length_is_worth_asking_the_issuer_about(
    sessions: Sessions, clock: Clock
) -> None:
    session = sessions.begin(ADA)
    assert not sessions.is_due(sessions.cookie(session)), "not over"
    clock.now += 3_601
    clicked = sessions.cookie(sessions.clicked(session))
    assert sessions.read(clicked) is None
    assert sessions.is_due(clicked)
    assert not sessions.is_due(sessions.cookie(session)), "nobody sits there any more"
    assert not sessions.is_due(clicked + "x")
    assert not sessions.is_due("")
    stranger = sessions.begin()
    clock.now += 3_601
    assert not sessions.is_due(sessions.cookie(sessions.clicked(stranger)))
