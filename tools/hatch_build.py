"""Build hook: schemas and contracts travel inside the wheel, and only there.

An editable install reads them from the repository, so that no stale copy lies in the environment.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class DataFolders(BuildHookInterface):  # type: ignore[type-arg]  # the parameter is hatchling's own business
    """Adds schemas/ and contracts/ to the package as _data."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before each build; `version` is "standard" or "editable"."""
        if version == "standard":
            build_data["force_include"].update(
                {
                    "schemas": "certex_bridge/_data/schemas",
                    "contracts": "certex_bridge/_data/contracts",
                }
            )
