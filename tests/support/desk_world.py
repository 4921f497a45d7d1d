"""A desk to try functions F8 to F10 at: a ledger with licences, callers, a clock to be turned, and both kinds of store.

await w.issue(licence("A", "100 NAR"))
answer = await w.record(action="ADD", …)
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg

from certex_bridge.ledger.adapters.listing import InMemoryLicenceIndex, PostgresLicenceIndex
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.outgoing import PostgresOutgoing
from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.singlewindow.adapters.desk import PostgresNotices, PostgresOrders, PostgresRecords
from certex_bridge.singlewindow.adapters.desk_memory import (
    InMemoryDesk,
    InMemoryNotices,
    InMemoryOrders,
    InMemoryRecords,
)
from certex_bridge.singlewindow.callers import Caller, CallerRole, Policies
from certex_bridge.singlewindow.functions.lists import Listing
from certex_bridge.singlewindow.functions.records import RecordKeeping
from certex_bridge.singlewindow.functions.unavailability import Unavailability
from certex_bridge.singlewindow.list_making import ListMaker
from certex_bridge.singlewindow.messages.base import Message
from certex_bridge.singlewindow.messages.listing import ListRequest, ListResponse
from certex_bridge.singlewindow.messages.notice import NoticeList, UnavailabilityNotice
from certex_bridge.singlewindow.messages.record import RecordAcknowledgement, RecordRequest
from certex_bridge.singlewindow.notices import Notices
from certex_bridge.singlewindow.operation import Call, Reply
from certex_bridge.singlewindow.orders import Orders
from certex_bridge.singlewindow.pushes.model import PushKind
from certex_bridge.singlewindow.quotas import Quotas
from certex_bridge.singlewindow.records import Records
from tests.support.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from certex_bridge.ledger.listing import LicenceIndex
    from certex_bridge.ledger.ports import OutboxRow

SENDER = "CERTEX.BRIDGE"
START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)

M = TypeVar("M", bound=Message)


def caller(name: str, *roles: CallerRole, state: str = "", figures: bool = True) -> Caller:
    """A caller; the last two letters of the name are its member state."""
    policies = Policies(figures_shown=figures)
    return Caller(name=name, member_state=state or name[-2:], roles=frozenset(roles), policies=policies)


CUSTOMS = caller("NSW.BE", CallerRole.CLEARANCE, CallerRole.CUSTOMS_OFFICER)
FRENCH = caller("NSW.FR", CallerRole.CLEARANCE, figures=False)
AUTHORITY = caller("LIC.BE", CallerRole.LICENSING_OFFICER)
AUDITOR = caller("AUD.BE", CallerRole.AUDITOR)


class Pushed:
    """The port of pushes, remembering what it was given."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, str, Message]] = []
        self.fails = False

    async def enqueue(self, transaction: object, caller: str, kind: PushKind, subject: str, message: Message) -> str:
        """Remember the message."""
        if self.fails:
            raise RuntimeError("on purpose")
        self.messages.append((caller, kind, subject, message))
        return f"{caller}/{len(self.messages)}"


