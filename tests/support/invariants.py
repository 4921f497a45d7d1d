"""The ledger's invariants, checked on everything a store holds; every scenario ends with them.

`violations` looks at one state, `shrunk` at two states of one ledger, the later after the earlier.
"""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.kernel.canonical import GENESIS, chain, content_id
from certex_bridge.ledger.domain.amending import amended
from certex_bridge.ledger.domain.journal import entry_text
from certex_bridge.ledger.domain.merge import last_word, merge
from certex_bridge.ledger.domain.model import NOTHING, ClaimState, DeclarationState, Dim, Kind, LicenceState, Movement
from certex_bridge.ledger.domain.phases import amended_after
from certex_bridge.ledger.instrument import is_linked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from certex_bridge.ledger.adapters.memory import Contents

ZERO = Decimal(0)
_UNBINDING = (ClaimState.CHECKED, ClaimState.CLOSED)
_HOLDING = (ClaimState.RESERVED, ClaimState.CONSUMED, ClaimState.UNCOVERED)


def violations(held: Contents) -> list[str]:
    """Everything that must never be, in words; empty when the ledger is sound."""
    journals: dict[str, list[Movement]] = defaultdict(list)
    for movement in held.movements:
        journals[movement.licence_id].append(movement)
    found: list[str] = []
    for licence_id, state in held.licences.items():
        found += _accounts(state)
        found += _journal(state, journals[licence_id])
        found += _balances_told(held, state, journals[licence_id])
    found += _claims_against_accounts(held)
    found += _claims(held)
    found += _groups(held)
    found += _released(held)
    found += _once(held)
    found += _caused(held)
    found += _published(held)
    found += _statuses(held)
    found += _parked(held)
    found += _identities(held)
    return found


def shrunk(before: Contents, after: Contents) -> list[str]:
    """What may only grow and did not: versions and facts (I7, I8)."""
    found = []
    for licence_id, old in before.licences.items():
        new = after.licences[licence_id]
        if (new.version, new.lv, new.nv) < (old.version, old.lv, old.nv) or new.lv < old.lv or new.nv < old.nv:
            found.append(f"I8 {licence_id} went back")
    for decl_id, told in before.declarations.items():
        now = after.declarations[decl_id]
        if now.dv < told.dv:
            found.append(f"I8 {decl_id} went back")
        if not told.joined and not _grew(told, now):
            found.append(f"I7 {decl_id} forgot facts")
    old_movements = len(before.movements)
    if after.movements[:old_movements] != before.movements and sorted(before.movements, key=_place) != sorted(
        (m for m in after.movements if _place(m) in {_place(o) for o in before.movements}), key=_place
    ):
        found.append("the journal was rewritten")
    return found


def _grew(told: DeclarationState, now: DeclarationState) -> bool:
    """Whether everything that was told of it is still known; which lodging an MRN was may turn out otherwise."""
    if told.events:
        return set(told.events) <= set(now.events)
    before, after = told.own or told.facts, now.own or now.facts
    return merge(before, after) == after


def _place(movement: Movement) -> tuple[str, int, int]:
    return movement.licence_id, movement.lv, movement.seq


def _caused(held: Contents) -> Iterator[str]:
    """Whatever moved was asked for by an event, or by a wake that one led to."""
    for movement in held.movements:
        cause = movement.event_id
        while cause not in held.inbox:
            told = held.woken.get(cause)
            if told is None or content_id("wake", *told) != cause:
                yield f"{movement.licence_id} lv {movement.lv}: {movement.event_id} was caused by nothing"
                break
            cause = told[0]


def _accounts(state: LicenceState) -> Iterator[str]:
    for account in state.accounts.values():
        parts = (account.cap, account.over, account.available, account.reserved, account.consumed)
        if min(parts) < 0:
            yield f"I1 {state.licence_id}: negative in {parts}"
        if account.cap + account.over != account.available + account.reserved + account.consumed:
            yield f"I1 {state.licence_id}: {parts} does not add up"
        if account.available and account.over:
            yield f"I1 {state.licence_id}: available and over-used at once"


