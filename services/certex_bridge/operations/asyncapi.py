"""contracts/asyncapi.yaml: made by FastStream from subscribers and publishers on the bridge's own topics and models.

The bridge reads raw batches of several topics with one subscriber, which says nothing about content. So the same
topics and models are declared once more, one subscriber or publisher each, on a broker that never connects; FastStream
writes the document, and each union of payloads is then unfolded into one named message per CloudEvents type.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

import yaml

from certex_bridge.operations.contract_models import MESSAGES, MessageContract
from certex_bridge.platform.kafka_topics import DAY_MS, TopicCatalogue, TopicSpec
from certex_bridge.platform.metrics import bridge_version

if TYPE_CHECKING:
    from faststream.kafka import KafkaBroker

_DESCRIPTION = (
    "CloudEvents 1.0 on Kafka: binary mode is written, binary and structured mode are read. Amounts are JSON texts. "
    "Every consumer must tolerate repeated messages: the event id is the identity. Messages of one aggregate carry a "
    "dense version at the end of their id; a gap means a lost message, and an older version than one already seen is "
    "to be ignored. Messages are written in transactions: read with isolation.level=read_committed. "
    "What is written fits its closed schema; what is read may have more: a reader ignores fields it "
    "does not know, and within a major version fields are only added. A required field, another name or a narrower "
    "value is a new type on a new topic, and both are written for a while."
)
_HEADERS = ("ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type")
_WRITTEN = ("ce_dataschema",)
_TRACE = {"type": "string", "description": "W3C Trace Context, where the event belongs to a trace"}
"""Headers that only the bridge's own messages are sure to have."""
_EXAMPLES_MAX = 3
"""Examples embedded per message; all of them are in contracts/examples."""

_SECURITY: dict[str, Any] = {
    "scram": {"type": "scramSha512", "description": "CERTEX_KAFKA_SECURITY_PROTOCOL=SASL_SSL"},
    "mutualTls": {"type": "X509", "description": "CERTEX_KAFKA_SECURITY_PROTOCOL=SSL with a client certificate"},
}


def render() -> str:
    """The document as YAML."""
    document = build()
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return "# Generated from the code: make contracts\n" + text


def build() -> dict[str, Any]:
    """The document: FastStream's, with one message per CloudEvents type."""
    from faststream.kafka import KafkaBroker
    from faststream.specification import AsyncAPI

    broker = KafkaBroker("localhost:9092")
    catalogue = TopicCatalogue.load()
    for spec in catalogue:
        _declare(broker, spec)
    specification = AsyncAPI(
        broker, title="certex-bridge", version=bridge_version(), description=_DESCRIPTION, schema_version="3.0.0"
    )
    document: dict[str, Any] = specification.to_specification().to_jsonable()
    document["components"]["messages"] = {}
    for name in [name for name in document["components"]["schemas"] if ":" in name]:
        del document["components"]["schemas"][name]
    schemas = document["components"]["schemas"]
    document["components"]["schemas"] = {name: schemas[name] for name in sorted(schemas)}
    for part in ("channels", "operations"):  # FastStream gives them in the order of a set
        document[part] = {spec.name: document[part][spec.name] for spec in catalogue}
    for spec in catalogue:
        _unfold(document, spec)
    document["components"]["securitySchemes"] = _SECURITY
    for server in document["servers"].values():
        server["security"] = [{"$ref": f"#/components/securitySchemes/{name}"} for name in _SECURITY]
    return document


def _declare(broker: KafkaBroker, spec: TopicSpec) -> None:
    """A subscriber or publisher whose payload is the union of the topic's models."""
    models = [model for contract in MESSAGES[spec.name] for model in contract.models]
    payload: Any = reduce(or_, models) if models else str
    if spec.direction == "out":
        broker.publisher(spec.name, title=spec.name, description=spec.description, schema=payload)
        return

    async def handler(message: Any) -> None:
        """Never called: the document is made from its annotation."""

    handler.__annotations__["message"] = payload
    broker.subscriber(spec.name, title=spec.name, description=spec.description)(handler)


def _unfold(document: dict[str, Any], spec: TopicSpec) -> None:
    channel = document["channels"][spec.name]
    channel["messages"] = {}
    channel["bindings"]["kafka"] |= {
        "partitions": spec.partitions,
        "replicas": spec.replication,
        "topicConfiguration": _kept(spec),
    }
    channel["x-owner"] = spec.owner
    channel["x-schema-compatibility"] = "BACKWARD_TRANSITIVE"
    if spec.personal_data:
        channel["x-personal-data"] = spec.personal_data
    for contract in MESSAGES[spec.name]:
        document["components"]["messages"][contract.title] = _message(contract, spec)
        channel["messages"][contract.title] = {"$ref": f"#/components/messages/{contract.title}"}
    references = [{"$ref": f"#/channels/{spec.name}/messages/{name}"} for name in channel["messages"]]
    document["operations"][spec.name]["messages"] = references


def _kept(spec: TopicSpec) -> dict[str, Any]:
    kept: dict[str, Any] = {"cleanup.policy": [spec.cleanup]}
    return kept | ({"retention.ms": spec.retention_days * DAY_MS} if spec.retention_days else {})


def _message(contract: MessageContract, spec: TopicSpec) -> dict[str, Any]:
    text = {"type": "string"}
    headers = (*_HEADERS, *(_WRITTEN if spec.direction == "out" else ()))
    properties: dict[str, Any] = {name: dict(text) for name in headers}
    if contract.ce_type:
        properties["ce_type"] = {"const": contract.ce_type}
    else:
        properties = {"profile": {"type": "string", "description": "Format of the message, for instance wco"}}
    content = "application/json" if contract.models else "application/xml"
    references = [{"$ref": f"#/components/schemas/{model.__name__}"} for model in contract.models]
    payload: dict[str, Any] = dict(text)
    if references:
        payload = references[0] if len(references) == 1 else {"anyOf": references}
    elif contract.xsd:
        payload["description"] = f"XML of family schemas/xsd/{contract.xsd}"
    return {
        "name": contract.ce_type or "foreign message",
        "title": contract.title,
        "contentType": content,
        "headers": {
            "type": "object",
            "properties": {**properties, "traceparent": dict(_TRACE)},
            "required": list(properties),
        },
        "payload": payload,
        "examples": contract.load_examples()[:_EXAMPLES_MAX],
        "bindings": {"kafka": {"key": {"type": "string", "description": spec.key}}},
    }
