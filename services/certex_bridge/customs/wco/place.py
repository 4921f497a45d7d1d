"""In which country a WCO message was lodged: by the strongest sign it holds.

The wrapper's ResponsibleCountryCode is often what a template said (published United Kingdom samples carry the code of
another country), so it is believed only where an office or a country in the declaration agrees, or where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from certex_bridge.customs.identity import FROM_EXPORTER
from certex_bridge.customs.wco.tree import Element, child, first, text
from certex_bridge.kernel.countries import check_country, issuing_state
from certex_bridge.kernel.identifiers import mrn_member_state
from certex_bridge.ledger.domain.issuers import MRN
from certex_bridge.platform.xmlgate import local_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_AGENCIES = {"HMRC": "GB"}
"""Customs authorities by the name in their metadata."""
_NATIONAL_REQUESTS = {"submitDeclarationRequest": "GB"}
"""National requests around a declaration, by local name."""

_CODE_LENGTH = 2
_OFFICES = ("SupervisingOffice", "PresentationOffice")


class Place(NamedTuple):
    """The country, and what told it."""

    country: str
    sign: str


def lodged_in(message: Element, declaration: Element | None, mrn: str) -> Place:
    """Where it was lodged; empty when nothing tells."""
    if mrn:
        return Place(issuing_state(mrn_member_state(mrn)), MRN)
    wrapper = _wrapper(message)
    signs = [Place(wrapper, "WRAPPER")] if wrapper else []
    signs += _in_declaration(declaration)
    firm = {sign.country for sign in signs if sign.sign != FROM_EXPORTER}
    stated = issuing_state(_metadata(message, "ResponsibleCountryCode").upper())
    if _is_country(stated) and (stated in firm or not firm):
        return Place(stated, "WRAPPER")
    return signs[0] if signs else Place("", "")


def _is_country(code: str) -> bool:
    return len(code) == _CODE_LENGTH and not check_country(code)


def _wrapper(message: Element) -> str:
    """The country of the authority or of the national request around the message."""
    known = _AGENCIES.get(_metadata(message, "ResponsibleAgencyName").upper(), "")
    if known:
        return known
    names = (local_name(element) for element in message.iterancestors())
    return next((_NATIONAL_REQUESTS[name] for name in names if name in _NATIONAL_REQUESTS), "")


def _metadata(message: Element, name: str) -> str:
    """The text of this element in the nearest of the message's own wrappers that has one."""
    found = (text(first(ancestor, name)) for ancestor in message.iterancestors())
    return next((written for written in found if written), "")


def wrapped(message: Element, name: str) -> str:
    """The text of this element in the message's own wrappers, or in their parts that hold no other message."""
    for ancestor in message.iterancestors():
        for part in ancestor:
            if local_name(part) == name:
                return text(part)
            written = text(first(part, name))
            if written and next(part.iter("{*}Declaration", "{*}Response"), None) is None:
                return written
    return ""


def _in_declaration(declaration: Element | None) -> Iterator[Place]:
    """Signs in the declaration, strongest first; the office of exit may lie in another country."""
    shipment = child(declaration, "GoodsShipment")
    offices = [text(first(declaration, "DeclarationOfficeID")), *[text(first(declaration, n), "ID") for n in _OFFICES]]
    country = text(first(shipment, "ExportCountry"), "ID")
    exit_office = text(first(declaration, "ExitOffice"), "ID")
    traders = [text(first(declaration, name), "ID") for name in ("Declarant", "Exporter")]
    told = [(office, "OFFICE") for office in (*offices, country, exit_office)]
    told += [(trader, FROM_EXPORTER) for trader in traders]
    for written, sign in told:
        state = issuing_state(written[:2].upper())
        if _is_country(state):
            yield Place(state, sign)


def office_of(declaration: Element) -> str:
    """The office of export: where it was lodged, the supervising one, or where the goods are presented."""
    lodged = text(first(declaration, "DeclarationOfficeID"))
    return lodged or next((found for name in _OFFICES if (found := text(first(declaration, name), "ID"))), "")
