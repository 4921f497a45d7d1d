"""Events that cannot be applied: they go to quarantine with their bytes."""

from __future__ import annotations

LODGINGS_MAX = 200
"""Lodgings under one exporter and LRN that became no MRN; a further one is put aside."""


class PutAside(Exception):
    """The event cannot be applied; it goes to quarantine with its bytes."""

    code = ""

    def __init__(self, field: str, value: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.value = value
        self.sentence = sentence

    @property
    def told(self) -> dict[str, str]:
        """For the stored answer, bounded."""
        return {"code": self.code, "field": self.field, "value": self.value[:80], "detail": self.sentence[:1000]}


class Conflict(PutAside):
    """The same version, or the same request, with other content."""

    code = "CONFLICTING_DUPLICATE"


class DraftAmbiguous(PutAside):
    """An answer that names an LRN alone, which several exporters used."""

    code = "DRAFT_AMBIGUOUS"


class TooManyLodgings(PutAside):
    """One LRN lodged again and again, and nothing accepted."""

    code = "LRN_EXHAUSTED"
