"""Debian's programs for the checks: installed when this runs as root, named otherwise."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from bootstrap import SetupFailed


def ensure_programs(who: str, packages: dict[str, str]) -> None:
    """Have programs on the PATH.

    Args:
        who: what needs them, for the message.
        packages: program, and the Debian package that has it.

    Raises:
        SetupFailed: they are missing and cannot be installed from here.
    """
    missing = sorted({package for name, package in packages.items() if shutil.which(name) is None})
    if not missing:
        return
    wish = f"{who} need {' and '.join(missing)}: apt-get install {' '.join(missing)}."
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SetupFailed(wish)
    print(f"installing {' and '.join(missing)} …", file=sys.stderr, flush=True)
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for arguments in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *missing]):
        done = subprocess.run(
            ["apt-get", *arguments], env=environment, check=False, stdout=sys.stderr, stdin=subprocess.DEVNULL
        )
        if done.returncode:
            raise SetupFailed(wish)
