"""What goes to callers by itself: lists that are due, and notices."""

from __future__ import annotations

from typing import Any, Protocol

from certex_bridge.singlewindow.messages.base import Message


class Pushes(Protocol):
    """Whoever delivers messages to callers, in order and until they arrive."""

    async def enqueue(self, connection: Any, caller: str, kind: str, subject: str, message: Message) -> None:
        """Queue a message for a caller in the transaction of `connection`; `kind` is list or notice."""
