"""F2: subscribing to changes of status (Implementing Regulation (EU) 2024/2145 Art. 5(2)).

The law pushes to whoever asked and is not finished; a caller says once where its pushes go, and which changes beyond
its own declarations it wants to hear of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from certex_bridge.kernel.canonical import content_id
from certex_bridge.kernel.dates import has_zone, parse_instant
from certex_bridge.kernel.errors import InputError
from certex_bridge.kernel.identifiers import licence_key
from certex_bridge.singlewindow.answers import once
from certex_bridge.singlewindow.callers import Caller, CallerRole
from certex_bridge.singlewindow.messages.subscription import (
    SubscriptionDetails,
    SubscriptionRequest,
    SubscriptionResponse,
    SubscriptionTerms,
)
from certex_bridge.singlewindow.operation import Call, Operation, Reply
from certex_bridge.singlewindow.pushes.addresses import check_url
from certex_bridge.singlewindow.pushes.model import Form, Scope, Subscription
from certex_bridge.singlewindow.pushes.ports import SubscriptionStore, SubscriptionUnit
from certex_bridge.singlewindow.pushes.signing import PushKeys, told_secret
from certex_bridge.singlewindow.quotas import USUAL, Quotas, require_room
from certex_bridge.singlewindow.refusals import Refusal
from certex_bridge.singlewindow.rights import CUSTOMS_SIDE, require_licence

_ID_LENGTH = 32
_TERMS = "SubscriptionTerms"


class Subscribing:
    """The function's handler."""

    def __init__(
        self,
        store: SubscriptionStore,
        keys: PushKeys,
        sender: str,
        *,
        private: bool = False,
        transient: Callable[[BaseException], str | None] = lambda _error: None,
        quotas: Quotas = USUAL,
    ) -> None:
        self._store = store
        self._keys = keys
        self._sender = sender
        """messageSender of the answers."""
        self._private = private
        """Whether pushes may go into networks that are not the public internet."""
        self._transient = transient
        """Label of a failure that can pass, or None."""
        self._quotas = quotas

    async def __call__(self, call: Call, request: SubscriptionRequest) -> Reply:
        """Subscribe, end a subscription, or list.

        Raises:
            Refusal: terms that cannot be kept, an address where pushes may not go, an unknown subscription, no right to
                what is asked for, an id used before, no database.
        """
        try:
            async with self._store.transaction() as unit:
                return await self._answer(unit, call, request)
        except Exception as error:
            cause = self._transient(error)
            if cause is None:
                raise
            raise Refusal("NOT_AVAILABLE", f"subscriptions cannot be reached: {cause}") from error

    async def _answer(self, unit: SubscriptionUnit, call: Call, request: SubscriptionRequest) -> Reply:
        if request.action == "LIST":
            return Reply(self._response(call, request, await unit.of_caller(call.caller.name)))

        async def work() -> SubscriptionResponse:
            make = self._subscribe if request.action == "SUBSCRIBE" else self._unsubscribe
            return self._response(call, request, [await make(unit, call, request)])

        answer, repeated = await once(unit, call, request, SubscriptionResponse, work)
        if request.action == "SUBSCRIBE":
            answer = await self._with_secret(unit, call, answer)
        return Reply(answer, repeated=repeated)

    async def _with_secret(
        self, unit: SubscriptionUnit, call: Call, answer: SubscriptionResponse
    ) -> SubscriptionResponse:
        """The secret is made anew for each answer, stored nowhere, and told no more once the subscription has ended."""
        named = {one.subscription_identification for one in answer.subscription}
        for mine in await unit.of_caller(call.caller.name):
            secret = self._keys.secret(mine.subscription_id, mine.key_check)
            if mine.subscription_id in named and secret is not None:
                return answer.model_copy(update={"secret": told_secret(secret)})
        return answer

    # -- subscribe

    async def _subscribe(self, unit: SubscriptionUnit, call: Call, request: SubscriptionRequest) -> Subscription:
        terms = request.subscription_terms
        if terms is None:
            raise _terms("SUBSCRIBE needs terms", _TERMS, "13")
        if not self._keys.usable:
            raise Refusal("NOT_AVAILABLE", "pushes cannot be signed: CERTEX_PUSH_KEYS is not set")
        await unit.alone(call.caller.name)
        held = len(await unit.of_caller(call.caller.name))
        require_room(held, self._quotas.subscriptions, "subscriptions: end one")
        made = self._made(call, request, terms)
        await unit.add(made)
        return made

    def _made(self, call: Call, request: SubscriptionRequest, terms: SubscriptionTerms) -> Subscription:
        caller, scope = call.caller, Scope(terms.scope)
        issuer, number = _named(terms)
        if scope is Scope.LICENCE or scope is Scope.ISSUER:
            require_licence(caller, issuer, f"{_TERMS}/issuingCountry")
        else:
            caller.require(*CUSTOMS_SIDE)  # a licensing authority hears of its own documents only
        subscription_id = content_id("subscription", call.call_id(request))[:_ID_LENGTH]
        return Subscription(
            subscription_id=subscription_id,
            caller=caller.name,
            member_state=caller.member_state,
            declarations_shown=not caller.roles.isdisjoint(CUSTOMS_SIDE),
            scope=scope,
            issuer=issuer if scope is Scope.ISSUER else "",
            licence_id=licence_key(issuer, number) if scope is Scope.LICENCE else "",
            url=self._url(caller, terms.url),
            form=Form(terms.format),
            key_check=self._keys.check_of_new(subscription_id),
            created_at=call.received_at,
            valid_to=_end(terms.valid_to, call.received_at),
        )

    def _url(self, caller: Caller, asked: str | None) -> str:
        agreed, field = caller.policies.callback_url, f"{_TERMS}/url"
        url = asked or agreed
        if not url:
            raise _terms("no address is agreed on, so one must be given", field, "13")
        try:
            check_url(url, private=self._private, field=field)
        except InputError as error:
            raise Refusal("CALLBACK_URL", error.message, field=field, value=url) from None
        if agreed and _origin(url) != _origin(agreed):
            raise Refusal(
                "CALLBACK_URL", f"pushes of {caller.name} go to {_origin(agreed)} only", field=field, value=url
            )
        return url

    # -- unsubscribe

    async def _unsubscribe(self, unit: SubscriptionUnit, call: Call, request: SubscriptionRequest) -> Subscription:
        wanted, field = request.subscription_identification, "subscriptionIdentification"
        if wanted is None:
            raise _terms("UNSUBSCRIBE needs the subscription", field, "13")
        mine = {one.subscription_id: one for one in await unit.of_caller(call.caller.name)}
        if wanted not in mine:
            raise Refusal("NOT_FOUND", f"{call.caller.name} has no such subscription", field=field, value=wanted)
        await unit.end(wanted, call.received_at)
        return mine[wanted]

    # -- answers

    def _response(self, call: Call, request: SubscriptionRequest, told: Sequence[Subscription]) -> SubscriptionResponse:
        return SubscriptionResponse(
            message_sender=self._sender,
            message_recipient=call.caller.name,
            preparation_date_and_time=_instant(call.received_at),
            message_identification=content_id("answer", call.call_id(request))[:_ID_LENGTH],
            type_of_message=SubscriptionResponse.message_type,
            correlation_identifier=request.message_identification,
            action=request.action,
            subscription=tuple(map(_details, told)),
        )


