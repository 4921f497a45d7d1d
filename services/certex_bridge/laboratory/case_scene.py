"""What the hard cases are made of: licences, traders and declarations that are nobody else's."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from certex_bridge.kernel.identifiers import mrn_check_digit
from certex_bridge.laboratory.licences import local
from certex_bridge.laboratory.lives import Sent
from certex_bridge.laboratory.messages import Wire, cloudevent

_AUTHORISED = "100"
_UNIT = "NAR"
_COMMODITY = "84571090"
_DESTINATION = "KR"
OFFICE = "BE212000"
"""The customs office of export of all cases."""


class Scene:
    """Makes the records of one case: its licences, traders and declarations are nobody else's."""

    def __init__(self, day: date, number: int) -> None:
        self.day = day
        self.number = number
        self._licences = 0

    def at(self, hour: float) -> datetime:
        """A time of day in Belgium."""
        return local(self.day, hour, "BE").replace(microsecond=0)

    def trader(self, place: int = 1, country: str = "BE") -> str:
        """EORI of one of the case's traders."""
        return f"{country}07{self.number:04}{place:04}"

    def mrn(self, place: int) -> str:
        """MRN of one of the case's declarations."""
        stem = f"{self.day.year % 100:02}BECASE{self.number:04}{place:04}A"
        return stem + mrn_check_digit(stem)

    @property
    def lrn(self) -> str:
        """The local reference number of the case."""
        return f"CASE{self.day:%y%m%d}{self.number:04}"

    def licence(self, holder: str, issuer: str = "BE") -> Wire:
        """A licence for a hundred pieces."""
        self._licences += 1
        party = {"name": f"Trader {holder[-4:]} of case {self.number}", "eori": holder, "country": holder[:2]}
        line = {
            "line": 1, "description": "Machining centre, five axes", "controlList": "2B001.b",
            "commodityCodes": [_COMMODITY], "control": "QUANTITY",
            "quantity": {"amount": _AUTHORISED, "unit": _UNIT},
        }  # fmt: skip
        return {
            "issuer": issuer,
            "number": f"{issuer}-C-{self.day.year}-{self.number:03}{self._licences:03}",
            "version": 1,
            "type": "INDIVIDUAL",
            "direction": "EXPORT",
            "status": "VALID",
            "issueDate": (self.day - timedelta(days=60)).isoformat(),
            "validFrom": (self.day - timedelta(days=60)).isoformat(),
            "validTo": (self.day + timedelta(days=670)).isoformat(),
            "holder": party,
            "authority": {"name": f"Export control authority of {issuer}", "country": issuer},
            "consignees": [{"name": "Hanbit Tooling", "country": _DESTINATION}],
            "destinations": [_DESTINATION],
            "lines": [line],
        }

    def issued(self, licence: Wire) -> Sent:
        """The event that makes it known."""
        at = self.at(0.5)
        return Sent(at, cloudevent("licensing.licence.issued.v1", licence, at, "individual issued"))

    def told(self, hour: float, kind: str, data: Wire) -> Sent:
        """An event of customs or of a declarant."""
        at = self.at(hour)
        if kind == "accepted":
            data = data | {"acceptedAt": at.isoformat()}
        return Sent(at, cloudevent(f"customs.declaration.{kind}.v1", data, at, f"declaration {kind}"))


def content_of(exporter: str, licence: Wire, *pieces: int, additional_type: str = "A", issuer: bool = True) -> Wire:
    """A declaration that cites the licence once on each of its items."""
    named = {"issuer": licence["issuer"]} if issuer else {}
    items = [
        {
            "item": number, "procedure": "1000", "commodity": _COMMODITY, "description": "Machining centre, five axes",
            "destination": _DESTINATION, "origin": "BE", "netMass": str(9400 * figure),
            "documents": [
                {"seq": 1, "type": "X060", "reference": licence["number"], "line": 1, **named,
                 "quantity": {"amount": str(figure), "unit": _UNIT}}
            ],
        }
        for number, figure in enumerate(pieces, start=1)
    ]  # fmt: skip
    return {
        "type": "EX", "additionalType": additional_type, "exporter": exporter, "declarant": exporter,
        "destination": _DESTINATION, "items": items,
    }  # fmt: skip


def key_of(licence: Wire) -> str:
    """issuer/number."""
    return f"{licence['issuer']}/{licence['number']}"
