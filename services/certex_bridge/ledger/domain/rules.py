"""The tests of one claim, in decision order, each with its verdict.

Everything that can be tested is tested, so that an answer explains itself; the first failure is the reason.
Sources: IR 2024/2145 Art. 5 and 6 and Annex I B.2; UCC Art. 172(2) for the date; UCC-IA Annex B for the figures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, tzinfo
from functools import lru_cache

from certex_bridge.kernel.countries import same_country, within_country
from certex_bridge.kernel.dates import legal_day, parse_date, parse_instant, valid_on
from certex_bridge.kernel.errors import Severity
from certex_bridge.kernel.identifiers import commodity_matches
from certex_bridge.ledger.domain.facts import ClaimSpec, Facts, Item, Payload
from certex_bridge.ledger.domain.figures import Declared, declared_figures
from certex_bridge.ledger.domain.model import Dim, LicenceState, Status
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.reasons import Reason, Rule
from certex_bridge.ledger.domain.tables import (
    FISCAL_TERRITORY_PROCEDURE,
    GENERAL_CODES,
    code_fits,
    procedure_direction,
)
from certex_bridge.licensing.domain.licence import Licence, LicenceLine, Party

_STRICT = Policy()


@dataclass(slots=True)
class Evaluation:
    """What the rules say about one claim against the licence as it stands."""

    spec: ClaimSpec
    item: Item
    passed: list[Rule] = field(default_factory=list)
    failed: list[tuple[Rule, Reason]] = field(default_factory=list)
    warned: list[tuple[Rule, Reason]] = field(default_factory=list)
    applicable: bool = True
    waiting: bool = False
    """The licence is not known yet."""
    managed: bool = False
    """Some account limits this claim."""
    line_no: int = 0
    declared: Declared = field(default_factory=Declared)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why the claim cannot be booked, in decision order."""
        return tuple(reason for _, reason in self.failed)

    def fail(self, rule: Rule, code: str, about: str = "", declared: str = "", available: str = "") -> None:
        """The rule refuses the claim."""
        self.failed.append((rule, Reason(code, about, declared, available)))

    def warn(self, rule: Rule, code: str, about: str = "", declared: str = "", available: str = "") -> None:
        """The rule is not met; it is reported and changes nothing."""
        self.warned.append((rule, Reason(code, about, declared, available)))


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a claim is judged by besides the licence: the declaration, the facts and the date."""

    payload: Payload
    facts: Facts
    policy: Policy
    barred: frozenset[tuple[str, str, str, str]] = frozenset()
    """(issuer, EORI, document code, first day or "") of bars from general authorisations (DU Art. 12(7))."""


def evaluate(spec: ClaimSpec, item: Item, state: LicenceState, around: Circumstances, held_line: int) -> Evaluation:
    """Judge one claim. `held_line` is the line an existing claim of this document already holds, or 0."""
    seen = Evaluation(spec, item)
    _declared_soundly(seen)
    direction = procedure_direction(item.procedure, around.payload.declaration_type)
    if direction is None or FISCAL_TERRITORY_PROCEDURE in item.additional_procedures:
        seen.applicable = False
        return seen
    seen.passed.append(Rule.PROCEDURE)
    if item.number == 0:
        seen.fail(Rule.LEVEL, "LEVEL_NOT_SUPPORTED", "supportingDocument", spec.reference)
        return seen
    licence = state.licence
    if licence is None:
        _unknown_licence(seen)
        return seen
    seen.passed.append(Rule.LICENCE)
    if code_fits(spec.document_code, licence.document_code, licence.type):
        seen.passed.append(Rule.LICENCE_TYPE)
    else:
        seen.fail(Rule.LICENCE_TYPE, "TYPE_MISMATCH", "type", spec.document_code, licence.document_code)
    if licence.direction is direction:
        seen.passed.append(Rule.DIRECTION)
    else:
        seen.fail(Rule.DIRECTION, "WRONG_DIRECTION", "requestedProcedure", item.procedure, licence.direction.value)
    _status(seen, state)
    _validity(seen, licence, around)
    _line(seen, licence, state, held_line)
    _comparisons(seen, licence, around)
    _bar(seen, licence, around)
    _figures(seen, state, around)
    return seen


def _declared_soundly(seen: Evaluation) -> None:
    errors = [finding for finding in seen.spec.findings if finding.severity is Severity.ERROR]
    for finding in errors:
        seen.fail(Rule.DECLARED, finding.code, finding.field, finding.value)
    if not errors:
        seen.passed.append(Rule.DECLARED)


def _unknown_licence(seen: Evaluation) -> None:
    if seen.spec.document_code in GENERAL_CODES:
        seen.warn(Rule.LICENCE, "NOT_REGISTERED", "referenceNumber", seen.spec.reference)
    else:
        # What cannot be declared so is refused now: no licence that may still come would change that.
        seen.waiting = not seen.failed
        seen.line_no = seen.spec.line_no or 0  # the claim keeps its identity when the licence arrives
        seen.fail(Rule.LICENCE, "NOT_FOUND", "referenceNumber", seen.spec.reference)


_BLOCKING = {
    Status.SUSPENDED: "STATUS_SUSPENDED",
    Status.REVOKED: "STATUS_REVOKED",
    Status.CANCELLED: "STATUS_CANCELLED",
    Status.EXHAUSTED: "STATUS_EXHAUSTED",
}


def _status(seen: Evaluation, state: LicenceState) -> None:
    """Expired is judged by the date of acceptance, so it is no test here."""
    code = "STATUS_FROZEN" if state.frozen else _BLOCKING.get(state.status, "")
    if code:
        seen.fail(Rule.STATUS, code, "status", "", state.status.value)
    else:
        seen.passed.append(Rule.STATUS)


def _validity(seen: Evaluation, licence: Licence, around: Circumstances) -> None:
    day = reference_day(around.facts, seen.item.number, licence.issuer, around.policy)
    verdict = valid_on(day, licence.valid_from, licence.valid_to)
    if verdict == "NOT_YET_VALID":
        seen.fail(Rule.VALIDITY, "NOT_YET_VALID", "declarationAcceptanceDate", str(day), str(licence.valid_from))
    elif verdict == "EXPIRED":
        seen.fail(Rule.VALIDITY, "EXPIRED_AT_ACCEPTANCE", "declarationAcceptanceDate", str(day), str(licence.valid_to))
    else:
        seen.passed.append(Rule.VALIDITY)


def reference_day(facts: Facts, item: int, issuer: str, policy: Policy = _STRICT) -> date:
    """The day that counts (UCC Art. 172(2)), in the issuing state's legal time: acceptance, else release or lodging."""
    if facts.acceptance_day:
        return _legal_day(facts.acceptance_day, policy.zone(issuer))
    stamp = facts.accepted
    if stamp is None:
        for number, release in facts.releases:
            if number in (0, item):
                stamp = release.stamp
    stamp = stamp or facts.lodged or (facts.payload_rank.stamp if facts.payload_rank else None)
    if stamp is None:
        raise ValueError("a declaration without facts has no reference day")
    return legal_day(stamp.occurred_at, policy.zone(issuer))


