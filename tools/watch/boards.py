"""The dashboards, in the order in which somebody opens them at night."""

from __future__ import annotations

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from watch.board_duty import DUTY
from watch.board_flow import FLOW
from watch.board_ledger import CONVERSATION, LEDGER
from watch.board_runtime import RUNTIME
from watch.panels import Board, dashboard_of

BOARDS: tuple[Board, ...] = (DUTY, FLOW, LEDGER, CONVERSATION, RUNTIME)


def files() -> dict[str, str]:
    """File name to text."""
    encoder = JSONEncoder(sort_keys=True, indent=1, ensure_ascii=False)
    return {f"{board.name}.json": encoder.encode(dashboard_of(board, BOARDS).build()) + "\n" for board in BOARDS}
