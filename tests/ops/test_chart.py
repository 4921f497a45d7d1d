"""The chart: valid for Kubernetes and the operators, closed against wrong values, safe by default."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import chart_schema
import jsonschema
import kubernetes_validate
import pytest
import trustme
import yaml

from certex_bridge.platform.kafka_fenced import transactional_id
from certex_bridge.platform.settings import Settings
from tests.ops.charts import CASES, CHART, ROOT, environment, helm, mounted_secrets, of_kind, pods, rendered, role_of
from tests.ops.custom_resources import SPECS, schema_of

KUBERNETES = ("1.33", "1.37")
CORE = {
    "ConfigMap", "Deployment", "Job", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount",
}  # fmt: skip


def test_generated_parts_are_what_the_code_says() -> None:
    stale = [str(path) for path, text in chart_schema.files().items() if path.read_text("utf-8") != text]
    assert not stale


@pytest.mark.parametrize("case", CASES)
def test_helm_finds_nothing_to_complain_of(case: str) -> None:
    done = helm("lint", "--strict", str(CHART), "-f", str(CHART / "ci" / f"{case}.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("case", CASES)
def test_kubernetes_accepts_every_object(case: str, version: str) -> None:
    for one in rendered(case):
        if one["kind"] in CORE:
            kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("case", CASES)
def test_operators_accept_their_objects(case: str) -> None:
    for one in rendered(case):
        if one["kind"] not in CORE:
            jsonschema.validate(one, schema_of(one["apiVersion"], one["kind"]))


def test_the_large_case_has_an_object_of_every_kind() -> None:
    kinds = {one["kind"] for one in rendered("everything")}
    assert kinds == CORE | {kind for _, kind in SPECS}


WRONG = [
    ("roles: {intake: {replica: 3}}", "replica"),
    ("roles: {intake: {replicas: 0}}", "replicas"),
    ("image: {tag: latest}", "tag"),
    ("image: {digest: sha256:12}", "digest"),
    ("settings: {CERTEX_BATCH_RECORD_MAX: 10}", "CERTEX_BATCH_RECORD_MAX"),
    ("settings: {CERTEX_BATCH_RECORDS_MAX: many}", "CERTEX_BATCH_RECORDS_MAX"),
    ("settings: {CERTEX_DATABASE_URL: postgresql://u:p@h/d}", "CERTEX_DATABASE_URL"),
    ("settings: {CERTEX_SETTLE_GROUP: LINE}", "CERTEX_SETTLE_GROUP"),
    ("secrets: {existingSecret: ''}", "existingSecret"),
    ("gateway: {service: {type: Loadbalancer}}", "type"),
    ("gateway: {service: {port: 99999}}", "port"),
    ("strimzi: {users: {enabled: true, authentication: plain}}", "authentication"),
    ("secrets: {externalSecret: {enabled: true, storeRef: {kind: Vault}}}", "kind"),
    ("networkpolicy: {enabled: false}", "networkpolicy"),
    ("ports: {http: '8080'}", "http"),
    ("cloudnativepg: {enabled: true, storage: {class: fast}}", "class"),
    ("roles: {gateway: {enabled: true}}", "/gateway/callers/existingConfigMap"),
    ("{roles: {gateway: {enabled: true}}, gateway: {callers: {existingConfigMap: c}}}", "CERTEX_GATEWAY_AUTH"),
    (
        "{roles: {gateway: {enabled: true, settings: {CERTEX_GATEWAY_AUTH: oauth}}}, gateway: {callers: {existingConfigMap: c}}}",
        "/gateway/tls/existingSecret",
    ),
]


@pytest.mark.parametrize(("values", "named"), WRONG, ids=[values[:60] for values, _ in WRONG])
def test_a_wrong_value_fails_at_lint_and_is_named(values: str, named: str) -> None:
    done = helm("lint", "--strict", str(CHART), "-f", str(CHART / "ci" / "default.yaml"), values=values)
    assert done.returncode != 0
    assert named in done.stdout + done.stderr


@pytest.mark.parametrize("case", CASES)
def test_pods_are_as_locked_up_as_they_can_be(case: str) -> None:
    seen = 0
    for one, pod in pods(case):
        seen += 1
        assert pod["automountServiceAccountToken"] is False, one["metadata"]["name"]
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] == context["runAsGroup"] == 65532
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod.get("hostNetwork")
        assert not [volume for volume in pod["volumes"] if "hostPath" in volume]
        for container in pod["containers"]:
            inner = container["securityContext"]
            assert inner["allowPrivilegeEscalation"] is False
            assert inner["readOnlyRootFilesystem"] is True
            assert inner["capabilities"] == {"drop": ["ALL"]}
            assert {"cpu", "memory"} <= set(container["resources"]["requests"])
            assert "memory" in container["resources"]["limits"]
            mounts = {mount["mountPath"]: mount.get("readOnly", False) for mount in container["volumeMounts"]}
            assert [path for path, read_only in mounts.items() if not read_only] == ["/tmp"]  # noqa: S108  # a mount of the container
    assert seen >= 3


@pytest.mark.parametrize("case", CASES)
def test_images_are_pinned(case: str) -> None:
    for _, pod in pods(case):
        for container in pod["containers"]:
            image = container["image"]
            assert re.search(r"(@sha256:[0-9a-f]{64}|:\d+\.\d+\.\d+)$", image), image


@pytest.mark.parametrize("case", CASES)
def test_deployments_are_probed_drained_and_spread(case: str) -> None:
    for deployment in of_kind(case, "Deployment"):
        spec, pod = deployment["spec"], deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        paths = {kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("liveness", "readiness", "startup")}
        assert paths == {"liveness": "/livez", "readiness": "/readyz", "startup": "/startupz"}
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        for kind in ("liveness", "readiness", "startup"):
            assert container[f"{kind}Probe"]["httpGet"]["port"] == "health"
            assert "scheme" not in container[f"{kind}Probe"]["httpGet"]
        expected = {"health": 8081} | ({"http": 8080} if role_of(deployment) == "gateway" else {})
        assert ports == expected
        assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        graceful = Settings.model_fields["graceful_stop_seconds"].default
        assert pod["terminationGracePeriodSeconds"] > graceful
        assert pod["topologySpreadConstraints"]
        labels = spec["template"]["metadata"]["labels"]
        assert spec["selector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("case", CASES)
def test_budgets_policies_and_services_stand_for_each_deployment(case: str) -> None:
    deployments = {role_of(one): one for one in of_kind(case, "Deployment")}
    policies = [one["spec"] for one in of_kind(case, "NetworkPolicy")]
    assert len(policies) == (0 if case == "small" else len(deployments))
    for policy in policies:
        assert policy["policyTypes"] == ["Ingress", "Egress"]
        role = policy["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
        assert (
            policy["podSelector"]["matchLabels"].items()
            <= deployments[role]["spec"]["template"]["metadata"]["labels"].items()
        )
        assert all(rule["ports"] for rule in (*policy["ingress"], *policy["egress"])), "never every port"
    for service in of_kind(case, "Service"):
        role = service["spec"]["selector"].get("app.kubernetes.io/component")
        for one in deployments.values() if role is None else (deployments[role],):
            assert service["spec"]["selector"].items() <= one["spec"]["template"]["metadata"]["labels"].items()
    for budget in of_kind(case, "PodDisruptionBudget"):
        spec = budget["spec"]
        role = spec["selector"]["matchLabels"]["app.kubernetes.io/component"]
        assert deployments[role]["spec"].get("replicas", 2) > 1
        assert ("minAvailable" in spec) != ("maxUnavailable" in spec)


def test_callers_of_the_gateway_do_not_reach_probes_and_metrics() -> None:
    services = {one["metadata"]["name"]: one["spec"] for one in of_kind("everything", "Service")}
    assert [port["targetPort"] for port in services["bridge-certex-bridge-gateway"]["ports"]] == ["http"]
    health = services["bridge-certex-bridge-health"]
    assert (health["type"], health["clusterIP"]) == ("ClusterIP", "None"), "never published, whatever the gateway's is"
    policies = {role_of(one): one["spec"]["ingress"] for one in of_kind("everything", "NetworkPolicy")}
    for role, rules in policies.items():
        opened = {rule["ports"][0]["port"]: rule["from"] for rule in rules}
        assert set(opened) == ({"health", "http"} if role == "gateway" else {"health"})
        assert opened["health"] == [
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
        ]
    assert {rule["ports"][0]["port"]: rule["from"] for rule in policies["gateway"]}["http"] == [
        {"ipBlock": {"cidr": "192.0.2.0/24"}}
    ]
    (monitor,) = of_kind("everything", "ServiceMonitor")
    assert [one["port"] for one in monitor["spec"]["endpoints"]] == [one["name"] for one in health["ports"]]


def _certificates(folder: Path) -> dict[str, str]:
    authority = trustme.CA()
    issued = authority.issue_cert("bridge.test")
    (folder / "tls.crt").write_bytes(b"".join(one.bytes() for one in issued.cert_chain_pems))
    (folder / "tls.key").write_bytes(issued.private_key_pem.bytes())
    authority.cert_pem.write_to_path(str(folder / "ca.crt"))
    (folder / "callers.toml").write_text((ROOT / "contracts" / "examples" / "callers.toml").read_text("utf-8"), "utf-8")
    return {name: str(folder / name) for name in ("tls.crt", "tls.key", "ca.crt", "callers.toml")}


@pytest.mark.parametrize("case", CASES)
def test_the_bridge_accepts_the_settings_it_gets(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that do not exist, or that contradict each other, would stop the pod at its start."""
    files = _certificates(tmp_path)
    contents = dict.fromkeys(
        ("certex_database_url", "certex_database_migration_url"), "postgresql://u:x@database/certex"
    )
    contents |= {"certex_kafka_username": "u", "certex_kafka_password": "p"}
    known = {f"CERTEX_{name.upper()}" for name in Settings.model_fields} | {"CERTEX_SECRETS_DIR"}
    for one, pod in pods(case):
        variables = environment(pod["containers"][0])
        assert set(variables) <= known, one["metadata"]["name"]
        secrets = tmp_path / one["metadata"]["name"]
        secrets.mkdir()
        for name in {file for _, file in mounted_secrets(pod)} & set(contents):
            (secrets / name).write_text(contents[name], "utf-8")
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, files.get(Path(value).name, value) if value.startswith("/etc/") else value)
            patch.setenv("CERTEX_SECRETS_DIR", str(secrets))
            settings = Settings.load()
        if one["kind"] == "Deployment":
            assert settings.roles == (role_of(one),)
            assert settings.health_host == "0.0.0.0"  # noqa: S104  # what the container must listen on
            assert settings.http_host == ("0.0.0.0" if role_of(one) == "gateway" else "127.0.0.1")  # noqa: S104  # the same
            if case in {"everything", "secrets"}:
                settings.require_servers()


