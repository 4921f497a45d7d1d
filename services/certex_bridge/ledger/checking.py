"""Checking: what a reservation would be answered, without making one (IR 2024/2145 Art. 5(1)).

The rules and the room are those of `Settling`, the order of states that of a call; it runs on a declaration that nobody
stores. What the declaration itself holds counts as free for it. Nothing here waits, writes or promises: only a
reservation decides, and on the same state it decides the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from certex_bridge.ledger.domain.advice import advised
from certex_bridge.ledger.domain.content import ClaimSpec, Item, Payload
from certex_bridge.ledger.domain.days import reference_day
from certex_bridge.ledger.domain.evaluation import Evaluation
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.issuers import resolved
from certex_bridge.ledger.domain.members import ClaimResult
from certex_bridge.ledger.domain.model import (
    NOTHING,
    WHOLE_LICENCE,
    ClaimKey,
    ClaimState,
    Dim,
    Figures,
    LicenceState,
    Status,
)
from certex_bridge.ledger.domain.outcome import ClaimOutcome
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.reasons import Outcome, Reason, Rule
from certex_bridge.ledger.domain.supplementing import is_unnamed
from certex_bridge.ledger.outcomes import claim_outcome
from certex_bridge.ledger.reading import Picture
from certex_bridge.ledger.rehearsing import accepted_as, own_claims, rehearsed, settled_for
from certex_bridge.licensing.domain.licence import Direction

REFERENCE_RULES = frozenset(
    {
        Rule.DECLARED,
        Rule.DOCUMENT_TYPE,
        Rule.LEVEL,
        Rule.PROCEDURE,
        Rule.LICENCE,
        Rule.LICENCE_TYPE,
        Rule.DIRECTION,
        Rule.STATUS,
        Rule.VALIDITY,
    }
)
"""What a reference alone is judged by, before the goods are presented."""

_ALONE = frozenset({Rule.LICENCE, Rule.STATUS, Rule.VALIDITY})
_BY_CODE = frozenset({Rule.DOCUMENT_TYPE, Rule.LICENCE_TYPE})
"""What needs nothing but the document, and what needs its code."""

_WITHOUT_FIGURES = frozenset(Rule) - {Rule.UNIT, Rule.FIGURES, Rule.AVAILABILITY}
_FIGURES = frozenset({"quantity", "value"})


class Depth(StrEnum):
    """How much is judged."""

    REFERENCE = "REFERENCE"
    """Document code, licence, direction, status, validity."""
    ALL = "ALL"
    """What acceptance of the content would decide, as advice; of content that is accepted, what an amendment would."""
    INSTRUMENT = "INSTRUMENT"
    """Every rule but the figures: those of a supplementary declaration are decided with the simplified ones."""
    REHEARSAL = "REHEARSAL"
    """What the ledger would answer to this very event, in the words of its answer."""


@dataclass(slots=True)
class Checked:
    """One document's answer."""

    outcome: ClaimOutcome
    found: bool
    """Whether the licence is known."""
    day: date
    """The day that counts, in the legal time of the office of declaration."""
    status: Status
    """On that day, as far as it follows from what is known now."""
    passing_quantity: Decimal | None = None
    """The greatest figure that would pass, own holdings included; None where nothing limits it."""
    passing_value: Decimal | None = None


def check(
    facts: Facts, picture: Picture, policy: Policy, depth: Depth = Depth.ALL, *, ordered: bool = True
) -> list[Checked]:
    """Judge every document that the facts cite, in the order of items and documents.

    Args:
        facts: the declaration as asked about; `acceptance_day` is the day that counts, `lodged` stands for it.
        picture: the licences cited, and the declaration if it is known.
        policy: settings of the ledger's decisions.
        depth: how much is judged.
        ordered: whether a call that contradicts the order of states would be refused.
    """
    facts = resolved(facts)
    if is_unnamed(facts) and depth is not Depth.INSTRUMENT:
        return []  # it is one of an instrument that nobody can tell, and books nothing
    if depth is Depth.REHEARSAL:
        results = rehearsed(facts, picture, policy, ordered=ordered)
    elif depth is Depth.ALL:
        results = [advised(one) for one in accepted_as(facts, picture, policy, ordered=ordered) if one.evaluation]
    else:
        part = _by_reference if depth is Depth.REFERENCE else _of_an_instrument
        settled = settled_for(facts, own_claims(facts, picture), picture, policy)
        results = [part(result, picture.licences) for result in settled if result.evaluation is not None]
    return [_checked(result, facts, picture, policy) for result in results if result.evaluation is not None]


def check_reference(  # what a reference alone says, and when
    licence_id: str, code: str, reference: str, acceptance_day: str, picture: Picture, policy: Policy
) -> Checked:
    """Judge one document that no declaration cites.

    Args:
        licence_id: issuer and number.
        code: document code to be compared with the document's own; empty: none.
        reference: as it was asked.
        acceptance_day: the day that counts, ISO text.
        picture: with this licence.
        policy: settings of the ledger's decisions.
    """
    licence = picture.licences[licence_id].licence
    transit = licence is not None and licence.direction is Direction.TRANSIT
    own = code or (licence.document_code if licence else "X060")
    spec = ClaimSpec(1, 1, own, licence_id, reference, None, None, None)
    item = Item(1, "" if transit else "1000", "", "", "", None, None, None, (), (spec,))
    payload = Payload("T1" if transit else "EX", "A", "", "", "", "", "", (item,))
    facts = Facts(payload=payload, acceptance_day=acceptance_day)
    (result,) = settled_for(facts, {}, Picture(picture.licences), policy)
    rules = _ALONE | _BY_CODE if code else _ALONE
    return _checked(_by_reference(result, picture.licences, rules), facts, picture, policy)


