"""A stored outcome document as the answer to one call.

The document was made once, when the ledger decided. What belongs to the call is put in when it is given: recipient,
correlation, and what the caller's policies say. The same call of the same caller gets the same bytes for ever, as long
as its policies stay.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.outcome import DeclarationOutcome
from certex_bridge.ledger.domain.reasons import EXPLANATIONS, WITHHELD
from certex_bridge.singlewindow.callers import Mode
from certex_bridge.singlewindow.disclosure import WITH_FIGURES
from certex_bridge.singlewindow.outcome_document import render_finding, render_outcome
from certex_bridge.singlewindow.outcome_parts import text

if TYPE_CHECKING:
    from datetime import datetime

    from certex_bridge.singlewindow.callers import Caller

# Text in our documents is escaped: a "<" always begins a tag.
_RECIPIENT = re.compile(rb"<messageRecipient>[^<]*</messageRecipient>")
_CORRELATION = re.compile(rb"<correlationIdentifier>[^<]*</correlationIdentifier>")
_AVAILABLE = re.compile(rb"<(quantity|amount)Available>[^<]*</\1Available>")
_VERDICT_FIGURE = re.compile(
    rb"(<code>(?:"
    + "|".join(sorted(WITH_FIGURES)).encode()
    + rb")</code>(?:<errorPointer>[^<]*</errorPointer>)?(?:<originalAttributeValue>[^<]*</originalAttributeValue>)?)"
    rb"<available>[^<]*</available>"
)
_NEGATIVE = re.compile(rb"<outcome>(?:REFUSED|UNCOVERED|WAITING)</outcome>|<Finding><severity>ERROR</severity>")
_CLAIM_RESULT = re.compile(rb"<ClaimResult>.*?</ClaimResult>", re.DOTALL)
_BEFORE_FINDINGS = re.compile(rb"(?=<Finding>|<ClaimResult>|</QuantityMovementResponse>)")


def answer_to(document: bytes, caller: Caller, identification: str) -> bytes:
    """The document as this caller's answer to its message of this identification."""
    recipient = text(caller.name, 35)
    answer = _RECIPIENT.sub(_whole("messageRecipient", recipient), document, count=1)
    answer = _CORRELATION.sub(_whole("correlationIdentifier", text(identification, 35)), answer, count=1)
    if not caller.policies.figures_shown:
        answer = without_figures(answer)
    if caller.policies.mode is Mode.SHADOW:
        answer = _CLAIM_RESULT.sub(b"", answer)
    if caller.policies.mode is not Mode.BLOCK:
        answer = _BEFORE_FINDINGS.sub(_mode_finding(caller.policies.mode).replace(b"\\", rb"\\"), answer, count=1)
    return answer


def without_figures(document: bytes) -> bytes:
    """The document without what follows from a balance; what the claims themselves ask for and hold stays."""
    return _VERDICT_FIGURE.sub(rb"\1", _AVAILABLE.sub(b"", document))


def is_negative(document: bytes) -> bool:
    """Whether a claim, or the event as a whole, was not granted."""
    return _NEGATIVE.search(document) is not None


def kept_answer(  # all that the call itself tells
    *, sender: str, caller: Caller, identification: str, mrn: str, kind: str, at: datetime
) -> bytes:
    """The answer to a call that is kept: nothing is decided yet, so it has neither state nor version.

    Nothing is stored, so `at` is the call's own time: the same call gets the same bytes.
    """
    outcome = DeclarationOutcome(
        decl_id=mrn,
        dv=0,
        mrn=mrn,
        lrn="",
        exporter="",
        office="",
        state="",
        payload_version=0,
        event_id=identification,
        event_kind=kind,
        occurred_at=at,
        claims=(),
        findings=(Finding("KEPT", "", "", EXPLANATIONS["KEPT"], Severity.INFO),),
    )
    document = render_outcome(outcome, _no_content, sender=sender, recipient=caller.name, prepared_at=at)
    return answer_to(document, caller, identification)


def _no_content(_licence: object, _line_no: int) -> str:
    return ""


def _mode_finding(mode: Mode) -> bytes:
    sentence = WITHHELD if mode is Mode.SHADOW else EXPLANATIONS["CALLER_MODE"]
    return render_finding(Finding("CALLER_MODE", "", mode.value, sentence, Severity.INFO)).encode()


def _whole(tag: str, value: str) -> bytes:
    return f"<{tag}>{value}</{tag}>".encode().replace(b"\\", rb"\\")
