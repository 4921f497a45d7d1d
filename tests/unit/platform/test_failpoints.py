"""Failpoints: nothing when off, exactly the n-th passage when on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.platform.failpoints import FailpointReached, arm


def test_off_it_does_nothing() -> None:
    assert arm("")("intake.before_commit") is None  # type: ignore[func-returns-value]


def test_it_raises_at_the_named_place_and_passage_only() -> None:
    failpoint = arm("intake.after_commit:raise:3")
    failpoint("intake.before_commit")
    failpoint("intake.after_commit")
    failpoint("intake.after_commit")
    with pytest.raises(FailpointReached, match="after_commit"):
        failpoint("intake.after_commit")
    failpoint("intake.after_commit")


@pytest.mark.parametrize("text", ["a", "a:explode", ":kill", "a:kill:0", "a:kill:x", "a:kill:1:2"])
def test_a_text_it_does_not_understand_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="CERTEX_FAILPOINT"):
        arm(text)


def test_kill_is_a_sigkill_of_the_process() -> None:
    code = (
        "from certex_bridge.platform.failpoints import failpoint; failpoint('here'); failpoint('there'); print('lived')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"CERTEX_FAILPOINT": "there:kill"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (-9, b"")


def test_stop_leaves_the_process_standing_still_until_it_is_continued() -> None:
    code = "from certex_bridge.platform.failpoints import failpoint; failpoint('here'); print('went on')"
    process = subprocess.Popen(
        [sys.executable, "-c", code], env={"CERTEX_FAILPOINT": "here:stop"}, stdout=subprocess.PIPE
    )
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    process.send_signal(signal.SIGCONT)
    assert process.communicate(timeout=60) == (b"went on\n", None)
