"""Which pod gets which secret: those its role uses, and no other."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from certex_bridge.platform.settings import Settings
from tests.ops.charts import CASES, CHART, environment, helm, mounted_secrets, pods, rendered, role_of

APP, OWNER = {"certex_database_url"}, {"certex_database_migration_url"}
KAFKA = {
    "certex_kafka_username", "certex_kafka_password", "certex_kafka_ssl_key_password", "certex_kafka_oauth_client_secret",
}  # fmt: skip
PUSHES = {"certex_push_keys"}
CONSOLE = {"certex_console_key", "certex_console_oidc_secret"}
ALLOWED = {
    "intake": APP | KAFKA,
    "relay": APP | KAFKA,
    "worker": APP | PUSHES,
    "gateway": APP | KAFKA | PUSHES | CONSOLE | {"certex_http_ssl_key_password"},
    "migrations": APP | OWNER,
    "test": APP,
}
"""Each key is a login or a key of one purpose: a pod that holds one more can do what its role never does."""


def by_role(case: str) -> dict[str, set[tuple[str, str]]]:
    """Secret and file of everything a role's pods hold under CERTEX_SECRETS_DIR."""
    found: dict[str, set[tuple[str, str]]] = {}
    for one, pod in pods(case):
        found.setdefault(role_of(one), set()).update(mounted_secrets(pod))
    return found


@pytest.mark.parametrize("case", CASES)
def test_a_pod_holds_the_keys_of_its_role_and_no_other(case: str) -> None:
    for role, held in by_role(case).items():
        names = {file for _, file in held}
        assert names <= ALLOWED[role], role
        assert names >= APP


def test_each_purpose_has_a_secret_of_its_own() -> None:
    roles = by_role("secrets")
    assert {role: {secret for secret, _ in held} for role, held in roles.items()} == {
        "intake": {"app", "kafka-intake"},
        "relay": {"app", "kafka-relay"},
        "worker": {"app", "push-keys"},
        "gateway": {"app", "kafka-gateway", "push-keys", "console"},
        "migrations": {"app", "owner"},
        "test": {"app"},
    }


def test_every_secret_setting_has_one_purpose() -> None:
    """A new secret setting that no pod gets would be missed only on the cluster."""
    secret = {f"certex_{name}" for name, one in Settings.model_fields.items() if "SecretStr" in str(one.annotation)}
    assert secret | {"certex_kafka_username"} == set().union(*ALLOWED.values())


def test_certificates_go_where_they_are_named_for() -> None:
    for one, pod in pods("secrets"):
        names = {volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
        speaks_to_kafka = role_of(one) in {"intake", "relay", "gateway"}
        assert names == ({"kafka-ca", "database-ca"} if speaks_to_kafka else {"database-ca"}), role_of(one)


def test_the_operators_login_of_each_role_is_the_pods() -> None:
    for role, held in by_role("everything").items():
        kafka = {secret for secret, file in held if file == "certex_kafka_password"}
        assert kafka == ({f"bridge-certex-bridge-{role}"} if role in {"intake", "relay", "gateway"} else set())
    for one, pod in pods("everything"):
        if role_of(one) in {"intake", "relay", "gateway"}:
            assert environment(pod["containers"][0])["CERTEX_KAFKA_USERNAME"] == f"bridge-certex-bridge-{role_of(one)}"
            continue
        told = [
            name for name in environment(pod["containers"][0]) if name.startswith(("CERTEX_KAFKA_S", "CERTEX_KAFKA_U"))
        ]
        assert told == [], "who has no login at the brokers is not asked for one"


def _without(values: Any, keep: int) -> Any:
    """The values of an older release: so many levels, and nothing that came later."""
    if not isinstance(values, dict):
        return values
    return {key: _without(value, keep - 1) for key, value in values.items()} if keep else {}


@pytest.mark.parametrize("levels", [0, 1, 2, 3])
@pytest.mark.parametrize("case", CASES)
def test_keys_that_an_older_releases_values_lack_have_their_defaults(case: str, levels: int, tmp_path: Path) -> None:
    """`helm upgrade --reuse-values` puts the old release's values in the place of values.yaml."""
    chart = tmp_path / "certex-bridge"
    shutil.copytree(CHART, chart)
    old = _without(yaml.safe_load((CHART / "values.yaml").read_text("utf-8")), levels)
    (chart / "values.yaml").write_text(yaml.safe_dump(old), "utf-8")
    done = helm("template", "bridge", str(chart), "-f", str(CHART / "ci" / f"{case}.yaml"))
    assert done.returncode == 0, done.stderr
    assert tuple(one for one in yaml.safe_load_all(done.stdout) if one) == rendered(case)


def test_what_a_file_turns_off_stays_off() -> None:
    """Defaults are put under the values, never over them."""
    off = "{networkPolicy: {enabled: false}, migrations: {enabled: false}, tests: {enabled: false}, roles: {relay: {enabled: false}}}"
    kinds = [one["kind"] for one in rendered("default", off)]
    assert kinds.count("Deployment") == 2
    assert not {"NetworkPolicy", "Job"} & set(kinds)