def _by_reference(
    result: ClaimResult, licences: Mapping[str, LicenceState], rules: frozenset[Rule] = REFERENCE_RULES
) -> ClaimResult:
    """The result as far as it does not depend on goods and figures."""
    seen = result.evaluation
    if seen is None or not seen.applicable:
        return result
    failed = [(rule, reason) for rule, reason in seen.failed if rule in rules and not _of_a_figure(reason)]
    judged = Evaluation(
        seen.spec,
        seen.item,
        passed=[rule for rule in seen.passed if rule in rules],
        failed=failed,
        warned=[(rule, reason) for rule, reason in seen.warned if rule in rules and not _of_a_figure(reason)],
        applicable=seen.applicable,
        waiting=seen.waiting,
        managed=False,
        line_no=seen.line_no,
    )
    limited = any(not account.closed for account in licences[result.claim.key.licence_id].accounts.values())
    outcome = Outcome.REFUSED if failed else Outcome.OK_AVAILABLE if limited else Outcome.OK_NOT_MANAGED
    reasons = judged.reasons
    claim = replace(
        result.claim,
        state=ClaimState.CHECKED,
        outcome=outcome,
        requested=NOTHING,
        reasons=tuple(reason.code for reason in reasons),
    )
    return ClaimResult(claim, judged, reasons)


def _of_an_instrument(result: ClaimResult, licences: Mapping[str, LicenceState]) -> ClaimResult:
    """The result of a document of a supplementary declaration; the licence may be used up by the instrument itself."""
    seen = result.evaluation
    if seen is not None:
        seen.failed = [(rule, reason) for rule, reason in seen.failed if reason.code != "STATUS_EXHAUSTED"]
    return _by_reference(result, licences, _WITHOUT_FIGURES)


def _of_a_figure(reason: Reason) -> bool:
    return reason.field.rpartition(".")[2] in _FIGURES


def _checked(result: ClaimResult, facts: Facts, picture: Picture, policy: Policy) -> Checked:
    key = result.claim.key
    state = picture.licences[key.licence_id]
    day = reference_day(facts, key.item, policy)
    held = _held(picture, key)
    return Checked(
        claim_outcome(picture.licences, result),
        state.licence is not None,
        day,
        status_on(state, day),
        _passing(state, key.line_no, Dim.QTY, held.quantity),
        _passing(state, key.line_no, Dim.VAL, held.value),
    )


def _held(picture: Picture, key: ClaimKey) -> Figures:
    if picture.declaration is None:
        return NOTHING
    own = [
        claim
        for other, claim in picture.declaration.claims.items()
        if (other.item, other.doc_seq, other.licence_id, other.line_no) == key[1:]
    ]
    return own[0].reserved.plus(own[0].consumed) if own else NOTHING


def _passing(state: LicenceState, line_no: int, dim: Dim, held: Decimal) -> Decimal | None:
    lines = (WHOLE_LICENCE, line_no) if line_no else (WHOLE_LICENCE,)
    free = [account.available for one in lines if (account := state.limit(one, dim)) is not None]
    return min(free) + held if free else None


def status_on(state: LicenceState, day: date) -> Status:
    """The status that counts on a day: Expired follows from the day, all else is as known now."""
    licence, status = state.licence, state.status
    if licence is None or status not in (Status.VALID, Status.EXHAUSTED, Status.EXPIRED):
        return status
    if licence.valid_to is not None and day > licence.valid_to:
        return Status.EXPIRED
    return Status.EXHAUSTED if state.is_exhausted() else Status.VALID


def fitting(
    checked: Checked, facts: Facts, candidates: Sequence[str], around: Picture, policy: Policy
) -> list[Checked]:
    """Licences that would carry the same goods: every rule passes without a remark, and the figures fit."""
    payload, seen = facts.payload, checked.outcome
    item = next((one for one in payload.items if one.number == seen.key.item), None) if payload else None
    spec = next((one for one in item.claims if one.doc_seq == seen.key.doc_seq), None) if item else None
    if payload is None or item is None or spec is None:
        return []
    found = []
    for state in [around.licences[licence_id] for licence_id in candidates]:
        if state.licence is None or state.licence_id == seen.key.licence_id:
            continue
        code = state.licence.document_code
        other = replace(
            spec, licence_id=state.licence_id, line_no=None, document_code=code, issuer_from="", findings=()
        )
        asked = replace(facts, payload=replace(payload, items=(replace(item, claims=(other,)),), header_claims=()))
        (answer,) = check(asked, Picture(around.licences, barred=around.barred), policy)
        if answer.outcome.outcome.startswith("OK_") and not answer.outcome.warned:
            found.append(answer)
    return found