def _journal(state: LicenceState, journal: list[Movement]) -> Iterator[str]:
    sums: dict[tuple[int, str], list[Decimal]] = defaultdict(lambda: [ZERO] * 4)
    link = GENESIS
    expected = (1, 1)
    for m in journal:
        if (m.lv, m.seq) not in (expected, (expected[0] + 1, 1)):
            yield f"I3 {state.licence_id}: {m.lv}.{m.seq} follows a gap"
        expected = (m.lv, m.seq + 1)
        deltas = (m.d_cap, m.d_reserved, m.d_consumed, m.d_over)
        total = sums[m.line_no, m.dim]
        sums[m.line_no, m.dim] = [a + b for a, b in zip(total, deltas, strict=True)]
        if m.d_over > 0 and m.kind not in (Kind.CAP, Kind.OVERRIDE, Kind.REDENOMINATE):
            yield f"I4 {state.licence_id}: {m.kind} made over-use"
        place = (state.licence_id, m.lv, m.seq, m.line_no, m.dim, m.kind)
        text = entry_text(*place, m.event_id, m.claim, deltas, m.at, m.detail)
        link = chain(link, text)
        if link != m.chain:
            yield f"I3 {state.licence_id}: the chain breaks at {m.lv}.{m.seq}"
            return
    if state.lv != (journal[-1].lv if journal else 0) or link != state.chain:
        yield f"I3 {state.licence_id}: version {state.lv} is not the end of the journal"
    for (line_no, dim), account in state.accounts.items():
        stored = [account.cap, account.reserved, account.consumed, account.over]
        if sums[line_no, dim.value] != stored:
            yield f"I3 {state.licence_id}:{line_no}.{dim} holds {stored}, its journal says {sums[line_no, dim.value]}"


