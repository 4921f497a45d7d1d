"""Random ledgers, and random declarations to ask them about: everything that a verdict can depend on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from certex_bridge.kernel.amounts import Money
from certex_bridge.ledger.domain.policy import FigureSource, Policy, SettleGroup
from certex_bridge.ledger.domain.reasons import COMPARISONS
from certex_bridge.licensing.domain.commands import ExporterBar, LicenceEventKind
from certex_bridge.licensing.domain.licence import (
    AuthorityStatus,
    Direction,
    InitialLicence,
    Licence,
    LicenceType,
    Party,
)
from tests.support.doors import Json, Question
from tests.support.ledger_words import GOODS, HOLDER, licence, line

if TYPE_CHECKING:
    from random import Random

    from tests.support.scenario import Scenario

OTHER_GOODS = "90138090"
BARRED = "BE7777777777"
EXPORTERS = (HOLDER, HOLDER, HOLDER, BARRED, "DE1234567890")
LIMITS = ("100 NAR", "60 NAR", "40.5 KGM", "10 NAR + 5000.00 EUR", "3000.00 EUR", "2500.50 USD", "")
GENERAL = {LicenceType[f"EU00{number}"]: f"X06{number}" for number in range(1, 9)}
DAYS = ("2026-03-01", "2026-03-01", "2026-03-01", "2026-12-31", "2027-01-01", "2025-12-31")
PROCEDURES = ("1000", "1000", "1000", "1040", "2100", "2300", "3151", "2200", "4000", "7100", "1100")


@dataclass(frozen=True)
class Known:
    """A licence number as it may be cited."""

    number: str
    code: str
    issuer: str = "BE"
    unit: str = "NAR"
    currency: str = "EUR"


def policy(random: Random) -> Policy:
    """Settings of one member state."""
    return Policy(
        settle_group=random.choice(list(SettleGroup)),
        enforced=frozenset(random.sample(COMPARISONS, random.choice((0, 0, 2, 5)))),
        ladder=random.choice(
            ((FigureSource.DOCUMENT,), (FigureSource.DOCUMENT, FigureSource.NET_MASS, FigureSource.ITEM_AMOUNT))
        ),
        unit_aliases=random.random() < 0.3,
    )


async def populate(story: Scenario, random: Random) -> list[Known]:
    """Issue licences of every kind, use some of them, bar an exporter; returns what can be cited."""
    known = [await _individual(story, random, number) for number in range(6)]
    known += [await _registration(story, random, kind, code) for kind, code in GENERAL.items()]
    known.append(await _national(story, random))
    transit = licence("T", "50 NAR", type=LicenceType.TRANSIT, direction=Direction.TRANSIT)
    await story.issue(transit, licence("GLOB", "200 NAR", cap="250 NAR", type=LicenceType.GLOBAL))
    known += [Known("T", "X072"), Known("GLOB", "X070"), Known("NOBODY", "X060"), Known("UNREG", "X061")]
    known += [Known(f"EU003/BE/{number}", "X063") for number in ("P0", "P1", "NOBODY")]
    if random.random() < 0.7:
        codes = tuple(random.sample(list(GENERAL.values()), 4))
        bar = ExporterBar("BE", BARRED, codes, date(2026, random.choice((1, 6)), 1))
        await story.tell(story.authority.event(None, LicenceEventKind.EXPORTER_BARRED, bar=bar))
    for number in range(random.randrange(3)):
        await story.accepted(f"M9{number:06}", P0=random.randrange(1, 50), P1=random.randrange(1, 30))
        if random.random() < 0.5:
            await story.released(f"M9{number:06}")
    return known


async def _individual(story: Scenario, random: Random, number: int) -> Known:
    limits = [random.choice(LIMITS) for _ in range(random.choice((1, 1, 2, 3)))]
    units = {part.split()[1] for limit in limits for part in limit.split(" + ") if part}
    unit = next((one for one in sorted(units) if one in {"NAR", "KGM"}), "NAR")
    currency = next((one for one in sorted(units) if one in {"EUR", "USD"}), "EUR")
    told = [
        line(place, limit, commodity_codes=(random.choice((GOODS, GOODS, OTHER_GOODS)),))
        for place, limit in enumerate(limits, 1)
    ]
    issuer = random.choice(("BE", "BE", "BE", "DE"))
    made = licence(
        f"{issuer}/P{number}", *told, cap=random.choice(("", "", "", f"80 {unit}")),
        consignees=random.choice(((), (Party("Consignee", country="KR"),))),
        destinations=random.choice((("KR",), ("KR", "CH"), ())),
        valid_to=random.choice((date(2026, 12, 31), date(2026, 12, 31), date(2026, 2, 15), None)),
    )  # fmt: skip
    await story.issue(made)
    change = random.random()
    if change < 0.1:
        await story.suspend(made.licence_id)
    elif change < 0.2:
        await story.revoke(made.licence_id)
    elif change < 0.25 and made.valid_to:
        await story.validity_passed(made.licence_id)
    return Known(f"P{number}", "X060", issuer, unit, currency)


async def _registration(story: Scenario, random: Random, kind: LicenceType, code: str) -> Known:
    number = f"G{kind.value}"
    if random.random() < 0.7:
        initial = None
        if kind is LicenceType.EU003:
            initial = random.choice((None, InitialLicence("BE", "P0"), InitialLicence("BE", "P1"),
                                     InitialLicence("BE", "NOBODY")))  # fmt: skip
        holder = Party("Holder", random.choice((HOLDER, HOLDER, BARRED)), country="BE")
        made = licence(number, type=kind, valid_to=None, destinations=(), initial_licence=initial, holder=holder)
        await story.issue(made)
        if random.random() < 0.1:
            await story.suspend(made.licence_id)
    return Known(number, code)


async def _national(story: Scenario, random: Random) -> Known:
    most = random.choice((None, Money(Decimal(5000), "EUR")))
    made: Licence = licence("NGEA", type=LicenceType.NGEA, valid_to=None, shipment_value_max=most)
    await story.issue(replace(made, status=AuthorityStatus.VALID))
    return Known("NGEA", "X071")


def question(random: Random, name: str, known: list[Known]) -> Question:
    """The content of one declaration."""
    favourites = random.sample(known, min(len(known), random.choice((1, 2, 3))))
    items = tuple(_item(random, number, favourites) for number in range(1, random.choice((1, 1, 2, 2, 3, 4)) + 1))
    transit = any(one.code == "X072" for one in favourites) and random.random() < 0.7
    header: tuple[Json, ...] = ()
    if random.random() < 0.05:
        header = (_cited(random.choice(favourites), 1),)
    return Question(
        name, items, random.choice(EXPORTERS), random.choice(("KR", "KR", "CH", "US", "")),
        random.choice(("", "", "", "Consignee", "Somebody")), header, "T1" if transit else random.choice(("EX", "EX", "CO")),
        random.choice(DAYS),
    )  # fmt: skip


def amended(random: Random, before: Question, known: list[Known]) -> Question:
    """The next version: the same goods items with other figures and documents."""
    favourites = random.sample(known, 2)
    items = []
    for item in before.items:
        documents = [dict(one) for one in item.get("SupportingDocument", ())]
        for one in documents:
            if "quantity" in one and random.random() < 0.6:
                one["quantity"] = str(random.randrange(1, 90))
        if documents and random.random() < 0.15:
            documents.pop()
        if random.random() < 0.2:
            documents.append(_document(random, random.choice(favourites), len(documents) + 1))
        changed = {name: told for name, told in item.items() if name != "SupportingDocument"}
        items.append(changed | ({"SupportingDocument": documents} if documents else {}))
    return replace(before, items=tuple(items), version=before.version + 1)


def _item(random: Random, number: int, known: list[Known]) -> Json:
    documents = [
        _document(random, random.choice(known), seq) for seq in range(1, random.choice((0, 1, 1, 1, 2, 2, 3)) + 1)
    ]
    procedure, commodity = random.choice(PROCEDURES), random.choice((GOODS, GOODS, OTHER_GOODS))
    told: Json = {
        "declarationGoodsItemNumber": number,
        "Procedure": {"requestedProcedure": procedure[:2], "previousProcedure": procedure[2:]},
        "countryOfOrigin": "DE",
        "CommodityCode": {"harmonizedSystemSubHeadingCode": commodity[:6], "combinedNomenclatureCode": commodity[6:]},
    }
    if random.random() < 0.03:
        told["Procedure"]["additionalProcedure"] = ["F75"]
    if random.random() < 0.2:
        told["countryOfDestination"] = random.choice(("KR", "AR", "US", "CH"))
    if random.random() < 0.4:
        told["GoodsMeasure"] = {"netMass": str(random.randrange(1, 60))}
    if random.random() < 0.3:
        told |= {"itemAmount": f"{random.randrange(1, 4000)}.00", "currency": random.choice(("EUR", "EUR", "USD"))}
    return told | ({"SupportingDocument": documents} if documents else {})


def _cited(one: Known, seq: int) -> Json:
    told: Json = {"sequenceNumber": seq, "type": one.code, "referenceNumber": one.number}
    return told | ({"issuingCountry": one.issuer} if one.issuer != "BE" else {})


def _document(random: Random, one: Known, seq: int) -> Json:
    told = _cited(one, seq)
    more: dict[str, Any] = {}
    if random.random() < 0.05:
        more["type"] = random.choice(("X060", "X070", "X069", "X002"))
    if random.random() < 0.5:
        more["documentLineItemNumber"] = random.choice((1, 1, 1, 2, 3, 9))
    if random.random() < 0.85:
        unit = one.unit if random.random() < 0.93 else random.choice(("KGM", "TNE", "NAR"))
        figure = random.choice(("1", "5", "20", "30", "40", "40.5", "60", "99", "101"))
        more |= {"quantity": figure, "measurementUnitAndQualifier": unit}
    if random.random() < 0.5:
        currency = one.currency if random.random() < 0.93 else random.choice(("EUR", "USD"))
        more |= {"amount": random.choice(("1.00", "900.50", "2500.00", "3000.01", "5000.00")), "currency": currency}
    return told | more
