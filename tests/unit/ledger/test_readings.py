"""How references, lodgings and versions are read where something is left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from certex_bridge.ledger.domain.citations import Reading, readings
from certex_bridge.ledger.domain.content import ClaimSpec, Payload
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.issuers import cited_number
from certex_bridge.ledger.domain.lodgings import DraftEvent, split_lodgings
from certex_bridge.ledger.domain.model import Account, Dim, LicenceState
from certex_bridge.ledger.domain.requests import Requests, considered
from certex_bridge.ledger.domain.stamps import PayloadRank, Stamp
from certex_bridge.ledger.domain.versions import Verdict, judge
from tests.support.ledger_words import Authority, licence, line

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def spec(reference: str, **more: object) -> ClaimSpec:
    return ClaimSpec(1, 1, "X060", "BE/AB-7", reference, 7, None, None, **more)  # type: ignore[arg-type]


def test_a_reference_with_its_issuer_that_ends_like_a_line_is_read_both_ways() -> None:
    assert readings(spec("AB-7", suffix=7)) == [Reading("AB", 7, "BE", True), Reading("AB-7", None, "BE")]


def test_the_number_of_a_citation_without_reference_is_that_of_its_licence() -> None:
    assert cited_number(spec("")) == "AB-7"


def lodging(second: int, *, version: int | None) -> DraftEvent:
    stamp = Stamp(NOON + timedelta(seconds=second), f"e{second}")
    if version is None:
        return DraftEvent(stamp, Facts(lodged=stamp))
    content = Payload("EX", "A", "BE1", "", "", "KR", "", ())
    return DraftEvent(stamp, Facts(lodged=stamp, payload=content, payload_rank=PayloadRank(0, version, stamp)))


def test_a_lodging_told_without_content_is_the_one_before_and_so_is_a_later_version() -> None:
    told = [lodging(1, version=1), lodging(2, version=None), lodging(3, version=2)]
    (only,) = split_lodgings(told)
    assert only.events == {"e1", "e2", "e3"}
    assert len(split_lodgings([lodging(1, version=None), lodging(2, version=1)])) == 1


def test_nothing_asked_and_nothing_decided_is_nothing_to_consider() -> None:
    assert considered(Facts()) == Requests()


def test_a_line_in_use_that_no_version_had_is_no_line_put_back() -> None:
    state = LicenceState("BE/A", 1, licence("A", line(1, "10 NAR")))
    state.accounts[2, Dim.QTY] = Account(2, Dim.QTY, "NAR", Decimal(0), reserved=Decimal(3))
    snapshot = licence("A", line(1, "10 NAR"), line(2, "10 NAR"), version=2)
    decision = judge(state, Authority().event(snapshot), snapshot)
    assert decision.verdict is Verdict.REFUSED
    assert [(one.code, one.field) for one in decision.findings] == [("LINE_REUSED", "lines[2]")]
