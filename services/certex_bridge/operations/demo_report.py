"""The demo's closing tables, and the same as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from certex_bridge.laboratory.cases import Balance
from certex_bridge.operations.terminal import colour, count, grouped, say, table

if TYPE_CHECKING:
    from rich.table import Table

    from certex_bridge.laboratory.day import Day
    from certex_bridge.operations.demo_cases import CaseResult
    from certex_bridge.operations.demo_facts import Facts

DOCUMENTS_WRITTEN = 200
"""Certificates, and outcomes, that are written to files: the newest ones."""

_FIRST = frozenset({1})


@dataclass(frozen=True, slots=True)
class WaveTime:
    """How long a wave took from its first record sent to its last record taken in."""

    name: str
    records: int
    seconds: float

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the verifier found."""

    ok: bool
    checks: tuple[tuple[str, bool, int, str], ...]
    """(name, passed, rows examined, detail)."""
    seconds: float


@dataclass(frozen=True, slots=True)
class HttpResult:
    """What came of the declarations that were cleared over HTTP."""

    rows: list[dict[str, Any]]
    """Calls by function and outcome; every one was answered as the customs side expected."""
    pushes: dict[str, int]
    """Pushes received and verified, by messageType."""
    pushes_refused: dict[str, int]
    """Pushes that were not taken, by reason."""
    declarations: int
    seconds: float
    """Spent on the calls of the waves."""

    @property
    def calls(self) -> int:
        """Calls that were answered."""
        return sum(row["calls"] for row in self.rows)


@dataclass(frozen=True, slots=True)
class DemoResult:
    """Everything the demo has to say."""

    day: Day
    facts: Facts
    waves: tuple[WaveTime, ...]
    verdict: Verdict
    seed: int
    seconds: float
    """From the first record sent to the last message published."""
    set_up_seconds: float
    written: dict[str, int]
    """Files by folder."""
    http: HttpResult
    cases: tuple[CaseResult, ...] = ()

    @property
    def ok(self) -> bool:
        """Every invariant holds, every record is accounted for, every push was signed, every hard case came right."""
        balanced = all(balance.holds for balance in self.facts.balances)
        right = all(case.ok for case in self.cases)
        return self.verdict.ok and self.facts.accounted and balanced and right and not self.http.pushes_refused


def show(result: DemoResult) -> None:
    """Print the closing tables."""
    from rich.columns import Columns

    facts = result.facts
    say()
    say(Columns(list(_sent(result.day.sent())), padding=(0, 4)))
    say(Columns([_answers(facts), _quarantine(facts), _licences(facts), _messages(facts)], padding=(0, 4)))
    say(_claims(facts))
    say(_http(result.http))
    say(_balances(facts))
    say(_cases(result.cases))
    say(_times(result))
    say(_checks(result))
    _last_lines(result)


def _sent(sent: Counter[str]) -> Iterator[Table]:
    """What the laboratory counted itself, in three tables."""
    customs = {label: number for label, number in sent.items() if label.startswith("declaration ")}
    bad = {label: number for label, number in sent.items() if label in _ODD}
    rest = {label: number for label, number in sent.items() if label not in customs and label not in bad}
    for title, part in (("Sent by licensing", rest), ("Sent by customs", customs), ("Sent by mistake", bad)):
        made = table(title, "event", "records", numbers=_FIRST)
        for label, number in sorted(part.items(), key=lambda pair: -pair[1]):
            made.add_row(label.removeprefix("declaration "), count(number))
        yield made


_ODD = frozenset(
    {
        "a key twice", "from the future", "impossible MRN", "lower version", "malformed JSON", "many findings",
        "no event id", "no identity", "null value", "same content, new id", "same id, other content",
        "same id, same content", "same version, other content", "unknown type", "wrong schema",
    }
)  # fmt: skip


def _pairs(title: str, name: str, values: dict[str, int]) -> Table:
    made = table(title, name, "", numbers=_FIRST)
    for label, number in values.items():
        made.add_row(colour(label), count(number))
    return made


def _answers(facts: Facts) -> Table:
    return _pairs("Events answered", "answer", facts.answers)


def _quarantine(facts: Facts) -> Table:
    return _pairs("In quarantine", "code", facts.quarantined)


def _licences(facts: Facts) -> Table:
    return _pairs("Licences", "status", facts.licences)


def _messages(facts: Facts) -> Table:
    return _pairs("Published", "message", facts.messages)


def _claims(facts: Facts) -> Table:
    made = table("Claims by outcome and first reason", "outcome", "reason", "claims", numbers=frozenset({2}))
    for outcome, reason, number in facts.claims:
        made.add_row(colour(outcome), reason, count(number))
    return made


def _http(http: HttpResult) -> Table:
    made = table(
        f"Customs over HTTP: {count(http.declarations)} declarations, every answer as expected",
        "function", "outcome", "calls", "p50 ms", "p99 ms", numbers=frozenset({2, 3, 4}),
    )  # fmt: skip
    last = ""
    for row in http.rows:
        shown = row["function"] if row["function"] != last else ""
        times = [f"{row[name]:.1f}" if name in row else "" for name in ("p50", "p99")]
        made.add_row(shown, colour(row["outcome"]), count(row["calls"]), *times)
        last = row["function"]
    made.add_section()
    for kind, number in sorted(http.pushes.items()):
        made.add_row("F2 push", f"{_PUSHES.get(kind, kind)}, signature verified", count(number), "", "")
    for reason, number in sorted(http.pushes_refused.items()):
        made.add_row("F2 push", f"[red]{reason}[/]", count(number), "", "")
    return made


