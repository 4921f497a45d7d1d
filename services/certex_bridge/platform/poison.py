"""What can never work: a message that goes to quarantine with its raw bytes."""

from __future__ import annotations

from certex_bridge.kernel.errors import BridgeError

UNFORESEEN = (ArithmeticError, LookupError, MemoryError, RecursionError, TypeError, ValueError)
"""What foreign bytes can make Python raise; every decoder's outermost gate turns these into `Poison`."""


class Poison(BridgeError):
    """The message can never be processed; it belongs in quarantine, with its bytes as received.

    Raised only for that. A message that is sound as a whole, but cites something impossible, is decoded and carries
    findings instead.
    """

    code = "POISON"

    def __init__(self, code: str, message: str, field: str = "", value: object = "") -> None:
        super().__init__(message, field=field, value=value, code=code)

    @classmethod
    def of(cls, error: BridgeError, field: str = "") -> Poison:
        """The same refusal as poison; `field` replaces the error's own path."""
        return cls(error.code, error.message, field or error.field, error.value)

    @classmethod
    def unforeseen(cls, error: BaseException) -> Poison:
        """An exception that no rule foresaw, named by its class; its text may quote the message and is cut."""
        return cls("UNDECODABLE", f"decoding failed with {type(error).__name__}", value=str(error)[:200])
