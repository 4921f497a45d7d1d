"""The demo's hard cases: what must come of each, compared with what stands in the database; one is settled by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from certex_bridge.laboratory.cases import Balance
from certex_bridge.ledger.adapters.undecided import undecided_declaration
from certex_bridge.operations.identify import Identification, identify
from certex_bridge.operations.terminal import grouped
from certex_bridge.platform.postgres import load_queries

if TYPE_CHECKING:
    from certex_bridge.laboratory.cases import ByHand, Case
    from certex_bridge.operations.composition import Bridge

_BALANCES = """
SELECT a.licence_id, l.status, a.reserved, a.consumed, a.available
FROM account a JOIN licence l USING (licence_id)
WHERE a.licence_id = ANY($1::text[]) AND a.line_no = 1 AND a.dim = 'QTY'
"""
_CLAIMS = "SELECT decl_id, state, reasons FROM claim WHERE decl_id = ANY($1::text[])"
_TOLD = """
SELECT agg_id, convert_from(body, 'UTF8') AS body FROM outbox WHERE agg_type = $1 AND agg_id = ANY($2::text[])
"""
_ACTS = "SELECT licence_id, act FROM refused_licence_event WHERE licence_id = ANY($1::text[])"
_UNDECIDED = "SELECT decl_id FROM declaration WHERE undecided_since IS NOT NULL AND decl_id = ANY($1::text[])"

_OFFICER, _REASON = "DUTY-1", "the office of export named the trader"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came of one case."""

    name: str
    balances: Mapping[str, Balance | None]
    """By licence, as it stands; None: there is no such account."""
    seen: tuple[str, ...]
    """What else was expected and is so, in short sentences."""
    wrong: tuple[str, ...]
    """What is not as it must be; empty: everything is."""

    @property
    def ok(self) -> bool:
        """Whether everything came as it must."""
        return not self.wrong

    def as_document(self) -> dict[str, Any]:
        """As it is written to demo.json."""
        balances = {name: held._asdict() if held else None for name, held in self.balances.items()}
        return asdict(self) | {"balances": balances, "ok": self.ok}


async def settle_by_hand(bridge: Bridge, cases: Sequence[Case]) -> dict[str, str]:
    """Let an officer say of each undecided declaration which lodging it was, as `declaration identify` does.

    Returns what was not as it must be before, by case; the records are taken in, what they set free may still be woken.
    """
    wrong = {}
    for case in cases:
        if case.by_hand is not None:
            wrong[case.name] = await _settle(bridge, case.by_hand)
    return {name: sentence for name, sentence in wrong.items() if sentence}


async def _settle(bridge: Bridge, told: ByHand) -> str:
    query = load_queries("certex_bridge.ledger.adapters.sql", "mismatches.sql")["undecided_one"]
    row = await bridge.pool.fetchrow(query, told.mrn)
    if row is None:
        return f"{told.mrn} was not undecided before an officer settled it"
    found = undecided_declaration(row)
    candidates = tuple(one.exporter for one in found.candidates)
    if candidates != told.candidates:
        return f"{told.mrn} could be {', '.join(candidates) or 'nothing'}, not {', '.join(told.candidates)}"
    lodged = next(one for one in found.candidates if one.exporter == told.exporter)
    said = Identification(found.mrn, found.lrn, lodged.exporter, _OFFICER, _REASON, lodged.lodged_event)
    fate = await identify(bridge.settings, said)
    return "" if fate.ok else f"{told.mrn} could not be settled by hand"


async def case_results(pool: Any, cases: Sequence[Case], before: Mapping[str, str]) -> tuple[CaseResult, ...]:
    """Compare; `before` is what was found wrong before they were settled by hand."""
    licences = [name for case in cases for name in case.expected.balances]
    declarations = [name for case in cases for name in (*case.expected.refused, *case.expected.findings)]
    declarations += [case.by_hand.mrn for case in cases if case.by_hand is not None]
    held = _Held(
        {row["licence_id"]: dict(row) for row in await pool.fetch(_BALANCES, licences)},
        await pool.fetch(_CLAIMS, declarations),
        [*await pool.fetch(_TOLD, "incident", licences), *await pool.fetch(_TOLD, "outcome", declarations)],
        {row["licence_id"]: row["act"] for row in await pool.fetch(_ACTS, licences)},
        {row["decl_id"] for row in await pool.fetch(_UNDECIDED, declarations)},
    )
    return tuple([held.result(case, before.get(case.name, "")) for case in cases])


@dataclass(frozen=True, slots=True)
class _Held:
    """What the database says about all cases."""

    licences: Mapping[str, Mapping[str, Any]]
    claims: Sequence[Mapping[str, Any]]
    told: Sequence[Mapping[str, Any]]
    acts: Mapping[str, str]
    undecided: set[str]

    def result(self, case: Case, before: str) -> CaseResult:
        """One case."""
        expected = case.expected
        balances = {name: self._balance(name) for name in expected.balances}
        wrong = [before] if before else []
        wrong += [
            f"{name} must hold {_words(expected.balances[name])}"
            for name, balance in balances.items()
            if balance != expected.balances[name]
        ]
        checked = [*self._checks(case)]
        wrong += [sentence for sentence, true in checked if not true]
        return CaseResult(case.name, balances, tuple([one for one, true in checked if true]), tuple(wrong))

    def _checks(self, case: Case) -> list[tuple[str, bool]]:
        """Sentences, and whether they are true."""
        expected = case.expected
        found = []
        for name in expected.balances:
            status = expected.statuses.get(name, "Valid")
            true = self.licences.get(name, {}).get("status") == status
            if status != "Valid" or not true:
                found.append((f"{name} is {status}", true))
        for name, reason in expected.refused.items():
            own = [claim for claim in self.claims if claim["decl_id"] == name]
            refused = all(claim["state"] == "REFUSED" and reason in claim["reasons"].split() for claim in own)
            found.append((f"refused: {reason}", bool(own) and refused))
        found += [(f"act {act}", self.acts.get(name) == act) for name, act in expected.acts.items()]
        for name, code in expected.incidents.items():
            found.append((f"incident {code}", self._says(name, code)))
        for name, code in expected.findings.items():
            found.append((f"told {code}", self._says(name, code)))
        if case.by_hand is not None:
            found.append(("settled by hand", case.by_hand.mrn not in self.undecided))
        return list(dict.fromkeys(found))

    def _balance(self, name: str) -> Balance | None:
        row = self.licences.get(name)
        return Balance(row["reserved"], row["consumed"], row["available"]) if row else None

    def _says(self, name: str, code: str) -> bool:
        return any(row["agg_id"] == name and code in row["body"] for row in self.told)


def _words(balance: Balance) -> str:
    return ", ".join(f"{grouped(figure)} {name}" for name, figure in balance._asdict().items())
