"""Applying licence events: versions strictly increase, a cap below use is stored, revoked and cancelled are final."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.kernel.canonical import canonical_json, sha256_hex
from certex_bridge.kernel.dates import legal_day
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.kernel.identifiers import commodity_matches
from certex_bridge.kernel.numbering import normalised
from certex_bridge.ledger.domain.days import STRICT
from certex_bridge.ledger.domain.differences import differences, in_words
from certex_bridge.ledger.domain.journal import Entry
from certex_bridge.ledger.domain.model import WHOLE_LICENCE, ZERO, Account, Claim, Dim, Kind, LicenceState
from certex_bridge.ledger.domain.reasons import Incident
from certex_bridge.ledger.domain.redenomination import Plan, redenomination, restate
from certex_bridge.licensing.domain.caps import AccountCap, line_caps
from certex_bridge.licensing.domain.commands import FINAL, LicenceCommand
from certex_bridge.licensing.domain.licence import AuthorityStatus, Licence, LicenceLine
from certex_bridge.licensing.domain.originals import Received


class Verdict(StrEnum):
    """What became of a licence event."""

    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    """The sender is told every finding; nothing changed."""
    SUPERSEDED = "SUPERSEDED"
    """A lower version than the one in force."""
    ALREADY_DONE = "ALREADY_DONE"
    """The same version with the same content, under another event id."""
    CONFLICT = "CONFLICT"
    """The same version with other content: to quarantine."""
    KEPT = "KEPT"
    """An act on a licence that is not known: it takes effect with the licence's first content."""


@dataclass(slots=True)
class LicenceDecision:
    """Whether a licence event applies, and what the authority must hear."""

    verdict: Verdict
    findings: list[Finding] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    quarantine: str = ""
    """Reason code when the event must also be seen by an operator."""


Lines = Mapping[int, LicenceLine]
"""By line number: as they last were, of those that are in use and no longer in the licence."""


def judge(
    state: LicenceState, command: LicenceCommand, licence: Licence, former: Lines = MappingProxyType({})
) -> LicenceDecision:
    """Decide on a snapshot without changing anything; `former` are lines taken out while in use."""
    errors = [finding for finding in command.findings if finding.severity is Severity.ERROR]
    if errors:
        return LicenceDecision(Verdict.REFUSED, list(command.findings))
    findings = list(command.findings)
    if state.licence is not None and normalised(state.licence.number) != normalised(licence.number):
        return _refused(findings, "LICENCE_NUMBER_COLLISION", "number", f"{licence.number} and {state.licence.number}")
    if licence.version < state.version:
        return LicenceDecision(Verdict.SUPERSEDED, findings)
    if licence.version == state.version:
        if state.payload_sha256 == command.payload_sha256:
            return LicenceDecision(Verdict.ALREADY_DONE, findings)
        decision = _refused(findings, "CONFLICTING_DUPLICATE", "version", str(licence.version), Verdict.CONFLICT)
        told = in_words(differences(state.licence, licence))
        if told:
            findings[-1] = replace(findings[-1], message=f"{findings[-1].message} {told}")
        return decision
    if state.licence is not None:
        problem = _problem(state, state.licence, command, licence, former)
        if problem is not None:
            return _refused(findings, *problem)
        if licence.version > state.version + 1:
            sentence = "Versions in between never arrived."
            findings.append(_warning("VERSION_GAP", "version", str(licence.version), sentence))
    return LicenceDecision(Verdict.ACCEPTED, findings)


def _problem(
    state: LicenceState, held: Licence, command: LicenceCommand, licence: Licence, former: Lines
) -> tuple[str, str, str] | None:
    """Why a later version cannot follow on the one in force: (code, field, value)."""
    if held.status in FINAL and licence.status is not held.status:
        return "INVALID_TRANSITION", "status", f"{held.status} to {licence.status}"
    restated = redenomination(state, licence, _day(command.occurred_at, licence))
    return _clash(state, held, licence, former, restated)


def _refused(
    findings: list[Finding], code: str, about: str, value: str, verdict: Verdict = Verdict.REFUSED
) -> LicenceDecision:
    findings.append(Finding(code, about, value, _SENTENCES[code]))
    return LicenceDecision(verdict, findings, quarantine=code)


