"""What the laboratory's authorities do during the day: licences are changed while they are in use."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from random import Random

from certex_bridge.laboratory.licences import Book, Issued, local, money
from certex_bridge.laboratory.lives import Sent
from certex_bridge.laboratory.messages import Message, Wire, cloudevent


def act(licence: Issued, kind: str, moment: datetime, label: str, **changes: object) -> Message:
    """The next version of a licence as an event."""
    licence.wire = copy.deepcopy(licence.wire) | changes | {"version": licence.wire["version"] + 1}
    return cloudevent(f"licensing.licence.{kind}.v1", licence.wire, moment, label)


def raised(licence: Issued, day: date, _random: Random) -> Iterator[Sent]:
    """Twice as much is authorised."""
    at = local(day, 12.2, licence.wire["issuer"])
    yield Sent(at, act(licence, "modified", at, "limit raised", lines=_scaled_lines(licence, Decimal(2))))


def lowered(licence: Issued, day: date, _random: Random) -> Iterator[Sent]:
    """A twentieth is left of the limits, for many less than is in use."""
    at = local(day, 12.4, licence.wire["issuer"])
    lines = _scaled_lines(licence, Decimal("0.05"))
    yield Sent(at, act(licence, "modified", at, "limit lowered below use", lines=lines))


def suspended_and_resumed(licence: Issued, day: date, random: Random) -> Iterator[Sent]:
    """Suspended at noon; two of three are resumed in the evening."""
    at = local(day, 12.1, licence.wire["issuer"])
    yield Sent(at, act(licence, "suspended", at, "suspended", status="SUSPENDED"))
    if random.random() < 0.67:
        at = local(day, 18.5, licence.wire["issuer"])
        yield Sent(at, act(licence, "resumed", at, "resumed", status="VALID"))


def revoked(licence: Issued, day: date, _random: Random) -> Iterator[Sent]:
    """Revoked for good."""
    at = local(day, 12.6, licence.wire["issuer"])
    yield Sent(at, act(licence, "revoked", at, "revoked", status="REVOKED"))


def annulled(licence: Issued, day: date, _random: Random) -> Iterator[Sent]:
    """Annulled at the holder's request."""
    at = local(day, 12.7, licence.wire["issuer"])
    yield Sent(at, act(licence, "annulled", at, "annulled", status="CANCELLED"))


_ACTS: tuple[tuple[Callable[[Issued, date, Random], Iterator[Sent]], float], ...] = (
    (raised, 0.06),
    (lowered, 0.05),
    (suspended_and_resumed, 0.05),
    (revoked, 0.03),
    (annulled, 0.02),
)
"""Each act with the part of the individual licences it happens to."""


def changes(book: Book, day: date, random: Random) -> list[Sent]:
    """All acts of the day, and the split of one global licence."""
    free = [licence for licence in book.of_kind("INDIVIDUAL") if licence.known]
    random.shuffle(free)
    sent: list[Sent] = []
    individual = len(free)
    for perform, part in _ACTS:
        for _ in range(max(1, round(part * individual))):
            if free:
                sent += perform(free.pop(), day, random)
    for licence in [one for one in book.of_kind("GLOBAL") if one.known and "cap" in one.wire][:3]:
        sent.append(split(licence, day))
    general = [licence for licence in book.of_kind("EUGEA") if licence.known]
    if general:
        sent.append(barred(general[0], day))
    return sent


def split(licence: Issued, day: date) -> Sent:
    """A global licence gives a tenth of its limit to each of two new licences (Regulation 2021/821 Art. 12(4))."""
    at = local(day, 12.8, licence.wire["issuer"])
    value = licence.wire["cap"]["value"]
    tenth = Decimal(money(Decimal(value["amount"]) / 10))
    part: Wire = copy.deepcopy(licence.wire) | {"version": 1, "replaces": licence.wire["number"]}
    part["cap"] = {"value": value | {"amount": str(tenth)}}
    rest = {"value": value | {"amount": str(Decimal(value["amount"]) - 2 * tenth)}}
    parts = [part | {"number": f"{licence.wire['number']}-{letter}"} for letter in "AB"]
    licence.wire = copy.deepcopy(licence.wire) | {"version": licence.wire["version"] + 1, "cap": rest}
    event = cloudevent("licensing.licence.split.v1", licence.wire | {"parts": parts}, at, "split in three")
    return Sent(at, event)


def barred(licence: Issued, day: date) -> Sent:
    """An exporter may no longer use one general authorisation."""
    at = local(day, 12.9, licence.wire["issuer"])
    data = {
        "issuer": licence.wire["issuer"],
        "eori": licence.holder.eori,
        "documentCodes": [f"X06{licence.wire['type'][-1]}"],
        "from": day.isoformat(),
        "reason": "conditions of use not kept",
    }
    return Sent(at, cloudevent("licensing.exporter.barred.v1", data, at, "exporter barred"))


def _scaled_lines(licence: Issued, factor: Decimal) -> list[Wire]:
    """The lines with other limits; whole figures in hundreds stay exact under every tolerance."""
    lines = copy.deepcopy(licence.wire["lines"])
    for line in lines:
        for name in ("quantity", "value"):
            figure = Decimal(line[name]["amount"]) * factor
            line[name]["amount"] = str(max(20, int(figure) // 20 * 20))
    return list(lines)
