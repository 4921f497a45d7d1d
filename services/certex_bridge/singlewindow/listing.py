"""Lists of licences (IR 2024/2145 Art. 10): what a caller may ask for, and how a page goes on."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import NamedTuple

from certex_bridge.kernel.canonical import canonical_json, sha256_hex
from certex_bridge.kernel.countries import check_country, issuing_state
from certex_bridge.kernel.dates import has_zone, parse_date, parse_instant
from certex_bridge.kernel.errors import InputError
from certex_bridge.ledger.domain.searching import GREECE, control_terms, destination_terms, goods_terms
from certex_bridge.ledger.listing import Criteria
from certex_bridge.singlewindow.answering import not_as_agreed, not_here
from certex_bridge.singlewindow.callers import Caller
from certex_bridge.singlewindow.messages import listing as messages
from certex_bridge.singlewindow.messages.reference import issuer_of
from certex_bridge.singlewindow.refusals import Refusal
from certex_bridge.singlewindow.rights import Sight


@dataclass(frozen=True, slots=True)
class View:
    """What a caller may see of licences.

    Export authorisations hold in all states (Reg. (EU) 2021/821 Art. 12(1)), so all customs see them; the licensing
    side sees those of its own issuer, with balances.
    """

    sight: Sight
    figures: bool
    """Whether customs are shown balances."""

    @staticmethod
    def of(caller: Caller, *, figures_shown: bool) -> View:
        """The view of a caller; `figures_shown` is the authority's setting, the caller's policy must allow it too."""
        return View(Sight.of(caller), figures_shown and caller.policies.figures_shown)

    @property
    def issuer(self) -> str:
        """Who issues the licences of the own state."""
        return issuing_state(self.sight.state)

    def shows_figures(self, issuer: str) -> bool:
        """Whether balances of this issuer's licences are shown."""
        return self.sight.figures(issuer, shown=self.figures)

    def is_owner(self, issuer: str) -> bool:
        """Whether the licences of this issuer are the caller's own."""
        return self.sight.owns(issuer)


def criteria_of(asked: messages.Criteria, view: View) -> Criteria:
    """What the ledger is asked for.

    Raises:
        Refusal: SCHEMA_INVALID (a day, country or combination that cannot be), FOREIGN_MEMBER_STATE (the licensing
            side asks for another issuer's licences).
    """
    first, last = _validity(asked)
    groups: list[Sequence[str]] = []
    if asked.country_of_destination is not None:
        _check_destination(asked.country_of_destination)
        groups.append(destination_terms(asked.country_of_destination))
    if asked.commodity_code is not None:
        groups.append(goods_terms(asked.commodity_code))
    if asked.control_list_code is not None:
        groups.append(control_terms(asked.control_list_code))
    return Criteria(
        holder=asked.holder_identification_number or "",
        issuer=_issuer(asked, view),
        transit_issuer=view.issuer,
        document_codes=asked.types,
        statuses=asked.statuses,
        valid_from=first,
        valid_to=last,
        term_groups=tuple(groups),
        changed_since=_instant(asked.changed_since, "Criteria/changedSince"),
    )


def _issuer(asked: messages.Criteria, view: View) -> str:
    field = "Criteria/issuingCountry"
    issuer = issuer_of(asked.issuing_country, field) if asked.issuing_country is not None else ""
    if view.sight.customs:
        return issuer
    if issuer and not view.sight.licence(issuer):
        raise Refusal(
            "FOREIGN_MEMBER_STATE",
            f"the licensing side of {view.issuer} lists licences of its own issuer only",
            field=field,
            value=asked.issuing_country,
        )
    return view.issuer


def _check_destination(code: str) -> None:
    field = "Criteria/countryOfDestination"
    for finding in check_country(GREECE.get(code, code), field):
        raise Refusal("SCHEMA_INVALID", finding.message, field=field, value=code, error_code="12")


def _validity(asked: messages.Criteria) -> tuple[date | None, date | None]:
    on = _day(asked.valid_on, "Criteria/validOn")
    first, last = _day(asked.valid_from, "Criteria/validFrom"), _day(asked.valid_until, "Criteria/validUntil")
    if on is not None:
        if first is not None or last is not None:
            raise not_here("Criteria/validOn", asked.valid_on, "ask for a day, or for a time from and until")
        return on, on
    if first is not None and last is not None and first > last:
        raise Refusal(
            "SCHEMA_INVALID", "the time ends before it begins", field="Criteria/validUntil", value=asked.valid_until
        )
    return first, last


def _day(text: str | None, field: str) -> date | None:
    try:
        return None if text is None else parse_date(text)
    except InputError as error:
        raise not_as_agreed(error, field) from None


def _instant(text: str | None, field: str) -> datetime | None:
    """An instant of a message; without zone it is UTC."""
    try:
        return None if text is None else parse_instant(text if has_zone(text) else text + "Z", UTC)
    except InputError as error:
        raise not_as_agreed(error, field) from None


read_instant = _instant


class Place(NamedTuple):
    """Where a list goes on."""

    as_of: datetime
    after: str
    """Licence id."""


def token_of(asked: messages.ListRequest, place: Place) -> str:
    """The continuation token: bound to the question, not secret, and without rights of its own."""
    raw = json.dumps([_question(asked), place.as_of.isoformat(), place.after]).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def place_of(asked: messages.ListRequest) -> Place | None:
    """Where the request wants to go on; None at the beginning.

    Raises:
        Refusal: CONTINUATION_INVALID.
    """
    token = asked.continuation_token
    if token is None:
        return None
    try:
        question, as_of, after = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        moment = datetime.fromisoformat(as_of)
        # The database knows neither a time that is out of the calendar in UTC nor the character NUL.
        place, sound = Place(moment.astimezone(UTC), str(after)), moment.tzinfo is not None and "\0" not in str(after)
    except (binascii.Error, OverflowError, ValueError, TypeError):
        question, place, sound = "", Place(datetime.min.replace(tzinfo=UTC), ""), False
    if not sound or question != _question(asked):
        raise Refusal(
            "CONTINUATION_INVALID",
            "the token is none of a list with these criteria",
            field="continuationToken",
            value=token,
        )
    return place


def _question(asked: messages.ListRequest) -> str:
    criteria = asked.criteria.model_dump(by_alias=True, exclude_defaults=True, mode="json")
    return sha256_hex(canonical_json([asked.content, criteria]))[:16]


def changed_since(criteria: Criteria, since: datetime | None) -> Criteria:
    """The criteria of an order's next list of changes."""
    return criteria if since is None else replace(criteria, changed_since=since)