def _named(terms: SubscriptionTerms) -> tuple[str, str]:
    """Issuing country and number, both given exactly where the scope asks for them.

    Raises:
        Refusal: SUBSCRIPTION_TERMS.
    """
    told = {"issuingCountry": terms.issuing_country, "referenceNumber": terms.reference_number}
    needed = {"LICENCE": {"issuingCountry", "referenceNumber"}, "ISSUER": {"issuingCountry"}}.get(terms.scope, set())
    for name, value in told.items():
        if name in needed and value is None:
            raise _terms(f"the scope {terms.scope} needs it", f"{_TERMS}/{name}", "13")
        if name not in needed and value is not None:
            raise _terms(f"the scope {terms.scope} does not go with it", f"{_TERMS}/{name}", "15", value)
    return terms.issuing_country or "", terms.reference_number or ""


def _end(text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    field = f"{_TERMS}/validTo"
    try:
        end = parse_instant(text if has_zone(text) else f"{text}Z", UTC, field)
    except InputError as error:
        raise _terms(error.message, field, "12", text) from None
    if end <= now:
        raise _terms("the end has passed", field, "14", text)
    return end


def _terms(sentence: str, field: str, error_code: str, value: str = "") -> Refusal:
    return Refusal("SUBSCRIPTION_TERMS", sentence, field=field, value=value, error_code=error_code)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _details(one: Subscription) -> SubscriptionDetails:
    issuer, _, number = one.licence_id.partition("/")
    return SubscriptionDetails(
        subscription_identification=one.subscription_id,
        subscription_terms=SubscriptionTerms(
            scope=one.scope.value,
            issuing_country=issuer or one.issuer or None,
            reference_number=number or None,
            url=one.url,
            format=one.form.value,
            valid_to=_instant(one.valid_to) if one.valid_to else None,
        ),
        created_at=_instant(one.created_at),
        last_push_number=one.last_number,
        paused=one.paused.value or None,  # type: ignore[arg-type]  # one of the two, or nothing
        failing_since=_instant(one.failing_since) if one.failing_since else None,
    )


def operations(handler: Subscribing) -> Sequence[Operation]:
    """The function as the gateway offers it."""
    return (
        Operation(
            name="subscribe",
            function="F2",
            law="5(2)",
            path="/v1/subscriptions",
            request=SubscriptionRequest,
            response=SubscriptionResponse,
            roles=CUSTOMS_SIDE | {CallerRole.LICENSING_OFFICER},
            handler=handler,
            summary="Subscribe to changes of status, end a subscription, or list one's own.",
            statuses=(404, 409, 422),
        ),
    )
