"""F1, check availability (IR 2024/2145 Art. 5(1)): the scenarios that a check alone can tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from certex_bridge.ledger.domain.policy import Policy, SettleGroup
from certex_bridge.ledger.domain.reasons import Rule
from certex_bridge.ledger.reading import LedgerAway
from certex_bridge.licensing.domain.commands import ExporterBar, LicenceEventKind
from certex_bridge.licensing.domain.licence import Direction, InitialLicence, LicenceType, Party
from certex_bridge.singlewindow.messages.availability import AvailabilityCheckResponse
from certex_bridge.singlewindow.messages.xml import read_message, write_message
from certex_bridge.singlewindow.refusals import Refusal
from tests.support.checks import Desk, alone, caller, cited, declaration, goods
from tests.support.ledger_words import HOLDER, cite, licence, line, mrn_in, mrn_of


@pytest.fixture
async def desk() -> Desk:
    """100 pieces on licence A of the year 2026."""
    made = Desk()
    await made.story.issue(licence("A", "100"))
    return made


@pytest.mark.row("E179", "IR 5(1)(a)")
async def test_an_unknown_number_is_an_answer_and_leaves_no_trace(desk: Desk) -> None:
    """Scenario 1."""
    before = desk.story.store.contents
    answer = await desk.check(goods(cited("X", "5")))
    assert (answer.only.result, answer.only.outcome, answer.codes) == ("NOT_FOUND", "REFUSED", ["NOT_FOUND"])
    assert answer.only.licence_content is None
    assert desk.story.store.contents is before
    (reference,) = (await desk.check(CertificateReference=[alone("X")])).message.check_result
    assert (reference.result, reference.verdict[0].code) == ("NOT_FOUND", "NOT_FOUND")


@pytest.mark.row("CR 10(1)(a)")
@pytest.mark.row("IR 5(1)(a)", "IR 5(1)(b)", "IR 5(1)(c)", "IR 1(1)")
async def test_a_good_claim_is_told_everything(desk: Desk) -> None:
    answer = await desk.check(goods(cited("A", "40")))
    told = answer.only
    assert (told.result, told.outcome, told.verdict) == ("FOUND", "OK_AVAILABLE", ())
    assert (told.licence_identification, told.licence_status, told.status_on_day) == ("BE/A", "Valid", "Valid")
    assert (told.licence_version, told.journal_version, told.reference_day) == (1, 1, "2026-03-01")
    assert (told.measurement_unit_and_qualifier, told.quantity_requested, told.currency) == ("NAR", "40", None)
    assert (told.quantity_available, told.quantity_passing) == ("100", "100")
    assert set(told.rules_passed) == set(Rule)
    assert told.rules_not_tested == ()
    assert told.licence_content is not None
    assert (told.licence_content.reference_number, told.licence_content.quantity_authorised) == ("A", "100")
    message = answer.message
    assert (message.mrn, message.degraded, message.correlation_identifier) == (mrn_of("M1"), False, "check-1")
    assert message.read_at == "2026-03-01T12:00:00.000000Z"


async def test_the_answer_is_the_same_in_xml(desk: Desk) -> None:
    message = (await desk.check(goods(cited("A", "400"), cited("X", "1", type="Y901")))).message
    again = read_message(write_message(message), AvailabilityCheckResponse)
    assert again.content_sha256 == message.content_sha256


async def test_a_suspended_licence_says_so_until_it_is_resumed(desk: Desk) -> None:
    """Scenario 2, as far as the check goes."""
    await desk.story.suspend("A")
    answer = await desk.check(goods(cited("A", "40")))
    assert (answer.only.licence_status, answer.codes) == ("Suspended", ["STATUS_SUSPENDED"])
    assert [verdict.allowed for verdict in answer.only.annex_one] == [False]
    await desk.story.resume("A")
    assert (await desk.check(goods(cited("A", "40")))).only.outcome == "OK_AVAILABLE"


@pytest.mark.parametrize(
    ("procedure", "outcome", "allowed"),
    [("4000", "OK_NOT_APPLICABLE", False), ("3151", "OK_AVAILABLE", True), ("1000", "OK_AVAILABLE", True)],
)
async def test_the_requested_procedure_decides(desk: Desk, procedure: str, outcome: str, allowed: bool) -> None:
    """Scenarios 3 and 4."""
    told = (await desk.check(goods(cited("A", "40"), procedure=procedure))).only
    assert told.outcome == outcome
    (verdict,) = told.annex_one
    assert (verdict.table, verdict.version, verdict.procedure) == ("dues-export", 1, procedure[:2])
    assert (verdict.allowed, verdict.quantity_management) == (allowed, allowed)


@pytest.mark.parametrize(("enforced", "severity"), [(False, "WARNING"), (True, "ERROR")])
async def test_a_procedure_that_the_licence_does_not_name_is_told(enforced: bool, severity: str) -> None:
    """Form box 21."""
    desk = Desk(Policy(enforced=frozenset({Rule.PROCEDURE} if enforced else ())))
    await desk.story.issue(licence("A", "100", procedures=("1000", "2300")))
    told = (await desk.check(goods(cited("A", "40"), procedure="2100"))).only
    (verdict,) = told.verdict
    assert (verdict.severity, verdict.rule, verdict.code) == (severity, "PROCEDURE", "PROCEDURE_MISMATCH")
    assert (verdict.original_attribute_value, verdict.available) == ("2100", "1000,2300")
    assert told.outcome == ("REFUSED" if enforced else "OK_AVAILABLE")
    assert (await desk.check(goods(cited("A", "40"), procedure="2300"))).only.verdict == ()


@pytest.mark.parametrize(
    ("state", "instant", "day", "outcome"),
    [
        ("PT", "2026-12-31T23:30:00Z", "2026-12-31", "OK_AVAILABLE"),
        ("FI", "2026-12-31T22:30:00Z", "2027-01-01", "REFUSED"),
    ],
)
async def test_an_acceptance_has_the_day_of_its_office_in_both_forms(
    desk: Desk, state: str, instant: str, day: str, outcome: str
) -> None:
    named = {"MRN": mrn_in(state, "M1"), "Exporter": {"identificationNumber": HOLDER}}
    for form in ({"declarationAcceptanceDateAndTime": instant}, {"declarationAcceptanceDate": day}):
        told = await desk.check(goods(cited("A", "40", issuer="BE")), DeclarationReference=named | form)
        assert (told.only.reference_day, told.only.outcome) == (day, outcome)


@pytest.mark.row("UCC-DA 249")
@pytest.mark.parametrize(
    ("told", "day", "outcome", "remarks"),
    [
        ({"dayOfExit": "2026-12-30"}, "2026-12-30", "OK_AVAILABLE", []),
        ({"dayOfExit": "2027-01-02"}, "2027-01-02", "REFUSED", []),
        ({"dayOfExit": "2027-01-11"}, "2027-01-10", "REFUSED", ["DAY_OF_EXIT_LATE"]),
        ({}, "2027-01-10", "REFUSED", ["DAY_OF_EXIT_MISSING"]),
        ({"additionalDeclarationType": "A", "dayOfExit": "2026-12-30"}, "2027-01-10", "REFUSED",
         ["DAY_OF_EXIT_NOT_COUNTED"]),
    ],
)  # fmt: skip
async def test_a_retrospective_declaration_is_judged_on_its_day_of_exit(
    desk: Desk, told: dict[str, str], day: str, outcome: str, remarks: list[str]
) -> None:
    named = declaration(additionalDeclarationType="R", declarationAcceptanceDate="2027-01-10") | told
    answer = await desk.check(goods(cited("A", "40")), DeclarationReference=named)
    assert (answer.only.reference_day, answer.only.outcome) == (day, outcome)
    assert [finding.code for finding in answer.message.finding] == remarks
    asked = await desk.check(goods(cited("A", "40")), DeclarationReference=named, asOf="2026-12-31")
    assert (asked.only.reference_day, asked.only.outcome) == ("2026-12-31", "OK_AVAILABLE")
    assert [finding.code for finding in asked.message.finding] == [one for one in remarks if "COUNTED" in one]


async def test_what_is_known_of_a_retrospective_declaration_counts_for_a_check(desk: Desk) -> None:
    known = {"on": "2027-01-10", "left": "2026-12-30", "about": {"additional_type": "R"}}
    await desk.story.accepted("M1", A=40, **known)
    named = declaration(additionalDeclarationType="R")
    answer = await desk.check(goods(cited("A", "60")), DeclarationReference=named)
    assert (answer.only.reference_day, answer.only.outcome, answer.message.finding) == (
        "2026-12-30", "OK_AVAILABLE", ()
    )  # fmt: skip


async def test_a_day_of_exit_that_no_calendar_has_is_refused(desk: Desk) -> None:
    with pytest.raises(Refusal) as refused:
        await desk.check(goods(cited("A", "1")), DeclarationReference=declaration(dayOfExit="2026-02-30"))
    assert refused.value.code == "SCHEMA_INVALID"


async def test_a_reference_alone_is_judged_on_the_day_of_who_asks(desk: Desk) -> None:
    desk.now = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    days = []
    for state in ("PT", "FI"):
        told = await desk.check(CertificateReference=[alone("A")], by=caller(state=state))
        days.append((told.only.reference_day, told.only.status_on_day))
    assert days == [("2026-12-31", "Valid"), ("2027-01-01", "Expired")]


async def test_an_export_licence_does_not_open_transit(desk: Desk) -> None:
    """Scenario 5."""
    transit = declaration(declarationType="T1")
    answer = await desk.check(goods(cited("A", "40"), procedure=""), DeclarationReference=transit)
    assert "WRONG_DIRECTION" in answer.codes


async def test_a_transit_licence_is_judged_by_its_own_table(desk: Desk) -> None:
    await desk.story.issue(licence("T", "9", type=LicenceType.TRANSIT, direction=Direction.TRANSIT))
    transit = declaration(declarationType="T1")
    document = cited("T", "5", type="X072")
    told = (await desk.check(goods(document, procedure=""), DeclarationReference=transit)).only
    assert (told.outcome, told.annex_one[0].table, told.annex_one[0].allowed) == ("OK_AVAILABLE", "dues-transit", True)
    (found,) = (await desk.check(CertificateReference=[alone("T")])).message.check_result
    assert [one.procedure for one in found.annex_one] == ["T1", "T2", "T2F", "T2SM", "T", "TIR"]


async def test_the_document_code_must_be_that_of_the_licence(desk: Desk) -> None:
    """Scenario 6."""
    assert (await desk.check(goods(cited("A", "40", type="X070")))).codes == ["TYPE_MISMATCH"]


async def test_the_last_piece_fits_and_not_a_millionth_more() -> None:
    """Scenario 7 and E173's first half: what would pass is said with the refusal."""
    desk = Desk()
    await desk.story.issue(licence("A", "100 KGM"))
    assert (await desk.check(goods(cited("A", "100", "KGM")))).only.outcome == "OK_AVAILABLE"
    answer = await desk.check(goods(cited("A", "100.000001", "KGM")))
    assert (answer.codes, answer.only.quantity_passing) == (["QUANTITY_EXCEEDED"], "100")
    (verdict,) = answer.only.verdict
    assert (verdict.rule, verdict.original_attribute_value, verdict.available) == ("AVAILABILITY", "100.000001", "100")


