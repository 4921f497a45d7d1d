"""Which of the licences that documents cite are asked for: by their national statuses, and by the quantity 0.

A document may cite a licence and have nothing written off from it: an earlier declaration did that, or the quantity is
0, or the document only adds a second status to another one. None of them is dropped without a word.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from certex_bridge.customs.licence_documents import StatusEffect
from certex_bridge.kernel.errors import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from certex_bridge.customs.options import DecodeOptions
    from certex_bridge.ledger.domain.content import ClaimSpec


class Attribution:
    """Statuses and zero quantities in one declaration; what it leaves out gathers here."""

    __slots__ = ("_effects", "_findings", "_zero_allowed", "attributed", "left_out")

    def __init__(self, country: str, options: DecodeOptions, findings: list[Finding]) -> None:
        self._effects = options.statuses(country)
        self._zero_allowed = options.zero_writes_off_nothing(country)
        self._findings = findings
        self.attributed: list[ClaimSpec] = []
        """Claims that an earlier declaration has written off, each with a remark that says so."""
        self.left_out: set[str] = set()
        """Licences that a document cites and has nothing written off from."""

    @property
    def knows_statuses(self) -> bool:
        """Whether the country uses document statuses."""
        return bool(self._effects)

    def effect(self, status: str | None) -> StatusEffect:
        """What the status means."""
        return self._effects.get(status or "", StatusEffect.WRITTEN_OFF)

    def asking(self, cited: list[ClaimSpec]) -> list[ClaimSpec]:
        """The claims of one level that ask for something."""
        if not self._effects and not self._zero_allowed:
            return cited
        asking = [claim for claim in cited if not self._is_attributed(claim) and not self._is_zero(claim)]
        return self._without_second_entries(asking) if len(asking) > 1 else asking

    def says_zero(self, claim: ClaimSpec) -> bool:
        """Whether the document has nothing written off: the quantity 0, and no value beside it."""
        return self._zero_allowed and claim.value is None and any(map(_is_zero_figure, claim.findings))

    def remark_zero(self, claim: ClaimSpec) -> None:
        """Tell that the quantity 0 is taken at its word."""
        message = "the quantity 0 has nothing written off from the licence; what was reserved for it is freed"
        self._findings.append(_about(claim, "quantity", "0", message, code="QUANTITY_ZERO"))

    def _is_attributed(self, claim: ClaimSpec) -> bool:
        if self.effect(claim.status_code) is not StatusEffect.ATTRIBUTED:
            return False
        self.left_out.add(claim.licence_id)
        message = "its status says that an earlier declaration has it written off; nothing is written off again"
        remark = _about(claim, "status", claim.status_code, message, code="STATUS_ATTRIBUTED")
        self.attributed.append(replace(claim, findings=(remark, *claim.findings)))
        return True

    def _is_zero(self, claim: ClaimSpec) -> bool:
        if not self.says_zero(claim):
            return False
        self.left_out.add(claim.licence_id)
        self.remark_zero(claim)
        return True

    def _without_second_entries(self, claims: Sequence[ClaimSpec]) -> list[ClaimSpec]:
        """Without documents that cite a licence line again only to add another status."""
        kept: list[ClaimSpec] = []
        for claim in sorted(claims, key=_has_no_figures):
            other = next((one for one in kept if _same_line_other_status(one, claim)), None)
            remark = _second_entry(claim, other) if other is not None else None
            if remark is None:
                kept.append(claim)
            else:
                self._findings.append(remark)
        kept.sort(key=lambda claim: claim.doc_seq)
        return kept


def _second_entry(claim: ClaimSpec, other: ClaimSpec) -> Finding | None:
    """Why the claim adds nothing to the other one; None when it does."""
    if _has_no_figures(claim):
        message = f"a second status for the licence of document {other.doc_seq}; it adds nothing to be written off"
        return _about(claim, "status", claim.status_code, message, code="STATUS_SECOND_ENTRY")
    if (claim.quantity, claim.value) == (other.quantity, other.value):
        message = f"document {other.doc_seq} has the same figures for the same licence; they are written off once"
        return _about(claim, "status", claim.status_code, message, code="STATUS_FIGURES_REPEATED")
    return None


def _about(claim: ClaimSpec, field: str, value: str, message: str, *, code: str) -> Finding:
    """A remark on a document that is no claim."""
    place = f"items[{claim.item}].documents[{claim.doc_seq}]" if claim.item else f"documents[{claim.doc_seq}]"
    return Finding(code, f"{place}.{field}", value, f"{claim.reference or 'the licence'}: {message}", Severity.WARNING)


def _is_zero_figure(finding: Finding) -> bool:
    """Whether a declared quantity was found to be nought, and not negative or unreadable."""
    written = finding.value.strip()
    is_nought = "0" in written and not written.strip("0.")
    return finding.code == "INVALID_QUANTITY" and finding.field.rpartition(".")[2] == "quantity" and is_nought


def _has_no_figures(claim: ClaimSpec) -> bool:
    """Whether none are stated; those that cannot be read are stated."""
    unread = any(finding.field.rpartition(".")[2] in ("quantity", "value") for finding in claim.findings)
    return claim.quantity is None and claim.value is None and not unread


def _same_line_other_status(one: ClaimSpec, other: ClaimSpec) -> bool:
    """Whether both cite one line of one licence, each under a status of its own."""
    cited = (one.document_code, one.licence_id, one.line_no) == (other.document_code, other.licence_id, other.line_no)
    return cited and bool(one.status_code and other.status_code) and one.status_code != other.status_code
