"""Responses of customs (WCO Response): what each function code means for the facts.

Releases and clearances (08, 09) both say that everything was released as declared; told twice they reach the same
target. Control, document request and tax are noted. Exit (16) is told by an exit control result A1, A2 or A4.

A rejection (03) and a decision (11) answer something that was sent. Beside an MRN the functional reference may be that
of a request (function 13), so it is kept as the decision's, and the ledger sees from the requests whether one of them
was answered or the declaration. Response 11 grants with status 39 and refuses with any other.

Identity is LRN and MRN; a response names no exporter, so `exporter` is empty and the core joins by the MRN it may
have learned from 01 or 02.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from certex_bridge.customs.identity import check_acceptance
from certex_bridge.customs.wco.tree import Element, children, first, moment, text
from certex_bridge.kernel.errors import InputError
from certex_bridge.ledger.domain.facts import ALL_ITEMS, DeclarationCommand, EventKind, Facts, ItemRelease
from certex_bridge.ledger.domain.requests import RequestDecision, Verdict
from certex_bridge.ledger.domain.stamps import Stamp
from certex_bridge.platform.poison import Poison

if TYPE_CHECKING:
    from certex_bridge.customs.wco.message import Message

REASON_LENGTH = 512

FUNCTIONS: dict[str, EventKind] = {
    "1": EventKind.ACCEPTED,
    "2": EventKind.NOTED,
    "3": EventKind.REJECTED,
    "5": EventKind.NOTED,
    "6": EventKind.NOTED,
    "7": EventKind.NOTED,
    "8": EventKind.RELEASED,
    "9": EventKind.RELEASED,
    "10": EventKind.INVALIDATED,
    "11": EventKind.DECIDED,
    "13": EventKind.NOTED,
    "14": EventKind.NOTED,
    "15": EventKind.NOTED,
    "16": EventKind.EXIT_CONFIRMED,
    "18": EventKind.NOTED,
}
"""Response function code (leading zeros aside) to the kind of event; the file name of a sample says nothing.

13 to 15 are about duties and their payment, 18 asks for a request of exit: known, and nothing to a licence.
"""

GRANTED = "39"
LEFT = ("A1", "A2", "A4")
"""Exit control results under which the goods left: satisfactory, considered so, minor discrepancies."""

_OF_THE_DECLARATION = (EventKind.ACCEPTED, EventKind.RELEASED, EventKind.INVALIDATED, EventKind.EXIT_CONFIRMED)
"""Responses whose reference is the declaration's own."""


def response_identity(response: Element) -> Element:
    """The Declaration element that names the declaration: the first with a reference or number.

    Raises:
        Poison: IDENTITY_MISSING.
    """
    for declaration in children(response, "Declaration"):
        if text(declaration, "ID") or text(declaration, "FunctionalReferenceID"):
            return declaration
    raise Poison("IDENTITY_MISSING", "the response names no declaration", "Response/Declaration")


def decode_notification(message: Message) -> DeclarationCommand:
    """The command of one Response element.

    Raises:
        Poison: IDENTITY_MISSING, MRN_INVALID, LRN_INVALID, WCO_FUNCTION (no function code), WCO_STRUCTURE.
    """
    declaration = response_identity(message.element)
    message.identify(declaration, "")
    function = text(message.element, "FunctionCode")
    if not function:
        raise Poison("WCO_FUNCTION", "the response has no function code", "Response/FunctionCode")
    kind = FUNCTIONS.get(function.lstrip("0"))
    if kind is None:
        message.warn("WCO_FUNCTION", "Response/FunctionCode", function, "an unknown response moves nothing")
        kind = EventKind.NOTED
    message.extensions["wcofunction"] = function[:REASON_LENGTH]
    status = text(first(message.element, "Status"), "NameCode")
    if status:
        message.extensions["wcostatus"] = status[:REASON_LENGTH]
    if kind is EventKind.EXIT_CONFIRMED and status not in LEFT:
        message.warn(
            "EXIT_NOT_CONFIRMED", "Response/Status/NameCode", status, "the exit result does not say that goods left"
        )
        kind = EventKind.NOTED
    stamp = message.stamp()
    return message.command(kind, stamp, _facts(kind, message, declaration, stamp, status))


def _facts(kind: EventKind, message: Message, declaration: Element, stamp: Stamp, status: str) -> Facts:
    certain = not message.mrn or kind in _OF_THE_DECLARATION
    lrn = message.lrn if certain else ""
    match kind:
        case EventKind.ACCEPTED:
            return message.facts(accepted=stamp, acceptance_day=_acceptance(message, declaration, stamp))
        case EventKind.REJECTED if certain or not message.lrn:
            return message.facts(rejected=stamp)
        case EventKind.REJECTED:
            return message.facts(lrn=lrn, decisions=(_decision(message, stamp, Verdict.REJECTED),))
        case EventKind.DECIDED:
            verdict = Verdict.GRANTED if status == GRANTED else Verdict.REFUSED
            return message.facts(lrn=lrn, decisions=(_decision(message, stamp, verdict),))
        case EventKind.RELEASED:
            return message.facts(releases=((ALL_ITEMS, ItemRelease(stamp, released=True)),))
        case EventKind.INVALIDATED:
            information = first(message.element, "AdditionalInformation")
            reason = text(information, "StatementDescription")[:REASON_LENGTH]
            return message.facts(invalidated=stamp, invalidation_reason=reason)
        case EventKind.EXIT_CONFIRMED:
            # The status carries the exit date, too, in texts no standard knows; the issue time is when it was told.
            return message.facts(exited=stamp, **message.exit_facts(declaration, stamp))
        case _:
            return message.facts(lrn=lrn)


def _decision(message: Message, stamp: Stamp, verdict: Verdict) -> RequestDecision:
    return RequestDecision(message.lrn, stamp, verdict, message.sha256)


def _acceptance(message: Message, declaration: Element, stamp: Stamp) -> str:
    about = "Declaration/AcceptanceDateTime"
    try:
        accepted = moment(declaration, "AcceptanceDateTime", message.options.zone(message.country))
    except InputError as error:
        message.warn(error.code, about, error.value, "the acceptance time cannot be read")
        accepted = None
    if accepted is None:
        message.warn("ACCEPTANCE_ASSUMED", about, "", "no acceptance time; the response's own time counts")
        return stamp.occurred_at.isoformat()
    message.assumed(accepted, "AcceptanceDateTime")
    check_acceptance(accepted.iso, message.record.timestamp_ms, message.options, message.findings, about)
    return accepted.iso
