"""Outcome codes, reason codes and incidents: the vocabulary in which the bridge answers customs.

The law asks for "the reason" only (IR 2024/2145 Art. 6(5)); codes and sentences are ours and stable.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """What became of one claim."""

    OK_AVAILABLE = "OK_AVAILABLE"
    OK_RESERVED = "OK_RESERVED"
    OK_CONSUMED = "OK_CONSUMED"
    OK_UNRESERVED = "OK_UNRESERVED"
    OK_ADJUSTED = "OK_ADJUSTED"
    OK_WITHDRAWN = "OK_WITHDRAWN"
    OK_OVERRIDDEN = "OK_OVERRIDDEN"
    OK_NOT_MANAGED = "OK_NOT_MANAGED"
    OK_NOT_APPLICABLE = "OK_NOT_APPLICABLE"
    CLOSED = "CLOSED"
    WAITING = "WAITING"
    REFUSED = "REFUSED"
    UNCOVERED = "UNCOVERED"


class Rule(StrEnum):
    """The tests of a claim in decision order (domain: check, then reserve)."""

    DECLARED = "DECLARED"
    DOCUMENT_TYPE = "DOCUMENT_TYPE"
    LEVEL = "LEVEL"
    PROCEDURE = "PROCEDURE"
    LICENCE = "LICENCE"
    LICENCE_TYPE = "LICENCE_TYPE"
    DIRECTION = "DIRECTION"
    STATUS = "STATUS"
    VALIDITY = "VALIDITY"
    HOLDER = "HOLDER"
    CONSIGNEE = "CONSIGNEE"
    DESTINATION = "DESTINATION"
    COMMODITY = "COMMODITY"
    ORIGIN = "ORIGIN"
    LINE = "LINE"
    UNIT = "UNIT"
    FIGURES = "FIGURES"
    AVAILABILITY = "AVAILABILITY"


COMPARISONS = (Rule.HOLDER, Rule.CONSIGNEE, Rule.DESTINATION, Rule.COMMODITY, Rule.ORIGIN)
"""Rules the law leaves to customs: reported by default, enforced only where the settings name them."""


SENTENCES: dict[str, str] = {
    "NOT_FOUND": "No licence with this reference is known.",
    "UNKNOWN_DOC_TYPE": "The document code is not one of a licence kept here.",
    "TYPE_MISMATCH": "The document code is not that of the licence's own type.",
    "WRONG_DIRECTION": "An export licence needs an export procedure, a transit licence a transit type.",
    "LEVEL_NOT_SUPPORTED": "A licence cited at shipment level cannot be attributed to one of several goods items.",
    "STATUS_SUSPENDED": "The licence is suspended.",
    "STATUS_REVOKED": "The licence is revoked.",
    "STATUS_CANCELLED": "The licence is cancelled.",
    "STATUS_EXHAUSTED": "The licence is fully used.",
    "STATUS_FROZEN": "The licence's balance is under examination; nothing new is reserved.",
    "NOT_YET_VALID": "The declaration was accepted before the licence's validity begins.",
    "EXPIRED_AT_ACCEPTANCE": "The declaration was accepted after the licence's last day of validity.",
    "HOLDER_MISMATCH": "The exporter is not the holder of the licence.",
    "CONSIGNEE_MISMATCH": "The consignee is not named in the licence.",
    "DESTINATION_MISMATCH": "The destination is not covered by the licence.",
    "COMMODITY_MISMATCH": "The commodity code is not that of the licence line.",
    "ORIGIN_MISMATCH": "The country of origin is not that of the licence line.",
    "LINE_NOT_FOUND": "The licence has no such line, or none for this commodity code.",
    "LINE_AMBIGUOUS": "Several lines of the licence match; the line number must be declared.",
    "UNIT_MISMATCH": "The declared unit is not that of the licence line; quantities are not converted.",
    "CURRENCY_MISMATCH": "The declared currency is not that of the licence line; no rate is applied.",
    "QUANTITY_MISSING": "The licence line limits quantity and the declaration states none.",
    "VALUE_MISSING": "The licence line limits value and the declaration states none.",
    "QUANTITY_EXCEEDED": "The declared quantity is more than what is available.",
    "VALUE_EXCEEDED": "The declared value is more than what is available.",
    "INVALID_QUANTITY": "A quantity or value to be written off must be greater than zero.",
    "SCALE": "The figure has more decimals than allowed; it is not rounded.",
    "VALUE_ABOVE_THRESHOLD": "The shipment's value is above what this national general authorisation allows.",
    "PROCEDURE_NOT_ALLOWED": "A valid licence of this type does not open the requested procedure.",
    "INITIAL_LICENCE_MISSING": "EU003 needs the initial licence, and neither declaration nor registration names it.",
    "INITIAL_LICENCE_UNKNOWN": "The initial licence that EU003 refers to is not known.",
    "INITIAL_LICENCE_NOT_EFFECTIVE": "The initial licence that EU003 refers to is suspended, revoked or cancelled.",
    "INITIAL_LICENCE_TOO_OLD": "The initial licence that EU003 refers to was granted more than five years ago.",
    "INITIAL_LICENCE_CONSIGNEE": "The consignee is not one of the initial licence that EU003 refers to.",
    "NOT_REGISTERED": "No registration of the exporter for this general authorisation is known.",
    "BARRED": "The authority has barred the exporter from this general authorisation.",
    "ADJUST_REFUSED": "The change after release cannot be booked.",
    "CLAIM_CONFLICT": "The same version of the declaration arrived before with other content; the first one counts.",
    "TOO_LATE": "An amendment is possible within three years of acceptance.",
    "GROUP_REFUSED": "Another claim of the same group was refused; a group is booked whole or not at all.",
    "INVALIDATED": "The declaration is invalidated.",
    "NOT_RELEASED": "The goods were not released.",
    "NOT_PRESENTED": "The goods were not presented within 30 days; the declaration is deemed not lodged.",
    "REJECTED": "The declaration was rejected before acceptance.",
    "OVERRIDE_REFUSED": "An officer of customs refused the quantity by hand.",
    "CLAIM_UNKNOWN": "The declaration, or the document named, is not known.",
    "UNCOVERED": "The goods were released without cover; the rest is an incident, not an overdraft.",
    "DRAFT_AMBIGUOUS": "Several exporters used this LRN, and neither MRN nor exporter says which is meant.",
    "MRN_UNKNOWN": "No declaration with this MRN is known.",
    "CLAIM_STATE": "What is asked does not follow on the claim's state; what happened all the same is entered by hand.",
    "MORE_THAN_RESERVED": "More is to be consumed than is reserved; the rest needs an amendment or a decision by hand.",
    "VERSION_OLD": "A later version of the declaration is known.",
}

EXPLANATIONS: dict[str, str] = {
    "NO_CLAIMS": "The declaration cites no licence.",
    "NO_CONTENT_YET": "It is recorded; the declaration's content is not known yet.",
    "ONE_INSTRUMENT": "It is recorded; the simplified and the supplementary declaration are decided together.",
    "KEPT": "It is taken over and will be decided when the ledger can be reached; the outcome follows.",
    "CALLER_MODE": "The verdict does not stop this caller's clearance.",
    "RECORDED": "It is recorded; the declaration is answered for under its MRN.",
    "ALREADY_DONE": "Nothing moves: it was told before.",
    "SUPERSEDED": "Nothing moves: something later is known.",
}
"""Findings of severity INFO in the answer to a sender that waits: why there is nothing more to tell."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: stable code, the field it is about, the figure declared and the figure available."""

    code: str
    field: str = ""
    declared: str = ""
    available: str = ""

    @property
    def sentence(self) -> str:
        """The human sentence of the code."""
        return SENTENCES.get(self.code, "The declared data cannot be used.")


class Answerable(NamedTuple):
    """Who answers for what was booked by hand."""

    officer: str
    reason: str


class Incident(StrEnum):
    """What a licensing officer must hear about although it was recorded."""

    RELEASED_MORE = "RELEASED_MORE"
    UNCOVERED = "UNCOVERED"
    RELEASED_ON_BLOCKED = "RELEASED_ON_BLOCKED"
    POST_RELEASE_INCREASE = "POST_RELEASE_INCREASE"
    OVER_USE = "OVER_USE"
    CAP_BELOW_USE = "CAP_BELOW_USE"
    CANCELLED_WITH_USE = "CANCELLED_WITH_USE"
    EXIT_WITHOUT_RELEASE = "EXIT_WITHOUT_RELEASE"
    OVERRIDDEN = "OVERRIDDEN"
