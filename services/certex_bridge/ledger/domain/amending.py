"""The content of a declaration with the amendments that customs granted.

The content as told stays what it is; what counts is derived from it and from the granted requests in the order of
their decisions, so request, decision and content may arrive in any order. An amendment carries the whole new content
(`replacing.py`) or the changed branches (`changing.py`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.changing import changed
from certex_bridge.ledger.domain.content import Payload
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.replacing import replaced
from certex_bridge.ledger.domain.requests import Request, RequestDecision, Requests, Verdict, considered
from certex_bridge.ledger.domain.stamps import PayloadRank, Stamp

_AS_LODGED = 1
"""Version of the content before any amendment."""


class Amended(NamedTuple):
    """What counts of a declaration's content, and what could not be merged or is not decided yet."""

    facts: Facts
    findings: tuple[Finding, ...] = ()


def amended(facts: Facts) -> Amended:
    """The facts with their content as amended; the same object when no amendment was ever asked for."""
    payload, rank = facts.payload, facts.payload_rank
    if payload is None or rank is None or not (facts.requests or facts.decisions):
        return Amended(facts)
    requests = considered(facts)
    findings = [_pending(one.request) for one in requests.considered if one.request.amends and one.decision is None]
    findings += [_unasked(decision) for decision in requests.unasked]
    findings += [_ambiguous(decision) for decision in requests.ambiguous]
    for decision, request in _granted(requests, rank):
        payload = _applied(payload, request, findings)
        rank = PayloadRank(rank.supplementary, rank.version + 1, decision)
    told = facts if rank is facts.payload_rank else replace(facts, payload=payload, payload_rank=rank)
    return Amended(told, tuple(findings))


def _granted(requests: Requests, rank: PayloadRank) -> list[tuple[Stamp, Request]]:
    """The granted ones in the order of decision; a later full content told by customs includes what came before."""
    included = rank.stamp if rank.version > _AS_LODGED else None
    granted = [
        (one.decision.stamp, one.request)
        for one in requests.considered
        if one.request.amends and one.decision is not None and one.decision.verdict is Verdict.GRANTED
    ]
    return sorted(
        [(decision, request) for decision, request in granted if included is None or decision > included],
        key=lambda pair: pair[0],
    )


def _pending(request: Request) -> Finding:
    message = "an amendment is asked for and not decided; the figures are those before it"
    return Finding("AMENDMENT_PENDING", "Amendment", request.reference, message, Severity.WARNING)


def _unasked(decision: RequestDecision) -> Finding:
    message = f"customs decided ({decision.verdict.value}) on a request that is not known; nothing is booked for it"
    return Finding("DECISION_UNASKED", "reference", decision.reference, message, Severity.WARNING)


def _ambiguous(decision: RequestDecision) -> Finding:
    message = "several requests were undecided; the decision counts for the one that was asked last"
    return Finding("DECISION_AMBIGUOUS", "reference", decision.reference, message, Severity.WARNING)


def _applied(payload: Payload, request: Request, findings: list[Finding]) -> Payload:
    if request.content is not None:
        return replaced(payload, request.content, request.changes, findings)
    assert request.changes is not None
    return changed(payload, request.changes, findings)
