"""Answers compared with what was expected: a difference is an exception that tells both sides."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.kernel.errors import BridgeError
from certex_bridge.laboratory.customs_book import NONE, Amounts, Foreseen, Held, Line, Place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from certex_bridge.laboratory.customs_expectation import Expectation
    from certex_bridge.singlewindow.messages.availability import AvailabilityCheck, AvailabilityCheckResponse
    from certex_bridge.singlewindow.messages.outcome import ClaimResult, QuantityMovementResponse

_BOOKED = {"OK_RESERVED", "OK_CONSUMED", "OK_ADJUSTED", "OK_OVERRIDDEN"}
_GIVEN_BACK = {"OK_UNRESERVED", "OK_WITHDRAWN", "CLOSED"}


class Mismatch(BridgeError):
    """The answer is not what was expected."""

    code = "EXPECTATION_MISMATCH"

    def __init__(self, where: str, expected: object, told: object) -> None:
        """`where` names declaration and figure."""
        self.expected, self.told = str(expected), str(told)
        super().__init__(f"expected {expected}, told {told}", field=where, value=told)


def accept(expectation: Expectation, foreseen: Foreseen, answer: QuantityMovementResponse) -> str:
    """Compare the answer to a movement or decision, then move on; returns the outcomes in short.

    Raises:
        Mismatch: it is not what was foreseen; the expectation stays as it was.
    """
    refused = next((one.code for one in answer.findings if one.severity == "ERROR"), "")
    if refused not in foreseen.refusals:
        shown = " or ".join(code or "taken" for code in sorted(foreseen.refusals))
        raise Mismatch(foreseen.mrn, shown, refused or "taken")
    if refused:
        return refused
    results = {place_of(one): one for one in answer.claim_results}
    if foreseen.after is not None:
        for place, result in results.items():
            held = foreseen.after.held.get(place)
            if held is not None:
                _compare_claim(f"{foreseen.mrn} {place[0]}.{place[1]}", held, result, foreseen.lines, expectation)
        missing = [place for place in foreseen.named if place not in results]
        if missing:
            raise Mismatch(foreseen.mrn, f"a result for {missing}", sorted(results))
        expectation.declarations[foreseen.mrn] = foreseen.after
        expectation.lines |= foreseen.lines
    return _in_short([one for place, one in results.items() if place in foreseen.named or not foreseen.named])


def place_of(result: ClaimResult) -> Place:
    """Where the document stands."""
    return result.declaration_goods_item_number or 0, result.supporting_document.sequence_number


def _in_short(results: Sequence[ClaimResult]) -> str:
    """The worst outcome of the claims that the call was about."""
    outcomes = {one.outcome for one in results}
    for worst in ("UNCOVERED", "REFUSED", "WAITING"):
        if worst in outcomes:
            return worst
    return min(outcomes, key=_WEIGHT.index) if outcomes else "NO_CLAIMS"


_WEIGHT = (
    "OK_OVERRIDDEN", "OK_WITHDRAWN", "OK_ADJUSTED", "OK_CONSUMED", "OK_RESERVED", "OK_UNRESERVED", "OK_NOT_MANAGED",
    "OK_NOT_APPLICABLE", "OK_AVAILABLE", "CLOSED",
)  # fmt: skip
"""Of several positive outcomes the one that says most."""


def _compare_claim(
    where: str, held: Held, result: ClaimResult, lines: Mapping[tuple[str, int], Line], expectation: Expectation
) -> None:
    reserved = Amounts(_decimal(result.quantity_reserved), _decimal(result.amount_reserved))
    consumed = Amounts(_decimal(result.quantity_consumed), _decimal(result.amount_consumed))
    codes = {one.code for one in result.verdicts if one.severity == "ERROR"}
    if result.outcome == "REFUSED" and not codes:
        raise Mismatch(f"{where} verdict", "a reason (Art. 6(5))", "none")
    if held.line is None:
        _plausible(where, result.outcome, reserved, consumed, result)
        held.state, held.reserved, held.consumed = result.state, reserved, consumed
        return
    if held.outcomes and result.outcome not in held.outcomes:
        raise Mismatch(f"{where} outcome", " or ".join(sorted(held.outcomes)), f"{result.outcome} {sorted(codes)}")
    _same(f"{where} reserved", held.reserved, reserved)
    _same(f"{where} consumed", held.consumed, consumed)
    if result.outcome == "REFUSED" and held.short and not held.short & codes:
        raise Mismatch(f"{where} verdict", " or ".join(sorted(held.short)), sorted(codes))
    line = lines.get(held.line) or expectation.lines[held.line]
    _same_where_told(f"{where} quantity available", line.available.quantity, result.quantity_available)
    _same_where_told(f"{where} amount available", line.available.value, result.amount_available)


def _plausible(where: str, outcome: str, reserved: Amounts, consumed: Amounts, result: ClaimResult) -> None:
    """What must hold of any claim, whoever else draws on its licence."""
    held = reserved.plus(consumed)
    uncovered = Amounts(_decimal(result.quantity_uncovered), _decimal(result.amount_uncovered))
    if outcome in _GIVEN_BACK and held != NONE:
        raise Mismatch(where, f"nothing held after {outcome}", _shown(held))
    if outcome in _BOOKED and held == NONE:
        raise Mismatch(where, f"something held after {outcome}", _shown(held))
    if outcome == "OK_RESERVED":
        asked = Amounts(_decimal(result.quantity_requested), _decimal(result.amount_requested))
        _same(f"{where} reserved", asked, reserved)
        _same(f"{where} consumed", NONE, consumed)
    if outcome == "OK_CONSUMED":
        _same(f"{where} reserved", NONE, reserved)
    if outcome != "UNCOVERED":
        _same(f"{where} uncovered", NONE, uncovered)


def compare_check(expectation: Expectation, request: AvailabilityCheck, answer: AvailabilityCheckResponse) -> str:
    """Compare the answer to a check (F1), as far as its lines are in the book; returns the worst outcome.

    Raises:
        Mismatch: it is not what was expected.
    """
    told = {
        (one.declaration_goods_item_number or 0, one.supporting_document.sequence_number or 0): one
        for one in answer.check_result
    }
    for place, (outcome, left) in expectation.available(request).items():
        where = f"check {place[0]}.{place[1]}"
        if place not in told:
            raise Mismatch(where, "a result", sorted(told))
        result = told[place]
        if result.outcome != outcome:
            raise Mismatch(f"{where} outcome", outcome, result.outcome)
        _same_where_told(f"{where} quantity available", left.quantity, result.quantity_available)
        _same_where_told(f"{where} amount available", left.value, result.amount_available)
    if not told:
        return "NO_CLAIMS"
    outcomes = {one.outcome or one.result for one in told.values()}
    return "REFUSED" if "REFUSED" in outcomes else min(outcomes)


def compare_licence(expectation: Expectation, licence: str, view: Mapping[str, Any]) -> None:
    """Compare a licence as it is read (GET /v1/licences) with the book.

    Raises:
        Mismatch: a figure differs.
    """
    for (name, number), line in expectation.lines.items():
        if name != licence:
            continue
        told = {one["dimension"]: one for one in view["balances"] if one["line"] == number}
        for dimension, field in (("QTY", "quantity"), ("VAL", "value")):
            if getattr(line, field) is None:
                continue
            expected = [getattr(one, field) for one in (line.reserved, line.consumed, line.available)]
            found = [Decimal(told[dimension][figure]) for figure in ("reserved", "consumed", "available")]
            if expected != found:
                raise Mismatch(f"{licence} line {number} {field}", _figures(expected), _figures(found))


def compare_declaration(expectation: Expectation, mrn: str, view: Mapping[str, Any]) -> None:
    """Compare a declaration as it is read (GET /v1/declarations) with what it should hold.

    Raises:
        Mismatch: a figure differs.
    """
    told = {(one["item"], one["document"]): one for one in view["claims"]}
    for place, held in expectation.declarations[mrn].held.items():
        if held.line is None:
            continue
        one, where = told[place], f"{mrn} {place[0]}.{place[1]}"
        _same(f"{where} reserved", held.reserved, _read(one, "Reserved"))
        _same(f"{where} consumed", held.consumed, _read(one, "Consumed"))


def _read(claim: Mapping[str, Any], figure: str) -> Amounts:
    return Amounts(Decimal(claim[f"quantity{figure}"]), Decimal(claim[f"amount{figure}"]))


def _decimal(text: str | None) -> Decimal:
    return Decimal(text or 0)


def _same(where: str, expected: Amounts, told: Amounts) -> None:
    if expected != told:
        raise Mismatch(where, _shown(expected), _shown(told))


def _same_where_told(where: str, expected: Decimal, told: str | None) -> None:
    if told is not None and Decimal(told) != expected:
        raise Mismatch(where, format_decimal(expected), told)


def _shown(amounts: Amounts) -> str:
    return f"{format_decimal(amounts.quantity)} / {format_decimal(amounts.value)}"


def _figures(figures: list[Decimal]) -> str:
    return " / ".join(format_decimal(figure) for figure in figures)