@lru_cache(maxsize=4096)
def _legal_day(text: str, zone: tzinfo) -> date:
    if len(text) == len("2026-12-31"):
        return parse_date(text)
    return legal_day(parse_instant(text, zone), zone)


def _line(seen: Evaluation, licence: Licence, state: LicenceState, held_line: int) -> None:
    wanted = seen.spec.line_no
    if wanted is not None:
        found = [wanted] if licence.line(wanted) else []
    elif held_line:
        found = [held_line]
    else:
        found = [line.line_no for line in licence.lines if _covers(line, seen.item.commodity)]
    if not licence.lines:
        return
    if len(found) == 1:
        seen.line_no = found[0]
        seen.passed.append(Rule.LINE)
    elif found:
        seen.fail(Rule.LINE, "LINE_AMBIGUOUS", "documentLineItemNumber", "", ",".join(map(str, found)))
    else:
        text = str(wanted) if wanted is not None else seen.item.commodity
        seen.fail(Rule.LINE, "LINE_NOT_FOUND", "documentLineItemNumber", text)
        if wanted is not None and any(line_no == wanted for line_no, _ in state.accounts):
            seen.line_no = wanted  # a line taken out of the licence while in use still holds its figures


def _covers(line: LicenceLine, commodity: str) -> bool:
    return not line.commodity_codes or any(commodity_matches(code, commodity) for code in line.commodity_codes)


