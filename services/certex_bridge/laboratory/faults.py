"""Records that nobody should send: each must end in a coded refusal or in quarantine, and hold up nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from certex_bridge.laboratory.declarations import Exporters
from certex_bridge.laboratory.licences import Authorities, Issued, local
from certex_bridge.laboratory.lives import Clock, Sent, accepted
from certex_bridge.laboratory.messages import Fate, Message, Wire, cloudevent, compact, repeated, without_header

_ISSUED = "licensing.licence.issued.v1"


@dataclass(frozen=True, slots=True)
class Office:
    """Whom a fault needs: those who make documents, and what they sent before."""

    authorities: Authorities
    exporters: Exporters
    issued: list[tuple[Issued, Message]]
    """Licences that are known, with the event that made them so."""


def faults(office: Office, day: date, rounds: int) -> Iterator[Sent]:
    """So many rounds of every fault, spread over the day."""
    for number in range(rounds):
        hour = 9 + 9 * number / max(rounds, 1)
        at = local(day, hour, "BE")
        licence, first = office.issued[number % len(office.issued)]
        fresh = office.authorities.licence("INDIVIDUAL", licence.holder)
        licensing = (*_unreadable(fresh, at), *_refused(fresh, office.authorities, at), *_old_news(licence, first, at))
        for message in (*licensing, *_customs(office.exporters, at)):
            yield Sent(at, message)


def _quarantined(message: Message, label: str, **changes: object) -> Message:
    return replace(message, label=label, fate=Fate.QUARANTINED, **changes)  # type: ignore[arg-type]  # `changes` are fields of the message


def _unreadable(fresh: Issued, at: datetime) -> Iterator[Message]:
    """Licence events that no code can read."""
    sound = cloudevent(_ISSUED, fresh.wire, at, "")
    value = sound.value or b""
    yield _quarantined(sound, "malformed JSON", value=value[:-20])
    yield _quarantined(sound, "a key twice", value=value[:-1] + b',"version":2}')
    yield _quarantined(sound, "null value", value=None)
    yield _quarantined(without_header(sound, "ce_id"), "no event id")
    yield _quarantined(sound, "no identity", value=json.dumps({"issuer": "", "version": 1}).encode())
    unknown = tuple(
        (name, b"licensing.licence.forged.v9" if name == "ce_type" else text) for name, text in sound.headers
    )
    yield _quarantined(sound, "unknown type", headers=unknown)


def _refused(fresh: Issued, authorities: Authorities, at: datetime) -> Iterator[Message]:
    """Licence events that are readable and wrong: answered with every finding."""
    yield cloudevent(_ISSUED, fresh.wire | {"version": "one", "holder": None}, at, "wrong schema")
    other = authorities.licence("INDIVIDUAL", fresh.holder).wire
    lines = [line | {"line": 7, "quantity": {"amount": "5", "unit": "BOX"}} for line in other["lines"] * 2]
    holder = other["holder"] | {"eori": "12 34", "name": "A name with a bell\u0007"}
    several: Wire = other | {"lines": lines, "holder": holder, "validTo": "2001-01-01", "destinations": ["ZZ"]}
    yield cloudevent(_ISSUED, several, at, "many findings")


def _old_news(licence: Issued, first: Message, at: datetime) -> Iterator[Message]:
    """What was said before: the same, and something else under the same id or version."""
    changed = licence.wire | {"applicationNumber": "changed without a new version"}
    yield repeated(first, "same id, same content")
    yield _quarantined(_with_id_of(first, changed), "same id, other content")
    yield cloudevent("licensing.licence.modified.v1", changed, at, "same version, other content")


def _with_id_of(message: Message, data: Wire) -> Message:
    return replace(message, value=compact(data))


def _customs(exporters: Exporters, at: datetime) -> Iterator[Message]:
    """Declaration events: unreadable, impossible, contradictory, from the future."""
    kind = "customs.declaration.accepted.v1"
    plan = exporters.plan()
    clock = Clock(at, at, at, at)
    sound = cloudevent(kind, accepted(plan, clock), at, "declaration accepted")
    value = sound.value or b""
    yield _quarantined(sound, "malformed JSON", value=value[: len(value) // 2])
    yield _quarantined(cloudevent(kind, accepted(plan, clock) | {"mrn": "26be1"}, at, ""), "impossible MRN")
    yield _quarantined(cloudevent(kind, {"mrn": plan.mrn, "declaration": {"type": "EX"}}, at, ""), "wrong schema")
    yield sound
    changed = accepted(plan, clock)
    changed["declaration"] = plan.content | {"destination": "AQ"}
    yield _quarantined(_with_id_of(sound, changed), "same id, other content")
    later = at + timedelta(minutes=3)
    yield cloudevent(kind, changed, later, "same version, other content")
    plan = exporters.plan()
    future = at + timedelta(days=400)
    yield cloudevent(kind, accepted(plan, clock), future, "from the future")
