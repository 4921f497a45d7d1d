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


COMPARISONS = (Rule.PROCEDURE, Rule.HOLDER, Rule.CONSIGNEE, Rule.DESTINATION, Rule.COMMODITY, Rule.ORIGIN)
"""Rules the law leaves to customs: reported by default, enforced only where the settings name them."""


SENTENCES: dict[str, str] = {
    "NOT_FOUND": "No licence with this reference is known yet; a check refuses it, an accepted declaration waits.",
    "ISSUER_AMBIGUOUS": "Several states issued a licence with this number; the declaration must say whose is meant.",
    "LICENCE_AMBIGUOUS": "The reference is the number of one licence, and the number and line of another.",
    "ISSUER_BY_AUTHORITY": "Issued by another state, which the document names.",
    "ISSUER_BY_CLAIM": "Issued by another state, as decided earlier for this document.",
    "ISSUER_BY_HOLDER": "Issued by another state; the declared exporter holds no other licence with this number.",
    "ISSUER_BY_NUMBER": "Issued by another state, the only one that issued this number.",
    "ISSUER_NOT_OF_TERRITORY": "A licence of this issuer is not valid in the customs territory of the declaration.",
    "UNKNOWN_DOC_TYPE": "The document code does not belong to a certificate type managed here.",
    "TYPE_MISMATCH": "The document code differs from that of the licence's type.",
    "WRONG_DIRECTION": "An export licence needs an export procedure, a transit licence a transit type.",
    "LEVEL_NOT_SUPPORTED": "A licence cited at shipment level cannot be attributed to one of several goods items.",
    "STATUS_SUSPENDED": "The licence is suspended.",
    "STATUS_REVOKED": "The licence is revoked.",
    "STATUS_CANCELLED": "The licence is cancelled.",
    "STATUS_EXHAUSTED": "The licence is fully used.",
    "STATUS_FROZEN": "The balance of the licence is under examination; no new reservations are made.",
    "NOT_YET_VALID": "The declaration was accepted before the first day of validity of the licence.",
    "EXPIRED_AT_ACCEPTANCE": "The declaration was accepted after the last day of validity of the licence.",
    "PROCEDURE_MISMATCH": "The procedure is not among those named in the licence.",
    "NOT_YET_VALID_AT_EXIT": "The goods left before the first day of validity of the licence.",
    "EXPIRED_AT_EXIT": "The goods left after the last day of validity of the licence.",
    "HOLDER_MISMATCH": "The exporter is not the holder of the licence.",
    "CONSIGNEE_MISMATCH": "The consignee is not named in the licence.",
    "DESTINATION_MISMATCH": "The destination is not covered by the licence.",
    "COMMODITY_MISMATCH": "The commodity code differs from that of the licence line.",
    "ORIGIN_MISMATCH": "The country of origin differs from that of the licence line.",
    "LINE_NOT_FOUND": "The licence has no such line, or none for this commodity code.",
    "LINE_AMBIGUOUS": "Several lines of the licence match; the line number must be declared.",
    "UNIT_MISMATCH": "The declared unit differs from that of the licence line; quantities are not converted.",
    "CURRENCY_MISMATCH": "The declared currency differs from the licence line's; only legally fixed rates are applied.",
    "QUANTITY_MISSING": "The licence line limits quantity and the declaration states none.",
    "VALUE_MISSING": "The licence line limits value and the declaration states none.",
    "QUANTITY_EXCEEDED": "The declared quantity exceeds the available quantity.",
    "VALUE_EXCEEDED": "The declared value exceeds the available value.",
    "INVALID_QUANTITY": "A quantity or value to be written off must be greater than zero.",
    "SCALE": "The figure has more decimals than allowed; it is not rounded.",
    "VALUE_ABOVE_THRESHOLD": "The value of the shipment exceeds what this national general authorisation allows.",
    "PROCEDURE_NOT_ALLOWED": "A valid licence of this type does not open the requested procedure.",
    "INITIAL_LICENCE_MISSING": "EU003 needs the initial licence, and neither declaration nor registration names it.",
    "INITIAL_LICENCE_UNKNOWN": "The initial licence that EU003 refers to is not known.",
    "INITIAL_LICENCE_NOT_EFFECTIVE": "The initial licence that EU003 refers to is suspended, revoked or cancelled.",
    "INITIAL_LICENCE_TOO_OLD": "The initial licence that EU003 refers to was granted more than five years ago.",
    "INITIAL_LICENCE_CONSIGNEE": "The consignee is not named in the initial licence that EU003 refers to.",
    "NOT_REGISTERED": "No registration of the exporter for this general authorisation is known.",
    "BARRED": "The authority has barred the exporter from this general authorisation.",
    "ADJUST_REFUSED": "The change after release cannot be booked.",
    "CLAIM_CONFLICT": "The same version of the declaration arrived before with other content; the first one counts.",
    "TOO_LATE": "Amendments are possible only within three years of acceptance.",
    "GROUP_REFUSED": "Another claim of the same group was refused; a group is booked completely or not at all.",
    "INVALIDATED": "The declaration has been invalidated.",
    "NOT_RELEASED": "The goods were not released.",
    "RELEASED_AFTER_INVALIDATION": "Customs released the goods after invalidation; nothing is written off.",
    "EXIT_WITHOUT_RELEASE": "The goods left without an effective release; nothing is written off.",
    "NOT_PRESENTED": "The goods were not presented within 30 days; the declaration is deemed not lodged.",
    "REJECTED": "The declaration was rejected before acceptance.",
    "OVERRIDE_REFUSED": "A customs officer refused the quantity manually.",
    "CLAIM_UNKNOWN": "The declaration, or the document named, is not known.",
    "UNCOVERED": "The goods were released without cover; the uncovered part is an incident, not an overdraft.",
    "DRAFT_AMBIGUOUS": "Several lodgings under this LRN could be this declaration; nothing is booked.",
    "CONTENT_MISSING": "No lodging known under this LRN can be this declaration; nothing is booked.",
    "MRN_UNKNOWN": "No declaration with this MRN is known.",
    "CLAIM_STATE": "The request is not possible in the claim's state; enter manually what happened nevertheless.",
    "MORE_THAN_RESERVED": "More is to be consumed than is reserved; the excess needs an amendment or manual decision.",
    "SIMPLIFIED_NOT_NAMED": "A supplementary declaration must name what it supplements (UCC Art. 167(4)).",
    "SUPPLEMENTARY_DIFFERENCE": "The supplementary total differs; it is allocated in order of the MRNs.",
    "SUPPLEMENTARY_NOT_RELEASED": "The supplementary declaration was not released; the simplified figures remain.",
    "SUPPLEMENTARY_UNALLOCATED": "It is not certain which simplified figures are meant; they remain unchanged.",
    "VERSION_OLD": "A later version of the declaration is known.",
}