_PUSHES = {"CBSTCH": "status change", "LST002": "list", "NOT002": "notice"}
"""Pushes by messageType."""


def _balances(facts: Facts) -> Table:
    made = table(
        "Issued + over = available + reserved + consumed, exactly",
        "", "unit", "accounts", "issued", "over", "available", "reserved", "consumed", "",
        numbers=frozenset(range(2, 8)),
    )  # fmt: skip
    for one in facts.balances:
        figures = (one.cap, one.over, one.available, one.reserved, one.consumed)
        sign = "[green]✓[/]" if one.holds else "[red]✗[/]"
        dimension = "quantity" if one.dim == "QTY" else "value"
        made.add_row(dimension, one.unit, count(one.accounts), *map(grouped, figures), sign)
    return made


def _cases(cases: Sequence[CaseResult]) -> Table:
    """What is wrong stands in red beside what was seen."""
    made = table(
        "Lives in which a wrong answer is easy: licences for 100 pieces each, every figure as the law asks for",
        "what happened", "reserved", "consumed", "available", "besides", "",
        numbers=frozenset({1, 2, 3}),
    )  # fmt: skip
    for case in cases:
        held = list(case.balances.values())
        columns = [
            "\n".join(grouped(one[place]) if one else "none" for one in held) for place in range(len(Balance._fields))
        ]
        wrong = [f"[red]wrong: {escape(one)}[/]" for one in case.wrong]
        besides = "\n".join([*map(escape, case.seen), *wrong])
        made.add_row(escape(case.name), *columns, besides, "[green]✓[/]" if case.ok else "[red]✗[/]")
    return made


def _times(result: DemoResult) -> Table:
    made = table("Time", "wave", "records", "seconds", "records/s", numbers=frozenset({1, 2, 3}))
    for wave in result.waves:
        made.add_row(wave.name, count(wave.records), f"{wave.seconds:.2f}", count(round(wave.rate)))
    total = sum(wave.records for wave in result.waves)
    calls, spent = result.http.calls, result.http.seconds
    made.add_row("calls over HTTP", count(calls), f"{spent:.2f}", count(round(calls / spent)) if spent else "")
    made.add_section()
    made.add_row("until all was published", count(total), f"{result.seconds:.2f}", count(_rate(total, result)))
    movements = result.facts.totals["movements"]
    made.add_row("journal entries", count(movements), "", count(_rate(movements, result)))
    messages = sum(result.facts.messages.values())
    made.add_row("messages published", count(messages), "", count(_rate(messages, result)))
    return made


def _rate(number: int, result: DemoResult) -> int:
    return round(number / result.seconds) if result.seconds else 0


def _checks(result: DemoResult) -> Table:
    made = table("Verifier", "", "check", "rows", "found", numbers=frozenset({2}))
    for name, passed, examined, detail in result.verdict.checks:
        made.add_row("[green]✓[/]" if passed else "[red]✗[/]", name, count(examined), detail)
    facts = result.facts
    missing = f"{len(facts.unanswered)} without answer, {facts.lost} lost"
    found = "answered, recognised as repeated, or in quarantine" if facts.accounted else missing
    made.add_row(
        "[green]✓[/]" if facts.accounted else "[red]✗[/]",
        "records accounted for",
        count(len(result.day.messages)),
        found,
    )
    made.add_row("[green]✓[/]", "calls over HTTP", count(result.http.calls), "answered as customs expected")
    return made


def _last_lines(result: DemoResult) -> None:
    written = ", ".join(f"{number} in {folder}" for folder, number in result.written.items())
    say(f"Documents written (the newest {DOCUMENTS_WRITTEN} of each kind at most): {written}")
    if result.ok:
        say(f"[bold green]OK[/]  every invariant holds ({result.verdict.seconds:.1f} s to verify)")
    else:
        say("[bold red]FAILED[/]  see the marks above")


def as_document(result: DemoResult) -> dict[str, Any]:
    """The summary as it is written to demo.json."""
    facts = result.facts
    return {
        "ok": result.ok,
        "day": result.day.day,
        "seed": result.seed,
        "sent": dict(sorted(result.day.sent().items())),
        "answers": facts.answers,
        "claims": [{"outcome": outcome, "reason": reason, "count": number} for outcome, reason, number in facts.claims],
        "balances": [asdict(balance) | {"holds": balance.holds} for balance in facts.balances],
        "quarantined": facts.quarantined,
        "licences": facts.licences,
        "published": facts.messages,
        "totals": facts.totals,
        "accounted": facts.accounted,
        "cases": [case.as_document() for case in result.cases],
        "http": asdict(result.http),
        "waves": [asdict(wave) | {"rate": round(wave.rate, 1)} for wave in result.waves],
        "seconds": round(result.seconds, 3),
        "set_up_seconds": round(result.set_up_seconds, 3),
        "checks": [
            {"name": name, "ok": ok, "rows": rows, "detail": detail} for name, ok, rows, detail in result.verdict.checks
        ],
        "documents": result.written,
    }
