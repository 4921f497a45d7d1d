"""The tests of one claim, in decision order, each with its verdict.

Everything that can be tested is tested, so that an answer explains itself; the first failure is the reason.
Sources: IR 2024/2145 Art. 5 and 6 and Annex I B.2; UCC Art. 172(2) for the date; UCC-IA Annex B for the figures.
"""

from __future__ import annotations

from datetime import date

from certex_bridge.kernel.countries import valid_in
from certex_bridge.kernel.dates import valid_on
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.kernel.identifiers import mrn_member_state
from certex_bridge.ledger.domain.comparisons import compare, covers
from certex_bridge.ledger.domain.content import ClaimSpec, Item
from certex_bridge.ledger.domain.days import exit_counting, reference_day
from certex_bridge.ledger.domain.evaluation import Circumstances, Evaluation
from certex_bridge.ledger.domain.figures import declared_figures
from certex_bridge.ledger.domain.general import judge_initial_licence, judge_shipment, judge_unregistered
from certex_bridge.ledger.domain.model import Account, Dim, LicenceState, Status
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.reasons import Reason, Rule
from certex_bridge.ledger.domain.tables import (
    FISCAL_TERRITORY_PROCEDURE,
    GENERAL_CODES,
    code_fits,
    is_licence_code,
)
from certex_bridge.licensing.domain.licence import Direction, Licence, LicenceType

_REPAIR = LicenceType.EU003.value
_EXPIRED = Status.EXPIRED.value
_FIGURE_FIELDS = {"quantity": Dim.QTY, "value": Dim.VAL}
"""Last name in the path of a finding about a declared figure, and what the figure would be written off from."""


def evaluate(spec: ClaimSpec, item: Item, state: LicenceState, around: Circumstances, held_line: int) -> Evaluation:
    """Judge one claim. `held_line` is the line an existing claim of this document already holds, or 0."""
    seen = Evaluation(spec, item)
    licence = state.licence
    _declared_soundly(seen)
    kind, code, direction, only = around.policy.types.asked(
        spec.document_code, licence.type if licence else "", item.procedure, around.payload.declaration_type
    )
    if direction is None or FISCAL_TERRITORY_PROCEDURE in item.additional_procedures:
        seen.applicable = False
        return seen
    seen.passed.append(Rule.PROCEDURE)
    if item.number == 0:
        seen.fail(Rule.LEVEL, "LEVEL_NOT_SUPPORTED", "supportingDocument", spec.reference)
        return seen
    seen.passed.append(Rule.LEVEL)
    _document_code(seen, licence, around.policy)
    if licence is None:
        _unknown_licence(seen, around)
        return seen
    _found(seen, licence, around)
    seen.day = day = reference_day(around.facts, item.number, around.policy)
    table = only or kind.table(direction, day)
    seen.rules_table = table.table.label
    _kind(seen, licence, direction, around, day)
    _status(seen, state, around, code in table.closed.get(state.status, ()))
    kept = code in table.kept and state.licence_id in around.holding
    _validity(seen, licence, around, day, closed=code in table.closed[_EXPIRED] and not kept)
    _line(seen, licence, state, held_line)
    compare(seen, licence, around, day)
    _figures(seen, state, licence, around, written_off=kind.quantities and code in table.managed)
    return seen


def _document_code(seen: Evaluation, licence: Licence | None, policy: Policy) -> None:
    code, own_code = seen.spec.document_code, licence.document_code if licence else ""
    if is_licence_code(policy.types, code, own_code, policy.further_codes):
        seen.passed.append(Rule.DOCUMENT_TYPE)
    else:
        seen.hopeless = True
        seen.fail(Rule.DOCUMENT_TYPE, "UNKNOWN_DOC_TYPE", "type", code)


