"""What customs are told about a declaration: the outcome of its claims, put together from decision and ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.correlation import last_told
from certex_bridge.ledger.domain.differences import Conflicting
from certex_bridge.ledger.domain.evaluation import not_tested
from certex_bridge.ledger.domain.facts import DeclarationCommand, Facts
from certex_bridge.ledger.domain.members import ENDED_STATES, ClaimResult, Settlement
from certex_bridge.ledger.domain.model import (
    NOTHING,
    WHOLE_LICENCE,
    Account,
    Claim,
    DeclarationState,
    Dim,
    LicenceState,
)
from certex_bridge.ledger.domain.outcome import ClaimOutcome, DeclarationOutcome
from certex_bridge.ledger.domain.reasons import EXPLANATIONS, Outcome, Reason, Rule
from certex_bridge.ledger.domain.risk import at_risk
from certex_bridge.ledger.domain.standing import declaration_state
from certex_bridge.ledger.work import Cause, Work, utc_text

_UNHEARD = Facts()


def tell(
    work: Work, declaration: DeclarationState, cause: Cause, results: Sequence[ClaimResult], findings: Sequence[Finding]
) -> None:
    """Queue the outcome in the declaration's next version."""
    _queue(work, declaration, cause, tuple([claim_outcome(work.licences, result) for result in results]), findings)


def tell_refused(
    work: Work,
    declaration: DeclarationState,
    cause: Cause,
    command: DeclarationCommand,
    reasons: tuple[Reason, ...],
    sentence: str = "",
) -> None:
    """Queue the answer to an event that is refused as a whole: every claim as it stands, and why nothing changes.

    A declaration without claims is answered by the finding alone; `sentence` says more than its code's own one.
    """
    work.changes.declarations[declaration.decl_id] = declaration
    standing = [claim for _, claim in sorted(declaration.claims.items()) if claim.state not in ENDED_STATES]
    claims = _standing(work, standing, reasons)
    for claim in claims:
        claim.outcome = Outcome.REFUSED
    finding = Finding(reasons[-1].code, reasons[-1].field, reasons[-1].declared, sentence or reasons[-1].sentence)
    facts = declaration.facts
    named = replace(facts, mrn=facts.mrn or command.mrn, lrn=facts.lrn or command.lrn)
    _queue(work, declaration, cause, tuple(claims), (finding, *command.findings), named)


def tell_standing(
    work: Work, declaration: DeclarationState, cause: Cause, command: DeclarationCommand, code: str
) -> None:
    """Queue the answer to a sender that waits although nothing is decided now: every claim as it stands, and why."""
    work.changes.declarations[declaration.decl_id] = declaration
    claims = _standing(work, [claim for _, claim in sorted(declaration.claims.items())], ())
    _queue(work, declaration, cause, tuple(claims), (*command.findings, info(code)))


def info(code: str) -> Finding:
    """A finding that explains why there is no more to tell."""
    return Finding(code, "", "", EXPLANATIONS[code], Severity.INFO)


def _standing(work: Work, claims: Sequence[Claim], reasons: tuple[Reason, ...]) -> list[ClaimOutcome]:
    return [claim_outcome(work.licences, ClaimResult(claim, None, reasons, changed=False)) for claim in claims]


def conflict_reasons(found: Conflicting) -> tuple[Reason, ...]:
    """The same version of a declaration, or request, arrived before with other content (the first one counts)."""
    return (Reason("CLAIM_CONFLICT", found.about, found.value),)


def too_late_reasons(known: Facts) -> tuple[Reason, ...]:
    """The time of UCC Art. 173(3) is over."""
    accepted = known.acceptance_day or (utc_text(known.accepted.occurred_at) if known.accepted else "")
    about = "declarationAcceptanceDate"
    return Reason("ADJUST_REFUSED", about, accepted), Reason("TOO_LATE", about, accepted)


def dropped(settlement: Settlement) -> list[ClaimResult]:
    """Claims on documents that the declaration cites no longer, said once as closed.

    A claim that only went on under another key (its licence line was found) is told there.
    """
    cited = {result.claim.key[1:3] for result in settlement.results}
    found = [claim for claim in settlement.obsolete if claim.key[1:3] not in cited]
    return [ClaimResult(replace(claim, outcome=Outcome.CLOSED, requested=NOTHING), None) for claim in found]


