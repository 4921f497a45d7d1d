"""`contracts write|check`: every file of the repository that is made from the code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.operations.terminal import say

SCHEMAS = "schemas/events"


def repository() -> Path:
    """The source tree this package runs from.

    Raises:
        ConfigurationError: it is installed without its sources.
    """
    root = Path(__file__).resolve().parents[3]
    if not (root / "pyproject.toml").is_file() or not (root / "contracts").is_dir():
        raise ConfigurationError("the generated files belong to the source tree, and this is an installed package")
    return root


def generated() -> dict[str, str]:
    """All generated files: path below the repository to text."""
    from certex_bridge.operations import gateway_contracts

    files = {path: make() for path, make in _makers().items()}
    return files | _schemas() | gateway_contracts.schemas()


def _makers() -> dict[str, Callable[[], str]]:
    from certex_bridge.operations import asyncapi, gateway_contracts, messages_page, reference_pages
    from certex_bridge.platform import metrics, settings_reference
    from certex_bridge.singlewindow.rules import loading, profiles, profiles_page, reference_page

    return {
        "contracts/asyncapi.yaml": asyncapi.render,
        "contracts/openapi.yaml": gateway_contracts.openapi,
        "contracts/wsdl/certex-bridge.wsdl": gateway_contracts.wsdl,
        "docs/reference/cli.md": reference_pages.command_line,
        "docs/reference/events.md": reference_pages.events,
        "docs/reference/messages.md": messages_page.messages,
        "docs/reference/codes.md": reference_pages.codes,
        "docs/reference/settings.md": settings_reference.render,
        "docs/reference/metrics.md": metrics.render,
        "docs/reference/rules.md": reference_page.render,
        "docs/reference/certificate-types.md": profiles_page.render,
        loading.SCHEMA_PATH: loading.json_schema,
        profiles.SCHEMA_PATH: profiles.json_schema,
    }


def _schemas() -> dict[str, str]:
    from certex_bridge.operations.contract_models import MESSAGES

    return {
        f"{SCHEMAS}/{one.name}/v1.json": json.dumps(one.json_schema(), indent=2, ensure_ascii=False) + "\n"
        for contracts in MESSAGES.values()
        for one in contracts
        if one.models
    }


def stale(root: Path) -> list[str]:
    """Generated files that are missing, differ, or are no longer made."""
    from certex_bridge.operations import gateway_contracts

    wanted = generated()
    differing = [path for path, text in wanted.items() if not _has(root / path, text)]
    left_over = [
        str(path.relative_to(root))
        for path in (root / SCHEMAS).rglob("*.json")
        if str(path.relative_to(root)) not in wanted
    ]
    return sorted(differing + left_over + gateway_contracts.left_over(root, wanted))


def _has(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text


def run_write() -> None:
    """Write what is stale, remove what is no longer made.

    Raises:
        ConfigurationError: not in a source tree.
    """
    root = repository()
    wanted = generated()
    changed = stale(root)
    for path in changed:
        if path in wanted:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(wanted[path], "utf-8")
        else:
            (root / path).unlink()
        say(f"{'written' if path in wanted else 'removed'}  {path}")
    say(f"{len(changed)} of {len(wanted)} files changed")


def run_check() -> int:
    """Say which files are stale; 0 when none is, else 1.

    Raises:
        ConfigurationError: not in a source tree.
    """
    found = stale(repository())
    for path in found:
        say(f"[red]stale[/]  {path}")
    say("Run make contracts." if found else "[green]All generated files are fresh.[/]")
    return 1 if found else 0
