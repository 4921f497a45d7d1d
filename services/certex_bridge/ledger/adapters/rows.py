"""Between the domain's types and table rows; amounts travel as text, so that no digit is lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from certex_bridge.ledger.adapters.codec import (
    decode_facts,
    decode_identity,
    encode_facts,
    encode_identity,
    encode_licence,
)
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.model import (
    Account,
    Claim,
    ClaimKey,
    ClaimState,
    DeclarationState,
    Figures,
    LicenceState,
    Movement,
)
from certex_bridge.ledger.domain.searching import licence_terms
from certex_bridge.ledger.domain.standing import declaration_state
from certex_bridge.ledger.mismatches import Mismatch
from certex_bridge.ledger.ports import OpenClaim, QuarantineRow, bars_of
from certex_bridge.ledger.quarantine import storable
from certex_bridge.ledger.stored import LicenceVersionRow
from certex_bridge.licensing.domain.commands import ExporterBar

_NO_FACTS = Facts()
_NEVER = "-infinity"

TERM_SEPARATOR = "\x1f"
"""No term has one: it is no character of a licence."""


def declaration(row: Mapping[str, Any]) -> DeclarationState:
    """A locked declaration row."""
    state = DeclarationState(
        decl_id=row["decl_id"],
        dv=row["dv"],
        facts=declaration_facts(row),
        said=row["said"],
        waiting_for=tuple(json.loads(row["waiting_for"])),
        joined=row["joined"],
    )
    return decode_identity(state, row["identity"])


def declaration_facts(row: Mapping[str, Any]) -> Facts:
    """The facts of a declaration row; a placeholder has none."""
    return decode_facts(row["facts"]) if row["facts"] else _NO_FACTS


def declaration_row(state: DeclarationState) -> tuple[object, ...]:
    """What is written of a declaration."""
    facts = state.facts
    # Only the timer of UCC Art. 171 asks for it, and that ends with the presentation.
    unpresented_since: datetime | None = facts.lodged.occurred_at if facts.lodged and facts.presented is None else None
    return (
        state.decl_id,
        state.dv,
        encode_facts(facts),
        state.said,
        json.dumps(state.waiting_for) if state.waiting_for else "[]",
        state.joined,
        facts.lrn,
        facts.exporter,
        declaration_state(facts),
        unpresented_since,
        encode_identity(state),
        undecided_since(state),
        unreleased_since(facts),
    )


def undecided_since(state: DeclarationState) -> datetime | None:
    """When customs accepted or released a declaration whose content nobody can tell; None: it is told."""
    if not state.undecided:
        return None
    facts = state.facts
    stamps = [release.stamp for _, release in facts.releases] + ([facts.accepted] if facts.accepted else [])
    return min(stamps).occurred_at


def unreleased_since(facts: Facts) -> datetime | None:
    """When goods left whose release was not told, until the bridge stopped waiting for it; None: all is told."""
    waits = facts.exited is not None and facts.mrn and facts.release_overdue is None
    told = facts.releases or facts.invalidated is not None
    return facts.exited.occurred_at if waits and not told and facts.exited else None


def open_claim(row: Mapping[str, Any], facts: Facts) -> OpenClaim:
    """A claim with an open interest, and what a push tells of its declaration."""
    return OpenClaim.of(
        row["licence_id"], row["decl_id"], row["item"], row["doc_seq"], row["state"], row["document_code"], facts
    )


def claim(row: Mapping[str, Any]) -> Claim:
    """A claim row, under the lock of its declaration."""
    return Claim(
        key=ClaimKey(row["decl_id"], row["item"], row["doc_seq"], row["licence_id"], row["line_no"]),
        state=ClaimState(row["state"]),
        requested=_figures(row["q_req"], row["v_req"]),
        reserved=_figures(row["q_res"], row["v_res"]),
        consumed=_figures(row["q_cons"], row["v_cons"]),
        uncovered=_figures(row["q_unc"], row["v_unc"]),
        attempt=row["attempt"],
        outcome=row["outcome"],
        reasons=tuple(row["reasons"].split()),
        document_code=row["document_code"],
        source=row["source"],
        refused_at=None if row["refused_at"] == _NEVER else datetime.fromisoformat(row["refused_at"]),
    )


def _figures(quantity: str, value: str) -> Figures:
    return Figures(Decimal(quantity), Decimal(value))


CLAIM_COLUMNS = (
    *("decl_id", "item", "doc_seq", "licence_id", "line_no", "state"),
    *("q_req", "q_res", "q_cons", "q_unc", "v_req", "v_res", "v_cons", "v_unc"),
    *("attempt", "outcome", "reasons", "document_code", "source", "refused_at"),
)


def claim_row(held: Claim) -> tuple[str, ...]:
    """What is written of a claim, as text in the order of `CLAIM_COLUMNS`."""
    key, requested, reserved = held.key, held.requested, held.reserved
    consumed, uncovered = held.consumed, held.uncovered
    return (
        key.decl_id,
        str(key.item),
        str(key.doc_seq),
        key.licence_id,
        str(key.line_no),
        held.state,
        str(requested.quantity),
        str(reserved.quantity),
        str(consumed.quantity),
        str(uncovered.quantity),
        str(requested.value),
        str(reserved.value),
        str(consumed.value),
        str(uncovered.value),
        held.attempt,
        held.outcome,
        " ".join(held.reasons),
        held.document_code,
        held.source,
        held.refused_at.isoformat() if held.refused_at else _NEVER,
    )


def licence_row(state: LicenceState) -> tuple[object, ...]:
    """What every change of a licence writes."""
    return (
        state.licence_id,
        state.version,
        state.payload_sha256,
        state.status,
        state.expired_version,
        state.lv,
        state.nv,
        state.cv,
        state.iv,
        state.sv,
        state.chain,
    )


def snapshot_row(state: LicenceState) -> tuple[object, ...]:
    """What only a new version writes."""
    licence = state.licence
    assert licence is not None
    return (state.licence_id, encode_licence(licence), licence.valid_to, licence.holder.identification)


def index_row(state: LicenceState) -> tuple[object, ...]:
    """What a new version is listed by."""
    licence = state.licence
    assert licence is not None
    return (
        state.licence_id,
        licence.issuer,
        licence.number,
        state.version,
        licence.document_code,
        licence.direction.value,
        state.status.value,
        licence.valid_from,
        licence.valid_to,
        licence.holder.identification,
        TERM_SEPARATOR.join(licence_terms(licence)),
    )


def account_row(licence_id: str, account: Account) -> tuple[object, ...]:
    """A balance; `over` and `available` are derived by the statement."""
    return (
        licence_id,
        account.line_no,
        account.dim,
        account.unit,
        str(account.cap),
        str(account.reserved),
        str(account.consumed),
        account.replaced,
    )


MOVEMENT_COLUMNS = (
    *("licence_id", "lv", "seq", "line_no", "dim", "kind", "event_id", "claim"),
    *("d_cap", "d_res", "d_cons", "d_over", "at", "detail", "chain", "effect"),
)


def movement_row(m: Movement) -> tuple[str, ...]:
    """A journal row with the hash that names its effect, as text in the order of `MOVEMENT_COLUMNS`."""
    effect = f"{m.event_id}\x1f{m.licence_id}\x1f{m.claim}\x1f{m.line_no}\x1f{m.dim}\x1f{m.kind}"
    return (
        m.licence_id,
        str(m.lv),
        str(m.seq),
        str(m.line_no),
        m.dim,
        m.kind,
        m.event_id,
        m.claim,
        str(m.d_cap),
        str(m.d_reserved),
        str(m.d_consumed),
        str(m.d_over),
        m.at,
        m.detail,
        m.chain.hex(),
        hashlib.sha256(effect.encode()).hexdigest()[:32],
    )


STATUS_COLUMNS = (
    *("licence_id", "change_no", "old", "new", "reason", "at", "event_id", "exporter", "licence_version", "lv"),
    *("number", "document_code", "direction", "valid_from", "valid_to", "trace"),
)
"""Those of a `StatusRecord`, in its order."""

OUTBOX_COLUMNS = ("agg_type", "agg_id", "agg_ver", "batch_id", "pos", "key", "body", "at", "trace")


def version_row(v: LicenceVersionRow) -> tuple[object, ...]:
    """A licence version with its certificate."""
    content, document = encode_licence(v.licence), v.licence.document
    original = (v.received.media_type, v.received.body) if v.received else (None, None)
    told = (document.sha256 if document else None, *original, v.payload_sha256, v.content.value)
    return (v.licence_id, v.version, v.event_id, v.at, v.status, content, v.certificate, *told)


def mismatch_row(one: Mismatch) -> tuple[object, ...]:
    """Goods released against the verdict."""
    told = (one.event_id, one.member_state, one.source, one.verdict, " ".join(one.reasons), one.recorded, one.at)
    return (*one.key, *told)


def bar_rows(bar: ExporterBar) -> Iterable[tuple[object, ...]]:
    """One row per document code."""
    return ((*one[:3], bar.from_day) for one in bars_of(bar))


def quarantine_row(row: QuarantineRow) -> tuple[object, ...]:
    """A record put aside; header values are kept byte for byte, null for a header without value."""
    row = storable(row)
    headers = [[name, None if value is None else value.hex()] for name, value in row.headers]
    return (
        row.quarantine_id,
        *row.origin,
        row.code,
        row.field,
        row.value,
        row.message,
        row.event_id,
        row.key,
        row.raw,
        json.dumps(headers).encode(),
    )
