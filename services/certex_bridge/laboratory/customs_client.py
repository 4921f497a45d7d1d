"""A programmable customs system: speaks all functions of the single window, with good manners and bad ones.

It keeps its own account of what every declaration should hold and compares each answer with it; a difference is a
`Mismatch` that tells both sides. What it does follows from what it is told and from its seed, so a run can be repeated.

    async with Channel("http://127.0.0.1:8080") as channel:
        customs = CustomsClient(channel, Account("NSW.BE", "BE"), Expectation())
        await customs.reserve(declared(mrn, [goods(1, [cited(1, "L1", quantity="40")])], exporter=..., office=...))
        await customs.consume(mrn, manner=Manner.HANGS_UP)

Calls that touch the same licence of the book are made one after the other: two at once have no foreseeable order.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from certex_bridge.kernel.canonical import content_id
from certex_bridge.laboratory.customs_channel import ANSWER_SECONDS, Account, Answered, Channel, Form, NoAnswer
from certex_bridge.laboratory.customs_comparison import (
    Mismatch,
    accept,
    compare_check,
    compare_declaration,
    compare_licence,
)
from certex_bridge.laboratory.customs_expectation import Expectation
from certex_bridge.laboratory.customs_requests import ID_LENGTH, Function, checked, header, numbered
from certex_bridge.singlewindow.messages.availability import AvailabilityCheckResponse
from certex_bridge.singlewindow.messages.listing import ListResponse
from certex_bridge.singlewindow.messages.manual import QuantityCorrectionResponse
from certex_bridge.singlewindow.messages.notice import NoticeList
from certex_bridge.singlewindow.messages.outcome import QuantityMovementResponse
from certex_bridge.singlewindow.messages.record import RecordAcknowledgement
from certex_bridge.singlewindow.messages.subscription import SubscriptionResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from certex_bridge.laboratory.messages import Wire
    from certex_bridge.singlewindow.messages.base import Message

M = TypeVar("M", bound="Message")

ATTEMPTS = 8
"""How often a call is repeated that got no answer, or was told to come later."""
RETRY_SECONDS_MAX = 5.0
_IMPATIENT_SECONDS = 0.001
_BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)


class Manner(StrEnum):
    """How a call is made."""

    PLAIN = "plain"
    TWICE = "twice"
    """Sent again under the same identification; the answers must be equal to the byte."""
    IMPATIENT = "impatient"
    """Gives up before an answer can come, then sends the same again."""
    HANGS_UP = "hangs up"
    """Closes the connection as soon as the message is sent, then sends the same again."""
    FORGETFUL = "forgetful"
    """Sends the same content again under a new identification; it must have no second effect."""
    CHANGED = "changed"
    """Sends other content under the same identification; it must be refused and change nothing."""


@dataclass(frozen=True, slots=True)
class Made:
    """One call that was answered."""

    function: str
    """`F3 reserve`."""
    outcome: str
    """Worst outcome of its claims, or the code of a refusal."""
    manner: Manner
    seconds: float
    """Of the request that got the answer."""
    request: Message
    answer: Answered


@dataclass
class CustomsClient:
    """One customs system at one gateway.

    Raises, wherever an answer is compared:
        Mismatch: the answer is not what was expected.
        NoAnswer: there was none, as often as it was asked.
    """

    channel: Channel
    account: Account
    expectation: Expectation = field(default_factory=Expectation)
    seed: int = 0
    """Another one, other message identifications."""
    form: Form = Form.JSON
    """In which form it speaks, unless a call says otherwise."""
    made: list[Made] = field(default_factory=list)
    """Every call that was answered, in order."""

    def __post_init__(self) -> None:
        self._random = Random(f"customs {self.account.name} {self.seed}")  # noqa: S311  # repeatable on purpose
        self._count = 0

    # -- the functions

    async def check(self, content: Wire, **how: Any) -> AvailabilityCheckResponse:
        """F1: whether what a declaration cites is there and covers it (IR 2024/2145 Art. 5(1))."""
        request = self.message(Function.CHECK, checked(content), **how)
        answer = await self._asked(Function.CHECK, request, AvailabilityCheckResponse, how)
        self._note(Function.CHECK, request, compare_check(self.expectation, request, answer[1]), answer[0], how)
        return answer[1]

    async def reserve(self, content: Wire, **how: Any) -> QuantityMovementResponse:
        """F3: the declaration is accepted (Art. 6(1))."""
        return await self.move({"movementType": "RESERVE", **content}, **how)

    async def consume(self, mrn: str, items: Sequence[Wire] = (), **how: Any) -> QuantityMovementResponse:
        """F4: goods are released; without items all of them, as declared (Art. 6(3))."""
        return await self._bare("CONSUME", mrn, items, how)

    async def unreserve(self, mrn: str, items: Sequence[Wire] = (), **how: Any) -> QuantityMovementResponse:
        """F5: goods are not released (Art. 6(4))."""
        return await self._bare("UNRESERVE", mrn, items, how)

    async def adjust(self, content: Wire, **how: Any) -> QuantityMovementResponse:
        """F6: the declaration is amended; `content` has a higher version (Art. 7)."""
        return await self.move({"movementType": "ADJUST", **content}, **how)

    async def withdraw(self, mrn: str, **how: Any) -> QuantityMovementResponse:
        """F6: the declaration is invalidated (Art. 7)."""
        return await self._bare("WITHDRAW", mrn, (), how)

    async def decide(
        self, mrn: str, decision: str, *, officer: str, reason: str, items: Sequence[Wire] = (), **how: Any
    ) -> QuantityMovementResponse:
        """F7: an officer accepts, amends or refuses by hand (Art. 8)."""
        told = {"MRN": mrn, "officerIdentification": officer, "reason": reason, "decision": decision}
        return await self._moved(Function.DECIDE, told | ({"GoodsItem": list(items)} if items else {}), how)

    async def correct(
        self, licence: str, lines: Sequence[Wire], evidence: Wire, *, officer: str, reason: str, **how: Any
    ) -> QuantityCorrectionResponse:
        """What was written off on paper, in total on this evidence (Art. 11(2)); for licensing authorities."""
        issuer, _, number = licence.partition("/")
        told: Wire = {
            "Licence": {"issuingCountry": issuer, "referenceNumber": number},
            "source": how.pop("source", "paper"),
            "officerIdentification": officer,
            "reason": reason,
            "Evidence": evidence,
            "Line": list(lines),
        }
        answer = await self._plain(Function.CORRECT, told, QuantityCorrectionResponse, how)
        if answer.verdict == "ACCEPTED":
            self.expectation.written_off(licence, evidence["referenceNumber"], lines)
        return answer

    async def subscribe(self, url: str, scope: str = "INTEREST", **how: Any) -> SubscriptionResponse:
        """F2: ask for pushes of changes of status to `url` (Art. 5(2)); the answer has the key that signs them."""
        form = "JSON" if how.get("form", self.form) is Form.JSON else "XML"
        terms = {"scope": scope, "url": url, "format": form, **how.pop("terms", {})}
        told = {"action": "SUBSCRIBE", "SubscriptionTerms": terms}
        return await self._plain(Function.SUBSCRIBE, told, SubscriptionResponse, how)

    async def record(
        self, action: str, name: str, licence: str, information: Sequence[Wire] = (), **how: Any
    ) -> RecordAcknowledgement:
        """F8: enter, amend or delete extra information to a licence, `issuer/number` (Art. 9)."""
        issuer, _, number = licence.partition("/")
        told: Wire = {
            "action": action,
            "recordIdentification": name,
            "CertificateReference": {"issuingCountry": issuer, "referenceNumber": number},
        }
        told |= {"Information": list(information)} if information else {}
        told |= {"reason": how.pop("reason")} if "reason" in how else {}
        return await self._plain(Function.RECORD, told, RecordAcknowledgement, how)

    async def list_documents(self, criteria: Wire, *, action: str = "ONCE", **how: Any) -> ListResponse:
        """F9: licences by criteria (Art. 10)."""
        told = {"action": action, "Criteria": criteria, **how.pop("more", {})}
        return await self._plain(Function.LIST, told, ListResponse, how)

    async def notice(self, action: str = "LIST", **how: Any) -> NoticeList:
        """F10: announce, end or list unavailability (Art. 11)."""
        return await self._plain(Function.NOTICE, {"action": action, **how.pop("told", {})}, NoticeList, how)

    # -- reading back

    async def look_at_licence(self, licence: str) -> dict[str, Any]:
        """Read a licence, `issuer/number`, and compare its balances with the book."""
        issuer, _, number = licence.partition("/")
        view = await self.channel.get(self.account, "v1", "licences", issuer, number)
        compare_licence(self.expectation, licence, view)
        return view

    async def look_at_declaration(self, mrn: str) -> dict[str, Any]:
        """Read a declaration and compare what it holds."""
        view = await self.channel.get(self.account, "v1", "declarations", mrn)
        compare_declaration(self.expectation, mrn, view)
        return view

    # -- what all calls have in common

    def message(self, function: Function, told: Wire, **how: Any) -> Any:
        """The message with its header; `identification` and `at` replace what would be counted on."""
        self._count += 1
        number = how.get("identification") or content_id(self.account.name, str(self.seed), str(self._count))
        at = how.get("at") or _BEGIN + timedelta(seconds=self._count)
        return function.request.model_validate(
            header(function, self.account.name, number[:ID_LENGTH], at) | told, by_alias=True, by_name=False
        )

    async def move(self, told: Wire, **how: Any) -> QuantityMovementResponse:
        """F3 to F6: a movement without its header."""
        return await self._moved(Function.MOVE, told, how)

    async def refused(self, function: Function, told: Wire, code: str, **how: Any) -> Answered:
        """Make a call that must be refused with this code.

        Raises:
            Mismatch: it is taken, or refused with another code.
        """
        request = self.message(function, told, **how)
        answered = await self._once(function, request, how)
        if answered.code != code:
            raise Mismatch(request.message_identification, code, answered.code or "taken")
        self._note(function, request, code, answered, how)
        return answered

    async def _bare(
        self, movement: str, mrn: str, items: Sequence[Wire], how: dict[str, Any]
    ) -> QuantityMovementResponse:
        told: Wire = {"movementType": movement, "DeclarationReference": {"MRN": mrn}}
        return await self._moved(Function.MOVE, told | ({"GoodsItem": list(items)} if items else {}), how)

    async def _moved(self, function: Function, told: Wire, how: dict[str, Any]) -> QuantityMovementResponse:
        request = self.message(function, told, **how)
        foreseen = self.expectation.foresee(request)
        answered, message = await self._asked(function, request, QuantityMovementResponse, how)
        self._note(function, request, accept(self.expectation, foreseen, message), answered, how)
        await self._misbehave(function, told, request, answered, how)
        return message

    async def _plain(self, function: Function, told: Wire, model: type[M], how: dict[str, Any]) -> M:
        request = self.message(function, told, **how)
        answered, message = await self._asked(function, request, model, how)
        self._note(function, request, "answered", answered, how)
        await self._misbehave(function, told, request, answered, how)
        return message

    async def _asked(
        self, function: Function, request: Message, model: type[M], how: dict[str, Any]
    ) -> tuple[Answered, M]:
        manner, form = how.get("manner", Manner.PLAIN), how.get("form", self.form)
        if manner is Manner.HANGS_UP:
            await self.channel.abandon(self.account, function.path, request, form)
        if manner is Manner.IMPATIENT:
            await self._give_up(function, request, form)
        answered = await self._once(function, request, how)
        if not isinstance(answered.message, model):
            told = [(one.pointer, one.reason, one.value) for one in answered.mistakes]
            raise Mismatch(request.message_identification, model.root, f"HTTP {answered.status} {answered.code} {told}")
        if answered.message.correlation_identifier != request.message_identification:
            told_id = answered.message.correlation_identifier
            raise Mismatch("correlationIdentifier", request.message_identification, told_id)
        return answered, answered.message

    async def _give_up(self, function: Function, request: Message, form: Form) -> None:
        try:
            await self.channel.send(
                self.account, function.path, request, function.response, form, seconds=_IMPATIENT_SECONDS
            )
        except NoAnswer:
            return

    async def _once(self, function: Function, request: Message, how: dict[str, Any]) -> Answered:
        """Send until there is an answer that says more than to come later; every time the same message."""
        form, seconds = how.get("form", self.form), how.get("seconds", ANSWER_SECONDS)
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            try:
                answered = await self.channel.send(
                    self.account, function.path, request, function.response, form, seconds=seconds
                )
            except NoAnswer:
                if last:
                    raise
                continue
            if answered.retry_seconds is None or last:
                return answered
            await asyncio.sleep(min(answered.retry_seconds, RETRY_SECONDS_MAX))
        raise AssertionError("unreachable")

    async def _misbehave(
        self, function: Function, told: Wire, request: Message, first: Answered, how: dict[str, Any]
    ) -> None:
        """What a sender may do after it has its answer."""
        match how.get("manner", Manner.PLAIN):
            case Manner.TWICE:
                again = await self._once(function, request, how)
                if again.body != first.body or not again.repeated:
                    raise Mismatch(request.message_identification, first.body, again.body)
            case Manner.FORGETFUL:
                await self._moved(function, told, {"form": how.get("form", self.form), "at": request.prepared_at})
            case Manner.CHANGED:
                later = self.message(
                    function, told, identification=request.message_identification, at=request.prepared_at + _LATER
                )
                again = await self._once(function, later, how)
                if (again.status, again.code) not in _DUPLICATES:
                    raise Mismatch(request.message_identification, "DUPLICATE_ID", f"{again.status} {again.code}")
            case _:
                pass

    def _note(
        self, function: Function, request: Message, outcome: str, answered: Answered, how: dict[str, Any]
    ) -> None:
        manner = how.get("manner", Manner.PLAIN)
        self.made.append(Made(numbered(function, request), outcome, manner, answered.seconds, request, answered))

    # -- chance

    def manner(self, good: float = 0.4) -> Manner:
        """A manner by chance, plain with this probability."""
        return Manner.PLAIN if self._random.random() < good else self._random.choice(list(Manner))

    def any_form(self) -> Form:
        """A form by chance."""
        return self._random.choice(list(Form))


_LATER = timedelta(microseconds=1)
_DUPLICATES = {(409, "DUPLICATE_ID"), (500, "DUPLICATE_ID")}
"""SOAP 1.1 knows one status for all faults."""
