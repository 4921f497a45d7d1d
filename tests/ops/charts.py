"""Rendering the chart, and what is in the result."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "certex-bridge"
CASES = sorted(path.stem for path in (CHART / "ci").glob("*.yaml"))
HELM = ROOT / ".cache" / "helm" / "helm"

Object = dict[str, Any]


def helm(*arguments: str, values: str = "") -> subprocess.CompletedProcess[str]:
    """Run helm; `values` on standard input as one more values file."""
    assert HELM.exists(), "helm is missing: python3 tools/fetch_ops.py"
    command = [str(HELM), *arguments, *(["-f", "-"] if values else [])]
    return subprocess.run(command, input=values or None, capture_output=True, text=True, check=False)


@functools.cache
def rendered(case: str, values: str = "") -> tuple[Object, ...]:
    """The objects of a values file of ci/, with more values."""
    done = helm("template", "bridge", str(CHART), "-f", str(CHART / "ci" / f"{case}.yaml"), values=values)
    assert done.returncode == 0, done.stderr
    return tuple(one for one in yaml.safe_load_all(done.stdout) if one)


def of_kind(case: str, kind: str) -> list[Object]:
    """Those of one kind."""
    return [one for one in rendered(case) if one["kind"] == kind]


def pods(case: str) -> Iterator[tuple[Object, Object]]:
    """Every object that makes pods, with the pod's specification."""
    for one in rendered(case):
        if one["kind"] in {"Deployment", "Job"}:
            yield one, one["spec"]["template"]["spec"]


def environment(container: Object) -> dict[str, str]:
    """The container's variables."""
    return {one["name"]: one["value"] for one in container["env"]}


def role_of(deployment: Object) -> str:
    """The role of a Deployment."""
    role: str = deployment["metadata"]["labels"]["app.kubernetes.io/component"]
    return role


def mounted_secrets(pod: Object) -> set[tuple[str, str]]:
    """Secret and file of each that the pod has in CERTEX_SECRETS_DIR; a whole Secret counts as the file `*`."""
    found: set[tuple[str, str]] = set()
    for volume in pod["volumes"]:
        if volume["name"] != "secrets":
            continue
        for source in volume["projected"]["sources"]:
            secret = source["secret"]
            found |= {(secret["name"], item["path"]) for item in secret.get("items", ({"path": "*"},))}
    return found
