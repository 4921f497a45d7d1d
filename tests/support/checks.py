"""Checks told in few words, against the ledger of a `Scenario` in memory.

answer = await desk.check(goods(cited("A", "40")))
assert answer.only.outcome == "OK_AVAILABLE"
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from certex_bridge.customs.options import DecodeOptions
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.memory_reader import InMemoryReader
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.singlewindow.callers import Caller, CallerRole, Policies
from certex_bridge.singlewindow.functions.availability import Availability, CheckSettings
from certex_bridge.singlewindow.interests import Interest
from certex_bridge.singlewindow.messages.availability import AvailabilityCheck, AvailabilityCheckResponse, CheckResult
from certex_bridge.singlewindow.operation import Call
from tests.support.ledger_words import GOODS, HOLDER, mrn_of
from tests.support.scenario import Scenario

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CUSTOMS = "NSWE-C.BE"
Json = dict[str, Any]


def caller(*roles: CallerRole, state: str = "BE", **policies: Any) -> Caller:
    """A caller with these roles; none: clearance."""
    held = frozenset(roles or (CallerRole.CLEARANCE,))
    return Caller(name=f"NSWE-C.{state}", member_state=state, roles=held, policies=Policies(**policies))


OFFICER = caller(CallerRole.LICENSING_OFFICER)


def cited(number: str, quantity: str = "", unit: str = "NAR", **more: Any) -> Json:
    """A supporting document; `issuer=` for another state's licence."""
    document: Json = {"type": "X060", "referenceNumber": number}
    if quantity:
        document |= {"quantity": quantity, "measurementUnitAndQualifier": unit}
    if "issuer" in more:
        document["issuingCountry"] = more.pop("issuer")
    return document | more


def goods(*documents: Json, procedure: str = "1000", commodity: str = GOODS, **more: Any) -> Json:
    """A goods item."""
    code = {"harmonizedSystemSubHeadingCode": commodity[:6]}
    if commodity[6:]:
        code["combinedNomenclatureCode"] = commodity[6:8]
    numbered = [{"sequenceNumber": number} | document for number, document in enumerate(documents, 1)]
    told: Json = {"CommodityCode": code, "SupportingDocument": numbered}
    if procedure:
        told["Procedure"] = {"requestedProcedure": procedure[:2], "previousProcedure": procedure[2:]}
    return told | more


def declaration(name: str = "M1", **more: Any) -> Json:
    """The reference of a declaration; a name with L has an LRN only."""
    named = {"LRN": name} if name.startswith("L") else {"MRN": mrn_of(name)}
    return named | {"Exporter": {"identificationNumber": HOLDER}} | more


def alone(number: str, issuer: str = "BE", **more: Any) -> Json:
    """A document by its reference alone."""
    return {"issuingCountry": issuer, "referenceNumber": number} | more


class Answer:
    """An answer with its one result at hand."""

    def __init__(self, message: AvailabilityCheckResponse) -> None:
        self.message = message

    @property
    def only(self) -> CheckResult:
        """The only result."""
        (result,) = self.message.check_result
        return result

    @property
    def outcomes(self) -> list[str | None]:
        """Outcome per document."""
        return [result.outcome for result in self.message.check_result]

    @property
    def codes(self) -> list[str]:
        """Codes of the only result that refuse it."""
        return [verdict.code for verdict in self.only.verdict if verdict.severity == "ERROR"]


class Noted:
    """Interests, as they are noted."""

    def __init__(self) -> None:
        self.interests: list[Interest] = []

    def note(self, interest: Interest) -> None:
        """Keep it."""
        self.interests.append(interest)


class Desk:
    """A ledger in memory, and F1 in front of it."""

    def __init__(self, policy: Policy | None = None, *, figures_shown: bool = True) -> None:
        store = InMemoryStore()
        self.story = Scenario(store, policy)
        self.reader = InMemoryReader(store)
        self.noted = Noted()
        self.now = NOW
        settings = CheckSettings("CERTEX", policy or Policy(), DecodeOptions(), figures_shown)
        self.function = Availability(self.reader, self.noted, settings, lambda: self.now)
        self._numbers = count(1)

    async def check(self, *items: Json, by: Caller | None = None, **told: Any) -> Answer:
        """Ask about goods items, or what `told` says in the message's own names."""
        who = by or caller()
        body: Json = {
            "messageSender": who.name,
            "messageRecipient": "CERTEX",
            "preparationDateAndTime": "2026-03-01T12:00:00",
            "messageIdentification": f"check-{next(self._numbers)}",
            "messageType": "CBACRQ",
        }
        if items:
            body["GoodsItem"] = [{"declarationGoodsItemNumber": number} | item for number, item in enumerate(items, 1)]
            body["DeclarationReference"] = declaration()
            body["countryOfDestination"] = "KR"
        request = AvailabilityCheck.model_validate(body | told)
        reply = await self.function.check(Call(who, self.now), request)
        assert isinstance(reply.message, AvailabilityCheckResponse)
        return Answer(reply.message)

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
