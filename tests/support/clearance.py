"""A customs system that calls: movements in short words, through the whole gateway, on any store.

desk = Desk(store)
reply = await desk.move("RESERVE", "M1", A="40")
assert reply.outcomes == ["OK_RESERVED"]
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from certex_bridge.customs.decode import decode_declaration_event
from certex_bridge.ledger.adapters.answers import InMemoryAnswers, PostgresAnswers
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.gathering import Gathering
from certex_bridge.licensing.decode import decode_licence_event
from certex_bridge.operations.composition import transient
from certex_bridge.platform.metrics import Metrics
from certex_bridge.singlewindow.callers import Caller, CallerRole, Mode, Policies
from certex_bridge.singlewindow.documents import BridgeDocuments
from certex_bridge.singlewindow.functions import manual
from certex_bridge.singlewindow.functions.ledger_calls import LedgerCalls
from certex_bridge.singlewindow.functions.movements import operations
from certex_bridge.singlewindow.http.gateway import gateway_application
from tests.support.asgi import Answer, call
from tests.support.echo import known
from tests.support.ledger_recorder import Recorder
from tests.support.ledger_words import GOODS, HOLDER, lrn_of, mrn_of

if TYPE_CHECKING:
    from certex_bridge.ledger.adapters.postgres import PostgresStore
    from certex_bridge.ledger.domain.outcome import DeclarationOutcome
    from certex_bridge.platform.envelope import Envelope

SENDER = "CERTEX-BRIDGE"
MADE_AT = datetime(2026, 12, 1, 8, 0, 2, tzinfo=UTC)
"""When the ledger made its documents."""
JSON, XML = "application/json", "application/xml"


def caller(name: str = "NSW.BE", **policies: Any) -> Caller:
    """A clearance system of Belgium."""
    mode = Mode(policies.pop("mode", "block"))
    roles = frozenset({CallerRole.CLEARANCE})
    return Caller(name=name, member_state="BE", roles=roles, policies=Policies(mode=mode, **policies))


class Documents(Recorder):
    """Outcomes as customs get them; the rest so that the invariants can be read from it."""

    def __init__(self) -> None:
        self._documents = BridgeDocuments(SENDER, "NSW")

    def outcomes(self, outcomes: Sequence[DeclarationOutcome], made_at: datetime) -> list[bytes]:
        return self._documents.outcomes(outcomes, made_at)


async def nobody(_envelope: Envelope) -> None:
    """There is no broker."""
    raise ConnectionRefusedError


@dataclass
class Replied:
    """One answer in JSON."""

    answer: Answer

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.answer.status

    @property
    def told(self) -> dict[str, Any]:
        """The message."""
        told: dict[str, Any] = json.loads(self.answer.body)
        return told

    @property
    def outcomes(self) -> list[str]:
        """Outcome and reasons of each claim."""
        return [
            " ".join(
                [claim["outcome"], *(one["code"] for one in claim.get("Verdict", ()) if one["severity"] == "ERROR")]
            )
            for claim in self.told.get("ClaimResult", ())
        ]

    @property
    def findings(self) -> list[str]:
        """Severity and code of each finding, where and what."""
        return [
            " ".join([
                one["severity"], one["code"], one.get("errorPointer", ""), one.get("originalAttributeValue", "")
            ]).strip()
            for one in self.told.get("Finding", ())
        ]  # fmt: skip


@dataclass
class Desk:
    """The gateway, and one caller at it."""

    store: InMemoryStore | PostgresStore
    caller: Caller = field(default_factory=caller)
    keep: Callable[[Envelope], Awaitable[None]] = nobody
    policy: Policy = field(default_factory=Policy)
    gather_seconds: float = 0.0
    executor: Any = None
    count: int = 0
    traceparent: str = ""
    """Sent with every call."""

    def __post_init__(self) -> None:
        executor = self.executor or Executor(self.store, Documents(), self.policy, lambda: MADE_AT)
        answers = (
            InMemoryAnswers(self.store) if isinstance(self.store, InMemoryStore) else PostgresAnswers(self.store._pool)
        )
        self.gathering = Gathering(executor, answers, transient, gather_seconds=self.gather_seconds)
        self.ledger = LedgerCalls(self.gathering, decode_declaration_event, self.keep, seconds=10)
        captures = manual.Captures(self.gathering, decode_licence_event, seconds=10)
        functions = (*operations(self.ledger, SENDER), *manual.operations(self.ledger, captures, SENDER))
        self._application = gateway_application(functions, Metrics(), SENDER)

    async def move(self, movement: str, name: str, *items: Any, call_id: str = "", **claims: Any) -> Replied:
        """One movement; `about` changes the message."""
        about = claims.pop("about", {})
        return await self.send(self.message(movement, name, *items, call_id=call_id, **claims) | about)

    async def send(self, message: dict[str, Any], content_type: str = JSON) -> Replied:
        """Send the message in JSON."""
        return Replied(await self.post(json.dumps(message).encode(), content_type))

    async def post(
        self, body: bytes, content_type: str = JSON, as_caller: Caller | None = None, path: str = "/v1/movements"
    ) -> Answer:
        """Send bytes."""
        headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
        if self.traceparent:
            headers.append((b"traceparent", self.traceparent.encode()))
        scope = {
            "type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers,
            "server": ("bridge.test", 443), "scheme": "https", "root_path": "", "http_version": "1.1",
        }  # fmt: skip
        return await call(known(self._application, as_caller or self.caller), scope, body)

    def message(self, movement: str, name: str, *items: Any, call_id: str = "", **claims: Any) -> dict[str, Any]:
        """A movement of a declaration: figures per licence for one item, or items made with `goods`."""
        self.count += 1
        listed = list(items) or ([goods(1, **claims)] if claims else [])
        reference: dict[str, Any] = {"LRN": lrn_of(name), "MRN": mrn_of(name)}
        if movement in {"RESERVE", "ADJUST"}:
            reference |= {
                "declarationVersion": 1 if movement == "RESERVE" else 2, "declarationType": "EX",
                "additionalDeclarationType": "A", "CustomsOfficeOfExport": {"referenceNumber": "BE000123"},
                "Exporter": {"identificationNumber": HOLDER},
            }  # fmt: skip
        message: dict[str, Any] = {
            "messageSender": self.caller.name,
            "messageRecipient": SENDER,
            "preparationDateAndTime": f"2026-03-01T10:{self.count // 60:02}:{self.count % 60:02}",
            "messageIdentification": call_id or f"call-{self.count}",
            "messageType": "CBQMRQ",
            "movementType": movement,
            "DeclarationReference": reference,
        }
        if listed:
            message["GoodsItem"] = listed
        if listed and movement in {"RESERVE", "ADJUST"}:
            message["countryOfDestination"] = "KR"
        return message


def goods(number: int, *, about: dict[str, Any] | None = None, **claims: str) -> dict[str, Any]:
    """A goods item that cites licences: `goods(1, A="40", B="5 KGM + 20.00 EUR")`."""
    documents = [
        {"sequenceNumber": position, "type": "X060", "referenceNumber": name, "documentLineItemNumber": 1}
        | figures(figure)
        for position, (name, figure) in enumerate(claims.items(), start=1)
    ]
    item: dict[str, Any] = {
        "declarationGoodsItemNumber": number,
        "Procedure": {"requestedProcedure": "10", "previousProcedure": "00"},
        "countryOfOrigin": "DE",
        "CommodityCode": {"harmonizedSystemSubHeadingCode": GOODS[:6], "combinedNomenclatureCode": GOODS[6:8]},
    }
    if documents:
        item["SupportingDocument"] = documents
    return item | (about or {})


def figures(text: str) -> dict[str, str]:
    """The data items of "40", "5 KGM" or "5 NAR + 20.00 EUR"."""
    found: dict[str, str] = {}
    for amount, unit in re.findall(r"([0-9.]+) ?([A-Z]*)", str(text)):
        if unit == "EUR":
            found |= {"currency": unit, "amount": amount}
        else:
            found |= {"measurementUnitAndQualifier": unit or "NAR", "quantity": amount}
    return found
