"""Plain reads for people, console and programs: a licence, a declaration.

Customs see a licence without balances unless they may, and declarations of their own state. The licensing side sees
the licences of its own state, and of a declaration what concerns them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any

from certex_bridge.kernel.dates import parse_date, parse_instant
from certex_bridge.kernel.errors import InputError
from certex_bridge.kernel.identifiers import licence_key, mrn_member_state
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.model import DeclarationState, LicenceState
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.reading import LedgerAway, LedgerReader, PastLicence, ReadTooSlow, Until
from certex_bridge.singlewindow.callers import Caller
from certex_bridge.singlewindow.functions.read_views import account_view, declaration_view
from certex_bridge.singlewindow.messages.licence_content import content_of
from certex_bridge.singlewindow.messages.views import CountView, DeclarationView, LicenceView
from certex_bridge.singlewindow.operation import Call, Read
from certex_bridge.singlewindow.refusals import Refusal
from certex_bridge.singlewindow.rights import CUSTOMS_SIDE, LICENSING_SIDE, Sight, require_licence, sees_figures

_DATE_LENGTH = len("2026-12-31")
Parameters = Mapping[str, str]


class Reads:
    """Answers reads."""

    def __init__(self, reader: LedgerReader, policy: Policy, *, figures_shown: bool = True) -> None:
        self._reader = reader
        self._policy = policy
        self._shown = figures_shown

    async def licence(self, call: Call, parameters: Parameters) -> LicenceView:
        """A licence now, or at a moment of the past.

        Raises:
            Refusal: NOT_FOUND, FOREIGN_MEMBER_STATE, SCHEMA_INVALID (no such moment), NOT_AVAILABLE.
        """
        issuer, number = parameters["issuer"].upper(), parameters["number"]
        caller = call.caller
        require_licence(caller, issuer, "issuer")
        licence_id = licence_key(issuer, number)
        until = self._until(parameters, issuer)
        figures = sees_figures(caller, issuer, shown=self._shown)
        try:
            if until == Until():
                return await self._now(licence_id, figures=figures)
            return await self._past(licence_id, until, parameters, figures=figures)
        except (LedgerAway, ReadTooSlow) as error:
            raise Refusal("NOT_AVAILABLE", error.message, field="number", value=number) from error

    async def _now(self, licence_id: str, *, figures: bool) -> LicenceView:
        state = (await self._reader.picture([licence_id])).licences[licence_id]
        claims = await self._reader.open_claims(licence_id)
        if not state.known and not claims:
            raise _not_found("number", licence_id)
        return LicenceView(
            licence_identification=licence_id,
            status=state.status.value,
            version=state.version,
            journal_version=state.lv,
            frozen=state.frozen or None,
            open_claims=tuple([CountView(state=name, number=count) for name, count in claims.items()]),
            balances=_balances(state) if figures else None,
            content=content_of(state.licence) if state.licence else None,
        )

    async def _past(self, licence_id: str, until: Until, parameters: Parameters, *, figures: bool) -> LicenceView:
        found: PastLicence | None = await self._reader.past(licence_id, until)
        if found is None:
            raise _not_found("number", licence_id)
        return LicenceView(
            licence_identification=licence_id,
            status=found.status,
            version=found.version,
            journal_version=found.lv,
            at=until.at.isoformat() if until.at else f"journal version {parameters['journalVersion']}",
            balances=tuple([account_view(one) for one in found.accounts]) if figures else None,
        )

    def _until(self, parameters: Parameters, issuer: str) -> Until:
        """The moment asked for: an instant, or a day to its end in the issuing state's legal time."""
        text, version = parameters.get("at", ""), parameters.get("journalVersion", "")
        if version and not (version.isascii() and version.isdigit() and len(version) < _DATE_LENGTH):
            message = "a journal version is a whole number"
            raise Refusal("SCHEMA_INVALID", message, field="journalVersion", value=version)
        zone = self._policy.zone(issuer)
        try:
            day = datetime.combine(parse_date(text), time.max, zone) if len(text) == _DATE_LENGTH else None
            at = day or (parse_instant(text, zone, "at") if text else None)
        except InputError as error:
            raise Refusal("SCHEMA_INVALID", error.message, field="at", value=text) from error
        return Until(at, int(version) if version else None)

    async def declaration(self, call: Call, parameters: Parameters) -> DeclarationView:
        """A declaration with its claims and what they moved.

        Raises:
            Refusal: NOT_FOUND, FOREIGN_MEMBER_STATE, NOT_AVAILABLE.
        """
        decl_id, caller = parameters["id"], call.caller
        try:
            picture = await self._reader.picture([], decl_id)
            known = picture.declaration
            if known is None:
                raise _not_found("id", decl_id)
            visible = _visible(caller, known)
            licences = {key.licence_id for key in visible}
            moves = await self._moves(decl_id, licences)
        except (LedgerAway, ReadTooSlow) as error:
            raise Refusal("NOT_AVAILABLE", error.message, field="id", value=decl_id) from error
        claims = [known.claims[key] for key in sorted(visible)]
        return declaration_view(known, claims, picture.licences, moves)

    async def _moves(self, decl_id: str, licences: set[str]) -> Any:
        """None when the journal of a much used licence cannot be searched in time."""
        try:
            return await self._reader.moves(decl_id, licences)
        except ReadTooSlow:
            return None


def _visible(caller: Caller, known: DeclarationState) -> list[Any]:
    """The claims that the caller may see."""
    sight, state = Sight.of(caller), declared_in(known.facts)
    seen = [key for key in known.claims if sight.claim(key.licence_id, state)]
    if not seen and not sight.declaration(state):
        if sight.licensing:
            raise _not_found("id", known.decl_id)
        message = f"{caller.name} reads declarations of {caller.member_state} only"
        raise Refusal("FOREIGN_MEMBER_STATE", message, field="id", value=known.decl_id)
    return seen


def declared_in(facts: Facts) -> str:
    """Where it was declared: the MRN says it, before there is one the office or the exporter's number."""
    if facts.mrn:
        return mrn_member_state(facts.mrn)
    office = facts.payload.office if facts.payload else ""
    return (office or facts.exporter)[:2]


def _balances(state: LicenceState) -> tuple[Any, ...]:
    ordered = [state.accounts[key] for key in sorted(state.accounts)]
    return tuple([account_view(account) for account in ordered])


def _not_found(field: str, value: str) -> Refusal:
    return Refusal("NOT_FOUND", "the ledger knows nothing of it", field=field, value=value)


def reads(reader: LedgerReader, policy: Policy, *, figures_shown: bool = True) -> Sequence[Read]:
    """The reads of licences and declarations."""
    answers = Reads(reader, policy, figures_shown=figures_shown)
    everybody = CUSTOMS_SIDE | LICENSING_SIDE
    return (
        Read(
            name="getLicence",
            path="/v1/licences/{issuer}/{number}",
            response=LicenceView,
            roles=everybody,
            handler=answers.licence,
            summary="A licence with its balances, now or at a moment of the past.",
            query={
                "at": "An instant, or a day to its end in the issuing state's legal time.",
                "journalVersion": "A version of the licence's journal.",
            },
        ),
        Read(
            name="getDeclaration",
            path="/v1/declarations/{id}",
            response=DeclarationView,
            roles=everybody,
            handler=answers.declaration,
            summary="A declaration with its claims and what they moved; by MRN, or EXPORTER/LRN before there is one.",
        ),
    )
