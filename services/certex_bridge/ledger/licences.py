"""A licence event in an open transaction: version, caps, certificate, acknowledgement, wakes."""

from __future__ import annotations

from certex_bridge.kernel.errors import Finding
from certex_bridge.ledger.capturing import capture
from certex_bridge.ledger.commands import ValidityPassed
from certex_bridge.ledger.domain.model import Kind, LicenceState, Status
from certex_bridge.ledger.domain.versions import LicenceDecision, Verdict, apply_version, judge, split_fits
from certex_bridge.ledger.ports import LicenceVersionRow, bars_of
from certex_bridge.ledger.statuses import (
    issue_certificate,
    note_shortened,
    note_status,
    publish_balance,
    raise_incidents,
)
from certex_bridge.ledger.work import Cause, Work
from certex_bridge.licensing.domain.commands import LicenceCommand, LicenceEventKind
from certex_bridge.licensing.domain.licence import Licence

_STATUS_REASONS = {
    LicenceEventKind.SUSPENDED: "SUSPENDED",
    LicenceEventKind.RESUMED: "RESUMED",
    LicenceEventKind.REVOKED: "REVOKED",
    LicenceEventKind.ANNULLED: "ANNULLED",
}


def _extended(before: Licence, after: Licence) -> bool:
    return before.valid_to is not None and (after.valid_to is None or after.valid_to > before.valid_to)


def _shortened(before: Licence, after: Licence) -> bool:
    """Whether a day that was covered is no longer covered: a reservation may stand on it."""
    ends_earlier = after.valid_to is not None and (before.valid_to is None or after.valid_to < before.valid_to)
    begins_later = after.valid_from is not None and (before.valid_from is None or after.valid_from > before.valid_from)
    return ends_earlier or begins_later


class LicenceHandling:
    """Applies licence events to the working set."""

    def on_event(self, work: Work, command: LicenceCommand, cause: Cause) -> LicenceDecision:
        """Decide and apply; the acknowledgement is queued in every case but a repeated id."""
        if command.bar is not None and not command.refused:
            decision = self._bar(work, command, cause)
        elif command.write_off is not None and not command.refused:
            decision = capture(work, command.write_off, command.findings, cause)
        elif command.licence is None or command.refused:
            decision = LicenceDecision(Verdict.REFUSED, list(command.findings))
        else:
            decision = self._snapshot(work, command, command.licence, cause)
        body = work.documents.acknowledgement(command, decision)
        work.send("acknowledgement", cause.event_id, 1, command.licence_id, body, cause.at)
        work.count(f"licence:{decision.verdict}")
        work.answer(
            cause.event_id,
            decision.verdict.value,
            licence=command.licence_id,
            version=command.version,
            findings=[{"code": f.code, "field": f.field, "severity": f.severity.value} for f in decision.findings],
        )
        return decision

    def _bar(self, work: Work, command: LicenceCommand, cause: Cause) -> LicenceDecision:
        assert command.bar is not None
        bar = command.bar
        work.changes.bars.append(bar)
        work.bars_told.append((bar, cause))
        work.barred |= frozenset(bars_of(bar))
        return LicenceDecision(Verdict.ACCEPTED, list(command.findings))

    def _snapshot(self, work: Work, command: LicenceCommand, licence: Licence, cause: Cause) -> LicenceDecision:
        state = work.licences[command.licence_id]
        decision = judge(state, command, licence)
        if decision.verdict is not Verdict.ACCEPTED:
            return decision
        if command.kind is LicenceEventKind.SPLIT:
            refused = self._refuse_split(work, state, command, licence, decision)
            if refused is not None:
                return refused
        self._put_in_force(work, state, command, licence, decision, cause)
        for part in command.parts:
            part_state = work.licences[part.licence_id]
            part_decision = LicenceDecision(Verdict.ACCEPTED)
            self._put_in_force(work, part_state, command, part, part_decision, cause)
            decision.findings += part_decision.findings
        return decision

    def _refuse_split(
        self, work: Work, state: LicenceState, command: LicenceCommand, licence: Licence, decision: LicenceDecision
    ) -> LicenceDecision | None:
        problem = ""
        if not state.known:
            problem = "The licence to be split is not known."
        elif any(work.licences[part.licence_id].known for part in command.parts):
            problem = "A part of the split is known already."
        elif not split_fits(state, licence, command.parts):
            problem = "The parts of a split are together more than the rest of the original licence."
        if not problem:
            return None
        decision.findings.append(Finding("SPLIT_EXCEEDS_REMAINDER", "parts", command.licence_id, problem))
        return LicenceDecision(Verdict.REFUSED, decision.findings)

    def _put_in_force(
        self,
        work: Work,
        state: LicenceState,
        command: LicenceCommand,
        licence: Licence,
        decision: LicenceDecision,
        cause: Cause,
    ) -> None:
        was_known, before, expired = state.known, state.licence, state.expired_version == state.version
        entry = work.entry(state.licence_id, cause)
        apply_version(entry, command, licence, decision)
        # Only a later last day leads out of Expired; any other change of an expired licence leaves it there.
        state.expired_version = state.version if before and expired and not _extended(before, licence) else 0
        if not was_known:
            state.status = Status.UNKNOWN
        note_status(work, state, cause, _STATUS_REASONS.get(command.kind, "VERSION"))
        if before is not None and _shortened(before, licence):
            note_shortened(work, state, cause)
        certificate = issue_certificate(work, state, cause)
        status = state.status.value
        row = LicenceVersionRow(state.licence_id, state.version, cause.event_id, cause.at, status, licence, certificate)
        work.changes.versions.append(row)
        publish_balance(work, state, entry, cause)
        if not was_known:
            for decl_id in work.waiting_for(state.licence_id):
                work.wake(decl_id, cause)
        raise_incidents(work, state, decision.incidents, "", "", cause)

    def on_validity_passed(self, work: Work, timer: ValidityPassed, cause: Cause) -> None:
        """The clock saw the last day of validity pass; claims are judged by their acceptance date anyway."""
        state = work.licences[timer.licence_id]
        if state.version != timer.version or state.expired_version == timer.version:
            work.answer(cause.event_id, "ALREADY_DONE", licence=timer.licence_id)
            return
        state.expired_version = timer.version
        work.touch(state)
        now = state.derived_status()
        if now is not state.status:
            entry = work.entry(state.licence_id, cause)
            entry.note(Kind.STATUS, f"{state.status.value}->{now.value}")
            note_status(work, state, cause, "VALIDITY_PASSED")
            issue_certificate(work, state, cause)
            publish_balance(work, state, entry, cause)
        work.answer(cause.event_id, "APPLIED", licence=timer.licence_id)
