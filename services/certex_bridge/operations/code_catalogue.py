"""What the reference says of each code: what it means where nothing else has a sentence, and what its reader does.

`make codes` holds these tables against the code: each entry was raised in a test, and what was raised has an entry.
"""

from __future__ import annotations

from typing import NamedTuple

from certex_bridge.operations.finding_catalogue import DECLARATIONS, LICENCE_EVENTS, MISTAKES, RECORDS

OUTCOMES = {
    "OK_AVAILABLE": "A check or a lodged declaration: acceptance would reserve it now.",
    "OK_RESERVED": "The declared figures are reserved.",
    "OK_CONSUMED": "The released figures are written off.",
    "OK_UNRESERVED": "The reserved figures are available again.",
    "OK_ADJUSTED": "The reserved or written-off figures were changed as requested.",
    "OK_WITHDRAWN": "The written-off figures are available again.",
    "OK_OVERRIDDEN": "A customs officer decided manually; the decision is booked as stated.",
    "OK_NOT_MANAGED": "The licence applies; no quantity is managed under it.",
    "OK_NOT_APPLICABLE": "The procedure needs no licence of this type.",
    "CLOSED": "The claim has ended; it holds nothing.",
    "WAITING": "The decision waits for missing information; the reason says which.",
    "REFUSED": "Nothing new is booked; the reasons say why.",
    "UNCOVERED": "The goods were released without cover; the uncovered part is not booked.",
}
"""What each outcome of a claim means."""

