"""Status pushes: whoever has an open interest in a licence hears of every change that bears on it.

IR (EU) 2024/2145 Art. 5(2); Regulation (EU) 2021/821 Art. 12(7) for a bar. One message is for one member state, so
that nobody reads the declarations of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from certex_bridge.kernel.identifiers import same_trader
from certex_bridge.ledger.commands import Command
from certex_bridge.ledger.ports import OpenClaim, StatusChange, Unit, bars_of
from certex_bridge.ledger.statuses import VALIDITY_SHORTENED, record_status
from certex_bridge.ledger.work import Work
from certex_bridge.licensing.domain.commands import LicenceCommand

EXPORTER_BARRED = "EXPORTER_BARRED"
"""Reason of a push to the claims of one exporter; the licence's own status is the same."""

_INTERESTED_MAX = 500
"""Open claims named in one status push; more make further pushes with the next dense versions."""

_MRN_LENGTH = 18


async def push_statuses(unit: Unit, work: Work) -> None:
    """Queue the pushes of this transaction, after its claims are written."""
    cited = {licence_id for licences in work.cited_by_barred.values() for licence_id in licences}
    claims = by_licence(await unit.open_claims(cited | work.status_changes.keys()))
    pushes = Work(work.documents, work.made_at, licences=work.licences, traces=work.traces)
    for licence_id, change in work.status_changes.items():
        same = work.licences[licence_id].status.value == change.old and change.reason != VALIDITY_SHORTENED
        if not same:
            _push(pushes, change, claims.get(licence_id, ()))
    for bar, cause in work.bars_told:
        codes = {one.document_code for one in bars_of(bar)}
        for licence_id in sorted(work.cited_by_barred.get(bar.bar_id, ())):
            status = work.licences[licence_id].status.value
            change = StatusChange(licence_id, status, EXPORTER_BARRED, cause.at, cause.event_id)
            open_claims = claims.get(licence_id, ())
            pushes.trace = work.traces.get(cause.event_id, "")
            if pushes.licences[licence_id].known:
                record_status(pushes, pushes.licences[licence_id], change, bar.eori)
            theirs = [one for one in open_claims if same_trader(one.exporter, bar.eori) and one.document_code in codes]
            _push(pushes, change, theirs)
    if pushes.changes.outbox or pushes.changes.status_records:
        await unit.write(pushes.changes)


def _push(pushes: Work, change: StatusChange, interested: Iterable[OpenClaim]) -> None:
    licence_id = change.licence_id
    pushes.trace = pushes.traces.get(change.event_id, "")
    state = pushes.licences[licence_id]
    by_state: dict[str, list[OpenClaim]] = {}
    for claim in interested:
        by_state.setdefault(member_state(claim.decl_id, claim.office), []).append(claim)
    for country, claims in sorted(by_state.items()):
        for start in range(0, len(claims), _INTERESTED_MAX):
            state.nv += 1
            pushes.touch(state)
            part: Sequence[OpenClaim] = claims[start : start + _INTERESTED_MAX]
            body = pushes.documents.status(state, change, country, part)
            pushes.send("notification", licence_id, state.nv, licence_id, body, change.at)


def member_state(declaration: str, office: str = "") -> str:
    """The declaration's member state: in its MRN; for a draft, that of the customs office it names (may be empty)."""
    is_mrn = len(declaration) == _MRN_LENGTH and "/" not in declaration
    return declaration[2:4] if is_mrn else office[:2]


def by_licence(claims: Iterable[OpenClaim]) -> dict[str, list[OpenClaim]]:
    """Open claims by licence."""
    found: dict[str, list[OpenClaim]] = {}
    for claim in claims:
        found.setdefault(claim.licence_id, []).append(claim)
    return found


async def cited_by_barred(unit: Unit, work: Work, commands: Iterable[Command]) -> set[str]:
    """Licences whose open claims must hear of a bar: the notification counts on the licence's row."""
    for command in commands:
        if isinstance(command, LicenceCommand) and command.bar is not None and not command.refused:
            bar = command.bar
            codes = {one.document_code for one in bars_of(bar)}
            work.cited_by_barred[bar.bar_id] = await unit.cited_licences(bar.issuer, bar.eori, codes)
    return {licence_id for cited in work.cited_by_barred.values() for licence_id in cited}
