"""What the reference of a document names, where senders append the licence line to the number (`NUMBER-0001`).

The end may be part of the number all the same: both readings go on to the ledger, which knows the licences. Only where
the line is declared beside it, and is the same, is there nothing to decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from certex_bridge.kernel.errors import Finding

if TYPE_CHECKING:
    from certex_bridge.customs.wire import Document, ShipmentDocument


class Cited(NamedTuple):
    """What a reference names."""

    number: str
    line: int | None
    suffix: int = 0
    """The line, where it was read from the end of the reference alone."""


def cited(document: Document | ShipmentDocument, findings: list[Finding]) -> Cited:
    """Licence number and line, taken apart; a line beside it that is another one is a finding."""
    number, line = split_line(document.reference)
    if line is None or document.line == line:
        return Cited(number, document.line)
    if document.line is not None:
        message = f"the reference ends in line {line}, another line is declared beside it"
        findings.append(Finding("LINE_CONFLICT", "line", str(document.line), message))
    return Cited(number, document.line or line, line)


def split_line(reference: str) -> tuple[str, int | None]:
    """`NUMBER-0001` as number and line; a reference without a suffix of 4 or 5 digits names no line."""
    number, dash, suffix = reference.strip().rpartition("-")
    if number and dash and len(suffix) in (4, 5) and suffix.isascii() and suffix.isdigit() and int(suffix):
        return number, int(suffix)
    return reference, None