def _claims_against_accounts(held: Contents) -> Iterator[str]:
    sums: dict[tuple[str, int, Dim], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for key, claim in held.claims.items():
        for dim, reserved, consumed in (
            (Dim.QTY, claim.reserved.quantity, claim.consumed.quantity),
            (Dim.VAL, claim.reserved.value, claim.consumed.value),
        ):
            for line_no in {0, key.line_no}:
                total = sums[key.licence_id, line_no, dim]
                total[0] += reserved
                total[1] += consumed
    for licence_id, state in held.licences.items():
        for (line_no, dim), account in state.accounts.items():
            claimed = sums[licence_id, line_no, dim]
            if not account.closed and claimed != [account.reserved, account.consumed]:
                yield f"I2 {licence_id}:{line_no}.{dim} holds {account}, its claims hold {claimed}"


def _claims(held: Contents) -> Iterator[str]:
    for key, claim in held.claims.items():
        if claim.holds and claim.state not in _HOLDING:
            yield f"I7 {key} is {claim.state} and holds figures"
        if claim.state is ClaimState.RESERVED and claim.consumed != NOTHING:
            yield f"I7 {key} is reserved and consumed at once"
        if claim.state in (ClaimState.CONSUMED, ClaimState.UNCOVERED) and claim.reserved != NOTHING:
            yield f"I7 {key} is {claim.state} with a reservation left"
        if min(*claim.reserved, *claim.consumed, *claim.uncovered) < 0:
            yield f"I1 {key} is negative"


def _groups(held: Contents) -> Iterator[str]:
    """I6: on the same facts, no claim of an item is reserved while another one is refused.

    A document without a limit asks for nothing: its refusal takes nothing from claims that keep what they hold.
    """
    outcomes: dict[tuple[str, int, str], set[str]] = defaultdict(set)
    for key, claim in held.claims.items():
        state = held.licences[key.licence_id]
        limited = not state.known or any(state.limit(line_no, dim) for line_no in (0, key.line_no) for dim in Dim)
        if limited and claim.state in (ClaimState.RESERVED, ClaimState.REFUSED, ClaimState.WAITING):
            outcomes[key.decl_id, key.item, claim.attempt].add(claim.outcome)
    for group, seen in outcomes.items():
        if "OK_RESERVED" in seen and seen & {"REFUSED", "WAITING"}:
            yield f"I6 {group}: {sorted(seen)}"


def _number(licence_id: str) -> str:
    """Without the issuer, which a document may not state."""
    return licence_id.partition("/")[2]


def _released(held: Contents) -> Iterator[str]:
    """Goods that left are never refused: what has no cover is uncovered. A change after release may be, and by hand."""
    for key, claim in held.claims.items():
        declaration = held.declarations[key.decl_id]
        if claim.outcome != "REFUSED" or claim.state in _UNBINDING or is_linked(declaration.facts):
            continue
        facts = amended(declaration.facts).facts
        word = last_word(facts, key.item)
        if word is None or not word.released or amended_after(facts, word) or "OVERRIDE_REFUSED" in claim.reasons:
            continue
        cited = [spec for item in facts.payload.items for spec in item.claims] if facts.payload else []
        # What a document no longer cited holds is kept, as it was told, until all that replaces it is covered.
        if (key.item, key.doc_seq, _number(key.licence_id)) not in {
            (spec.item, spec.doc_seq, _number(spec.licence_id)) for spec in cited
        }:
            continue
        if declaration.decl_id not in {wake.decl_id for wake in held.wakes.values()}:
            yield f"{key} was released, and is {claim.outcome} {claim.reasons}"


def _once(held: Contents) -> Iterator[str]:
    effects = [(m.event_id, m.licence_id, m.claim, m.line_no, m.dim, m.kind) for m in held.movements]
    if len(set(effects)) != len(effects):
        yield "I5 an event moved a figure twice"
    if held.inbox.keys() != held.answers.keys():
        yield f"I13 events without their answer: {held.inbox.keys() ^ held.answers.keys()}"


def _published(held: Contents) -> Iterator[str]:
    versions: dict[tuple[str, str], list[int]] = defaultdict(list)
    for kind, aggregate, version in held.outbox:
        versions[kind, aggregate].append(version)
    for (kind, aggregate), told in versions.items():
        if told != list(range(1, len(told) + 1)):
            yield f"I9 {kind} {aggregate} was published as {told}"
    for licence_id, state in held.licences.items():
        counts = (("balance", state.lv), ("notification", state.nv), ("incident", state.iv), ("certificate", state.cv))
        for kind, last in counts:
            if len(versions[kind, licence_id]) != last:
                yield f"I9 {licence_id} is at {kind} {last}, published {versions[kind, licence_id]}"
        newest = held.outbox.get(("certificate", licence_id, state.cv))
        if newest is not None and json.loads(newest.body)["status"] != state.status.value:
            yield f"I9 the newest certificate of {licence_id} does not say {state.status.value}"
    for decl_id, declaration in held.declarations.items():
        if len(versions["outcome", decl_id]) != declaration.dv:
            yield f"I9 {decl_id} is at {declaration.dv}, published {versions['outcome', decl_id]}"


def _statuses(held: Contents) -> Iterator[str]:
    """I9: changes of status are dense, each begins where the one before ended, and the last is the licence's status."""
    for licence_id, state in held.licences.items():
        changes = [held.status_records.get((licence_id, number)) for number in range(1, state.sv + 1)]
        told = [change for change in changes if change is not None]
        if len(told) != state.sv or len(told) != sum(1 for key in held.status_records if key[0] == licence_id):
            yield f"I9 {licence_id} is at change {state.sv} of its status, {len(told)} are there"
        ends = ["Unknown", *(change.new for change in told)]
        begins = [*(change.old for change in told), state.status.value]
        if ends != begins:
            yield f"I9 the changes of {licence_id} lead through {ends}, from {begins}"


def _balances_told(held: Contents, state: LicenceState, journal: list[Movement]) -> Iterator[str]:
    """I9: the balance published for a journal version is the sum of the journal up to it."""
    sums: dict[str, list[Decimal]] = {}
    for position, m in enumerate(journal):
        if m.dim != "NONE":
            total = sums.setdefault(f"{m.line_no}.{m.dim}", [ZERO] * 3)
            sums[f"{m.line_no}.{m.dim}"] = [total[0] + m.d_cap, total[1] + m.d_reserved, total[2] + m.d_consumed]
        if position + 1 < len(journal) and journal[position + 1].lv == m.lv:
            continue
        row = held.outbox.get(("balance", state.licence_id, m.lv))
        told = json.loads(row.body)["accounts"] if row else None
        if told != {place: [format_decimal(figure) for figure in total] for place, total in sums.items()}:
            yield f"I9 {state.licence_id} version {m.lv}: told {told}, the journal says {sums}"


def _parked(held: Contents) -> Iterator[str]:
    waiting = {(licence_id, d.decl_id) for d in held.declarations.values() for licence_id in d.waiting_for}
    if waiting != held.parked:
        yield f"I12 parked {sorted(held.parked)}, waiting {sorted(waiting)}"
    woken = {wake.decl_id for wake in held.wakes.values()}
    for licence_id, decl_id in held.parked:
        if licence_id in held.licences and held.licences[licence_id].known and decl_id not in woken:
            yield f"I12 {decl_id} waits for {licence_id}, which is there"


def _identities(held: Contents) -> Iterator[str]:
    """No content of a lodging that is not certain, and nothing held without content; unless it is looked at again."""
    woken = {wake.decl_id for wake in held.wakes.values()}
    for decl_id, state in held.declarations.items():
        if not state.facts.mrn or decl_id in woken:
            continue
        holding = any(
            claim.state in _HOLDING and claim.holds for key, claim in held.claims.items() if key[0] == decl_id
        )
        if state.undecided and holding and not is_linked(state.facts):
            yield f"{decl_id} is undecided and holds quantities"
        if state.own is not None and state.lodging is None:
            yield f"{decl_id} has the content of a lodging that is not named"
        anchor = held.anchors.get(state.facts.lrn)
        if state.lodging is None or anchor is None or decl_id not in anchor.mrns:
            continue
        if anchor.placements()[decl_id].lodging != state.lodging:
            yield f"{decl_id} has the content of a lodging that is not certain"
