"""The console on a real database, without a browser: rights, forms, sessions, repairs, the audit trail."""

from __future__ import annotations

import json
import re
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError

from certex_bridge.ledger.adapters.reader import PostgresReader
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.oversight.console.app import Console, Surroundings
from certex_bridge.oversight.console.oidc import LoginRefused, OpenIdLogin
from certex_bridge.oversight.console.people import Person, Role
from certex_bridge.oversight.console.revocations import Revocations
from certex_bridge.oversight.console.sessions import Sessions, SignedValues
from certex_bridge.oversight.console.web import FORM_BYTES_MAX
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.settings import Settings
from tests.integration.operations.test_verify import OTHER, Filled, of
from tests.support.console_visitor import Visitor
from tests.support.ledger_words import HOLDER, Authority, Customs, mrn_of
from tests.unit.oversight.test_oidc import OIDC

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from certex_bridge.oversight.console.repairs import Letter

LOGINS = 5
RECORD = "q" * 64
PAGE = f"/console/quarantine/{RECORD}"
RAW = '{"mrn":"26BE","note":"<script>alert(1)</script>\u202e"}'.encode()


class Office:
    """A console, its database, and what it sent."""

    def __init__(self, pool: asyncpg.Pool[Any], **settings: Any) -> None:
        self.pool = pool
        self.sent: list[Letter] = []
        self.away = False
        self.metrics = Metrics()
        around = Surroundings(pool, PostgresReader(pool), Policy(), self._depths, self._ends, self._post, self.metrics)
        told = {"console_auth": "local", "console_logins_per_minute": LOGINS} | settings
        self.console = Console(Settings.load(**told), around)
        self.application = self.console.application()

    async def _depths(self) -> Mapping[str, float]:
        names = (
            "outbox_unsent",
            "outbox_oldest_seconds",
            "parked_declarations",
            "parked_oldest_seconds",
            "undecided_declarations",
            "undecided_oldest_seconds",
            "quarantine_open",
            "quarantine_oldest_seconds",
            "wake_rows",
            "relay_held",
        )
        return dict.fromkeys(names, 7200.0)

    async def _ends(self) -> Mapping[tuple[str, int], int]:
        if self.away:
            raise KafkaConnectionError("away")
        return {("customs.declarations.v1", 0): 12}

    async def _post(self, letter: Letter) -> tuple[str, int, int]:
        if self.away:
            raise KafkaConnectionError("away")
        self.sent.append(letter)
        return letter.topic, 3, 99

    async def visitor(self, name: str) -> Visitor:
        made = Visitor(self.application)
        await made.enter(name)
        return made

    async def quarantine(self, raw: bytes | None = RAW) -> None:
        headers = json.dumps([["ce_id", b"e1".hex()], ["empty", None]]).encode()
        await self.pool.execute(
            "INSERT INTO quarantine (quarantine_id, topic, partition, record, code, field, value, message, event_id, key, raw, headers) "
            "VALUES ($1, 'customs.declarations.v1', 0, 7, 'SCHEMA', 'mrn', '26BE', 'too short', 'e1', 'k', $2, $3)",
            RECORD, raw, headers,
        )  # fmt: skip

    async def trail(self, action: str) -> list[tuple[str, ...]]:
        rows = await self.pool.fetch(
            "SELECT person, subject, before, after FROM console_audit WHERE action = $1 ORDER BY audit_no", action
        )
        return [tuple(row) for row in rows]


@asynccontextmanager
async def opened(url: str, **settings: Any) -> AsyncIterator[Office]:
    async with asyncpg.create_pool(url, min_size=1, max_size=4) as pool:
        yield Office(pool, **settings)


async def test_a_stranger_is_sent_to_the_login_and_on_from_there(database_url: str) -> None:
    async with opened(database_url) as office:
        stranger = Visitor(office.application)
        await stranger.get("/console/flow")
        assert (stranger.status, stranger.headers["location"]) == (303, "/console/login?next=%2Fconsole%2Fflow")
        await stranger.get(stranger.headers["location"])
        before = stranger.cookies["certex-console"]
        await stranger.post("/console/login", person="Ada Operator", next="/console/flow")
        assert (stranger.status, stranger.headers["location"]) == (303, "/console/flow")
        assert stranger.cookies["certex-console"] != before
        assert all("HttpOnly" in one and "SameSite=strict" in one for one in stranger.set_cookies)
        await stranger.get("/console/flow")
        await stranger.post("/console/logout")
        await stranger.get("/console/flow")
        assert stranger.status == 303
        assert [row[0] for row in await office.trail("login") + await office.trail("logout")] == ["Ada Operator"] * 2


