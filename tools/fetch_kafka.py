"""Puts Apache Kafka's jars into .cache/kafka-4.3.1 and prints that folder; does nothing when they are there.

    python3 tools/fetch_kafka.py

Maven resolves them (its own settings and mirrors are honoured) and each file must have the sha256 of
tools/kafka/jars.sha256. Java and Maven are taken from the PATH; on Debian and Ubuntu they are installed when this runs
as root. `--pin` writes the sums anew after a change of version in the pom.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from bootstrap import ROOT, SetupFailed
from debian import ensure_programs

POM = ROOT / "tools" / "kafka" / "pom.xml"
SUMS = ROOT / "tools" / "kafka" / "jars.sha256"
JARS = ROOT / ".cache" / "kafka-4.3.1"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
PACKAGES = {"java": "openjdk-17-jre-headless", "mvn": "maven"}
"""Program: Debian package."""


def sums(folder: Path) -> dict[str, str]:
    """File name to sha256 of every jar in a folder."""
    return {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in sorted(folder.glob("*.jar"))}


def pinned_sums() -> dict[str, str]:
    """What the repository says the jars are."""
    lines = (line.split() for line in SUMS.read_text(encoding="ascii").splitlines() if line)
    return {name: digest for digest, name in lines}


def fetch(target: Path) -> None:
    """Let Maven copy the jars.

    Raises:
        SetupFailed: Maven could not.
    """
    print("fetching Apache Kafka 4.3.1 …", file=sys.stderr, flush=True)
    options = [
        "-q",
        "-B",
        "-Dstyle.color=never",
        "--strict-checksums",
        "-DincludeScope=runtime",
        f"-DoutputDirectory={target}",
    ]
    done = subprocess.run(["mvn", *options, "-f", str(POM), COPY], check=False, stdout=sys.stderr)
    if done.returncode:
        raise SetupFailed("Apache Kafka's jars could not be fetched (Maven's message is above).")


def complete() -> bool:
    """Whether every pinned jar is there."""
    return set(pinned_sums()) == {jar.name for jar in JARS.glob("*.jar")}


def refresh(pin: bool) -> None:  # noqa: FBT001  (the command line's one flag)
    """Fetch into a folder of our own, compare with the pinned sums, put it in place at once.

    Raises:
        SetupFailed: a jar is not the pinned one.
    """
    fresh = JARS.with_name(f"{JARS.name}.{os.getpid()}")
    try:
        fetch(fresh)
        found = sums(fresh)
        if pin:
            SUMS.write_text("".join(f"{digest}  {name}\n" for name, digest in found.items()), encoding="ascii")
        differing = sorted({name for name, _ in found.items() ^ pinned_sums().items()})
        if differing:
            names = ", ".join(differing)
            raise SetupFailed(f"these jars differ from tools/kafka/jars.sha256 and are not used: {names}.")
        shutil.rmtree(JARS, ignore_errors=True)
        fresh.rename(JARS)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def main(arguments: list[str]) -> int:
    """Entry point; 0, or 1 after one sentence on standard error."""
    pin = "--pin" in arguments
    try:
        ensure_programs("the tests on Apache Kafka", PACKAGES)
        if pin or not complete():
            refresh(pin)
    except SetupFailed as error:
        print(f"certex-bridge: {error}", file=sys.stderr)
        return 1
    print(JARS)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