def _declared_soundly(seen: Evaluation) -> None:
    """What makes the claim impossible whatever the licence says; an unusable figure waits for the licence's limits."""
    if not seen.spec.findings:
        seen.passed.append(Rule.DECLARED)
        return
    for finding in seen.spec.findings:
        if finding.severity is not Severity.ERROR:
            seen.warned.append((Rule.DECLARED, _reason_of(finding)))
        elif _figure_of(finding) is None:
            seen.hopeless = True
            seen.failed.append((Rule.DECLARED, _reason_of(finding)))


def _reason_of(finding: Finding) -> Reason:
    return Reason(finding.code, finding.field, finding.value, "", finding.message)


def _figure_of(finding: Finding) -> Dim | None:
    return _FIGURE_FIELDS.get(finding.field.rpartition(".")[2])


def _kind(seen: Evaluation, licence: Licence, direction: Direction, around: Circumstances, day: date) -> None:
    if not code_fits(around.policy.types, seen.spec.document_code, licence.document_code, licence.type):
        if Rule.DOCUMENT_TYPE in seen.passed:
            seen.fail(Rule.LICENCE_TYPE, "TYPE_MISMATCH", "type", seen.spec.document_code, licence.document_code)
    elif licence.type != _REPAIR:
        seen.passed.append(Rule.LICENCE_TYPE)
    else:
        judge_initial_licence(seen, licence, around, day)
    if licence.direction is direction:
        seen.passed.append(Rule.DIRECTION)
    else:
        procedure = seen.item.procedure
        seen.fail(Rule.DIRECTION, "WRONG_DIRECTION", "requestedProcedure", procedure, licence.direction.value)


def _unknown_licence(seen: Evaluation, around: Circumstances) -> None:
    if seen.spec.document_code in GENERAL_CODES:
        judge_unregistered(seen, around, reference_day(around.facts, seen.item.number, around.policy))
    else:
        seen.waiting = not seen.hopeless
        seen.line_no = seen.spec.line_no or 0  # the claim keeps its identity when the licence arrives
        if seen.spec.rivals:
            rivals = ", ".join(seen.spec.rivals)
            seen.fail(Rule.LICENCE, "ISSUER_AMBIGUOUS", "referenceNumber", seen.spec.reference, rivals)
        else:
            seen.fail(Rule.LICENCE, "NOT_FOUND", "referenceNumber", seen.spec.reference)


def _found(seen: Evaluation, licence: Licence, around: Circumstances) -> None:
    """Tell how the licence was found where the document leaves it open, and where it is of no use by its issuer."""
    spec, mrn = seen.spec, around.facts.mrn
    if mrn and not valid_in(licence.issuer, mrn_member_state(mrn)):
        seen.warn(Rule.LICENCE, "ISSUER_NOT_OF_TERRITORY", "referenceNumber", spec.reference, spec.licence_id)
    elif spec.found_by:
        seen.warn(Rule.LICENCE, spec.found_by, "referenceNumber", spec.reference, spec.licence_id)
    else:
        seen.passed.append(Rule.LICENCE)


_STATUS_CODES = {status: f"STATUS_{status.name}" for status in Status} | {Status.VALID: "PROCEDURE_NOT_ALLOWED"}


def _status(seen: Evaluation, state: LicenceState, around: Circumstances, closed: bool) -> None:  # noqa: FBT001  # the look-up
    """`closed`: the status opens no such procedure. Expired is judged by the date of acceptance, so it is no test here.

    Whoever holds a part of a fully used licence may rearrange it: whether that fits is a matter of figures alone.
    """
    status = state.status
    if state.frozen:
        seen.fail(Rule.STATUS, "STATUS_FROZEN", "status", "", status.value)
        return
    own_use = status is Status.EXHAUSTED and state.licence_id in around.holding
    if not closed or status is Status.EXPIRED or own_use:
        seen.passed.append(Rule.STATUS)
    else:
        seen.fail(Rule.STATUS, _STATUS_CODES[status], "status", "", status.value)


