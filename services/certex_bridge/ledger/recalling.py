"""What is to be remembered of licences before their events are judged."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from certex_bridge.ledger.commands import Command, judged_without_content
from certex_bridge.ledger.ports import Unit
from certex_bridge.ledger.work import Work
from certex_bridge.licensing.domain.commands import LicenceCommand


async def recall(unit: Unit, work: Work, commands: Sequence[Command], placeholders: Collection[str]) -> None:
    """Read acts that wait for `placeholders`, versions of licences for acts on them, and lines taken out in use."""
    if placeholders:
        work.kept_acts = {**await unit.kept_acts(placeholders)}
    told = [command for command in commands if isinstance(command, LicenceCommand)]
    acts = {one.licence_id for one in told if judged_without_content(one) and work.licences[one.licence_id].known}
    if acts:
        work.notes = {**await unit.version_notes(acts)}
    gone = {
        (licence_id, account.line_no)
        for licence_id in {one.licence_id for one in told if one.licence is not None}
        if (state := work.licences[licence_id]).licence is not None
        for account in state.accounts.values()
        if account.line_no and (account.reserved or account.consumed) and not state.licence.line(account.line_no)
    }
    if gone:
        work.former_lines = {**await unit.last_lines(gone)}
