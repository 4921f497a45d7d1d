"""The outcome document: the same bytes every time, valid by two schema processors, and nothing lost on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import xmlschema
from lxml import etree
from xmlschema.validators import XsdAtomicRestriction

from certex_bridge.ledger.domain.model import NOTHING, Figures
from certex_bridge.ledger.domain.outcome import DeclarationOutcome
from certex_bridge.ledger.domain.reasons import SENTENCES, Incident, Outcome, Reason, Rule
from certex_bridge.platform.resources import schema_path
from certex_bridge.platform.xsd import DocumentInvalid
from certex_bridge.singlewindow.outcome_document import FAMILY, MESSAGE_TYPE, NAMESPACE, VERSION, render_outcomes
from tests.unit.singlewindow.samples import EVERY_RULE, LICENCE, MADE_AT, MRN, SCENES, claim, content, outcome, render

if TYPE_CHECKING:
    from lxml.etree import _Element

ENUMERATED = {
    "OutcomeType": {code.value for code in Outcome},
    "RuleType": {rule.value for rule in Rule},
    "IncidentType": {incident.value for incident in Incident},
}


@cache
def second_schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(schema_path("xsd", FAMILY, VERSION)))


def root(document: bytes) -> _Element:
    return etree.fromstring(document)


def find(node: _Element, path: str) -> str | None:
    """Text of the first element at a path of local names; None when it is not there."""
    return node.findtext("/".join(f"{{{NAMESPACE}}}{name}" for name in path.split("/")))


def all_(node: _Element, name: str) -> list[_Element]:
    return node.findall(f"{{{NAMESPACE}}}{name}")


def figures(result: _Element, word: str) -> Figures:
    """The figures of one kind as read back; what is left out is zero."""
    return Figures(Decimal(find(result, f"quantity{word}") or 0), Decimal(find(result, f"amount{word}") or 0))


@pytest.mark.row("E169")
@pytest.mark.parametrize("name", SCENES)
def test_each_scene_gives_the_same_bytes_again(name: str) -> None:
    assert render(SCENES[name]) == render(SCENES[name])


@pytest.mark.row("E170")
@pytest.mark.parametrize("name", SCENES)
def test_a_second_schema_processor_agrees(name: str) -> None:
    assert second_schema().is_valid(etree.fromstring(render(SCENES[name])))


def test_the_scenes_show_every_outcome_code_and_declaration_state() -> None:
    shown = {made.outcome for scene in SCENES.values() for made in scene.claims}
    assert shown == ENUMERATED["OutcomeType"]
    states = {"LODGED", "ACCEPTED", "RELEASED", "NOT_RELEASED", "INVALIDATED", "REJECTED", "NOT_PRESENTED"}
    assert {scene.state for scene in SCENES.values()} == states


@pytest.mark.parametrize("name", ENUMERATED)
def test_the_schema_knows_exactly_the_codes_of_the_domain(name: str) -> None:
    declared = second_schema().types[name]
    assert isinstance(declared, XsdAtomicRestriction)
    assert set(declared.enumeration or ()) == ENUMERATED[name]


@pytest.mark.row("E170")
@pytest.mark.parametrize("name", SCENES)
def test_reading_a_document_gives_back_what_went_in(name: str) -> None:
    scene = SCENES[name]
    document = root(render(scene))
    assert find(document, "DeclarationReference/MRN") == (scene.mrn or None)
    assert find(document, "DeclarationReference/LRN") == (scene.lrn or None)
    assert find(document, "declarationState") == scene.state
    assert find(document, "outcomeVersion") == str(scene.dv)
    results = all_(document, "ClaimResult")
    for result, given in zip(results, scene.claims, strict=True):
        assert figures(result, "Requested") == given.requested
        assert figures(result, "Reserved") == given.reserved
        assert figures(result, "Consumed") == given.consumed
        assert figures(result, "Uncovered") == given.uncovered
        assert find(result, "outcome") == given.outcome
        assert find(result, "state") == given.state
        assert (find(result, "rulesPassed") or "").split() == list(given.passed)
        assert (find(result, "incidents") or "").split() == list(given.incidents)
        assert find(result, "licenceIdentification") == given.key.licence_id
        said = [find(verdict, "code") for verdict in all_(result, "Verdict")]
        assert (find(result, "rulesNotTested") or "").split() == list(given.not_tested)
        for reason in (*given.reasons, *given.notes):
            assert reason.code in said


def test_the_order_of_claims_does_not_depend_on_the_order_given() -> None:
    claims = [claim(item) for item in (1, 2, 3)]
    assert render(outcome(*claims)) == render(outcome(*reversed(claims)))


def test_several_documents_are_the_single_ones_in_order() -> None:
    scenes = list(SCENES.values())
    together = render_outcomes(scenes, content, sender="CERTEX.BRIDGE", recipient="NSW.BE", prepared_at=MADE_AT)
    assert together == [render(scene) for scene in scenes]


def test_the_header_has_the_six_fields() -> None:
    document = root(render(outcome()))
    names = [etree.QName(child).localname for child in list(document)[:6]]
    header = ["messageSender", "messageRecipient", "preparationDateAndTime", "messageIdentification"]
    assert names == [*header, "messageType", "correlationIdentifier"]
    values = [find(document, name) for name in names]
    assert values[:4] == ["CERTEX.BRIDGE", "NSW.BE", "2026-12-01T08:00:02", f"{MRN}:1"]
    assert find(document, "eventDateAndTime") == "2026-03-01T09:00:00"
    assert values[4:] == [MESSAGE_TYPE, "0198c6d2111170008000000000000001"]


def test_the_time_is_utc_without_zone_whatever_zone_was_given() -> None:
    eastern = timezone(timedelta(hours=2))
    given = outcome(occurred_at=datetime(2026, 3, 1, 11, 0, 0, 999_999, tzinfo=eastern))
    assert render(given) == render(outcome())


def test_what_cannot_be_an_identifier_of_35_characters_becomes_a_hash() -> None:
    draft = "BE0123456789ABCDE/" + "L" * 22
    first = find(root(render(outcome(decl_id=draft, event_id="é"))), "messageIdentification")
    second = find(root(render(outcome(decl_id=draft, event_id="è", dv=2))), "messageIdentification")
    assert first
    assert second
    assert len(first) == len(second) == 35
    assert first != second


def test_zero_is_left_out_but_a_told_availability_of_zero_is_said() -> None:
    result = all_(root(render(SCENES["reserved-to-the-last"])), "ClaimResult")[0]
    assert find(result, "quantityConsumed") is None
    assert find(result, "quantityAvailable") == "0"
    hidden = all_(root(render(SCENES["reserved-balance-hidden"])), "ClaimResult")[0]
    assert find(hidden, "quantityAvailable") is None
    assert find(hidden, "amountAvailable") is None


@pytest.mark.parametrize("code", Outcome)
def test_licence_content_is_told_on_success_only(code: Outcome) -> None:
    result = all_(root(render(outcome(claim(outcome=code.value)))), "ClaimResult")[0]
    told = find(result, "LicenceContent/referenceNumber")
    assert told == (LICENCE.number if code.value.startswith("OK_") else None)


def test_success_for_a_licence_without_content_is_still_an_answer() -> None:
    result = all_(root(render(outcome(claim(outcome="OK_NOT_MANAGED", licence=None)))), "ClaimResult")[0]
    assert not all_(result, "LicenceContent")


def test_verdicts_say_rule_severity_figures_and_sentence() -> None:
    document = root(render(SCENES["refused"]))
    first, second = all_(document, "ClaimResult")
    told = [[child.text for child in verdict] for verdict in all_(first, "Verdict")]
    exceeded = ["AVAILABILITY", "ERROR", "VALUE_EXCEEDED", "amount", "30000.01 EUR", "30000 EUR"]
    elsewhere = ["DESTINATION", "WARNING", "DESTINATION_MISMATCH", "destination", "JP", "KR"]
    assert told == [[*exceeded, SENTENCES["VALUE_EXCEEDED"]], [*elsewhere, SENTENCES["DESTINATION_MISMATCH"]]]
    group = all_(second, "Verdict")[0]
    assert find(group, "rule") is None
    assert find(group, "code") == "GROUP_REFUSED"
    assert find(all_(document, "Finding")[0], "severity") == "WARNING"


@pytest.mark.parametrize("code", [*SENTENCES, "LEXICAL"])
def test_every_reason_has_its_sentence(code: str) -> None:
    reason = Reason(code, "quantity", "x", "y")
    given = claim(outcome="REFUSED", state="REFUSED", failed=((Rule.FIGURES, reason),), reasons=(reason,))
    result = all_(root(render(outcome(given))), "ClaimResult")[0]
    verdicts = all_(result, "Verdict")
    assert len(verdicts) == 1
    assert find(verdicts[0], "text") == reason.sentence


@pytest.mark.parametrize("code", [code for code in Outcome if code.startswith("OK_") or code is Outcome.CLOSED])
def test_nothing_is_an_error_on_a_positive_outcome(code: Outcome) -> None:
    suspended = (Rule.STATUS, Reason("STATUS_SUSPENDED", "status", "", "Suspended"))
    note = Reason("INVALIDATED", "declaration")
    given = claim(outcome=code.value, failed=(suspended,), reasons=(note,), notes=(note,), not_tested=(Rule.ORIGIN,))
    result = all_(root(render(outcome(given))), "ClaimResult")[0]
    told = [(find(one, "severity"), find(one, "code")) for one in all_(result, "Verdict")]
    assert told == [("WARNING", "STATUS_SUSPENDED"), ("INFO", "INVALIDATED"), ("INFO", "INVALIDATED")]
    assert find(result, "rulesNotTested") == "ORIGIN"


def test_what_led_to_the_answer_is_named_when_it_is_not_what_is_answered() -> None:
    document = root(render(outcome(cause_id="licensing-4")))
    assert find(document, "causeIdentification") == "licensing-4"
    assert find(root(render(outcome())), "causeIdentification") is None


def test_nothing_of_a_person_beyond_names_and_numbers_leaves() -> None:
    names = {etree.QName(node).localname.lower() for scene in SCENES.values() for node in root(render(scene)).iter()}
    assert not {name for name in names if any(word in name for word in ("phone", "fax", "mail", "contact"))}


BROKEN: dict[str, DeclarationOutcome] = {
    "unknown outcome": outcome(claim(outcome="OK_MAYBE")),
    "unknown state": outcome(state="PAUSED"),
    "seven decimals": outcome(claim(reserved=Figures(Decimal("0.0000001")))),
    "negative": outcome(claim(reserved=Figures(Decimal(-1)))),
    "unit of two letters": outcome(claim(unit="KG")),
    "version below one": outcome(dv=-1),
    "unknown status": outcome(claim(licence_status="Sleeping")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_does_not_fit_the_schema_never_leaves(name: str) -> None:
    with pytest.raises(DocumentInvalid):
        render(BROKEN[name])


def test_figures_of_22_digits_pass() -> None:
    large = Figures(Decimal("9999999999999999.999999"), Decimal("99999999999999999999.99"))
    result = all_(root(render(outcome(claim(requested=large)))), "ClaimResult")[0]
    assert figures(result, "Requested") == large


OPTIONAL: dict[str, dict[str, Any]] = {
    "no unit but a figure": {"unit": ""},
    "no figures at all": {"unit": "", "currency": "", "requested": NOTHING, "reserved": NOTHING},
    "no document code": {"document_code": "", "reference": ""},
    "nothing tested": {"passed": ()},
    "everything passed": {"passed": EVERY_RULE},
}


@pytest.mark.parametrize("name", OPTIONAL)
def test_every_optional_part_can_be_missing(name: str) -> None:
    assert render(outcome(replace(claim(), **OPTIONAL[name])))


def test_a_message_without_claims_is_an_answer_too() -> None:
    made = replace(outcome(), claims=(), exporter="", lrn="", payload_version=0, event_kind="")
    assert not all_(root(render(made)), "ClaimResult")
