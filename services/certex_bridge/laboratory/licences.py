"""The laboratory's licensing authorities: a book of licences in the proportions of 2022.

Authorisations and registrations of 2022 (COM(2025) 19, sections 4.2 and 5): 93,311 registrations of the use of
EU001 to EU008, 26,953 under national general authorisations, 17,072 individual and 1,428 global licences.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from certex_bridge.kernel.dates import ZONES
from certex_bridge.laboratory.goods import (
    CATALOGUE,
    CURRENCIES,
    DESTINATIONS,
    MEMBER_STATES,
    WHOLE,
    Goods,
    company_name,
    customer_name,
    eori,
    weighted,
)
from certex_bridge.laboratory.messages import Message, Wire, cloudevent

PROPORTIONS_2022: dict[str, int] = {"EUGEA": 93_311, "NGEA": 26_953, "INDIVIDUAL": 17_072, "GLOBAL": 1_428}

_EUGEA_WEIGHTS = {
    "EU001": 60, "EU002": 6, "EU003": 4, "EU004": 5, "EU005": 2, "EU006": 2, "EU007": 11, "EU008": 10,
}  # fmt: skip
_CONTROLS = {"QUANTITY": 34, "VALUE": 14, "QUANTITY_AND_VALUE": 42, "NONE": 10}
_TOLERANCES = {"0": 86, "5": 10, "10": 4}
_COMPANIES_PER_LICENCE = 5
_AMPLE = 0.9
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Company:
    """An exporter."""

    name: str
    eori: str
    country: str


@dataclass(slots=True)
class Issued:
    """A licence of the laboratory: its newest wire snapshot, and what claims need to know of it."""

    wire: Wire
    kind: str
    """EUGEA, NGEA, INDIVIDUAL, GLOBAL or TRANSIT."""
    goods: dict[int, Goods]
    """Line number (0: any) to goods."""
    holder: Company
    known: bool = True
    """False for a licence whose issue event comes late or never."""

    @property
    def key(self) -> str:
        """issuer/number."""
        return f"{self.wire['issuer']}/{self.wire['number']}"

    @property
    def rate(self) -> Decimal:
        """Units of the licence's currency for a euro."""
        return _currency(self.wire["issuer"])[1]

    @property
    def currency(self) -> str:
        """The currency of its values."""
        return _currency(self.wire["issuer"])[0]

    def line(self, number: int) -> Wire:
        """One line of the snapshot; empty when the licence has none."""
        return next((line for line in self.wire["lines"] if line["line"] == number), {})


@dataclass(slots=True)
class Book:
    """All licences, by who holds them."""

    licences: list[Issued] = field(default_factory=list)
    companies: list[Company] = field(default_factory=list)

    def of(self, company: Company) -> list[Issued]:
        """The licences of one exporter."""
        return [licence for licence in self.licences if licence.holder is company]

    def of_kind(self, kind: str) -> list[Issued]:
        """The licences of one kind, in the order of issue."""
        return [licence for licence in self.licences if licence.kind == kind]


def shares(total: int, proportions: dict[str, int]) -> dict[str, int]:
    """`total` divided in these proportions (largest remainder); every part at least 1 when there is enough."""
    whole = sum(proportions.values())
    exact = {name: total * part / whole for name, part in proportions.items()}
    counts = {name: int(value) for name, value in exact.items()}
    if total >= len(proportions):
        counts = {name: max(1, count) for name, count in counts.items()}
    by_remainder = sorted(proportions, key=lambda name: (int(exact[name]) - exact[name], name))
    step = 0
    while sum(counts.values()) < total:
        counts[by_remainder[step % len(by_remainder)]] += 1
        step += 1
    while sum(counts.values()) > total:
        counts[max(counts, key=lambda name: counts[name])] -= 1
    return counts


