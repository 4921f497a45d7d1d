"""F9, list of documents (IR 2024/2145 Art. 10(1)): criteria, pages, and who sees what."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.executor import Executor
from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.licensing.domain.licence import AuthorityStatus, Direction, LicenceType, Party
from certex_bridge.singlewindow.callers import Caller
from certex_bridge.singlewindow.messages.listing import ListedCertificate
from certex_bridge.singlewindow.refusals import Refusal
from tests.support.desk_world import AUDITOR, AUTHORITY, CUSTOMS, FRENCH, DeskWorld
from tests.support.ledger_recorder import Recorder
from tests.support.ledger_words import Cite, licence, line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from certex_bridge.ledger.adapters.postgres import PostgresStore
    from certex_bridge.ledger.ports import Unit

OTHER = Party("Other", "DE1234567", country="DE")


async def issue_some(w: DeskWorld) -> None:
    """A: Korea, machine tools. B: Serbia in 2027, another holder. C: anywhere, any goods. D: EU003. T: transit."""
    await w.story.issue(
        licence("A", line(1, "100 NAR", control_list="3A001.a.7"), destinations=("KR", "GB")),
        licence("B", line(1, "5000.00 EUR", commodity_codes=("901320",), control_list="6a005"), destinations=("RS",),
                holder=OTHER, valid_from=date(2027, 1, 1), valid_to=date(2027, 12, 31)),
        licence("C", type=LicenceType.NGEA, destinations=(), valid_to=None),
        licence("GR/D", type=LicenceType.EU003, destinations=("KR",), valid_to=None),
        licence("T", "7 NAR", type=LicenceType.TRANSIT, direction=Direction.TRANSIT, destinations=("KR",)),
    )  # fmt: skip


CRITERIA: list[tuple[dict[str, Any], str]] = [
    ({}, "A B C T D"),
    ({"holderIdentificationNumber": "DE1234567"}, "B"),
    ({"holderIdentificationNumber": "BE0123456789"}, "A C T D"),
    ({"issuingCountry": "GR"}, "D"),
    ({"issuingCountry": "EL"}, "D"),
    ({"issuingCountry": "DE"}, ""),
    ({"type": ["X060"]}, "A B"),
    ({"type": ["X072", "X071"]}, "C T"),
    ({"status": ["Valid"]}, "A B C T D"),
    ({"status": ["Suspended", "Revoked"]}, ""),
    ({"validOn": "2026-12-31"}, "A C T D"),
    ({"validOn": "2027-01-01"}, "B C D"),
    ({"validOn": "2025-12-31"}, ""),
    ({"validFrom": "2026-12-31"}, "A B C T D"),
    ({"validUntil": "2026-06-01"}, "A C T D"),
    ({"validFrom": "2028-01-01"}, "C D"),
    ({"countryOfDestination": "KR"}, "A C T D"),
    ({"countryOfDestination": "RS"}, "B C D"),
    ({"countryOfDestination": "XS"}, "B C D"),
    ({"countryOfDestination": "XI"}, "A C"),
    ({"countryOfDestination": "US"}, "C"),
    ({"commodityCode": "84"}, "A C T D"),
    ({"commodityCode": "84571090"}, "A C T D"),
    ({"commodityCode": "8457109010"}, "A C T D"),
    ({"commodityCode": "84571091"}, "C D"),
    ({"commodityCode": "90132010"}, "B C D"),
    ({"controlListCode": "3A001"}, "A"),
    ({"controlListCode": "3a001.A.7"}, "A"),
    ({"controlListCode": "3A001.a.7.b"}, ""),
    ({"controlListCode": "3A00"}, ""),
    ({"controlListCode": "6A005"}, "B"),
    ({"countryOfDestination": "KR", "commodityCode": "8457", "type": ["X060"], "validOn": "2026-03-01"}, "A"),
]


@pytest.mark.row("IR 10(1)")
async def test_each_criterion_finds_what_it_says(w: DeskWorld) -> None:
    await issue_some(w)
    found = {str(criteria): await w.listed(**criteria) for criteria, _ in CRITERIA}
    assert found == {str(criteria): expected for criteria, expected in CRITERIA}


async def test_a_list_follows_versions_and_statuses(w: DeskWorld) -> None:
    await issue_some(w)
    await w.story.suspend("A")
    assert await w.listed(status=["Suspended"]) == "A"
    await w.story.resume("A")
    assert await w.listed(status=["Suspended"]) == ""
    await w.story.modify("A", destinations=("JP",))
    assert await w.listed(countryOfDestination="GB") == "C"
    assert await w.listed(countryOfDestination="JP") == "A C"


async def test_a_status_that_the_ledger_finds_itself_is_in_the_list(w: DeskWorld) -> None:
    await issue_some(w)
    await w.story.accepted("M1", A=100)
    await w.story.released("M1")
    assert await w.listed(status=["Exhausted"]) == "A"
    await w.story.validity_passed("T")
    assert await w.listed(status=["Expired"]) == "T"


async def test_a_licence_that_is_only_cited_is_none(w: DeskWorld) -> None:
    await w.story.accepted("M1", unknown=4)
    assert await w.listed() == ""


async def pages(w: DeskWorld, who: Caller = CUSTOMS, **items: Any) -> list[list[ListedCertificate]]:
    found, token = [], None
    while True:
        page = await w.ask(who, **items, **({"continuationToken": token} if token else {}))
        found.append(list(page.certificates))
        token = page.continuation_token
        if token is None:
            return found


async def test_pages_go_through_all_licences_once(w: DeskWorld) -> None:
    await w.story.issue(*(licence(f"N{number:03}", "1 NAR") for number in range(25)))
    found = await pages(w, pageSize=10)
    assert [len(page) for page in found] == [10, 10, 5]
    assert [one.reference_number for page in found for one in page] == [f"N{number:03}" for number in range(25)]


async def test_what_changes_between_two_pages_moves_nothing(w: DeskWorld) -> None:
    await w.story.issue(*(licence(f"N{number}", "1 NAR") for number in range(6)))
    first = await w.ask(pageSize=3)
    await w.story.suspend("N1")
    await w.story.suspend("N4")
    await w.story.issue(licence("N0A", "1 NAR"), licence("N5A", "1 NAR"))
    second = await w.ask(pageSize=10, continuationToken=first.continuation_token)
    assert [one.reference_number for one in second.certificates] == ["N3", "N4", "N5", "N5A"]
    assert second.as_of == first.as_of
    assert second.certificates[1].status == "Suspended"
    missed = await w.ask(Criteria={"changedSince": first.as_of})
    assert {"N0A", "N1", "N4", "N5A"} <= {one.reference_number for one in missed.certificates}


async def test_changes_since_an_instant(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "1 NAR"), licence("B", "1 NAR"))
    (a, b) = (await w.ask()).certificates
    await w.story.suspend("B")
    (changed,) = [one for one in (await w.ask()).certificates if one.reference_number == "B"]
    assert changed.changed_date_and_time > b.changed_date_and_time
    assert await w.listed(changedSince=changed.changed_date_and_time) == "B"
    assert await w.listed(changedSince=a.changed_date_and_time) == "A B"


async def test_data_are_the_content_as_it_is_mapped(w: DeskWorld) -> None:
    await w.story.issue(
        licence(
            "A",
            "100 NAR + 5000.00 EUR",
            destinations=("RS", "KR"),
            consignees=(Party("Buyer", "KR1"),),
            cap="9000.00 EUR",
        )
    )
    await w.story.accepted("M1", A="40 NAR + 2000.00 EUR")
    (one,) = (await w.ask(content="DATA")).certificates
    data = one.data
    assert data is not None
    assert (data.holder_name, data.issuing_authority_name, data.consignees[0].name) == ("Holder", "Authority", "Buyer")
    assert data.countries_of_destination == ("XS", "KR")
    assert data.lines[0].commodity_codes == ("84571090",)
    quantity, amount = data.lines[0].quantity, data.lines[0].amount
    assert quantity is not None
    assert amount is not None
    assert (quantity.measurement_unit_and_qualifier, quantity.authorised, quantity.limit) == ("NAR", "100", "100")
    assert (quantity.reserved, quantity.consumed, quantity.available, quantity.over) == ("40", "0", "60", "0")
    assert (amount.currency, amount.authorised, amount.available) == ("EUR", "5000", "3000")
    assert data.amount is not None
    assert (data.amount.authorised, data.amount.available) == ("9000", "7000")


async def test_a_removed_line_in_use_is_not_left_out(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "100 NAR", "50 NAR"))
    await w.story.accepted("M1", Cite("A", "30", 2))
    await w.story.modify("A", "100 NAR")
    (one,) = (await w.ask(content="DATA")).certificates
    assert one.data is not None
    removed = one.data.lines[1]
    assert (removed.document_line_item_number, removed.description_of_goods) == (2, None)
    assert removed.quantity is not None
    assert (removed.quantity.authorised, removed.quantity.reserved) == (None, "30")


async def test_another_unit_in_a_later_version_stands_with_its_own_figures(w: DeskWorld) -> None:
    await w.story.issue(licence("A", line(1, "100 NAR", origin="RS", quantity_stated="a hundred pieces")))
    (one,) = (await w.ask(content="DATA")).certificates
    assert one.data is not None
    assert one.data.lines[0].country_of_origin == "XS"
    assert one.data.lines[0].quantity is not None
    assert one.data.lines[0].quantity.as_stated == "a hundred pieces"


@pytest.mark.parametrize(
    ("who", "own", "foreign"),
    [(CUSTOMS, True, True), (FRENCH, False, False), (AUTHORITY, True, None), (AUDITOR, True, None)],
    ids=["customs", "customs without figures", "licensing side", "auditor"],
)
async def test_who_sees_balances_of_which_issuer(w: DeskWorld, who: Caller, own: bool, foreign: bool | None) -> None:
    await w.story.issue(licence("A", "100 NAR"), licence("DE/F", "100 NAR"))
    found = {one.reference_number: one for one in (await w.ask(who, content="DATA")).certificates}
    assert ("F" in found) == (foreign is not None)
    for number, shown in (("A", own), ("F", foreign)):
        if shown is not None:
            data = found[number].data
            assert data is not None
            quantity = data.lines[0].quantity
            assert quantity is not None
            assert quantity.authorised == "100"
            assert (quantity.available is not None) == shown


async def test_transit_authorisations_hold_in_their_state_and_name_no_person(w: DeskWorld) -> None:
    transit = licence("T", "7 NAR", type=LicenceType.TRANSIT, direction=Direction.TRANSIT)
    await w.story.issue(replace(transit, consignees=(Party("Buyer"),)), licence("A", "1 NAR"))
    assert await w.listed(FRENCH) == "A"
    for who, named in ((CUSTOMS, False), (AUTHORITY, True)):
        found = {one.reference_number: one for one in (await w.ask(who, content="DATA")).certificates}
        data = found["T"].data
        assert data is not None
        assert (found["T"].holder_identification_number is not None, data.holder_name is not None) == (named, named)
        assert bool(data.consignees) == named


async def test_a_page_of_data_ends_before_it_grows_without_bound(w: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certex_bridge.singlewindow.list_page.LINES_MAX", 3)
    await w.story.issue(licence("A", *["1 NAR"] * 5), licence("B", "1 NAR", "1 NAR"), licence("C", "1 NAR"))
    found = await pages(w, content="DATA", pageSize=10)
    assert [[one.reference_number for one in page] for page in found] == [["A"], ["B", "C"]]


REFUSED: list[tuple[Caller, dict[str, Any], str, str]] = [
    (CUSTOMS, {"Criteria": {"validOn": "2026-02-30"}}, "SCHEMA_INVALID", "Criteria/validOn"),
    (CUSTOMS, {"Criteria": {"validOn": "2026-02-03", "validFrom": "2026-01-01"}}, "SCHEMA_INVALID", "Criteria/validOn"),
    (CUSTOMS, {"Criteria": {"validFrom": "2026-02-03", "validUntil": "2026-02-02"}}, "SCHEMA_INVALID", "Criteria/validUntil"),
    (CUSTOMS, {"Criteria": {"countryOfDestination": "UK"}}, "SCHEMA_INVALID", "Criteria/countryOfDestination"),
    (CUSTOMS, {"Criteria": {"issuingCountry": "QU"}}, "SCHEMA_INVALID", "Criteria/issuingCountry"),
    (CUSTOMS, {"Criteria": {"changedSince": "2026-02-30T10:00:00"}}, "SCHEMA_INVALID", "Criteria/changedSince"),
    (AUTHORITY, {"Criteria": {"issuingCountry": "DE"}}, "FOREIGN_MEMBER_STATE", "Criteria/issuingCountry"),
    (CUSTOMS, {"continuationToken": "nonsense"}, "CONTINUATION_INVALID", "continuationToken"),
    (CUSTOMS, {"continuationToken": "WzEsMl0"}, "CONTINUATION_INVALID", "continuationToken"),
    (CUSTOMS, {"continuationToken": "W10"}, "CONTINUATION_INVALID", "continuationToken"),
    (CUSTOMS, {"orderIdentification": "M1"}, "SCHEMA_INVALID", "orderIdentification"),
    (CUSTOMS, {"action": "CANCEL"}, "SCHEMA_INVALID", "orderIdentification"),
    (CUSTOMS, {"action": "PERIODIC"}, "SCHEMA_INVALID", "Period"),
    (CUSTOMS, {"action": "ORDERS", "Criteria": {"type": ["X060"]}}, "SCHEMA_INVALID", "Criteria"),
    (CUSTOMS, {"action": "DELIVERED", "orderIdentification": "none"}, "ORDER_UNKNOWN", "orderIdentification"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("who", "items", "code", "field"), REFUSED, ids=[f"{c}-{f}-{n}" for n, (_, _, c, f) in enumerate(REFUSED)]
)
async def test_what_cannot_be_asked_is_refused_by_name(
    w: DeskWorld, who: Caller, items: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(Refusal) as told:
        await w.ask(who, **items)
    assert (told.value.code, told.value.field) == (code, field)


async def test_a_token_belongs_to_its_question(w: DeskWorld) -> None:
    await w.story.issue(licence("A", "1 NAR"), licence("B", "1 NAR"))
    token = (await w.ask(pageSize=1)).continuation_token
    for other in ({"content": "DATA"}, {"Criteria": {"type": ["X060"]}}):
        with pytest.raises(Refusal, match="none of a list"):
            await w.ask(continuationToken=token, **other)


async def test_no_change_is_missed_between_two_lists(w: DeskWorld) -> None:
    """Each list of changes begins where the one before was as of; together they have every change."""
    await w.story.issue(licence("A", "1 NAR"))
    since, seen = (await w.ask()).as_of, []
    for number in range(5):
        await w.story.issue(licence(f"B{number}", "1 NAR"))
        page = await w.ask(Criteria={"changedSince": since})
        seen += [one.reference_number for one in page.certificates]
        since = page.as_of
    assert {f"B{number}" for number in range(5)} <= set(seen)


async def test_a_change_that_is_not_committed_yet_is_in_the_next_list(w: DeskWorld) -> None:
    """Dated by its begin, it lies after the instant that a list read meanwhile names."""
    await w.story.issue(licence("A", "1 NAR"), licence("B", "1 NAR"))
    event = w.story.licence_event(
        w.story.next_version("A", status=AuthorityStatus.SUSPENDED), LicenceEventKind.SUSPENDED
    )
    if isinstance(w.story.store, InMemoryStore):
        return
    executor = Executor(held := Held(w.story.store), Recorder(), Policy())
    writing = asyncio.create_task(executor.apply([w.story.delivery(event)]))
    await held.written.wait()
    page = await w.ask()
    assert [one.status for one in page.certificates] == ["Valid", "Valid"]
    held.go.set()
    await writing
    assert "A" in await w.listed(changedSince=page.as_of)


class Held:
    """A store whose transaction has written and does not commit until it is told to."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self.written, self.go = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Unit]:
        async with self._store.transaction() as unit:
            yield unit
            self.written.set()
            await self.go.wait()