@dataclass
class DeskWorld:
    """Everything a test of the desk needs."""

    story: Scenario
    index: LicenceIndex
    records: Records
    orders: Orders
    notices: Notices
    outbox: Any
    """Gives the queued messages of an aggregate type."""

    def __post_init__(self) -> None:
        self.now = START
        self.callers = {one.name: one for one in (CUSTOMS, FRENCH, AUTHORITY, AUDITOR)}
        self.pushed = Pushed()
        self._count = 0
        self.limit(Quotas())
        self.maker = self.make_maker()

    def clock(self) -> datetime:
        """The world's time."""
        return self.now

    def limit(self, quotas: Quotas) -> None:
        """Functions that allow a caller so much."""
        self.keeping = RecordKeeping(self.records, self.index, SENDER, self.clock, quotas)
        self.listing = Listing(self.index, self.orders, SENDER, clock=self.clock, quotas=quotas)
        self.unavailability = Unavailability(self.notices, SENDER, self.clock, quotas)

    def turn(self, **step: float) -> None:
        """Let time pass."""
        self.now += timedelta(**step)

    def make_maker(self) -> ListMaker:
        """A maker of periodic lists, as another process would have it."""
        return ListMaker(self.index, self.orders, lambda: self.callers, SENDER, pushes=self.pushed, clock=self.clock)

    def message(self, kind: type[M], who: Caller, items: dict[str, Any]) -> M:
        """A message with a header; each has an identification of its own unless one is given."""
        self._count += 1
        head = {
            "messageSender": who.name,
            "messageRecipient": SENDER,
            "preparationDateAndTime": self.now.strftime("%Y-%m-%dT%H:%M:%S"),
            "messageIdentification": f"M{self._count}",
            "messageType": kind.message_type,
        }
        return kind.model_validate({**head, **items})

    async def record(self, who: Caller = CUSTOMS, /, **items: Any) -> RecordAcknowledgement:
        """Enter a record."""
        found = await self.enter(who, **items)
        assert isinstance(found.message, RecordAcknowledgement)
        return found.message

    async def enter(self, who: Caller = CUSTOMS, /, **items: Any) -> Reply:
        """Enter a record; the whole reply."""
        reference = {"issuingCountry": "BE", "referenceNumber": "A"}
        request = self.message(RecordRequest, who, {"CertificateReference": reference, **items})
        return await self.keeping.enter(Call(who, self.now), request)

    async def ask(self, who: Caller = CUSTOMS, /, **items: Any) -> ListResponse:
        """Ask for a list; ONCE unless said otherwise."""
        request = self.message(ListRequest, who, {"action": "ONCE", **items})
        found = await self.listing.ask(Call(who, self.now), request)
        assert isinstance(found.message, ListResponse)
        return found.message

    async def listed(self, who: Caller = CUSTOMS, /, **criteria: Any) -> str:
        """Numbers of the licences that a question finds, in their order."""
        found = await self.ask(who, Criteria=criteria)
        return " ".join(one.reference_number for one in found.certificates)

    async def notice(self, who: Caller = AUTHORITY, /, **items: Any) -> NoticeList:
        """Announce, end or list."""
        request = self.message(UnavailabilityNotice, who, items)
        found = await self.unavailability.handle(Call(who, self.now), request)
        assert isinstance(found.message, NoticeList)
        return found.message

    async def queued(self, agg_type: str) -> list[OutboxRow]:
        """Messages of one kind in the outbox, in the order of their versions."""
        found: list[OutboxRow] = await self.outbox(agg_type)
        return sorted(found)


@asynccontextmanager
async def desk_world(address: str) -> AsyncIterator[DeskWorld]:
    """A world on the database at this address, or in memory without one."""
    if not address:
        yield _in_memory()
        return
    async with asyncpg.create_pool(address, min_size=1, max_size=6, server_settings={"timezone": "UTC"}) as pool:
        yield _on_postgres(pool)


def _in_memory() -> DeskWorld:

    store, desk = InMemoryStore(), InMemoryDesk()

    async def outbox(agg_type: str) -> list[OutboxRow]:
        return [row for row in desk.contents.outbox if row.agg_type == agg_type]

    return DeskWorld(
        Scenario(store),
        InMemoryLicenceIndex(store),
        InMemoryRecords(desk),
        InMemoryOrders(desk),
        InMemoryNotices(desk),
        outbox,
    )


def _on_postgres(pool: asyncpg.Pool) -> DeskWorld:
    from certex_bridge.ledger.ports import OutboxRow

    async def outbox(agg_type: str) -> list[OutboxRow]:
        found = await pool.fetch(
            "SELECT o.agg_type, o.agg_id, o.agg_ver, o.key, o.body, o.at, o.trace FROM outbox o JOIN unsent USING (batch_id) "
            "WHERE o.agg_type = $1",
            agg_type,
        )
        return [OutboxRow(*row) for row in found]

    return DeskWorld(
        Scenario(PostgresStore(pool)),
        PostgresLicenceIndex(pool),
        PostgresRecords(pool, PostgresOutgoing()),
        PostgresOrders(pool),
        PostgresNotices(pool),
        outbox,
    )
