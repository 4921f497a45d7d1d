"""What was read of licences before, for the time when the ledger cannot be asked."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from certex_bridge.kernel.identifiers import licence_number
from certex_bridge.ledger.domain.model import LicenceState

KEPT = 20_000
"""Licences remembered in one process; the one longest not asked about goes first."""


class CheckMemory:
    """Bounded: licence to its state and the time of reading."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._held: OrderedDict[str, tuple[LicenceState, datetime]] = OrderedDict()

    def remember(self, states: Iterable[LicenceState], read_at: datetime) -> None:
        """Keep what was read; that a licence is unknown is not kept, for it may have come since."""
        for state in states:
            if state.known:
                self._held[state.licence_id] = (state, read_at)
                self._held.move_to_end(state.licence_id)
        while len(self._held) > self._kept:
            self._held.popitem(last=False)

    def recall(self, licence_ids: Collection[str]) -> dict[str, datetime]:
        """Which of these are remembered, and since when."""
        return {one: self._held[one][1] for one in licence_ids if one in self._held}

    def known_under(self, numbers: Collection[str], but: Collection[str]) -> list[str]:
        """Licences remembered under these numbers, whoever issued them, without those that are asked for anyway."""
        wanted = frozenset(numbers)
        return sorted(one for one in self._held if licence_number(one) in wanted and one not in but) if wanted else []

    def states(self, licence_ids: Collection[str]) -> Mapping[str, LicenceState]:
        """The states, with a placeholder for what is not remembered."""
        return {one: self._held[one][0] if one in self._held else LicenceState(one) for one in licence_ids}