REASONS = {
    "ADJUST_REFUSED": "Ask the authority for a higher limit, then amend again; or decide by hand.",
    "BARRED": "Use another authorisation; the authority that barred the exporter says why.",
    "CLAIM_CONFLICT": "Send the content again under the next version of the declaration.",
    "CLAIM_STATE": "Ask for the state of the claim and follow on it; enter by hand what happened all the same.",
    "CLAIM_UNKNOWN": "Name a document that the declaration has, by item and sequence number.",
    "COMMODITY_MISMATCH": "Compare the commodity code with the line; amend the declaration or cite another line.",
    "CONSIGNEE_MISMATCH": "Compare the consignee with those of the licence; one of the two is amended.",
    "CONTENT_MISSING": "Send the lodging that the declaration was, or say its MRN for the LRN.",
    "CURRENCY_MISMATCH": "Declare the value in the currency of the licence line.",
    "DESTINATION_MISMATCH": "Compare the destination with those of the licence; one of the two is amended.",
    "DRAFT_AMBIGUOUS": "Say which lodging it was: send an identification of exporter, LRN and MRN.",
    "EXIT_WITHOUT_RELEASE": "Send the release that is missing, or correct the exit; enter by hand what has left.",
    "EXPIRED_AT_ACCEPTANCE": "Cite a licence that is valid on the day of acceptance.",
    "EXPIRED_AT_EXIT": "Cite a licence that is valid on the day of exit.",
    "GROUP_REFUSED": "Put right what was refused beside it; this document is then decided again.",
    "HOLDER_MISMATCH": "Compare the exporter with the holder; amend the declaration or cite another licence.",
    "INITIAL_LICENCE_CONSIGNEE": "Declare a consignee of the initial licence, or use another authorisation.",
    "INITIAL_LICENCE_MISSING": "Name the initial licence in the reference of document X063 or in the registration.",
    "INITIAL_LICENCE_NOT_EFFECTIVE": "Use another authorisation, or ask the authority about the initial licence.",
    "INITIAL_LICENCE_TOO_OLD": "Use another authorisation: EU003 does not cover these goods any more.",
    "INITIAL_LICENCE_UNKNOWN": "Correct the reference, or ask the authority to send the initial licence.",
    "INVALIDATED": "Nothing; what was held is given back.",
    "INVALID_QUANTITY": "Declare what is to be written off; a document that is not used is taken out.",
    "ISSUER_AMBIGUOUS": "Declare the issuing authority of the document.",
    "ISSUER_BY_AUTHORITY": "Nothing, if the licence named is meant.",
    "ISSUER_BY_CLAIM": "Nothing, if the licence named is meant; else declare the issuing authority.",
    "ISSUER_BY_HOLDER": "Nothing, if the licence named is meant; else declare the issuing authority.",
    "ISSUER_BY_NUMBER": "Nothing, if the licence named is meant; else declare the issuing authority.",
    "ISSUER_NOT_OF_TERRITORY": "Cite a licence of an authority of this customs territory.",
    "LEVEL_NOT_SUPPORTED": "Cite the licence on the goods items that it covers.",
    "LICENCE_AMBIGUOUS": "State the line of the licence in its own data element, apart from the number.",
    "LINE_AMBIGUOUS": "Declare the number of the licence line.",
    "LINE_NOT_FOUND": "Compare line number and commodity code with the licence.",
    "MORE_THAN_RESERVED": "Amend the declaration first, or decide by hand.",
    "MRN_UNKNOWN": "Correct the MRN, or send the lodging and its acceptance first.",
    "NOT_FOUND": "Correct the reference, or wait until the authority has sent the licence.",
    "NOT_PRESENTED": "Lodge a new declaration when the goods are presented.",
    "NOT_REGISTERED": "Register with the authority before first use.",
    "NOT_RELEASED": "Nothing; what was held is given back.",
    "NOT_YET_VALID": "Declare once the licence is valid.",
    "NOT_YET_VALID_AT_EXIT": "Correct the day of exit, or cite a licence that is valid then.",
    "ORIGIN_MISMATCH": "Compare the country of origin with the licence line.",
    "OVERRIDE_REFUSED": "Ask the customs office; amended content is decided anew.",
    "PROCEDURE_MISMATCH": "Compare the procedure with those that the licence names.",
    "PROCEDURE_NOT_ALLOWED": "Declare a procedure that this type of licence opens: see the rules tables.",
    "QUANTITY_EXCEEDED": "Declare at most what is available, or ask the authority for more; then ask for a recheck.",
    "QUANTITY_MISSING": "Declare the quantity of the document in the unit of the licence line.",
    "REJECTED": "Nothing; a corrected declaration is a new one.",
    "RELEASED_AFTER_INVALIDATION": "Correct the release, or enter by hand what has left.",
    "SCALE": "State the figure with no more decimals than the unit or the currency has.",
    "SIMPLIFIED_NOT_NAMED": "Name the simplified declarations in the supplementary one.",
    "STATUS_CANCELLED": "Cite another licence; the authority says why this one is cancelled.",
    "STATUS_EXHAUSTED": "Cite another licence, or ask the authority for more.",
    "STATUS_FROZEN": "Wait until the examination has ended, or decide by hand.",
    "STATUS_REVOKED": "Cite another licence; the authority says why this one is revoked.",
    "STATUS_SUSPENDED": "Wait until the licence is resumed, or cite another one.",
    "SUPPLEMENTARY_DIFFERENCE": "Compare the totals; amend the supplementary declaration whose figure is wrong.",
    "SUPPLEMENTARY_NOT_RELEASED": "Nothing, unless the simplified figures are wrong: then amend the declaration.",
    "SUPPLEMENTARY_UNALLOCATED": "State the simplified declaration's MRN on each document of the supplementary one.",
    "TOO_LATE": "Enter by hand what must be corrected.",
    "TYPE_MISMATCH": "Declare the document code of the licence's own type.",
    "UNCOVERED": "Amend the declaration to another licence, or decide by hand; the authority has an incident.",
    "UNIT_MISMATCH": "Declare the quantity in the unit of the licence line.",
    "UNKNOWN_DOC_TYPE": "Declare a document code of the certificate types kept here.",
    "VALUE_ABOVE_THRESHOLD": "Use an individual or global licence for this shipment.",
    "VALUE_EXCEEDED": "Declare at most what is available, or ask the authority for more; then ask for a recheck.",
    "VALUE_MISSING": "Declare the value of the document in the currency of the licence line.",
    "VERSION_OLD": "Ask for the declaration's version, and send what changes as a later one.",
    "WRONG_DIRECTION": "Cite a licence for this direction.",
}
"""What to do about each reason; its meaning is the sentence that outcomes have."""

