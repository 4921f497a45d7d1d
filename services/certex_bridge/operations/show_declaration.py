"""What the ledger holds of a declaration: what customs said, what each claim came to, and what it moved."""

from __future__ import annotations

import json
from typing import Any

from certex_bridge.ledger.adapters.undecided import UndecidedDeclaration, undecided_declaration
from certex_bridge.operations.outcome_told import OUTCOMES, Told, findings_of, verdicts_of
from certex_bridge.operations.reading import NotFound
from certex_bridge.platform.postgres import load_queries

_DECLARATION = """
SELECT decl_id, dv, facts, waiting_for, joined, lrn, exporter, state FROM declaration WHERE decl_id = $1
"""
_CLAIMS = """
SELECT item, doc_seq, licence_id, line_no, document_code, state, outcome, reasons, source,
       q_req, q_res, q_cons, q_unc, v_req, v_res, v_cons, v_unc,
       coalesce((SELECT unit FROM account a WHERE dim = 'QTY' AND a.licence_id = c.licence_id
                 AND a.line_no IN (0, c.line_no) ORDER BY a.line_no DESC LIMIT 1), '') AS unit,
       coalesce((SELECT unit FROM account a WHERE dim = 'VAL' AND a.licence_id = c.licence_id
                 AND a.line_no IN (0, c.line_no) ORDER BY a.line_no DESC LIMIT 1), '') AS currency
FROM claim c WHERE decl_id = $1 ORDER BY item, doc_seq, licence_id, line_no
"""
_MOVEMENTS = """
SELECT at, kind, licence_id, line_no, dim, claim, d_res, d_cons, detail, lv, seq FROM movement
WHERE licence_id = ANY($1::text[]) AND starts_with(claim, $2) ORDER BY at, licence_id, lv, seq
"""
_SAID = ("lodged", "presented", "accepted", "invalidated", "rejected", "exited", "not_presented", "recheck")


async def declaration_view(database: Any, decl_id: str) -> dict[str, Any]:
    """Everything about one declaration.

    Raises:
        NotFound: the ledger does not know it.
    """
    row = await database.fetchrow(_DECLARATION, decl_id)
    if row is None:
        raise NotFound(f"No declaration {decl_id} is known.")
    claims = [dict(one) for one in await database.fetch(_CLAIMS, decl_id)]
    licences = sorted({claim["licence_id"] for claim in claims})
    movements = [dict(one) for one in await database.fetch(_MOVEMENTS, licences, f"{decl_id}#")]
    queries = load_queries("certex_bridge.ledger.adapters.sql", "mismatches.sql")
    undecided = await database.fetchrow(queries["undecided_one"], decl_id)
    facts: dict[str, Any] = json.loads(row["facts"]) if row["facts"] else {}
    outcomes = await database.fetch(OUTCOMES, decl_id)
    verdicts: dict[tuple[int, int, str], list[Told]] = {}
    for outcome in outcomes:
        verdicts |= verdicts_of(bytes(outcome["body"]), judged=True)
    return {
        "declaration": decl_id,
        "state": row["state"],
        "exporter": row["exporter"],
        "lrn": row["lrn"],
        "mrn": facts.get("mrn", ""),
        "outcomesPublished": row["dv"],
        "joined": row["joined"],
        "waitingFor": json.loads(row["waiting_for"]),
        "undecided": _undecided(undecided_declaration(undecided)) if undecided else None,
        "said": [{"fact": name, "at": facts[name]["occurred_at"]} for name in _SAID if facts.get(name)]
        + _releases(facts)
        + _by_hand(facts),
        "findings": _findings(outcomes),
        "claims": [
            claim
            | {"reasons": claim["reasons"].split()}
            | {"verdicts": verdicts.get((claim["item"], claim["doc_seq"], claim["licence_id"]), [])}
            for claim in claims
        ],
        "movements": movements,
    }


def _undecided(one: UndecidedDeclaration) -> dict[str, Any]:
    """Since when nobody can tell its content, why, what it could be and the command that settles it as that."""
    return {
        "since": one.since,
        "code": one.code,
        "field": "lrn",
        "value": one.lrn,
        "message": one.message,
        "candidates": [
            {
                "exporter": candidate.exporter,
                "lodgedEvent": candidate.lodged_event,
                "lodgedAt": candidate.lodged_at,
                "command": one.command(candidate),
            }
            for candidate in one.candidates
        ],
    }


def _findings(outcomes: list[Any]) -> list[dict[str, Any]]:
    """What was ever remarked on a message about this declaration: each once, with the outcome that told it first."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in outcomes:
        for one in findings_of(bytes(row["body"])):
            found.setdefault(tuple(one.values()), one | {"outcomeVersion": row["agg_ver"], "at": row["at"]})
    return list(found.values())


def _by_hand(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """What officers decided, and write-offs that were captured."""
    told = []
    for one in facts.get("overrides", ()):
        place = ".".join(str(number) for number in (one["item"], one["doc_seq"]) if number)
        what = f"override {one['decision']}" + (f", claim {place}" if place else "")
        told.append({"fact": f"{what}, {one['officer']}: {one['reason']}", "at": one["stamp"]["occurred_at"]})
    for one in facts.get("captured", ()):
        paper = one["write_off"]
        what = f"{paper['source']} write-off of {paper['licence_id']}"
        told.append({"fact": f"{what}, {paper['officer']}: {paper['reason']}", "at": one["stamp"]["occurred_at"]})
    return told


def answerable(detail: str) -> str:
    """Who answers for a movement, why and on what evidence; empty for movements that no person decided."""
    if not detail.startswith("{"):
        return ""
    told: dict[str, Any] = json.loads(detail)
    evidence = " ".join(told.get("evidence", {}).values())
    proof = f" ({evidence})" if evidence else ""
    return f"{told['officer']}: {told['reason']}{proof}"


def _releases(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """The last word on each item (0: all of them)."""
    return [
        {
            "fact": ("released" if release["released"] else "not released") + (f", item {item}" if item else ""),
            "at": release["stamp"]["occurred_at"],
        }
        for item, release in facts.get("releases", ())
    ]