@pytest.mark.row("E173", "IR 4")
async def test_a_check_is_advice(desk: Desk) -> None:
    assert (await desk.check(goods(cited("A", "100")))).only.quantity_available == "100"
    await desk.story.accepted("M2", A=100)
    await desk.story.accepted("M1", A=100)
    assert await desk.story.verdict("M1") == "REFUSED QUANTITY_EXCEEDED"


@pytest.mark.row("E181")
async def test_what_was_reserved_is_seen_at_once_and_counts_for_its_own_declaration(desk: Desk) -> None:
    await desk.story.accepted("M1", A=70)
    own, other = goods(cited("A", "90")), declaration("M2")
    mine = (await desk.check(own)).only
    assert (mine.outcome, mine.quantity_available, mine.quantity_passing) == ("OK_AVAILABLE", "30", "100")
    theirs = await desk.check(own, DeclarationReference=other)
    assert (theirs.codes, theirs.only.quantity_passing) == (["QUANTITY_EXCEEDED"], "30")
    assert mine.journal_version == (await desk.story.state("A")).lv


async def test_documents_that_fit_one_by_one_may_not_fit_together(desk: Desk) -> None:
    """Scenario 13, asked in advance: the first fits, the second no longer."""
    answer = await desk.check(goods(cited("A", "60")), goods(cited("A", "60")))
    assert answer.outcomes == ["OK_AVAILABLE", "REFUSED"]
    together = await desk.check(goods(cited("A", "60"), cited("A", "60")))
    assert together.outcomes == ["REFUSED", "REFUSED"]
    assert together.message.check_result[0].verdict[0].original_attribute_value == "120"


