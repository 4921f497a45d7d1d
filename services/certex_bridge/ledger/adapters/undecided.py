"""One undecided declaration as people are shown it: since when, why, what it could be, and how it is settled."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from certex_bridge.ledger.adapters.codec import decode_anchor
from certex_bridge.ledger.adapters.mismatches import undecided_of
from certex_bridge.ledger.adapters.rows import declaration
from certex_bridge.ledger.domain.reasons import SENTENCES
from certex_bridge.ledger.undecided import CandidateLodging, candidates_of

_IDENTIFY = ("certex-bridge", "declaration", "identify")
_OF_A_PERSON = "--officer NAME --reason REASON"
"""What whoever settles it fills in."""


@dataclass(frozen=True, slots=True)
class UndecidedDeclaration:
    """A declaration that customs accepted or released and whose content nobody can tell; nothing is booked for it."""

    mrn: str
    lrn: str
    since: datetime
    """When it was accepted or released."""
    code: str
    """DRAFT_AMBIGUOUS: it could be several lodgings. CONTENT_MISSING: it could be none that is known."""
    candidates: tuple[CandidateLodging, ...]

    @property
    def message(self) -> str:
        """The code as a sentence."""
        return SENTENCES[self.code]

    def command(self, candidate: CandidateLodging) -> str:
        """The command that settles it as this lodging; the officer's name and reason are still to be filled in."""
        told = (self.mrn, "--lrn", self.lrn, "--exporter", candidate.exporter, "--lodged-event", candidate.lodged_event)
        return f"{shlex.join((*_IDENTIFY, *told))} {_OF_A_PERSON}"


def undecided_declaration(row: Mapping[str, Any]) -> UndecidedDeclaration:
    """A row of the query `undecided_one`."""
    one = undecided_of(declaration(row))
    candidates: tuple[CandidateLodging, ...] = ()
    if row["marks"] is not None:
        anchor = decode_anchor(one.lrn, tuple(json.loads(row["exporters"])), row["marks"])
        candidates = candidates_of(anchor, one.decl_id)
    return UndecidedDeclaration(one.decl_id, one.lrn, one.since, one.code, candidates)
