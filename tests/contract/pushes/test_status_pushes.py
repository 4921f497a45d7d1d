"""Who is told of which change of status (Implementing Regulation (EU) 2024/2145 Art. 5(2)), on both stores."""

from __future__ import annotations

import json
from datetime import date

import pytest

from certex_bridge.licensing.domain.commands import ExporterBar, LicenceEventKind
from certex_bridge.licensing.domain.licence import AuthorityStatus, LicenceType
from certex_bridge.singlewindow.pushes import fan_out
from certex_bridge.singlewindow.pushes.model import Form, Scope
from tests.support.ledger_words import HOLDER, cite, item, licence, lrn_of, mrn_of
from tests.support.push_world import PushWorld, subscription

EXPORT = ["10", "11", "21", "22", "23", "31"]
M1, M2 = mrn_of("M1"), mrn_of("M2")


async def issued(world: PushWorld, *names: str) -> None:
    """Licences over 10 pieces, of which nobody was told, and Belgian customs with an eye on their declarations."""
    await world.ledger.issue(*(licence(name, "10 NAR") for name in names))
    await world.subscribe(subscription())


# -- scenarios of the law


@pytest.mark.row("IR 5(2)")
async def test_resumed_after_a_suspension(world: PushWorld) -> None:
    await issued(world, "A")
    await world.ledger.accepted("M1", A=4)
    await world.ledger.suspend("A")
    await world.ledger.resume("A")
    assert await world.told() == [
        f"1: BE/A Valid->Suspended SUSPENDED, {M1} RESERVED at risk valid at acceptance",
        f"2: BE/A Suspended->Valid RESUMED, {M1} RESERVED valid at acceptance",
    ]


async def test_exhausted_by_the_last_release_and_back_by_a_withdrawal(world: PushWorld) -> None:
    await issued(world, "A")
    await world.checked("BE/A", "NSW.BE", M2)
    await world.ledger.accepted("M1", A=10)
    assert await world.told() == []  # fully reserved is still Valid
    await world.ledger.released("M1")
    await world.ledger.invalidated("M1")
    assert await world.told() == [
        f"1: BE/A Valid->Exhausted LIMIT_REACHED, {M2} CHECKED",
        f"2: BE/A Exhausted->Valid LIMIT_RESTORED, {M2} CHECKED",
    ]


async def test_expired_between_acceptance_and_release(world: PushWorld) -> None:
    await issued(world, "A")
    await world.ledger.accepted("M1", A=4, on="2026-03-01")
    await world.ledger.validity_passed("A")
    assert await world.told() == [f"1: BE/A Valid->Expired VALIDITY_PASSED, {M1} RESERVED valid at acceptance"]


@pytest.mark.row("IR 5(2)")
async def test_revoked_with_an_open_reservation(world: PushWorld) -> None:
    await issued(world, "A")
    await world.ledger.accepted("M1", A=4)
    await world.ledger.revoke("A")
    assert await world.told() == [f"1: BE/A Valid->Revoked REVOKED, {M1} RESERVED at risk valid at acceptance"]
    await world.ledger.released("M1")
    assert await world.ledger.notifications("A") == ["STATUS Valid->Revoked REVOKED", "INCIDENT RELEASED_ON_BLOCKED"]


# -- what a push says


@pytest.mark.row("IR 5(2)", "IR 1(1)")
async def test_a_push_says_what_the_status_opens(world: PushWorld) -> None:
    await issued(world, "A")
    await world.ledger.accepted("M1", A=4)
    await world.ledger.suspend("A")
    (push,) = await world.owed()
    body = json.loads(push.body)
    assert body["OldVerdict"] == {"status": "Valid", "ruleTable": "dues-export.v1", "procedure": EXPORT}
    assert body["NewVerdict"] == {"status": "Suspended", "ruleTable": "dues-export.v1", "procedure": []}
    assert (body["changeNumber"], body["pushNumber"], body["licenceVersion"], body["journalVersion"]) == (2, 1, 2, 3)
    assert body["CertificateReference"] == {"issuingCountry": "BE", "type": "X060", "referenceNumber": "A"}
    assert (body["validityStartDate"], body["validityEndDate"]) == ("2026-01-01", "2026-12-31")
    assert (body["messageSender"], body["messageRecipient"], body["messageType"]) == (
        "CERTEX-BRIDGE",
        "NSW.BE",
        "CBSTCH",
    )
    assert (push.subject, push.content_type) == ("BE/A", "application/json")


async def test_xml_says_the_same(world: PushWorld) -> None:
    await world.ledger.issue(licence("A", "10 NAR"))
    await world.subscribe(subscription(form=Form.XML))
    await world.ledger.lodged("M1", A=4)
    await world.ledger.suspend("A")
    (push,) = await world.owed()
    text = push.body.decode()
    assert push.content_type == "application/xml"
    assert '<StatusChangeNotification xmlns="urn:certex-bridge:status-change:1">' in text
    assert "<OldVerdict><status>Valid</status><ruleTable>dues-export.v1</ruleTable><procedure>10</procedure>" in text
    assert f"<Declaration><LRN>{lrn_of('M1')}</LRN>" in text
    assert "<atRisk>0</atRisk>" in text


