"""From the ledger's rows to what is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.model import Claim, DeclarationState, Dim, LicenceState
from certex_bridge.ledger.domain.reasons import Reason
from certex_bridge.ledger.domain.standing import declaration_state
from certex_bridge.ledger.reading import Moved
from certex_bridge.ledger.work import utc_text
from certex_bridge.licensing.certificate_parts import Balance
from certex_bridge.singlewindow.messages.views import (
    AccountView,
    ClaimView,
    DeclarationView,
    FactView,
    MovementView,
    ReasonView,
)

_SAID = ("lodged", "presented", "accepted", "invalidated", "rejected", "exited", "not_presented", "recheck")


def account_view(account: Balance) -> AccountView:
    """One balance."""
    return AccountView(
        line=account.line_no,
        dimension=str(account.dim),
        unit=account.unit,
        authorised=format_decimal(account.cap),
        reserved=format_decimal(account.reserved),
        consumed=format_decimal(account.consumed),
        available=format_decimal(account.available),
        over=format_decimal(account.over),
    )


def declaration_view(
    known: DeclarationState,
    claims: Iterable[Claim],
    licences: Mapping[str, LicenceState],
    moves: Sequence[Moved] | None,
) -> DeclarationView:
    """One declaration."""
    facts = known.facts
    return DeclarationView(
        declaration=known.decl_id,
        state=declaration_state(facts),
        mrn=facts.mrn or None,
        lrn=facts.lrn or None,
        exporter=(facts.payload.exporter if facts.payload else "") or facts.exporter or None,
        content_version=facts.payload_rank.version if facts.payload_rank else None,
        outcome_version=known.dv,
        joined=known.joined,
        waiting_for=known.waiting_for,
        said=tuple(_said(facts)),
        claims=tuple([_claim(claim, licences[claim.key.licence_id]) for claim in claims]),
        movements=None if moves is None else tuple([_movement(one) for one in moves]),
    )


def _said(facts: Facts) -> Iterable[FactView]:
    for name in _SAID:
        stamp = getattr(facts, name)
        if stamp is not None:
            yield FactView(fact=name.replace("_", " "), at=utc_text(stamp.occurred_at))
    for item, release in facts.releases:
        fact = "released" if release.released else "not released"
        yield FactView(fact=f"{fact}, item {item}" if item else fact, at=utc_text(release.stamp.occurred_at))


def _claim(claim: Claim, licence: LicenceState) -> ClaimView:
    key = claim.key
    requested, reserved, consumed, uncovered = claim.requested, claim.reserved, claim.consumed, claim.uncovered
    return ClaimView(
        item=key.item,
        document=key.doc_seq,
        licence_identification=key.licence_id,
        line=key.line_no,
        document_code=claim.document_code,
        state=claim.state.value,
        outcome=str(claim.outcome),
        reasons=tuple([ReasonView(code=code, text=Reason(code).sentence) for code in claim.reasons]),
        figure_source=claim.source or None,
        unit=_unit(licence, key.line_no, Dim.QTY),
        quantity_requested=format_decimal(requested.quantity),
        quantity_reserved=format_decimal(reserved.quantity),
        quantity_consumed=format_decimal(consumed.quantity),
        quantity_uncovered=format_decimal(uncovered.quantity),
        currency=_unit(licence, key.line_no, Dim.VAL),
        amount_requested=format_decimal(requested.value),
        amount_reserved=format_decimal(reserved.value),
        amount_consumed=format_decimal(consumed.value),
        amount_uncovered=format_decimal(uncovered.value),
    )


def _unit(licence: LicenceState, line_no: int, dim: Dim) -> str | None:
    """The line's unit, or that of the licence as a whole; a removed limit still has one."""
    account = licence.accounts.get((line_no, dim)) or licence.accounts.get((0, dim))
    return account.unit if account else None


def _movement(one: Moved) -> MovementView:
    return MovementView(
        licence_identification=one.licence_id,
        journal_version=one.lv,
        kind=str(one.kind),
        at=one.at,
        line=one.line_no,
        dimension=str(one.dim),
        reserved=_signed(one.reserved),
        consumed=_signed(one.consumed),
        event_identification=one.event_id,
    )


def _signed(amount: Decimal) -> str:
    return format_decimal(amount) if amount >= 0 else "-" + format_decimal(-amount)