async def test_what_is_asked_about_is_asked_for_together_as_acceptance_does(desk: Desk) -> None:
    """The groups of the settings: an item, or the whole declaration."""
    asked = [goods(cited("A", "60"), cited("X", "1")), goods(cited("A", "50"))]
    assert (await desk.check(*asked)).outcomes == ["REFUSED", "REFUSED", "OK_AVAILABLE"]
    whole = Desk(Policy(settle_group=SettleGroup.DECLARATION))
    await whole.story.issue(licence("A", "100"))
    assert (await whole.check(*asked)).outcomes == ["REFUSED", "REFUSED", "REFUSED"]
    assert (await whole.check(asked[1], asked[1])).outcomes == ["OK_AVAILABLE", "OK_AVAILABLE"]


async def test_a_declaration_that_has_ended_cannot_be_accepted_again(desk: Desk) -> None:
    await desk.story.accepted("M1", A=50)
    assert (await desk.check(goods(cited("A", "100")))).only.outcome == "OK_AVAILABLE"
    await desk.story.invalidated("M1")
    assert (await desk.check(goods(cited("A", "50")))).codes == ["CLAIM_STATE"]


async def test_goods_that_only_change_their_place_fit(desk: Desk) -> None:
    """What the question no longer cites is free for what replaces it, as in an amendment; released or not."""
    await desk.story.issue(licence("B", "100"))
    await desk.story.accepted("M1", A=80)
    await desk.story.accepted("M2", B=100)
    assert (await desk.check(goods(cited("B", "1")))).codes == ["QUANTITY_EXCEEDED"]
    assert (await desk.check(goods(cited("A", "30"), cited("A", "70")))).outcomes == ["OK_AVAILABLE"] * 2
    await desk.story.released("M1")
    assert (await desk.check(goods(cited("A", "30"), cited("A", "70")))).outcomes == ["OK_AVAILABLE"] * 2
    assert (await desk.check(goods(cited("A", "101")))).codes == ["QUANTITY_EXCEEDED", "ADJUST_REFUSED"]