async def test_each_step_of_one_transaction_is_told(world: PushWorld) -> None:
    await issued(world, "A")
    await world.ledger.accepted("M1", A=4)
    ledger, steps = world.ledger, []
    for kind, status in ((LicenceEventKind.SUSPENDED, "SUSPENDED"), (LicenceEventKind.RESUMED, "VALID")):
        snapshot = ledger.next_version("A", status=AuthorityStatus[status])
        steps.append(ledger.licence_event(snapshot, kind))
    await ledger.tell(*steps)
    assert [one.split(",")[0] for one in await world.told()] == [
        "1: BE/A Valid->Suspended SUSPENDED", "2: BE/A Suspended->Valid RESUMED",
    ]  # fmt: skip
    assert await ledger.notifications("A") == []  # the topic tells what a transaction ends with


async def test_a_shorter_validity_is_told_although_the_status_stays(world: PushWorld) -> None:
    await issued(world, "A")
    await world.ledger.accepted("M1", A=4, on="2026-03-01")
    await world.ledger.modify("A", valid_to=date(2026, 2, 1))
    assert await world.told() == [
        f"1: BE/A Valid->Valid VALIDITY_SHORTENED, {M1} RESERVED at risk not valid at acceptance"
    ]


async def test_many_declarations_make_several_pushes(world: PushWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fan_out, "DECLARATIONS_MAX", 2)
    await issued(world, "A")
    for name in ("M1", "M2", "M3"):
        await world.ledger.accepted(name, A=1)
    await world.ledger.suspend("A")
    bodies = [json.loads(push.body) for push in await world.owed()]
    assert [len(body["Declaration"]) for body in bodies] == [2, 1]
    assert [(body["changeNumber"], body["pushNumber"]) for body in bodies] == [(2, 1), (2, 2)]


# -- who is told


async def test_interest_is_a_waiting_claim_or_a_check(world: PushWorld) -> None:
    await issued(world, "A", "B", "C", "D")
    await world.ledger.accepted("M1", A=1)
    await world.checked("BE/B", "NSW.BE", M2)
    await world.checked("BE/C", "NSW.DE", M2)
    await world.checked("BE/D", "NSW.BE", M2, days_ago=31)
    for name in "ABCD":
        await world.ledger.suspend(name)
    assert [one.split()[1] for one in await world.told()] == ["BE/A", "BE/B"]


async def test_an_unknown_licence_that_comes_is_told_to_who_waits(world: PushWorld) -> None:
    await issued(world)
    await world.ledger.accepted("M1", A=4)
    await world.ledger.issue(licence("A", "10 NAR"))
    assert await world.told() == [f"1: BE/A Unknown->Valid VERSION, {M1} WAITING valid at acceptance"]


async def test_nobody_reads_the_declarations_of_another_state(world: PushWorld) -> None:
    await issued(world, "A")
    german = subscription("NSW.DE", member_state="DE")
    all_of_it = subscription("DE.ALL", Scope.ALL, member_state="DE")
    authority = subscription("BE.LIC", Scope.ISSUER, issuer="BE", declarations_shown=False)
    await world.subscribe(german, all_of_it, authority)
    await world.ledger.accepted("M1", A=4)
    await world.ledger.suspend("A")
    assert await world.told("NSW.DE") == []
    assert await world.told("DE.ALL") == await world.told("BE.LIC") == ["1: BE/A Valid->Suspended SUSPENDED"]


async def test_scopes_name_licences(world: PushWorld) -> None:
    await world.ledger.issue(licence("A", "10 NAR"), licence("DE/A", "10 NAR", issuer="DE"))
    await world.subscribe(
        subscription("ONE", Scope.LICENCE, licence_id="BE/A"),
        subscription("ISSUER", Scope.ISSUER, issuer="DE"),
        subscription("ALL", Scope.ALL),
    )
    await world.ledger.suspend("A")
    await world.ledger.suspend("DE/A")
    assert [one.split()[1] for one in await world.told("ONE")] == ["BE/A"]
    assert [one.split()[1] for one in await world.told("ISSUER")] == ["DE/A"]
    assert [one.split()[1] for one in await world.told("ALL")] == ["BE/A", "DE/A"]


async def test_a_bar_is_told_to_who_waits_for_that_exporter_only(world: PushWorld) -> None:
    general = licence("G", type=LicenceType.EU001, document_code="X061")
    await world.ledger.issue(general)
    await world.subscribe(subscription(), subscription("ALL", Scope.ALL, member_state="DE"))
    await world.ledger.accepted("M1", item(cite("G", "1 NAR", code="X061", line=None)))
    bar = ExporterBar("BE", HOLDER, ("X061",), date(2026, 1, 1))
    await world.ledger.tell(world.ledger.authority.event(None, LicenceEventKind.EXPORTER_BARRED, bar=bar))
    (told,) = await world.told()
    assert told.startswith(f"1: BE/G Valid->Valid EXPORTER_BARRED, {M1}")
    assert await world.told("ALL") == []


async def test_without_subscribers_the_queue_empties_all_the_same(world: PushWorld) -> None:
    await world.ledger.issue(licence("A", "10 NAR"))
    assert await world.fan_out.hand_out_all() == 0
    assert not await world.pushes.waiting()
