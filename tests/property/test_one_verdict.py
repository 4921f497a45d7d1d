"""One question gets one verdict, at whatever door it is asked.

`CERTEX_DOORS_DECLARATIONS` sets the number of declarations of the long run, `CERTEX_DOORS_SEED` where both begin.
"""

from __future__ import annotations

import os
from dataclasses import replace
from random import Random

import asyncpg
import pytest

from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.adapters.reader import PostgresReader, ReadLimits
from certex_bridge.ledger.domain.policy import Policy, SettleGroup
from tests.support import door_questions
from tests.support.clearance import goods
from tests.support.doors import Doors, LightStore, Question, Verdicts, check, fork, move
from tests.support.ledger_words import licence
from tests.support.scenario import Scenario

SEED = int(os.environ.get("CERTEX_DOORS_SEED", "20260301"))
LONG = int(os.environ.get("CERTEX_DOORS_DECLARATIONS", "10000"))
PER_LEDGER = 25
"""Declarations that are asked about on one ledger, each third of which stays."""


async def test_every_door_gives_the_same_verdict() -> None:
    await asked_at_all_doors(300)


async def test_a_refusal_stands_at_every_door_until_the_content_changes() -> None:
    """Room that appears later is for the next version, or for a new attempt that somebody asks for."""
    doors = Doors(LightStore(), Policy())
    story = Scenario(doors.store, doors.policy)
    await story.issue(licence("A", "100"))
    too_much = Question("M1", (goods(1, A="120"),))
    await doors.move(too_much, "RESERVE", doors.store)
    await story.modify("A", "200")
    told = await doors.check(too_much)
    assert told == {(1, 1, "BE/A"): ("REFUSED", ("QUANTITY_EXCEEDED",))}
    assert told == await doors.check(too_much, dryRun="RESERVE") == await doors.move(too_much, "RESERVE", doors.store)
    next_version = replace(too_much, version=2)
    granted = {(1, 1, "BE/A"): ("OK_AVAILABLE", ())}
    assert granted == await doors.check(replace(next_version, items=(goods(1, A="121"),)))
    assert granted == await doors.move(next_version, "ADJUST", doors.store)


async def test_a_dry_run_is_refused_as_the_call_would_be() -> None:
    doors = Doors(LightStore(), Policy())
    story = Scenario(doors.store, doors.policy)
    await story.issue(licence("A", "100"))
    first, other = Question("M1", (goods(1, A="40"),)), Question("M1", (goods(1, A="41"),))
    place = (1, 1, "BE/A")
    assert await doors.check(first, dryRun="ADJUST") == {place: ("REFUSED", ("MRN_UNKNOWN",))}
    await doors.move(first, "RESERVE", doors.store)
    await doors.move(replace(first, version=3), "ADJUST", doors.store)
    assert await doors.check(replace(other, version=3), dryRun="RESERVE") == {place: ("REFUSED", ("CLAIM_CONFLICT",))}
    assert await doors.check(replace(other, version=2), dryRun="ADJUST") == {place: ("REFUSED", ("VERSION_OLD",))}
    await doors.move(first, "WITHDRAW", doors.store)
    assert await doors.check(replace(other, version=4), dryRun="ADJUST") == {place: ("REFUSED", ("CLAIM_STATE",))}


@pytest.mark.slow
@pytest.mark.timeout(0)
async def test_every_door_gives_the_same_verdict_for_long() -> None:
    await asked_at_all_doors(LONG, SEED + 1)


async def asked_at_all_doors(declarations: int, seed: int = SEED) -> None:
    """So many declarations, on ledgers made anew."""
    print(f"seed {seed}")  # noqa: T201  # shown when it fails
    seen: dict[str, int] = {}
    for number in range(declarations):
        if number % PER_LEDGER == 0:
            random = Random(f"{seed}/{number}")  # no secret
            doors = Doors(LightStore(), door_questions.policy(random))
            story = Scenario(doors.store, doors.policy)
            story.careful = False
            known = await door_questions.populate(story, random)
        question = door_questions.question(random, f"M{number + 1}", known)
        told = await doors.ask(question)
        agree(told, f"seed {seed}, declaration {number}: {question}")
        for outcome, reasons in told["check"].values():
            for name in (outcome, *reasons):
                seen[name] = seen.get(name, 0) + 1
        if number % 3 == 0:
            await then(doors, random, question, known)
    assert len(seen) > 20, f"the declarations differ too little: {seen}"


async def then(doors: Doors, random: Random, question: Question, known: list[door_questions.Known]) -> None:
    """Accept the declaration, perhaps release it, and ask about its next version."""
    await doors.move(question, "RESERVE", doors.store)
    agree(
        {
            "check": await doors.check(question),
            "reserve": await doors.move(question, "RESERVE", fork(doors.store)),
        },
        f"told again: {question}",
    )
    if random.random() < 0.3:
        await doors.move(question, "CONSUME", doors.store)
    changed = door_questions.amended(random, question, known)
    asked = {
        "check": await doors.check(changed),
        "dry run": await doors.check(changed, dryRun="ADJUST"),
        "adjust": await doors.move(changed, "ADJUST", fork(doors.store)),
    }
    cited = asked["check"].keys()
    agree({door: {k: v for k, v in told.items() if k in cited} for door, told in asked.items()}, f"amended: {changed}")


def agree(told: dict[str, Verdicts], about: str) -> None:
    """All doors say the same of every document."""
    first, *others = told
    for door in others:
        assert told[door] == told[first], f"{door} differs from {first}\n{told[door]}\n{told[first]}\n{about}"


@pytest.mark.postgres
async def test_every_door_gives_the_same_verdict_on_postgresql(database_url: str) -> None:
    """What a check reads in one statement, and what a call locks, are the same."""
    random = Random(f"{SEED}/postgres")  # no secret
    async with asyncpg.create_pool(database_url, min_size=1, max_size=4, server_settings={"timezone": "UTC"}) as pool:
        store, policy = PostgresStore(pool), Policy(settle_group=SettleGroup.DECLARATION, unit_aliases=True)
        reader = PostgresReader(pool, ReadLimits(check=20, shown=20, connection=20))
        known = await door_questions.populate(Scenario(store, policy), random)
        for number in range(40):
            question = door_questions.question(random, f"M{number + 1}", known)
            for asked, movement in [
                (question, "RESERVE"),
                (question, "RESERVE"),
                (door_questions.amended(random, question, known), "ADJUST"),
            ]:
                call = f"{number}-{movement}-{asked.version}-{random.random()}"
                told = {
                    "check": await check(reader, policy, asked, call),
                    "dry run": await check(reader, policy, asked, call, dryRun=movement),
                    movement: await move(store, policy, asked, movement, call),
                }
                cited = told["check"].keys()
                kept = {door: {place: v[place] for place in v if place in cited} for door, v in told.items()}
                agree(kept, f"seed {SEED}, {movement} of declaration {number}: {asked}")
