"""Writes the parts of the chart that come from elsewhere: its schema, two files of others, its README.

The schema is closed at every level, and it knows each setting of the bridge with its type, so a misspelt value fails at
`helm lint`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CHART = ROOT / "helm" / "certex-bridge"

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1}
FLAG: Schema = {"type": "boolean"}
LABELS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
LIST: Schema = {"type": "array", "items": {"type": "object"}}
FREE: Schema = {"type": "object"}
PORT: Schema = {"type": "integer", "minimum": 1, "maximum": 65535}
SET_BY_THE_CHART = frozenset({"ROLES", "HTTP_HOST", "HTTP_PORT", "HEALTH_HOST", "HEALTH_PORT", "SECRETS_DIR"})


def closed(description: str = "", required: tuple[str, ...] = (), /, **properties: Schema) -> Schema:
    """An object with these properties and no others."""
    schema: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    if description:
        schema["description"] = description
    if required:
        schema["required"] = list(required)
    return schema


def number(least: int) -> Schema:
    """A whole number of at least so much."""
    return {"type": "integer", "minimum": least}


def settings() -> Schema:
    """Every setting that is no secret, by the name of its variable."""
    from certex_bridge.platform.settings import Settings

    document = Settings.model_json_schema()
    properties = {}
    for name, told in document["properties"].items():
        if name.upper() in SET_BY_THE_CHART or told.get("format") == "password" or "SecretStr" in str(told):
            continue
        properties[f"CERTEX_{name.upper()}"] = _setting(told, document.get("$defs", {}))
    return closed("Variables of docs/reference/settings.md; secrets are not among them.", **properties)


def _setting(told: Schema, definitions: Schema) -> Schema:
    if "$ref" in told:
        told = definitions[told["$ref"].rpartition("/")[2]] | told
    for choice in told.get("anyOf", ()):
        if choice.get("type") != "null":
            told = choice | {"description": told.get("description", "")}
            break
    kept = ("minimum", "maximum", "exclusiveMinimum", "enum", "pattern", "minLength", "maxLength", "description")
    schema = {key: told[key] for key in kept if key in told and told[key] != ""}
    kind = told.get("type", "string")
    if kind == "array":  # written with commas
        return {"type": ["string", "array"], "description": schema.get("description", "")}
    if kind == "object":
        return {"type": ["string", "object"], "description": schema.get("description", "")}
    return {"type": kind} | schema


def _resources() -> Schema:
    amounts = {"type": "object", "additionalProperties": {"type": ["string", "number"]}}
    return closed("Requests and limits of the container.", requests=amounts, limits=amounts)


def _role(variables: Schema, **more: Schema) -> Schema:
    share = {"type": ["integer", "string"]}
    budget = closed(enabled=FLAG, minAvailable=share, maxUnavailable=share)
    return closed(
        enabled=FLAG,
        replicas=number(1),
        settings=variables,
        resources=_resources(),
        podDisruptionBudget=budget,
        podAnnotations=LABELS,
        podLabels=LABELS,
        nodeSelector=LABELS,
        tolerations=LIST,
        affinity=FREE,
        topologySpreadConstraints=LIST,
        priorityClassName=TEXT,
        **more,
    )


def _scaling() -> Schema:
    return closed(
        enabled=FLAG,
        minReplicas=number(1),
        maxReplicas=number(1),
        lagThreshold=number(1),
        activationLagThreshold=number(0),
        cooldownSeconds=number(1),
        pollingSeconds=number(1),
        authenticationRef=TEXT,
    )


def _secrets() -> Schema:
    store = closed(kind={"enum": ["SecretStore", "ClusterSecretStore"]}, name=TEXT)
    schema = closed(
        existingSecret=TEXT,
        database=TEXT,
        migrations=TEXT,
        kafka=closed(intake=TEXT, relay=TEXT, gateway=TEXT),
        pushes=TEXT,
        console=TEXT,
        externalSecret=closed(enabled=FLAG, refreshInterval=NAME, storeRef=store, data=LIST, dataFrom=LIST),
    )
    schema["if"] = {"properties": {"externalSecret": {"properties": {"enabled": {"const": False}}}}}
    schema["then"] = {"anyOf": [_within({"minLength": 1}, name) for name in ("existingSecret", "database")]}
    schema["description"] = (
        "existingSecret or database names a Secret with certex_database_url; or enable externalSecret."
    )
    return schema


def _certificate() -> Schema:
    roles = {"type": "array", "items": {"enum": ["intake", "worker", "relay", "gateway", "migrations"]}, "minItems": 1}
    return closed("", ("name", "secret"), name=NAME, secret=NAME, roles=roles)


def _network() -> Schema:
    side = closed(ports={"type": "array", "items": PORT, "minItems": 1}, peers=LIST)
    return closed(enabled=FLAG, monitoring=LIST, gatewayClients=LIST, kafka=side, database=side, egress=LIST)


def _monitoring() -> Schema:
    return closed(
        serviceMonitor=closed(enabled=FLAG, interval=NAME, scrapeTimeout=NAME, labels=LABELS),
        prometheusRule=closed(enabled=FLAG, labels=LABELS, runbookBase=NAME),
        dashboards=closed(enabled=FLAG, labels=LABELS, annotations=LABELS),
    )


def _image() -> Schema:
    tag = {"type": "string", "not": {"const": "latest"}, "description": "A version; never latest."}
    digest = {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"}
    policy = {"enum": ["Always", "IfNotPresent", "Never"]}
    return closed(repository=NAME, tag=tag, digest=digest, pullPolicy=policy)


def schema() -> Schema:
    """The whole of values.schema.json."""
    variables: Schema = {"$ref": "#/$defs/settings"}
    topics = closed(enabled=FLAG, replication=number(1))
    users = closed(enabled=FLAG, authentication={"enum": ["scram-sha-512", "tls"]})
    service = closed(type={"enum": ["ClusterIP", "NodePort", "LoadBalancer"]}, port=PORT, annotations=LABELS)
    whole = closed(
        "Values of the chart certex-bridge.",
        **{"global": FREE},
        image=_image(),
        imagePullSecrets={"type": "array", "items": closed(name=NAME)},
        nameOverride=TEXT,
        fullnameOverride=TEXT,
        commonLabels=LABELS,
        settings=variables,
        secrets=_secrets(),
        certificates={"type": "array", "items": _certificate()},
        roles=closed(
            intake=_role(variables, autoscaling=_scaling()),
            worker=_role(variables),
            relay=_role(variables),
            gateway=_role(variables),
        ),
        gateway=closed(
            callers=closed(existingConfigMap=TEXT, key=NAME), tls=closed(existingSecret=TEXT), service=service
        ),
        ports=closed(http=PORT, health=PORT),
        terminationGracePeriodSeconds=number(1),
        serviceAccount=closed(create=FLAG, name=TEXT, annotations=LABELS),
        podSecurityContext=FREE,
        containerSecurityContext=FREE,
        migrations=closed(
            enabled=FLAG,
            resources=_resources(),
            activeDeadlineSeconds=number(1),
            backoffLimit=number(0),
            annotations=LABELS,
        ),
        networkPolicy=_network(),
        monitoring=_monitoring(),
        strimzi=closed(topics=topics, users=users, cluster=TEXT),
        cloudnativepg=closed(
            enabled=FLAG,
            instances=number(1),
            imageName=NAME,
            storage=closed(size=NAME, storageClass=TEXT),
            parameters=LABELS,
        ),
        tests=closed(enabled=FLAG),
    )
    whole |= _gateway_needs()
    return {"$schema": "http://json-schema.org/draft-07/schema#", **whole, "$defs": {"settings": settings()}}


def _within(schema: Schema, *path: str) -> Schema:
    """What must hold of a value below."""
    for key in reversed(path):
        schema = {"properties": {key: schema}, "required": [key]}
    return schema


def _gateway_needs() -> Schema:
    """With the gateway: who may call, how they prove it, and where TLS ends; lint only mentions a template's `fail`."""
    proof: Schema = {"enum": ["mtls", "oauth", "both"]}
    on: Schema = {"const": True}
    auth, proxy = "CERTEX_GATEWAY_AUTH", "CERTEX_HTTP_BEHIND_TLS"
    needs = [
        _within({"minLength": 1}, "gateway", "callers", "existingConfigMap"),
        {"anyOf": [_within(proof, "roles", "gateway", "settings", auth), _within(proof, "settings", auth)]},
        {
            "anyOf": [
                _within({"minLength": 1}, "gateway", "tls", "existingSecret"),
                _within(on, "roles", "gateway", "settings", proxy),
                _within(on, "settings", proxy),
            ]
        },
    ]
    return {"if": _within(on, "roles", "gateway", "enabled"), "then": {"allOf": needs}}


