"""A ledger with subscribers: who is told what is asked in words, and time is a clock that tests move."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.memory_status import InMemoryStatusChanges
from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.adapters.status_changes import PostgresStatusChanges
from certex_bridge.singlewindow.adapters.pushes import PostgresPushes
from certex_bridge.singlewindow.adapters.pushes_memory import InMemoryPushes
from certex_bridge.singlewindow.pushes.fan_out import FanOut
from certex_bridge.singlewindow.pushes.model import Form, Push, Scope, Subscription
from certex_bridge.singlewindow.pushes.ports import Interest
from certex_bridge.singlewindow.pushes.sending import Attempt
from certex_bridge.singlewindow.pushes.signing import PushKeys
from certex_bridge.singlewindow.pushes.verdicts import Verdicts
from certex_bridge.singlewindow.rules.profiles import certificate_types
from tests.support.scenario import Scenario

if TYPE_CHECKING:
    import asyncpg

KEYS = PushKeys(["a key of the settings that is long enough"])
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Clock:
    """Time stands still unless a test moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


def subscription(caller: str = "NSW.BE", scope: Scope = Scope.INTEREST, **changes: Any) -> Subscription:
    """A subscription of Belgian customs, named like its caller."""
    plain = Subscription(
        caller.lower(), caller, "BE", True, scope, "", "", f"https://{caller.lower()}.example/pushes", Form.JSON,
        KEYS.check_of_new(caller.lower()), NOON - timedelta(days=1),
    )  # fmt: skip
    made = replace(plain, **changes)
    return replace(made, key_check=KEYS.check_of_new(made.subscription_id))


class PushWorld:
    """A ledger, its subscribers, and the fan-out between them."""

    def __init__(self, pool: asyncpg.Pool[Any] | None = None) -> None:
        self.clock = Clock()
        self.pool = pool
        self.pushes: InMemoryPushes | PostgresPushes
        if pool is None:
            memory = InMemoryStore()
            self.ledger = Scenario(memory)
            self.pushes = InMemoryPushes(InMemoryStatusChanges(memory), self.clock)
        else:
            self.ledger = Scenario(PostgresStore(pool))
            self.pushes = PostgresPushes(pool, PostgresStatusChanges(), self.clock)
        self.fan_out = FanOut(self.pushes, Verdicts(certificate_types((), {})), "CERTEX-BRIDGE", self.clock)

    async def subscribe(self, *subscriptions: Subscription) -> None:
        """These hear of changes from now on; what happened before is nobody's."""
        await self.fan_out.hand_out_all()
        async with self.pushes.transaction() as unit:
            for one in subscriptions:
                await unit.add(one)

    async def checked(self, licence_id: str, caller: str, declaration: str, days_ago: float = 1) -> None:
        """A caller checked a declaration against a licence."""
        at = self.clock.now - timedelta(days=days_ago)
        if isinstance(self.pushes, InMemoryPushes):
            self.pushes.interest[Interest(licence_id, caller, declaration)] = at
        else:
            assert self.pool is not None
            row = (licence_id, caller, declaration, "BE", at)
            await self.pool.execute("INSERT INTO interest VALUES ($1, $2, $3, $4, $5)", *row)

    async def owed(self, caller: str = "NSW.BE") -> list[Push]:
        """All pushes ever made for a caller's subscription of that name, handed out first."""
        await self.fan_out.hand_out_all()
        name = caller.lower()
        if isinstance(self.pushes, InMemoryPushes):
            return [push for key, push in sorted(self.pushes.contents.pushes.items()) if key[0] == name]
        assert self.pool is not None
        from certex_bridge.singlewindow.adapters.push_rows import push

        rows = await self.pool.fetch("SELECT * FROM push WHERE subscription_id = $1 ORDER BY number", name)
        return [push(row) for row in rows]

    async def told(self, caller: str = "NSW.BE") -> list[str]:
        """What a caller was told, in words."""
        return [in_words(json.loads(push.body)) for push in await self.owed(caller)]


def in_words(message: dict[str, Any]) -> str:
    """number: licence old->new reason [declarations with their claim, and what is special about them]."""
    declarations = [
        " ".join(
            [
                one.get("MRN") or one["LRN"],
                one["claimState"],
                *(["at risk"] if one["atRisk"] else []),
                *(
                    {True: ["valid at acceptance"], False: ["not valid at acceptance"]}.get(
                        one.get("validAtAcceptance"), []
                    )
                ),
            ]
        )
        for one in message.get("Declaration", ())
    ]
    reference = message["CertificateReference"]
    change = f"{message['OldVerdict']['status']}->{message['NewVerdict']['status']}"
    licence_id = f"{reference['issuingCountry']}/{reference['referenceNumber']}"
    told = [f"{message['pushNumber']}: {licence_id} {change} {message['reason']}", *declarations]
    return ", ".join(told)


class Receivers:
    """Subscribers' servers without a network: each answers as it is told to, and remembers what it got."""

    def __init__(self) -> None:
        self.got: dict[str, list[tuple[int, datetime]]] = defaultdict(list)
        """Number and time of each delivery that was accepted, by subscription."""
        self.attempts: dict[str, list[datetime]] = defaultdict(list)
        self.answers: dict[str, int] = {}
        """HTTP status where it is not 200."""
        self.silent: dict[str, asyncio.Event] = {}
        """Receivers that do not answer before the event."""

    async def send(self, subscription: Subscription, push: Push, now: datetime) -> Attempt:
        """The port `Sender`."""
        name = subscription.subscription_id
        self.attempts[name].append(now)
        if name in self.silent:
            await self.silent[name].wait()
        status = self.answers.get(name, 200)
        if status == 200:
            self.got[name].append((push.number, now))
            return Attempt(200)
        return Attempt(status, f"HTTP {status}")

    def numbers(self, name: str) -> list[int]:
        """What a subscriber accepted, in the order of its arrival."""
        return [number for number, _ in self.got[name]]
