"""Rehearses docker/Dockerfile where no image can be built: the same steps in bare Debian, then the same commands.

    sudo .venv/bin/python tools/image_rehearsal.py

Debian's Python stands in for the base image. The first stage's steps are read from the Dockerfile and run by chroot;
the second stage gets what they copied. Then, as user 65532 on a read-only tree with a /tmp of its own: the version,
`serve` without settings (which must name what is missing), `migrate`, and `serve` until it is ready, with the health
command of the image, on the embedded servers. Needs root, debootstrap and the network. REHEARSAL_FOLDER and
REHEARSAL_MIRROR say where it is made and from which mirror.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from certex_bridge.platform.embedded import EmbeddedBroker, EmbeddedPostgres

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(os.environ.get("REHEARSAL_FOLDER") or ROOT / ".cache" / "image-rehearsal")
HANDED_IN = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "PIP_INDEX_URL")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
READY_SECONDS = 60


class RehearsalFailed(Exception):
    """Told to the user as one sentence."""


@dataclass
class Stage:
    """One stage of the Dockerfile."""

    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)


def stages(text: str) -> list[Stage]:
    """The Dockerfile's instructions by stage; continued lines are joined, comments dropped."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    found: list[Stage] = []
    for line in filter(str.strip, joined.splitlines()):
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            found.append(Stage(rest.partition(" AS ")[2]))
        elif found:
            found[-1].steps.append((word, re.sub(r"\s+", " ", rest).strip()))
    return found