EXPLANATIONS: dict[str, str] = {
    "NO_CLAIMS": "The declaration cites no document of a type managed here.",
    "NO_CONTENT_YET": "Recorded; the content of the declaration is not known yet.",
    "UNDECIDED": "Recorded; it is not yet known which lodging became this declaration, and nothing is booked.",
    "ONE_INSTRUMENT": "Recorded; the simplified and the supplementary declaration are decided together.",
    "KEPT": "Accepted for processing; it is decided once the ledger is available, and the outcome follows.",
    "CALLER_MODE": "The verdict does not affect this caller's clearance.",
    "RECORDED": "Recorded; outcomes are issued under the MRN of the declaration.",
    "ALREADY_DONE": "No effect: already applied.",
    "DATED_BEFORE_RELEASE": "This content is dated before the release; the released figures remain in force.",
}
"""Findings of severity INFO: why there is nothing more to tell, or why nothing moves."""

WITHHELD = "The verdict is recorded for the mismatch report; it does not affect clearance and is not disclosed."
"""CALLER_MODE of a caller in the shadow."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: stable code, the field it is about, the figure declared and the figure available."""

    code: str
    field: str = ""
    declared: str = ""
    available: str = ""
    message: str = ""
    """What the decoder said of a code that is not of the rules."""

    @property
    def sentence(self) -> str:
        """The human sentence of the code."""
        return SENTENCES.get(self.code) or self.message or "The declared data are not usable."


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
    RELEASED_AFTER_INVALIDATION = "RELEASED_AFTER_INVALIDATION"
    RELEASED_UNDECIDED = "RELEASED_UNDECIDED"
    OVERRIDDEN = "OVERRIDDEN"