async def test_the_issuer_is_asked_again_when_its_word_is_too_old(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Roles taken away there end the session here, and whoever kept them notices nothing."""
    clock = time.time()
    word: list[Person | LoginRefused] = []

    async def finish(_login: OpenIdLogin, _query: Any, _cookie: str) -> tuple[Person, str]:
        said = word.pop()
        if isinstance(said, LoginRefused):
            raise said
        return said, "/console/flow"

    monkeypatch.setattr(OpenIdLogin, "finish", finish)
    grace = Person("Grace", frozenset({Role.OPERATOR}), subject="4711")
    nobody = LoginRefused("roles", person=replace(grace, roles=frozenset()))
    async with opened(database_url, console_logins_per_minute=60, **OIDC) as office:
        office.console.sessions._clock = lambda: clock
        visitor = Visitor(office.application)
        word.append(grace)
        await visitor.get("/console/login/done?code=c&state=s")
        for said, status in ((grace, 200), (nobody, 403)):
            await visitor.get("/console/flow")
            assert visitor.status == 200
            clock += Settings.load().console_session_seconds + 1
            await visitor.get("/console/flow")
            assert (visitor.status, visitor.headers["location"]) == (
                303,
                "/console/login/issuer?next=%2Fconsole%2Fflow&quiet=1",
            )
            await visitor.get(visitor.headers["location"])
            assert "prompt=none" in visitor.headers["location"]
            word.append(said)
            await visitor.get("/console/login/done?code=c&state=s")
            assert visitor.status == status
        await visitor.get("/console/flow")
        assert visitor.headers["location"] == "/console/login?next=%2Fconsole%2Fflow"
        word.append(LoginRefused("issuer", "login_required", asked_again="/console/flow"))
        await visitor.get("/console/login/done?error=login_required&state=s")
        assert (visitor.status, visitor.headers["location"]) == (303, "/console/login?next=%2Fconsole%2Fflow")


async def test_a_copied_cookie_ends_with_the_logout(database_url: str) -> None:
    async with opened(database_url) as office:
        ada, thief = await office.visitor("Ada Operator"), Visitor(office.application)
        thief.cookies = dict(ada.cookies)
        await thief.get("/console/quarantine")
        assert thief.status == 200
        thief.cookies = stolen = dict(ada.cookies)
        await ada.post("/console/logout")
        await thief.get("/console/quarantine")
        assert (thief.status, thief.headers["location"]) == (303, "/console/login?next=%2Fconsole%2Fquarantine")
        again = await office.visitor("Ada Operator")
        await again.get("/console/quarantine")
        assert again.status == 200
        thief.cookies = stolen
        await thief.post("/console/logout", csrf="0" * 64)
        assert thief.status == 403


async def test_sessions_end_with_the_roles_they_began_with(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        kept, sessions = Revocations(3_600), Sessions(SignedValues(b"k" * 32), 600, 3_600)
        operator = Person("Ada", frozenset({Role.OPERATOR}), subject="4711")
        await kept.logged_in(pool, operator, sessions.now())
        first = sessions.begin(operator)
        await kept.logged_in(pool, operator, first.since + 1)
        assert not await kept.is_over(pool, first)  # another browser, the same roles
        auditor = replace(operator, roles=frozenset({Role.AUDITOR}))
        await kept.logged_in(pool, auditor, first.since + 2)
        second = replace(first, number="n", person=auditor, since=first.since + 3)
        assert (await kept.is_over(pool, first), await kept.is_over(pool, second)) == (True, False)
        await kept.end_all(pool, "4711", second.since + 1)
        assert await kept.is_over(pool, second)
        other = replace(first, person=replace(operator, subject="4712"))
        assert not await kept.is_over(pool, other)


async def test_strangers_write_no_rows_and_are_slowed_down(database_url: str) -> None:
    async with opened(database_url) as office:
        stranger = Visitor(office.application)
        for _ in range(LOGINS):
            await stranger.post("/console/login", csrf="0" * 64, person="Ada Operator")
            assert stranger.status == 403
        await stranger.get("/console/login")
        assert stranger.status == 200
        await stranger.post("/console/login", person="Ada Operator")
        assert stranger.status == 429
        assert "Too many attempts" in stranger.text
        assert await office.pool.fetchval("SELECT count(*) FROM console_audit") == 0
        values = office.metrics.registry.get_sample_value
        assert values("certex_bridge_console_refusals_total", {"what": "form"}) == LOGINS
        assert values("certex_bridge_console_refusals_total", {"what": "pace"}) == 1


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost:80:80"])
async def test_without_login_only_this_machine_is_meant(database_url: str, host: str) -> None:
    async with opened(database_url) as office:
        page = Visitor(office.application)
        page.host = host
        await page.get("/console/login")
        assert page.status == 403
        assert "Another host was meant" in page.text


async def test_with_tls_the_browser_guards_the_cookies(database_url: str) -> None:
    async with opened(database_url, console_url="https://bridge.example") as office:
        ada = await office.visitor("Ada Operator")
        (cookie,) = ada.set_cookies
        assert cookie.startswith("__Host-certex-console=")
        assert "Path=/;" in cookie
        assert "Secure" in cookie
        assert "Domain" not in cookie


async def test_no_page_allows_foreign_or_inline_script(database_url: str) -> None:
    async with opened(database_url) as office:
        ada = await office.visitor("Ada Operator")
        for path in (
            "/console/search",
            "/console/flow",
            "/console/quarantine",
            "/console/pushes",
            "/console/notices",
            "/console/nothing",
        ):
            await ada.get(path)
            policy = ada.headers["content-security-policy"]
            assert "script-src 'self';" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert "<script>" not in ada.text
            assert " style=" not in ada.text
            assert ada.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("Ada Operator", "/console/audit"),
        ("Lise Licensing", "/console/quarantine"),
        ("Niels Customs", "/console/flow"),
        ("Niels Customs", "/console/pushes"),
    ],
)
async def test_a_click_without_right_is_refused_and_in_the_trail(database_url: str, name: str, path: str) -> None:
    async with opened(database_url) as office:
        person = await office.visitor(name)
        await person.get(path)
        assert person.status == 403
        assert "Not allowed" in person.text
        assert [row[:2] for row in await office.trail("denied")] == [(name, path)]


@pytest.mark.parametrize("token", ["", "0" * 64])
async def test_a_form_from_elsewhere_changes_nothing(database_url: str, token: str) -> None:
    async with opened(database_url) as office:
        await office.quarantine()
        ada = await office.visitor("Ada Operator")
        await ada.post(PAGE + "/propose", csrf=token, choice="RETRY", reason="why not")
        assert ada.status == 403
        assert await office.pool.fetchval("SELECT count(*) FROM console_repair") == 0
        assert len(await office.trail("form.refused")) == 1


async def test_a_repair_needs_two_persons(database_url: str) -> None:
    async with opened(database_url) as office:
        await office.quarantine()
        ada, grace = await office.visitor("Ada Operator"), await office.visitor("Grace Operator")
        await ada.get(PAGE)
        assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202e" in ada.text
        await ada.post(PAGE + "/propose", choice="EDIT", reason="MRN cut off", value='{"mrn":"26BE00000000000M12"}')
        assert ada.status == 303
        await ada.get(PAGE)
        await ada.post(PAGE + "/approve")
        assert ada.status == 403
        assert "another person must decide" in ada.text
        assert not office.sent
        await grace.get(PAGE)
        assert "+{&#34;mrn&#34;:&#34;26BE00000000000M12&#34;}" in grace.text
        await grace.post(PAGE + "/approve")
        assert grace.status == 303
        (letter,) = office.sent
        assert letter == ("customs.declarations.v1", b"k", b'{"mrn":"26BE00000000000M12"}', (("ce_id", b"e1"),))
        assert await office.pool.fetchval("SELECT resolved FROM quarantine") == "RETRIED customs.declarations.v1 3 99"
        assert await office.pool.fetchval("SELECT raw FROM quarantine") == RAW
        (proposed,), (approved,) = await office.trail("repair.proposed"), await office.trail("repair.approved")
        assert proposed[0] == "Ada Operator"
        assert "MRN cut off" in proposed[3]
        assert approved[0] == "Grace Operator"
        assert "Ada Operator" in approved[2]
        await grace.post(PAGE + "/approve")
        assert grace.status == 409
        assert len(office.sent) == 1


async def test_proposals_are_rejected_taken_back_and_carried_out_without_sending(database_url: str) -> None:
    async with opened(database_url) as office:
        await office.quarantine()
        ada, grace = await office.visitor("Ada Operator"), await office.visitor("Grace Operator")
        await ada.post(PAGE + "/propose", choice="RETRY", reason="first")
        await grace.post(PAGE + "/propose", choice="RETRY", reason="second")
        assert grace.status == 409
        await grace.get(PAGE)
        await grace.post(PAGE + "/decline")
        await ada.get(PAGE)
        await ada.post(PAGE + "/propose", choice="RETRY", reason="again")
        await ada.get(PAGE)
        await ada.post(PAGE + "/decline")
        await ada.get(PAGE)
        await ada.post(PAGE + "/propose", choice="DISCARD", reason="a test of theirs")
        await grace.get(PAGE)
        await grace.post(PAGE + "/approve")
        states = await office.pool.fetch("SELECT state FROM console_repair ORDER BY repair_id")
        assert [row[0] for row in states] == ["REJECTED", "WITHDRAWN", "APPROVED"]
        assert await office.pool.fetchval("SELECT resolved FROM quarantine") == "DISCARDED a test of theirs"
        assert not office.sent


@pytest.mark.parametrize("verb", ["approve", "decline"])
async def test_what_was_exchanged_after_it_was_shown_is_not_decided_on(database_url: str, verb: str) -> None:
    async with opened(database_url) as office:
        await office.quarantine()
        ada, grace = await office.visitor("Ada Operator"), await office.visitor("Grace Operator")
        await ada.post(PAGE + "/propose", choice="DISCARD", reason="harmless")
        await grace.get(PAGE)
        await ada.get(PAGE)
        await ada.post(PAGE + "/decline")
        await ada.get(PAGE)
        await ada.post(PAGE + "/propose", choice="EDIT", reason="harmless", value='{"mrn":"never seen"}')
        seen = grace.hidden
        await grace.post(f"{PAGE}/{verb}")
        assert grace.status == 409
        assert "something else is proposed now" in grace.text
        assert grace.hidden["repair"] != seen["repair"]
        assert not office.sent
        assert await office.pool.fetchval("SELECT state FROM console_repair ORDER BY repair_id DESC") == "PROPOSED"
        await grace.post(f"{PAGE}/{verb}", shown=seen["shown"])  # the number of one, the bytes of another
        assert grace.status == 409
        await grace.post(f"{PAGE}/{verb}", repair="none", shown="none")
        assert grace.status == 409
        assert not office.sent
        await grace.get(PAGE)
        await grace.post(f"{PAGE}/{verb}")
        assert grace.status == 303
        assert len(office.sent) == (verb == "approve")


async def test_a_proposal_changed_in_the_database_is_another(database_url: str) -> None:
    async with opened(database_url) as office:
        await office.quarantine()
        ada, grace = await office.visitor("Ada Operator"), await office.visitor("Grace Operator")
        await ada.post(PAGE + "/propose", choice="RETRY", reason="try")
        await grace.get(PAGE)
        await office.pool.execute("UPDATE console_repair SET value = 'other'")
        await grace.post(PAGE + "/approve")
        assert (grace.status, office.sent) == (409, [])


async def test_a_form_with_a_mistake_keeps_what_was_typed(database_url: str) -> None:
    async with opened(database_url) as office:
        await office.quarantine(b'{"mrn":"26BE"}')
        ada = await office.visitor("Ada Operator")
        await ada.post(PAGE + "/propose", choice="EDIT", reason="  ", value="typed by hand")
        assert ada.status == 422
        assert "Say why" in ada.text
        assert "typed by hand</textarea>" in ada.text
        assert 'value="EDIT" checked' in ada.text
        await ada.post(PAGE + "/propose", reason="no choice")
        assert ada.status == 422
        assert "Choose what" in ada.text
        assert 'value="no choice"' in ada.text
        await ada.post(PAGE + "/propose", choice="RETRY", reason="x" * 501)
        assert "at most 500" in ada.text


async def test_bytes_that_were_not_kept_must_be_written(database_url: str) -> None:
    async with opened(database_url) as office:
        await office.quarantine(raw=None)
        ada = await office.visitor("Ada Operator")
        await ada.post(PAGE + "/propose", choice="RETRY", reason="try")
        assert ada.status == 422
        assert "The bytes were not kept: write" in ada.text


async def test_when_the_broker_is_away_the_proposal_stands(database_url: str) -> None:
    async with opened(database_url) as office:
        await office.quarantine()
        ada, grace = await office.visitor("Ada Operator"), await office.visitor("Grace Operator")
        await ada.post(PAGE + "/propose", choice="RETRY", reason="try")
        await grace.get(PAGE)
        office.away = True
        await grace.post(PAGE + "/approve")
        assert grace.status == 503
        assert "the proposal stands" in grace.text
        assert await office.pool.fetchval("SELECT state FROM console_repair") == "PROPOSED"
        await grace.get("/console/flow")
        assert grace.status == 200
        assert "unknown" in grace.text or "Nothing was taken in" in grace.text
        office.away = False
        await grace.get(PAGE)
        await grace.post(PAGE + "/approve")
        assert len(office.sent) == 1


async def test_nobody_changes_the_trail(database_url: str) -> None:
    async with opened(database_url) as office:
        await office.visitor("Ada Operator")
        for statement in (
            "UPDATE console_audit SET person = 'x'",
            "DELETE FROM console_audit",
            "TRUNCATE console_audit",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await office.pool.execute(statement)
        emmy = await office.visitor("Emmy Auditor")
        await emmy.get("/console/audit?person=Ada+Operator&action=login")
        assert emmy.text.count('<tr><th scope="row"') == 1


async def test_the_database_itself_refuses_an_own_approval(database_url: str) -> None:
    async with opened(database_url) as office:
        await office.quarantine()
        with pytest.raises(asyncpg.CheckViolationError):
            await office.pool.execute(
                "INSERT INTO console_repair (quarantine_id, kind, reason, state, proposed_by, proposed_name, decided_by, decided_at) "
                "VALUES ($1, 'RETRY', 'r', 'APPROVED', 'ada', 'Ada', 'ada', now())", RECORD,
            )  # fmt: skip


async def test_subscriptions_are_steered_and_in_the_trail(database_url: str) -> None:
    async with opened(database_url) as office:
        await office.pool.execute(
            "INSERT INTO subscription (subscription_id, caller, member_state, declarations_shown, scope, issuer, licence_id, url, form, key_check, created_at) "
            "VALUES ('s1', 'NSW.BE', 'BE', true, 'ALL', '', '', 'https://nsw.example', 'JSON', 'k', now())"
        )
        ada, emmy = await office.visitor("Ada Operator"), await office.visitor("Emmy Auditor")
        for verb, paused in (("pause", "OPERATOR"), ("resume", ""), ("retry", "")):
            await ada.get("/console/pushes")
            await ada.post(f"/console/pushes/s1/{verb}")
            assert ada.status == 303
            assert await office.pool.fetchval("SELECT paused FROM subscription") == paused
        assert await office.trail("subscription.pause") == [("Ada Operator", "s1", "", "OPERATOR")]
        await ada.get("/console/pushes")
        await office.pool.execute("UPDATE subscription SET paused = 'GONE'")
        await ada.post("/console/pushes/s1/pause")
        assert ada.status == 409
        assert "another state now than the page showed" in ada.text
        assert await office.pool.fetchval("SELECT paused FROM subscription") == "GONE"
        await ada.get("/console/pushes")
        await ada.post("/console/pushes/s2/pause")
        assert ada.status == 404
        await ada.get("/console/pushes")
        await ada.post("/console/pushes/s1/burn")
        assert ada.status == 404
        await emmy.get("/console/pushes")
        assert "nsw.example" in emmy.text
        await emmy.post("/console/pushes/s1/pause")
        assert emmy.status == 403


async def test_pages_in_french_and_back(database_url: str) -> None:
    async with opened(database_url) as office:
        ada = await office.visitor("Ada Operator")
        await ada.get("/console/quarantine", accept_language="fr-BE, en;q=0.5")
        assert "Rien n&#39;est en quarantaine." in ada.text
        assert '<html lang="fr">' in ada.text
        await ada.get("/console/quarantine?show=all&lang=fr")
        await ada.get("/console/quarantine", accept_language="en")
        assert '<html lang="fr">' in ada.text
        assert "?lang=en" in ada.text


async def test_addresses_that_lead_nowhere(database_url: str) -> None:
    async with opened(database_url) as office:
        ada = await office.visitor("Ada Operator")
        for path in (
            "/console/quarantine/none",
            "/console/licences/BE/NONE",
            "/console/declarations/none",
            "/console/x",
            "/console/login/issuer",
            "/console/login/done",
        ):
            await ada.get(path)
            assert ada.status == 404, path
        await ada.get("/console/static/console.css")
        assert ada.headers["content-type"].startswith("text/css")
        await ada.get("/console/static/app.py")
        assert ada.status == 404


async def test_forms_are_bounded_and_the_database_may_be_away(database_url: str) -> None:
    async with opened(database_url) as office:
        await office.quarantine()
        ada = await office.visitor("Ada Operator")
        await ada.post(PAGE + "/propose", value="x" * FORM_BYTES_MAX)
        assert ada.status == 413
        await office.pool.close()
        await ada.get("/console/quarantine")
        assert ada.status == 503
        assert "Not available now" in ada.text


async def test_what_a_page_fetches_by_itself_keeps_no_session_alive(database_url: str) -> None:
    async with opened(database_url) as office:
        ada = await office.visitor("Ada Operator")
        await ada.get("/console/flow/figures", hx_request="true")
        assert ada.status == 200
        assert not ada.set_cookies


async def test_refused_licence_events_stand_on_the_page_of_the_flow(database_url: str) -> None:
    async with opened(database_url) as office:
        ada = await office.visitor("Ada Operator")
        await ada.get("/console/flow")
        assert "No licence event was refused in the last seven days." in ada.text
        await office.pool.execute("INSERT INTO licence (licence_id, version, status) VALUES ('BE/A', 2, 'Revoked')")
        await office.pool.executemany(
            "INSERT INTO refused_licence_event VALUES ($1, $2, $3, 2, 'x', $4, 'REVOKED', '', false, '', $5, 'x')",
            [
                ("e1", "BE/A", "revoked", "TAKEN", '[{"code":"UNIT_UNKNOWN"},{"code":"UNIT_UNKNOWN"}]'),
                ("e2", "BE/<b>", "revoked", "KEPT", '[{"code":"LICENCE_UNKNOWN"}]'),
                ("e3", "BE/bar:?", "exporter-barred", "LOST", "[]"),
                ("e4", "BE/C", "write-off-captured", "", '[{"code":"TOO_LONG"}]'),
            ],
        )
        await ada.get("/console/flow/figures", hx_request="true")
        for words in (
            "content not taken",
            "licence not known",
            "without effect",
            "UNIT_UNKNOWN</code>",
            "BE/&lt;b&gt;",
        ):
            assert words in ada.text
        assert ada.text.index("BE/bar:?") < ada.text.index("BE/A")
        assert 'href="/console/licences/BE/A"' in ada.text


async def test_search_asks_for_two_characters(database_url: str) -> None:
    async with opened(database_url) as office:
        ada = await office.visitor("Ada Operator")
        await ada.get("/console/search?q=B")
        assert "at least two characters" in ada.text
        assert 'value="B"' in ada.text
        await ada.get("/console/search?q=BE%25")
        assert "Nothing begins with BE%." in ada.text


async def test_the_duty_officer_sees_what_is_undecided_and_how_it_is_settled(database_url: str) -> None:
    ambiguous, missing, certain = map(mrn_of, ("M21", "M22", "M23"))
    async with opened(database_url) as office:
        ada = await office.visitor("Ada Operator")
        await ada.get("/console/flow")
        assert "Of every declaration it is certain" in ada.text
        filled, customs = Filled(office.pool), Customs()
        await filled.tell(of(customs.accepted("M20", U=1)))
        await filled.lodge_twice(Authority(), customs)
        await ada.get("/console/flow")
        rows = [row for row in ada.text.split("<tr>") if "/console/declarations/" in row]
        assert [name in row for name, row in zip((ambiguous, missing, mrn_of("M20")), rows, strict=True)] == [True] * 3
        assert ["Released" in row for row in rows] == [True, True, False], (
            "released ones first, though they are younger"
        )
        assert "could be several lodgings" in rows[0]
        assert all(re.search(r"\d+ (days|hours|minutes|s)<", row) for row in rows)
        assert certain not in ada.text
        await ada.get(f"/console/declarations/{ambiguous}")
        assert "Undecided since 20" in ada.text
        for exporter in (HOLDER, OTHER):
            assert f"declaration identify {ambiguous} --lrn L21 --exporter {exporter} --lodged-event " in ada.text
        await ada.get(f"/console/declarations/{missing}")
        assert "No lodging that it could be is known" in ada.text
        assert "declaration identify" not in ada.text
        await ada.get(f"/console/declarations/{certain}")
        assert "Undecided" not in ada.text
        await ada.get(f"/console/declarations/{ambiguous}?lang=fr")
        assert "Indécise depuis le" in ada.text
