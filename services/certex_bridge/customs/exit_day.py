"""The day of exit that a declaration states."""

from __future__ import annotations

from certex_bridge.customs.wire import Declaration
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.ledger.domain.days import RETROSPECTIVE


def exit_not_counted(day_of_exit: str | None, declaration: Declaration) -> list[Finding]:
    """A remark on a day of exit that is stated of a declaration lodged before the goods left."""
    if day_of_exit is None or declaration.additional_type == RETROSPECTIVE:
        return []
    message = "the day of exit counts for a retrospective declaration (additional type R) only"
    return [Finding("DAY_OF_EXIT_NOT_COUNTED", "dayOfExit", day_of_exit, message, Severity.WARNING)]