# -- EU003 (X063)


INITIAL = InitialLicence("BE", "A")


@pytest.mark.parametrize(
    ("initial", "codes"),
    [(INITIAL, []), (InitialLicence("BE", "NOBODY"), ["INITIAL_LICENCE_UNKNOWN"]), (None, ["INITIAL_LICENCE_MISSING"])],
)
async def test_the_initial_licence_of_eu003_is_looked_at(
    desk: Desk, initial: InitialLicence | None, codes: list[str]
) -> None:
    """In the registration, in the reference itself, for a reference alone, and as a reservation does."""
    told = {"valid_to": None, "destinations": (), "initial_licence": initial}
    await desk.story.issue(licence("R", "", type=LicenceType.EU003, **told))
    for reference in ("R", f"EU003/BE/{initial.number}" if initial else "UNREGISTERED"):
        answer = await desk.check(goods(cited(reference, type="X063")))
        assert (answer.codes, answer.only.outcome) == (codes, "REFUSED" if codes else "OK_NOT_MANAGED")
    (only,) = (await desk.check(CertificateReference=[alone("R", type="X063")])).message.check_result
    assert [one.code for one in only.verdict] == codes
    await desk.story.accepted("M1", cite("R", code="X063"))
    assert await desk.story.verdict("M1") == " ".join(["REFUSED", *codes] if codes else ["OK_NOT_MANAGED"])


