"""A licence in a currency that the euro replaces (Regulation (EC) No 974/98 Art. 14; for the lev (EU) 2025/1408)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.ledger.adapters.memory import InMemoryUnit
from certex_bridge.ledger.commands import Delivery
from certex_bridge.ledger.domain.model import Dim
from certex_bridge.ledger.domain.policy import FigureSource, Policy
from certex_bridge.ledger.ports import Origin
from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.licensing.domain.licence import Licence
from certex_bridge.operations.composition import transient
from certex_bridge.platform.database_errors import Overtaken
from tests.support.by_hand import captured, overridden, write_off
from tests.support.ledger_words import cite, item, licence, line, mrn_of
from tests.support.scenario import Scenario

LAST_YEAR: dict[str, Any] = {"on": "2025-12-10", "at": "2025-12-10T10:00Z"}
LEV: dict[str, Any] = {"issue_date": date(2025, 6, 1), "valid_from": date(2025, 6, 1)}


async def in_lev(s: Scenario, *limits: Any, **more: Any) -> Licence:
    """Licence G of the Bulgarian authority, in lev."""
    told = licence("BG/G", *(limits or ("100000.00 BGN",)), **LEV | more)
    await s.issue(told)
    return told


async def in_euro(s: Scenario, *limits: Any, **more: Any) -> list[str]:
    """Its next version in euro; the findings told to the authority."""
    answer = await s.modify("BG/G", *(limits or ("51129.19 EUR",)), **more)
    assert answer.result == "ACCEPTED"
    return await s.acknowledged(answer)


def lev(figure: str) -> dict[str, Any]:
    """Content that cites G with this value."""
    return {"BG/G": figure}


@pytest.mark.row("E131")
async def test_a_licence_in_use_becomes_a_licence_in_euro(s: Scenario) -> None:
    await becomes_euro(s)


@pytest.mark.row("E131")
async def test_a_licence_in_use_becomes_a_licence_in_euro_in_the_database(pg: Scenario) -> None:
    await becomes_euro(pg)


async def becomes_euro(s: Scenario) -> None:
    """40,000.00 lev were used, 10,000.01 are held; then the authority states the licence in euro."""
    await in_lev(s)
    await s.accepted("M1", **lev("40000.00 BGN"), **LAST_YEAR)
    await s.released("M1", at="2025-12-11T10:00Z")
    await s.accepted("M2", **lev("10000.01 BGN"), **LAST_YEAR)
    assert await in_euro(s) == ["REDENOMINATED"]
    assert await s.values("BG/G") == "5112.92/20451.68/25564.59"
    await s.accepted("M3", **lev("1000.00 EUR"))
    assert await s.verdict("M3") == "OK_RESERVED"
    await s.released("M2")
    assert await s.values("BG/G") == "1000/25564.6/24564.59"
    await s.invalidated("M1")
    assert await s.values("BG/G") == "1000/5112.92/45016.27"
    await s.amended("M2", **lev("20000.00 BGN"))
    assert await s.values("BG/G") == "1000/10225.84/39903.35"
    account = (await s.state("BG/G")).accounts[1, Dim.VAL]
    assert (account.unit, account.replaced, str(account.cap)) == ("EUR", "BGN", "51129.19")


async def test_the_journal_shows_what_was_restated(s: Scenario) -> None:
    await in_lev(s)
    await s.accepted("M1", **lev("40000.00 BGN"), **LAST_YEAR)
    await s.released("M1", at="2025-12-11T10:00Z")
    await in_euro(s)
    journal = [m for m in (await s.sound()).movements if m.licence_id == "BG/G"][-4:]
    claim = f"{mrn_of('M1')}#1.1@BG/G:1"
    assert [(m.kind, m.claim, str(m.d_cap), str(m.d_consumed), m.detail) for m in journal[:3]] == [
        ("REDENOMINATE", claim, "0", "-19548.32", "BGN/EUR 1.95583"),
        ("REDENOMINATE", "", "-48870.81", "0", "BGN/EUR 1.95583"),
        ("CAP", "", "0.00", "0", "EUR"),
    ]
    assert journal[3].kind == "VERSION"
    (balance,) = [one for one in await s.messages("balance", "BG/G") if one["cause"]["kind"] == "REDENOMINATE"]
    assert balance["accounts"]["1.VAL"] == ["51129.19", "0", "20451.68"]


async def test_each_claim_is_an_amount_and_the_difference_of_their_sum_is_told(s: Scenario) -> None:
    """Three claims of a hundred lev are 51.13 each; three hundred lev would be 153.39: two claims are enough to differ."""
    await in_lev(s, "300.00 BGN")
    for name in ("M1", "M2", "M3"):
        await s.accepted(name, **lev("99.99 BGN"), **LAST_YEAR)
    answer = await s.modify("BG/G", "153.39 EUR")
    (told,) = await s.messages("acknowledgement", answer.event_id)
    assert told["findings"] == ["REDENOMINATED"]
    assert await s.values("BG/G") == "153.36/0/0.03"  # 3 x 51.12; 299.97 lev would be 153.37


async def test_cents_that_the_sum_is_above_the_limit_are_over_and_grant_nothing(s: Scenario) -> None:
    await in_lev(s, "0.03 BGN")
    for name in ("M1", "M2", "M3"):
        await s.accepted(name, **lev("0.01 BGN"), **LAST_YEAR)
    assert await in_euro(s, "0.02 EUR") == ["REDENOMINATED", "CAP_BELOW_USE"]
    account = (await s.state("BG/G")).accounts[1, Dim.VAL]
    assert (str(account.reserved), str(account.over), str(account.available)) == ("0.03", "0.01", "0")
    assert await s.notifications("BG/G") == ["INCIDENT CAP_BELOW_USE"]


async def test_a_limit_over_the_whole_licence_and_a_line_taken_out_are_restated_too(s: Scenario) -> None:
    await in_lev(s, "100.00 BGN", "100.00 BGN", cap="150.00 BGN")
    await s.accepted("M1", item(**{"BG/G": "50.00 BGN"}), **LAST_YEAR)
    await s.modify("BG/G", lines=(line(2, "100.00 BGN"),))
    await s.modify("BG/G", lines=(line(2, "51.13 EUR"),), cap=licence("x", cap="76.69 EUR").cap)
    accounts = (await s.state("BG/G")).accounts
    figures = {key[0]: (one.unit, format_decimal(one.cap), str(one.reserved)) for key, one in accounts.items()}
    assert figures == {0: ("EUR", "76.69", "25.56"), 1: ("EUR", "0", "25.56"), 2: ("EUR", "51.13", "0")}
    await s.invalidated("M1")
    assert await s.values("BG/G", 0) == "0/0/76.69"


async def test_limits_of_quantity_stay_as_they_are(s: Scenario) -> None:
    await in_lev(s, "10 NAR + 100.00 BGN")
    await s.accepted("M1", **lev("4 NAR + 50.00 BGN"), **LAST_YEAR)
    await in_euro(s, "10 NAR + 51.13 EUR")
    assert (await s.balance("BG/G"), await s.values("BG/G")) == ("4/0/6", "25.56/0/25.57")


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (("51129.19 USD",), "UNIT_CHANGED_WITH_USE"),
        (("100.00 EUR", "100.00 BGN"), "UNIT_CHANGED_WITH_USE"),
        (("10 NAR",), "CONTROL_CHANGED_WITH_USE"),
    ],
)
async def test_any_other_change_of_the_currency_is_refused(s: Scenario, limits: tuple[str, ...], code: str) -> None:
    await in_lev(s)
    await s.accepted("M1", **lev("40000.00 BGN"), **LAST_YEAR)
    answer = await s.modify("BG/G", *limits)
    assert (answer.result, await s.acknowledged(answer)) == ("REFUSED", [code])


async def test_before_the_day_of_adoption_a_currency_is_another_one(s: Scenario) -> None:
    """The day is the one at the authority: New Year in Sofia is at ten in the evening UTC."""
    told = await in_lev(s)
    await s.accepted("M1", **lev("40000.00 BGN"), **LAST_YEAR)
    for moment, result in (("21:59", "REFUSED"), ("22:00", "ACCEPTED")):
        snapshot = replace(told, version=2, lines=licence("x", "51129.19 EUR").lines)
        event = s.authority.event(snapshot, LicenceEventKind.MODIFIED)
        hour, minute = map(int, moment.split(":"))
        (answer,) = await s.tell(replace(event, occurred_at=datetime(2025, 12, 31, hour, minute, tzinfo=UTC)))
        assert answer.result == result


@pytest.mark.parametrize(
    ("on", "declared", "verdict"),
    [
        ("2026-01-01", "1955.83 BGN", "OK_RESERVED"),
        ("2026-01-01", "195583.02 BGN", "REFUSED VALUE_EXCEEDED"),
        ("2025-12-31", "1955.83 BGN", "REFUSED CURRENCY_MISMATCH"),
        ("2026-01-01", "1955.83 USD", "REFUSED CURRENCY_MISMATCH"),
    ],
)
async def test_lev_on_a_licence_in_euro(s: Scenario, on: str, declared: str, verdict: str) -> None:
    """From the day of adoption on an amount in lev is an amount in euro; before it is in another currency."""
    await s.issue(licence("BG/E", "100000.00 EUR", **LEV))
    await s.accepted("M1", **{"BG/E": declared}, on=on)
    assert await s.verdict("M1") == verdict
    if verdict == "OK_RESERVED":
        assert await s.values("BG/E") == "1000/0/99000"
        (claim,) = await s.claims("M1")
        assert claim.source == "BGN/EUR 1.95583"


async def test_what_was_declared_before_in_lev_and_comes_late_counts_on_a_restated_licence(s: Scenario) -> None:
    await in_lev(s)
    await in_euro(s)
    await s.accepted("M1", **lev("40000.00 BGN"), **LAST_YEAR)
    assert await s.values("BG/G") == "20451.68/0/30677.51"
    await s.released("M1", **{"BG/G": "30000.00 BGN"})
    assert await s.values("BG/G") == "0/15338.76/35790.43"


async def test_euro_on_a_licence_not_restated_yet_is_refused_and_says_what_is_missing(s: Scenario) -> None:
    await in_lev(s)
    await s.accepted("M1", **lev("1000.00 EUR"))
    assert await s.verdict("M1") == "REFUSED CURRENCY_MISMATCH"
    (claim,) = (await s.messages("outcome", mrn_of("M1")))[-1]["claims"]
    ((_, told),) = claim["failed"]
    assert (told["declared"], told["available"]) == ("EUR", "BGN (EUR since 2026-01-01)")
    await in_euro(s)
    await s.recheck("M1")
    assert await s.values("BG/G") == "1000/0/50129.19"


@pytest.mark.row("E131")
@pytest.mark.parametrize("released", [False, True])
async def test_euro_refused_before_the_restated_licence_was_told_is_granted_with_it(
    s: Scenario, pg: Scenario, released: bool
) -> None:
    """The licence was in euro by law from the day of adoption on; its new version only comes late."""
    for each in (s, pg):
        await in_lev(each)
        await each.accepted("M1", item(cite("A", 5), cite("BG/G", "1000.00 EUR")))
        assert await each.verdict("M1") == "REFUSED GROUP_REFUSED, REFUSED CURRENCY_MISMATCH"
        if released:
            await each.released("M1")
        await in_euro(each)
        await each.wake()
        used = "0/1000" if released else "1000/0"
        assert await each.values("BG/G") == f"{used}/50129.19"
        assert await each.balance("A") == ("0/5/95" if released else "5/0/95")


async def test_what_was_refused_or_left_uncovered_is_told_in_euro(s: Scenario) -> None:
    await in_lev(s, "100.00 BGN")
    await s.accepted("M1", **lev("60.00 BGN"), **LAST_YEAR)
    await s.released("M1", **{"BG/G": "130.00 BGN"}, at="2025-12-11T10:00Z")
    await s.accepted("M2", **lev("500.00 BGN"), **LAST_YEAR)
    before = (await s.claims("M1"))[0]
    assert (str(before.consumed.value), str(before.uncovered.value)) == ("60.00", "70.00")
    await in_euro(s, "51.13 EUR")
    ((uncovered,), (refused,)) = (await s.claims("M1"), await s.claims("M2"))
    assert (str(uncovered.consumed.value), str(uncovered.uncovered.value)) == ("30.68", "35.79")
    assert (refused.state, str(refused.requested.value)) == ("REFUSED", "255.65")
    movements = len((await s.sound()).movements)
    await s.accepted("M2", **lev("500.00 BGN"), **LAST_YEAR)
    assert (await s.verdict("M2"), len((await s.sound()).movements)) == ("REFUSED VALUE_EXCEEDED", movements)


async def test_an_officer_and_a_paper_form_speak_lev_too(s: Scenario) -> None:
    await in_lev(s, "1000.00 BGN")
    await s.accepted("M1", **lev("100.00 BGN"), **LAST_YEAR)
    await s.tell(captured(s.authority, write_off("BG/G", {1: "200.00 BGN"})))
    assert await s.values("BG/G") == "100/200/700"
    await in_euro(s, "511.29 EUR")
    assert await s.values("BG/G") == "51.13/102.26/357.9"
    await s.tell(overridden(s.customs, "M1", "AMEND", {(1, 1): "150.00 BGN"}))
    assert (await s.verdict("M1"), await s.values("BG/G")) == ("OK_OVERRIDDEN", "76.69/102.26/332.34")
    await s.tell(captured(s.authority, write_off("BG/G", {1: "100.00 BGN"})))
    assert await s.values("BG/G") == "76.69/51.13/383.47"


async def test_the_amount_of_an_item_stands_in_for_the_document(with_policy: Any) -> None:
    s = await with_policy(Policy(ladder=(FigureSource.DOCUMENT, FigureSource.ITEM_AMOUNT)))
    await in_lev(s)
    await in_euro(s)
    amount = licence("x", "40000.00 BGN").lines[0].value
    await s.accepted("M1", item(about={"amount": amount}, **{"BG/G": ""}))
    assert await s.values("BG/G") == "20451.68/0/30677.51"
    await s.accepted("M2", item(**{"BG/G": ""}))
    assert await s.verdict("M2") == "REFUSED VALUE_MISSING"
    await s.finish()


async def test_one_batch_with_everything(s: Scenario) -> None:
    """Issued, used and restated in one transaction, as after a long absence."""
    first = licence("BG/G", "100.00 BGN", **LEV)
    second = replace(first, version=2, lines=licence("x", "51.13 EUR").lines)
    await s.tell(
        s.licence_event(first, LicenceEventKind.ISSUED),
        s.customs.accepted("M1", **lev("40.00 BGN"), **LAST_YEAR),
        s.licence_event(second, LicenceEventKind.MODIFIED),
        s.customs.accepted("M2", **lev("1.00 EUR")),
    )
    assert await s.values("BG/G") == "21.45/0/29.68"


async def test_a_claim_that_comes_between_two_looks_begins_the_transaction_anew(
    s: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    await in_lev(s)
    await s.accepted("M1", **lev("40000.00 BGN"), **LAST_YEAR)
    looks = iter([set(), {mrn_of("M1")}])

    async def value_holders(_unit: InMemoryUnit, _ids: object) -> set[str]:
        return next(looks)

    with monkeypatch.context() as patched:
        patched.setattr(InMemoryUnit, "value_holders", value_holders)
        with pytest.raises(Overtaken):
            await in_euro(s)
    assert await s.values("BG/G") == "40000/0/60000"
    assert transient(Overtaken()) == "serialization"
    await s.executor.apply([s.told[-1]])
    assert await s.values("BG/G") == "20451.68/0/30677.51"


async def test_many_claims_of_other_callers_meet_the_new_version(pg: Scenario) -> None:
    """The version and forty acceptances at once: whoever comes first, the figures are those of one order or another."""
    await in_lev(pg, "1000.00 BGN")
    for number in range(20):
        await pg.accepted(f"M{number}", **lev("10.00 BGN"), **LAST_YEAR)
    version = pg.licence_event(pg.next_version("BG/G", "511.29 EUR"), LicenceEventKind.MODIFIED)
    told = [pg.customs.accepted(f"M{number}", **lev("10.00 BGN"), **LAST_YEAR) for number in range(20, 40)]

    async def deliver(command: Any) -> None:
        while True:
            try:
                await pg.executor.apply([Delivery(Origin("t", 0, 1), command)])
            except Exception as error:
                if transient(error) is None:
                    raise
            else:
                return

    await asyncio.gather(deliver(version), *(deliver(one) for one in told))
    assert await pg.values("BG/G") == "204.4/0/306.89"  # 40 x 5.11
