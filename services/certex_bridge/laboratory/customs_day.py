"""A day of customs at the gateway: lives of declarations, interleaved, with every manner and every lie there is.

The same seed plays the same day, call by call. The licences are in the client's book, so every outcome and every figure
of the day is foreseen and compared.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.kernel.identifiers import mrn_check_digit
from certex_bridge.laboratory.customs_channel import Form
from certex_bridge.laboratory.customs_client import Manner
from certex_bridge.laboratory.customs_requests import Function, cited, declared, goods

if TYPE_CHECKING:
    from certex_bridge.laboratory.customs_client import CustomsClient
    from certex_bridge.laboratory.messages import Wire

Step = Callable[[], Awaitable[Any]]
Life = Callable[["Story"], Sequence[Step]]

LIVES_AT_ONCE = 6
"""Declarations under way at the same time; their calls are interleaved by chance."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where the day is played."""

    licences: Sequence[str]
    """Numbers of individual licences of the customs systems' own state, first line in pieces and euro."""
    exporter: str
    """EORI of their holder."""
    office: str
    year: int = 2026
    destination: str = "KR"


@dataclass
class Story:
    """One declaration."""

    customs: CustomsClient
    setting: Setting
    random: Random
    mrn: str
    figures: dict[int, tuple[str, Decimal]] = field(default_factory=dict)
    """Licence and pieces by item."""
    version: int = 1

    def content(self, factor: Decimal = Decimal(1)) -> Wire:
        """What is declared, all figures multiplied."""
        items = [self.item(number, figure * factor) for number, (_, figure) in self.figures.items()]
        told = self.setting
        return declared(
            self.mrn, items, version=self.version, exporter=told.exporter, office=told.office,
            destination=told.destination,
        )  # fmt: skip

    def item(self, number: int, figure: Decimal) -> Wire:
        """One item with this many pieces, at a hundred euro each."""
        licence = self.figures[number][0]
        value = f"{figure * 100:.2f}"
        return goods(number, [cited(1, licence, quantity=format_decimal(figure), value=value)])

    @property
    def how(self) -> dict[str, Any]:
        """A manner and a form by chance."""
        return {"manner": self.customs.manner(), "form": self.random.choice(list(Form))}

    # -- steps, by name

    async def check(self) -> None:
        """F1."""
        await self.customs.check(self.content(), form=self.random.choice(list(Form)))

    async def reserve(self) -> None:
        """F3."""
        await self.customs.reserve(self.content(), **self.how)

    async def consume(self) -> None:
        """F4, everything."""
        await self.customs.consume(self.mrn, **self.how)

    async def consume_less(self) -> None:
        """F4, half of the first item and nothing said of the others."""
        number, (_, figure) = next(iter(self.figures.items()))
        await self.customs.consume(self.mrn, [self.item(number, figure / 2)], **self.how)

    async def consume_more(self) -> None:
        """A lie: more than is reserved."""
        items = [self.item(number, figure * 1000) for number, (_, figure) in self.figures.items()]
        await self.customs.consume(self.mrn, items, **self.how)

    async def unreserve(self) -> None:
        """F5; after a release a lie."""
        await self.customs.unreserve(self.mrn, **self.how)

    async def less(self) -> None:
        """F6: amended down."""
        self.version += 1
        await self.customs.adjust(self.content(Decimal("0.5")), **self.how)

    async def more(self) -> None:
        """F6: amended up, perhaps further than there is room."""
        self.version += 1
        await self.customs.adjust(self.content(self.random.choice((Decimal("1.5"), Decimal(500)))), **self.how)

    async def older(self) -> None:
        """A lie: a version that is over."""
        kept, self.version = self.version, 1
        await self.customs.adjust(self.content(Decimal(2)), **self.how)
        self.version = kept

    async def otherwise(self) -> None:
        """A lie: other content under the version that is known."""
        await self.customs.reserve(self.content(Decimal(3)), **self.how)

    async def withdraw(self) -> None:
        """F6: invalidated."""
        await self.customs.withdraw(self.mrn, **self.how)

    async def accept(self) -> None:
        """F7: the officer grants what was refused."""
        await self.customs.decide(self.mrn, "ACCEPT", officer="OFFICER-7", reason="paper licence seen", **self.how)

    async def refuse(self) -> None:
        """F7: the officer takes it back."""
        await self.customs.decide(self.mrn, "REFUSE", officer="OFFICER-7", reason="seized", **self.how)

    async def foreign(self) -> None:
        """A lie: a declaration of another member state."""
        other = self.mrn[:2] + "SE" + self.mrn[4:]
        told = {"movementType": "WITHDRAW", "DeclarationReference": {"MRN": other}}
        await self.customs.refused(Function.MOVE, told, "FOREIGN_MEMBER_STATE", form=self.random.choice(list(Form)))

    async def pretend(self) -> None:
        """A lie: the message names another sender."""
        told = {"movementType": "WITHDRAW", "DeclarationReference": {"MRN": self.mrn}, "messageSender": "NSW.XX"}
        await self.customs.refused(Function.MOVE, told, "SENDER_MISMATCH", form=self.random.choice(list(Form)))

    async def look(self) -> None:
        """Read back what it holds."""
        await self.customs.look_at_declaration(self.mrn)

    async def record(self) -> None:
        """F8."""
        licence = f"{self.mrn[2:4]}/{next(iter(self.figures.values()))[0]}"
        name, told = f"record-{self.mrn}", [{"code": "SEEN", "text": "goods examined"}]
        await self.customs.record("ADD", name, licence, told, **self.plainly)
        await self.customs.record("DELETE", name, licence, reason="entered by mistake", **self.plainly)

    async def order(self) -> None:
        """F9: once, and for a period."""
        await self.customs.list_documents({"issuingCountry": self.mrn[2:4]}, form=self.random.choice(list(Form)))
        period = {"unit": "DAILY", "fromDateAndTime": "2999-01-01T00:00:00"}
        await self.customs.list_documents({}, action="PERIODIC", more={"Period": period}, **self.plainly)

    async def announce(self) -> None:
        """F10, for a day long after this one."""
        told = {
            "noticeIdentification": f"notice-{self.mrn}", "function": "F9", "kind": "PLANNED",
            "fromDateAndTime": "2999-01-01T00:00:00", "untilDateAndTime": "2999-01-02T00:00:00", "reason": "works",
        }  # fmt: skip
        await self.customs.notice("ANNOUNCE", told=told, **self.plainly)

    @property
    def plainly(self) -> dict[str, Any]:
        """A manner for functions without an account to keep: once, or twice the same."""
        return {"manner": self.random.choice((Manner.PLAIN, Manner.TWICE, Manner.HANGS_UP, Manner.CHANGED)),
                "form": self.random.choice(list(Form))}  # fmt: skip


