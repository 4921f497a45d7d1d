"""The function F2: subscribe, end, list; who may hear of what; repetition."""

from __future__ import annotations

from typing import Any

import pytest

from certex_bridge.singlewindow.callers import Caller, CallerRole, Policies
from certex_bridge.singlewindow.functions.subscriptions import Subscribing, operations
from certex_bridge.singlewindow.messages.subscription import SubscriptionRequest, SubscriptionResponse
from certex_bridge.singlewindow.operation import Call, Reply
from certex_bridge.singlewindow.pushes.signing import PushKeys
from certex_bridge.singlewindow.quotas import Quotas
from certex_bridge.singlewindow.refusals import Refusal
from tests.support.ledger_words import licence
from tests.support.push_world import KEYS, PushWorld

URL = "https://nsw.example/pushes"
CUSTOMS = Caller(name="NSW.BE", member_state="BE", roles=frozenset({CallerRole.CLEARANCE}))
AUTHORITY = Caller(name="LIC.BE", member_state="BE", roles=frozenset({CallerRole.LICENSING_OFFICER}))


class Window:
    """The function and those who call it."""

    def __init__(self, keys: PushKeys = KEYS, **options: Any) -> None:
        self.world = PushWorld()
        self.handler = Subscribing(self.world.pushes, keys, "CERTEX-BRIDGE", **options)

    async def ask(self, action: str, number: str = "M1", caller: Caller = CUSTOMS, **more: Any) -> Reply:
        request = SubscriptionRequest.model_validate(
            {
                "messageSender": caller.name,
                "messageRecipient": "CERTEX-BRIDGE",
                "preparationDateAndTime": "2026-03-02T12:00:00",
                "messageIdentification": number,
                "messageType": "CBSUBQ",
                "action": action,
                **more,
            }
        )
        return await self.handler(Call(caller, self.world.clock.now), request)

    async def subscribe(self, number: str = "M1", caller: Caller = CUSTOMS, **terms: Any) -> SubscriptionResponse:
        told = {"scope": "INTEREST", "url": URL} | terms
        reply = await self.ask("SUBSCRIBE", number, caller, SubscriptionTerms=told)
        assert isinstance(reply.message, SubscriptionResponse)
        return reply.message

    async def refused(self, **terms: Any) -> tuple[str, str, str]:
        with pytest.raises(Refusal) as refused:
            await self.subscribe(**terms)
        assert (await self.listed()) == []
        (error,) = refused.value.errors
        return refused.value.code, error.pointer, error.error_code

    async def listed(self, caller: Caller = CUSTOMS) -> list[str]:
        reply = await self.ask("LIST", "L1", caller)
        assert isinstance(reply.message, SubscriptionResponse)
        return [one.subscription_identification for one in reply.message.subscription]


async def test_subscribing_gives_the_secret_and_an_identity() -> None:
    window = Window()
    answer = await window.subscribe(validTo="2026-12-31T00:00:00Z", format="XML")
    (made,) = answer.subscription
    assert (answer.message_recipient, answer.correlation_identifier, answer.action) == ("NSW.BE", "M1", "SUBSCRIBE")
    assert answer.secret is not None
    assert answer.secret.startswith("whsec_")
    terms = made.subscription_terms
    assert (terms.scope, terms.url, terms.format, terms.valid_to) == ("INTEREST", URL, "XML", "2026-12-31T00:00:00Z")
    assert (made.created_at, made.last_push_number, made.paused, made.failing_since) == (
        "2026-03-02T12:00:00Z", 0, None, None,
    )  # fmt: skip
    assert await window.listed() == [made.subscription_identification]


async def test_the_list_tells_no_secret() -> None:
    window = Window()
    await window.subscribe()
    reply = await window.ask("LIST", "L1")
    assert isinstance(reply.message, SubscriptionResponse)
    assert reply.message.secret is None
    assert "whsec" not in str(window.world.pushes.contents)  # type: ignore[union-attr]  # the window of this test has pushes


async def test_repeated_it_is_the_same_subscription_and_the_same_answer() -> None:
    window = Window()
    first = await window.subscribe()
    window.world.clock.move(3600)
    again = await window.ask("SUBSCRIBE", SubscriptionTerms={"scope": "INTEREST", "url": URL})
    assert again.repeated
    assert again.message == first
    assert len(await window.listed()) == 1
    with pytest.raises(Refusal, match="was used for another message") as refused:
        await window.subscribe(url="https://other.example/")
    assert (refused.value.code, refused.value.errors[0].error_code) == ("DUPLICATE_ID", "26")


async def test_ended_it_is_owed_nothing_and_its_secret_is_told_no_more() -> None:
    window = Window()
    (made,) = (await window.subscribe(scope="ALL")).subscription
    name = made.subscription_identification
    reply = await window.ask("UNSUBSCRIBE", "M2", subscriptionIdentification=name)
    assert isinstance(reply.message, SubscriptionResponse)
    assert (reply.message.secret, reply.message.subscription[0].subscription_identification) == (None, name)
    assert await window.listed() == []
    assert (await window.ask("UNSUBSCRIBE", "M2", subscriptionIdentification=name)).repeated
    assert (await window.subscribe(scope="ALL")).secret is None  # the repetition of the first call
    await window.world.ledger.issue(licence("A", "1 NAR"))
    assert await window.world.fan_out.hand_out_all() == 0