def _validity(seen: Evaluation, licence: Licence, around: Circumstances, day: date, *, closed: bool) -> None:
    """`closed`: an expired licence does not open the procedure."""
    verdict = valid_on(day, licence.valid_from, licence.valid_to)
    if verdict == "OK" or (verdict == "EXPIRED" and not closed):
        seen.passed.append(Rule.VALIDITY)
        return
    first, last = str(licence.valid_from), str(licence.valid_to)
    if exit_counting(around.facts, seen.item.number, around.policy) is not None:
        if verdict == "EXPIRED":
            seen.fail(Rule.VALIDITY, "EXPIRED_AT_EXIT", "dayOfExit", str(day), last)
        else:
            seen.fail(Rule.VALIDITY, "NOT_YET_VALID_AT_EXIT", "dayOfExit", str(day), first)
    elif verdict == "EXPIRED":
        seen.fail(Rule.VALIDITY, "EXPIRED_AT_ACCEPTANCE", "declarationAcceptanceDate", str(day), last)
    else:
        seen.fail(Rule.VALIDITY, "NOT_YET_VALID", "declarationAcceptanceDate", str(day), first)


def _line(seen: Evaluation, licence: Licence, state: LicenceState, held_line: int) -> None:
    wanted = seen.spec.line_no
    if not licence.lines:
        return
    if wanted is not None:
        found = [wanted] if licence.line(wanted) else []
    else:
        found = [line.line_no for line in licence.lines if covers(line, seen.item.commodity)]
        if held_line and (held_line in found or not found):
            found = [held_line]  # several lines could be meant, or none: the document stays where it is
    if len(found) == 1:
        seen.line_no = found[0]
        seen.passed.append(Rule.LINE)
    elif found:
        seen.unplaced = True
        seen.fail(Rule.LINE, "LINE_AMBIGUOUS", "documentLineItemNumber", "", ",".join(map(str, found)))
    else:
        text = str(wanted) if wanted is not None else seen.item.commodity
        seen.fail(Rule.LINE, "LINE_NOT_FOUND", "documentLineItemNumber", text)
        taken_out = [account for (line_no, _), account in state.accounts.items() if line_no == wanted]
        if wanted is not None and taken_out:
            seen.line_no = wanted  # a line taken out of the licence while in use still holds its figures
        # Out of use it holds none, and nobody can book any: they would be missing should the line come back.
        seen.unplaced = not seen.line_no or all(account.closed for account in taken_out)


def _figures(
    seen: Evaluation, state: LicenceState, licence: Licence, around: Circumstances, *, written_off: bool
) -> None:
    """`written_off`: licences of the type are, under this procedure."""
    limits = _limits(state, seen.line_no) if written_off else []
    seen.managed = bool(limits)
    threshold = licence.shipment_value_max
    if seen.spec.findings:
        limited = {dim for dim, _ in limits}
        _unusable_figures(seen, limited | {Dim.VAL} if threshold else limited)
    if threshold:
        judge_shipment(seen, threshold, around)
    if not limits:
        return
    seen.declared = declared_figures(seen.spec, seen.item, limits, around.policy, seen.day)
    if seen.declared.problems:
        seen.judge_figures(seen.declared.problems)
    else:
        seen.passed += (Rule.UNIT, Rule.FIGURES)


def _limits(state: LicenceState, line_no: int) -> list[tuple[Dim, Account]]:
    return [
        (dim, account)
        for place in ((0, line_no) if line_no else (0,))
        for dim in (Dim.QTY, Dim.VAL)
        if (account := state.limit(place, dim)) is not None
    ]


def _unusable_figures(seen: Evaluation, limited: set[Dim]) -> None:
    """A figure that cannot be read refuses the claim only where the licence limits its dimension."""
    errors = [finding for finding in seen.spec.findings if finding.severity is Severity.ERROR and _figure_of(finding)]
    verdicts = [(Rule.DECLARED, _reason_of(finding)) for finding in errors]
    refused = bool(seen.failed) and seen.failed[0][0] is Rule.DECLARED
    if refused or any(_figure_of(finding) in limited for finding in errors):
        seen.failed[0:0] = verdicts
        seen.hopeless = seen.hopeless or bool(verdicts)
    else:
        seen.warned += verdicts
