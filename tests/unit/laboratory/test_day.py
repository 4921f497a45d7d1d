"""The laboratory's day: the same seed is the same day, the bridge can read all of it, and every path is in it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date

import pytest

from certex_bridge.customs.decode import decode_declaration_event
from certex_bridge.customs.wco.profile import decode_wco
from certex_bridge.kernel.identifiers import check_mrn
from certex_bridge.laboratory.day import WAVES, Day, make_day
from certex_bridge.laboratory.licences import PROPORTIONS_2022, shares
from certex_bridge.laboratory.lives import PATHS
from certex_bridge.laboratory.messages import DECLARATIONS, LICENCES, Fate, Message
from certex_bridge.laboratory.wco import CUSTOMS_MESSAGES
from certex_bridge.ledger.domain.facts import DeclarationCommand
from certex_bridge.licensing.decode import decode_licence_event
from certex_bridge.licensing.domain.commands import LicenceCommand
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.poison import Poison

DAY = date(2026, 3, 2)


def made(seed: int = 1, licences: int = 120, declarations: int = 600) -> Day:
    return make_day(licences=licences, declarations=declarations, seed=seed, day=DAY)


@pytest.fixture(scope="module")
def day() -> Day:
    return made()


def decode(message: Message) -> LicenceCommand | DeclarationCommand:
    envelope = Envelope(message.topic, 0, 0, message.key, message.value, message.headers)
    if message.topic == CUSTOMS_MESSAGES:
        (command,) = decode_wco(envelope)
        return command
    return decode_licence_event(envelope) if message.topic == LICENCES else decode_declaration_event(envelope)


def refusal(message: Message) -> str:
    """Why the record cannot be read; empty when it can."""
    try:
        decode(message)
    except Poison as poison:
        return poison.diagnostics()
    return ""


def test_the_same_seed_is_the_same_day_byte_for_byte(day: Day) -> None:
    assert made().messages == day.messages


def test_another_seed_is_another_day(day: Day) -> None:
    assert made(seed=2).messages != day.messages


def test_every_record_decodes_unless_it_is_meant_not_to(day: Day) -> None:
    for message in day.messages:
        poison = refusal(message)
        if poison:
            assert message.fate is Fate.QUARANTINED, f"{message.label}: {poison}"
        else:
            assert message.fate is not Fate.QUARANTINED or message.label == "same id, other content"


def test_only_licences_sent_by_mistake_have_errors(day: Day) -> None:
    refused = Counter[str]()
    for message in day.messages:
        if message.topic == LICENCES and message.fate is Fate.ANSWERED:
            command = decode(message)
            assert isinstance(command, LicenceCommand)
            refused[message.label] += command.refused
    assert {label for label, number in refused.items() if number} == {"wrong schema", "many findings"}


def test_ids_are_made_from_content_and_used_once(day: Day) -> None:
    answered = [message.event_id for message in day.messages if message.fate is Fate.ANSWERED]
    assert len(answered) == len(set(answered)) == len(day.answered())
    assert all(len(event_id) == 64 for event_id in answered)


def test_repeated_records_repeat_one_that_is_answered(day: Day) -> None:
    known = {(message.event_id, message.value) for message in day.messages if message.fate is Fate.ANSWERED}
    repeated = [message for message in day.messages if message.fate is Fate.REPEATED]
    assert repeated
    assert all((message.event_id, message.value) in known for message in repeated)


def test_licences_come_in_the_proportions_of_2022() -> None:
    whole = sum(PROPORTIONS_2022.values())
    assert shares(whole, PROPORTIONS_2022) == PROPORTIONS_2022
    assert shares(400, PROPORTIONS_2022) == {"EUGEA": 269, "NGEA": 78, "INDIVIDUAL": 49, "GLOBAL": 4}


@pytest.mark.parametrize("total", [0, 1, 3, 4, 5, 16, 17, 100, 1234])
def test_shares_add_up_and_leave_nobody_out(total: int) -> None:
    counts = shares(total, PROPORTIONS_2022)
    assert sum(counts.values()) == total
    assert total < len(PROPORTIONS_2022) or min(counts.values()) >= 1


def test_every_kind_of_event_occurs(day: Day) -> None:
    kinds = {
        header.decode() for message in day.messages for name, header in message.headers if name == "ce_type" and header
    }
    customs = {"lodged", "presented", "accepted", "amended", "released", "not-released", "invalidated"}
    customs |= {"exit-confirmed", "supplementary", "rejected", "recheck"}
    assert {f"customs.declaration.{kind}.v1" for kind in customs} <= kinds
    licensing = {"issued", "modified", "suspended", "revoked", "annulled", "split", "eugea-registered"}
    assert {f"licensing.licence.{kind}.v1" for kind in licensing} <= kinds
    assert "licensing.exporter.barred.v1" in kinds


def test_foreign_messages_cite_licences_and_end_with_the_clearance(day: Day) -> None:
    messages = [message for message in day.messages if message.topic == CUSTOMS_MESSAGES]
    assert {message.label.removeprefix("declaration wco ") for message in messages} == {
        "declaration",
        "notification 01",
        "notification 09",
    }
    contents = [command.facts.payload for one in messages if isinstance(command := decode(one), DeclarationCommand)]
    assert any(item.claims for payload in contents if payload for item in payload.items)


def test_transit_and_every_export_procedure_occur(day: Day) -> None:
    told = [command.facts.payload for one in day.messages if isinstance(command := readable(one), DeclarationCommand)]
    assert "T1" in {payload.declaration_type for payload in told if payload}
    procedures = {item.procedure[:2] for payload in told if payload for item in payload.items}
    assert {"10", "21", "22", "23", "31"} <= procedures


def readable(message: Message) -> LicenceCommand | DeclarationCommand | None:
    return None if refusal(message) else decode(message)


def test_every_mrn_has_a_valid_check_digit(day: Day) -> None:
    for message in day.messages:
        if message.topic == DECLARATIONS and message.label.startswith("declaration ") and message.value:
            mrn = json.loads(message.value).get("mrn")
            assert mrn is None or check_mrn(mrn) == []


def test_declarations_have_one_to_nine_items(day: Day) -> None:
    sizes = {
        len(json.loads(message.value or b"{}")["declaration"]["items"])
        for message in day.messages
        if message.label == "declaration accepted" and b'"items"' in (message.value or b"")
    }
    assert min(sizes) == 1
    assert max(sizes) == 9


def test_records_of_one_declaration_have_one_key(day: Day) -> None:
    for message in day.messages:
        if message.label == "declaration released" and message.value:
            assert (message.key or b"").decode() == json.loads(message.value)["mrn"]


def test_waves_follow_the_day_and_hold_everything(day: Day) -> None:
    assert tuple(wave.name for wave in day.waves) == WAVES
    assert sum(day.sent().values()) == sum(day.fates().values()) == len(day.messages)
    issued = [message.label for message in day.waves[0].messages]
    assert "general use registered" in issued


def test_paths_add_up_to_nearly_a_thousand() -> None:
    assert 950 <= sum(PATHS.values()) <= 1000


@pytest.mark.parametrize(("licences", "declarations"), [(4, 16), (5, 40), (40, 16)])
def test_small_days_work_too(licences: int, declarations: int) -> None:
    for seed in range(3):
        assert made(seed, licences, declarations).messages