async def test_the_initial_licence_is_known_while_the_ledger_is_away(desk: Desk) -> None:
    told = {"valid_to": None, "destinations": (), "initial_licence": INITIAL}
    await desk.story.issue(licence("R", "", type=LicenceType.EU003, **told))
    asked = goods(cited("R", type="X063"))
    await desk.check(asked)

    def away() -> None:
        raise LedgerAway("gone")

    desk.reader.failing = away
    answer = await desk.check(asked)
    assert (answer.message.degraded, answer.codes) == (True, [])
    assert "LICENCE_TYPE" in answer.only.rules_passed


async def test_an_amendment_to_a_general_authorisation_is_judged_by_the_bars(desk: Desk) -> None:
    await desk.story.issue(licence("G", "", type=LicenceType.EU001, destinations=()))
    bar = ExporterBar("BE", HOLDER, ("X061",), date(2026, 1, 1))
    await desk.story.tell(desk.story.authority.event(None, LicenceEventKind.EXPORTER_BARRED, bar=bar))
    await desk.story.accepted("M1", A=10)
    answer = await desk.check(goods(cited("G", type="X061")), countryOfDestination="CH")
    assert answer.codes == ["BARRED"]


# -- nothing to answer


async def test_an_empty_answer_says_why(desk: Desk) -> None:
    """Codes of other documents are no question to this ledger."""
    reference = [{"sequenceNumber": 1, "type": "Y901"}]
    first = goods(cited("A", type="X073"), AdditionalReference=reference)
    answer = await desk.check(first, goods(cited("B", type="3LNA")))
    assert answer.outcomes == []
    (finding,) = answer.message.finding
    assert (finding.severity, finding.code, finding.original_attribute_value) == ("INFO", "NO_CLAIMS", "X073 Y901 3LNA")
    (bare,) = (await desk.check(goods())).message.finding
    assert (bare.code, bare.original_attribute_value) == ("NO_CLAIMS", None)


async def test_a_retrospective_declaration_is_judged_on_its_day(desk: Desk) -> None:
    """Scenario 29: valid at departure, expired today."""
    await desk.story.validity_passed("A")
    desk.later(400 * 86_400)
    late = await desk.check(goods(cited("A", "40")))
    assert (late.only.licence_status, late.codes) == ("Expired", ["EXPIRED_AT_ACCEPTANCE"])
    assert not late.only.annex_one[0].allowed
    then = await desk.check(goods(cited("A", "40")), asOf="2026-12-31")
    assert (then.only.outcome, then.only.status_on_day, then.only.status_then) == ("OK_AVAILABLE", "Valid", "Valid")
    assert (then.message.as_of, then.only.annex_one[0].allowed) == ("2026-12-31", True)
    (found,) = (await desk.check(CertificateReference=[alone("A")], asOf="2027-01-01")).message.check_result
    assert (found.outcome, found.status_on_day) == ("REFUSED", "Expired")


