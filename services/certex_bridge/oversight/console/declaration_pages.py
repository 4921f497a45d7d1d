"""A declaration: what customs said, every claim with every rule's verdict, what moved, what was answered."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from certex_bridge.ledger.adapters.undecided import undecided_declaration
from certex_bridge.ledger.domain.reasons import SENTENCES
from certex_bridge.oversight.console.papers import outcomes, paper
from certex_bridge.oversight.console.web import Stopped, Visit, page

if TYPE_CHECKING:
    from starlette.responses import Response

    from certex_bridge.oversight.console.reading import Picture, Reading

_SAID = ("lodged", "presented", "accepted", "invalidated", "rejected", "exited", "not_presented", "recheck")


class DeclarationPages:
    """One address per declaration."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def show(self, visit: Visit) -> Response:
        """The declaration, or with `outcome` one answer that went to customs."""
        decl_id = visit.request.path_params["id"]
        async with self._reading.picture() as seen:
            known = await seen.row("declaration", decl_id)
            if known is None:
                raise Stopped(404, "unknown", decl_id)
            claims = await seen.rows("claims", decl_id)
            facts: dict[str, Any] = json.loads(known.pop("facts") or b"{}")
            sight, state = visit.person.sight, _state_of(decl_id, facts)
            whole = sight.declaration(state)
            claims = [claim for claim in claims if sight.claim(claim["licence_id"], state)]
            if not whole and not claims:
                raise Stopped(403, "foreign", decl_id)
            undecided = await seen.row("ledger.undecided_one", decl_id) if whole else None
            moved = await _movements(seen, decl_id, claims)
            answers = await seen.rows("outcome_versions", decl_id) if whole else []
            chosen = visit.number("outcome")
            raw = await seen.value("outcome", decl_id, chosen or known["dv"])
        told = outcomes(bytes(raw)) if raw else {}
        document = None
        if chosen and whole and raw:
            document = await asyncio.to_thread(paper, bytes(raw), "quantity-movement")
        return page(
            visit,
            "declaration.html",
            known=known | {"waiting_for": json.loads(known["waiting_for"])},
            mrn=facts.get("mrn", ""),
            said=sorted(said(facts), key=lambda one: str(one["at"])),
            claims=[claim | {"outcome_told": told.get(_place(claim))} for claim in claims],
            undecided=undecided_declaration(undecided) if undecided else None,
            movements=moved,
            answers=answers,
            chosen=chosen,
            document=document,
            sentences=SENTENCES,
        )


def _place(claim: dict[str, Any]) -> tuple[int, int, str, int]:
    return claim["item"], claim["doc_seq"], claim["licence_id"], claim["line_no"]


def _state_of(decl_id: str, facts: dict[str, Any]) -> str:
    """Where it was declared: the MRN says it, before there is one the exporter's number."""
    mrn = str(facts.get("mrn") or ("" if "/" in decl_id else decl_id))
    return mrn[2:4] if mrn else decl_id[:2]


async def _movements(seen: Picture, decl_id: str, claims: list[dict[str, Any]]) -> list[dict[str, Any]]:
    licences = sorted({claim["licence_id"] for claim in claims})
    rows = await seen.rows("movements", licences, f"{decl_id}#") if licences else []
    return [row | {"by": answerable(row["detail"])} for row in rows]


def answerable(detail: str) -> str:
    """Who answers for a movement that a person decided, and why."""
    if not detail.startswith("{"):
        return ""
    told: dict[str, Any] = json.loads(detail)
    return f"{told.get('officer', '')}: {told.get('reason', '')}"


def said(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """What customs said, each fact with its moment, and what officers decided."""
    told: list[dict[str, Any]] = [
        {"fact": name, "at": facts[name]["occurred_at"], "about": ""} for name in _SAID if facts.get(name)
    ]
    for item, release in facts.get("releases", ()):
        fact = "released" if release["released"] else "not_released"
        told.append({"fact": fact, "at": release["stamp"]["occurred_at"], "about": str(item) if item else ""})
    for one in facts.get("overrides", ()):
        about = f"{one['decision']}, {one['officer']}: {one['reason']}"
        told.append({"fact": "override", "at": one["stamp"]["occurred_at"], "about": about})
    for one in facts.get("captured", ()):
        written = one["write_off"]
        about = f"{written['licence_id']}, {written['officer']}: {written['reason']}"
        told.append({"fact": "captured", "at": one["stamp"]["occurred_at"], "about": about})
    return told
