"""JSON schemas of the operators' objects the chart writes, by the fields their documentation names.

Closed: a field that is not here is a misspelling, or one more to look up. Strimzi v1beta2, KEDA v1alpha1, Prometheus
operator v1, External Secrets v1, CloudNativePG v1.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
NUMBER: Schema = {"type": "integer", "minimum": 0}
TRUTH: Schema = {"type": "boolean"}
DURATION: Schema = {"type": "string", "pattern": r"^\d+(ms|s|m|h|d)$"}
LABELS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}


def closed(*required: str, **properties: Schema) -> Schema:
    """An object with these properties and no others."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": list(required),
    }


def listed(items: Schema, least: int = 1) -> Schema:
    """A list that is not empty."""
    return {"type": "array", "items": items, "minItems": least}


def one_of(*values: str) -> Schema:
    """One of these words."""
    return {"enum": list(values)}


_ENDPOINT = closed(
    "port",
    port=TEXT,
    path=TEXT,
    interval=DURATION,
    scrapeTimeout=DURATION,
)
_RULE = {
    **closed("expr", record=TEXT, alert=TEXT, expr=TEXT, labels=LABELS, annotations=LABELS, **{"for": DURATION}),
    "oneOf": [{"required": ["record"]}, {"required": ["alert"]}],
}
_SCALING_POLICIES = closed(
    stabilizationWindowSeconds=NUMBER,
    policies=listed(
        closed("type", "value", "periodSeconds", type=one_of("Pods", "Percent"), value=NUMBER, periodSeconds=NUMBER)
    ),
)
_TRIGGER = closed(
    "type",
    "metadata",
    type=one_of("kafka"),
    metadata=closed(
        "bootstrapServers",
        "consumerGroup",
        **dict.fromkeys(
            (
                "bootstrapServers",
                "consumerGroup",
                "topic",
                "lagThreshold",
                "activationLagThreshold",
                "offsetResetPolicy",
                "limitToPartitionsWithLag",
                "excludePersistentLag",
                "scaleToZeroOnInvalidOffset",
            ),
            TEXT,
        ),
    ),
    authenticationRef=closed("name", name=TEXT),
)
_ACL = closed(
    "resource",
    "operations",
    resource=closed(
        "type",
        "name",
        type=one_of("topic", "group", "cluster", "transactionalId"),
        name=TEXT,
        patternType=one_of("literal", "prefix"),
    ),
    operations=listed(one_of("Read", "Write", "Describe", "DescribeConfigs", "IdempotentWrite")),
)
_REMOTE = closed("key", key=TEXT, property=TEXT)

SPECS: dict[tuple[str, str], Schema] = {
    ("monitoring.coreos.com/v1", "ServiceMonitor"): closed(
        "selector",
        "endpoints",
        selector=closed(matchLabels=LABELS),
        namespaceSelector=closed(matchNames=listed(TEXT)),
        podTargetLabels=listed(TEXT),
        endpoints=listed(_ENDPOINT),
    ),
    ("monitoring.coreos.com/v1", "PrometheusRule"): closed(
        "groups", groups=listed(closed("name", "rules", name=TEXT, interval=DURATION, rules=listed(_RULE)))
    ),
    ("keda.sh/v1alpha1", "ScaledObject"): closed(
        "scaleTargetRef",
        "triggers",
        scaleTargetRef=closed("name", name=TEXT, kind=TEXT, apiVersion=TEXT),
        minReplicaCount=NUMBER,
        maxReplicaCount=NUMBER,
        pollingInterval=NUMBER,
        cooldownPeriod=NUMBER,
        advanced=closed(
            horizontalPodAutoscalerConfig=closed(
                behavior=closed(scaleDown=_SCALING_POLICIES, scaleUp=_SCALING_POLICIES)
            )
        ),
        triggers=listed(_TRIGGER),
    ),
    ("external-secrets.io/v1", "ExternalSecret"): closed(
        "secretStoreRef",
        "target",
        refreshInterval=DURATION,
        secretStoreRef=closed("name", name=TEXT, kind=one_of("SecretStore", "ClusterSecretStore")),
        target=closed("name", name=TEXT, creationPolicy=one_of("Owner", "Merge", "Orphan", "None")),
        data=listed(closed("secretKey", "remoteRef", secretKey=TEXT, remoteRef=_REMOTE)),
        dataFrom=listed({"type": "object"}),
    ),
    ("kafka.strimzi.io/v1beta2", "KafkaTopic"): closed(
        "partitions",
        "replicas",
        topicName=TEXT,
        partitions=NUMBER,
        replicas=NUMBER,
        config={"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean"]}},
    ),
    ("kafka.strimzi.io/v1beta2", "KafkaUser"): closed(
        "authentication",
        "authorization",
        authentication=closed("type", type=one_of("scram-sha-512", "tls")),
        authorization=closed("type", "acls", type=one_of("simple"), acls=listed(_ACL)),
    ),
    ("postgresql.cnpg.io/v1", "Cluster"): closed(
        "instances",
        "storage",
        instances=NUMBER,
        imageName=TEXT,
        minSyncReplicas=NUMBER,
        maxSyncReplicas=NUMBER,
        bootstrap=closed(
            initdb=closed(
                "database",
                "owner",
                database=TEXT,
                owner=TEXT,
                dataChecksums=TRUTH,
                postInitSQL=listed(TEXT),
                localeCType=TEXT,
                localeCollate=TEXT,
            )
        ),
        storage=closed("size", size={"type": "string", "pattern": r"^\d+(Mi|Gi|Ti)$"}, storageClass=TEXT),
        postgresql=closed(parameters=LABELS),
    ),
}


def schema_of(api: str, kind: str) -> Schema:
    """The whole object's schema."""
    return closed(
        "apiVersion",
        "kind",
        "metadata",
        "spec",
        apiVersion={"const": api},
        kind={"const": kind},
        metadata=closed("name", name=TEXT, labels=LABELS, annotations=LABELS),
        spec=SPECS[api, kind],
    )
