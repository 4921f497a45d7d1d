"""What a decision on some facts is made from besides them: licences, and the exporters whose bars count.

The executor, which locks, and the reader of checks, which does not, ask this one function, so that both judge by the
same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from certex_bridge.ledger.domain.citations import sought_by
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.general import initial_licences
from certex_bridge.ledger.domain.issuers import cited, specs_of
from certex_bridge.ledger.domain.model import LicenceState
from certex_bridge.ledger.domain.tables import GENERAL_CODES


class Inputs(NamedTuple):
    """What must be read."""

    cited: frozenset[str]
    """Licences that the facts cite, those of undecided amendments included."""
    initial: frozenset[str]
    """Initial licences of EU003: looked at, never written off."""
    numbers: frozenset[str]
    """Under which the licences may be known of citations that leave open who issued them."""
    exporters: frozenset[str]
    """Whose bars count (Regulation (EU) 2021/821 Art. 12(7)); empty when no general authorisation is cited."""

    @property
    def licences(self) -> frozenset[str]:
        """All licences."""
        return self.cited | self.initial


def inputs_of(told: Iterable[Facts], licences: Mapping[str, LicenceState]) -> Inputs:
    """What settling any mixture of these facts can depend on.

    Args:
        told: what is told now, and what was known: an amendment, its request and the content may come apart.
        licences: those read so far; a registration among them may name an initial licence, which takes another look.
    """
    heard = [facts for facts in told if facts != _NOTHING_TOLD]
    specs = [spec for facts in heard for spec in specs_of(facts)]
    general = any(spec.document_code in GENERAL_CODES for spec in specs)
    return Inputs(
        cited=frozenset[str]().union(*map(cited, heard)),
        numbers=frozenset(number for facts in heard for one in sought_by(facts) for number in one.numbers),
        initial=frozenset(initial_licences(specs, licences.values())),
        exporters=frozenset(name for facts in heard for name in _exporters(facts) if name) if general else frozenset(),
    )


_NOTHING_TOLD = Facts()


def _exporters(facts: Facts) -> Iterable[str]:
    if facts.payload is not None:
        yield facts.payload.exporter
    for request in facts.requests:
        if request.content is not None:
            yield request.content.exporter
        if request.changes is not None:
            yield request.changes.exporter
