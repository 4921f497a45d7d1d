"""Lists of licences (IR 2024/2145 Art. 10): what can be asked of the ledger, and what it gives."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from certex_bridge.ledger.domain.model import Account
from certex_bridge.licensing.domain.licence import Licence


class IndexEntry(NamedTuple):
    """A licence as the index has it."""

    licence_id: str
    issuer: str
    number: str
    version: int
    document_code: str
    direction: str
    """EXPORT or TRANSIT."""
    status: str
    """The status last published."""
    valid_from: date | None
    valid_to: date | None
    holder: str
    """EORI number."""
    changed_at: datetime
    """When the transaction began that wrote this version or status."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a licence must be to be listed; what is left empty asks nothing."""

    holder: str = ""
    issuer: str = ""
    transit_issuer: str = ""
    """Transit authorisations of this issuer only: they hold in its state alone (Reg. (EU) 2021/821 Art. 7, 12(1))."""
    document_codes: Collection[str] = ()
    statuses: Collection[str] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    """Valid on some day between the two, both included."""
    term_groups: Sequence[Sequence[str]] = ()
    """Of each group one term must be the licence's (`domain.searching`)."""
    changed_since: datetime | None = None


class ListedLicence(NamedTuple):
    """A licence that fits, with what was asked for of it."""

    entry: IndexEntry
    licence: Licence | None
    """The content of the entry's version, if asked for."""
    accounts: Sequence[Account]
    """Its balances, if asked for."""


class ListPage(NamedTuple):
    """Some licences in the order of their ids, all read at one moment."""

    as_of: datetime
    """Every change of a transaction that began before it is in the page; `changed_since` this instant misses none."""
    licences: Sequence[ListedLicence]
    more: bool


class LicenceIndex(Protocol):
    """Finds licences; takes no lock."""

    async def find(self, criteria: Criteria, after: str, limit: int, *, content: bool) -> ListPage:
        """At most `limit` licences whose id is greater than `after`; with `content` snapshots and balances, too."""

    async def entries(self, licence_ids: Collection[str]) -> Mapping[str, IndexEntry]:
        """The licences among these that are known."""
