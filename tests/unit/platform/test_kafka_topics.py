"""contracts/topics.yaml: complete, and what the broker is told about each topic."""

from __future__ import annotations

import pytest

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.platform.kafka_topics import DAY_MS, TopicCatalogue

CATALOGUE = TopicCatalogue.load()


def test_every_topic_is_described() -> None:
    assert len(CATALOGUE.names()) == 12
    assert CATALOGUE.names("in") == ["licensing.licences.v1", "customs.declarations.v1", "customs.messages.v1"]
    for spec in CATALOGUE:
        assert spec.description.endswith(".")
        assert spec.name.rsplit(".", 1)[1].startswith("v")
        assert spec.key
        assert spec.direction in {"in", "out"}
        ours = spec.direction == "out" and spec.name != "certex.seals.v1"  # whoever audits us owns that one
        assert (spec.owner == "certex-bridge") is ours
        assert (spec.cleanup == "compact") == (spec.retention_days == 0)
        assert 1 < spec.min_in_sync_replicas < spec.replication


def test_what_the_broker_is_told() -> None:
    licences = CATALOGUE["licensing.licences.v1"].configuration(3)
    assert licences["retention.ms"] == str(90 * DAY_MS)
    assert licences["min.insync.replicas"] == "2"
    balances = CATALOGUE["licensing.balances.v1"].configuration(1)
    assert (balances["cleanup.policy"], balances["min.insync.replicas"]) == ("compact", "1")
    assert "retention.ms" not in balances


def test_an_unknown_topic_and_a_wrong_file_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"no\.such"):
        CATALOGUE["no.such"]
    for text in ("defaults: {}\ntopics: [{name: a}]", "defaults: {}\ntopics: [{nam: a}]"):
        with pytest.raises(ConfigurationError, match=r"topics\.yaml"):
            TopicCatalogue.parse(text)