_SENTENCES = {
    "LICENCE_NUMBER_COLLISION": "Another licence of this issuer is known under a number that is compared as the same.",
    "CONFLICTING_DUPLICATE": "The same licence version arrived before with other content; the first stays in force.",
    "INVALID_TRANSITION": "Revoked and cancelled are final; the version in force stays.",
    "UNIT_CHANGED_WITH_USE": "The unit or currency of a line in use cannot change; the version in force stays.",
    "LINE_REUSED": "A line number in use cannot stand for other goods; the version in force stays.",
    "CONTROL_CHANGED_WITH_USE": "What is limited cannot change on a line in use; the version in force stays.",
    "SPLIT_EXCEEDS_REMAINDER": "The parts of a split are together more than the rest of the original licence.",
}


def _warning(code: str, about: str, value: str, sentence: str) -> Finding:
    return Finding(code, about, value, sentence, Severity.WARNING)


def _day(moment: datetime, licence: Licence) -> date:
    """The calendar day of the act, where the authority is."""
    return legal_day(moment, STRICT.zone(licence.issuer))


def _clash(
    state: LicenceState, old: Licence, new: Licence, former: Lines, restated: Plan
) -> tuple[str, str, str] | None:
    """What a new version may not do to a line in use: (code, field, value)."""
    caps = {(cap.line_no, Dim(cap.dim)): cap for cap in line_caps(new)}
    used_lines = set()
    for (line_no, dim), account in state.accounts.items():
        if account.reserved == 0 and account.consumed == 0:
            continue
        used_lines.add(line_no)
        before, after = old.line(line_no), new.line(line_no)
        if line_no and before is None and after is not None and not _same_goods(former.get(line_no), after):
            return "LINE_REUSED", f"lines[{line_no}]", str(line_no)
        cap = caps.get((line_no, dim))
        if cap is not None and cap.unit != account.unit and (line_no, dim) not in restated:
            return "UNIT_CHANGED_WITH_USE", f"lines[{line_no}].{dim}", f"{account.unit} to {cap.unit}"
        if cap is None and (line_no == 0 or new.line(line_no) is not None):
            return "CONTROL_CHANGED_WITH_USE", f"lines[{line_no}].control", dim.value
        if before and after and _other_goods(before.commodity_codes, after.commodity_codes):
            return "LINE_REUSED", f"lines[{line_no}].commodityCodes", ",".join(after.commodity_codes)
    for line_no, dim in caps:
        fresh = state.limit(line_no, dim) is None
        if fresh and used_lines and (line_no in used_lines or line_no == 0):
            return "CONTROL_CHANGED_WITH_USE", f"lines[{line_no}].control", dim.value
    return None


def _same_goods(before: LicenceLine | None, after: LicenceLine) -> bool:
    """Whether a line that comes back is the one that was taken out: by its codes, or else by its own words."""
    if before is None:
        return False
    if before.commodity_codes and after.commodity_codes:
        return not _other_goods(before.commodity_codes, after.commodity_codes)
    return (before.description, before.control_list) == (after.description, after.control_list)