@pytest.mark.parametrize(
    ("at", "outcome"), [("2026-12-31T22:59:59", "OK_AVAILABLE"), ("2026-12-31T23:00:00", "REFUSED")]
)
async def test_the_last_day_ends_at_midnight_where_the_licence_was_issued(desk: Desk, at: str, outcome: str) -> None:
    """Scenario 48: the clock of Brussels, told in UTC."""
    accepted = declaration(declarationAcceptanceDateAndTime=at)
    assert (await desk.check(goods(cited("A", "40")), DeclarationReference=accepted)).only.outcome == outcome


async def test_a_shipment_level_reference_is_derived_for_one_item_only(desk: Desk) -> None:
    """Scenario 36."""
    shipment = [{"sequenceNumber": 1, "type": "X060", "referenceNumber": "A"}]
    one = await desk.check(goods(), SupportingDocument=shipment)
    assert (one.codes, one.only.declaration_goods_item_number) == (["QUANTITY_MISSING"], 1)
    two = await desk.check(goods(), goods(), SupportingDocument=shipment)
    assert two.codes == ["LEVEL_NOT_SUPPORTED"]
    assert two.only.declaration_goods_item_number is None


async def test_a_reference_in_12_04_is_found(desk: Desk) -> None:
    """Scenario 37."""
    reference = [{"sequenceNumber": 1, "type": "X060", "referenceNumber": "A"}]
    told = (await desk.check(goods(AdditionalReference=reference))).only
    assert (told.result, told.licence_identification) == ("FOUND", "BE/A")


async def test_the_line_is_declared_or_found_by_its_goods() -> None:
    """Scenarios 38 and 39: declared, else the only one of the commodity, by as many digits as there are."""
    desk = Desk()
    other = replace(line(2, "7"), commodity_codes=("90138090",))
    await desk.story.issue(licence("A", line(1, "100"), other))
    assert (await desk.check(goods(cited("A", "7", documentLineItemNumber=2)))).only.quantity_available == "7"
    found = await desk.check(goods(cited("A", "7"), commodity="901380"))
    assert (found.only.outcome, found.only.supporting_document.document_line_item_number) == ("OK_AVAILABLE", 2)
    await desk.story.issue(licence("B", "1", "2"))
    assert "LINE_AMBIGUOUS" in (await desk.check(goods(cited("B", "1")))).codes


async def test_goods_for_special_fiscal_territories_need_no_licence(desk: Desk) -> None:
    """Scenario 47: not applicable when cited, and silent when not."""
    told = goods(cited("A", "40"))
    told["Procedure"]["additionalProcedure"] = ["F75"]
    dispatch = declaration(declarationType="CO")
    assert (await desk.check(told, DeclarationReference=dispatch)).only.outcome == "OK_NOT_APPLICABLE"
    bare = goods() | {"Procedure": told["Procedure"]}
    assert (await desk.check(bare, DeclarationReference=dispatch)).outcomes == []


async def test_a_reference_alone_is_told_with_all_procedures(desk: Desk) -> None:
    (found,) = (await desk.check(CertificateReference=[alone("a", type="X060")])).message.check_result
    assert (found.result, found.outcome, found.licence_status) == ("FOUND", "OK_AVAILABLE", "Valid")
    assert [one.procedure for one in found.annex_one if one.allowed] == ["10", "11", "21", "22", "23", "31"]
    assert found.rules_passed == ("DOCUMENT_TYPE", "LICENCE", "LICENCE_TYPE", "STATUS", "VALIDITY")
    assert found.licence_content is not None
    (other,) = (await desk.check(CertificateReference=[alone("A", type="X070")])).message.check_result
    assert [verdict.code for verdict in other.verdict] == ["TYPE_MISMATCH"]


async def test_an_unlimited_licence_is_not_managed(desk: Desk) -> None:
    await desk.story.issue(licence("G", "", type=LicenceType.EU001, document_code="X061"))
    told = (await desk.check(goods(cited("G", type="X061")), countryOfDestination="CH")).only
    assert (told.outcome, told.measurement_unit_and_qualifier) == ("OK_NOT_MANAGED", None)


