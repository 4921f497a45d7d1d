"""What people and the console read: a licence now or at any moment of the past, a declaration with what it moved."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from certex_bridge.singlewindow.messages.base import Part
from certex_bridge.singlewindow.messages.licence_content import Figure, LicenceContent

Signed = Annotated[str, Field(pattern=r"^-?(0|[1-9][0-9]{0,21})(\.[0-9]{1,6})?$", max_length=30)]
"""A change of a figure."""


class AccountView(Part):
    """Balance of one line in one dimension: available = authorised - reserved - consumed."""

    line: Annotated[int, Field(ge=0)]
    """0: the whole licence."""
    dimension: str
    """QTY or VAL."""
    unit: str
    """TARIC unit, or currency."""
    authorised: Figure
    """Limit."""
    reserved: Figure
    """Held for accepted declarations."""
    consumed: Figure
    """Written off."""
    available: Figure
    """What a new declaration can take."""
    over: Figure
    """In use beyond the limit."""


class CountView(Part):
    """How many claims are in a state."""

    state: str
    number: int


class LicenceView(Part):
    """A licence as it stands, or stood."""

    licence_identification: str
    """Issuer and number."""
    status: str
    """One of the six statuses; Unknown for a number that declarations cite and nobody issued."""
    version: int
    """Version in force; 0: none yet."""
    journal_version: int
    """Version of the journal that is counted."""
    at: str | None = None
    """Moment of the past that was asked for."""
    frozen: bool | None = None
    """Under examination: nothing new is reserved."""
    open_claims: tuple[CountView, ...] = ()
    """Claims that customs still wait for."""
    balances: tuple[AccountView, ...] | None = None
    """Absent for who may not see them."""
    content: LicenceContent | None = None
    """Content of the version in force."""


class FactView(Part):
    """What customs said, and when."""

    fact: str
    at: str


class ReasonView(Part):
    """A reason with its sentence."""

    code: str
    text: str


class ClaimView(Part):
    """One document on one goods item, and what it holds."""

    item: int
    document: int
    """Position on the item."""
    licence_identification: str
    line: int
    """0: no line."""
    document_code: str
    state: str
    outcome: str
    reasons: tuple[ReasonView, ...] = ()
    figure_source: str | None = None
    unit: str | None = None
    quantity_requested: Figure
    quantity_reserved: Figure
    quantity_consumed: Figure
    quantity_uncovered: Figure
    currency: str | None = None
    amount_requested: Figure
    amount_reserved: Figure
    amount_consumed: Figure
    amount_uncovered: Figure


class MovementView(Part):
    """One entry of a licence's journal made for the declaration."""

    licence_identification: str
    journal_version: int
    kind: str
    at: str
    """When customs say that it happened (UTC)."""
    line: int
    dimension: str
    reserved: Signed
    consumed: Signed
    event_identification: str


class DeclarationView(Part):
    """A declaration as the ledger knows it."""

    declaration: str
    """MRN, or exporter and LRN while there is none."""
    state: str
    mrn: str | None = None
    lrn: str | None = None
    exporter: str | None = None
    content_version: int | None = None
    """Version of the content that counts."""
    outcome_version: int
    """Answers given so far."""
    joined: bool = False
    """An MRN took this record over."""
    waiting_for: tuple[str, ...] = ()
    """Licences nobody issued yet."""
    said: tuple[FactView, ...] = ()
    claims: tuple[ClaimView, ...] = ()
    movements: tuple[MovementView, ...] | None = None
    """Absent when the journal could not be searched in time."""