@pytest.mark.parametrize("case", CASES)
def test_no_value_is_a_secret(case: str) -> None:
    assert not of_kind(case, "Secret")
    secret = {
        f"CERTEX_{name.upper()}" for name, one in Settings.model_fields.items() if "SecretStr" in str(one.annotation)
    }
    assert len(secret) > 3
    for _, pod in pods(case):
        variables = environment(pod["containers"][0])
        assert not set(variables) & secret
        assert not [value for value in variables.values() if re.search(r"://[^/]*:[^/]*@", value)]


def test_scaling_is_slow_and_a_poisoned_record_does_not_cause_it() -> None:
    (scaled,) = of_kind("everything", "ScaledObject")
    spec = scaled["spec"]
    assert spec["minReplicaCount"] >= 1
    topics = {trigger["metadata"]["topic"] for trigger in spec["triggers"]}
    catalogue = yaml.safe_load((ROOT / "contracts" / "topics.yaml").read_text("utf-8"))["topics"]
    assert topics == {one["name"] for one in catalogue if one["direction"] == "in"}
    for trigger in spec["triggers"]:
        assert trigger["metadata"]["excludePersistentLag"] == "true"
        assert trigger["metadata"]["scaleToZeroOnInvalidOffset"] == "false"
        assert trigger["metadata"]["consumerGroup"] == Settings.model_fields["kafka_group"].default
    (deployment,) = [one for one in of_kind("everything", "Deployment") if role_of(one) == "intake"]
    assert "replicas" not in deployment["spec"], "the scaler's number would be overwritten at each upgrade"


