"""A slice of the corpus of hostile inputs: the answers only, never the time; `make attack` sends all of it and measures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attack import door, inside
from tests.attack.attacks import Attack, RecordIn, Request, Wire
from tests.attack.bait import Bait, bait

EVERY = 12
"""Of what is sent over a connection, one in so many; the others by `make attack`."""
LARGE_BYTES = 300_000
"""What is larger is left to `make attack`."""


@pytest.fixture(scope="module")
def lure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bait]:
    with bait(tmp_path_factory.mktemp("bait")) as made:
        yield made


def size(attack: Attack) -> int:
    match attack.what:
        case RecordIn():
            return len(attack.what.value or b"")
        case Request():
            return len(attack.what.body)
        case Wire():
            return sum(map(len, attack.what.parts))
    return 0


def test_the_corpus_is_large_and_each_input_has_a_name_of_its_own() -> None:
    corpus = [*inside.attacks(), *door.attacks()]
    names = {(attack.kind, attack.name) for attack in corpus}
    assert len(names) == len(corpus) >= 1_800


def test_records_tokens_and_addresses_are_refused_with_their_codes(lure: Bait) -> None:
    small = [attack for attack in inside.attacks() if size(attack) < LARGE_BYTES]
    answers = [(attack, inside.answer(attack, lure)[0]) for attack in small]
    assert [(attack.kind, attack.name, answer) for attack, answer in answers if not attack.is_right(answer)] == []
    assert lure.visits == 0


def test_a_live_gateway_and_its_console_answer_as_they_should_and_touch_nothing(
    lure: Bait, database_url: str, bootstrap_servers: str, tmp_path: Path
) -> None:
    corpus = [attack for attack in door.attacks() if size(attack) < LARGE_BYTES]
    with door.Door(database_url, bootstrap_servers, tmp_path) as gateway:
        gateway.answer(corpus[0], lure)  # what is imported late is imported now
        known = len(gateway.touched.read_text("utf-8"))
        answers = [(attack, gateway.answer(attack, lure)[0]) for attack in corpus[::EVERY]]
        assert [(attack.kind, attack.name, answer) for attack, answer in answers if not attack.is_right(answer)] == []
        assert gateway.touched.read_text("utf-8")[known:] == ""
    assert lure.visits == 0
