"""What an officer's decision is refused for before it becomes a fact: no such claim, or a figure nobody can book."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from certex_bridge.kernel.errors import Severity
from certex_bridge.ledger.domain.amending import amended
from certex_bridge.ledger.domain.content import ClaimSpec, Item
from certex_bridge.ledger.domain.days import reference_day
from certex_bridge.ledger.domain.facts import ALL_DOCUMENTS, ALL_ITEMS, Decision, DeclarationCommand, Override
from certex_bridge.ledger.domain.figures import declared_figures
from certex_bridge.ledger.domain.members import ENDED_STATES
from certex_bridge.ledger.domain.model import Claim, DeclarationState, Dim
from certex_bridge.ledger.domain.override import as_told, unknown_documents
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.reasons import Reason, Rule
from certex_bridge.ledger.domain.room import lines_of
from certex_bridge.ledger.joining import Meeting
from certex_bridge.ledger.work import Work


def refusal(work: Work, command: DeclarationCommand, meeting: Meeting, policy: Policy) -> tuple[Reason, ...]:
    """Why the decision cannot become a fact; empty when it can.

    Whoever does not wait is not refused for what is not known yet: events may overtake each other, and the decision
    counts once its declaration is known. What stays unknown then is told with the next outcome.
    """
    content = amended(meeting.facts).facts.payload
    if content is None:
        return (Reason("CLAIM_UNKNOWN", "mrn", command.mrn),) if command.waits else ()
    unknown = unknown_documents(command.facts.overrides, content)
    if unknown and command.waits:
        return (Reason("CLAIM_UNKNOWN", unknown[0].field, unknown[0].value),)
    if unknown:
        remarks = tuple([replace(finding, severity=Severity.WARNING) for finding in unknown])
        work.remarks[meeting.declaration.decl_id] = remarks
    return tuple(_unbookable(work, command, meeting.declaration, policy))


def _unbookable(
    work: Work, command: DeclarationCommand, declaration: DeclarationState, policy: Policy
) -> Iterator[Reason]:
    """Figures told in another unit or currency than the line's: they are never converted by guess."""
    for override in command.facts.overrides:
        if override.decision is not Decision.AMEND:
            continue
        for claim in declaration.claims.values():
            if _covers(override, claim) and claim.state not in ENDED_STATES:
                yield from _mismatches(
                    work, override, claim, reference_day(declaration.facts, claim.key.item, policy), policy
                )


def _covers(override: Override, claim: Claim) -> bool:
    key = claim.key
    return override.item in (ALL_ITEMS, key.item) and override.doc_seq in (ALL_DOCUMENTS, key.doc_seq)


def _mismatches(work: Work, override: Override, claim: Claim, day: date, policy: Policy) -> Iterator[Reason]:
    key = claim.key
    state = work.licences[key.licence_id]
    bare = ClaimSpec(key.item, key.doc_seq, claim.document_code, key.licence_id, "", key.line_no, None, None)
    item = Item(key.item, "", "", "", "", None, None, None, (), ())
    told = {Dim.QTY: override.quantity is not None, Dim.VAL: override.value is not None}
    limits = [
        (dim, account)
        for line_no in lines_of(key.line_no)
        for dim in Dim
        if told[dim] and (account := state.limit(line_no, dim)) is not None
    ]
    for rule, reason in declared_figures(as_told(bare, override), item, limits, policy, day).problems:
        if rule is Rule.UNIT:
            yield reason
