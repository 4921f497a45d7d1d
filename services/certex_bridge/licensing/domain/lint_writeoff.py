"""The lint of a captured write-off: who answers for it, what proves it, and which lines it is about."""

from __future__ import annotations

from collections.abc import Iterator

from certex_bridge.kernel.countries import check_issuer
from certex_bridge.kernel.errors import Finding
from certex_bridge.kernel.identifiers import check_licence_number
from certex_bridge.licensing.domain.lint_case import check_count
from certex_bridge.licensing.domain.lint_lines import MAX_LINE_NUMBER
from certex_bridge.licensing.domain.texts import check_text
from certex_bridge.licensing.domain.writeoff import WriteOff, WriteOffLine


def lint_write_off(write_off: WriteOff) -> list[Finding]:
    """Findings on a write-off that was made outside the bridge, without looking at its licence."""
    issuer, _, number = write_off.licence_id.partition("/")
    evidence = write_off.evidence
    findings = [*check_issuer(issuer), *check_licence_number(number, "number")]
    findings += check_text(write_off.officer, "officer", "officer", required=True)
    findings += check_text(write_off.reason, "reason", "reason", required=True)
    findings += check_text(evidence.type, "evidence.type", "evidenceType", required=True)
    findings += check_text(evidence.number, "evidence.number", "evidenceNumber", required=True)
    if evidence.member_state:
        findings += check_issuer(evidence.member_state, "evidence.memberState")
    findings += check_count("lines", write_off.lines)
    if not write_off.lines:
        findings.append(Finding("LINE_MISSING", "lines", "", "a write-off names what was written off"))
    return [*findings, *_lines(write_off.lines)]


def _lines(lines: tuple[WriteOffLine, ...]) -> Iterator[Finding]:
    seen: set[int] = set()
    for index, line in enumerate(lines):
        field = f"lines[{index}]"
        if line.quantity is None and line.value is None:
            yield Finding("FIGURES_MISSING", field, "", "a quantity or a value was written off")
        if line.line_no is None:
            if len(lines) > 1:
                message = "only one line can go without its number, and only where it is the licence's only one"
                yield Finding("LINE_NUMBER", f"{field}.line", "", message)
        elif not 1 <= line.line_no <= MAX_LINE_NUMBER:
            message = f"a line number is between 1 and {MAX_LINE_NUMBER}"
            yield Finding("LINE_NUMBER", f"{field}.line", str(line.line_no)[:80], message)
        elif line.line_no in seen:
            yield Finding("LINE_DUPLICATE", f"{field}.line", str(line.line_no), "two entries have this number")
        seen.add(line.line_no or 0)
