"""Comparisons of declaration and licence that the law leaves to customs: reported, or enforced where settings say so.

A bar is no comparison: it refuses (Regulation (EU) 2021/821 Art. 12(7)).
"""

from __future__ import annotations

from datetime import date

from certex_bridge.kernel.countries import same_country, within_country
from certex_bridge.kernel.identifiers import commodity_matches, eori_twins, same_trader
from certex_bridge.ledger.domain.content import Payload
from certex_bridge.ledger.domain.evaluation import Circumstances, Evaluation
from certex_bridge.ledger.domain.reasons import Rule
from certex_bridge.licensing.domain.documents import TRANSIT_TYPES
from certex_bridge.licensing.domain.eugea import eugea_allows
from certex_bridge.licensing.domain.licence import Licence, LicenceLine, Party, is_eugea


def compare(seen: Evaluation, licence: Licence, around: Circumstances, day: date) -> None:
    """Procedure, holder, consignee, destination, goods and origin; `day` is the one that counts."""
    payload, item = around.payload, seen.item
    declared = procedure_declared(item.procedure, payload.declaration_type)
    if not names_procedure(licence.procedures, declared):
        seen.passed.remove(Rule.PROCEDURE)  # customs check such licences under it, and this one does not name it
        _compare(seen, around, Rule.PROCEDURE, False, declared, licence.procedures)  # noqa: FBT003  # the parameter is named in the lines above
    holder = licence.holder.identification
    if around.barred and is_eugea(licence.type) and is_barred(seen, licence.issuer, around, day):
        seen.fail(Rule.HOLDER, "BARRED", "exporter", payload.exporter)
    elif not _agree(payload.exporter, holder) and around.policy.must_register(licence.issuer, seen.spec.document_code):
        seen.fail(Rule.HOLDER, "NOT_REGISTERED", "exporter", payload.exporter, holder)
    else:
        _compare(seen, around, Rule.HOLDER, _agree(payload.exporter, holder), payload.exporter, holder)
    named = payload.consignee_id or payload.consignee_name
    _compare(seen, around, Rule.CONSIGNEE, is_named(payload, licence.consignees), named, "")
    destination = item.destination or payload.destination
    if destination and not eugea_allows(licence.type, destination, day):
        # Not a comparison with what an exporter registered: the Regulation itself opens no other destination.
        seen.fail(Rule.DESTINATION, "DESTINATION_MISMATCH", "destination", destination, licence.type)
    else:
        allowed = licence.destinations + licence.consignment_countries
        _compare(seen, around, Rule.DESTINATION, _destination(destination, allowed), destination, allowed)
    line = licence.line(seen.line_no)
    if line is None:
        return
    _compare(seen, around, Rule.COMMODITY, covers(line, item.commodity), item.commodity, line.commodity_codes)
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
    return not declared or not licensed or same_trader(declared, licensed)


def is_named(payload: Payload, consignees: tuple[Party, ...]) -> bool:
    """Whether the declared consignee is one of these; true where one side says nothing."""
    if not consignees or not (payload.consignee_id or payload.consignee_name):
        return True
    name = payload.consignee_name.casefold().strip()
    return any(
        (payload.consignee_id and same_trader(payload.consignee_id, party.identification))
        or (name and name == party.name.casefold().strip())
        for party in consignees
    )


def _destination(declared: str, allowed: tuple[str, ...]) -> bool:
    return not declared or not allowed or declared in allowed or any(within_country(declared, c) for c in allowed)


def procedure_declared(procedure: str, declaration_type: str) -> str:
    """What a declaration states where a licence names its procedures: 11 01 in transit, else 11 09."""
    return declaration_type if declaration_type in TRANSIT_TYPES else procedure


def names_procedure(named: tuple[str, ...], declared: str) -> bool:
    """Whether a licence is for this procedure (form box 21); true where one side says nothing.

    A requested procedure alone, two digits, goes with every previous one.
    """
    if not named or not declared:
        return True
    if declared in TRANSIT_TYPES:
        return declared in named
    return any(declared.startswith(one) or one.startswith(declared) for one in named)


def is_barred(seen: Evaluation, issuer: str, around: Circumstances, day: date) -> bool:
    """Whether a bar on the exporter had begun on the day that counts (Regulation (EU) 2021/821 Art. 12(7))."""
    if not around.barred:
        return False
    exporter, on = around.payload.exporter, day.isoformat()
    who = {(issuer, eori, seen.spec.document_code) for eori in eori_twins(exporter)}
    return any(bar[:3] in who and bar[3] <= on for bar in around.barred)


def covers(line: LicenceLine, commodity: str) -> bool:
    """Whether a licence line is about this commodity code; a line without codes is about all goods."""
    return not line.commodity_codes or any(commodity_matches(code, commodity) for code in line.commodity_codes)
