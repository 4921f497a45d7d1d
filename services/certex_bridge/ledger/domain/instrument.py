"""An instrument of simplified and supplementary declarations while it is derived what counts of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.content import ClaimSpec, Item, Payload
from certex_bridge.ledger.domain.facts import DocumentFigures, Facts
from certex_bridge.ledger.domain.issuers import claims_of
from certex_bridge.ledger.domain.merge import last_word
from certex_bridge.ledger.domain.phases import amended_after
from certex_bridge.ledger.domain.simplified import SimplifiedReference
from certex_bridge.ledger.domain.stamps import PayloadRank
from certex_bridge.ledger.domain.standing import rejection

PLACE = "simplifiedDeclarations"
"""Where a declaration says what it supplements."""


class Counted(NamedTuple):
    """What counts of one declaration of an instrument, and what customs must hear about it."""

    facts: Facts
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """One goods item of a supplementary declaration, with what it supplements."""

    decl_id: str
    facts: Facts
    item: Item
    references: tuple[SimplifiedReference, ...]

    @property
    def names(self) -> list[str]:
        """The simplified declarations it names."""
        return sorted({reference.mrn for reference in self.references})

    def items_of(self, mrn: str) -> set[int]:
        """The items it names of one of them; 0: the whole."""
        return {reference.item for reference in self.references if reference.mrn == mrn}


@dataclass(slots=True)
class Instrument:
    """An instrument while what counts of it is derived."""

    facts: Mapping[str, Facts]
    units: dict[str, list[Unit]] = field(default_factory=dict)
    """What rules each simplified declaration."""
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    counted: dict[str, Facts] = field(default_factory=dict)

    def tell(self, decl_id: str, finding: Finding) -> None:
        """Say something once."""
        known = self.findings.setdefault(decl_id, [])
        if finding not in known:
            known.append(finding)

    def unallocated(self, units: Iterable[Unit], value: str, why: str) -> None:
        """What these say moves nothing."""
        message = f"the figures of the simplified declarations stand: {why}"
        for decl_id in sorted({unit.decl_id for unit in units}):
            self.tell(decl_id, Finding("SUPPLEMENTARY_UNALLOCATED", PLACE, value, message, Severity.WARNING))


def is_known(facts: Facts) -> bool:
    """Whether it is known what the declaration says; one that was rejected says nothing."""
    return facts.payload is not None and rejection(facts) is None


def cites(facts: Facts) -> bool:
    """Whether the declaration accounts for licences; one that was rejected, or is not known, does not."""
    return is_known(facts) and facts.payload is not None and bool(claims_of(facts.payload))


def rank_of(facts: Facts) -> PayloadRank:
    """The rank of the content, which is there."""
    assert facts.payload_rank is not None, "content has a rank"
    return facts.payload_rank


def ruled(main: Facts, content: Payload, units: Sequence[Unit], *, partly: bool = False) -> Facts:
    """The simplified declaration with this content, in the rank of those that rule it."""
    ranks = {unit.decl_id: rank_of(unit.facts) for unit in units}
    stamps = [rank.stamp for rank in ranks.values()] + ([rank_of(main).stamp] if partly else [])
    rank = PayloadRank(1, max(one.version for one in ranks.values()), max(stamps))
    instrument = ",".join([f"{decl_id}@{ranks[decl_id].version}" for decl_id in sorted(ranks)])
    return replace(main, payload=content, payload_rank=rank, instrument=instrument)


def as_released(main: Facts) -> Payload:
    """The content with the figures that were really released, where they are customs' last word."""
    payload = main.payload
    assert payload is not None
    items = []
    for item in payload.items:
        word = last_word(main, item.number)
        if word is None or not word.released or word.figures is None or amended_after(main, word):
            items.append(item)
        else:
            claims = [_with_figures(claim, word.figures) for claim in item.claims]
            items.append(replace(item, claims=tuple([claim for claim in claims if claim is not None])))
    return replace(payload, items=tuple(items))


def _with_figures(claim: ClaimSpec, figures: Sequence[DocumentFigures]) -> ClaimSpec | None:
    """The claim as released; None when nothing of it was."""
    stated = next((one for one in figures if one.doc_seq == claim.doc_seq), None)
    if stated is None:
        return None
    told = replace(claim, quantity=stated.quantity or claim.quantity, value=stated.value or claim.value)
    amounts = [figure.amount for figure in (told.quantity, told.value) if figure is not None]
    return None if amounts and not any(amounts) else told
