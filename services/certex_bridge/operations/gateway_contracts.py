"""Contracts of the gateway as files: OpenAPI, WSDL, and the schemas that are made from its messages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from certex_bridge.customs.options import DecodeOptions
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.singlewindow.functions import (
    availability,
    lists,
    manual,
    movements,
    records,
    reports,
    subscriptions,
    unavailability,
)
from certex_bridge.singlewindow.functions.availability import CheckSettings
from certex_bridge.singlewindow.functions.lists import Listing
from certex_bridge.singlewindow.functions.reads import reads
from certex_bridge.singlewindow.functions.records import RecordKeeping
from certex_bridge.singlewindow.functions.unavailability import Unavailability
from certex_bridge.singlewindow.http.openapi import openapi_document
from certex_bridge.singlewindow.http.wsdl import wsdl_document
from certex_bridge.singlewindow.messages.errors import ErrorNotification
from certex_bridge.singlewindow.messages.xsd import documents, families

if TYPE_CHECKING:
    from collections.abc import Sequence

    from certex_bridge.singlewindow.operation import Operation, Read

SCHEMAS = "schemas/xsd"
WRITTEN_BY_HAND = frozenset({"certificate", "quantity-movement", "shared"})
"""Families whose files no model makes."""
_ADDRESS = "https://bridge.example/soap"


def described() -> tuple[Sequence[Operation], Sequence[Read]]:
    """Operations and reads of the gateway with nothing behind them: good for their description, not for calls."""
    nothing: Any = None
    policy = Policy()
    checks = CheckSettings("", policy, DecodeOptions())
    operations = (
        *availability.operations(nothing, nothing, checks),
        *movements.operations(nothing, ""),
        *manual.operations(nothing, nothing, ""),
        *subscriptions.operations(nothing),
        *records.operations(RecordKeeping(nothing, nothing, "")),
        *lists.operations(Listing(nothing, nothing, "", figures_shown=True)),
        *unavailability.operations(Unavailability(nothing, "")),
    )
    return operations, (*reads(nothing, policy), *reports.reads(nothing), *unavailability.reads(nothing))


def openapi() -> str:
    """contracts/openapi.yaml."""
    document = openapi_document(*described())
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return "# Generated from the code: make contracts\n" + text


def wsdl() -> str:
    """contracts/wsdl/certex-bridge.wsdl."""
    return wsdl_document(described()[0], _ADDRESS, f"../../{SCHEMAS}").decode()


def schemas() -> dict[str, str]:
    """Path to text of every schema that a model makes."""
    models = [model for one in described()[0] for model in (one.request, one.response)]
    return {
        f"{SCHEMAS}/{family}/{version}/{name}": text.decode()
        for (family, version), group in families([*models, ErrorNotification]).items()
        for name, text in documents(group).items()
    }


def left_over(root: Path, wanted: dict[str, str]) -> list[str]:
    """Schemas that no model makes any more."""
    found = (path.relative_to(root) for path in (root / SCHEMAS).rglob("*.xsd"))
    return [str(path) for path in found if path.parts[2] not in WRITTEN_BY_HAND and str(path) not in wanted]
