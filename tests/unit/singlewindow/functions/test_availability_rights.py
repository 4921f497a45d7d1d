"""F1: who is told what, what else may be asked for, and what is told when the ledger cannot be asked."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pydantic import ValidationError

from certex_bridge.ledger.reading import LedgerAway, ReadTooSlow
from certex_bridge.licensing.domain.licence import Party
from certex_bridge.singlewindow.callers import Caller, CallerRole
from certex_bridge.singlewindow.functions.check_memory import CheckMemory
from certex_bridge.singlewindow.refusals import Refusal
from tests.support.checks import NOW, OFFICER, Desk, alone, caller, cited, declaration, goods
from tests.support.ledger_words import HOLDER, licence, mrn_of


@pytest.fixture
async def desk() -> Desk:
    """100 pieces on licence A of the year 2026."""
    made = Desk()
    await made.story.issue(licence("A", "100"))
    return made


def away() -> None:
    raise LedgerAway("the database is away")


def slow() -> None:
    raise ReadTooSlow("the ledger was not read within 50 ms")


# -- figures


@pytest.mark.row("IR 15(3)")
@pytest.mark.row("E180")
@pytest.mark.parametrize(("shown", "own"), [(False, True), (True, False)])
async def test_balances_are_hidden_where_either_setting_hides_them(shown: bool, own: bool) -> None:
    desk = Desk(figures_shown=shown)
    await desk.story.issue(licence("A", "100"))
    told = (await desk.check(goods(cited("A", "101")), by=caller(figures_shown=own))).only
    assert (told.outcome, told.verdict[0].code, told.verdict[0].available) == ("REFUSED", "QUANTITY_EXCEEDED", None)
    assert (told.quantity_requested, told.quantity_available, told.quantity_passing) == ("101", None, None)
    mine = (await desk.check(goods(cited("A", "101")), by=OFFICER)).only
    assert (mine.quantity_available, mine.verdict[0].available) == ("100", "100")


FOREIGN = caller(CallerRole.LICENSING_OFFICER, state="DE")
GERMAN_AUDITOR = caller(CallerRole.AUDITOR, state="DE")


@pytest.mark.parametrize("by", [FOREIGN, GERMAN_AUDITOR])
@pytest.mark.parametrize(
    "told",
    [
        {"CertificateReference": [alone("A")]},
        {"CertificateReference": [alone("D", "DE"), alone("A")]},
        {"GoodsItem": [{"declarationGoodsItemNumber": 1} | goods(cited("A", "1", issuer="BE"))]},
        {"GoodsItem": [{"declarationGoodsItemNumber": 1} | goods(cited("A", "1"))]},
    ],
)
async def test_the_licensing_side_of_another_state_checks_no_licence(desk: Desk, by: Caller, told: Any) -> None:
    """Whether it names the issuer, or the number alone leads to the licence."""
    if "GoodsItem" in told:
        told = told | {"DeclarationReference": declaration("L1"), "countryOfDestination": "KR"}
    for _ in range(2):  # with the database, and without it
        with pytest.raises(Refusal) as refused:
            await desk.check(by=by, **told)
        assert (refused.value.code, refused.value.kind.status) == ("FOREIGN_MEMBER_STATE", 403)
        await desk.check(CertificateReference=[alone("A")])
        desk.reader.failing = away


async def test_the_licensing_side_is_told_nothing_of_a_declaration_without_a_licence_of_its_own(desk: Desk) -> None:
    """What a declaration holds counts as free for it: who may not see the declaration sees the licence as it is."""
    await desk.story.issue(licence("DE/D", "100"))
    await desk.story.accepted("M1", A=70)
    mine = await desk.check(goods(cited("A", "100")), by=OFFICER)
    assert mine.outcomes == ["OK_AVAILABLE"]
    other = await desk.check(goods(cited("D", "100", issuer="DE")), by=FOREIGN, dryRun="RESERVE")
    assert other.outcomes == ["OK_RESERVED"]


# -- two steps, dry runs


async def test_a_caller_in_two_steps_is_told_of_the_reference_first(desk: Desk) -> None:
    two = caller(two_step=True)
    lodge = await desk.check(goods(cited("A", "500"), commodity="90138090"), by=two, step="LODGE")
    assert (lodge.only.outcome, lodge.only.quantity_requested) == ("OK_AVAILABLE", None)
    assert {"LINE", "FIGURES", "AVAILABILITY"} <= set(lodge.only.rules_not_tested)
    present = await desk.check(goods(cited("A", "500")), by=two, step="PRESENT")
    assert present.codes == ["QUANTITY_EXCEEDED"]
    always = await desk.check(goods(cited("A", "500")), step="LODGE")
    assert always.codes == ["QUANTITY_EXCEEDED"]


async def test_the_first_step_still_refuses_what_the_reference_says(desk: Desk) -> None:
    await desk.story.suspend("A")
    told = await desk.check(goods(cited("A", "1", type="X070")), by=caller(two_step=True), step="LODGE")
    assert told.codes == ["TYPE_MISMATCH", "STATUS_SUSPENDED"]


async def test_a_dry_run_says_what_a_reservation_would_be_answered(desk: Desk) -> None:
    before = desk.story.store.contents
    fits = await desk.check(goods(cited("A", "60")), goods(cited("A", "60")), dryRun="RESERVE")
    assert fits.outcomes == ["OK_RESERVED", "REFUSED"]
    unknown = await desk.check(goods(cited("X", "1")), dryRun="RESERVE")
    assert unknown.outcomes == ["WAITING"]
    assert desk.story.store.contents is before
    assert desk.noted.interests == []


async def test_a_dry_run_of_an_amendment_stands_on_what_was_released(desk: Desk) -> None:
    await desk.story.accepted("M1", A=70)
    await desk.story.released("M1")
    await desk.story.accepted("M2", A=20)
    less = await desk.check(goods(cited("A", "50")), dryRun="ADJUST")
    assert less.outcomes == ["OK_ADJUSTED"]
    more = await desk.check(goods(cited("A", "81")), dryRun="ADJUST")
    assert (more.outcomes, more.codes[:2]) == (["REFUSED"], ["QUANTITY_EXCEEDED", "ADJUST_REFUSED"])
    assert more.only.quantity_passing == "80"
    assert await desk.story.balance("A") == "20/70/10"


async def test_a_dry_run_is_for_declarations_of_the_own_state(desk: Desk) -> None:
    with pytest.raises(Refusal) as refused:
        await desk.check(goods(cited("A", "1")), by=caller(state="DE"), dryRun="RESERVE")
    assert refused.value.code == "FOREIGN_MEMBER_STATE"


# -- extras


async def test_the_licensing_side_is_told_what_else_would_fit(desk: Desk) -> None:
    """Same holder, destination, goods and unit, and enough left; another holder's licences are not looked at."""
    await desk.story.issue(
        licence("B", "30"), licence("C", "200"), licence("D", "200 KGM"), licence("E", "200", destinations=("US",)),
        licence("F", "200", holder=Party("Other", "BE1")), licence("DE/G", "200"),
    )  # fmt: skip
    answer = await desk.check(goods(cited("A", "150")), by=OFFICER, explain=True)
    assert answer.codes == ["QUANTITY_EXCEEDED"]
    (other,) = answer.only.fitting_document
    assert (other.licence_identification, other.document_line_item_number, other.quantity_available) == (
        "BE/C",
        1,
        "200",
    )
    missing = await desk.check(goods(cited("X", "150")), by=OFFICER, explain=True)
    assert [one.licence_identification for one in missing.only.fitting_document] == ["BE/C"]
    assert (await desk.check(goods(cited("A", "150")), explain=True)).only.fitting_document == ()


