"""The mismatch report: where customs let goods go although the ledger had refused them, or could not decide.

A country that begins with answers that stop nothing (modes warn and shadow) reads here what stopping would have meant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from certex_bridge.ledger.domain.model import ClaimKey

LISTED_MAX = 1_000
"""Mismatches that a report lists; the totals count all."""


class Mismatch(NamedTuple):
    """One claim whose goods were released against the verdict."""

    key: ClaimKey
    event_id: str
    """The release."""
    member_state: str
    """Of the declaration."""
    source: str
    """Who told the release."""
    verdict: str
    """REFUSED, WAITING, or INVALIDATED where the declaration had ended."""
    reasons: tuple[str, ...]
    recorded: bool
    """Whether the release became a fact, or was refused as a call."""
    at: datetime
    """When the goods were released, as customs say."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which mismatches; what is empty limits nothing."""

    member_state: str = ""
    issuer: str = ""
    """Or of licences of this issuer: both are one condition, one of them is enough."""
    source: str = ""
    since: datetime | None = None
    """Released then or later."""
    until: datetime | None = None
    """Released before."""

    def wants(self, one: Mismatch) -> bool:
        """Whether this one is asked for."""
        sides = [one.member_state == self.member_state] if self.member_state else []
        sides += [one.key.licence_id.partition("/")[0] == self.issuer] if self.issuer else []
        return (
            (not sides or any(sides))
            and (not self.source or one.source == self.source)
            and (self.since is None or one.at >= self.since)
            and (self.until is None or one.at < self.until)
        )

    def wants_undecided(self, one: Undecided) -> bool:
        """Whether this one is asked for; which licences it would use is what nobody knows."""
        return (
            (one.member_state == self.member_state if self.member_state else not self.issuer)
            and not self.source
            and (self.since is None or one.since >= self.since)
            and (self.until is None or one.since < self.until)
        )


class Total(NamedTuple):
    """How many of one source, member state and verdict."""

    source: str
    member_state: str
    verdict: str
    claims: int


class Undecided(NamedTuple):
    """A declaration that customs accepted or released and whose content cannot be told; nothing is booked for it."""

    decl_id: str
    """MRN."""
    lrn: str
    state: str
    """ACCEPTED or RELEASED, say."""
    since: datetime
    """When it was accepted, or released if no acceptance was told."""
    code: str
    """DRAFT_AMBIGUOUS: it could be several lodgings. CONTENT_MISSING: it could be none that is known."""
    candidates: str = ""
    """The lodgings that it could be."""

    @property
    def member_state(self) -> str:
        """Of the declaration."""
        return self.decl_id[2:4]


@dataclass(frozen=True, slots=True)
class MismatchReport:
    """Totals over all, and the newest of them."""

    totals: Sequence[Total] = ()
    listed: Sequence[Mismatch] = field(default_factory=tuple)
    undecided: Sequence[Undecided] = ()
    """The oldest first."""


class Mismatches(Protocol):
    """Reads what was released against the verdict."""

    async def report(self, asked: Asked) -> MismatchReport:
        """The report; of one claim told several times the first counts."""


def report_of(found: Sequence[Mismatch]) -> MismatchReport:
    """The report over these, of which each claim is there once."""
    counted = Counter((one.source, one.member_state, one.verdict) for one in found)
    newest = sorted(found, key=lambda one: (one.at, one.key), reverse=True)
    return MismatchReport([Total(*what, number) for what, number in sorted(counted.items())], newest[:LISTED_MAX])
