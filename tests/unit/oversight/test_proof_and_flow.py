"""The proof of a journal, balance bars, rates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from certex_bridge.kernel.canonical import GENESIS, chain
from certex_bridge.ledger.domain.journal import entry_text
from certex_bridge.oversight.console.bars import WIDTH, bar
from certex_bridge.oversight.console.flow import Rates
from certex_bridge.oversight.console.proof import CHUNK, FIRST, Proof, computed, marked

ZERO = Decimal(0)


def journal(number: int) -> list[dict[str, Any]]:
    rows, link = [], GENESIS
    for lv in range(1, number + 1):
        row = {"licence_id": "BE/A", "lv": lv, "seq": 1, "line_no": 1, "dim": "QTY", "kind": "RESERVE", "event_id": f"e{lv}", "claim": "c",
               "d_cap": ZERO, "d_res": Decimal("1.500000"), "d_cons": ZERO, "d_over": ZERO, "at": "2026-03-01T10:00:00Z", "detail": ""}  # fmt: skip
        link = chain(
            link,
            entry_text(
                "BE/A",
                lv,
                1,
                1,
                "QTY",
                "RESERVE",
                f"e{lv}",
                "c",
                (ZERO, Decimal("1.5"), ZERO, ZERO),
                str(row["at"]),
                "",
            ),
        )
        rows.append(row | {"chain": link.hex()})
    return rows


def test_a_sound_journal_is_proved() -> None:
    rows = journal(3)
    assert [row["proved"] for row in marked(FIRST, rows)] == [True] * 3
    assert [row["proved"] for row in marked(rows[0]["chain"], rows[1:])] == [True] * 2


def test_a_changed_figure_breaks_its_own_entry_only() -> None:
    rows = journal(3)
    rows[1]["d_res"] = Decimal(9)
    assert [row["proved"] for row in marked(FIRST, rows)] == [True, False, True]


def test_a_journal_does_not_prove_another_licence() -> None:
    rows = [row | {"licence_id": "BE/B"} for row in journal(2)]
    assert [row["proved"] for row in marked(FIRST, rows)] == [False] * 2


def test_what_is_no_hash_or_no_figure_proves_nothing() -> None:
    row = journal(1)[0]
    assert computed("xyz", row) == ""
    assert computed(FIRST, row | {"d_res": Decimal("NaN")}) == ""


async def test_a_walk_over_a_whole_journal() -> None:
    rows = journal(CHUNK + 3)
    sound, broken = Proof(), Proof()
    await sound.walk(rows[:10])
    await sound.walk(rows[10:])
    assert (sound.rows, sound.broken, sound.head) == (CHUNK + 3, "", rows[-1]["chain"])
    rows[4]["detail"] = "touched"
    rows[7]["detail"] = "touched"
    await broken.walk(rows)
    assert broken.broken == "5.1"


def account(cap: int, reserved: int, consumed: int) -> dict[str, Decimal]:
    return {"cap": Decimal(cap), "reserved": Decimal(reserved), "consumed": Decimal(consumed)}


def test_bars_are_shares_of_the_limit() -> None:
    half = bar(account(100, 20, 30))
    assert (half.consumed, half.reserved, half.over, half.percent) == (WIDTH * 0.3, WIDTH * 0.2, 0, 50)


def test_a_bar_beyond_the_limit_is_that_of_what_is_in_use() -> None:
    beyond = bar(account(100, 0, 200))
    assert (beyond.consumed, beyond.over, beyond.percent) == (WIDTH, WIDTH / 2, 200)
    assert bar(account(0, 0, 5)).percent == 100
    assert bar(account(0, 0, 0)).percent == 0


def test_a_nearly_full_licence_is_not_shown_as_full() -> None:
    assert bar(account(1_000, 0, 999)).percent == 99


def test_rates_are_means_of_the_last_minute() -> None:
    now = [0.0]
    rates = Rates(lambda: now[0])
    rates.look({("t", 0): 100}, 5)
    first = rates.topics(None)[0]
    assert (first.rate, first.lag, rates.written_rate()) == (None, None, None)
    now[0] = 10.0
    rates.look({("t", 0): 150, ("t", 1): 50}, 25)
    told = rates.topics({("t", 0): 160, ("t", 1): 50, ("u", 0): 3})
    assert [(one.topic, one.read, one.rate, one.lag) for one in told] == [("t", 200, 10.0, 10), ("u", 0, 0.0, 3)]
    assert rates.written_rate() == 2.0
    now[0] = 90.0
    assert rates.look({("t", 0): 150, ("t", 1): 50}, 25).at == 90.0
