"""What the rules say about one claim: a verdict per rule, and what a claim is judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache

from certex_bridge.ledger.domain.content import ClaimSpec, Item, Payload
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.figures import Declared
from certex_bridge.ledger.domain.model import LicenceState
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.reasons import Reason, Rule


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
    unplaced: bool = False
    """The licence has lines, and none of them is this claim's: what it would take is not known."""
    hopeless: bool = False
    """Nothing that may still arrive can make this claim possible."""
    declared: Declared = field(default_factory=Declared)
    day: date | None = None
    """The day that counts, once the licence is known."""
    rules_table: str = ""
    """Name and version of the rules table that the claim was judged by."""

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why the claim cannot be booked, in decision order."""
        return tuple(reason for _, reason in self.failed)

    def fail(self, rule: Rule, code: str, about: str = "", declared: str = "", available: str = "") -> None:
        """The rule refuses the claim."""
        self.failed.append((rule, Reason(code, about, declared, available)))

    def judge_figures(self, problems: list[tuple[Rule, Reason]]) -> None:
        """The verdict on the figures that count; replaces one on other figures (declared, then released)."""
        self.failed = [verdict for verdict in self.failed if verdict[0] not in (Rule.UNIT, Rule.FIGURES)]
        refused = {rule for rule, _ in problems}
        if not self.failed or self.failed[0][0] is not Rule.DECLARED:
            self.failed += problems
        self.passed = [rule for rule in self.passed if rule not in refused]
        self.passed += [rule for rule in (Rule.UNIT, Rule.FIGURES) if not problems and rule not in self.passed]

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
    """(issuer, EORI, document code, first day as ISO text or "") of exporters barred from general authorisations
    (DU Art. 12(7))."""
    holding: frozenset[str] = frozenset()
    """Licences that the declaration holds something of already."""
    licences: Mapping[str, LicenceState] = field(default_factory=dict)
    """All that were read for this decision: those cited, and those that they refer to."""
    shipments: dict[str, Decimal] = field(default_factory=dict)
    """Value of the whole declaration under one licence, once it was added up."""


@lru_cache(maxsize=1024)
def _missing(told: tuple[Rule, ...]) -> tuple[Rule, ...]:
    return tuple(rule for rule in Rule if rule not in told)


def not_tested(
    passed: Sequence[Rule], failed: Sequence[tuple[Rule, Reason]], warned: Sequence[tuple[Rule, Reason]]
) -> tuple[Rule, ...]:
    """The rules that had nothing to be tested on: with passed, failed and warned they are all rules, each once."""
    if not failed and not warned and len(passed) == len(Rule):
        return ()  # the everyday case
    return _missing((*passed, *(rule for rule, _ in failed), *(rule for rule, _ in warned)))
