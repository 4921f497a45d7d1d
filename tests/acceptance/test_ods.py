"""Ozone-depleting substances, the second live certificate type: Annex I Part A, section 3, second set, at work.

The licence is the published example, read from the wire; the ledger judges by the profile and the table.
"""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from lxml import etree

from certex_bridge.customs.decode import decode_declaration_event
from certex_bridge.customs.options import DecodeOptions
from certex_bridge.kernel.errors import Severity
from certex_bridge.kernel.identifiers import mrn_check_digit
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.domain.model import LicenceState, Status
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.tables import verdict_of
from certex_bridge.licensing.certificate import NAMESPACE, render_certificate
from certex_bridge.licensing.decode import LicensingOptions, decode_licence_event
from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.licensing.domain.licence import Licence
from certex_bridge.operations.policies import types_of
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.resources import contract_path
from certex_bridge.platform.settings import Settings
from certex_bridge.singlewindow.rules.profiles import certificate_types
from tests.support.ledger_words import Goods, cite, item, licence, mrn_of
from tests.support.scenario import Scenario

TYPES = certificate_types()
STRUCTURED = (("content-type", b"application/cloudevents+json"),)
MANAGED = ("1000", "1100", "2100", "2200", "2300", "3151")
LATER = date(2027, 1, 1)
AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def example(folder: str, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((contract_path("examples", folder) / f"{name}.json").read_bytes())
    return document


def envelope(document: dict[str, Any], topic: str) -> Envelope:
    return Envelope(topic, 0, 0, None, json.dumps(document, separators=(",", ":")).encode(), STRUCTURED)


def ozone_licence() -> Licence:
    """The example, as its event is read."""
    event = envelope(example("licences", "ods-export"), "licensing.licences.v1")
    command = decode_licence_event(event, LicensingOptions(types=TYPES))
    assert not [finding for finding in command.findings if finding.severity is Severity.ERROR]
    assert command.licence is not None
    return command.licence


OZONE = ozone_licence()
NAME = f"EU/{OZONE.number}"


@pytest.fixture
async def s() -> AsyncIterator[Scenario]:
    """A ledger with the licence of 1,200 kg and a dual-use one."""
    scenario = Scenario(InMemoryStore(), Policy(types=TYPES))
    await scenario.issue(OZONE, licence("A", "100 NAR"))
    yield scenario
    await scenario.finish()


def halon(kilograms: object, procedure: str = "1000", code: str = "E013") -> Goods:
    cited = cite(NAME, f"{kilograms} KGM", code=code)
    return item(cited, about={"procedure": procedure, "commodity": "29037620", "destination": "US"})


# -- the event and the certificate


def test_the_event_is_accepted_and_derives_its_document_code() -> None:
    document = example("licences", "ods-export")
    del document["data"]["documentCode"]
    command = decode_licence_event(envelope(document, "licensing.licences.v1"), LicensingOptions(types=TYPES))
    assert command.licence == OZONE
    assert (OZONE.type, OZONE.document_code, OZONE.issuer) == ("ODS", "E013", "EU")


def test_it_is_live_without_a_setting_and_further_codes_are_one() -> None:
    assert "E013" in types_of(Settings()).claim_codes
    types = types_of(Settings(further_document_codes={"ODS": ("9ODS",)}))
    assert types.meanings["9ODS"] == ("ODS",)
    assert "9ODS" in types.document_only_codes


def test_it_is_refused_where_it_is_not_live() -> None:
    event = envelope(example("licences", "ods-export"), "licensing.licences.v1")
    command = decode_licence_event(event, LicensingOptions(types=certificate_types({"DUES"})))
    assert command.licence is None
    assert ("ENUM", "type", "ODS") in [(finding.code, finding.field, finding.value) for finding in command.findings]


WORDS = {
    "Valid": "Valid",
    "Cancelled": "Not valid",
    "Exhausted": "Closed",
    "Expired": "Expired",
    "Suspended": "Suspended",
    "Revoked": "Not valid",
}


@pytest.mark.parametrize(("status", "word"), WORDS.items())
def test_the_certificate_in_every_status(status: str, word: str) -> None:
    document = etree.fromstring(render_certificate(OZONE, status, (), prepared_at=AT, event_id="e", types=TYPES))
    names = {"c": NAMESPACE}
    told = document.xpath("c:status/text() | c:statusInTable/text()", namespaces=names)
    assert told == [status] + ([word] if word != status else [])
    opened = document.xpath("c:AcceptedProcedure/c:code/text()", namespaces=names)
    assert opened == (["10", "11", "21", "22", "23", "31"] if status == "Valid" else [])


# -- the table


@pytest.mark.parametrize("procedure", MANAGED)
@pytest.mark.parametrize(("status", "word"), WORDS.items())
def test_every_cell_of_the_table(procedure: str, status: str, word: str) -> None:
    day = LATER if status == "Expired" else date(2026, 3, 1)
    for held in (False, True):
        verdict = verdict_of(
            TYPES, OZONE, Status(status), procedure=procedure, declaration_type="EX", day=day, reserved_while_valid=held
        )
        assert (verdict.applicable, verdict.quantity_management, verdict.status) == (True, True, word)
        assert verdict.allowed == (status == "Valid" or (status == "Expired" and held))
        assert verdict.rule.startswith("ods-export.v1/")


def test_before_its_first_day_the_licence_is_only_issued() -> None:
    day = date(2026, 1, 14)
    verdict = verdict_of(TYPES, OZONE, Status.VALID, procedure="1000", declaration_type="EX", day=day)
    assert (verdict.status, verdict.allowed, verdict.rule) == ("Issued", False, "ods-export.v1/2")


# -- claims


@pytest.mark.parametrize("procedure", MANAGED)
async def test_quantities_are_managed_under_the_six_export_procedures(s: Scenario, procedure: str) -> None:
    await s.accepted("M1", halon(200, procedure))
    assert (await s.verdict("M1"), await s.balance(NAME)) == ("OK_RESERVED", "200/0/1000")
    await s.released("M1")
    assert await s.balance(NAME) == "0/200/1000"


@pytest.mark.parametrize(("procedure", "kind"), [("4000", "IM"), ("7100", "IM"), ("", "T1"), ("", "TIR")])
async def test_other_procedures_are_not_applicable(s: Scenario, procedure: str, kind: str) -> None:
    await s.accepted("M1", halon(1, procedure), about={"declaration_type": kind})
    assert await s.verdict("M1") == "OK_NOT_APPLICABLE"


async def test_never_more_than_there_is(s: Scenario) -> None:
    await s.accepted("M1", halon("1200.000001"))
    await s.accepted("M2", halon(1200))
    assert await s.verdict("M1") == "REFUSED QUANTITY_EXCEEDED"
    assert (await s.verdict("M2"), await s.balance(NAME)) == ("OK_RESERVED", "1200/0/0")


async def test_each_type_has_its_own_code(s: Scenario) -> None:
    await s.accepted("M1", halon(1, code="X060"), item(cite("A", 1, code="E013")))
    await s.accepted("M2", halon(1), item(A=1))
    assert await s.verdict("M1") == "REFUSED TYPE_MISMATCH, REFUSED TYPE_MISMATCH"
    assert await s.verdict("M2") == "OK_RESERVED, OK_RESERVED"


@pytest.mark.parametrize(("act", "code"), [("suspend", "SUSPENDED"), ("revoke", "REVOKED"), ("annul", "CANCELLED")])
async def test_a_blocked_licence_reserves_nothing(s: Scenario, act: str, code: str) -> None:
    await getattr(s, act)(NAME)
    await s.accepted("M1", halon(1))
    assert await s.verdict("M1") == f"REFUSED STATUS_{code}"


# -- expired: what was reserved while Valid goes on


async def test_an_expired_licence_is_consumed_and_adjusted_by_who_reserved_while_it_was_valid(s: Scenario) -> None:
    await s.accepted("M1", halon(200), on="2026-12-30")
    await s.validity_passed(NAME)
    assert await s.certificates(NAME) == ["Valid", "Expired"]
    await s.amended("M1", halon(300))
    assert (await s.verdict("M1"), await s.balance(NAME)) == ("OK_ADJUSTED", "300/0/900")
    await s.released("M1", at="2027-01-05T10:00:00")
    assert (await s.verdict("M1"), await s.balance(NAME)) == ("OK_CONSUMED", "0/300/900")
    await s.amended("M1", halon(350), at="2027-02-01T10:00:00")
    assert (await s.verdict("M1"), await s.balance(NAME)) == ("OK_ADJUSTED", "0/350/850")


async def test_an_expired_licence_reserves_nothing_new(s: Scenario) -> None:
    await s.validity_passed(NAME)
    await s.accepted("M1", halon(200), on="2027-01-02")
    assert (await s.verdict("M1"), await s.balance(NAME)) == ("REFUSED EXPIRED_AT_ACCEPTANCE", "0/0/1200")


async def test_a_shorter_validity_leaves_a_reservation_where_dual_use_has_it_at_risk(s: Scenario) -> None:
    await s.accepted("M1", halon(200), item(A=5))
    for one in (OZONE, licence("A", "100 NAR")):
        await s.tell(s.licence_event(replace(one, version=2, valid_to=date(2026, 2, 1)), LicenceEventKind.MODIFIED))
    await s.amended("M1", halon(250), item(A=6))
    assert await s.verdict("M1") == "OK_ADJUSTED, REFUSED EXPIRED_AT_ACCEPTANCE"
    ozone, dual_use = (await s.messages("outcome", mrn_of("M1")))[-1]["claims"]
    assert (ozone["at_risk"], dual_use["at_risk"]) == (False, True)


# -- where customs cite it


def cited(change: dict[str, Any]) -> list[str]:
    """The licences that the golden acceptance claims with other documents on its first item."""
    document = copy.deepcopy(example("declarations", "accepted"))
    document["data"]["declaration"]["items"] = [document["data"]["declaration"]["items"][0] | change]
    command = decode_declaration_event(envelope(document, "customs.declarations.v1"), DecodeOptions(types=TYPES))
    assert command.facts.payload is not None
    remarks = [finding.code for finding in command.findings if finding.code == "LICENCE_NOT_CLAIMED"]
    return [claim.licence_id for claim in command.facts.payload.items[0].claims] + remarks


def test_a_supporting_document_cites_a_licence_of_the_commission() -> None:
    document = {"seq": 1, "type": "E013", "reference": OZONE.number}
    assert cited({"documents": [document]}) == [NAME]


def test_an_additional_reference_is_no_claim_and_is_remarked() -> None:
    reference = {"seq": 1, "type": "E013", "reference": OZONE.number}
    assert cited({"documents": [], "references": [reference]}) == ["LICENCE_NOT_CLAIMED"]


async def test_a_declaration_that_came_first_waits(s: Scenario) -> None:
    later = replace(OZONE, number="ODS-EXP-2026-000418")
    await s.accepted("M1", item(cite("EU/ODS-EXP-2026-000418", "1 KGM", code="E013")))
    assert await s.verdict("M1") == "WAITING NOT_FOUND"
    await s.issue(later)
    await s.wake()
    assert (await s.verdict("M1")).startswith("OK_RESERVED")


def test_status_pushes_put_no_reservation_at_risk_that_goes_on() -> None:
    assert TYPES.cited("E013").keeps
    assert not TYPES.cited("X060").keeps
    assert LicenceState(NAME, 1, OZONE).derived_status() is Status.VALID


@pytest.mark.parametrize(
    ("mrn", "claims"), [("26GB0000000000001", 0), ("26XI0000000000001", 1), ("26DE0000000000001", 1)]
)
def test_the_commissions_licence_is_cited_where_its_regulation_applies(mrn: str, claims: int) -> None:
    document = example("declarations", "accepted")
    number = mrn + mrn_check_digit(mrn)
    document["data"] |= {"mrn": number}
    document["data"]["declaration"]["items"] = document["data"]["declaration"]["items"][:1]
    only = document["data"]["declaration"]["items"][0]
    only["documents"] = [{"seq": 1, "type": "E013", "reference": OZONE.number}]
    only["references"] = []
    command = decode_declaration_event(envelope(document, "customs.declarations.v1"), DecodeOptions(types=TYPES))
    assert command.facts.payload is not None
    assert len(command.facts.payload.items[0].claims) == claims
    assert ("LICENCE_NOT_CLAIMED" in [finding.code for finding in command.findings]) is (claims == 0)
