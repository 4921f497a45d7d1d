"""Acts that block a licence: revoked, suspended, annulled. They count at once, whatever else is wrong with the message.

Reg. (EU) 2021/821 Art. 16(1) lets the authority revoke, suspend or annul, and customs must not go on by what it said
before. So the act is taken apart from the content it came with: content that cannot be taken leaves that in force, in
a new version with the act's status. An act that gives freedom back is not taken on a message that is wrong: who waits
a little longer loses less than who exports what nobody may export.

Versions strictly increase (invariant I8). An act whose number is used already, or that has none, gets the next one:

| Act | Its number | Then |
| --- | --- | --- |
| revoked, annulled | any | it counts: in order it would have been final, so it is final in every order |
| suspended | that in force, with other content | it counts: nothing later has lifted it |
| suspended | lower, never seen | SUPERSEDED: what came later says whether it still holds |
| suspended | lower, seen with other content | CONFLICT: whether it was lifted cannot be decided |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.model import LicenceState
from certex_bridge.ledger.domain.versions import LicenceDecision, Verdict
from certex_bridge.licensing.domain.commands import FINAL, LicenceCommand
from certex_bridge.licensing.domain.licence import AuthorityStatus, Licence

BLOCKED = (*FINAL, AuthorityStatus.SUSPENDED)


class ContentSource(StrEnum):
    """Where the content of a licence version comes from."""

    OWN = "OWN"
    """From the event that made the version."""
    BEFORE = "BEFORE"
    """From the version before: a bare act."""
    NOT_TAKEN = "NOT_TAKEN"
    """From the version before: an act whose own content could not be taken."""


class VersionNote(NamedTuple):
    """What must be remembered of a version to judge an act that comes later."""

    sha256: str
    content: ContentSource


@dataclass(frozen=True, slots=True)
class Act:
    """An act apart from the content it came with."""

    status: AuthorityStatus
    version: int
    """0 where the sender's version could not be read."""
    sub_status: str
    payload_sha256: str
    bare: bool
    """Whether it came without content, so that none is missing."""
    event_id: str
    occurred_at: datetime

    @staticmethod
    def of(command: LicenceCommand, status: AuthorityStatus) -> Act:
        """The act in an event."""
        sub_status = command.licence.sub_status if command.licence is not None else command.sub_status
        told = (command.payload_sha256, command.bare, command.event_id, command.occurred_at)
        return Act(status, command.version, sub_status, *told)

    @property
    def content(self) -> ContentSource:
        """Where the content of its version comes from."""
        return ContentSource.BEFORE if self.bare else ContentSource.NOT_TAKEN


def decide_act(
    state: LicenceState, act: Act, findings: Sequence[Finding], notes: Mapping[int, VersionNote]
) -> tuple[LicenceDecision, Licence | None]:
    """Decide on an act on a known licence whose own content is not taken.

    Args:
        state: the licence.
        act: the act.
        findings: what is wrong with its message.
        notes: the versions that were in force, by number.

    Returns:
        The decision, and when it is ACCEPTED the content in force in the act's version and status.
    """
    held = state.licence
    assert held is not None
    told = list(findings)
    verdict = _seen_before(state, act, held, notes)
    if verdict is not None:
        return LicenceDecision(verdict, told), None
    if held.status in FINAL and act.status is not held.status:
        message = "Revoked and cancelled are final; the version in force stays."
        told.append(Finding("INVALID_TRANSITION", "status", f"{held.status} to {act.status}", message))
        return LicenceDecision(Verdict.REFUSED, told, quarantine="INVALID_TRANSITION"), None
    if _in_conflict(state, act, held, notes):
        message = "The same licence version arrived before with other content; the first stays in force."
        told.append(Finding("CONFLICTING_DUPLICATE", "version", str(act.version), message))
        return LicenceDecision(Verdict.CONFLICT, told, quarantine="CONFLICTING_DUPLICATE"), None
    if _behind(state, act, held):
        return LicenceDecision(Verdict.SUPERSEDED, told), None
    version = act.version
    if version <= state.version:
        version = state.version + 1
        seen = str(act.version) if act.version else ""
        message = f"The act counts, as version {version}: the next event of this licence has a greater one."
        told.insert(0, Finding("VERSION_ASSIGNED", "version", seen, message, Severity.WARNING))
    elif version > state.version + 1:
        message = "Versions in between never arrived."
        told.insert(0, Finding("VERSION_GAP", "version", str(version), message, Severity.WARNING))
    if not act.bare:
        told.insert(0, content_not_taken(version))
    return LicenceDecision(Verdict.ACCEPTED, told), in_status(held, version, act.status, act.sub_status)