def readme(values: str) -> str:
    """The chart's README: each value with its default and the comment above it."""
    lines = [
        "# Chart certex-bridge",
        "",
        "One Deployment per role, migrations as hooks, network policies both ways, and what the monitoring, KEDA,",
        "External Secrets, Strimzi and CloudNativePG operators need. The tables are generated from `values.yaml`.",
        "",
        "```",
        "kubectl create secret generic certex-bridge --from-literal=certex_database_url=postgresql://certex_bridge:…",
        "kubectl create secret generic certex-owner --from-literal=certex_database_migration_url=postgresql://certex_owner:…",
        "helm install bridge helm/certex-bridge --set secrets.existingSecret=certex-bridge \\",
        "  --set secrets.migrations=certex-owner \\",
        "  --set settings.CERTEX_KAFKA_BOOTSTRAP_SERVERS=kafka:9092",
        "helm test bridge",
        "```",
        "",
        "| Value | Default | Meaning |",
        "| --- | --- | --- |",
    ]
    lines += [f"| `{path}` | {default} | {text} |" for path, default, text in _documented(values)]
    return "\n".join(lines) + "\n"


def _documented(values: str) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    path: list[str] = []
    remarks: list[str] = []
    for line in values.splitlines():
        text = line.strip()
        if not text or text.startswith(("# - ", "#   ")):
            remarks = []
        elif text.startswith("#"):
            remarks.append(text.removeprefix("#").strip())
        elif match := re.match(r"( *)([A-Za-z]+):(.*)", line):
            depth = len(match[1]) // 2
            path = [*path[:depth], match[2]]
            default = f"`{match[3].strip()}`" if match[3].strip() else ""
            if remarks:
                found.append((".".join(path), default, " ".join(remarks)))
            remarks = []
    return found


def files() -> dict[Path, str]:
    """Everything generated, by path."""
    values = (CHART / "values.yaml").read_text("utf-8")
    return {
        CHART / "values.schema.json": json.dumps(schema(), indent=1, ensure_ascii=False) + "\n",
        CHART / "files" / "defaults.yaml": "# A copy of values.yaml, which templates cannot read.\n" + values,
        CHART / "files" / "topics.yaml": (ROOT / "contracts" / "topics.yaml").read_text("utf-8"),
        CHART / "README.md": readme(values),
    }


def main() -> None:
    """Write the files; with --check: fail when one is stale."""
    stale = [path for path, text in files().items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in sys.argv:
        if stale:
            sys.exit(f"stale: {', '.join(str(path.relative_to(ROOT)) for path in stale)}; run make chart")
        return
    for path, text in files().items():
        path.write_text(text, "utf-8")
    assert yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))


if __name__ == "__main__":
    main()