def _comparisons(seen: Evaluation, licence: Licence, around: Circumstances) -> None:
    payload, item = around.payload, seen.item
    holder = licence.holder.identification
    _compare(seen, around, Rule.HOLDER, _agree(payload.exporter, holder), payload.exporter, holder)
    named = payload.consignee_id or payload.consignee_name
    _compare(seen, around, Rule.CONSIGNEE, _consignee(payload, licence.consignees), named, "")
    destination = item.destination or payload.destination
    allowed = licence.destinations + licence.consignment_countries
    _compare(seen, around, Rule.DESTINATION, _destination(destination, allowed), destination, allowed)
    line = licence.line(seen.line_no)
    if line is None:
        seen.passed += (Rule.COMMODITY, Rule.ORIGIN)
        return
    _compare(seen, around, Rule.COMMODITY, _covers(line, item.commodity), item.commodity, line.commodity_codes)
    same_origin = not line.origin or not item.origin or same_country(line.origin, item.origin)
    _compare(seen, around, Rule.ORIGIN, same_origin, item.origin, line.origin)


def _compare(
    seen: Evaluation, around: Circumstances, rule: Rule, agrees: object, declared: str, licensed: str | tuple[str, ...]
) -> None:
    if agrees:
        seen.passed.append(rule)
        return
    listed = licensed if isinstance(licensed, str) else ",".join(licensed)
    tell = seen.fail if rule in around.policy.enforced else seen.warn
    tell(rule, f"{rule}_MISMATCH", rule.lower(), declared, listed)


def _agree(declared: str, licensed: str) -> bool:
    return not declared or not licensed or declared == licensed


def _consignee(payload: Payload, consignees: tuple[Party, ...]) -> bool:
    if not consignees or not (payload.consignee_id or payload.consignee_name):
        return True
    name = payload.consignee_name.casefold().strip()
    return any(
        (payload.consignee_id and payload.consignee_id == party.identification)
        or (name and name == party.name.casefold().strip())
        for party in consignees
    )


def _destination(declared: str, allowed: tuple[str, ...]) -> bool:
    return not declared or not allowed or declared in allowed or any(within_country(declared, c) for c in allowed)


def _bar(seen: Evaluation, licence: Licence, around: Circumstances) -> None:
    if not (around.barred and licence.type.is_eugea):
        return
    wanted = (licence.issuer, around.payload.exporter, seen.spec.document_code)
    day = reference_day(around.facts, seen.item.number, licence.issuer).isoformat()
    if any(bar[:3] == wanted and bar[3] <= day for bar in around.barred):
        seen.fail(Rule.HOLDER, "BARRED", "exporter", around.payload.exporter)


def _figures(seen: Evaluation, state: LicenceState, around: Circumstances) -> None:
    limits = [
        (dim, account)
        for line_no in ((0, seen.line_no) if seen.line_no else (0,))
        for dim in (Dim.QTY, Dim.VAL)
        if (account := state.limit(line_no, dim)) is not None
    ]
    seen.managed = bool(limits)
    if not limits:
        return
    seen.declared = declared_figures(seen.spec, seen.item, limits, around.policy)
    for rule, reason in seen.declared.problems:
        if not seen.failed or seen.failed[0][0] is not Rule.DECLARED:
            seen.failed.append((rule, reason))
    if not seen.declared.problems:
        seen.passed += (Rule.UNIT, Rule.FIGURES)