def base() -> Path:
    """Bare Debian with python3 and venv, made once.

    Raises:
        RehearsalFailed: debootstrap could not.
    """
    place = FOLDER / "base"
    if (place / "ready").exists():
        return place
    print("making Debian 12 (minbase) with python3 and venv …", flush=True)
    shutil.rmtree(place, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    mirror = [os.environ["REHEARSAL_MIRROR"]] if os.environ.get("REHEARSAL_MIRROR") else []
    include = "--include=python3,python3-venv,ca-certificates"
    with (FOLDER / "debootstrap.log").open("wb") as log:
        command = ["debootstrap", "--variant=minbase", include, "bookworm", str(place), *mirror]
        if subprocess.run(command, check=False, stdout=log, stderr=log).returncode:
            raise RehearsalFailed(f"debootstrap failed, see {FOLDER / 'debootstrap.log'}.")
    # The base image calls its interpreter python.
    (place / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    (place / "ready").touch()
    return place


def fresh(name: str) -> Path:
    """A copy of the base."""
    place = FOLDER / name
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run(["cp", "-a", str(base()), str(place)], check=True)
    return place


class Build:
    """Runs the steps of one stage in its root."""

    def __init__(self, name: str, others: dict[str, Path]) -> None:
        self.root = fresh(name)
        self.others = others
        self.environment = {"PATH": PATH, "LANG": "C.UTF-8", "HOME": "/root"}
        self.folder = "/"
        self.health: list[str] = []
        self.entry: list[str] = []
        self.user = ""

    def step(self, word: str, rest: str) -> None:
        """One instruction.

        Raises:
            RehearsalFailed: it failed, or is none that is known here.
        """
        print(f"  {word} {rest[:100]}", flush=True)
        if word == "ENV":
            for name, value in (part.split("=", 1) for part in shlex.split(rest)):
                self.environment[name] = value.replace("$PATH", self.environment["PATH"])
        elif word == "WORKDIR":
            self.folder = rest
            (self.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif word == "COPY":
            self._copy(shlex.split(rest))
        elif word == "RUN":
            self._run(rest)
        elif word == "USER":
            self.user = rest
        elif word == "HEALTHCHECK":
            self.health = json.loads(rest.partition("CMD ")[2])
        elif word == "ENTRYPOINT":
            self.entry = json.loads(rest)
        elif word not in {"ARG", "LABEL", "EXPOSE", "CMD"}:
            raise RehearsalFailed(f"the rehearsal does not know the instruction {word}.")

    def _copy(self, words: list[str]) -> None:
        source = ROOT
        if words[0].startswith("--from="):
            source = self.others[words.pop(0).removeprefix("--from=")]
        *names, target = words
        place = self.root / (target if target.startswith("/") else f"{self.folder}/{target}").lstrip("/")
        for name in names:
            origin = source / name.lstrip("/")
            into = place / origin.name if target.endswith("/") else place
            if origin.is_dir():
                skip = shutil.ignore_patterns("__pycache__") if source == ROOT else None
                shutil.copytree(origin, into, symlinks=True, ignore=skip, dirs_exist_ok=True)
            else:
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(origin, into)

    def _run(self, script: str) -> None:
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        handed = {name: os.environ[name] for name in HANDED_IN if name in os.environ}
        bundle = os.environ.get("SSL_CERT_FILE", "")
        if bundle:
            shutil.copy(bundle, self.root / BUNDLE.lstrip("/"))
            handed |= {"PIP_CERT": BUNDLE, "SSL_CERT_FILE": BUNDLE}
        inside = ["chroot", str(self.root), "/bin/sh", "-ec", f"cd {self.folder}\n{script}"]
        command = ["unshare", "--mount", "--pid", "--fork", f"--mount-proc={self.root}/proc", *inside]
        done = subprocess.run(command, env=self.environment | handed, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise RehearsalFailed(f"RUN {script[:80]} … failed.")


CONFINE = """
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero urandom random; do touch "$root/dev/$name"; mount --bind "/dev/$name" "$root/dev/$name"; done
exec chroot "$root" setpriv --reuid "$uid" --regid "$gid" --clear-groups --no-new-privs --bounding-set=-all \
  sh -c 'cd /tmp && exec "$@"' sh "$@"
"""
"""A read-only tree with a /tmp of its own; setpriv comes after chroot, which an unprivileged user may not call."""


class Container:
    """What a container of the image would do: its user, a read-only tree, its environment."""

    def __init__(self, build: Build) -> None:
        self._build = build

    def _command(self, words: Sequence[str]) -> list[str]:
        uid, _, gid = self._build.user.partition(":")
        script = f"root={shlex.quote(str(self._build.root))} uid={uid} gid={gid}\n{CONFINE}"
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child=TERM", "/bin/sh", "-ec", script, "sh", *words]

    def run(self, words: Sequence[str], **settings: str) -> subprocess.CompletedProcess[str]:
        """Run to its end."""
        environment = self._build.environment | settings
        command = self._command(words)
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)

    def start(self, words: Sequence[str], log: Path, **settings: str) -> subprocess.Popen[bytes]:
        """Start it."""
        with log.open("wb") as file:
            environment = self._build.environment | settings
            return subprocess.Popen(self._command(words), env=environment, stdout=file, stderr=file)


def expect(what: str, done: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    """Compare, and tell.

    Raises:
        RehearsalFailed: it is otherwise.
    """
    said = done.stdout + done.stderr
    if done.returncode != status or not all(word in said for word in words):
        raise RehearsalFailed(f"{what}: exit status {done.returncode}, wanted {status} and {words}:\n{said}")
    print(f"  {what}: {said.strip().splitlines()[-1][:110] if said.strip() else 'as wanted'}", flush=True)


def commands(container: Container, entry: list[str]) -> None:
    """What works without servers."""
    expect("version", container.run([*entry, "--version"]), 0, "certex-bridge")
    expect("user", container.run(["id", "-u"]), 0, "65532")
    expect("tree", container.run(["touch", "/opt/certex/x"]), 1, "Read-only")
    expect("pip", container.run(["python", "-m", "pip", "--version"]), 1, "No module named pip")
    expect("serve without settings", container.run([*entry, "serve"]), 2, "CERTEX_DATABASE_URL")


async def served(container: Container, build: Build) -> None:
    """Migrate and serve on the embedded servers until it is ready; then an orderly stop.

    Raises:
        RehearsalFailed: it did not become ready, or did not end well.
    """
    for name in ("postgres", "broker"):
        shutil.rmtree(FOLDER / name, ignore_errors=True)
    postgres, broker = EmbeddedPostgres(FOLDER / "postgres"), EmbeddedBroker(FOLDER / "broker")
    await postgres.start()
    await broker.start()
    settings = {
        "CERTEX_DATABASE_URL": postgres.url,
        "CERTEX_KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "CERTEX_TOPICS_CREATE": "true",
        "CERTEX_HEALTH_PORT": "8081",  # what the image's health command asks
    }
    try:
        expect("migrate", container.run([*build.entry, "migrate"], **settings), 0)
        process = container.start([*build.entry, "serve"], FOLDER / "serve.log", **settings)
        try:
            _wait(container, build, process)
        finally:
            _stop(process)
    finally:
        await broker.stop()
        await postgres.stop()


def _wait(container: Container, build: Build, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while container.run(build.health).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RehearsalFailed(f"serve is not alive:\n{(FOLDER / 'serve.log').read_text('utf-8')[-2000:]}")
    ready = [*build.health[:2], build.health[2].replace("/livez", "/readyz")]
    while container.run(ready).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RehearsalFailed(f"serve is not ready:\n{(FOLDER / 'serve.log').read_text('utf-8')[-2000:]}")
    print("  serve: alive by the image's health command, and ready", flush=True)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """The shell in between passes the signal on by ending its child."""
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False)
    for child in children.stdout.split():
        os.kill(int(child), 15)
    if (status := process.wait(40)) != 0:
        raise RehearsalFailed(f"serve ended with {status} after SIGTERM.")
    print("  serve: ended in order after SIGTERM", flush=True)


def main() -> int:
    """Entry point; 0, or 1 after one sentence on standard error."""
    try:
        if os.geteuid() != 0 or not shutil.which("debootstrap"):
            raise RehearsalFailed("run it as root, with debootstrap: apt-get install debootstrap.")
        built: dict[str, Path] = {}
        build: Build | None = None
        for number, stage in enumerate(stages((ROOT / "docker" / "Dockerfile").read_text("utf-8")), 1):
            print(f"stage {number} {stage.name}", flush=True)
            build = Build(stage.name or "final", built)
            for word, rest in stage.steps:
                build.step(word, rest)
            built[stage.name or str(number)] = build.root
        if build is None:
            raise RehearsalFailed("the Dockerfile has no stage.")
        print("commands of the image", flush=True)
        container = Container(build)
        commands(container, build.entry)
        asyncio.run(served(container, build))
    except RehearsalFailed as error:
        print(f"certex-bridge: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
