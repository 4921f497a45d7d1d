"""WCO responses: what each function code says, and the many spellings of time."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from certex_bridge.customs.wco.tree import canonical_sha256, read_moment
from certex_bridge.kernel.errors import InputError
from certex_bridge.ledger.domain.facts import ALL_ITEMS, EventKind
from certex_bridge.ledger.domain.requests import Verdict
from certex_bridge.ledger.domain.stamps import Stamp
from certex_bridge.platform.xmlgate import parse_xml
from tests.unit.customs.samples import codes, swapped, wco, wco_bytes, wco_poison

MRN, LRN = "26GB7KX41QWZ30M8R1", "NWT-26-00731"
NAMES = ("01-accepted", "02-received", "03-rejected", "08-released", "10-invalidated", "16-exit")


@pytest.mark.parametrize("name", NAMES)
def test_a_response_joins_by_lrn_and_mrn_and_names_no_exporter(name: str) -> None:
    command = wco(f"notification-{name}")
    assert (command.mrn, command.lrn, command.exporter) == (MRN, LRN, "")
    # Received and rejected may answer a request: the reference joins, and is not yet the declaration's LRN.
    certain = "" if name in ("02-received", "03-rejected") else LRN
    assert (command.facts.mrn, command.facts.lrn, command.facts.exporter) == (MRN, certain, "")
    assert (command.facts.payload, command.source) == (None, "wco/GB")
    assert dict(command.extensions)["wcofunction"] == name[:2]


def test_acceptance_release_invalidation_and_exit_are_facts() -> None:
    accepted = wco("notification-01-accepted")
    assert accepted.facts.accepted == Stamp(datetime(2026, 3, 4, 10, 13, 1, tzinfo=UTC), accepted.event_id)
    assert accepted.facts.acceptance_day == "2026-03-04T10:13:00+00:00"
    for name in ("08-released", "09-cleared"):
        ((number, release),) = wco(f"notification-{name}").facts.releases
        assert (number, release.released, release.figures) == (ALL_ITEMS, True, None)
    invalidated = wco("notification-10-invalidated").facts
    assert invalidated.invalidated is not None
    assert invalidated.invalidation_reason == "Order withdrawn by the buyer"
    (rejected,) = wco("notification-03-rejected").facts.decisions
    assert (rejected.reference, rejected.verdict) == (LRN, Verdict.REJECTED)
    alone = wco(swapped("notification-03-rejected", f"<ID>{MRN}</ID>", ""))
    assert (alone.facts.rejected is not None, alone.facts.lrn, alone.facts.decisions) == (True, LRN, ())


@pytest.mark.parametrize(("name", "granted"), [("granted", True), ("refused", False)])
def test_a_decision_answers_the_request_it_names(name: str, granted: bool) -> None:
    command = wco(f"notification-11-request-{name}")
    (decision,) = command.facts.decisions
    assert (command.kind, command.facts.lrn) == (EventKind.DECIDED, "")
    assert decision.reference.startswith(f"{LRN}-A")
    assert decision.verdict is (Verdict.GRANTED if granted else Verdict.REFUSED)


def test_an_exit_result_that_is_no_exit_is_noted() -> None:
    for status in ("B1", ""):
        command = wco(swapped("notification-16-exit", "<NameCode>A1<", f"<NameCode>{status}<"))
        assert (command.kind, command.facts.exited, codes(command)) == (
            EventKind.NOTED,
            None,
            ["EXIT_NOT_CONFIRMED", "CLOCK_AHEAD"],
        )


def test_an_exit_may_state_its_day() -> None:
    told = "<GoodsShipment><ExitDateTime>20260306</ExitDateTime></GoodsShipment></Declaration>"
    facts = wco(swapped("notification-16-exit", "</Declaration>", told)).facts
    assert (facts.exit_day, facts.exit_told) == ("2026-03-06", facts.exited)
    assert wco("notification-16-exit").facts.exit_told is None


def test_the_exit_status_may_be_written_in_any_way() -> None:
    command = wco("notification-16-exit")
    assert command.facts.exited == Stamp(datetime(2026, 3, 6, 17, 15, tzinfo=UTC), command.event_id)
    assert dict(command.extensions)["wcostatus"] == "A1"


@pytest.mark.parametrize("code", ["02", "05", "06", "07", "13", "14", "15", "18"])
def test_what_only_informs_is_noted(code: str) -> None:
    raw = swapped("notification-08-released", "<FunctionCode>08<", f"<FunctionCode>{code}<")
    command = wco(raw)
    assert (command.kind, command.facts.releases, codes(command)) == (EventKind.NOTED, (), [])


def test_an_unknown_response_is_noted_and_remarked() -> None:
    command = wco(swapped("notification-08-released", "<FunctionCode>08<", "<FunctionCode>77<"))
    assert (command.kind, codes(command)) == (EventKind.NOTED, ["WCO_FUNCTION"])


def test_ids_are_made_of_declaration_reference_and_function() -> None:
    name = "notification-08-released"
    same = wco(swapped(name, "<StatementCode>A1<", "<StatementCode>A9<"))
    assert same.event_id == wco(name).event_id
    assert same.payload_sha256 != wco(name).payload_sha256
    for old, new in [
        ("<FunctionCode>08<", "<FunctionCode>09<"),
        ("nwt731-08-released", "nwt731-08-again"),
        (MRN, "26GB5TT80PLMN2Q7A1"),
    ]:
        assert wco(swapped(name, old, new)).event_id != wco(name).event_id
    bare = swapped(name, "<FunctionalReferenceID>nwt731-08-released</FunctionalReferenceID>", "")
    assert len({wco(bare).event_id, wco(bare.replace(b"A1", b"A9")).event_id, wco(name).event_id}) == 3


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<FunctionCode>08</FunctionCode>", "", "WCO_FUNCTION"),
        (MRN, MRN.lower(), "MRN_INVALID"),
        ("<Declaration>", "<Other>", "IDENTITY_MISSING"),
        (LRN, "x" * 36, "LRN_INVALID"),
    ],
)
def test_what_names_no_declaration_is_poison(old: str, new: str, code: str) -> None:
    raw = swapped("notification-08-released", old, new).replace(
        b"</Declaration>", b"</Other>" if "Other" in new else b"</Declaration>"
    )
    assert wco_poison(raw) == code


def test_a_national_letter_before_the_check_digit_is_accepted() -> None:
    assert codes(wco(swapped("notification-08-released", MRN, "24GB0MC86MH6WYKAA3"))) == []
    assert codes(wco(swapped("notification-08-released", MRN, MRN[:17] + "9"))) == ["MRN_CHECK_DIGIT"]


@pytest.mark.parametrize(
    ("written", "day", "remarks"),
    [
        ("20260304101300Z", "2026-03-04T10:13:00+00:00", []),
        ("20260304101300+01", "2026-03-04T10:13:00+01:00", []),
        ("20260304101300UTC", "2026-03-04T10:13:00+00:00", []),
        ("20260704101300", "2026-07-04T10:13:00+01:00", ["ASSUMED_ZONE", "ACCEPTANCE_AHEAD"]),
        ("20260304", "2026-03-04", []),
        ("2026-03-04", "2026-03-04", []),
        ("2026-03-04T10:13:00Z", "2026-03-04T10:13:00+00:00", []),
        ("2026-07-04T10:13:00", "2026-07-04T10:13:00+01:00", ["ASSUMED_ZONE", "ACCEPTANCE_AHEAD"]),
    ],
)
@pytest.mark.row("E137")
def test_acceptance_times_with_and_without_zone(written: str, day: str, remarks: list[str]) -> None:
    command = wco(swapped("notification-01-accepted", "20260304101300Z", written))
    assert (command.facts.acceptance_day, codes(command)) == (day, remarks)


@pytest.mark.parametrize("written", ["Wed Mar 04 10:13:00 UTC 2026", "20261304101300Z", "18500304101300Z", "noon", ""])
def test_an_acceptance_time_that_is_none_or_missing_is_the_response_s_own_and_remarked(written: str) -> None:
    command = wco(swapped("notification-01-accepted", "20260304101300Z", written))
    assert command.facts.acceptance_day == "2026-03-04T10:13:01+00:00"
    assert codes(command)[-1] == "ACCEPTANCE_ASSUMED"
    assert len(codes(command)) == (2 if written else 1)


def test_an_issue_time_that_is_none_leaves_the_record_s_time() -> None:
    command = wco(swapped("notification-08-released", "20260304113000Z", "Wed Mar 04 11:30:00 UTC 2026"))
    assert (command.occurred_at, codes(command)) == (datetime(2026, 3, 3, 12, tzinfo=UTC), ["DATE_INVALID"])


def test_a_time_may_stand_without_inner_element() -> None:
    raw = swapped(
        "notification-01-accepted",
        '<DateTimeString formatCode="304">20260304101300Z</DateTimeString>',
        "20260304101300Z",
    )
    assert wco(raw).facts.acceptance_day == "2026-03-04T10:13:00+00:00"


def test_moments_without_zone_take_the_given_one() -> None:
    moment = read_moment("202607041013", "203", ZoneInfo("Europe/Copenhagen"))
    assert (moment.iso, moment.assumed_zone) == ("2026-07-04T10:13:00+02:00", True)
    with pytest.raises(InputError):
        read_moment("2026", "", UTC)


def test_the_canonical_hash_sees_structure_not_spelling() -> None:
    def digest(raw: bytes) -> str:
        return canonical_sha256(parse_xml(raw))

    assert digest(b"<a x='1' y='2'><b>t</b></a>") == digest(b"<p:a xmlns:p='u' y='2' x='1'>\n<p:b> t </p:b>\n</p:a>")
    different = [
        b"<a><b>t</b></a>",
        b"<a>t<b/></a>",
        b"<a><b/>t</a>",
        b"<a b='t'/>",
        b"<a t='('>b</a>",
        b"<a><b/><t/></a>",
        b"<a><b><t/></b></a>",
    ]
    assert len({digest(raw) for raw in different}) == len(different)


def test_the_response_of_a_wrapper_with_an_empty_country_is_read() -> None:
    assert b"<ResponsibleCountryCode/>" in wco_bytes("notification-01-accepted")
    assert wco("notification-01-accepted").source == "wco/GB"