INCIDENTS = {
    "RELEASED_MORE": "Compare the release with the declaration; customs amend what is wrong.",
    "UNCOVERED": "Ask customs on which licence the goods left; raise the limit or capture the write-off.",
    "RELEASED_ON_BLOCKED": "Ask customs why the goods were released, and decide about the write-off, which stands.",
    "POST_RELEASE_INCREASE": "Compare the amendment with the evidence of export.",
    "OVER_USE": "Decide about a higher limit; customs then ask for a recheck.",
    "CAP_BELOW_USE": "Raise the limit, or have open reservations dropped; nothing new is reserved meanwhile.",
    "CANCELLED_WITH_USE": "Clear with customs what was used: cancelled means that the licence never had effect.",
    "EXIT_WITHOUT_RELEASE": "Ask customs for the release or for a decision by hand.",
    "RELEASED_AFTER_INVALIDATION": "Ask customs whether the goods left; if so, they are entered by hand.",
    "RELEASED_UNDECIDED": "Ask customs which lodging it was; until they identify it nothing is booked.",
    "OVERRIDDEN": "Take note of officer and reason; ask the customs office where they do not suffice.",
}
"""What the licensing authority does about each incident; the meaning is the sentence that incidents have."""

REFUSED = {
    "TOKEN_MISSING": "Send the access token in the header Authorization.",
    "TOKEN_EXPIRED": "Fetch a new token.",
    "TOKEN_FOREIGN": "Fetch a token of the issuer and for the audience of this gateway.",
    "TOKEN_INVALID": "Send one header of the form `Authorization: Bearer`, with a token that is signed and yours.",
    "CERTIFICATE_MISSING": "Connect with your client certificate.",
    "CERTIFICATE_EXPIRED": "Connect anew with a certificate that is valid.",
    "CALLER_UNKNOWN": "Ask the operator to enter you, or your new certificate, in the callers file.",
    "ROLE_MISSING": "Ask the operator for the role, or let somebody call who has it.",
    "FOREIGN_MEMBER_STATE": "Call for declarations and licences of your own member state.",
    "HOST_FOREIGN": "Call the bridge by 127.0.0.1 or localhost; elsewhere let callers prove who they are.",
    "SENDER_MISMATCH": "State your own name as sender of the message.",
    "SCHEMA_INVALID": "Correct all mistakes that are listed; the message has the schema of its function.",
    "NOT_FOUND": "Compare what you ask for with what you were told.",
    "FUNCTION_UNKNOWN": "Send a message of a function in the contract.",
    "METHOD": "Use a method that the header Allow names.",
    "BODY_TOO_SLOW": "Send the body at once.",
    "BODY_TOO_LARGE": "Send a smaller message.",
    "CONTENT_TYPE": "Send JSON or XML, or what the address takes.",
    "MRN_INVALID": "State the MRN as customs gave it.",
    "DUPLICATE_ID": "Give each message an identification of its own.",
    "RECORD_UNKNOWN": "Create the record first, or correct its name.",
    "RECORD_EXISTS": "Change the record, or use another name.",
    "RECORD_DELETED": "Create another record.",
    "RECORD_MISMATCH": "Name the document that the record is about.",
    "TYPE_MISMATCH": "State the document code of the licence.",
    "CONTINUATION_INVALID": "Begin the list anew; a token belongs to its criteria.",
    "ORDER_UNKNOWN": "Compare the name of the order.",
    "ORDER_ENDED": "Place another order.",
    "LIST_UNKNOWN": "Ask for a delivery that the order has made.",
    "NOTICE_UNKNOWN": "Compare the name of the notice.",
    "NOTICE_EXISTS": "Use another name.",
    "NOTICE_FOREIGN": "Ask whoever announced it.",
    "NOTICE_ENDED": "Announce another one.",
    "CALLBACK_URL": "Give an address that was agreed with the operator.",
    "QUOTA_EXCEEDED": "End what is not needed any more; records: wait, or agree on more with the operator.",
    "SUBSCRIPTION_TERMS": "Change what the message names.",
    "RATE_EXCEEDED": "Wait as Retry-After says; agree on another rate with the operator.",
    "CONCURRENCY_EXCEEDED": "Wait as Retry-After says, and have fewer calls open at once.",
    "INTERNAL": "Send the same message again; if that fails too, tell the operator its identification.",
    "IDENTITY_UNAVAILABLE": "Send the same message again after Retry-After.",
    "TIME_EXCEEDED": "Send the same message again: its identification leads to the result.",
    "NOT_AVAILABLE": "Send the same message again after Retry-After.",
}
"""What the caller does about each refusal of the gateway."""

