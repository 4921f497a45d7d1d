"""A licence event in an open transaction: version, caps, certificate, acknowledgement, wakes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.kernel.identifiers import licence_number
from certex_bridge.ledger.capturing import capture
from certex_bridge.ledger.commands import Command, ExpiryUndone, ValidityPassed
from certex_bridge.ledger.domain.acts import (
    BLOCKED,
    Act,
    ContentSource,
    VersionNote,
    decide_act,
    decide_resumption,
)
from certex_bridge.ledger.domain.model import Claim, Kind, LicenceState, Status
from certex_bridge.ledger.domain.redenomination import in_replaced, restates
from certex_bridge.ledger.domain.versions import Issue, LicenceDecision, Verdict, apply_version, judge, split_fits
from certex_bridge.ledger.ports import bars_of
from certex_bridge.ledger.refusals import note_refusal
from certex_bridge.ledger.statuses import (
    issue_certificate,
    note_shortened,
    note_status,
    publish_balance,
    raise_incidents,
)
from certex_bridge.ledger.stored import DocumentRow, LicenceVersionRow
from certex_bridge.ledger.work import Cause, Work, findings_told, utc_text
from certex_bridge.licensing.domain.commands import STATUS_OF_ACT, LicenceCommand, LicenceEventKind
from certex_bridge.licensing.domain.licence import AuthorityStatus, Licence

_STATUS_REASONS = {
    LicenceEventKind.SUSPENDED: "SUSPENDED",
    LicenceEventKind.RESUMED: "RESUMED",
    LicenceEventKind.REVOKED: "REVOKED",
    LicenceEventKind.ANNULLED: "ANNULLED",
}

_KIND_OF_STATUS = {status: kind for kind, status in STATUS_OF_ACT.items()}
_UNKNOWN = "The licence is not known: the act is kept and takes effect with its first content. Is the number right?"


class _Version(NamedTuple):
    """What makes a new version, beside its content."""

    kind: LicenceEventKind
    payload_sha256: str
    content: ContentSource
    command: LicenceCommand | None = None
    """The event whose content it is; None where that is not taken."""


def _extended(before: Licence, after: Licence) -> bool:
    return before.valid_to is not None and (after.valid_to is None or after.valid_to > before.valid_to)


def _shortened(before: Licence, after: Licence) -> bool:
    """Whether a day that was covered is no longer covered: a reservation may stand on it."""
    ends_earlier = after.valid_to is not None and (before.valid_to is None or after.valid_to < before.valid_to)
    begins_later = after.valid_from is not None and (before.valid_from is None or after.valid_from > before.valid_from)
    return ends_earlier or begins_later


def _document_known(state: LicenceState, command: LicenceCommand, licence: Licence) -> bool:
    """Whether the document that a version names is attached to it, or counted for the version before."""
    named, before = licence.document, state.licence.document if state.licence else None
    return named is None or named.sha256 in command.documents or named == before


def _document_unknown(licence: Licence, kind: LicenceEventKind, place: str) -> Finding:
    """An act on the status has effect all the same (Regulation (EU) 2021/821 Art. 16(1)), with the document before."""
    sha256 = licence.document.sha256 if licence.document else ""
    sentence = "The version before has no document with this media type and hash: attach its content."
    severity = Severity.WARNING if kind in _STATUS_REASONS else Severity.ERROR
    return Finding("DOCUMENT_UNKNOWN", f"{place}originalDocument.sha256", sha256, sentence, severity)


def _with_document(work: Work, before: Licence | None, command: LicenceCommand | None, licence: Licence) -> Licence:
    """The version with the document that counts for it: its own, which is kept, or that of the version before."""
    named = licence.document
    if named is None or command is None:
        return replace(licence, document=before.document) if before and before.document else licence
    content = command.documents.get(named.sha256)
    if content is not None:
        work.changes.documents.append(DocumentRow(licence.licence_id, named.sha256, named.media_type, content))
    return licence


def _valued(work: Work, licence_id: str) -> Iterator[Claim]:
    """Claims on a licence that have a value; all of them are in the working set where a version restates them."""
    for declaration in work.declarations.values():
        for key, claim in declaration.claims.items():
            if key.licence_id == licence_id and claim.has_value:
                yield claim


def _judge_anew(work: Work, before: Licence | None, after: Licence, cause: Cause) -> None:
    """Wake the declarations refused for the currency of a licence that is restated; all are in the working set."""
    if before is None or not in_replaced(before) or not restates(after):
        return
    for decl_id, declaration in sorted(work.declarations.items()):
        claims = declaration.claims.items()
        if any(key.licence_id == after.licence_id and claim.in_another_currency for key, claim in claims):
            work.wake(decl_id, cause)


def _other_holder(before: Licence, after: Licence) -> bool:
    """Whether the licence is another trader's now: of several with one number, it may be the one that is meant."""
    return before.holder.identification != after.holder.identification


