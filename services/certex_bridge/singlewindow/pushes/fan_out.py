"""Fan-out: from changes of status to one push per subscriber, exactly once, in the order of each licence.

A change leaves the ledger's queue in the transaction that writes its pushes. Who waits for the licence is looked up
then, a moment after the change: a declaration finished in between waits for nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from certex_bridge.kernel.identifiers import same_trader
from certex_bridge.ledger.ports import OpenClaim
from certex_bridge.ledger.pushes import member_state
from certex_bridge.ledger.stored import StatusRecord
from certex_bridge.platform.failpoints import failpoint
from certex_bridge.singlewindow.pushes.bodies import CONTENT_TYPES, body_of
from certex_bridge.singlewindow.pushes.model import Push, PushKind, Scope, Subscription
from certex_bridge.singlewindow.pushes.ports import FanOutStore, FanOutUnit, Interest
from certex_bridge.singlewindow.pushes.status_notification import notification
from certex_bridge.singlewindow.pushes.verdicts import Verdicts

INTEREST_DAYS = 30
"""A check is an open interest for so long: a declaration not presented by then counts as not lodged (UCC Art. 171)."""
CHANGES_MAX = 100
"""Changes handed out in one transaction."""
DECLARATIONS_MAX = 500
"""Declarations named in one push."""
_CHECKED = "CHECKED"


class FanOut:
    """Hands changes out to subscriptions."""

    def __init__(
        self, store: FanOutStore, verdicts: Verdicts, sender: str, clock: Callable[[], datetime] | None = None
    ) -> None:
        self._store = store
        self._verdicts = verdicts
        self._sender = sender
        self._clock = clock or (lambda: datetime.now(UTC))

    async def hand_out_all(self) -> int:
        """Hand out everything that waits; returns how many pushes were made."""
        total = 0
        while await self._store.waiting():
            made = await self.hand_out()
            if made is None:
                break
            total += made
        return total

    async def hand_out(self) -> int | None:
        """Hand out some changes; returns how many pushes were made, None when there was nothing to hand out."""
        async with self._store.fan_out() as unit:
            changes = await unit.changes(CHANGES_MAX) if unit is not None else []
            if unit is None or not changes:
                return None
            subscriptions = await unit.lock_subscriptions(self._clock())
            pushes = await self._pushes(unit, changes, subscriptions) if subscriptions else []
            if pushes:
                await unit.append(pushes)
                failpoint("fan_out.before_commit")
            return len(pushes)

    async def _pushes(
        self, unit: FanOutUnit, changes: Sequence[StatusRecord], subscriptions: Sequence[Subscription]
    ) -> list[Push]:
        now = self._clock()
        licences = {change.licence_id for change in changes}
        claims = _by_licence(await unit.open_claims(licences))
        interests = _by_licence(await unit.interests(licences, now - timedelta(days=INTEREST_DAYS)))
        numbers = {one.subscription_id: one.last_number for one in subscriptions}
        pushes: list[Push] = []
        for change in changes:
            open_claims, asked = claims.get(change.licence_id, []), interests.get(change.licence_id, [])
            for subscription in subscriptions:
                told = concerned(change, subscription, open_claims, asked)
                if told is None:
                    continue
                for start in range(0, len(told) or 1, DECLARATIONS_MAX):
                    numbers[subscription.subscription_id] += 1
                    number = numbers[subscription.subscription_id]
                    pushes.append(self._push(change, subscription, number, told[start : start + DECLARATIONS_MAX], now))
        return pushes

    def _push(  # one change for one subscriber
        self,
        change: StatusRecord,
        subscription: Subscription,
        number: int,
        told: Sequence[OpenClaim],
        now: datetime,
    ) -> Push:
        names = (self._sender, subscription.caller)
        message = notification(change, subscription.subscription_id, number, told, self._verdicts, names, now)
        body, content_type = body_of(message, subscription.form), CONTENT_TYPES[subscription.form]
        kind, name = PushKind.STATUS, change.licence_id
        return Push(subscription.subscription_id, number, kind, name, content_type, body, now, trace=change.trace)


def concerned(
    change: StatusRecord, subscription: Subscription, claims: Iterable[OpenClaim], interests: Iterable[Interest]
) -> list[OpenClaim] | None:
    """The declarations a subscriber is told of with a change; None when it is not told of the change at all."""
    told: list[OpenClaim] = []
    if subscription.declarations_shown:
        state = subscription.member_state
        told = [one for one in claims if member_state(one.decl_id, one.office) == state]
        held = {one.decl_id for one in told}
        told += [
            OpenClaim(one.licence_id, one.declaration, 0, 0, _CHECKED)
            for one in interests
            if one.caller == subscription.caller and one.declaration not in held
        ]
    if change.exporter:  # nobody but those who wait for this exporter's declarations
        told = [one for one in told if same_trader(one.exporter, change.exporter)]
        covers = subscription.scope is Scope.INTEREST or subscription.covers(change.licence_id)
        return told if told and covers else None
    if subscription.scope is Scope.INTEREST:
        return told or None
    return told if subscription.covers(change.licence_id) else None


def _by_licence(found: Iterable[OpenClaim] | Iterable[Interest]) -> dict[str, list]:  # type: ignore[type-arg]  # lists of one of the two kinds, never of both
    by_licence: dict[str, list] = {}  # type: ignore[type-arg]  # lists of one of the two kinds, never of both
    for one in found:
        by_licence.setdefault(one.licence_id, []).append(one)
    return by_licence
