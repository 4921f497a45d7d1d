"""Stories whose last document is a golden example: told to the real executor, written by the real documents."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from decimal import Decimal
from typing import Any

from certex_bridge.kernel.amounts import Quantity
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.commands import INTERNAL, Command, Delivery
from certex_bridge.ledger.domain.facts import EventKind
from certex_bridge.ledger.domain.policy import FigureSource, Policy
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.ports import OutboxRow
from certex_bridge.ledger.worker import Unpresented, not_presented
from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.licensing.domain.licence import AuthorityStatus, Control, Licence, LicenceType
from certex_bridge.singlewindow.documents import BridgeDocuments
from tests.support.ledger_words import HOLDER, Authority, Customs, Goods, cite, item
from tests.unit.singlewindow.samples import LICENCE, MADE_AT, line

LADDER = Policy(ladder=(FigureSource.DOCUMENT, FigureSource.NET_MASS))
NUMBER = f"BE/{LICENCE.number}"
HALF = "40 NAR + 20000.00 EUR"
FIRST = replace(LICENCE, version=1, lines=(line(1), line(2)))


class Story:
    """A bridge in memory with its own customs office and authority."""

    def __init__(self, *, policy: Policy | None = None, figures_shown: bool = True) -> None:
        self.customs = Customs()
        self._authority = Authority()
        self._store = InMemoryStore()
        documents = BridgeDocuments("CERTEX.BRIDGE", "NSW.BE", figures_shown=figures_shown)
        self._executor = Executor(self._store, documents, policy or Policy(), lambda: MADE_AT)

    async def tell(self, *commands: Command) -> None:
        """Each in a transaction of its own, then whatever was woken."""
        for command in commands:
            await self._executor.apply([Delivery(INTERNAL, command, raw=b"{}", key=b"")])
            while await self._executor.wake(100):
                pass

    async def issue(self, licence: Licence = FIRST) -> None:
        await self.tell(self._authority.event(licence, LicenceEventKind.ISSUED))

    async def suspend(self) -> None:
        later = replace(FIRST, version=2, status=AuthorityStatus.SUSPENDED)
        await self.tell(self._authority.event(later, LicenceEventKind.SUSPENDED))

    def messages(self, kind: str) -> list[OutboxRow]:
        """Everything of one kind that went out, in order."""
        return [row for row in self._store.contents.outbox.values() if row.agg_type == kind]


def goods(figure: str = HALF, number: int = 1, **about: Any) -> Goods:
    """An item that cites the licence line of its own number."""
    return item(cite(NUMBER, figure, line=number), number=number, about=about)


async def accepted(story: Story, *told: Goods, **about: Any) -> None:
    await story.issue()
    await story.tell(story.customs.accepted("M1", *(told or (goods(),)), **about))


async def available(story: Story) -> None:
    await story.issue()
    await story.tell(story.customs.lodged("M1", goods()))


async def reserved(story: Story) -> None:
    await accepted(story, goods(), goods(number=2))


async def reserved_at_risk(story: Story) -> None:
    await accepted(story)
    await story.suspend()
    await story.tell(story.customs.recheck("M1"))


async def reserved_to_the_last(story: Story) -> None:
    await accepted(story, goods("100 NAR + 50000.00 EUR"))


async def consumed(story: Story) -> None:
    await accepted(story)
    await story.tell(story.customs.released("M1"))


async def consumed_net_mass(story: Story) -> None:
    kilograms = replace(line(1), control=Control.QUANTITY, quantity=Quantity.parse("50.5", "KGM"), value=None)
    await story.issue(replace(FIRST, lines=(kilograms,)))
    await story.tell(story.customs.accepted("M1", goods("", net_mass=Decimal("12.500000"))))
    await story.tell(story.customs.released("M1"))


async def unreserved(story: Story) -> None:
    await accepted(story)
    await story.tell(story.customs.not_released("M1"))


async def adjusted(story: Story) -> None:
    await consumed(story)
    await story.tell(story.customs.amended("M1", goods("30 NAR + 15000.00 EUR")))


async def withdrawn(story: Story) -> None:
    await consumed(story)
    await story.tell(story.customs.invalidated("M1"))


async def not_managed(story: Story) -> None:
    free = replace(line(1), control=Control.NONE, quantity=None, value=None)
    await story.issue(replace(FIRST, type=LicenceType.NGEA, document_code="X071", lines=(free,)))
    await story.tell(story.customs.accepted("M1", item(cite(NUMBER, "5 NAR", code="X071"))))


async def not_applicable(story: Story) -> None:
    await accepted(story, goods(procedure="4000"))


async def closed(story: Story) -> None:
    await available(story)
    rejected = story.customs.bare("M1", EventKind.REJECTED, rejected=True)
    draft = {"mrn": "", "lrn": "L1", "exporter": HOLDER}
    await story.tell(replace(rejected, **draft, facts=replace(rejected.facts, **draft)))  # type: ignore[arg-type]


async def waiting(story: Story) -> None:
    await story.tell(story.customs.accepted("M1", item(cite("BE/BE-2026-999999", HALF))))


async def woken(story: Story) -> None:
    await story.tell(story.customs.accepted("M1", goods()))
    await story.issue()


async def refused(story: Story) -> None:
    both = item(
        cite(NUMBER, "40 NAR + 50000.01 EUR"), cite(NUMBER, "1 NAR + 1.00 EUR", line=2), about={"destination": "JP"}
    )
    await accepted(story, both)


async def refused_shipment_level(story: Story) -> None:
    await story.issue()
    told = story.customs.accepted("M1", item())
    payload = told.facts.payload
    assert payload is not None
    spec = cite(NUMBER, HALF).spec(0, 1, "NAR")
    content = replace(payload, header_claims=(spec,))
    await story.tell(replace(told, facts=replace(told.facts, payload=content)))


async def uncovered(story: Story) -> None:
    await accepted(story, goods("100 NAR + 50000.00 EUR"))
    await story.suspend()
    await story.tell(story.customs.released("M1", item(cite(NUMBER, "105 NAR + 52500.00 EUR"))))


async def not_presented_(story: Story) -> None:
    await available(story)
    draft = Unpresented(f"{HOLDER}/L1", "", "L1", HOLDER)
    await story.tell(not_presented(draft, story.customs.stamp("2026-04-02T09:00Z").occurred_at))


async def too_late(story: Story) -> None:
    await consumed(story)
    await story.tell(story.customs.amended("M1", goods("30 NAR + 15000.00 EUR"), at="2029-03-02T09:00Z"))


async def conflict(story: Story) -> None:
    await accepted(story)
    await story.tell(story.customs.accepted("M1", goods("50 NAR + 20000.00 EUR"), version=1))


STORIES: dict[str, Callable[[Story], Coroutine[Any, Any, None]]] = {
    "adjusted": adjusted,
    "available": available,
    "closed": closed,
    "conflict": conflict,
    "consumed": consumed,
    "consumed-net-mass": consumed_net_mass,
    "not-applicable": not_applicable,
    "not-managed": not_managed,
    "not-presented": not_presented_,
    "refused": refused,
    "refused-balance-hidden": refused,
    "refused-shipment-level": refused_shipment_level,
    "reserved": reserved,
    "reserved-at-risk": reserved_at_risk,
    "reserved-balance-hidden": reserved,
    "reserved-to-the-last": reserved_to_the_last,
    "too-late": too_late,
    "uncovered": uncovered,
    "unreserved": unreserved,
    "waiting": waiting,
    "withdrawn": withdrawn,
    "woken": woken,
}
"""One for each golden example in contracts/examples/outcomes."""


async def told(name: str) -> Story:
    """The story played to its end."""
    story = Story(
        policy=LADDER if name.endswith("net-mass") else None, figures_shown=not name.endswith("balance-hidden")
    )
    await STORIES[name](story)
    return story
