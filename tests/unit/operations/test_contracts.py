"""Generated files are fresh, cover every topic, and describe what the bridge really reads and writes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.versions import LicenceDecision, Verdict
from certex_bridge.ledger.ports import Origin, QuarantineRow
from certex_bridge.licensing.domain.commands import LicenceCommand, LicenceEventKind
from certex_bridge.operations import asyncapi, contracts
from certex_bridge.operations.composition import TOPIC_OF, decoders_of
from certex_bridge.operations.contract_models import MESSAGES, AcknowledgementBody, DeadLetterBody
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.kafka_topics import TopicCatalogue
from certex_bridge.platform.resources import contract_path
from certex_bridge.platform.settings import Settings
from certex_bridge.singlewindow.documents import BridgeDocuments


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


def test_acknowledgement_is_as_its_contract_says() -> None:
    finding = Finding("ZERO", "lines[0].quantity.amount", "0", "must be more than zero")
    command = LicenceCommand(
        "e1", datetime(2026, 1, 1, tzinfo=UTC), LicenceEventKind.ISSUED, None, (), None, (finding,), "00", "BE/1", 1
    )
    body = BridgeDocuments("A", "B").acknowledgement(command, LicenceDecision(Verdict.REFUSED, [finding]))
    assert AcknowledgementBody.model_validate_json(body).findings[0].code == "ZERO"


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


def test_dead_letter_is_as_its_contract_says() -> None:
    row = QuarantineRow("q", Origin("t", 0, 1), "JSON_SYNTAX", "", "", "no", "", None, b"{", (("a", b"b"),))
    body = BridgeDocuments("A", "B").dead_letter(row)
    assert DeadLetterBody.model_validate_json(body).rawBytes == 1


@pytest.mark.parametrize("topic", ["licensing.licences.v1", "customs.declarations.v1"])
def test_golden_examples_fit_the_models_the_schemas_are_made_from(topic: str, project_root: Path) -> None:
    models = {one.ce_type: one.models[0] for one in MESSAGES[topic]}
    folder = project_root / "contracts" / "examples" / MESSAGES[topic][0].examples
    examples = [file for file in sorted(folder.glob("*.json")) if not file.name.startswith("every-")]
    assert examples
    for file in examples:
        event = json.loads(file.read_text("utf-8"))
        models[event["type"]].model_validate_json(json.dumps(event["data"]))


def test_schemas_name_their_dialect_and_themselves() -> None:
    for contracts_of_topic in MESSAGES.values():
        for one in contracts_of_topic:
            if one.models:
                schema = one.json_schema()
                assert schema["$schema"].endswith("2020-12/schema")
                assert schema["$id"] == f"urn:certex-bridge:events:{one.name}:1"
