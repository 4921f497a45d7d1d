"""Metrics: one catalogue, complete and bounded; the reference page is fresh."""

from __future__ import annotations

import re
import timeit
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from certex_bridge.platform import metrics as module
from certex_bridge.platform.metric_catalogue import CATALOGUE
from certex_bridge.platform.metric_spec import PREFIX, MetricSpec
from certex_bridge.platform.metrics import Metrics

if TYPE_CHECKING:
    from pathlib import Path

FORBIDDEN_LABELS = {"licence", "licence_id", "mrn", "lrn", "eori", "exporter", "holder", "event_id", "key", "offset"}


def test_every_metric_is_an_attribute_and_every_attribute_a_metric() -> None:
    assert [spec.name for spec in CATALOGUE] == list(dict.fromkeys(spec.name for spec in CATALOGUE))
    assert set(Metrics.__annotations__) == {spec.name for spec in CATALOGUE}
    made = Metrics()
    for spec in CATALOGUE:
        assert (
            type(getattr(made, spec.name)).__name__.lower() == spec.kind == Metrics.__annotations__[spec.name].lower()
        )


@pytest.mark.parametrize("spec", CATALOGUE, ids=lambda spec: spec.name)
def test_names_and_labels_follow_the_rules(spec: MetricSpec) -> None:
    assert (spec.kind == "counter") == spec.name.endswith("_total")
    assert spec.help.endswith(".")
    assert spec.action.endswith(".")
    assert not FORBIDDEN_LABELS & set(spec.labels)
    assert list(spec.buckets) == sorted(set(spec.buckets))
    assert not spec.name.endswith(("_ms", "_bytes_total_seconds"))


def test_the_page_shows_our_metrics_in_both_forms() -> None:
    metrics = Metrics()
    metrics.add(metrics.events_total, Counter({("customs.declarations.v1", "taken"): 3}))
    metrics.add(metrics.events_total, {("customs.declarations.v1", "taken"): 2})
    text, content_type = metrics.exposition()
    line = PREFIX + 'events_total{outcome="taken",topic="customs.declarations.v1"} 5.0'
    assert line in text.decode()
    assert content_type.startswith("text/plain")
    text, content_type = metrics.exposition("application/openmetrics-text; version=1.0.0")
    assert text.endswith(b"# EOF\n")
    assert content_type.startswith("application/openmetrics-text")
    assert b"_created" not in text
    assert (PREFIX + "build_info{").encode() in text


def test_what_nobody_has_measured_is_absent() -> None:
    metrics = Metrics()
    assert b"ledger_imbalance" not in metrics.exposition()[0]
    metrics.measured("ledger_imbalance", 0)
    metrics.measured("ledger_imbalance", 2)
    metrics.measured("licences", 3, "Valid")
    text = metrics.exposition()[0].decode()
    assert PREFIX + "ledger_imbalance 2.0" in text
    assert PREFIX + 'licences{status="Valid"} 3.0' in text


def test_every_metric_is_written_somewhere(project_root: Path) -> None:
    own = {"metric_catalogue.py", "metrics.py"}
    services = project_root / "services"
    files = [file for kind in ("*.py", "*.sql") for file in services.rglob(kind)]
    code = "\n".join(file.read_text("utf-8") for file in files if file.name not in own)
    code += "build_info.labels("  # by the registry itself
    silent = [
        spec.name
        for spec in CATALOGUE
        if not re.search(rf"\b{spec.name}\.(labels|inc|set|observe|clear)\b|measured\(\s*\"{spec.name}\"", code)
        and not (spec.measured and re.search(rf"AS {spec.name}\b", code))
    ]
    assert not silent


def test_two_registries_do_not_meet() -> None:
    one, other = Metrics(), Metrics()
    one.deadlocks_total.inc()
    assert other.registry.get_sample_value(PREFIX + "deadlocks_total") == 0


def test_a_batch_costs_microseconds_not_milliseconds() -> None:
    metrics = Metrics()
    tally = {("customs.declarations.v1", outcome): 100 for outcome in ("taken", "duplicate", "quarantined")}

    def batch() -> None:
        metrics.add(metrics.events_total, tally)
        metrics.apply_seconds.observe(0.01)

    assert min(timeit.repeat(batch, number=100, repeat=5)) / 100 < 0.001


def test_the_reference_page_is_fresh(project_root: Path) -> None:
    page = (project_root / "docs" / "reference" / "metrics.md").read_text("utf-8")
    assert page == module.render(), "run make contracts"
