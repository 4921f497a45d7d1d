"""Gets what `make test-console` needs beside Python packages: Chromium and axe-core; prints the file of axe-core.

Chromium is Debian's: installed when this runs as root, named otherwise. axe-core comes through npm into .cache/axe,
with the sum it must have; it judges the pages in tests and is no part of the product.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from bootstrap import ROOT, SetupFailed
from debian import ensure_programs

AXE = ROOT / ".cache" / "axe" / "axe.min.js"
AXE_VERSION = "4.14.1"
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
NEEDED = {"chromium": "chromium", "npm": "npm"}
"""Program: Debian package."""


def fetch_axe() -> None:
    """The pinned file, at once or not at all.

    Raises:
        SetupFailed: npm could not fetch it, or it is another.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"axe-core@{AXE_VERSION}"]
        if subprocess.run(command, cwd=folder, check=False, stdout=subprocess.DEVNULL).returncode:
            raise SetupFailed("axe-core could not be fetched (npm's message is above).")
        (archive,) = Path(folder).glob("axe-core-*.tgz")
        with tarfile.open(archive) as package, package.extractfile("package/axe.min.js") as file:  # type: ignore[union-attr]
            script = file.read()
    if hashlib.sha256(script).hexdigest() != AXE_SHA256:
        raise SetupFailed(f"axe-core {AXE_VERSION} is not the file that was pinned: it is not used.")
    AXE.parent.mkdir(parents=True, exist_ok=True)
    fresh = AXE.with_name(f"axe.{os.getpid()}")
    fresh.write_bytes(script)
    fresh.replace(AXE)


def main() -> int:
    """Entry point; 0, or 1 after one sentence on standard error."""
    try:
        needed = {name: package for name, package in NEEDED.items() if name != "npm" or not AXE.exists()}
        ensure_programs("the tests of the console", needed)
        if not AXE.exists():
            fetch_axe()
    except SetupFailed as error:
        print(f"certex-bridge: {error}", file=sys.stderr)
        return 1
    print(AXE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
