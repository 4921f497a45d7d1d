"""F8, enter record (IR 2024/2145 Art. 9): stored, versioned, forwarded once, and refused with a code."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import msgspec
import pytest

from certex_bridge.singlewindow.adapters.desk import PostgresRecords
from certex_bridge.singlewindow.adapters.desk_memory import WrittenTwice
from certex_bridge.singlewindow.callers import Caller
from certex_bridge.singlewindow.events import RecordBody
from certex_bridge.singlewindow.functions.records import operations
from certex_bridge.singlewindow.records import record_key
from certex_bridge.singlewindow.refusals import Refusal
from tests.support.desk_world import AUTHORITY, CUSTOMS, FRENCH, SENDER, DeskWorld
from tests.support.ledger_words import licence, mrn_of

INFORMATION = [{"code": "END-USER", "text": "confirmed by letter"}, {"code": "SITE", "text": "hall 3"}]
ADD = {"action": "ADD", "recordIdentification": "R1", "Information": INFORMATION}
AMEND = {"action": "AMEND", "recordIdentification": "R1", "Information": INFORMATION[:1], "reason": "hall was wrong"}
DELETE = {"action": "DELETE", "recordIdentification": "R1", "reason": "entered to the wrong licence"}


async def refused(w: DeskWorld, items: dict[str, Any], who: Caller = CUSTOMS) -> tuple[str, str]:
    with pytest.raises(Refusal) as told:
        await w.enter(who, **items)
    return told.value.code, told.value.field


@pytest.mark.row("IR 9(1)")
async def test_information_is_stored_and_made_available_to_the_licensing_side(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "100 NAR"))
    given = await w.record(**ADD, MRN=mrn_of("M1"), declarationGoodsItemNumber=2)
    assert (given.record_version, given.licence_version, given.certificate_reference.type) == (1, 1, "X060")
    assert (given.message_sender, given.message_recipient, given.correlation_identifier) == (SENDER, "NSW.BE", "M1")
    (message,) = await w.queued("record")
    assert (message.agg_id, message.agg_ver, message.key) == (record_key("NSW.BE", "R1"), 1, "BE/A")
    told = RecordBody.model_validate_json(message.body)
    assert [(one.code, one.text) for one in told.information] == [tuple(one.values()) for one in INFORMATION]
    assert (told.caller, told.member_state, told.mrn, told.item, told.before) == ("NSW.BE", "BE", mrn_of("M1"), 2, ())


@pytest.mark.row("IR 9(2)")
async def test_it_is_amended_and_deleted_and_every_version_stays(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "100 NAR"))
    await w.record(**ADD)
    w.turn(hours=1)
    assert (await w.record(**AMEND)).record_version == 2
    w.turn(hours=1)
    assert (await w.record(**DELETE)).record_version == 3
    history = await w.records.history("NSW.BE", "R1")
    assert [(one.state.version, one.action, len(one.before), len(one.state.information)) for one in history] == [
        (1, "ADD", 0, 2),
        (2, "AMEND", 2, 1),
        (3, "DELETE", 1, 0),
    ]
    assert [one.at.hour for one in history] == [6, 7, 8]
    assert [one.reason for one in history] == ["", "hall was wrong", "entered to the wrong licence"]
    messages = await w.queued("record")
    assert [one.agg_ver for one in messages] == [1, 2, 3]
    assert msgspec.json.decode(messages[2].body)["information"] == []
    assert [one["code"] for one in msgspec.json.decode(messages[2].body)["before"]] == ["END-USER"]


@pytest.mark.row("IR 9(1)")
async def test_a_repeated_call_gets_its_answer_and_has_no_second_effect(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "100 NAR"))
    first = await w.enter(**ADD, messageIdentification="same")
    again = await w.enter(**ADD, messageIdentification="same")
    assert (first.repeated, again.repeated) == (False, True)
    assert again.message == first.message
    assert await refused(w, AMEND | {"messageIdentification": "same"}) == ("DUPLICATE_ID", "messageIdentification")
    assert len(await w.queued("record")) == 1


async def test_calls_at_once_of_one_identification_have_one_effect(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "100 NAR"))
    calls = [w.enter(**ADD, messageIdentification="same") for _ in range(4)]
    assert sorted(reply.repeated for reply in await asyncio.gather(*calls)) == [False, True, True, True]
    named = [w.enter(**AMEND, messageIdentification=f"other{number}") for number in range(4)]
    versions = [reply.message.record_version for reply in await asyncio.gather(*named)]  # type: ignore[union-attr]  # each of these replies is a message
    assert sorted(versions) == [2, 3, 4, 5]
    assert [one.agg_ver for one in await w.queued("record")] == [1, 2, 3, 4, 5]


NOT_ADDED: list[tuple[dict[str, Any], tuple[str, str]]] = [
    (ADD | {"CertificateReference": {"issuingCountry": "BE", "referenceNumber": "B"}}, ("NOT_FOUND", "CertificateReference/referenceNumber")),
    (ADD | {"CertificateReference": {"issuingCountry": "BE", "type": "X070", "referenceNumber": "A"}}, ("TYPE_MISMATCH", "CertificateReference/type")),
    (ADD | {"CertificateReference": {"issuingCountry": "UK", "referenceNumber": "A"}}, ("SCHEMA_INVALID", "issuingCountry")),
    (ADD | {"MRN": "26FR00000000000000"}, ("FOREIGN_MEMBER_STATE", "MRN")),
    (ADD | {"declarationGoodsItemNumber": 1}, ("SCHEMA_INVALID", "MRN")),
    (ADD | {"Information": []}, ("SCHEMA_INVALID", "Information")),
    (ADD | {"reason": "because"}, ("SCHEMA_INVALID", "reason")),
    (AMEND, ("RECORD_UNKNOWN", "recordIdentification")),
    (DELETE, ("RECORD_UNKNOWN", "recordIdentification")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("items", "expected"), NOT_ADDED, ids=[f"{e[0]}-{e[1]}-{n}" for n, (_, e) in enumerate(NOT_ADDED)]
)
async def test_what_cannot_be_entered_is_refused_without_effect(
    w: DeskWorld, items: dict[str, Any], expected: tuple[str, str]
) -> None:
    await w.story.issue(licence("A", "100 NAR"))
    assert await refused(w, items) == expected
    assert await w.queued("record") == []


NOT_CHANGED: list[tuple[dict[str, Any], tuple[str, str]]] = [
    (ADD, ("RECORD_EXISTS", "recordIdentification")),
    ({key: value for key, value in AMEND.items() if key != "reason"}, ("SCHEMA_INVALID", "reason")),
    (DELETE | {"Information": INFORMATION}, ("SCHEMA_INVALID", "Information")),
    (AMEND | {"MRN": mrn_of("M2")}, ("RECORD_MISMATCH", "MRN")),
    (AMEND | {"MRN": mrn_of("M1"), "declarationGoodsItemNumber": 9}, ("RECORD_MISMATCH", "declarationGoodsItemNumber")),
    (AMEND | {"CertificateReference": {"issuingCountry": "BE", "referenceNumber": "C"}}, ("RECORD_MISMATCH", "CertificateReference/referenceNumber")),
]  # fmt: skip


@pytest.mark.parametrize(("items", "expected"), NOT_CHANGED)
async def test_what_contradicts_the_record_is_refused(
    w: DeskWorld, items: dict[str, Any], expected: tuple[str, str]
) -> None:
    await w.story.issue(licence("A", "100 NAR"), licence("C", "1 NAR"))
    await w.record(**ADD, MRN=mrn_of("M1"), declarationGoodsItemNumber=1)
    assert await refused(w, items) == expected
    assert len(await w.queued("record")) == 1


async def test_after_its_deletion_nothing_more_can_be_done_to_a_record(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "100 NAR"))
    await w.record(**ADD)
    await w.record(**DELETE)
    for items, code in ((AMEND, "RECORD_DELETED"), (DELETE, "RECORD_DELETED"), (ADD, "RECORD_EXISTS")):
        assert await refused(w, items) == (code, "recordIdentification")


async def test_each_caller_has_records_of_its_own(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "100 NAR"))
    await w.record(**ADD)
    assert await refused(w, AMEND, FRENCH) == ("RECORD_UNKNOWN", "recordIdentification")
    assert (await w.record(FRENCH, **ADD)).record_version == 1
    assert len({one.agg_id for one in await w.queued("record")}) == 2


async def test_greece_is_found_under_both_codes(w: DeskWorld) -> None:
    await w.story.issue(licence("GR/7", "100 NAR"))
    for number, code in enumerate(("EL", "GR")):
        reference = {"issuingCountry": code, "referenceNumber": "7"}
        items = ADD | {"recordIdentification": f"R{number}", "CertificateReference": reference}
        assert (await w.record(**items)).certificate_reference.issuing_country == "GR"


async def test_a_version_is_written_once(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "100 NAR"))
    await w.record(**ADD)
    (version,), (message,) = await w.records.history("NSW.BE", "R1"), await w.queued("record")
    with pytest.raises((WrittenTwice, asyncpg.UniqueViolationError)):
        async with w.records.transaction() as unit:
            await unit.write(version, message)


async def test_versions_on_postgres_can_be_neither_changed_nor_removed(w: DeskWorld) -> None:
    if not isinstance(w.records, PostgresRecords):
        return
    await w.story.issue(licence("A", "100 NAR"))
    await w.record(**ADD)
    async with w.records.transaction() as unit:
        for statement in (
            "UPDATE record_version SET reason = 'x'",
            "DELETE FROM call_answer",
            "TRUNCATE record_version",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with unit.connection.transaction():
                    await unit.connection.execute(statement)


async def test_only_customs_enter_records(w: DeskWorld) -> None:
    (operation,) = operations(w.keeping)
    with pytest.raises(Refusal, match="needs the role"):
        AUTHORITY.require(*operation.roles)
    CUSTOMS.require(*operation.roles)
