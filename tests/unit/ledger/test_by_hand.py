"""What stays of a decision by hand: who answers for it, in canonical JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from certex_bridge.ledger.domain.facts import Decision, Override
from certex_bridge.ledger.domain.override import detail
from certex_bridge.ledger.domain.stamps import Stamp
from certex_bridge.licensing.domain.writeoff import Evidence

STAMP = Stamp(datetime(2026, 3, 1, tzinfo=UTC), "e1")


def test_the_journal_keeps_officer_reason_and_evidence() -> None:
    override = Override(1, 1, STAMP, Decision.REFUSE, "O-1", "Zoll prüft|selbst")
    assert detail(override) == '{"decision":"REFUSE","officer":"O-1","reason":"Zoll prüft|selbst"}'
    proven = replace(override, evidence=Evidence("NOTE", "17", "2026-03-01"))
    assert json.loads(detail(proven))["evidence"] == {"type": "NOTE", "number": "17", "date": "2026-03-01"}
