"""Once and for ever: calls of functions with own tables, repeated, get the answer they got."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol, TypeVar

from certex_bridge.singlewindow.messages.base import Message
from certex_bridge.singlewindow.operation import Call
from certex_bridge.singlewindow.refusals import Refusal

Answer = TypeVar("Answer", bound=Message)


class CallAnswers(Protocol):
    """Stored answers, in the transaction that has the effects."""

    async def answered(self, call_id: str) -> tuple[str, bytes] | None:
        """Content hash and stored answer of a call seen before; a call of the same id waits for this transaction."""

    async def keep_answer(self, call_id: str, sha256: str, body: bytes, at: datetime) -> None:
        """Store an answer for ever."""


async def once(
    answers: CallAnswers, call: Call, request: Message, kind: type[Answer], work: Callable[[], Awaitable[Answer]]
) -> tuple[Answer, bool]:
    """The answer of `work`, or the stored one; and whether it is the stored one.

    Raises:
        Refusal: DUPLICATE_ID, the id was used for other content; nothing is done. And what `work` raises.
    """
    call_id = call.call_id(request)
    stored = await answers.answered(call_id)
    if stored is not None:
        sha256, body = stored
        if sha256 != request.content_sha256:
            raise Refusal(
                "DUPLICATE_ID",
                f"{request.message_identification} was used for another message",
                field="messageIdentification",
                value=request.message_identification,
            )
        return kind.model_validate_json(body), True
    answer = await work()
    body = answer.model_dump_json(by_alias=True, exclude_none=True).encode()
    await answers.keep_answer(call_id, request.content_sha256, body, call.received_at)
    return answer, False