def test_a_role_may_do_on_kafka_what_it_does_and_no_more() -> None:
    rights: dict[str, set[tuple[str, str]]] = {}
    for user in of_kind("everything", "KafkaUser"):
        acls = user["spec"]["authorization"]["acls"]
        rights[role_of(user)] = {
            (acl["resource"].get("name", ""), operation) for acl in acls for operation in acl["operations"]
        }
    assert ("customs.declarations.v1", "Read") in rights["intake"]
    assert not [right for right in rights["intake"] if right[1] == "Write"]
    assert not [right for right in rights["relay"] if right[1] == "Read"]
    assert ("certex.outcomes.v1", "Write") in rights["relay"]
    named = {right for role in rights.values() for right in role if ".relay." in right[0]}
    assert named == {("certex-bridge.relay.", "Write"), ("certex-bridge.relay.", "Describe")}
    settings = Settings.load(kafka_group="certex-bridge")
    assert transactional_id(settings, "certex.outcomes.v1").startswith("certex-bridge.relay.")


def test_migrations_run_before_and_after_and_may_run_twice() -> None:
    jobs = {one["metadata"]["name"]: one for one in of_kind("default", "Job")}
    hooks = {name: one["metadata"]["annotations"]["helm.sh/hook"] for name, one in jobs.items()}
    assert "pre-upgrade" in hooks["bridge-certex-bridge-migrate-pre"]
    assert "post-upgrade" in hooks["bridge-certex-bridge-migrate-post"]
    for name, one in jobs.items():
        assert "before-hook-creation" in one["metadata"]["annotations"]["helm.sh/hook-delete-policy"], name
        assert one["spec"]["activeDeadlineSeconds"] > 0