LIVES: tuple[Life, ...] = (
    lambda s: (s.check, s.reserve, s.look, s.consume, s.look),
    lambda s: (s.check, s.reserve, s.consume_less, s.withdraw, s.look),
    lambda s: (s.reserve, s.unreserve, s.reserve, s.withdraw),
    lambda s: (s.reserve, s.less, s.consume, s.more, s.withdraw),
    lambda s: (s.reserve, s.more, s.consume, s.less, s.look),
    lambda s: (s.consume, s.reserve, s.consume_more, s.consume, s.unreserve),
    lambda s: (s.reserve, s.otherwise, s.less, s.older, s.withdraw, s.consume),
    lambda s: (s.withdraw, s.reserve, s.accept, s.consume, s.look, s.withdraw),
    lambda s: (s.reserve, s.refuse, s.consume, s.foreign, s.pretend),
    lambda s: (s.check, s.record, s.reserve, s.order, s.unreserve, s.announce),
)
"""Every path of a declaration through the functions, with what must be refused on the way."""


async def play_day(customs: CustomsClient, setting: Setting, *, declarations: int, seed: int) -> int:
    """Play a day; returns how many declarations were told of.

    Raises:
        Mismatch: an answer was not what it should have been.
        NoAnswer: there was none.
    """
    random = Random(f"customs day {seed}")  # noqa: S311  # repeatable on purpose
    waiting = deque(range(1, declarations + 1))
    active: list[deque[Step]] = []
    while waiting or active:
        while waiting and len(active) < LIVES_AT_ONCE:
            number = waiting.popleft()
            story = _story(customs, setting, random, number)
            active.append(deque(LIVES[number % len(LIVES)](story)))
        life = random.choice(active)
        await life.popleft()()
        if not life:
            active.remove(life)
    return declarations


def _story(customs: CustomsClient, setting: Setting, random: Random, number: int) -> Story:
    stem = f"{setting.year % 100:02}{customs.account.member_state}{number:012d}A"
    story = Story(customs, setting, random, stem + mrn_check_digit(stem))
    for item in range(1, random.choice((1, 1, 2, 3)) + 1):
        figure = Decimal(random.choice(("0.5", "1", "2", "7.25", "40")))
        story.figures[item] = (random.choice(setting.licences), figure)
    return story