@pytest.mark.parametrize("name", [None, "unknown", "theirs"])
async def test_one_can_end_ones_own_only(name: str | None) -> None:
    window = Window()
    german = Caller(name="NSW.DE", member_state="DE", roles=CUSTOMS.roles)
    (theirs,) = (await window.subscribe(caller=german)).subscription
    wanted = {"theirs": theirs.subscription_identification}.get(name or "", name)
    more = {"subscriptionIdentification": wanted} if wanted else {}
    with pytest.raises(Refusal) as refused:
        await window.ask("UNSUBSCRIBE", "M2", **more)
    assert refused.value.code == ("NOT_FOUND" if name else "SUBSCRIPTION_TERMS")
    assert len(await window.listed(german)) == 1


async def test_scopes_name_what_they_need_and_nothing_else() -> None:
    window = Window()
    terms = "SubscriptionTerms"
    assert await window.refused(scope="LICENCE", issuingCountry="BE") == (
        "SUBSCRIPTION_TERMS",
        f"{terms}/referenceNumber",
        "13",
    )
    assert await window.refused(scope="ISSUER") == ("SUBSCRIPTION_TERMS", f"{terms}/issuingCountry", "13")
    assert await window.refused(scope="ALL", referenceNumber="A") == (
        "SUBSCRIPTION_TERMS",
        f"{terms}/referenceNumber",
        "15",
    )
    assert await window.refused(validTo="2026-03-02T12:00:00Z") == ("SUBSCRIPTION_TERMS", f"{terms}/validTo", "14")
    assert await window.refused(validTo="2026-02-30T12:00:00Z") == ("SUBSCRIPTION_TERMS", f"{terms}/validTo", "12")
    with pytest.raises(Refusal) as refused:
        await window.ask("SUBSCRIBE")
    assert refused.value.errors[0].pointer == terms


async def test_a_licence_is_named_as_its_authority_writes_it() -> None:
    window = Window()
    (made,) = (await window.subscribe(scope="LICENCE", issuingCountry="BE", referenceNumber="a 1")).subscription
    assert (made.subscription_terms.issuing_country, made.subscription_terms.reference_number) == ("BE", "A 1")
    (other,) = (await window.subscribe("M2", scope="ISSUER", issuingCountry="DE")).subscription
    assert (other.subscription_terms.issuing_country, other.subscription_terms.reference_number) == ("DE", None)


async def test_addresses() -> None:
    window = Window()
    field = "SubscriptionTerms/url"
    assert await window.refused(url=None) == ("SUBSCRIPTION_TERMS", field, "13")
    assert await window.refused(url="https://10.0.0.1/") == ("CALLBACK_URL", field, "14")
    agreed = CUSTOMS.model_copy(update={"policies": Policies(callback_url=URL)})
    (made,) = (await window.subscribe(caller=agreed, url=None)).subscription
    assert made.subscription_terms.url == URL
    (other,) = (await window.subscribe("M2", agreed, url="https://nsw.example:443/other")).subscription
    assert other.subscription_terms.url == "https://nsw.example:443/other"
    with pytest.raises(Refusal, match=r"go to https://nsw\.example:443 only"):
        await window.subscribe("M3", agreed, url="https://elsewhere.example/")
    await Window(private=True).subscribe(url="http://127.0.0.1:8000/")


async def test_a_licensing_authority_hears_of_its_own_documents_and_no_declarations() -> None:
    window = Window()
    await window.subscribe(caller=AUTHORITY, scope="ISSUER", issuingCountry="BE")
    async with window.world.pushes.transaction() as unit:
        assert [one.declarations_shown for one in await unit.of_caller("LIC.BE")] == [False]
    foreign = {"scope": "ISSUER", "issuingCountry": "DE"}
    told = (
        ({"scope": "ALL"}, "ROLE_MISSING"),
        ({"scope": "INTEREST"}, "ROLE_MISSING"),
        (foreign, "FOREIGN_MEMBER_STATE"),
    )
    for number, (terms, code) in enumerate(told):
        with pytest.raises(Refusal) as refused:
            await window.subscribe(f"M{number + 5}", AUTHORITY, **terms)
        assert refused.value.code == code


async def test_there_is_a_limit() -> None:
    window = Window(quotas=Quotas(subscriptions=3))
    for number in range(3):
        await window.subscribe(f"M{number}")
    with pytest.raises(Refusal, match="at most 3 subscriptions") as refused:
        await window.subscribe("ONE-MORE")
    assert (refused.value.code, refused.value.kind.status) == ("QUOTA_EXCEEDED", 409)


async def test_without_a_key_or_a_database_it_is_not_available() -> None:
    assert (await Window(PushKeys([])).refused())[0] == "NOT_AVAILABLE"
    window = Window(transient=lambda error: "connection" if isinstance(error, OSError) else None)

    def away() -> None:
        raise ConnectionRefusedError

    window.world.pushes.transaction = away  # type: ignore[method-assign,assignment]  # stands in for a store that is away
    with pytest.raises(Refusal, match="cannot be reached: connection") as refused:
        await window.subscribe()
    assert refused.value.headers["Retry-After"]


def test_the_operation() -> None:
    (one,) = operations(Window().handler)
    assert (one.function, one.law, one.path, one.name) == ("F2", "5(2)", "/v1/subscriptions", "subscribe")
    assert CallerRole.AUDITOR not in one.roles
