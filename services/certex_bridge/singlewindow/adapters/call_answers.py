"""Stored answers of functions with own tables, on the connection of the transaction that has their effect."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from certex_bridge.platform.migrations import load_queries


class PostgresCallAnswers:
    """The port `CallAnswers` on an open transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._queries = load_queries("certex_bridge.singlewindow.adapters.sql", "call_answers.sql")

    async def answered(self, call_id: str) -> tuple[str, bytes] | None:
        """Content hash and answer of a call seen before; the id is ours until the transaction ends."""
        await self._connection.execute(self._queries["lock_call"], call_id)
        row = await self._connection.fetchrow(self._queries["answered"], call_id)
        return (row["sha256"], row["body"]) if row else None

    async def keep_answer(self, call_id: str, sha256: str, body: bytes, at: datetime) -> None:
        """Store an answer for ever."""
        await self._connection.execute(self._queries["keep_answer"], call_id, sha256, body, at)
