"""Reads of the store in memory: the committed contents, never those of an open transaction."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from decimal import Decimal

from certex_bridge.kernel.dates import parse_instant
from certex_bridge.kernel.identifiers import eori_twins
from certex_bridge.ledger.adapters.memory import InMemoryStore, known_under
from certex_bridge.ledger.domain.model import (
    OPEN_STATES,
    DeclarationState,
    Kind,
    LicenceState,
    Movement,
    Status,
)
from certex_bridge.ledger.reading import Attached, Issued, Moved, Original, PastAccount, PastLicence, Picture, Until

_NOTES = (Kind.VERSION, Kind.STATUS)


class InMemoryReader:
    """Reads of one store; `failing` makes the next reads raise, as a database does that is away or slow."""

    def __init__(self, store: InMemoryStore) -> None:
        self._store = store
        self.failing: Callable[[], None] = lambda: None

    async def picture(
        self,
        licence_ids: Collection[str],
        decl_id: str = "",
        exporters: Collection[str] = (),
        numbers: Collection[str] = (),
    ) -> Picture:
        """What a check is judged by."""
        self.failing()
        contents = self._store.contents
        declaration: DeclarationState | None = None
        wanted = {*licence_ids, *known_under(contents, numbers)}
        if decl_id in contents.declarations:
            declaration = copy.copy(contents.declarations[decl_id])
            declaration.claims = {k: copy.copy(c) for k, c in contents.claims.items() if k.decl_id == decl_id}
            wanted |= {key.licence_id for key in declaration.claims}
        licences = {one: self._licence(one) for one in sorted(wanted)}
        traders = {twin for exporter in exporters for twin in eori_twins(exporter)}
        return Picture(licences, declaration, frozenset(bar for bar in contents.bars if bar.eori in traders))

    def _licence(self, licence_id: str) -> LicenceState:
        held = self._store.contents.licences.get(licence_id)
        if held is None:
            return LicenceState(licence_id)
        state = copy.copy(held)
        state.accounts = {key: copy.copy(account) for key, account in held.accounts.items()}
        return state

    async def open_claims(self, licence_id: str) -> Mapping[str, int]:
        """How many claims on a licence are open, by state."""
        self.failing()
        claims = self._store.contents.claims.items()
        counted = Counter(c.state.value for k, c in claims if k.licence_id == licence_id and c.state in OPEN_STATES)
        return dict(sorted(counted.items()))

    async def status_on(self, licence_id: str, at: datetime) -> str:
        """Status that the version in force at an instant came in force with."""
        self.failing()
        versions = [v for v in self._store.contents.versions.values() if v.licence_id == licence_id]
        told = [version for version in versions if parse_instant(version.at) <= at]
        return max(told, key=lambda version: version.version).status if told else ""

    async def original(self, licence_id: str, version: int) -> Original | None:
        """What was issued with a version."""
        self.failing()
        contents = self._store.contents
        found = contents.versions.get((licence_id, version))
        if found is None:
            return None
        own = [v for v in contents.versions.values() if v.licence_id == licence_id and v.version <= version]
        issued = [
            Issued(v.version, v.at, v.event_id, v.received.media_type, v.received.body) for v in own if v.received
        ]
        named = found.licence.document
        file = contents.documents.get((licence_id, named.sha256)) if named else None
        return Original(
            found.version,
            found.at,
            found.event_id,
            found.certificate,
            max(issued, default=None, key=lambda one: one.version),
            Attached(file.media_type, file.sha256, file.content) if file else None,
        )

    async def held_by(self, issuer: str, holder: str, limit: int) -> list[LicenceState]:
        """Licences of one holder."""
        self.failing()
        states = [s for s in self._store.contents.licences.values() if s.licence is not None]
        found = [
            s
            for s in states
            if s.licence and s.licence.issuer == issuer and s.licence.holder.identification in eori_twins(holder)
        ]
        found.sort(key=lambda state: (state.status is not Status.VALID, state.licence_id))
        return [self._licence(state.licence_id) for state in found[:limit] if holder]

    async def past(self, licence_id: str, until: Until) -> PastLicence | None:
        """A licence rebuilt from its journal."""
        self.failing()
        rows = [m for m in self._store.contents.movements if m.licence_id == licence_id and _counts(m, until)]
        if not rows:
            return None
        version, status = 0, ""
        sums: dict[tuple[int, str], tuple[Decimal, ...]] = {}
        units: dict[tuple[int, str], str] = {}
        for row in rows:
            if row.kind is Kind.VERSION:
                version, status = int(row.detail.split()[0].removeprefix("version=")), ""
            elif row.kind is Kind.STATUS:
                status = row.detail.rpartition(">")[2]
            else:
                place = (row.line_no, str(row.dim))
                before = sums.get(place, (Decimal(0),) * 3)
                moved = (row.d_cap, row.d_reserved, row.d_consumed)
                sums[place] = tuple(a + b for a, b in zip(before, moved, strict=True))
                units[place] = row.detail if row.kind is Kind.CAP else units.get(place, "")
        told = self._store.contents.versions.get((licence_id, version))
        status = status or (told.status if told else Status.UNKNOWN.value)
        accounts = tuple(PastAccount(*place, units[place], *sums[place]) for place in sorted(sums))
        return PastLicence(licence_id, version, status, rows[-1].lv, accounts)

    async def moves(self, decl_id: str, licence_ids: Collection[str]) -> list[Moved]:
        """What a declaration moved on these licences."""
        self.failing()
        return sorted(
            Moved(
                m.licence_id,
                m.lv,
                m.seq,
                m.line_no,
                m.dim,
                m.kind,
                m.at,
                m.event_id,
                m.claim,
                m.d_reserved,
                m.d_consumed,
            )
            for m in self._store.contents.movements
            if m.licence_id in licence_ids and m.claim.startswith(f"{decl_id}#")
        )


def _counts(row: Movement, until: Until) -> bool:
    early = until.at is None or parse_instant(row.at) <= until.at
    return early and (until.lv is None or row.lv <= until.lv)
