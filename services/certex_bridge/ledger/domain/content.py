"""The content of a declaration: goods items, and the licences that their documents cite."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.kernel.errors import Finding
from certex_bridge.ledger.domain.simplified import SimplifiedReference


@dataclass(frozen=True, slots=True)
class ClaimSpec:
    """One supporting document on one goods item: what customs declare against a licence (D.E. 12 03)."""

    item: int
    doc_seq: int
    document_code: str
    """D.E. 12 03 002, for instance X060."""
    licence_id: str
    """`issuer/NUMBER`, normalised; `reference` keeps the text as declared."""
    reference: str
    line_no: int | None
    """D.E. 12 03 013; None when not declared."""
    quantity: Quantity | None
    """D.E. 12 03 006 with 12 03 005."""
    value: Money | None
    """D.E. 12 03 014 with 12 03 012."""
    status_code: str = ""
    """National document status (for instance the UK's EA, EE, ES)."""
    findings: tuple[Finding, ...] = ()
    """What makes this one claim impossible; an ERROR refuses the claim, never the event."""
    issuer_from: str = ""
    """Empty when the document states who issued the licence; else the declaring state was taken, known from here."""
    authority: str = ""
    """D.E. 12 03 010 as declared; empty where nothing depends on it."""
    suffix: int = 0
    """Line that the reference seems to end in (`NUMBER-0001`); the end may as well be part of the number."""
    found_by: str = ""
    """What told the licence, see `citations.FoundBy`; never of a stored content."""
    rivals: tuple[str, ...] = ()
    """Licences that it may mean, none of which is taken; never of a stored content."""


@dataclass(frozen=True, slots=True)
class Item:
    """A goods item, as far as licence rules need it."""

    number: int
    procedure: str
    """D.E. 11 09: four digits, requested plus previous; only the first two decide."""
    commodity: str
    destination: str
    origin: str
    net_mass: Decimal | None
    """Kilograms, D.E. 18 01."""
    supplementary_units: Decimal | None
    """D.E. 18 02; the unit is implied by the commodity code."""
    amount: Money | None
    """Item amount, D.E. 14 08 with 14 05."""
    additional_procedures: tuple[str, ...]
    claims: tuple[ClaimSpec, ...]
    simplified: tuple[SimplifiedReference, ...] = ()
    """Of a supplementary declaration: what this item supplements; empty: what the declaration as a whole does."""


@dataclass(frozen=True, slots=True)
class Payload:
    """The content of a declaration in one version."""

    declaration_type: str
    """D.E. 11 01: EX, CO, T1, T2, T2F, T2SM, T, TIR."""
    additional_type: str
    """D.E. 11 02: A to F, R, U, V, X, Y, Z; see `simplified.SUPPLEMENTARY_TYPES`."""
    exporter: str
    consignee_id: str
    consignee_name: str
    destination: str
    office: str
    items: tuple[Item, ...]
    header_claims: tuple[ClaimSpec, ...] = ()
    """Licences cited at shipment level only (item 0): checkable, not manageable (domain: LEVEL_NOT_SUPPORTED)."""
    attributed: tuple[ClaimSpec, ...] = ()
    """Licences whose document says that an earlier declaration has them written off: nothing is asked of them here."""