@pytest.mark.row("IR 5(1)(c)")
async def test_the_original_is_the_certificate_of_the_version_in_force(desk: Desk) -> None:
    told = (await desk.check(CertificateReference=[alone("A")], original=True)).only
    assert told.original is not None
    assert (told.original.version, told.original.event_identification) == (1, "licensing-1")
    assert base64.b64decode(told.original.certificate)
    hidden = await desk.check(CertificateReference=[alone("A")], original=True, by=caller(figures_shown=False))
    assert hidden.only.original is None


# -- interests


async def test_a_check_for_a_declaration_is_an_interest(desk: Desk) -> None:
    await desk.check(goods(cited("A", "1"), cited("X", "1")))
    await desk.check(goods(cited("A", "1")), DeclarationReference=declaration("L1"))
    noted = sorted(one[:4] for one in desk.noted.interests)
    assert noted == [
        ("BE/A", "NSWE-C.BE", mrn_of("M1"), "BE"),
        ("BE/A", "NSWE-C.BE", f"{HOLDER}/L1", "BE"),
        ("BE/X", "NSWE-C.BE", mrn_of("M1"), "BE"),
    ]


async def test_no_interest_without_a_declaration_of_the_own_state_or_of_officers(desk: Desk) -> None:
    await desk.check(CertificateReference=[alone("A")])
    await desk.check(goods(cited("A", "1")), by=OFFICER)
    await desk.check(goods(cited("A", "1")), by=caller(state="DE"))
    assert desk.noted.interests == []


# -- when the ledger cannot be asked


