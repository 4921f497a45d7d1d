"""Service levels as Prometheus rules: recording rules per window, and multi-window multi-burn-rate alerts.

The names and shapes are those of sloth, so that its dashboards read them. A burn rate of 1 uses the budget up in the
thirty days; a page comes when a short and a long window agree that 2 % of it went in an hour or 5 % in six, a ticket
when 10 % went in a day or three.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Rule = dict[str, Any]

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
BURNS = {"page": ((14.4, "5m", "1h"), (6, "30m", "6h")), "ticket": ((3, "2h", "1d"), (1, "6h", "3d"))}
"""Burn rate, short window, long window."""


@dataclass(frozen=True, slots=True)
class Slo:
    """A share of observations that must lie within a bound of a histogram."""

    name: str
    alert: str
    objective: float
    """Percent of thirty days."""
    metric: str
    """Histogram, with prefix."""
    bound: str
    """The bucket's label `le`."""
    summary: str
    description: str
    matchers: str = ""

    @property
    def budget(self) -> float:
        """The share that may miss the bound."""
        return round(1 - self.objective / 100, 6)

    def error_ratio(self, window: str) -> str:
        """Share of the window's observations beyond the bound; no value without observations."""
        more = f", {self.matchers}" if self.matchers else ""
        within = f'{self.metric}_bucket{{le="{self.bound}"{more}}}'
        count = f"{self.metric}_count" + (f"{{{self.matchers}}}" if self.matchers else "")
        total = f"sum by (namespace) (rate({count}[{window}]))"
        # The bucket may be a sample ahead of the count: never less than nothing.
        missed = f"clamp_min({total} - sum by (namespace) (rate({within}[{window}])), 0)"
        return f"{missed} / ({total} > 0)"


SLOS = (
    Slo(
        "issue-to-certificate",
        "LicenceCertificatesLate",
        99.9,
        "certex_bridge_event_to_certificate_seconds",
        "300.0",
        "Certificates of licences reach the single window later than five minutes",
        "Customs see new and changed licences late: declarants may stand at the border with a licence nobody finds. "
        "Look first at where it waits: the outbox (no relay, a broker that refuses) or the intake (lag).",
    ),
    Slo(
        "accepted-to-outcome",
        "DeclarationOutcomesLate",
        99.9,
        "certex_bridge_event_to_outcome_seconds",
        "120.0",
        "Outcomes of declarations reach customs later than two minutes",
        "Customs wait for the answer on quantities; releases may be held up. "
        "Look first at where it waits: the outbox (no relay, a broker that refuses) or the intake (lag).",
    ),
    Slo(
        "check-latency",
        "AvailabilityChecksSlow",
        99.0,
        "certex_bridge_gateway_request_seconds",
        "0.05",
        "Availability checks take longer than 50 milliseconds",
        "Clearance waits for each check over HTTPS. Look first at the database (locks, disk, connections) and at the "
        "gateway's event loop.",
        'operation="checkAvailability"',
    ),
)


def recording(slo: Slo) -> list[Rule]:
    """Error ratios by window, and the figures of the budget."""
    labels = {"slo": slo.name}
    chosen = f'{{slo="{slo.name}"}}'
    rules = [{"record": f"slo:sli_error:ratio_rate{w}", "expr": slo.error_ratio(w), "labels": labels} for w in WINDOWS]
    thirty_days = f"sum_over_time(slo:sli_error:ratio_rate5m{chosen}[30d])"
    seen = f"count_over_time(slo:sli_error:ratio_rate5m{chosen}[30d])"
    more = {
        "slo:sli_error:ratio_rate30d": f"{thirty_days} / {seen}",
        "slo:objective:ratio": f"vector({round(slo.objective / 100, 6)})",
        "slo:error_budget:ratio": f"vector({slo.budget})",
        "slo:current_burn_rate:ratio": f"slo:sli_error:ratio_rate5m{chosen} / {slo.budget}",
        "slo:period_burn_rate:ratio": f"slo:sli_error:ratio_rate30d{chosen} / {slo.budget}",
        "slo:period_error_budget_remaining:ratio": f"1 - slo:period_burn_rate:ratio{chosen}",
    }
    return [*rules, *({"record": name, "expr": expr, "labels": labels} for name, expr in more.items())]


def burn_expression(slo: Slo, severity: str) -> str:
    """Both windows of one of the pairs beyond their burn rate."""
    pairs = []
    for burn, short, long in BURNS[severity]:
        limit = f"({burn} * {slo.budget})"
        parts = [f'slo:sli_error:ratio_rate{w}{{slo="{slo.name}"}} > {limit}' for w in (short, long)]
        pairs.append(f"({' and '.join(parts)})")
    return " or ".join(pairs)
