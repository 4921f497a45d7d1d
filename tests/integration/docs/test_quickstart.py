"""A newcomer's walk: the repository as it is cloned, and the commands of docs/quickstart.md one after the other."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.documents import ROOT, shell_blocks

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DEMO_SECONDS = 240.0
"""A whole demo with its set-up, on a machine that does other things, too."""


def tracked(*options: str) -> list[str]:
    """Names that git lists in the working tree."""
    command = ["git", "ls-files", "-z", *options]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return list(filter(None, listed.split("\0")))


def cloned(target: Path) -> Path:
    """A fresh clone, with what is changed here and not committed yet."""
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(target)], check=True)
    for name in tracked("--deleted"):
        (target / name).unlink(missing_ok=True)
    for name in {*tracked("--modified"), *tracked("--others", "--exclude-standard")} - {*tracked("--deleted")}:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target / name)
    return target


def newcomer(port: int) -> dict[str, str]:
    """The environment of somebody who has set nothing; only the ports are some that are free here."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CERTEX_", "VIRTUAL_ENV", "COV"))}
    return kept | {"CERTEX_HTTP_PORT": str(port), "CERTEX_HEALTH_PORT": str(free_port())}


def paste(block: str, folder: Path, environment: dict[str, str]) -> str:
    """Paste a block into a shell; what it said."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=DEMO_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@contextlib.contextmanager
def kept_demo(block: str, folder: Path, environment: dict[str, str]) -> Iterator[list[str]]:
    """A demo that stays; the commands of its last lines. Ends by Ctrl-C, and leaves nothing behind."""
    said = folder / "kept.txt"
    with said.open("w") as out:
        shell = subprocess.Popen(["bash", "-c", f"exec {block}"], cwd=folder, env=environment, stdout=out, stderr=out)
    try:
        yield wait_for_commands(shell, said)
        started = psutil.Process(shell.pid).children(recursive=True)
        shell.send_signal(signal.SIGINT)
        assert shell.wait(60) == 0, said.read_text("utf-8")
        _, alive = psutil.wait_procs(started, timeout=30)
        assert not alive, "servers of the demo are still there"
    finally:
        if shell.poll() is None:
            shell.terminate()
            shell.wait(60)


def wait_for_commands(shell: subprocess.Popen[bytes], said: Path) -> list[str]:
    """The indented lines below the last sentence, once all are there."""
    until = time.monotonic() + DEMO_SECONDS
    while time.monotonic() < until:
        text = said.read_text("utf-8")
        _, found, rest = text.partition("Everything stays running")
        commands = [line.strip() for line in rest.splitlines() if line.startswith("  ")]
        if found and any(line.endswith("/openapi.json") for line in commands):
            return commands
        assert shell.poll() is None, text
        time.sleep(0.2)  # the condition is what the demo writes
    raise AssertionError(said.read_text("utf-8"))


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def filled_in(block: str, commands: list[str]) -> str:
    """The block with the licence, the time and the declaration that the demo told."""
    ((licence, instant),) = [re.findall(r"\S+", line)[-2:] for line in commands if " licence at " in f" {line}"]
    declared = [line.split()[-1] for line in commands if "declaration show" in line]
    assert declared, commands
    return block.replace("LICENCE", licence).replace("TIME", instant).replace("DECLARATION", declared[0])


def test_a_newcomer_gets_through_the_quickstart_by_its_text_alone(tmp_path: Path) -> None:
    folder = cloned(tmp_path / "certex-bridge")
    demo, keep, path, look, send, own = (block.text for block in shell_blocks(folder / "docs" / "quickstart.md"))
    environment = newcomer(free_port())

    said = paste(demo, folder, environment)
    assert "every invariant holds" in said
    assert json.loads((folder / "out" / "demo.json").read_text("utf-8"))["ok"]
    assert list((folder / "out" / "certificates").iterdir())
    assert list((folder / "out" / "outcomes").iterdir())

    with kept_demo(keep, folder, environment) as commands:
        exports = "\n".join([*(line for line in commands if line.startswith("export ")), path, ""])
        looked = paste(exports + filled_in(look, commands), folder, environment)
        assert "every invariant holds" in looked
        calls = [line.replace("curl ", "curl -sSf ", 1) for line in commands if line.startswith("curl ")]
        assert '"openapi"' in paste("\n".join(calls), folder, environment)
        first = paste(exports + send, folder, environment)
        assert "26BEE0000B7Q2K5XA9" in first
        assert paste(exports + send, folder, environment).count("\n") >= 3

        servers = [line for line in own.splitlines() if not line.startswith("export ")]
        assert servers == ["certex-bridge migrate", "certex-bridge serve"]
        ready = f"until curl -sf --max-time 5 http://127.0.0.1:{environment['CERTEX_HEALTH_PORT']}/readyz; do kill -0 $serving; sleep 0.2; done"
        served = f"{servers[0]}\n{servers[1]} & serving=$!\n{ready}\nkill $serving\nwait $serving\n"
        assert "up to date" in paste(exports + served, folder, environment)