def test_the_rules_and_dashboards_of_the_chart_are_the_tested_ones() -> None:
    (rule,) = of_kind("everything", "PrometheusRule")
    files = sorted((CHART / "files" / "rules").glob("*.yaml"))
    groups = [group for path in files for group in yaml.safe_load(path.read_text("utf-8"))["groups"]]
    links = json.dumps(groups).replace("docs/runbooks", "https://example.invalid/certex-bridge/runbooks")
    assert rule["spec"]["groups"] == json.loads(links)
    boards = {
        name: json.loads(text)
        for one in of_kind("everything", "ConfigMap")
        for name, text in one["data"].items()
        if name.endswith(".json")
    }
    paths = sorted((CHART / "files" / "dashboards").glob("*.json"))
    assert boards == {path.name: json.loads(path.read_text("utf-8")) for path in paths}
    assert len(boards) == 5


def test_names_stay_below_the_limit_with_a_long_release() -> None:
    done = helm("template", "r" * 53, str(CHART), "-f", str(CHART / "ci" / "everything.yaml"))
    assert done.returncode == 0, done.stderr
    objects = [one for one in yaml.safe_load_all(done.stdout) if one]
    assert max(len(one["metadata"]["name"]) for one in objects if one["kind"] in {"Service", "Job"}) <= 63


def test_the_same_values_render_the_same_bytes() -> None:
    arguments = ("template", "bridge", str(CHART), "-f", str(CHART / "ci" / "everything.yaml"))
    first: Any = helm(*arguments)
    assert first.stdout == helm(*arguments).stdout
