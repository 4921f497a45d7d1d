"""What counts of simplified and supplementary declarations: together one indivisible instrument (UCC Art. 167(4)).

What customs told of each declaration stays what it is; what counts is derived from the facts of all of them, so events
may arrive in any order and an invalidated supplementary declaration leaves no trace. The quantities are always held by
the claims of the simplified declaration, whose goods were released; the supplementary one says how much they are. It
holds something itself only for what no simplified declaration accounts for (an entry in the declarant's records).

An item that names one simplified declaration replaces the content of that one, or of the item of it that is named.
Items that name several are compared by their totals per licence line; a difference is allocated in the order of the
MRNs where that is certain. Where it is not, the simplified figures stand, and a finding says why (ADR 0014).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.allocating import allocate
from certex_bridge.ledger.domain.attributed import said_by_supplement
from certex_bridge.ledger.domain.content import Item
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.instrument import PLACE, Counted, Instrument, Unit, cites, is_known
from certex_bridge.ledger.domain.merge import last_word
from certex_bridge.ledger.domain.simplified import SUPPLEMENTARY_TYPES
from certex_bridge.ledger.domain.standing import rejection
from certex_bridge.ledger.domain.substituting import replaced


def names_of(facts: Facts) -> set[str]:
    """MRNs of every simplified declaration that these facts name, undecided amendments included."""
    found = {reference.mrn for reference in facts.simplified}
    contents = [facts.payload, *[request.content for request in facts.requests]] if facts.requests else [facts.payload]
    for payload in contents:
        if payload is not None:
            found.update([reference.mrn for item in payload.items for reference in item.simplified])
    return found


def is_unnamed(facts: Facts) -> bool:
    """Whether this is a supplementary declaration that does not say what it supplements."""
    payload, rank = facts.payload, facts.payload_rank
    told_apart = payload is not None and rank is not None and not rank.supplementary
    return told_apart and payload is not None and payload.additional_type in SUPPLEMENTARY_TYPES and not names_of(facts)


def unnamed(facts: Facts) -> Counted:
    """A supplementary declaration that names no simplified one: what it declares may be booked already."""
    payload = facts.payload
    additional_type = payload.additional_type if payload else ""
    message = "a supplementary declaration that names no simplified one; nothing of it is booked"
    return Counted(
        emptied(facts),
        (Finding("SIMPLIFIED_NOT_NAMED", "additionalType", additional_type, message, Severity.WARNING),),
    )


def emptied(facts: Facts) -> Facts:
    """The facts of a declaration whose quantities are held elsewhere."""
    payload = facts.payload
    return facts if payload is None else replace(facts, payload=replace(payload, items=(), header_claims=()))


def supplemented(told: Mapping[str, Facts]) -> dict[str, Counted]:
    """What counts of each declaration of an instrument.

    Args:
        told: what customs said of each, amended and with its issuers; those of a draft that an MRN took over left out.
    """
    group = Instrument(told)
    supplements = [decl_id for decl_id, facts in sorted(told.items()) if names_of(facts) or is_unnamed(facts)]
    mains = {decl_id for decl_id in told if decl_id not in supplements}
    for decl_id in supplements:
        _read(group, decl_id, mains)
    for pool in _pools(group):
        units = [unit for mrn in pool for unit in group.units[mrn]]
        unique = list({(unit.decl_id, unit.item.number): unit for unit in units}.values())
        if len(pool) == 1:
            group.counted[pool[0]] = replaced(group, pool[0], unique)
        else:
            allocate(group, pool, unique)
    return {
        decl_id: Counted(group.counted.get(decl_id, facts), tuple(group.findings.get(decl_id, ())))
        for decl_id, facts in told.items()
    }


# -- what a supplementary declaration supplements


def _read(group: Instrument, decl_id: str, mains: set[str]) -> None:
    """Sort the items of a supplementary declaration: those that rule a simplified one, and those of its own."""
    facts = group.facts[decl_id]
    payload = facts.payload
    if payload is None:
        return
    if is_unnamed(facts):
        group.counted[decl_id], told = unnamed(facts)
        group.findings.setdefault(decl_id, []).extend(told)
        return
    in_effect = _in_effect(group, decl_id, facts)
    own: list[Item] = []
    # Beside claims of its own, a licence written off already is one more document that says what the goods were.
    said = said_by_supplement(payload) or payload
    for item, stated in zip(payload.items, said.items, strict=True):
        unit = Unit(decl_id, facts, stated, item.simplified or facts.simplified)
        holders = [name for name in unit.names if name in mains and cites(group.facts[name])]
        if not unit.references:
            place = f"items[{item.number}].{PLACE}"
            message = "the item supplements nothing; nothing of it is booked"
            group.tell(decl_id, Finding("SIMPLIFIED_NOT_NAMED", place, "", message, Severity.WARNING))
        elif not holders and all(name in mains for name in unit.names):
            own.append(item)
        elif in_effect:
            _assign(group, unit, mains)
    header = payload.header_claims if len(own) == len(payload.items) else ()
    group.counted[decl_id] = replace(facts, payload=replace(payload, items=tuple(own), header_claims=header))


def _assign(group: Instrument, unit: Unit, mains: set[str]) -> None:
    for name in unit.names:
        if name not in mains:
            group.unallocated([unit], name, "a supplementary declaration is named as a simplified one")
            return
        if len(unit.names) > 1 and not is_known(group.facts[name]):
            group.unallocated([unit], name, "one of them is not known yet")
            return
    for name in unit.names:
        group.units.setdefault(name, []).append(unit)


def _in_effect(group: Instrument, decl_id: str, facts: Facts) -> bool:
    """Whether a supplementary declaration says what counts.

    It takes effect when it has an MRN (UCC Art. 172(1)); invalidated or rejected it has none, and one that customs do
    not release corrects nothing.
    """
    if not facts.mrn or facts.invalidated is not None or rejection(facts) is not None or facts.payload is None:
        return False
    words = [last_word(facts, item.number) for item in facts.payload.items]
    if all(word is None or word.released for word in words):
        return True
    message = "the figures of the simplified declarations stand: customs do not release the supplementary one"
    group.tell(decl_id, Finding("SUPPLEMENTARY_NOT_RELEASED", PLACE, "", message, Severity.WARNING))
    return False


def _pools(group: Instrument) -> list[list[str]]:
    """Simplified declarations that some item names together, transitively; each in order of MRN."""
    home = {mrn: mrn for mrn in group.units}

    def root(mrn: str) -> str:
        while home[mrn] != mrn:
            home[mrn] = home[home[mrn]]
            mrn = home[mrn]
        return mrn

    for units in group.units.values():
        for unit in units:
            for other in unit.names[1:]:
                home[root(other)] = root(unit.names[0])
    pools: dict[str, list[str]] = {}
    for mrn in sorted(group.units):
        pools.setdefault(root(mrn), []).append(mrn)
    return [pools[name] for name in sorted(pools)]
