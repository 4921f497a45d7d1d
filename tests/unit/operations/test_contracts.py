"""Generated files are fresh, cover every topic, and describe what the bridge really reads and writes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from certex_bridge.kernel.errors import Finding
from certex_bridge.ledger.domain.versions import LicenceDecision, Verdict
from certex_bridge.ledger.ports import Origin, QuarantineRow
from certex_bridge.licensing.domain.commands import LicenceCommand, LicenceEventKind
from certex_bridge.operations import asyncapi, contracts
from certex_bridge.operations.composition import TOPIC_OF, decoders_of
from certex_bridge.operations.contract_models import MESSAGES, AcknowledgementBody, DeadLetterBody
from certex_bridge.platform.kafka_topics import TopicCatalogue
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