def content_not_taken(version: int) -> Finding:
    """What is told first of an act whose content was wrong."""
    message = (
        f"The act counts, as version {version}; its content was not taken and that in force stays. Send the corrected "
        "content in a version of its own."
    )
    return Finding("CONTENT_NOT_TAKEN", "", "", message, Severity.WARNING)


def in_status(held: Licence, version: int, status: AuthorityStatus, sub_status: str) -> Licence:
    """The content in force in another version and status."""
    return replace(held, version=version, status=status, sub_status=sub_status)


def _seen_before(state: LicenceState, act: Act, held: Licence, notes: Mapping[int, VersionNote]) -> Verdict | None:
    """The same payload under another event id; without a version it may be meant anew, unless it is in force."""
    if act.payload_sha256 == state.payload_sha256:
        return Verdict.ALREADY_DONE
    if not act.version:
        return Verdict.ALREADY_DONE if held.status in FINAL and act.status is held.status else None
    return Verdict.SUPERSEDED if any(act.payload_sha256 == note.sha256 for note in notes.values()) else None


def _in_conflict(state: LicenceState, act: Act, held: Licence, notes: Mapping[int, VersionNote]) -> bool:
    """Whether the number is taken by other content, and the act does not count all the same."""
    if act.version == state.version:
        return act.status is held.status
    lifted = act.status is AuthorityStatus.SUSPENDED and held.status is AuthorityStatus.VALID
    return lifted and 0 < act.version < state.version and act.version in notes


def _behind(state: LicenceState, act: Act, held: Licence) -> bool:
    """Whether something later decided already."""
    older = 0 < act.version < state.version
    return older and (act.status is AuthorityStatus.SUSPENDED or act.status is held.status)


def decide_resumption(
    state: LicenceState, command: LicenceCommand, notes: Mapping[int, VersionNote]
) -> tuple[LicenceDecision, Licence | None]:
    """Decide on a resumption without content: it lifts a suspension where nothing is known to be missing."""
    held, told, version = state.licence, list(command.findings), command.version
    if held is None:
        message = "The licence is not known: its first event has its content."
        told.append(Finding("LICENCE_UNKNOWN", "number", command.licence_id, message))
        return LicenceDecision(Verdict.REFUSED, told), None
    if version < state.version:
        return LicenceDecision(Verdict.SUPERSEDED, told), None
    if version == state.version:
        if command.payload_sha256 == state.payload_sha256:
            return LicenceDecision(Verdict.ALREADY_DONE, told), None
        message = "The same licence version arrived before with other content; the first stays in force."
        told.append(Finding("CONFLICTING_DUPLICATE", "version", str(version), message))
        return LicenceDecision(Verdict.CONFLICT, told, quarantine="CONFLICTING_DUPLICATE"), None
    if held.status in FINAL:
        message = "Revoked and cancelled are final; the version in force stays."
        told.append(Finding("INVALID_TRANSITION", "status", f"{held.status} to VALID", message))
        return LicenceDecision(Verdict.REFUSED, told, quarantine="INVALID_TRANSITION"), None
    missing = _missing_content(state, version, notes)
    if missing:
        message = f"The content of version {missing} never came or was not taken: resume with the whole content."
        told.append(Finding("CONTENT_MISSING", "version", str(version), message))
        return LicenceDecision(Verdict.REFUSED, told), None
    accepted = LicenceDecision(Verdict.ACCEPTED, told)
    return accepted, in_status(held, version, AuthorityStatus.VALID, command.sub_status)


def _missing_content(state: LicenceState, version: int, notes: Mapping[int, VersionNote]) -> int:
    """The newest version below this one that may have said something else than what is in force; 0: none."""
    if version > state.version + 1:
        return version - 1
    number = state.version
    while (note := notes.get(number)) is not None and note.content is ContentSource.BEFORE:
        number -= 1
    return 0 if note is not None and note.content is ContentSource.OWN else number