class Authorities:
    """Makes the book; the same seed makes the same one."""

    def __init__(self, random: Random, day: date, claims_per_line: int = 0) -> None:
        self._random = random
        self._day = day
        self._claims_per_line = claims_per_line
        """How many claims a usual line will see: most lines are issued for that, some are not."""
        self._numbers: dict[str, int] = {}

    def book(self, licences: int) -> Book:
        """So many licences in the proportions of 2022, with their holders."""
        book = Book(companies=[self._company() for _ in range(max(2, licences // _COMPANIES_PER_LICENCE))])
        for kind, count in shares(licences, PROPORTIONS_2022).items():
            for _ in range(count):
                book.licences.append(self.licence(kind, self._random.choice(book.companies)))
        return book

    def _company(self) -> Company:
        country = weighted(self._random, MEMBER_STATES)
        return Company(company_name(self._random, country), eori(self._random, country), country)

    def licence(self, kind: str, holder: Company) -> Issued:
        """One licence for one exporter, in version 1."""
        if kind == "EUGEA":
            return self._general(holder, weighted(self._random, _EUGEA_WEIGHTS), kind)
        if kind == "NGEA":
            return self._general(holder, "NGEA", kind)
        if kind == "TRANSIT":
            return self._transit(holder)
        return self._individual(holder) if kind == "INDIVIDUAL" else self._global(holder)

    def _base(self, holder: Company, licence_type: str, mark: str) -> Wire:
        number = self._numbers[mark] = self._numbers.get(mark, 0) + 1
        return {
            "issuer": holder.country,
            "number": f"{holder.country}-{mark}-{self._day.year}-{number:06}",
            "version": 1,
            "type": licence_type,
            "direction": "EXPORT",
            "status": "VALID",
            "issueDate": (self._day - timedelta(days=self._random.randrange(1, 200))).isoformat(),
            "validFrom": (self._day - timedelta(days=200)).isoformat(),
            "holder": {"name": holder.name, "eori": holder.eori, "country": holder.country},
            "authority": {"name": f"Export control authority of {holder.country}", "country": holder.country},
            "lines": [],
        }

    def _general(self, holder: Company, licence_type: str, kind: str) -> Issued:
        wire = self._base(holder, licence_type, licence_type)
        if kind == "NGEA":
            wire["validTo"] = (self._day + timedelta(days=700)).isoformat()
        if licence_type == "EU003":
            wire["initialLicence"] = {
                "issuer": holder.country,
                "number": f"{holder.country}-I-{self._day.year - 2}-000001",
            }
        goods = self._random.choice(CATALOGUE)
        return Issued(wire, kind, {0: goods}, holder)

    def _individual(self, holder: Company) -> Issued:
        random = self._random
        wire = self._base(holder, "INDIVIDUAL", "I")
        country = weighted(random, DESTINATIONS)
        consignee = {"name": customer_name(random, country), "country": country}
        self._validity(wire)
        wire |= {"consignees": [consignee], "endUsers": [consignee], "destinations": [country], "procedures": ["1000"]}
        picked = random.sample(CATALOGUE, random.choices((1, 2, 3, 4, 5), (40, 28, 17, 9, 6))[0])
        goods = dict(enumerate(picked, start=1))
        wire["lines"] = [self._line(number, kind, holder.country) for number, kind in goods.items()]
        return Issued(wire, "INDIVIDUAL", goods, holder)

    def _transit(self, holder: Company) -> Issued:
        issued = self._individual(holder)
        number = self._base(holder, "TRANSIT", "T")["number"]
        issued.wire |= {"number": number, "type": "TRANSIT", "direction": "TRANSIT", "procedures": ["T1"]}
        issued.kind = "TRANSIT"
        return issued

    def _line(self, number: int, goods: Goods, issuer: str) -> Wire:
        random = self._random
        control = weighted(random, _CONTROLS)
        # One machine, or stock for two years: the spread of real licences, and lines that run dry during the day.
        quantity = max(1, int(goods.usual * random.choice((Decimal("0.05"), Decimal("0.5"), 1, 1, 2, 5))))
        if random.random() < _AMPLE:
            quantity = max(quantity, 2 * self._claims_per_line)
        tolerance = weighted(random, _TOLERANCES) if quantity >= 20 else "0"
        if tolerance != "0":
            quantity -= quantity % 20  # the limit with tolerance must be whole pieces
        currency, rate = _currency(issuer)
        line: Wire = {
            "line": number,
            "description": goods.description,
            "controlList": goods.control_list,
            "commodityCodes": [goods.commodity],
            "control": control,
            "quantity": {"amount": str(quantity), "unit": goods.unit},
            "value": {"amount": str(int(quantity * goods.price * rate) + 1), "currency": currency},
            "tolerancePercent": tolerance,
        }
        return line | ({"cas": list(goods.cas)} if goods.cas else {})

    def _global(self, holder: Company) -> Issued:
        random = self._random
        wire = self._base(holder, "GLOBAL", "G")
        self._validity(wire)
        wire["destinations"] = random.sample(list(DESTINATIONS), 8)
        goods = dict(enumerate(random.sample(CATALOGUE, 3), start=1))
        for number, kind in goods.items():
            line = self._line(number, kind, holder.country) | {"control": "NONE", "tolerancePercent": "0"}
            wire["lines"].append({name: part for name, part in line.items() if name not in {"quantity", "value"}})
        # The first of them always has a limit, so that there is one to split.
        if self._numbers["G"] == 1 or random.random() < 0.6:
            currency, rate = _currency(holder.country)
            limit = sum(int(kind.usual * kind.price) for kind in goods.values())
            wire["cap"] = {"value": {"amount": str((limit * rate).quantize(_CENT)), "currency": currency}}
        return Issued(wire, "GLOBAL", goods, holder)

    def _validity(self, wire: Wire) -> None:
        """Two years; a few ended yesterday, a few begin next week."""
        chance = self._random.random()
        if chance < 0.03:
            wire["validTo"] = (self._day - timedelta(days=1)).isoformat()
        elif chance < 0.05:
            wire["validFrom"] = (self._day + timedelta(days=7)).isoformat()
        wire.setdefault("validTo", (self._day + timedelta(days=530)).isoformat())


def issue_event(licence: Issued, moment: datetime) -> Message:
    """The event that makes a licence known: issued, or registered for a Union general authorisation."""
    if licence.kind == "EUGEA":
        return cloudevent("licensing.licence.eugea-registered.v1", licence.wire, moment, "general use registered")
    label = {"NGEA": "national general issued", "INDIVIDUAL": "individual issued", "GLOBAL": "global issued"}
    label["TRANSIT"] = "transit issued"
    return cloudevent("licensing.licence.issued.v1", licence.wire, moment, label[licence.kind])


def local(day: date, hour: float, issuer: str) -> datetime:
    """A time of day in the legal time of a state; `hour` may have a fraction."""
    return datetime.combine(day, time(), ZONES[issuer]) + timedelta(hours=hour)


def amount(figure: Decimal, unit: str) -> str:
    """A quantity as declared: whole pieces, or at most three decimals; at least one step."""
    step = Decimal(1) if unit in WHOLE else Decimal("0.001")
    text = max(step, figure.quantize(step))
    return f"{text.normalize():f}" if text % 1 else str(int(text))


def money(figure: Decimal) -> str:
    """A value with two decimals, at least one cent."""
    return str(max(_CENT, figure.quantize(_CENT)))


def _currency(issuer: str) -> tuple[str, Decimal]:
    return CURRENCIES.get(issuer, ("EUR", Decimal(1)))
