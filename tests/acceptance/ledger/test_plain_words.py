"""Everyday sequences that a general test would see by chance only: each is told here once, by itself."""

from __future__ import annotations

import pytest

from certex_bridge.ledger.commands import Command
from certex_bridge.licensing.domain.commands import LicenceEventKind
from tests.support.ledger_contents import contents_of
from tests.support.ledger_words import cite, item, licence, line
from tests.support.scenario import Scenario


async def apply(stored: Scenario, *commands: Command) -> None:
    await stored.executor.apply([stored.delivery(one) for one in commands])


class Died(Exception):
    """The process is gone."""


@pytest.mark.parametrize("point", ["executor.after_inbox", "executor.before_write", "executor.before_commit"])
async def test_an_event_whose_transaction_broke_off_is_new_when_it_comes_again(
    stored: Scenario, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The note that an id was seen, and what it did, stand or fall together."""

    def die(name: str) -> None:
        if name == point:
            raise Died(name)

    accepted = stored.delivery(stored.customs.accepted("M1", A=40))
    with monkeypatch.context() as patched:
        patched.setattr("certex_bridge.ledger.executor.failpoint", die)
        with pytest.raises(Died):
            await stored.executor.apply([accepted])
    held = await contents_of(stored.store)
    assert accepted.command is not None
    assert accepted.command.event_id not in held.inbox
    (answer,) = (await stored.executor.apply([accepted])).answers
    assert not answer.repeated
    assert await stored.balance("A") == "40/0/60"
    assert await stored.verdict("M1") == "OK_RESERVED"


async def test_a_release_told_after_an_invalidation_revives_nothing(stored: Scenario) -> None:
    await apply(stored, stored.customs.accepted("M1", A=40))
    await apply(stored, stored.customs.invalidated("M1"))
    assert await stored.balance("A") == "0/0/100"
    await apply(stored, stored.customs.released("M1"))
    assert await stored.balance("A") == "0/0/100"
    (claim,) = await stored.claims("M1")
    assert (str(claim.state), claim.consumed.quantity) == ("UNRESERVED", 0)


@pytest.mark.parametrize("first", ["declaration", "licence"])
async def test_a_declaration_and_the_licence_it_waits_for_in_one_batch(stored: Scenario, first: str) -> None:
    """Whoever comes first, nobody is left waiting for what is there."""
    pair: list[Command] = [
        stored.customs.accepted("M1", cite("X", 5)),
        stored.licence_event(licence("X", "10 NAR"), LicenceEventKind.ISSUED),
    ]
    await apply(stored, *(pair if first == "declaration" else reversed(pair)))
    await stored.wake()
    assert await stored.balance("X") == "5/0/5"
    assert await stored.verdict("M1") == "OK_RESERVED"
    assert (await stored.sound()).parked == set()


async def test_parts_are_compared_with_what_is_left_and_not_with_the_limit(stored: Scenario) -> None:
    """60 of 100 are in use: two items of 30 each fit the limit together, and do not fit what is left of it."""
    await apply(stored, stored.customs.accepted("M1", A=60))
    await apply(stored, stored.customs.accepted("M2", item(A=30), item(A=30)))
    assert await stored.balance("A") == "90/0/10"
    assert await stored.verdict("M2") == "OK_RESERVED, REFUSED QUANTITY_EXCEEDED"


async def test_documents_of_one_item_together_are_compared_with_what_is_left(stored: Scenario) -> None:
    """Lines of 100 under a limit of 50 for the whole licence, of which 20 are in use: 20 and 20 are too much."""
    await apply(
        stored,
        stored.licence_event(
            licence("C", line(1, "100 NAR"), line(2, "100 NAR"), cap="50 NAR"), LicenceEventKind.ISSUED
        ),
    )
    await apply(stored, stored.customs.accepted("M1", cite("C", 20, line=1)))
    await apply(stored, stored.customs.accepted("M2", cite("C", 20, line=1), cite("C", 20, line=2)))
    assert await stored.balance("C", 0) == "20/0/30"
    assert "OK_RESERVED" not in await stored.verdict("M2")


async def test_figures_that_change_are_told_whatever_the_words_of_the_outcome(stored: Scenario) -> None:
    """Released three times with other figures: the same outcome each time, and each time another document."""
    await apply(stored, stored.customs.accepted("M1", A=10))
    told = []
    for figure in ("8", "6", "7"):
        await apply(stored, stored.customs.released("M1", A=figure))
        (claim,) = await stored.claims("M1")
        told.append((await stored.dv("M1"), str(claim.outcome), int(claim.consumed.quantity)))
    assert [(dv, figure) for dv, _, figure in told] == [(2, 8), (3, 6), (4, 7)]
    assert told[1][1] == told[2][1]


async def test_beyond_a_lowered_limit_nothing_is_free(stored: Scenario) -> None:
    """80 are in use when the limit becomes 60: the 20 above it are no room for anybody."""
    await apply(stored, stored.customs.accepted("M1", A=80))
    await stored.modify("A", "60 NAR")
    assert await stored.cap("A") == "60 over 20"
    await apply(stored, stored.customs.accepted("M2", A=10))
    assert await stored.verdict("M2") == "REFUSED QUANTITY_EXCEEDED"
    assert await stored.balance("A") == "80/0/0"
