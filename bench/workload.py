"""What is fed in: licences, and accepted declarations of three items that cite three licences of their exporter.

Every claim can be reserved: the journal then holds exactly three movements a declaration, and the sums at the end are
known beforehand. Each declaration cites three different licences, which is the dear case: three balances to publish.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from certex_bridge.kernel.canonical import content_id
from certex_bridge.kernel.identifiers import mrn_check_digit
from certex_bridge.platform.kafka import Record

LICENCES = 1_000
ITEMS = 3
LICENCES_OF_EXPORTER = 10
LINES = 3
_DAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
_GOODS = (
    ("84571090", "2B001.b.2", "Five-axis machining centre with numerical control", "NAR", "47500.00"),
    ("84669330", "2B001", "Spindle unit for a machining centre", "NAR", "3120.50"),
    ("90278990", "3A002.g", "Atomic frequency standard, rack mounted", "NAR", "18400.00"),
)


def licences(count: int) -> Iterator[Record]:
    """Individual licences in version 1, three lines with quantities that last."""
    for number in range(count):
        yield _event("licensing.licences.v1", "licensing.licence.issued.v1", licence_key(number), licence(number), _DAY)


def licence_key(number: int) -> str:
    """Record key of a licence."""
    return f"BE/{licence_number(number)}"


def licence_number(number: int) -> str:
    """The licence's own number."""
    return f"BE-2026-{number:06}"


def exporter(number: int) -> str:
    """The holder of a licence."""
    return f"BE{700_000_000 + number // LICENCES_OF_EXPORTER:010}"


def licence(number: int) -> dict[str, Any]:
    """The wire snapshot of one licence."""
    country = {"country": "BE", "city": "Antwerpen", "postcode": "2000"}
    return {
        "issuer": "BE",
        "number": licence_number(number),
        "version": 1,
        "type": "INDIVIDUAL",
        "documentCode": "X060",
        "direction": "EXPORT",
        "status": "VALID",
        "issueDate": "2026-01-12",
        "validFrom": "2026-01-15",
        "validTo": "2027-12-31",
        "holder": {"name": "Precisiewerk Noord", "eori": exporter(number), "street": "Kaai 14", **country},
        "authority": {"name": "Dienst Controle Strategische Goederen"},
        "consignees": [{"name": "Hanbit Tooling Co., Ltd.", "city": "Seoul", "country": "KR"}],
        "endUsers": [],
        "destinations": ["KR"],
        "procedures": ["1000"],
        "conditions": [],
        "lines": [_line(line) for line in range(1, LINES + 1)],
    }


def _line(line: int) -> dict[str, Any]:
    commodity, control_list, description, unit, _ = _GOODS[line - 1]
    return {
        "line": line,
        "description": description,
        "controlList": control_list,
        "commodityCodes": [commodity],
        "origin": "DE",
        "control": "QUANTITY",
        "quantity": {"amount": "10000000", "unit": unit},
        "tolerancePercent": "0",
    }


class Declarations:
    """Makes accepted declarations; the same seed makes the same ones."""

    def __init__(self, seed: int, licences_known: int = LICENCES) -> None:
        self._random = Random(seed)
        self._seed = seed
        self._licences = licences_known
        self._made = 0
        self.items = 0
        self.quantity = Decimal(0)
        """Sum of everything declared."""

    def take(self, count: int, *, mixed: bool = False) -> list[Record]:
        """The next so many; `mixed`: every other one has one item instead of three."""
        return [self._one(1 if mixed and number % 2 else ITEMS) for number in range(count)]

    def _one(self, items: int) -> Record:
        self._made += 1
        number = self._made
        stem = f"26BE{self._seed:03}{number:09}A"
        mrn = stem + mrn_check_digit(stem)
        company = self._random.randrange(self._licences // LICENCES_OF_EXPORTER) * LICENCES_OF_EXPORTER
        eori, office = exporter(company), "BE212000"
        moment = _DAY + timedelta(seconds=number % 30_000)
        held = self._random.sample(range(company, company + LICENCES_OF_EXPORTER), items)
        data = {
            "mrn": mrn,
            "lrn": f"LRN{self._seed:03}{number:012}",
            "exporter": eori,
            "office": office,
            "version": 1,
            "acceptedAt": moment.isoformat(),
            "declaration": {
                "type": "EX",
                "additionalType": "A",
                "exporter": eori,
                "declarant": eori,
                "consignee": {"name": "Hanbit Tooling Co., Ltd.", "country": "KR"},
                "destination": "KR",
                "invoiceCurrency": "EUR",
                "items": [self._item(place, one) for place, one in enumerate(held, start=1)],
            },
        }
        self.items += items
        return _event("customs.declarations.v1", "customs.declaration.accepted.v1", mrn, data, moment)

    def _item(self, place: int, cited: int) -> dict[str, Any]:
        line = self._random.randrange(LINES) + 1
        commodity, _, description, unit, price = _GOODS[line - 1]
        pieces = self._random.randrange(1, 40)
        self.quantity += pieces
        money = {"amount": str(Decimal(price) * pieces), "currency": "EUR"}
        return {
            "item": place,
            "procedure": "1000",
            "additionalProcedures": [],
            "commodity": commodity,
            "description": description,
            "destination": "KR",
            "origin": "DE",
            "netMass": f"{pieces * 12.5:.1f}",
            "supplementaryUnits": str(pieces),
            "amount": money,
            "documents": [
                {
                    "seq": 1,
                    "type": "X060",
                    "reference": licence_number(cited),
                    "line": line,
                    "issuer": "BE",
                    "quantity": {"amount": str(pieces), "unit": unit},
                    "value": money,
                }
            ],
            "references": [],
        }


def _event(topic: str, kind: str, key: str, data: dict[str, Any], moment: datetime) -> Record:
    value = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {
        "ce_specversion": "1.0",
        "ce_id": content_id(kind, key),
        "ce_type": kind,
        "ce_source": "/bench",
        "ce_time": moment.isoformat().replace("+00:00", "Z"),
        "content-type": "application/json",
    }
    return Record(topic, key.encode(), value, tuple((name, text.encode()) for name, text in headers.items()))
