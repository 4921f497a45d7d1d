"""Every message of every topic with its contract: the pydantic models that the wire is read with, or the XSD family."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from certex_bridge.customs.events import EVENT_MODELS as CUSTOMS_MODELS
from certex_bridge.customs.events import event_type
from certex_bridge.licensing.domain.commands import BARE_ACTS
from certex_bridge.licensing.events import EVENT_MODELS as LICENSING_MODELS
from certex_bridge.licensing.events import BareAct
from certex_bridge.platform.resources import contract_path
from certex_bridge.singlewindow.events import BalanceBody, IncidentBody, RecordBody, StatusBody


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FindingBody(_Body):
    """One finding of the lint."""

    code: str
    severity: Literal["ERROR", "WARNING"]
    field: Annotated[str, Field(description="Path in the event's data; empty for the event as a whole")]
    value: str
    message: str


class AcknowledgementBody(_Body):
    """Topic licensing.acknowledgements.v1: what became of a licence event, with its findings."""

    event: Annotated[str, Field(description="Id of the event that is answered")]
    kind: str
    issuer: str
    number: str
    version: int
    verdict: Literal["ACCEPTED", "REFUSED", "SUPERSEDED", "ALREADY_DONE", "CONFLICT", "KEPT"]
    findingsTotal: Annotated[int, Field(ge=0, description="How many findings there are")]  # noqa: N815  # wire spelling
    findings: Annotated[
        list[FindingBody], Field(max_length=1000, description="The first of them, errors before warnings")
    ]


class DeadLetterBody(_Body):
    """Topic certex.deadletters.v1: a record put into quarantine, byte for byte (base 64), with a coded reason."""

    id: str
    code: str
    field: str
    value: str
    message: str
    event: Annotated[str, Field(description="Event id, empty when it could not be read")]
    topic: str
    partition: int
    offset: int
    key: str | None
    keyCut: Annotated[bool, Field(description="Whether the key is longer than what is carried")]  # noqa: N815  # the name on the wire
    headers: list[list[str | None]]
    headersOmitted: Annotated[bool, Field(description="Whether the headers were too large to be carried")]  # noqa: N815  # the name on the wire
    rawBytes: int  # noqa: N815  # the wire's own spelling
    raw: Annotated[str | None, Field(description="Absent when the record is too large to be carried")]


class SealedRows(_Body):
    """What a seal says of one table."""

    table: str
    rows: Annotated[int, Field(ge=1, description="Rows written in the seal's time")]
    digest: Annotated[str, Field(description="SHA-256 over the hashes of these rows, in hexadecimal")]


class SealBody(_Body):
    """Topic certex.seals.v1: number and hash of all rows written in a time, chained to the seal before."""

    form: Annotated[int, Field(ge=1, description="Which tables are sealed, and how")]
    seal: Annotated[int, Field(ge=1, description="Dense")]
    since: Annotated[str, Field(description="End of the time of the seal before")]
    asOf: Annotated[str, Field(description="What was written before this instant is sealed")]  # noqa: N815  # wire
    rows: list[SealedRows]
    before: Annotated[str, Field(description="Chain value of the seal before; the first has 64 zeros")]
    chain: Annotated[
        str, Field(description="SHA-256 of the chain value before (32 bytes) and the line [form,seal,since,asOf,rows]")
    ]
    key: Annotated[str, Field(description="Name of the key, from its SHA-256; empty: not signed")]
    signature: Annotated[str, Field(description="Ed25519 over the words `certex-bridge-seal 1 ` and the chain value")]


@dataclass(frozen=True, slots=True)
class MessageContract:
    """One kind of message."""

    ce_type: str
    """CloudEvents type; empty for foreign messages."""
    models: tuple[type[BaseModel], ...] = ()
    """What the JSON data may be."""
    xsd: str = ""
    """Family below schemas/xsd instead."""
    examples: str = ""
    """Folder below contracts/examples."""

    @property
    def name(self) -> str:
        """The type without its version."""
        return self.ce_type.removesuffix(".v1")

    @property
    def title(self) -> str:
        """CamelCase name in the AsyncAPI document."""
        return "".join(part.capitalize() for part in self.name.replace("-", ".").split(".")) or "ForeignMessage"

    def load_examples(self) -> list[dict[str, Any]]:
        """Golden messages of this type from contracts/examples, as AsyncAPI message examples.

        Incoming events lie there with their attributes (`type`, `data`), everything else as it is on the wire.
        """
        folder = contract_path("examples", self.examples)
        files = [path for path in sorted(folder.glob("*.*")) if not path.name.startswith("every-")]
        found = []
        for path in files:
            text = path.read_text("utf-8")
            if path.suffix == ".xml":
                found.append({"name": path.stem, "payload": text})
                continue
            told = json.loads(text)
            if "data" not in told or "type" not in told:
                found.append({"name": path.stem, "payload": told})
            elif told["type"] == self.ce_type:
                found.append({"name": path.stem, "payload": told["data"]})
        return found

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema (2020-12) of the data."""
        kind: Any = self.models[0]
        for model in self.models[1:]:
            kind = kind | model
        schema = TypeAdapter(kind).json_schema(by_alias=True)
        head = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"urn:certex-bridge:events:{self.name}:1",
        }
        return head | schema


def _licensing() -> tuple[MessageContract, ...]:
    bare = {f"licensing.licence.{kind}.v1" for kind in BARE_ACTS}
    return tuple(
        MessageContract(name, (model, BareAct) if name in bare else (model,), examples="licences")
        for name, model in LICENSING_MODELS.items()
    )


def _customs() -> tuple[MessageContract, ...]:
    return tuple(
        MessageContract(event_type(kind), (model,), examples="declarations") for kind, model in CUSTOMS_MODELS.items()
    )


MESSAGES: dict[str, tuple[MessageContract, ...]] = {
    "licensing.licences.v1": _licensing(),
    "licensing.acknowledgements.v1": (
        MessageContract("certex.acknowledgement.v1", (AcknowledgementBody,), examples="acknowledgements"),
    ),
    "licensing.balances.v1": (MessageContract("certex.balance.v1", (BalanceBody,), examples="balances"),),
    "licensing.incidents.v1": (MessageContract("certex.incident.v1", (IncidentBody,), examples="incidents"),),
    "licensing.records.v1": (MessageContract("certex.record.v1", (RecordBody,), examples="records"),),
    "customs.declarations.v1": _customs(),
    "customs.messages.v1": (MessageContract("", examples="wco"),),
    "certex.certificates.v1": (MessageContract("certex.certificate.v1", xsd="certificate/1", examples="certificates"),),
    "certex.outcomes.v1": (MessageContract("certex.outcome.v1", xsd="quantity-movement/1", examples="outcomes"),),
    "certex.notifications.v1": (MessageContract("certex.notification.v1", (StatusBody,), examples="notifications"),),
    "certex.seals.v1": (MessageContract("certex.seal.v1", (SealBody,), examples="seals"),),
    "certex.deadletters.v1": (MessageContract("certex.deadletter.v1", (DeadLetterBody,), examples="deadletters"),),
}
"""Messages by topic; a test compares the topics with contracts/topics.yaml and with what the bridge reads and sends."""
