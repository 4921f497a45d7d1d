"""Generated files are fresh, cover every topic, and describe what the bridge really reads and writes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel, TypeAdapter

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.acts import content_not_taken
from certex_bridge.ledger.domain.citations import FoundBy
from certex_bridge.ledger.domain.reasons import COMPARISONS, SENTENCES, Incident, Outcome
from certex_bridge.ledger.domain.versions import LicenceDecision, Verdict
from certex_bridge.ledger.envelopes import data_schema
from certex_bridge.ledger.ports import Origin, QuarantineRow
from certex_bridge.licensing.domain.commands import LicenceCommand, LicenceEventKind
from certex_bridge.operations import asyncapi, code_catalogue, contracts, reference_pages
from certex_bridge.operations.composition import TOPIC_OF, decoders_of
from certex_bridge.operations.contract_models import MESSAGES, AcknowledgementBody, DeadLetterBody, MessageContract
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.kafka_topics import DAY_MS, TopicCatalogue
from certex_bridge.platform.resources import contract_path
from certex_bridge.platform.settings import Settings
from certex_bridge.singlewindow.documents import BridgeDocuments
from certex_bridge.singlewindow.messages import mistakes
from tests.support.code_scan import codes_of
from tests.unit.singlewindow.samples import golden


def test_generated_files_are_fresh(project_root: Path) -> None:
    assert contracts.stale(project_root) == []


def test_every_topic_has_its_messages() -> None:
    catalogue = TopicCatalogue.load()
    assert set(MESSAGES) == set(catalogue.names())
    assert set(decoders_of(Settings())) == set(catalogue.names("in"))
    assert set(TOPIC_OF.values()) == set(catalogue.names("out"))


def test_types_are_those_the_relay_writes() -> None:
    for agg_type, topic in TOPIC_OF.items():
        assert [one.ce_type for one in MESSAGES[topic]] == [f"certex.{agg_type}.v1"]


def test_asyncapi_references_lead_somewhere() -> None:
    document = asyncapi.build()
    found: list[str] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                found.append(node["$ref"])
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(document)
    assert found
    for reference in found:
        at: Any = document
        for part in reference.removeprefix("#/").split("/"):
            at = at[part]


def acknowledgement(verdict: Verdict, *findings: Finding) -> bytes:
    command = LicenceCommand(
        "e1", datetime(2026, 1, 1, tzinfo=UTC), LicenceEventKind.ISSUED, None, (), None, findings, "00", "BE/1", 1
    )
    return BridgeDocuments("A", "B").acknowledgement(command, LicenceDecision(verdict, list(findings)))


def test_an_acknowledgement_fits_a_message_however_much_is_wrong() -> None:
    told = [Finding("UNKNOWN_FIELD", f"x{number}", "", "ignored", Severity.WARNING) for number in range(5000)]
    told.append(Finding("ZERO", "lines[0].quantity.amount", "0", "must be more than zero"))
    command = LicenceCommand(
        "e1", datetime(2026, 1, 1, tzinfo=UTC), LicenceEventKind.ISSUED, None, (), None, tuple(told), "00", "BE/1", 1
    )
    body = BridgeDocuments("A", "B").acknowledgement(command, LicenceDecision(Verdict.REFUSED, told))
    answer = AcknowledgementBody.model_validate_json(body)
    assert (len(answer.findings), answer.findingsTotal) == (1000, 5001)
    assert answer.findings[0].code == "ZERO"
    body = BridgeDocuments("A", "B").acknowledgement(
        command, LicenceDecision(Verdict.ACCEPTED, [*told, content_not_taken(2)])
    )
    answer = AcknowledgementBody.model_validate_json(body)
    assert [finding.code for finding in answer.findings[:2]] == ["CONTENT_NOT_TAKEN", "ZERO"]


def test_the_limit_of_a_message_is_the_limit_of_a_certificate() -> None:
    event = json.loads((contract_path("examples", "licences") / "individual.json").read_bytes())
    line = event["data"]["lines"][0] | {"description": "&" * 512}
    event["data"]["lines"] = [line | {"line": number} for number in range(1, 50)]
    raw = json.dumps(event).encode()
    envelope = Envelope("licensing.licences.v1", 0, 0, None, raw, (("content-type", b"application/cloudevents+json"),))

    def found(limit: int) -> set[str]:
        (command,) = decoders_of(Settings(kafka_message_bytes_max=limit))["licensing.licences.v1"](envelope)
        assert isinstance(command, LicenceCommand)
        return {finding.code for finding in command.findings}

    assert "CERTIFICATE_SIZE" in found(100_000)
    assert "CERTIFICATE_SIZE" not in found(1_000_000)


ZERO = Finding("ZERO", "lines[0].quantity.amount", "0", "must be more than zero")
GAP = Finding("VERSION_GAP", "version", "4", "Versions in between never arrived.", Severity.WARNING)
UNKNOWN = Finding("LICENCE_UNKNOWN", "number", "BE/1", "The licence is not known.", Severity.WARNING)
UNREADABLE = QuarantineRow(
    "q", Origin("licensing.licences.v1", 0, 1), "JSON_SYNTAX", "", "", "no JSON", "", b"BE/1", b"{", (("ce_id", b"e1"),)
)
ANSWERS: dict[str, tuple[str, bytes, type[BaseModel]]] = {
    "accepted": ("acknowledgements", acknowledgement(Verdict.ACCEPTED, GAP), AcknowledgementBody),
    "act-taken": (
        "acknowledgements",
        acknowledgement(Verdict.ACCEPTED, content_not_taken(2), ZERO),
        AcknowledgementBody,
    ),
    "act-kept": ("acknowledgements", acknowledgement(Verdict.KEPT, UNKNOWN), AcknowledgementBody),
    "refused": ("acknowledgements", acknowledgement(Verdict.REFUSED, ZERO), AcknowledgementBody),
    "unreadable": ("deadletters", BridgeDocuments("A", "B").dead_letter(UNREADABLE), DeadLetterBody),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_acknowledgements_and_dead_letters_are_as_their_contracts_say(name: str) -> None:
    folder, body, model = ANSWERS[name]
    assert body == golden(folder, f"{name}.json", body).read_bytes()
    model.model_validate_json(body)


EXAMPLES = [
    pytest.param(one, example, id=f"{one.name}-{example['name']}")
    for contracts_of_topic in MESSAGES.values()
    for one in contracts_of_topic
    if one.models
    for example in one.load_examples()
]


@pytest.mark.parametrize(("contract", "example"), EXAMPLES)
def test_every_example_fits_the_published_schema(
    contract: MessageContract, example: dict[str, Any], project_root: Path
) -> None:
    """With another implementation of JSON Schema than the one that wrote it."""
    schema = json.loads((project_root / contracts.SCHEMAS / contract.name / "v1.json").read_text("utf-8"))
    checker = jsonschema.Draft202012Validator
    checker.check_schema(schema)
    assert [error.message for error in checker(schema).iter_errors(example["payload"])] == []


def test_every_message_the_bridge_writes_has_an_example() -> None:
    document = asyncapi.build()
    written = {one.title for name in TopicCatalogue.load().names("out") for one in MESSAGES[name]}
    assert all(document["components"]["messages"][title]["examples"] for title in written)


def test_asyncapi_says_who_owns_a_topic_how_long_it_keeps_and_how_to_get_in() -> None:
    document = asyncapi.build()
    for spec in TopicCatalogue.load():
        channel = document["channels"][spec.name]
        kept = channel["bindings"]["kafka"]["topicConfiguration"]
        assert channel["x-owner"] == spec.owner
        assert kept.get("retention.ms", 0) == spec.retention_days * DAY_MS
        assert spec.personal_data
    assert set(document["components"]["securitySchemes"]) == {"scram", "mutualTls"}
    assert all(server["security"] for server in document["servers"].values())


def test_the_schema_header_names_the_published_schema() -> None:
    for agg_type, topic in TOPIC_OF.items():
        (contract,) = MESSAGES[topic]
        expected = f"urn:certex-bridge:{contract.xsd.replace('/', ':')}"
        assert data_schema(agg_type) == (contract.json_schema()["$id"] if contract.models else expected)


@pytest.mark.parametrize("topic", ["licensing.licences.v1", "customs.declarations.v1"])
def test_golden_examples_fit_the_models_the_schemas_are_made_from(topic: str, project_root: Path) -> None:
    models = {one.ce_type: TypeAdapter(reduce(or_, one.models)) for one in MESSAGES[topic]}
    folder = project_root / "contracts" / "examples" / MESSAGES[topic][0].examples
    examples = [file for file in sorted(folder.glob("*.json")) if not file.name.startswith("every-")]
    assert examples
    for file in examples:
        event = json.loads(file.read_text("utf-8"))
        models[event["type"]].validate_json(json.dumps(event["data"]))


def test_schemas_name_their_dialect_and_themselves() -> None:
    for contracts_of_topic in MESSAGES.values():
        for one in contracts_of_topic:
            if one.models:
                schema = one.json_schema()
                assert schema["$schema"].endswith("2020-12/schema")
                assert schema["$id"] == f"urn:certex-bridge:events:{one.name}:1"


def test_every_reason_has_a_sentence_and_every_sentence_a_reason() -> None:
    """Some are put together from a rule, or read from a table."""
    emitted = codes_of("ledger", "customs", "singlewindow")
    by_name = {f"{rule}_MISMATCH" for rule in COMPARISONS}
    tables = {"PROCEDURE_NOT_ALLOWED", *(text for text in SENTENCES if text.startswith("STATUS_"))}
    declared = {"INVALID_QUANTITY", "UNKNOWN_DOC_TYPE", "INVALIDATED", "REJECTED", "NOT_PRESENTED", "NOT_RELEASED"}
    exceeded = {"QUANTITY_EXCEEDED", "VALUE_EXCEEDED", "SCALE", "UNCOVERED"}
    standing = {"ALREADY_DONE", "RECORDED", "NO_CONTENT_YET", "ONE_INSTRUMENT", "NO_CLAIMS"}
    aside = {"CONFLICTING_DUPLICATE", "DRAFT_AMBIGUOUS"}
    found_by = {how.value for how in FoundBy}
    assert set(SENTENCES) - emitted <= by_name | tables | declared | exceeded | standing | aside | found_by
    licence_events = {"VERSION_GAP", "LINE_REMOVED_WITH_USE", "CAP_BELOW_USE", "CONFLICTING_DUPLICATE"}
    licence_events |= {"CONTENT_NOT_TAKEN", "CONTENT_MISSING", "VERSION_ASSIGNED", "LICENCE_UNKNOWN"}
    licence_events.add("REDENOMINATED")
    days = {"DAY_OF_EXIT_MISSING", "DAY_OF_EXIT_LATE"}
    refused = {"INVALID_TRANSITION", "SPLIT_EXCEEDS_REMAINDER", "LICENCE_NUMBER_COLLISION"}
    refused |= {"AMENDMENT_PENDING", "AMENDMENT_UNMERGED", "DECISION_UNASKED", "DECISION_AMBIGUOUS"}
    assert codes_of("ledger/domain", "ledger/outcomes.py") - licence_events - refused - days <= set(SENTENCES)


def test_the_page_of_codes_lists_them_all() -> None:
    """What no test raises is found by make codes; here is what the sources name."""
    page = reference_pages.codes()
    sources = codes_of("customs", "licensing", "kernel", "ledger", "singlewindow/messages", "singlewindow/functions")
    for code in (*SENTENCES, *Outcome, *Incident, *sources, *(reason for _, reason in mistakes._KINDS.values())):
        assert f"`{code}`" in page, code


def test_each_code_says_what_to_do() -> None:
    """Reasons and incidents have their meaning from the sentence that is told, the others from the catalogue alone."""
    assert set(code_catalogue.REASONS) == set(SENTENCES)
    assert set(code_catalogue.INCIDENTS) == set(Incident)
    assert set(code_catalogue.OUTCOMES) == set(Outcome)
    for section in code_catalogue.sections():
        for code in section.codes:
            assert f"| `{code}` | " in reference_pages.codes().partition(f"## {section.title}")[2], code