def _other_goods(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    return bool(before and after) and not any(commodity_matches(a, b) for a in before for b in after)


class Issue(NamedTuple):
    """The event that a version comes from."""

    payload_sha256: str
    """Hash of its data."""
    occurred_at: datetime
    received: Received | None = None
    """The authority's own bytes; None where the content is that of the version before."""


def apply_version(
    entry: Entry, issue: Issue, licence: Licence, decision: LicenceDecision, claims: Iterable[Claim] = ()
) -> list[Claim]:
    """Put an accepted version in force: caps, then the version's own journal row with the hashes of its parts.

    `claims` are all claims on the licence that have a value; those that the version restates in euro are returned.
    """
    state = entry.state
    caps = {(cap.line_no, Dim(cap.dim)): cap for cap in line_caps(licence)}
    plan = redenomination(state, licence, _day(issue.occurred_at, licence))
    restated: list[Claim] = []
    if plan:
        restated, told = restate(entry, plan, claims)
        decision.findings += told
    for key, account in state.accounts.items():
        if key not in caps:
            _lower(entry, account, ZERO, decision, restated=key in plan)
            if account.over:
                sentence = "The line is gone from the licence but in use; it is kept with nothing authorised."
                decision.findings.append(_warning("LINE_REMOVED_WITH_USE", f"lines[{key[0]}]", "", sentence))
    for (line_no, dim), cap in caps.items():
        account = state.accounts.get((line_no, dim)) or _open(state, cap)
        if account.unit != cap.unit:
            account.unit = cap.unit
        _lower(entry, account, cap.cap, decision, restated=(line_no, dim) in plan)
    sha256, state.version, state.licence = issue.payload_sha256, licence.version, licence
    state.payload_sha256 = sha256
    hashes = f"sha256={sha256} content={content_hash(licence)}{_originals(issue.received, licence)}"
    entry.note(Kind.VERSION, f"version={licence.version} {hashes}")
    if licence.status is AuthorityStatus.CANCELLED and any(a.consumed for a in state.accounts.values()):
        decision.incidents.append(Incident.CANCELLED_WITH_USE)
    return restated


def content_hash(licence: Licence) -> str:
    """SHA-256 of a licence version's whole content, in hexadecimal: the journal's chain proves what is kept of it."""
    return sha256_hex(canonical_json(licence))


def _originals(received: Received | None, licence: Licence) -> str:
    """The hashes of what was issued: the journal's chain proves the bytes that are kept beside it."""
    document = licence.document
    text = f" original={received.sha256}" if received else ""
    return f"{text} document={document.sha256}" if document else text


def _open(state: LicenceState, cap: AccountCap) -> Account:
    account = Account(cap.line_no, Dim(cap.dim), cap.unit, ZERO)
    state.accounts[cap.line_no, account.dim] = account
    return account


def _lower(entry: Entry, account: Account, cap: Decimal, decision: LicenceDecision, *, restated: bool = False) -> None:
    """`restated`: the limit is written although its figure is the same, for its row says the unit."""
    if account.cap == cap and not restated:
        return
    entry.set_cap(account, cap)
    if account.over:
        sentence = "The authorised figure is below what is in use; nothing is dropped, nothing new is granted."
        about = f"lines[{account.line_no}].{account.dim}"
        decision.findings.append(_warning("CAP_BELOW_USE", about, format_decimal(account.over), sentence))
        if Incident.CAP_BELOW_USE not in decision.incidents:
            decision.incidents.append(Incident.CAP_BELOW_USE)


def split_fits(original: LicenceState, new_original: Licence, parts: tuple[Licence, ...]) -> bool:
    """Rule R23: the parts together take at most what was still available, and the original gives up that much.

    Counted per unit and currency, apart for the lines and for the licence as a whole (DU Art. 12(4): a licence with
    limits is split on request). A part that limits only one of the two takes as much of the other.
    """
    accounts = original.accounts.values()
    available = _totals((account.line_no, (account.dim, account.unit), account.available) for account in accounts)
    before = _totals((account.line_no, (account.dim, account.unit), account.cap) for account in accounts)
    after = _totals(_caps(new_original))
    given: Totals = {}
    for part in parts:
        for place, amount in _both_levels(_totals(_caps(part))).items():
            given[place] = given.get(place, ZERO) + amount
    limited = {measure for _, measure in before}
    return all(
        place not in before or amount <= min(available[place], before[place] - after.get(place, ZERO))
        for place, amount in given.items()
    ) and all(measure in limited for _, measure in given)


Measure = tuple[Dim, str]
Totals = dict[tuple[bool, Measure], Decimal]
"""By level (False: the licence as a whole, True: its lines) and by dimension with its unit or currency."""


def _caps(licence: Licence) -> Iterable[tuple[int, Measure, Decimal]]:
    return ((cap.line_no, (Dim(cap.dim), cap.unit), cap.cap) for cap in line_caps(licence))


def _totals(figures: Iterable[tuple[int, Measure, Decimal]]) -> Totals:
    totals: Totals = {}
    for line_no, measure, figure in figures:
        place = (line_no != WHOLE_LICENCE, measure)
        totals[place] = totals.get(place, ZERO) + figure
    return totals


def _both_levels(totals: Totals) -> Totals:
    """A limit at one level, as far as the other has none of its own, is a limit there too."""
    other = {(not of_lines, measure): amount for (of_lines, measure), amount in totals.items()}
    return other | totals
