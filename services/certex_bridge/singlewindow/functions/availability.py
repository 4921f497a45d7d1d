"""F1, check availability: IR 2024/2145 Art. 5(1).

Nothing is stored but the interest of the caller. While the database is away the answer is what was read before, with
its age: the status, never whether a figure fits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from certex_bridge.customs.options import DecodeOptions
from certex_bridge.kernel.canonical import content_id
from certex_bridge.kernel.dates import legal_day, parse_date
from certex_bridge.kernel.errors import Finding, InputError, Severity
from certex_bridge.kernel.identifiers import licence_key, mrn_member_state
from certex_bridge.ledger.checking import Checked, Depth, check, check_reference
from certex_bridge.ledger.domain.days import exit_remarks
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.inputs import inputs_of
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.domain.reasons import EXPLANATIONS
from certex_bridge.ledger.reading import LedgerAway, LedgerReader, Picture, ReadTooSlow, picture_of
from certex_bridge.singlewindow.callers import Caller, Mode
from certex_bridge.singlewindow.functions.check_extras import Extras
from certex_bridge.singlewindow.functions.check_memory import CheckMemory
from certex_bridge.singlewindow.functions.check_results import Results, not_read, remembered
from certex_bridge.singlewindow.functions.declared import Declared, read_declared, unreadable
from certex_bridge.singlewindow.interests import Interest, Interests
from certex_bridge.singlewindow.messages import availability as messages
from certex_bridge.singlewindow.messages.availability import AvailabilityCheck, AvailabilityCheckResponse, CheckResult
from certex_bridge.singlewindow.operation import Call, Operation, Reply
from certex_bridge.singlewindow.refusals import Refusal
from certex_bridge.singlewindow.rights import (
    CUSTOMS_SIDE,
    LICENSING_SIDE,
    Sight,
    issuer_in,
    require_licence,
    require_own_declaration,
    sees_figures,
)

_UNHEARD = Facts()
ROLES = CUSTOMS_SIDE | LICENSING_SIDE


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """What the installation decides about checks."""

    sender: str
    """Name of the bridge in its messages."""
    policy: Policy
    options: DecodeOptions
    figures_shown: bool = True
    """Whether customs may see balances at all."""


@dataclass(slots=True)
class Question:
    """One check on its way to its answer."""

    call: Call
    request: AvailabilityCheck
    call_id: str
    declared: Declared | None
    """None for references alone."""
    ids: list[str]
    """Licences asked about; for references alone in their order."""
    facts: Facts | None = None

    @property
    def told(self) -> tuple[Facts, ...]:
        """What is asked about besides references alone."""
        return () if self.facts is None else (self.facts,)


class Availability:
    """Answers checks."""

    def __init__(
        self,
        reader: LedgerReader,
        interests: Interests,
        settings: CheckSettings,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._reader = reader
        self._interests = interests
        self._settings = settings
        self._clock = clock or (lambda: datetime.now(UTC))
        self._memory = CheckMemory()
        self._results = Results()
        self._extras = Extras(reader, settings.policy, figures_shown=settings.figures_shown)

    def forget(self) -> None:
        """Drop content that is remembered; the status of licences stays, it is told with its age."""
        self._results.forget()

    async def check(self, call: Call, request: AvailabilityCheck) -> Reply:
        """Answer one check.

        Raises:
            Refusal: SCHEMA_INVALID; FOREIGN_MEMBER_STATE for a licence or a dry run on a declaration that the caller
                may not see; NOT_AVAILABLE when the ledger was too slow, or is away and nothing is remembered.
        """
        question = self._question(call, request)
        _require_all(question, question.ids)
        try:
            picture = await picture_of(self._reader, question.told, _known_as(question), question.ids)
        except ReadTooSlow as error:
            raise Refusal("NOT_AVAILABLE", error.message, field="messageIdentification") from error
        except LedgerAway as error:
            return self._remembered(question, error)
        read_at = self._clock()
        self._memory.remember(picture.licences.values(), read_at)
        checked = self._judge(question, _seen(question, picture), self._depth(question))
        results = [self._result(question, number, one) for number, one in enumerate(checked, 1)]
        if request.original or request.explain or request.as_of:
            results = await self._extras.add(question, results, checked)
        self._note(question, checked)
        return Reply(self._response(question, results, read_at))

    # -- the question

    def _question(self, call: Call, request: AvailabilityCheck) -> Question:
        call_id = call.call_id(request)
        if request.as_of:
            _day(request.as_of)
        if request.certificate_reference:
            ids = [licence_key(one.issuing_country, one.reference_number) for one in request.certificate_reference]
            return Question(call, request, call_id, None, ids)
        declared = read_declared(request, call.caller.member_state, self._settings.options)
        facts = declared.facts(call.received_at, call_id)
        return Question(call, request, call_id, declared, sorted(inputs_of((facts,), {}).cited), facts)

    def _depth(self, question: Question) -> Depth:
        request, policies = question.request, question.call.caller.policies
        if question.declared is not None and question.declared.supplements:
            return Depth.INSTRUMENT
        if request.dry_run:
            return Depth.REHEARSAL
        return Depth.REFERENCE if policies.two_step and request.step == "LODGE" else Depth.ALL

    def _judge(self, question: Question, picture: Picture, depth: Depth) -> list[Checked]:
        policy, request, declared = self._settings.policy, question.request, question.declared
        if declared is None:
            asked = zip(request.certificate_reference, question.ids, strict=True)
            return [
                check_reference(one_id, one.type or "", one.reference_number, self._today(question), picture, policy)
                for one, one_id in asked
            ]
        known = picture.declaration
        if question.facts is None or known or request.dry_run:  # else they are what `_question` made of them
            version = known.facts.payload_rank.version if known and known.facts.payload_rank else 0
            question.facts = declared.facts(
                question.call.received_at,
                question.call_id,
                accepted=request.dry_run == "RESERVE",
                version=version + 1 if request.dry_run == "ADJUST" else 0,
                known=known.facts if known and not request.as_of else _UNHEARD,
            )
        ordered = question.call.caller.policies.mode is Mode.BLOCK
        checked = check(question.facts, picture, policy, depth, ordered=ordered)
        # A number without issuer can turn out to be another state's licence: known only now.
        _require_all(question, [one.outcome.key.licence_id for one in checked])
        return checked

    def _today(self, question: Question) -> str:
        """The day asked for, or today where it is asked."""
        zone = self._settings.policy.zone(question.call.caller.member_state)
        return question.request.as_of or legal_day(question.call.received_at, zone).isoformat()

    # -- the answer

    def _result(self, question: Question, number: int, checked: Checked) -> CheckResult:
        issuer = issuer_in(checked.outcome.key.licence_id)
        figures = sees_figures(question.call.caller, issuer, shown=self._settings.figures_shown)
        return self._results.result(number, checked, _payload(question), figures=figures)

    def _remembered(self, question: Question, error: LedgerAway) -> Reply:
        now = self._clock()
        numbers = inputs_of(question.told, {}).numbers
        ids = [*question.ids, *self._memory.known_under(sorted(numbers), question.ids)]
        held = self._memory.recall(ids)
        if not held:
            raise Refusal("NOT_AVAILABLE", error.message, field="messageIdentification") from error
        states = self._memory.states(ids)
        named = inputs_of(question.told, states).initial
        picture = Picture(self._memory.states([*ids, *(named - states.keys())]))
        results = []
        for number, checked in enumerate(self._judge(question, picture, Depth.REFERENCE), 1):
            read_at = held.get(checked.outcome.key.licence_id)
            if read_at is None:
                results.append(not_read(number, checked, _payload(question)))
            else:
                age = max(int((now - read_at).total_seconds()), 0)
                results.append(remembered(number, checked, _payload(question), age))
        return Reply(self._response(question, results, min(held.values()), degraded=True))

    def _response(
        self, question: Question, results: Sequence[CheckResult], read_at: datetime, *, degraded: bool = False
    ) -> AvailabilityCheckResponse:
        request, declared = question.request, question.declared
        now = _instant(self._clock())
        return AvailabilityCheckResponse(
            message_sender=self._settings.sender,
            message_recipient=question.call.caller.name,
            preparation_date_and_time=now,
            message_identification=content_id("check", question.call_id, now)[:35],
            type_of_message=AvailabilityCheckResponse.message_type,
            correlation_identifier=request.message_identification,
            lrn=(declared.lrn or None) if declared else None,
            mrn=(declared.mrn or None) if declared else None,
            as_of=request.as_of,
            read_at=_instant(read_at),
            degraded=degraded,
            finding=(
                *[_finding(one) for one in self._remarks(question)],
                *(() if results else (_finding(_no_claims(request)),)),
            ),
            check_result=tuple(results),
        )

    def _remarks(self, question: Question) -> tuple[Finding, ...]:
        declared, facts = question.declared, question.facts
        if declared is None or facts is None:
            return ()
        by_exit = not question.request.as_of  # else the question says which day counts
        return declared.findings + (exit_remarks(facts, self._settings.policy) if by_exit else ())

    def _note(self, question: Question, checked: Sequence[Checked]) -> None:
        """A check made for a declaration is an interest, whether the licence was found or not."""
        declared, caller = question.declared, question.call.caller
        if declared is None or not declared.decl_id or question.request.dry_run or not _clears(caller, declared.mrn):
            return
        at = question.call.received_at
        for licence_id in {one.outcome.key.licence_id for one in checked}:
            self._interests.note(Interest(licence_id, caller.name, declared.decl_id, caller.member_state, at))


def _clears(caller: Caller, mrn: str) -> bool:
    own = not mrn or mrn_member_state(mrn) == caller.member_state
    return own and not caller.roles.isdisjoint(CUSTOMS_SIDE)


def _known_as(question: Question) -> str:
    """The declaration whose holdings count; that of another state is no business of this customs authority.

    Raises:
        Refusal: FOREIGN_MEMBER_STATE for a dry run on such a declaration.
    """
    declared, caller = question.declared, question.call.caller
    if declared is None:
        return ""
    if caller.roles.isdisjoint(LICENSING_SIDE) and declared.mrn:
        if question.request.dry_run:
            require_own_declaration(caller, declared.mrn, "DeclarationReference.MRN")
        elif mrn_member_state(declared.mrn) != caller.member_state:
            return ""
    return declared.decl_id


def _seen(question: Question, picture: Picture) -> Picture:
    """The picture without a declaration that is no business of the caller: nothing of it may show in the answer."""
    known = picture.declaration
    if known is None:
        return picture
    sight, mrn = Sight.of(question.call.caller), known.facts.mrn
    # Before there is an MRN the declaration holds nothing, and who names its exporter and LRN is who lodged it.
    if any(sight.claim(key.licence_id, mrn_member_state(mrn)) for key in known.claims) or (sight.customs and not mrn):
        return picture
    return picture if sight.declaration(mrn_member_state(mrn)) else replace(picture, declaration=None)


def _require_all(question: Question, licence_ids: Sequence[str]) -> None:
    """A check tells what stands in a licence: who may not read it does not check it.

    Raises:
        Refusal: FOREIGN_MEMBER_STATE.
    """
    field = "CertificateReference/issuingCountry" if question.declared is None else "SupportingDocument"
    for licence_id in licence_ids:
        require_licence(question.call.caller, issuer_in(licence_id), field)


def _payload(question: Question) -> Any:
    return question.facts.payload if question.facts else None


def _day(text: str) -> None:
    try:
        parse_date(text, "asOf")
    except InputError as error:
        raise unreadable([error.finding()]) from error


def _no_claims(request: AvailabilityCheck) -> Finding:
    """Why there is nothing to answer: the codes cited, none of which is kept here."""
    cited = [one.type for one in request.supporting_document] + [one.type for one in request.additional_reference]
    for item in request.goods_item:
        cited += [one.type for one in item.supporting_document] + [one.type for one in item.additional_reference]
    codes = " ".join(dict.fromkeys(cited))
    return Finding("NO_CLAIMS", "SupportingDocument", codes, EXPLANATIONS["NO_CLAIMS"], Severity.INFO)


def _finding(told: Finding) -> messages.Finding:
    return messages.Finding(
        severity=told.severity.value,
        code=told.code,
        error_pointer=told.field[:512] or None,
        original_attribute_value=told.value[:512] or None,
        text=told.message[:512] or None,
    )


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def operations(
    reader: LedgerReader,
    interests: Interests,
    settings: CheckSettings,
    clock: Callable[[], datetime] | None = None,
) -> Sequence[Operation]:
    """The operation of F1."""
    return (operation_of(Availability(reader, interests, settings, clock)),)


def operation_of(function: Availability) -> Operation:
    """The operation of one function object."""
    return Operation(
        name="checkAvailability",
        function="F1",
        law="5(1)",
        path="/v1/checks",
        request=AvailabilityCheck,
        response=AvailabilityCheckResponse,
        roles=ROLES,
        handler=function.check,
        summary="Whether the documents a declaration cites are there, valid, and cover what is declared.",
    )
