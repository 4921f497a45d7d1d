"""What general authorisations ask for: registration, EU003's initial licence, a value limit per shipment.

Regulation (EU) 2021/821 Annex II (Sections A to I) for those of the Union, Art. 12(6) for national ones. None of them
is written off: a claim on one is checked, and its outcome is OK_NOT_MANAGED.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from certex_bridge.kernel.amounts import Money
from certex_bridge.kernel.dates import years_later
from certex_bridge.kernel.identifiers import licence_key
from certex_bridge.ledger.domain.comparisons import is_barred, is_named
from certex_bridge.ledger.domain.content import ClaimSpec
from certex_bridge.ledger.domain.evaluation import Circumstances, Evaluation
from certex_bridge.ledger.domain.figures import declared_figures
from certex_bridge.ledger.domain.model import WHOLE_LICENCE, ZERO, Account, Dim, LicenceState
from certex_bridge.ledger.domain.reasons import Reason, Rule
from certex_bridge.ledger.domain.risk import BLOCKED
from certex_bridge.licensing.domain.eugea import eugea_allows
from certex_bridge.licensing.domain.licence import Licence, LicenceType

_NAMING = "EU003/"
"""A reference `EU003/<state>/<number>` names the initial licence where no registration does."""
_YEARS = 5
"""Age of the initial licence that EU003 allows (Annex II Section C)."""


def initial_licences(specs: Iterable[ClaimSpec], licences: Iterable[LicenceState]) -> set[str]:
    """The initial licences that these documents name, and those that any of these licences names.

    Not only the licence cited as it stands: an assumed issuer may become another one when the MRN says so.
    """
    found = {_initial(spec, None) for spec in specs if _reference(spec).startswith(_NAMING)}
    found.update([_initial_of(state.licence) for state in licences if state.licence is not None])
    found.discard("")
    return found


def _initial_of(registration: Licence) -> str:
    named = registration.initial_licence
    return "" if named is None else licence_key(named.issuer, named.number)


def _initial(spec: ClaimSpec, registration: Licence | None) -> str:
    """Identity of the initial licence; empty when nobody names it."""
    registered = _initial_of(registration) if registration is not None else ""
    if registered:
        return registered
    reference = _reference(spec)
    state, _, number = reference.removeprefix(_NAMING).partition("/")
    return licence_key(state, number) if reference.startswith(_NAMING) and state and number else ""


def _reference(spec: ClaimSpec) -> str:
    """The reference as normalised, without the state that was taken as its issuer."""
    return spec.licence_id.partition("/")[2]


def judge_initial_licence(seen: Evaluation, registration: Licence | None, around: Circumstances, day: date) -> None:
    """EU003: the licence under which the goods first left is known, effective, young enough, for the same consignee.

    A licence that expired or was used up since is effective: the five years are longer than its validity can be.
    """
    named = _initial(seen.spec, registration)
    state = around.licences.get(named)
    initial = state.licence if state else None
    if not named:
        seen.fail(Rule.LICENCE_TYPE, "INITIAL_LICENCE_MISSING", "referenceNumber", seen.spec.reference)
    elif state is None or initial is None:
        seen.fail(Rule.LICENCE_TYPE, "INITIAL_LICENCE_UNKNOWN", "referenceNumber", named)
    else:
        reasons = _unfit(state, initial, around, day)
        seen.failed += [(Rule.LICENCE_TYPE, reason) for reason in reasons]
        if not reasons:
            seen.passed.append(Rule.LICENCE_TYPE)


def _unfit(state: LicenceState, initial: Licence, around: Circumstances, day: date) -> list[Reason]:
    found = []
    name, status = state.licence_id, state.status
    if status in BLOCKED:
        found.append(Reason("INITIAL_LICENCE_NOT_EFFECTIVE", "referenceNumber", name, status.value))
    issued = initial.issue_date
    if issued is not None and years_later(issued, _YEARS) < day:
        found.append(Reason("INITIAL_LICENCE_TOO_OLD", "referenceNumber", name, issued.isoformat()))
    payload = around.payload
    if not is_named(payload, initial.consignees + initial.end_users):
        consignee = payload.consignee_id or payload.consignee_name
        found.append(Reason("INITIAL_LICENCE_CONSIGNEE", "consignee", consignee, name))
    return found


def judge_unregistered(seen: Evaluation, around: Circumstances, day: date) -> None:
    """A general authorisation cited without a registration that is known: told, or refused where there must be one.

    The Regulation's own conditions hold all the same.
    """
    spec, policy, exporter = seen.spec, around.policy, around.payload.exporter
    issuer = spec.licence_id.partition("/")[0]
    tell = seen.fail if policy.must_register(issuer, spec.document_code) else seen.warn
    tell(Rule.LICENCE, "NOT_REGISTERED", "referenceNumber", spec.reference)
    licence_type = policy.types.meanings.get(spec.document_code, ("",))[0]
    if licence_type == LicenceType.EU003:
        judge_initial_licence(seen, None, around, day)
    if is_barred(seen, issuer, around, day):
        seen.fail(Rule.HOLDER, "BARRED", "exporter", exporter)
    destination = seen.item.destination or around.payload.destination
    if destination and not eugea_allows(licence_type, destination, day):
        seen.fail(Rule.DESTINATION, "DESTINATION_MISMATCH", "destination", destination, licence_type)
    elif destination and licence_type != LicenceType.NGEA:
        seen.passed.append(Rule.DESTINATION)


def judge_shipment(seen: Evaluation, most: Money, around: Circumstances) -> None:
    """A national act's limit per shipment: all that the declaration cites of the licence together, nothing rounded."""
    limits = [(Dim.VAL, Account(WHOLE_LICENCE, Dim.VAL, most.currency, most.amount))]
    problems = declared_figures(seen.spec, seen.item, limits, around.policy, seen.day).problems
    total = _shipment(seen, limits, around)
    if total > most.amount:
        reason = Reason("VALUE_ABOVE_THRESHOLD", "amount", str(Money(total, most.currency)), str(most))
        problems.append((Rule.FIGURES, reason))
    seen.failed += problems
    refused = {rule for rule, _ in problems}
    seen.passed += [rule for rule in (Rule.UNIT, Rule.FIGURES) if rule not in refused]


def _shipment(seen: Evaluation, limits: list[tuple[Dim, Account]], around: Circumstances) -> Decimal:
    licence_id = seen.spec.licence_id
    total = around.shipments.get(licence_id)
    if total is None:
        figures = [
            declared_figures(spec, item, limits, around.policy, seen.day).figures.value
            for item in around.payload.items
            for spec in item.claims
            if spec.licence_id == licence_id
        ]
        total = around.shipments[licence_id] = sum(figures, ZERO)
    return total