async def test_a_comparison_is_reported_or_enforced() -> None:
    for enforced, outcome, severity in [
        (frozenset[Rule](), "OK_AVAILABLE", "WARNING"),
        (frozenset({Rule.DESTINATION}), "REFUSED", "ERROR"),
    ]:
        desk = Desk(Policy(enforced=enforced))
        await desk.story.issue(licence("A", "100"))
        told = (await desk.check(goods(cited("A", "1")), countryOfDestination="US")).only
        assert (told.outcome, told.verdict[0].code, told.verdict[0].severity) == (
            outcome, "DESTINATION_MISMATCH", severity,
        )  # fmt: skip


async def test_the_issuer_is_the_declaring_state_unless_stated(desk: Desk) -> None:
    await desk.story.issue(licence("DE/A", "5", holder=Party("Other", "DE1")))
    told = await desk.check(goods(cited("A", "6", issuer="DE")))
    assert (told.only.licence_identification, told.codes) == ("DE/A", ["QUANTITY_EXCEEDED"])


async def test_a_licence_not_yet_valid(desk: Desk) -> None:
    await desk.story.issue(licence("N", "1", valid_from=date(2026, 6, 1)))
    assert (await desk.check(goods(cited("N", "1")))).codes == ["NOT_YET_VALID"]


async def test_a_foreign_declaration_is_not_looked_into(desk: Desk) -> None:
    """What another state's declaration holds is not added for a caller of this state."""
    await desk.story.accepted("M1", A=70)
    told = (await desk.check(goods(cited("A", "90")), by=caller(state="DE"))).only
    assert (told.outcome, told.quantity_passing) == ("REFUSED", "30")


async def test_a_document_that_weighs_more_than_the_goods_is_told_and_refuses_nothing() -> None:
    desk = Desk()
    await desk.story.issue(licence("K", "100 KGM"))
    item = goods(cited("K", "40", unit="KGM")) | {"GoodsMeasure": {"netMass": "15"}}
    told = (await desk.check(item)).only
    (verdict,) = [one for one in told.verdict if one.code == "EXCEEDS_MASS"]
    assert (verdict.severity, verdict.rule, verdict.original_attribute_value) == ("WARNING", "DECLARED", "40 KGM")
    assert "15 kg" in verdict.text
    assert "DECLARED" not in (told.rules_passed or ())


@pytest.mark.row("R18")
async def test_a_supplementary_declaration_is_asked_about_without_its_figures(desk: Desk) -> None:
    """They are decided with the simplified declaration, which may have used the licence up."""
    await desk.story.accepted("M1", A=100)
    await desk.story.released("M1")
    asked = goods(cited("A", "90"))
    named = {"additionalDeclarationType": "Y", "SimplifiedDeclaration": [{"MRN": mrn_of("M1")}]}
    answer = await desk.check(asked, DeclarationReference=declaration("M7") | named)
    assert (answer.only.outcome, answer.only.licence_status, answer.codes) == ("OK_AVAILABLE", "Exhausted", [])
    assert "ONE_INSTRUMENT" in [finding.code for finding in answer.message.finding]
    by_item = goods(cited("X", "90"), SimplifiedDeclaration=[{"MRN": mrn_of("M1"), "declarationGoodsItemNumber": 1}])
    assert (await desk.check(by_item)).codes == ["NOT_FOUND"]


@pytest.mark.row("R18")
async def test_a_supplementary_declaration_that_names_none_is_refused(desk: Desk) -> None:
    named = declaration("M7") | {"additionalDeclarationType": "X"}
    with pytest.raises(Refusal) as refused:
        await desk.check(goods(cited("A", "90")), DeclarationReference=named)
    assert [(error.reason, error.value) for error in refused.value.errors] == [("SIMPLIFIED_NOT_NAMED", "X")]