OPERATORS = {
    "ACCEPTED_BEFORE": "Nothing: reading went on behind this gap when it was accepted.",
    "DATABASE_UNFIT": "Set the server as the sentence says; no process starts on it before.",
    "FROZEN_BEFORE": "Look who did it: licence show, and the audit trail.",
    "NOT_EXPIRED": "Nothing: the licence is what its status says.",
    "POSITIONS_FELL": "Nothing: reading goes back to what the database says. Find out why (failover, restore).",
    "QUARANTINE_RUN": "See to the sender of the records, then raise CERTEX_QUARANTINE_RUN_MAX for one start.",
    "REASON_MISSING": "Say why; it is kept for ever.",
    "SCHEMA_CHANGED": "Install the release whose files were applied; a migration is never changed afterwards.",
    "SCHEMA_FAILED": "Remove what the sentence names and migrate again; nothing of the file was done.",
    "SCHEMA_MISMATCH": "Run migrate of the release that is to run; of an older one only a restore helps.",
    "SCHEMA_ORDER": "Upgrade through the release in between, or run phase all while nothing else runs.",
    "VALIDITY_OVER": "Ask the authority for a later last day, if the licence is to be used on.",
}
"""What stops a process or a command, with what its operator does about it."""

_READING = frozenset({"platform", "customs", "licensing", "ledger"})
_ON_CLAIMS = frozenset({"finding", "reason"})
"""A finding on a document becomes the reason of its claim."""


class Section(NamedTuple):
    """Codes of one kind: where the reference lists them, and where the product raises them."""

    title: str
    codes: frozenset[str]
    kinds: frozenset[str]
    """What raises them: finding, reason, mistake, refusal, outcome, incident."""
    parts: frozenset[str] = frozenset()
    """Packages that raise them for their callers; empty: any."""

    def raises(self, kind: str, part: str) -> bool:
        """Whether a code of this kind, raised by this part, belongs here."""
        return kind in self.kinds and (not self.parts or part in self.parts)


def sections() -> list[Section]:
    """Everything that the page of codes lists, in its order."""
    from certex_bridge.ledger.domain.reasons import EXPLANATIONS, SENTENCES, Incident, Outcome
    from certex_bridge.singlewindow.refusals import REFUSALS

    return [
        Section("Outcomes", frozenset(Outcome), frozenset({"outcome"})),
        Section("Reasons", frozenset(SENTENCES), frozenset({"reason", "finding"})),
        Section("Explanations", frozenset(EXPLANATIONS), frozenset({"finding"})),
        Section("Incidents", frozenset(Incident), frozenset({"incident"})),
        Section("Findings on records", frozenset(RECORDS), frozenset({"finding"}), _READING),
        Section("Findings on declarations", frozenset(DECLARATIONS), _ON_CLAIMS, frozenset({"customs", "ledger"})),
        Section(
            "Findings on licence events", frozenset(LICENCE_EVENTS), _ON_CLAIMS, frozenset({"licensing", "ledger"})
        ),
        Section("Mistakes in messages", frozenset(MISTAKES), frozenset({"mistake"})),
        Section("Refusals of the gateway", frozenset(REFUSALS), frozenset({"refusal"})),
        Section(
            "Words to operators",
            frozenset(OPERATORS),
            frozenset({"finding", "stop"}),
            frozenset({"operations", "platform", "ledger"}),
        ),
    ]
