"""Dashboards: fresh, by the rules of Grafana's own linter, and asking only for what is told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import watch_files
from watch.boards import BOARDS
from watch.panels import SELECTION

from certex_bridge.platform.metric_catalogue import CATALOGUE
from certex_bridge.platform.metric_spec import PREFIX
from tests.ops.expressions import known, metrics_of

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "helm" / "certex-bridge" / "files" / "dashboards"
FILES = sorted(FOLDER.glob("*.json"))
UNITS = {"short", "s", "cps", "reqps", "bytes", "percentunit"}
NOT_OURS = ("slo:", "ALERTS")
"""Made by rules, over all processes: no job, no instance."""
COUNTERS = {PREFIX + spec.name for spec in CATALOGUE if spec.kind == "counter"}
HISTOGRAMS = {PREFIX + spec.name for spec in CATALOGUE if spec.kind == "histogram"}

Json = dict[str, Any]


def load(path: Path) -> Json:
    found: Json = json.loads(path.read_text("utf-8"))
    return found


def panels(document: Json) -> list[Json]:
    return [panel for panel in document["panels"] if panel["type"] != "row"]


def expressions(document: Json) -> list[str]:
    return [target["expr"] for panel in panels(document) for target in panel["targets"]]


def concrete(expression: str) -> str:
    """As Grafana would send it."""
    for name, value in (("$__rate_interval", "2m"), ("$__range", "1h"), ("$job", ".+"), ("$instance", ".+")):
        expression = expression.replace(name, value)
    return expression


def test_the_files_are_what_the_code_says() -> None:
    assert watch_files.stale() == []
    assert {path.stem for path in FILES} == {board.name for board in BOARDS}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_dashboard_has_the_linters_variables_and_is_not_edited_by_hand(path: Path) -> None:
    document = load(path)
    assert document["editable"] is False
    assert document["uid"] == f"certex-{path.stem}"
    assert document["timezone"] == "utc"
    source, job, instance = document["templating"]["list"]
    assert (source["type"], source["name"], source["label"]) == ("datasource", "datasource", "Data source")
    for variable, name, label in ((job, "job", "Job"), (instance, "instance", "Instance")):
        assert (variable["type"], variable["name"], variable["label"]) == ("query", name, label)
        assert variable["datasource"]["uid"] == "${datasource}"
        assert variable["multi"]
        assert variable["includeAll"]
        assert variable["allValue"] == ".+"
        assert variable["refresh"] == 2, "on change of the time range"
    assert {link["url"] for link in document["links"]} == {f"/d/certex-{o.stem}" for o in FILES if o != path}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_panel_says_what_it_shows_and_in_which_unit(path: Path) -> None:
    document = load(path)
    assert len({panel["title"] for panel in panels(document)}) == len(panels(document))
    for panel in panels(document):
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert 10 <= len(panel["description"]) <= 260
        assert panel["description"].endswith(".")
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}"
    text = " ".join(panel["description"] for panel in panels(document))
    for runbook in re.findall(r"\b(?:[R|r]unbooks?|and) ([A-Z][a-z]+(?:[A-Z][a-z]+)+)", text):
        assert (ROOT / "docs" / "runbooks" / f"{runbook}.md").exists(), runbook


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_panels_do_not_overlap_and_fill_their_rows(path: Path) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in load(path)["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_expressions_parse_select_and_aggregate_as_they_must(path: Path) -> None:
    for expression in expressions(load(path)):
        names = metrics_of(concrete(expression))
        assert names
        unknown = [name for name in names if not known(name)]
        assert not unknown, expression
        if not any(name.startswith(NOT_OURS) for name in names):
            assert expression.count("{") - expression.count("{{") * 2 == expression.count(SELECTION), expression
        for window in re.findall(r"\[([^\]]+)\]", expression):
            assert window in {"$__rate_interval", "$__range", "1d"}, expression
        for name in names & COUNTERS:
            assert re.search(rf"sum(?: by \([^)]*\) )?\((?:rate|increase)\({name}\b", expression), (
                f"{name}: sum of a rate, not its rate"
            )
        for name in names:
            if name.removesuffix("_bucket") in HISTOGRAMS:
                assert re.search(rf"histogram_quantile\([\d.]+, sum by \(le[^)]*\) \(rate\({name}\b", expression)


def test_every_metric_that_asks_for_action_is_on_a_dashboard() -> None:
    shown = {
        name for path in FILES for expression in expressions(load(path)) for name in metrics_of(concrete(expression))
    }
    stems = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    elsewhere = {"gateway_callers_wrong", "gateway_keys_failures_total"}  # alerts alone
    missing = {spec.name for spec in CATALOGUE if PREFIX + spec.name not in stems} - elsewhere
    assert not missing


def test_a_wrong_expression_would_be_found() -> None:
    with pytest.raises(ValueError, match="parenthesis"):
        promql_parser.parse("sum(rate(x[5m])")
