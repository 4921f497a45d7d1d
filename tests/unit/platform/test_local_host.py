"""Whether a request was meant for this machine."""

from __future__ import annotations

import pytest

from certex_bridge.platform.local_host import is_for_this_machine

LOCAL = ("localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8080")
FOREIGN = (
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1:80:80",
    "localhost:x",
    "::1",
    "[::1]x",
    "[::2]",
    "",
    "127.1",
)


@pytest.mark.parametrize("host", LOCAL)
def test_names_of_this_machine(host: str) -> None:
    assert is_for_this_machine([(b"accept", b"*/*"), (b"host", host.encode())])


@pytest.mark.parametrize("host", FOREIGN)
def test_other_names(host: str) -> None:
    assert not is_for_this_machine([(b"host", host.encode())])


def test_one_name_and_no_other() -> None:
    assert not is_for_this_machine([])
    assert not is_for_this_machine([(b"host", b"localhost"), (b"host", b"localhost")])
