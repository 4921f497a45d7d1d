"""From what the ledger's rules found to the answer of a check, as much of it as the caller may see."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.ledger.checking import Checked
from certex_bridge.ledger.domain.content import Payload
from certex_bridge.ledger.domain.model import Status
from certex_bridge.ledger.domain.outcome import ClaimOutcome
from certex_bridge.ledger.domain.reasons import Reason, Rule
from certex_bridge.singlewindow.disclosure import claim_without_figures
from certex_bridge.singlewindow.functions.annex_one import verdicts
from certex_bridge.singlewindow.messages.availability import CheckedDocument, CheckResult, FittingDocument, Verdict
from certex_bridge.singlewindow.messages.licence_content import LicenceContent, content_of

_CONTENTS_MAX = 20_000
_TOLD = 512


class Results:
    """Makes results; remembers the content of licence versions, which never change."""

    def __init__(self) -> None:
        self._contents: dict[tuple[str, int, int], LicenceContent] = {}

    def forget(self) -> None:
        """Drop what is remembered: the database may be another than before."""
        self._contents.clear()

    def result(self, number: int, checked: Checked, payload: Payload | None, *, figures: bool) -> CheckResult:
        """One document's answer; `payload` is the declaration around it, None for a reference alone."""
        outcome = checked.outcome if figures else claim_without_figures(checked.outcome)
        told = outcome.licence is not None and outcome.outcome.startswith("OK_")
        return CheckResult(
            **_cited(number, outcome, payload),
            result="FOUND" if checked.found else "NOT_FOUND",
            outcome=outcome.outcome,
            **_status(checked),
            **_versions(outcome),
            annex_one=annex_one(checked, payload),
            **_figures(checked, outcome, shown=figures),
            rules_passed=_rules(outcome.passed),
            rules_not_tested=_rules(outcome.not_tested),
            verdict=tuple(_verdicts(outcome)),
            licence_content=self._content(outcome) if told else None,
        )

    def _content(self, outcome: ClaimOutcome) -> LicenceContent:
        licence, line_no = outcome.licence, outcome.key.line_no
        assert licence is not None, "only a known licence has content"
        key = (outcome.key.licence_id, licence.version, line_no)
        found = self._contents.get(key)
        if found is None:
            if len(self._contents) >= _CONTENTS_MAX:
                self._contents.clear()
            found = self._contents[key] = content_of(licence, line_no)
        return found


def remembered(number: int, checked: Checked, payload: Payload | None, age: int) -> CheckResult:
    """What is still known of a document while the ledger cannot be asked: status and validity, no outcome."""
    outcome = checked.outcome
    return CheckResult(
        **_cited(number, outcome, payload),
        result="FOUND",
        **_status(checked),
        **_versions(outcome),
        age=age,
        annex_one=annex_one(checked, payload),
        rules_passed=_rules(outcome.passed),
        rules_not_tested=_rules(outcome.not_tested),
        verdict=tuple(_verdicts(outcome)),
    )


def not_read(number: int, checked: Checked, payload: Payload | None) -> CheckResult:
    """Nothing is known of a document, and the ledger cannot be asked."""
    return CheckResult(**_cited(number, checked.outcome, payload), result="NOT_READ")


def annex_one(checked: Checked, payload: Payload | None) -> tuple[Any, ...]:
    """The verdict on the procedure declared; on all of the table for a reference alone."""
    licence = checked.outcome.licence
    if licence is None:
        return ()
    status = checked.status.value
    item = next((one for one in payload.items if one.number == checked.outcome.key.item), None) if payload else None
    if payload is None or item is None:
        return verdicts(licence, status, checked.day)
    if licence.direction.value == "TRANSIT":
        return verdicts(licence, status, checked.day, (payload.declaration_type,))
    procedure = item.procedure
    return verdicts(licence, status, checked.day, (procedure[:2],), procedure[2:]) if procedure else ()


def fitting_document(checked: Checked) -> FittingDocument:
    """Another licence that would carry the goods, with what is left of it."""
    outcome = checked.outcome
    licence = outcome.licence
    assert licence is not None, "only a known licence can fit"
    return FittingDocument(
        licence_identification=outcome.key.licence_id,
        type=licence.document_code,
        document_line_item_number=outcome.key.line_no or None,
        validity_date=licence.valid_to.isoformat() if licence.valid_to else None,
        measurement_unit_and_qualifier=outcome.unit or None,
        quantity_available=_text(outcome.available_quantity),
        currency=outcome.currency or None,
        amount_available=_text(outcome.available_value),
    )


def _cited(number: int, outcome: ClaimOutcome, payload: Payload | None) -> dict[str, Any]:
    key, alone = outcome.key, payload is None
    return {
        "sequence_number": number,
        "declaration_goods_item_number": None if alone or not key.item else key.item,
        "supporting_document": CheckedDocument(
            sequence_number=None if alone else key.doc_seq,
            type=outcome.document_code[:_TOLD] or None,
            reference_number=outcome.reference[:_TOLD],
            document_line_item_number=key.line_no or None,
        ),
        "licence_identification": key.licence_id,
    }


def _status(checked: Checked) -> dict[str, Any]:
    status = checked.outcome.licence_status
    if not checked.found or status == Status.UNKNOWN:
        return {}
    return {
        "licence_status": str(status),
        "reference_day": checked.day.isoformat(),
        "status_on_day": checked.status.value,
    }


def _versions(outcome: ClaimOutcome) -> dict[str, Any]:
    return {"licence_version": outcome.licence_version or None, "journal_version": outcome.lv or None}


def _figures(checked: Checked, outcome: ClaimOutcome, *, shown: bool) -> dict[str, Any]:
    """What was asked for is always told; what is left, only to those who may know."""
    told: dict[str, Any] = {"figure_source": outcome.source or None}
    if outcome.unit:
        told["measurement_unit_and_qualifier"] = outcome.unit
        told["quantity_requested"] = _text(outcome.requested.quantity)
        told["quantity_available"] = _text(outcome.available_quantity)
        told["quantity_passing"] = _text(checked.passing_quantity) if shown else None
    if outcome.currency:
        told["currency"] = outcome.currency
        told["amount_requested"] = _text(outcome.requested.value)
        told["amount_available"] = _text(outcome.available_value)
        told["amount_passing"] = _text(checked.passing_value) if shown else None
    return told


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else format_decimal(amount)


def _rules(tested: Iterable[Rule]) -> Any:
    return tuple([rule.value for rule in tested])


def _verdicts(outcome: ClaimOutcome) -> Iterable[Verdict]:
    """As in the outcome document: nothing is an error where the outcome is positive."""
    failed = "WARNING" if outcome.outcome.startswith("OK_") else "ERROR"
    yield from (_verdict(rule, failed, reason) for rule, reason in outcome.failed)
    yield from (_verdict(rule, "WARNING", reason) for rule, reason in outcome.warned)
    told = [reason for _, reason in outcome.failed]
    yield from (_verdict(None, failed, reason) for reason in outcome.reasons if reason not in told)
    yield from (_verdict(None, "INFO", reason) for reason in outcome.notes)


def _verdict(rule: Rule | None, severity: Any, reason: Reason) -> Verdict:
    return Verdict(
        rule=rule.value if rule else None,
        severity=severity,
        code=reason.code,
        error_pointer=reason.field or None,
        original_attribute_value=reason.declared[:_TOLD] or None,
        available=reason.available[:_TOLD] or None,
        text=reason.sentence,
    )
