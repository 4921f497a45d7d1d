"""The laboratory's exporters: what they declare against the licences they hold.

A declaration has one to nine goods items; most items cite a licence line with a quantity and a value, some cite two,
some none. Figures are drawn so that a usual line is used up to about two thirds by the end of the day.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from random import Random

from certex_bridge.kernel.identifiers import mrn_check_digit
from certex_bridge.laboratory.goods import MEMBER_STATES, customs_country, weighted
from certex_bridge.laboratory.licences import Book, Company, Issued, amount, money
from certex_bridge.laboratory.messages import Wire

_ITEMS = {1: 30, 2: 22, 3: 16, 4: 11, 5: 8, 6: 5, 7: 4, 8: 2, 9: 2}
_CITED = {"INDIVIDUAL": 60, "GLOBAL": 60, "NGEA": 4, "EUGEA": 2}
"""How often one licence of each kind is cited, relative to the others: where there are limits, the ledger has work."""
_USED_BY_EVENING = 0.65
_SHARE_OF_UNKNOWN = 0.05
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CODES = {"INDIVIDUAL": "X060", "GLOBAL": "X070", "NGEA": "X071", "TRANSIT": "X072"}
_PROCEDURES = {"1000": 91, "2100": 2, "2200": 1, "2300": 2, "3171": 4}
"""Permanent export, outward processing, other temporary exports, re-export."""
_ALMOST_ALL = Decimal("0.97")


@dataclass(slots=True)
class Plan:
    """One declaration and what it will be about."""

    mrn: str
    lrn: str
    exporter: Company
    office: str
    content: Wire
    cited: list[tuple[int, int, Issued, int]] = field(default_factory=list)
    """(item, document sequence, licence, line) of every claim."""

    @property
    def identity(self) -> Wire:
        """How an event after acceptance names the declaration."""
        return {"mrn": self.mrn, "office": self.office}

    @property
    def draft(self) -> Wire:
        """How an event before acceptance names it."""
        return {"lrn": self.lrn, "exporter": self.exporter.eori, "office": self.office}

    @property
    def citing_items(self) -> list[int]:
        """Numbers of the items with a claim."""
        return sorted({item for item, *_ in self.cited})


class Exporters:
    """Makes declarations; the same seed makes the same ones."""

    def __init__(self, random: Random, day: date, book: Book, declarations: int) -> None:
        self._random = random
        self._day = day
        self._numbers = 0
        self._holdings: dict[str, list[Issued]] = {}
        for licence in book.licences:
            self._holdings.setdefault(licence.holder.eori, []).append(licence)
        self._active = [company for company in book.companies if company.eori in self._holdings]
        self._weights = [
            sum(_CITED[licence.kind] for licence in self._holdings[company.eori]) for company in self._active
        ]
        self._share = self._usual_share(declarations)

    def _usual_share(self, declarations: int) -> dict[str, float]:
        """Per licence, the part of a line that one claim usually takes: so that the day uses up about two thirds."""
        total = sum(self._weights)
        items = sum(number * weight for number, weight in _ITEMS.items()) / sum(_ITEMS.values())
        shares = {}
        for company, weight in zip(self._active, self._weights, strict=True):
            for licence in self._holdings[company.eori]:
                claims = declarations * items * weight / total * _CITED[licence.kind] / weight
                shares[licence.key] = min(0.5, _USED_BY_EVENING * max(1, len(licence.goods)) / max(claims, 1))
        return shares

    def plan(self, *, licence: Issued | None = None, at_home: bool = False) -> Plan:
        """One declaration of one exporter, at an office of its own state if `at_home`; item 1 cites `licence`."""
        random = self._random
        company = licence.holder if licence else random.choices(self._active, self._weights)[0]
        state = company.country if random.random() < 0.85 or at_home else weighted(random, MEMBER_STATES)
        plan = Plan(self._mrn(state), self._lrn(), company, f"{state}{random.randrange(100_000, 1_000_000)}", {})
        count = random.choices(list(_ITEMS), list(_ITEMS.values()))[0]
        items = [self._item(plan, number, licence if number == 1 else None) for number in range(1, count + 1)]
        plan.content = {
            "type": "EX",
            "additionalType": "A",
            "exporter": company.eori,
            "declarant": company.eori,
            "destination": items[0]["destination"],
            "invoiceCurrency": "EUR",
            "items": items,
        }
        consignees = plan.cited[0][2].wire.get("consignees") if plan.cited else None
        if consignees:
            plan.content["consignee"] = {"name": consignees[0]["name"], "country": consignees[0]["country"]}
        return plan

    def _mrn(self, state: str) -> str:
        """Year, country, 13 characters of which the last says export, check digit."""
        body = "".join(self._random.choices(_ALPHABET, k=12))
        stem = f"{self._day.year % 100:02}{state}{body}A"
        return stem + mrn_check_digit(stem)

    def _lrn(self) -> str:
        self._numbers += 1
        return f"LRN{self._day:%y%m%d}{self._numbers:07}"

    def _item(self, plan: Plan, number: int, licence: Issued | None) -> Wire:
        random = self._random
        chosen = licence or self._choose(plan.exporter)
        line = random.choice(list(chosen.goods))
        goods = chosen.goods[line]
        item: Wire = {
            "item": number,
            "procedure": weighted(random, _PROCEDURES),
            "commodity": goods.commodity,
            "description": goods.description,
            "destination": customs_country(random.choice(chosen.wire.get("destinations") or ["US", "CH", "NO", "JP"])),
            "origin": plan.exporter.country,
        }
        if licence is None and random.random() < 0.12:  # goods that are not on the list, and say so
            return item | {"references": [{"seq": 1, "type": "Y901"}], "netMass": "10"}
        documents = [self._document(plan, item, 1, chosen, line)]
        if random.random() < 0.08:  # an item may draw on two lines (rule R5)
            other = self._choose(plan.exporter)
            documents.append(self._document(plan, item, 2, other, random.choice(list(other.goods))))
        return item | {"documents": documents}

    def _choose(self, company: Company) -> Issued:
        held = self._holdings[company.eori]
        return self._random.choices(held, [_CITED[licence.kind] for licence in held])[0]

    def _document(self, plan: Plan, item: Wire, seq: int, licence: Issued, line: int) -> Wire:
        random = self._random
        goods = licence.goods[line]
        figure = Decimal(str(self._share.get(licence.key, _SHARE_OF_UNKNOWN) * random.uniform(0.3, 1.7)))
        authorised = licence.line(line).get("quantity")
        quantity = amount((Decimal(authorised["amount"]) if authorised else goods.usual) * figure, goods.unit)
        price = goods.price * licence.rate * Decimal(str(round(random.uniform(0.9, 1.0), 4)))
        if seq == 1:
            item["netMass"] = f"{(Decimal(quantity) * goods.kilograms).quantize(Decimal('0.001')).normalize():f}"
        document: Wire = {
            "seq": seq,
            "type": _CODES.get(licence.kind) or f"X06{licence.wire['type'][-1]}",
            "reference": licence.wire["number"],
            "issuer": licence.wire["issuer"],
            "quantity": {"amount": quantity, "unit": goods.unit},
            "value": {"amount": money(Decimal(quantity) * price * _ALMOST_ALL), "currency": licence.currency},
        }
        if line and random.random() < 0.9:
            document["line"] = line
        plan.cited.append((item["item"], seq, licence, line))
        return document


def another_mrn(mrn: str, letter: str) -> str:
    """The MRN of another declaration of the same office, made from one and a letter."""
    stem = mrn[:4] + letter + mrn[5:17]
    return stem + mrn_check_digit(stem)


def scaled(plan: Plan, factor: Decimal) -> Wire:
    """The declaration's content with all cited figures multiplied: an amendment."""
    content = copy.deepcopy(plan.content)
    for item in content["items"]:
        for document in item.get("documents", ()):
            scale_figures(document, factor)
    return content


def scale_figures(document: Wire, factor: Decimal) -> None:
    """Multiply what a document writes off, in whole pieces where they are counted."""
    quantity, value = document["quantity"], document["value"]
    quantity["amount"] = amount(Decimal(quantity["amount"]) * factor, quantity["unit"])
    value["amount"] = money(Decimal(value["amount"]) * factor)
