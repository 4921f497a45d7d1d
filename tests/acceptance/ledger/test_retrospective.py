"""Declarations lodged after the goods left (11 02 R; UCC-DA Art. 249, UCC-IA Art. 337): the day of exit counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.ports import OpenClaim
from certex_bridge.licensing.domain.commands import ExporterBar, LicenceEventKind
from certex_bridge.licensing.domain.licence import LicenceType
from tests.support.ledger_words import HOLDER, Customs, cite, licence, mrn_in, mrn_of
from tests.support.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

RETROSPECTIVE = {"additional_type": "R"}
WINTER: dict[str, Any] = {"valid_from": date(2026, 1, 5), "valid_to": date(2026, 2, 28)}


async def findings(s: Scenario, name: str = "M1") -> list[str]:
    """Codes of the last outcome's remarks."""
    return [finding["code"] for finding in (await s.messages("outcome", mrn_of(name)))[-1]["findings"]]


@pytest.mark.row("UCC-DA 249")
async def test_what_left_while_the_licence_was_valid_is_covered(s: Scenario) -> None:
    await s.issue(licence("W", "100 NAR", **WINTER))
    await s.accepted("M1", W=40, on="2026-03-10", left="2026-02-20", about=RETROSPECTIVE)
    assert (await s.verdict("M1"), await findings(s)) == ("OK_RESERVED", [])
    await s.released("M1")
    assert await s.balance("W") == "0/40/60"


@pytest.mark.row("UCC-DA 249")
async def test_an_exit_confirmed_after_the_release_states_the_day_too(s: Scenario) -> None:
    await told_at_exit(s)


async def test_the_database_keeps_the_day_of_exit(pg: Scenario) -> None:
    await told_at_exit(pg)


async def told_at_exit(s: Scenario) -> None:
    """The day comes with the confirmation of exit only."""
    await s.issue(licence("W", "100 NAR", **WINTER))
    await s.accepted("M1", W=40, on="2026-03-10", about=RETROSPECTIVE)
    assert (await s.verdict("M1"), await findings(s)) == ("REFUSED EXPIRED_AT_ACCEPTANCE", ["DAY_OF_EXIT_MISSING"])
    await s.released("M1")
    assert await s.verdict("M1") == "UNCOVERED UNCOVERED EXPIRED_AT_ACCEPTANCE"
    await s.exited("M1")
    assert await s.balance("W") == "0/0/100"
    await s.exited("M1", "2026-02-20")
    assert (await s.verdict("M1"), await s.balance("W"), await findings(s)) == ("OK_CONSUMED", "0/40/60", [])


@pytest.mark.parametrize(
    ("left", "verdict", "remarks"),
    [
        ("2026-02-28", "OK_RESERVED", []),
        ("2026-03-01", "REFUSED EXPIRED_AT_EXIT", []),
        ("2026-01-04", "REFUSED NOT_YET_VALID_AT_EXIT", []),
        ("2026-03-10", "REFUSED EXPIRED_AT_EXIT", []),
        ("2026-03-11", "REFUSED EXPIRED_AT_ACCEPTANCE", ["DAY_OF_EXIT_LATE"]),
        ("2026-02-28T23:30:00+01:00", "OK_RESERVED", []),
        ("2026-02-28T23:30:00Z", "REFUSED EXPIRED_AT_EXIT", []),
    ],
)
async def test_the_day_of_exit_is_judged_like_that_of_acceptance(
    s: Scenario, left: str, verdict: str, remarks: list[str]
) -> None:
    await s.issue(licence("W", "100 NAR", **WINTER))
    await s.accepted("M1", W=40, on="2026-03-10", left=left, about=RETROSPECTIVE)
    assert (await s.verdict("M1"), await findings(s)) == (verdict, remarks)


async def test_the_day_of_exit_is_that_of_the_declaring_office(s: Scenario) -> None:
    await s.issue(licence("W", "100 NAR", **WINTER))
    for state, verdict in (("PT", "OK_RESERVED"), ("BE", "REFUSED EXPIRED_AT_EXIT")):
        mrn = mrn_in(state, "M1")
        left = "2026-02-28T23:30:00Z"
        await s.tell(s.customs.accepted(mrn, cite("W", 1), on="2026-03-10", left=left, about=RETROSPECTIVE))
        assert await s.verdict(mrn) == verdict


@pytest.mark.parametrize("kind", ["A", "B", "C"])
async def test_of_any_other_declaration_acceptance_counts(s: Scenario, kind: str) -> None:
    await s.issue(licence("W", "100 NAR", **WINTER))
    await s.accepted("M1", W=40, on="2026-03-10", left="2026-02-20", about={"additional_type": kind})
    assert (await s.verdict("M1"), await findings(s)) == ("REFUSED EXPIRED_AT_ACCEPTANCE", [])
    await s.accepted("M2", W=40, on="2026-02-20", about={"additional_type": kind})
    await s.exited("M2", "2026-03-20")
    assert await s.verdict("M2") == "OK_RESERVED"


async def test_the_last_word_on_the_day_counts_in_any_order(s: Scenario) -> None:
    await s.issue(licence("W", "100 NAR", **WINTER))
    told: dict[str, Any] = {"on": "2026-03-10", "at": "2026-03-10T08:00Z", "left": "2026-03-05"}
    accepted = s.customs.accepted("M1", W=40, about=RETROSPECTIVE, **told)
    confirmed = s.customs.exited("M1", "2026-02-20", at="2026-03-10T09:00Z")
    await s.tell(confirmed, accepted)
    assert await s.verdict("M1") == "OK_RESERVED"
    await s.tell(s.customs.exited("M1", "2026-03-02", at="2026-03-10T10:00Z"))
    assert await s.balance("W") == "40/0/60"  # what is held stays, as after a shorter validity
    await s.accepted("M2", W=1, on="2026-03-10", left="2026-03-02", about=RETROSPECTIVE)
    assert await s.verdict("M2") == "REFUSED EXPIRED_AT_EXIT"


@pytest.mark.parametrize(
    ("bar_from", "verdict"), [(date(2026, 2, 20), "REFUSED BARRED"), (date(2026, 2, 21), "OK_NOT_MANAGED")]
)
async def test_everything_that_depends_on_a_day_is_judged_on_it(
    with_policy: Callable[..., Any], bar_from: date, verdict: str
) -> None:
    s = await with_policy(Policy())
    await s.issue(licence("E", "", type=LicenceType.EU002))
    bar = ExporterBar("BE", HOLDER, (), bar_from)
    await s.tell(s.authority.event(None, LicenceEventKind.EXPORTER_BARRED, bar=bar))
    await s.accepted("M1", cite("E", 1, code="X062"), on="2026-03-10", left="2026-02-20", about=RETROSPECTIVE)
    assert await s.verdict("M1") == verdict
    await s.finish()


@pytest.mark.parametrize(("left", "on", "told"), [
    ("2026-02-20", "2026-03-10", "2026-02-20"), ("2026-03-20", "2026-03-10", "2026-03-10"), ("2026-02-20", "", ""),
])  # fmt: skip
def test_a_push_is_about_the_day_that_counts(left: str, on: str, told: str) -> None:
    customs = Customs()
    accepted = customs.accepted("M1", W=1, on=on or "2026-03-10", left=left, about=RETROSPECTIVE).facts
    facts = accepted if on else replace(accepted, accepted=None, acceptance_day="", lodged=accepted.accepted)
    assert OpenClaim.of("BE/W", "M1", 1, 1, "RESERVED", "X060", facts).accepted == told
