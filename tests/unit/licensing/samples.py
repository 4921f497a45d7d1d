"""Licence events and accounts for the tests: the golden examples, and snapshots changed at one place."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from certex_bridge.licensing.decode import LicensingOptions, decode_licence_event
from certex_bridge.licensing.domain.caps import line_caps
from certex_bridge.licensing.domain.commands import LicenceCommand
from certex_bridge.licensing.domain.licence import Licence
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.resources import contract_path
from certex_bridge.singlewindow.rules.profiles import certificate_types

LICENCES = contract_path("examples", "licences")
CERTIFICATES = contract_path("examples", "certificates")
STRUCTURED = (("content-type", b"application/cloudevents+json"),)


@dataclass(frozen=True)
class Account:
    """One account as the certificate sees it."""

    line_no: int
    dim: str
    unit: str
    cap: Decimal
    reserved: Decimal = Decimal(0)
    consumed: Decimal = Decimal(0)

    @property
    def available(self) -> Decimal:
        return max(self.cap - self.reserved - self.consumed, Decimal(0))

    @property
    def over(self) -> Decimal:
        return max(self.reserved + self.consumed - self.cap, Decimal(0))


def structured(event: dict[str, Any], key: bytes | None = None) -> Envelope:
    value = json.dumps(event, separators=(",", ":")).encode()
    return Envelope("licensing.licences.v1", 0, 0, key, value, STRUCTURED)


def golden_event(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((LICENCES / f"{name}.json").read_bytes())
    return event


def golden(name: str) -> LicenceCommand:
    """The golden event as an installation reads it that has every certificate type live."""
    return decode_licence_event(structured(golden_event(name)), LicensingOptions(types=certificate_types()))


def golden_licence(name: str = "individual") -> Licence:
    licence = golden(name).licence
    assert licence is not None
    return licence


def event(data: Any, ce_type: str = "licensing.licence.issued.v1", name: str = "individual") -> dict[str, Any]:
    return golden_event(name) | {"type": ce_type, "data": data}


def snapshot(name: str = "individual", **changes: Any) -> dict[str, Any]:
    """The golden snapshot with dotted paths replaced: `lines__0__quantity__unit="KGM"`."""
    data: dict[str, Any] = copy.deepcopy(golden_event(name)["data"])
    for path, value in changes.items():
        *parents, leaf = path.split("__")
        place: Any = data
        for step in parents:
            place = place[int(step) if step.isdigit() else step]
        place[int(leaf) if leaf.isdigit() else leaf] = value
    return data


def decode(data: Any, ce_type: str = "licensing.licence.issued.v1") -> LicenceCommand:
    return decode_licence_event(structured(event(data, ce_type)))


def accounts(licence: Licence) -> list[Account]:
    """The licence's accounts with a little use on each."""
    return [Account(cap.line_no, cap.dim, cap.unit, cap.cap, Decimal(1), Decimal(2)) for cap in line_caps(licence)]