def fingerprint(declaration: DeclarationState, results: Sequence[ClaimResult], remarks: Sequence[Finding]) -> str:
    """What was said, without figures that other declarations move."""
    facts = declaration.facts
    rank = facts.payload_rank
    parts = [declaration_state(facts), f"{rank.supplementary}.{rank.version}" if rank else "", *map(str, remarks)]
    for result in results:
        claim = result.claim
        key = claim.key
        figures = "|".join(map(format_decimal, (*claim.reserved, *claim.consumed, *claim.uncovered)))
        parts.append(
            f"{key.item}.{key.doc_seq}.{key.line_no}.{key.licence_id}|{claim.outcome}|{claim.state}|{claim.reasons}"
            f"|{figures}"
        )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _queue(
    work: Work,
    declaration: DeclarationState,
    cause: Cause,
    claims: tuple[ClaimOutcome, ...],
    findings: Sequence[Finding],
    named: Facts | None = None,
) -> None:
    declaration.dv += 1
    facts = named or declaration.facts
    payload = facts.payload
    answered, occurred_at = _answered(facts, cause) if cause.woken_by else (cause.event_id, cause.occurred_at)
    work.outcomes.append(
        DeclarationOutcome(
            decl_id=declaration.decl_id,
            dv=declaration.dv,
            mrn=facts.mrn,
            lrn=facts.lrn,
            exporter=payload.exporter if payload else facts.exporter,
            office=payload.office if payload else "",
            state="" if named is not None and declaration.facts == _UNHEARD else declaration_state(facts),
            payload_version=facts.payload_rank.version if facts.payload_rank else 0,
            event_id=answered,
            event_kind=cause.kind,
            occurred_at=occurred_at,
            claims=claims,
            findings=tuple(findings),
            cause_id=cause.woken_by,
        )
    )
    work.outcome_slots.append(len(work.changes.outbox))
    work.send("outcome", declaration.decl_id, declaration.dv, declaration.decl_id, b"", cause.at)
    if cause.waits:
        work.awaited[cause.event_id] = work.changes.outbox[-1]


def _answered(facts: Facts, cause: Cause) -> tuple[str, datetime]:
    """For an answer that a licence event set free: customs know their own last event, and wait since then."""
    stamp = last_told(facts)
    if stamp is None:
        return cause.event_id, cause.occurred_at
    return stamp.event_id, max(stamp.occurred_at, cause.occurred_at)


def claim_outcome(licences: Mapping[str, LicenceState], result: ClaimResult) -> ClaimOutcome:
    """What is said of one claim, with the licence as it stands after it."""
    claim, seen = result.claim, result.evaluation
    state = licences[claim.key.licence_id]
    quantity = _accounts(state, claim, Dim.QTY)
    value = _accounts(state, claim, Dim.VAL)
    passed, warned = _passed(result), tuple(seen.warned) if seen else ()
    failed = (*(seen.failed if seen else ()), *_short(result))
    return ClaimOutcome(
        key=claim.key,
        reference=seen.spec.reference if seen else claim.key.licence_id.partition("/")[2],
        document_code=claim.document_code,
        outcome=claim.outcome,
        state=claim.state,
        unit=quantity[0].unit if quantity else "",
        currency=value[0].unit if value else "",
        requested=claim.requested,
        reserved=claim.reserved,
        consumed=claim.consumed,
        uncovered=claim.uncovered,
        passed=passed,
        failed=failed,
        warned=warned,
        reasons=result.reasons,
        incidents=result.incidents,
        source=claim.source,
        at_risk=_at_risk(result, state),
        licence=state.licence,
        licence_status=state.status,
        licence_version=state.version,
        lv=state.lv,
        available_quantity=_available(quantity),
        available_value=_available(value),
        notes=result.notes,
        not_tested=not_tested(passed, failed, warned) if seen else (),
        rules_table=seen.rules_table if seen else "",
    )


_EXCEEDED = ("QUANTITY_EXCEEDED", "VALUE_EXCEEDED")


def _short(result: ClaimResult) -> list[tuple[Rule, Reason]]:
    return [(Rule.AVAILABILITY, reason) for reason in result.reasons if reason.code in _EXCEEDED]


def _passed(result: ClaimResult) -> tuple[Rule, ...]:
    seen = result.evaluation
    if seen is None:
        return ()
    fits = seen.managed and not seen.failed and not result.reasons and result.claim.outcome.startswith("OK_")
    return (*seen.passed, Rule.AVAILABILITY) if fits else tuple(seen.passed)


def _accounts(state: LicenceState, claim: Claim, dim: Dim) -> list[Account]:
    """What limits a claim in one dimension: its line, and the licence as a whole."""
    line_no = claim.key.line_no
    places = (line_no, WHOLE_LICENCE) if line_no else (WHOLE_LICENCE,)
    return [account for place in places if (account := state.limit(place, dim)) is not None]


def _available(accounts: list[Account]) -> Decimal | None:
    """What others may still take: never more than the tightest limit leaves."""
    return min([account.available for account in accounts]) if accounts else None


def _at_risk(result: ClaimResult, state: LicenceState) -> bool:
    failed = result.evaluation.failed if result.evaluation else ()
    valid = not any(rule is Rule.VALIDITY for rule, _ in failed)
    return at_risk(result.claim.state, state.status, valid=valid)