@pytest.mark.row("E178")
async def test_a_slow_ledger_is_said_and_nothing_is_guessed(desk: Desk) -> None:
    await desk.check(goods(cited("A", "1")))
    desk.reader.failing = slow
    with pytest.raises(Refusal, match="50 ms") as refused:
        await desk.check(goods(cited("A", "1")))
    assert (refused.value.code, refused.value.kind.status) == ("NOT_AVAILABLE", 503)
    assert "Retry-After" in refused.value.headers


async def test_while_the_database_is_away_the_status_is_told_with_its_age(desk: Desk) -> None:
    await desk.check(goods(cited("A", "1")))
    desk.reader.failing = away
    desk.later(42)
    answer = await desk.check(goods(cited("A", "500"), cited("X", "1")))
    known, unknown = answer.message.check_result
    assert (known.result, known.licence_status, known.age, known.outcome) == ("FOUND", "Valid", 42, None)
    assert (known.quantity_available, known.licence_content) == (None, None)
    assert [verdict.allowed for verdict in known.annex_one] == [True]
    assert (unknown.result, unknown.licence_status, unknown.age) == ("NOT_READ", None, None)
    assert (answer.message.degraded, answer.message.read_at) == (True, "2026-03-01T12:00:00.000000Z")
    (reference,) = (await desk.check(CertificateReference=[alone("A")])).message.check_result
    assert (reference.licence_status, reference.age) == ("Valid", 42)


async def test_with_nothing_remembered_the_function_is_not_available(desk: Desk) -> None:
    desk.reader.failing = away
    with pytest.raises(Refusal) as refused:
        await desk.check(goods(cited("A", "1")))
    assert refused.value.code == "NOT_AVAILABLE"


async def test_extras_are_refused_rather_than_left_out(desk: Desk) -> None:
    calls = iter([lambda: None, away])

    def only_the_first_read() -> None:
        next(calls)()

    desk.reader.failing = only_the_first_read
    with pytest.raises(Refusal, match="away"):
        await desk.check(CertificateReference=[alone("A")], original=True)


async def test_the_memory_is_bounded_and_keeps_no_absence(desk: Desk) -> None:
    memory = CheckMemory(kept=2)
    await desk.story.issue(licence("B", "1"), licence("C", "1"))
    picture = await desk.reader.picture(["BE/A", "BE/B", "BE/C", "BE/X"])
    memory.remember(picture.licences.values(), NOW)
    assert memory.recall(["BE/A", "BE/B", "BE/C", "BE/X"]) == {"BE/B": NOW, "BE/C": NOW}


# -- bad questions


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({}, "QUESTION_MISSING"),
        ({"GoodsItem": [goods()], "CertificateReference": [alone("A")]}, "QUESTION_MISSING"),
        ({"CertificateReference": [alone("A")], "dryRun": "RESERVE"}, "QUESTION_MIXED"),
        ({"GoodsItem": [{"declarationGoodsItemNumber": 1} | goods()], "dryRun": "RESERVE"}, "DECLARATION_MISSING"),
    ],
)
async def test_what_is_no_question(desk: Desk, told: dict[str, object], kind: str) -> None:
    if "GoodsItem" in told and "dryRun" not in told:
        told = told | {"GoodsItem": [{"declarationGoodsItemNumber": 1} | goods()]}
    with pytest.raises(ValidationError) as refused:
        await desk.check(**told)
    assert refused.value.errors()[0]["type"] == kind


@pytest.mark.parametrize(
    ("told", "field", "reason"),
    [
        ({"asOf": "2026-02-30"}, "asOf", "DATE_INVALID"),
        ({"DeclarationReference": declaration(declarationAcceptanceDate="2026-02-30")}, "", "DATE_INVALID"),
        ({"GoodsItem": [{"declarationGoodsItemNumber": 1} | goods()] * 2}, "items", "ITEM_DUPLICATE"),
        ({"DeclarationReference": {"LRN": "L1", "Exporter": {"identificationNumber": "be1"}}}, "", "EORI_INVALID"),
    ],
)
async def test_what_cannot_be_read_is_refused_with_field_and_value(
    desk: Desk, told: dict[str, object], field: str, reason: str
) -> None:
    with pytest.raises(Refusal) as refused:
        await desk.check(goods(cited("A", "1")), **told)
    (error,) = refused.value.errors
    assert refused.value.code == "SCHEMA_INVALID"
    assert error.reason == reason
    assert error.pointer.endswith(field)


async def test_a_doubtful_number_is_remarked(desk: Desk) -> None:
    mrn = mrn_of("M1")
    wrong = mrn[:-1] + str((int(mrn[-1]) + 1) % 10)
    answer = await desk.check(goods(cited("A", "1")), DeclarationReference={"MRN": wrong})
    (finding,) = answer.message.finding
    assert (finding.code, finding.severity, finding.original_attribute_value) == ("MRN_CHECK_DIGIT", "WARNING", wrong)
