"""Reading the ledger without a lock: what a check is judged by, and what people are shown.

A reader sees the last committed state and waits for nobody; what it says is advisory, only a reservation decides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from certex_bridge.kernel.errors import BridgeError
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.inputs import inputs_of
from certex_bridge.ledger.domain.model import DeclarationState, LicenceState
from certex_bridge.ledger.ports import Bar


class LedgerAway(BridgeError):
    """The ledger's database cannot be reached."""

    code = "LEDGER_AWAY"


class ReadTooSlow(BridgeError):
    """The ledger did not answer within the time of this read."""

    code = "READ_TOO_SLOW"


@dataclass(frozen=True, slots=True)
class Picture:
    """Licences and one declaration as they stood together at one commit."""

    licences: Mapping[str, LicenceState] = field(default_factory=dict)
    """All that were asked for, and all that the declaration has claims on; a placeholder for one nobody knows."""
    declaration: DeclarationState | None = None
    """With its claims; None when it was not asked for, or is not known."""
    barred: frozenset[Bar] = frozenset()
    """Bars on the exporters asked for."""


class PastAccount(NamedTuple):
    """One account as the journal gives it."""

    line_no: int
    dim: str
    unit: str
    cap: Decimal
    reserved: Decimal
    consumed: Decimal

    @property
    def available(self) -> Decimal:
        """What a claim could still have taken."""
        return max(self.cap - self.reserved - self.consumed, Decimal(0))

    @property
    def over(self) -> Decimal:
        """What was in use beyond the limit."""
        return max(self.reserved + self.consumed - self.cap, Decimal(0))


@dataclass(frozen=True, slots=True)
class PastLicence:
    """A licence as it stood, rebuilt from its journal alone."""

    licence_id: str
    version: int
    status: str
    lv: int
    """Last journal version that is counted."""
    accounts: tuple[PastAccount, ...] = ()


class Until(NamedTuple):
    """How much of a journal is counted: entries up to an instant, or up to a journal version."""

    at: datetime | None = None
    lv: int | None = None


class Moved(NamedTuple):
    """What one journal entry moved for a declaration."""

    licence_id: str
    lv: int
    seq: int
    line_no: int
    dim: str
    kind: str
    at: str
    event_id: str
    claim: str
    reserved: Decimal
    """Change of what is reserved."""
    consumed: Decimal
    """Change of what is consumed."""


class Issued(NamedTuple):
    """The authority's own bytes."""

    version: int
    """Of the event that brought them: a bare act on the status brings none."""
    at: str
    event_id: str
    media_type: str
    content: bytes


class Attached(NamedTuple):
    """The document that the authority attached."""

    media_type: str
    sha256: str
    content: bytes


class Original(NamedTuple):
    """What was issued with a licence version."""

    version: int
    at: str
    """When the licensing side says that it happened."""
    event_id: str
    certificate: bytes
    issued: Issued | None = None
    attached: Attached | None = None


class LedgerReader(Protocol):
    """Reads; every method raises LedgerAway when the database cannot be reached, ReadTooSlow when its time is over."""

    async def picture(
        self,
        licence_ids: Collection[str],
        decl_id: str = "",
        exporters: Collection[str] = (),
        numbers: Collection[str] = (),
    ) -> Picture:
        """Licences, a declaration and bars, as of one commit.

        Args:
            licence_ids: the licences asked for.
            decl_id: the declaration, if it may be known.
            exporters: whose bars are asked for.
            numbers: of citations that leave open who issued the licence: all that are known under them come, too.
        """

    async def open_claims(self, licence_id: str) -> Mapping[str, int]:
        """How many claims on a licence are open, by state."""

    async def status_on(self, licence_id: str, at: datetime) -> str:
        """Status that the version in force at an instant came in force with; empty before the first."""

    async def original(self, licence_id: str, version: int) -> Original | None:
        """What was issued with a version: the authority's bytes, its document, the certificate of that moment."""

    async def held_by(self, issuer: str, holder: str, limit: int) -> list[LicenceState]:
        """Licences of an issuer held under this identification number, Valid ones first, then by number."""

    async def past(self, licence_id: str, until: Until) -> PastLicence | None:
        """A licence rebuilt from its journal; None when it has no entry up to then."""

    async def moves(self, decl_id: str, licence_ids: Collection[str]) -> list[Moved]:
        """What a declaration moved on these licences, in the order of each journal."""


_MORE_LOOKS_MAX = 3
"""For what the known declaration cites, for what registrations name, and for a change meanwhile."""


async def picture_of(
    reader: LedgerReader,
    told: Collection[Facts],
    decl_id: str = "",
    licence_ids: Collection[str] = (),
    exporters: Collection[str] = (),
) -> Picture:
    """All that settling these facts would be judged by, as of one commit.

    What is read may ask for more (a registration names the initial licence of EU003): then all of it is read again.

    Args:
        reader: of the ledger.
        told: the facts in question.
        decl_id: the declaration, if it may be known.
        licence_ids: licences wanted besides.
        exporters: whose bars are wanted besides.
    """
    needed = inputs_of(told, {})
    wanted, names, numbers = needed.licences | set(licence_ids), needed.exporters | set(exporters), needed.numbers
    picture = await reader.picture(sorted(wanted), decl_id, sorted(names), sorted(numbers))
    for _ in range(_MORE_LOOKS_MAX):
        known = (picture.declaration.facts,) if picture.declaration else ()
        needed = inputs_of((*told, *known), picture.licences)
        if needed.licences <= wanted and needed.exporters <= names and needed.numbers <= numbers:
            break
        wanted, names, numbers = wanted | needed.licences, names | needed.exporters, numbers | needed.numbers
        picture = await reader.picture(sorted(wanted), decl_id, sorted(names), sorted(numbers))
    return picture