def waited_for(commands: Iterable[Command], licences: Mapping[str, LicenceState]) -> set[str]:
    """Numbers of licences that come, or change hands, in this batch: declarations may be parked on them."""
    found = set()
    for command in commands:
        if isinstance(command, LicenceCommand) and command.licence is not None:
            for licence in (command.licence, *command.parts):
                state = licences.get(licence.licence_id)
                if state is not None and (state.licence is None or _other_holder(state.licence, licence)):
                    found.add(licence_number(licence.licence_id))
    return found


class LicenceHandling:
    """Applies licence events to the working set."""

    def on_event(self, work: Work, command: LicenceCommand, cause: Cause) -> LicenceDecision:
        """Decide and apply; the acknowledgement is queued in every case but a repeated id."""
        if command.bar is not None:  # an act: it counts whatever is wrong beside it
            decision = self._bar(work, command, cause)
        elif command.write_off is not None and not command.refused:
            decision = capture(work, command.write_off, command.findings, cause)
        elif command.act is not None:
            decision = self._act(work, command, command.act, cause)
        elif command.bare and not command.refused:
            decision = self._resume(work, command, cause)
        elif command.licence is None or command.refused:
            decision = LicenceDecision(Verdict.REFUSED, list(command.findings))
        else:
            decision = self._snapshot(work, command, command.licence, cause)
        note_refusal(work, command, decision, cause)
        body = work.documents.acknowledgement(command, decision)
        work.send("acknowledgement", cause.event_id, 1, command.licence_id, body, cause.at)
        work.count(f"licence:{decision.verdict}")
        work.answer(
            cause.event_id,
            decision.verdict.value,
            licence=command.licence_id,
            version=command.version,
            findings=findings_told(decision.findings),
        )
        return decision

    def _bar(self, work: Work, command: LicenceCommand, cause: Cause) -> LicenceDecision:
        assert command.bar is not None
        bar = command.bar
        work.changes.bars.append(bar)
        work.bars_told.append((bar, cause))
        work.barred |= frozenset(bars_of(bar))
        return LicenceDecision(Verdict.ACCEPTED, list(command.findings))

    def _act(self, work: Work, command: LicenceCommand, status: AuthorityStatus, cause: Cause) -> LicenceDecision:
        """An act that blocks: with its content where that can be taken, else on the content in force."""
        state, act = work.licences[command.licence_id], Act.of(command, status)
        decision = LicenceDecision(Verdict.REFUSED, list(command.findings))
        findings = decision.findings
        if command.licence is not None and not command.refused:
            decision = self._snapshot(work, command, command.licence, cause)
            if decision.verdict in (Verdict.ACCEPTED, Verdict.ALREADY_DONE):
                return decision
            if decision.verdict is Verdict.REFUSED:
                if decision.quarantine == "INVALID_TRANSITION":
                    return decision
                findings = decision.findings
        if state.licence is None:
            work.kept_acts.setdefault(command.licence_id, []).append(act)
            findings.append(Finding("LICENCE_UNKNOWN", "number", command.licence_id, _UNKNOWN, Severity.WARNING))
            return LicenceDecision(Verdict.KEPT, findings, quarantine="LICENCE_UNKNOWN")
        if command.kind is LicenceEventKind.MODIFIED and state.licence.status in BLOCKED:
            return decision  # no act: it was blocked before
        decision, licence = decide_act(state, act, findings, work.notes.get(command.licence_id, {}))
        if licence is not None:
            version = _Version(command.kind, act.payload_sha256, act.content)
            self._put_in_force(work, state, version, licence, decision, cause)
        return decision

    def _resume(self, work: Work, command: LicenceCommand, cause: Cause) -> LicenceDecision:
        """A resumption without content."""
        state = work.licences[command.licence_id]
        decision, licence = decide_resumption(state, command, work.notes.get(command.licence_id, {}))
        if licence is not None:
            version = _Version(command.kind, command.payload_sha256, ContentSource.BEFORE)
            self._put_in_force(work, state, version, licence, decision, cause)
        return decision

    def _act_on_kept(self, work: Work, state: LicenceState, cause: Cause) -> None:
        """Acts that came before the licence's first content: it is never usable in between."""
        for act in work.kept_acts.pop(state.licence_id, ()):
            decision, licence = decide_act(state, act, (), work.notes.get(state.licence_id, {}))
            if licence is not None:
                kind = _KIND_OF_STATUS[act.status]
                why = Cause(act.event_id, kind.value, act.occurred_at, utc_text(act.occurred_at), cause.woken_by)
                version = _Version(kind, act.payload_sha256, act.content)
                self._put_in_force(work, state, version, licence, decision, why)

    def _snapshot(self, work: Work, command: LicenceCommand, licence: Licence, cause: Cause) -> LicenceDecision:
        state = work.licences[command.licence_id]
        former = {line_no: line for (lid, line_no), line in work.former_lines.items() if lid == state.licence_id}
        decision = judge(state, command, licence, former)
        if decision.verdict is not Verdict.ACCEPTED:
            return decision
        for index, one in enumerate((licence, *command.parts)):
            if _document_known(work.licences[one.licence_id], command, one):
                continue
            told = _document_unknown(one, command.kind, f"parts[{index - 1}]." if index else "")
            decision.findings.append(told)
            if told.severity is Severity.ERROR:
                return LicenceDecision(Verdict.REFUSED, decision.findings)
            licence = replace(licence, document=None)
        if command.kind is LicenceEventKind.SPLIT:
            refused = self._refuse_split(work, state, command, licence, decision)
            if refused is not None:
                return refused
        version = _Version(command.kind, command.payload_sha256, ContentSource.OWN, command)
        self._put_in_force(work, state, version, licence, decision, cause)
        for part in command.parts:
            part_state = work.licences[part.licence_id]
            part_decision = LicenceDecision(Verdict.ACCEPTED)
            self._put_in_force(work, part_state, version, part, part_decision, cause)
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
        version: _Version,
        licence: Licence,
        decision: LicenceDecision,
        cause: Cause,
    ) -> None:
        was_known, before, expired = state.known, state.licence, state.expired_version == state.version
        entry = work.entry(state.licence_id, cause)
        licence = _with_document(work, before, version.command, licence)
        received = version.command.received.get(state.licence_id) if version.command is not None else None
        issue = Issue(version.payload_sha256, cause.occurred_at, received)
        for claim in apply_version(entry, issue, licence, decision, _valued(work, state.licence_id)):
            work.declarations[claim.key.decl_id].claims[claim.key] = work.changes.claims[claim.key] = claim
        _judge_anew(work, before, licence, cause)
        if before is not None and licence.status is AuthorityStatus.VALID:
            work.free(state.licence_id, cause)
        # Only a later last day leads out of Expired; any other change of an expired licence leaves it there.
        state.expired_version = state.version if before and expired and not _extended(before, licence) else 0
        if not was_known:
            state.status = Status.UNKNOWN
        note_status(work, state, cause, _STATUS_REASONS.get(version.kind, "VERSION"))
        if before is not None and _shortened(before, licence):
            note_shortened(work, state, cause)
        certificate = issue_certificate(work, state, cause)
        status = state.status.value
        told = (state.licence_id, state.version, cause.event_id, cause.at, status, licence, certificate)
        work.changes.versions.append(LicenceVersionRow(*told, received, version.payload_sha256, version.content))
        note = VersionNote(version.payload_sha256, version.content)
        work.notes.setdefault(state.licence_id, {})[state.version] = note
        for line in before.lines if before is not None else ():
            if licence.line(line.line_no) is None:
                work.former_lines[state.licence_id, line.line_no] = line
        publish_balance(work, state, entry, cause)
        if before is None or _other_holder(before, licence):
            for decl_id in work.waiting_for(state.licence_id):
                work.wake(decl_id, cause)
        raise_incidents(work, state, decision.incidents, "", "", cause)
        if not was_known:
            self._act_on_kept(work, state, cause)

    def on_expiry(self, work: Work, command: ValidityPassed | ExpiryUndone, cause: Cause) -> None:
        """The clock says that a licence's validity is over, or an operator that it is not."""
        if isinstance(command, ExpiryUndone):
            self._undo_expiry(work, command, cause)
        else:
            self._validity_passed(work, command, cause)

    def _validity_passed(self, work: Work, timer: ValidityPassed, cause: Cause) -> None:
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

    def _undo_expiry(self, work: Work, undo: ExpiryUndone, cause: Cause) -> None:
        """A clock ran ahead and the validity is not over; what was refused for it meanwhile is judged anew."""
        state = work.licences[undo.licence_id]
        if state.version != undo.version or state.expired_version != undo.version or state.licence is None:
            work.answer(cause.event_id, "ALREADY_DONE", licence=undo.licence_id)
            return
        if state.licence.valid_to is not None and undo.today > state.licence.valid_to:
            work.answer(cause.event_id, "REFUSED", licence=undo.licence_id, reason="VALIDITY_OVER")
            return
        state.expired_version = 0
        entry = work.entry(state.licence_id, cause)
        now = state.derived_status()
        entry.note(Kind.STATUS, f"{state.status.value}->{now.value}; expiry undone by {undo.operator}: {undo.reason}")
        work.free(state.licence_id, cause)
        if note_status(work, state, cause, "EXPIRY_UNDONE") is not None:
            issue_certificate(work, state, cause)
        publish_balance(work, state, entry, cause)
        work.answer(cause.event_id, "APPLIED", licence=undo.licence_id)
