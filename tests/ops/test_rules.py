"""Alert rules: fresh, told in words, each with a runbook, and each proved to fire and not to fire by promtool."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import promql_parser
import pytest
import watch_files
import yaml
from watch.alerts import GROUPS
from watch.rules import all_alerts
from watch.slo import SLOS

from certex_bridge.platform.metric_catalogue import CATALOGUE
from certex_bridge.platform.metric_spec import PREFIX
from tests.ops.alert_cases import CASES, Case
from tests.ops.conftest import program
from tests.ops.expressions import known, metrics_of

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "helm" / "certex-bridge" / "files" / "rules"
RUNBOOKS = ROOT / "docs" / "runbooks"
HEADINGS = ["What it means", "Who is affected", "First look", "Repair", "Escalation"]


def rule_files() -> list[Path]:
    return sorted(RULES.glob("*.yaml"))


def test_the_files_are_what_the_code_says() -> None:
    assert watch_files.stale() == []


def test_prometheus_accepts_the_rules() -> None:
    done = subprocess.run(
        [program("promtool"), "check", "rules", *map(str, rule_files())], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def file_of(alert: str) -> str:
    """The rule file an alert stands in."""
    group = next((name for name, alerts in GROUPS.items() if alert in {one.name for one in alerts}), "")
    return f"{group or next(f'slo-{slo.name}' for slo in SLOS if slo.alert == alert)}.yaml"


def _promtool(cases: list[Case]) -> dict[str, Any]:
    """One group for each case; the alert's state is read from the series ALERTS, free of the wording."""
    groups = []
    for case in cases:
        expected = [{"labels": f'{{alertname="{case.alert}", severity="{case.severity}"}}', "value": 1}]
        chosen = f'ALERTS{{alertname="{case.alert}", severity="{case.severity}", alertstate="firing"}}'
        groups.append(
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
                "promql_expr_test": [
                    {
                        "expr": f"group by (alertname, severity) ({chosen})",
                        "eval_time": case.at,
                        "exp_samples": expected if case.fires else [],
                    }
                ],
            }
        )
    return {"tests": groups}


@pytest.mark.parametrize("name", sorted({case.alert for case in CASES}))
def test_the_alert_fires_when_it_must_and_only_then(name: str, tmp_path: Path) -> None:
    cases = [case for case in CASES if case.alert == name]
    document = _promtool(cases)
    document["rule_files"] = [str(RULES / file_of(name))]  # the others would be evaluated in vain
    document["evaluation_interval"] = "5m" if any(case.at.endswith("h") for case in cases) else "1m"
    file = tmp_path / f"{name}.yaml"
    file.write_text(yaml.safe_dump(document), "utf-8")
    done = subprocess.run(
        [program("promtool"), "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_proved_both_ways() -> None:
    wanted = {(alert.name, alert.severity, fires) for alert in all_alerts() for fires in (True, False)}
    assert {(case.alert, case.severity, case.fires) for case in CASES} == wanted


def test_words_are_filled_in(tmp_path: Path) -> None:
    """Exactly what somebody reads at night, for each form of template that is used."""
    tests = {
        "rule_files": list(map(str, rule_files())),
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": PREFIX + 'certificate_expiry_timestamp_seconds{use="kafka"}', "values": "90000x30"},
                ],
                "alert_rule_test": [
                    {
                        "eval_time": "20m",
                        "alertname": "CertificateExpires",
                        "exp_alerts": [
                            {
                                "exp_labels": {"severity": severity, "service": "certex-bridge", "use": "kafka"},
                                "exp_annotations": {
                                    "summary": "The certificate for kafka ends in 1d 0h 40m 0s",
                                    "description": "After that moment the next connection fails. Renew it"
                                    f"{' now' if severity == 'page' else ''}, then restart the roles.",
                                    "runbook_url": "docs/runbooks/CertificateExpires.md",
                                },
                            }
                            for severity in ("page", "ticket")
                        ],
                    }
                ],
            }
        ],
    }
    file = tmp_path / "words.yaml"
    file.write_text(yaml.safe_dump(tests), "utf-8")
    done = subprocess.run(
        [program("promtool"), "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", all_alerts(), ids=lambda alert: f"{alert.name}-{alert.severity}")
def test_an_alert_says_what_somebody_woken_at_night_must_know(alert: Any) -> None:
    assert 20 <= len(alert.summary) <= 120
    assert not alert.summary.endswith(".")
    assert 60 <= len(alert.description) <= 330
    assert alert.description.endswith(".")
    templates = re.findall(r"{{.*?}}", alert.summary + alert.description)
    form = re.compile(r"{{ \$(value( \| (humanizeDuration|humanize))?|labels\.[a-z]+) }}")
    assert all(form.fullmatch(one) for one in templates)
    for label in re.findall(r"\$labels\.([a-z]+)", alert.summary + alert.description):
        assert re.search(rf"by \([a-z, ]*\b{label}\b", alert.expr), f"{label} is aggregated away"


@pytest.mark.parametrize("name", sorted({alert.name for alert in all_alerts()}))
def test_every_alert_has_a_runbook(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text("utf-8")
    assert text.startswith(f"# {name}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    commands = re.findall(r"^(?:kubectl .*? -- )?certex-bridge ((?:[a-z-]+ ?)+)", text, re.MULTILINE)
    page = (ROOT / "docs" / "reference" / "cli.md").read_text("utf-8")
    known_commands = set(re.findall(r"^## certex-bridge ([a-z -]+)$", page, re.MULTILINE))
    for command in commands:
        assert any(command.strip().startswith(one) for one in known_commands), command
    settings = (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")
    assert all(f"`{variable}`" in settings for variable in re.findall(r"\bCERTEX_[A-Z_]+", text))
    for metric in re.findall(rf"\b{PREFIX}[a-z_]+", text):
        assert known(metric), metric


def test_no_runbook_is_left_over() -> None:
    names = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
    assert names == {alert.name for alert in all_alerts()}
    index = (RUNBOOKS / "README.md").read_text("utf-8")
    assert all(f"({name}.md)" in index for name in names)


def test_rules_ask_for_metrics_that_exist() -> None:
    for path in rule_files():
        for group in yaml.safe_load(path.read_text("utf-8"))["groups"]:
            for rule in group["rules"]:
                promql_parser.parse(rule["expr"])
                unknown = [name for name in metrics_of(rule["expr"]) if not known(name)]
                assert not unknown, (rule, unknown)


def test_a_service_levels_bound_is_a_bucket_of_its_histogram() -> None:
    buckets = {PREFIX + spec.name: {str(float(one)) for one in spec.buckets} for spec in CATALOGUE}
    for slo in SLOS:
        if slo.metric in buckets:
            assert slo.bound in buckets[slo.metric]


def test_names_of_alerts_and_groups_are_used_once() -> None:
    keys = [(alert.name, alert.severity) for alert in all_alerts()]
    assert len(keys) == len(set(keys))
    assert set(GROUPS) == {path.stem for path in rule_files()} - {f"slo-{slo.name}" for slo in SLOS}


def _queries() -> list[tuple[str, str]]:
    found = []
    for page in sorted(RUNBOOKS.glob("*.md")):
        blocks = re.findall(r"```sql\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
        found += [(page.stem, block) for block in blocks]
    return found


@pytest.mark.postgres
async def test_the_queries_of_the_runbooks_run(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        for page, query in _queries():
            assert query.startswith("SELECT"), page
            await connection.fetch(query)
    finally:
        await connection.close()
    assert len(_queries()) > 10
