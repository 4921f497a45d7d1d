"""What an answer has beyond the verdicts, and only when it is asked for.

The document as issued, the status of a day of the past, other documents that would fit.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from certex_bridge.kernel.canonical import sha256_hex
from certex_bridge.kernel.dates import parse_date
from certex_bridge.ledger.checking import Checked, fitting
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.reading import Attached, Issued, LedgerAway, LedgerReader, ReadTooSlow, picture_of
from certex_bridge.singlewindow.functions.check_results import fitting_document
from certex_bridge.singlewindow.messages.availability import (
    AttachedDocument,
    CheckResult,
    IssuedContent,
    OriginalDocument,
)
from certex_bridge.singlewindow.refusals import Refusal
from certex_bridge.singlewindow.rights import issuer_in, owns_licences, sees_figures

if TYPE_CHECKING:
    from certex_bridge.singlewindow.functions.availability import Question

CANDIDATES = 50
"""Other documents of a holder that are looked at."""


class Extras:
    """Looks up what only some questions ask for."""

    def __init__(self, reader: LedgerReader, policy: Policy, *, figures_shown: bool) -> None:
        self._shown = figures_shown
        self._reader = reader
        self._policy = policy

    async def add(
        self, question: Question, results: Sequence[CheckResult], checked: Sequence[Checked]
    ) -> list[CheckResult]:
        """The results with what was asked for.

        Raises:
            Refusal: NOT_AVAILABLE, when the ledger could answer the check and no more.
        """
        try:
            pairs = zip(results, checked, strict=True)
            return [await self._one(question, result, one) for result, one in pairs]
        except (LedgerAway, ReadTooSlow) as error:
            raise Refusal("NOT_AVAILABLE", error.message, field="messageIdentification") from error

    async def _one(self, question: Question, result: CheckResult, checked: Checked) -> CheckResult:
        request, caller = question.request, question.call.caller
        licence_id = checked.outcome.key.licence_id
        issuer = issuer_in(licence_id)
        more: dict[str, Any] = {}
        if request.as_of and checked.found:
            end = datetime.combine(parse_date(request.as_of), time.max, self._policy.zone(issuer))
            if end < question.call.received_at:
                more["status_then"] = await self._reader.status_on(licence_id, end) or None
        if request.original and checked.found and sees_figures(caller, issuer, shown=self._shown):
            more["original"] = await self._original(checked)
        if request.explain and owns_licences(caller, issuer):
            more["fitting_document"] = await self._fitting(question, checked, issuer)
        return result.model_copy(update=more) if more else result

    async def _original(self, checked: Checked) -> OriginalDocument | None:
        outcome = checked.outcome
        found = await self._reader.original(outcome.key.licence_id, outcome.licence_version)
        if found is None:
            return None
        return OriginalDocument(
            version=found.version,
            event_identification=found.event_id,
            issued_at=found.at,
            issued_content=_issued(found.issued) if found.issued else None,
            attached_document=_attached(found.attached) if found.attached else None,
            certificate=_base64(found.certificate),
        )

    async def _fitting(self, question: Question, checked: Checked, issuer: str) -> tuple[Any, ...]:
        facts, licence = question.facts, checked.outcome.licence
        if facts is None or facts.payload is None:
            return ()
        holder = licence.holder.identification if licence else facts.payload.exporter
        candidates = await self._reader.held_by(issuer, holder, CANDIDATES)
        ids = [state.licence_id for state in candidates]
        around = await picture_of(self._reader, question.told, "", ids, [facts.payload.exporter])
        return tuple([fitting_document(one) for one in fitting(checked, facts, ids, around, self._policy)])


def _issued(told: Issued) -> IssuedContent:
    return IssuedContent(
        version=told.version,
        event_identification=told.event_id,
        issued_at=told.at,
        media_type=told.media_type,
        sha256=sha256_hex(told.content),
        content=_base64(told.content),
    )


def _attached(told: Attached) -> AttachedDocument:
    return AttachedDocument(media_type=told.media_type, sha256=told.sha256, content=_base64(told.content))


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
