"""Named places where a test may kill, break or hang the process: `failpoint("intake.after_commit")`.

Off unless the environment variable CERTEX_FAILPOINT says `name:kill`, `name:raise`, `name:hang` or `name:stop`, with
`:nth` for the n-th passage (default the first). It is read once at start; off, a call costs one function call.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from certex_bridge.kernel.errors import BridgeError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

VARIABLE = "CERTEX_FAILPOINT"


class FailpointReached(BridgeError):
    """A test asked for a failure here."""

    code = "FAILPOINT"


def _kill(_name: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _raise(name: str) -> None:
    raise FailpointReached(f"a test asked for a failure at {name}", field=name)


def _hang(_name: str) -> None:
    # Blocks the event loop on purpose: this is what a stuck process looks like.
    while True:
        time.sleep(3600)


def _stop(_name: str) -> None:
    # As a paused virtual machine: everything stands still until somebody sends SIGCONT.
    os.kill(os.getpid(), signal.SIGSTOP)


_ACTIONS: dict[str, Callable[[str], None]] = {"kill": _kill, "raise": _raise, "hang": _hang, "stop": _stop}


def arm(text: str) -> Callable[[str], None]:
    """The function for a value of CERTEX_FAILPOINT; empty text gives the one that does nothing.

    Raises:
        ConfigurationError: the text is not name:action or name:action:nth.
    """
    if not text:
        return _off
    name, action, nth = (*text.split(":"), "1")[:3] if text.count(":") in {1, 2} else ("", "", "")
    if not name or action not in _ACTIONS or not nth.isdecimal() or int(nth) < 1:
        raise ConfigurationError(f"{VARIABLE} must be name:kill|raise|hang|stop[:nth], not {text!r}.", field=VARIABLE)
    left = int(nth)

    def armed(passed: str) -> None:
        nonlocal left
        if passed == name:
            left -= 1
            if left == 0:
                _ACTIONS[action](name)

    return armed


def _off(name: str) -> None:
    """Nothing asked for."""


failpoint: Callable[[str], None] = arm(os.environ.get(VARIABLE, ""))
"""Call it at a place worth crashing at; the name is `step.where`."""
