"""F1, check availability: IR 2024/2145 Art. 5(1).

Nothing is stored but the interest of the caller. While the database is away the answer is what was read before, with
its age: the status, never whether a figure fits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from certex_bridge.customs.options import DecodeOptions
from certex_bridge.kernel.canonical import content_id
from certex_bridge.kernel.dates import legal_day, parse_date
from certex_bridge.kernel.errors import Finding, InputError
from certex_bridge.kernel.identifiers import licence_key, mrn_member_state
from certex_bridge.ledger.checking import Checked, Depth, check, check_reference
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.issuers import cited
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.reading import LedgerAway, LedgerReader, Picture, ReadTooSlow
from certex_bridge.singlewindow.callers import Caller
from certex_bridge.singlewindow.functions.check_extras import Extras
from certex_bridge.singlewindow.functions.check_memory import CheckMemory
from certex_bridge.singlewindow.functions.check_results import Results, not_read, remembered
from certex_bridge.singlewindow.functions.declared import Declared, read_declared, unreadable
from certex_bridge.singlewindow.functions.rights import CUSTOMS_SIDE, LICENSING_SIDE, sees_figures
from certex_bridge.singlewindow.interests import Interest, Interests
from certex_bridge.singlewindow.messages import availability as messages
from certex_bridge.singlewindow.messages.availability import AvailabilityCheck, AvailabilityCheckResponse, CheckResult
from certex_bridge.singlewindow.operation import Call, Operation, Reply
from certex_bridge.singlewindow.refusals import Refusal

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
            Refusal: SCHEMA_INVALID; NOT_AVAILABLE when the ledger was too slow, or is away and nothing is remembered.
        """
        question = self._question(call, request)
        declared = question.declared
        try:
            exporter = declared.exporter if declared else ""
            picture = await self._reader.picture(question.ids, _known_as(question), exporter)
        except ReadTooSlow as error:
            raise Refusal("NOT_AVAILABLE", error.message, field="messageIdentification") from error
        except LedgerAway as error:
            return self._remembered(question, error)
        read_at = self._clock()
        self._memory.remember(picture.licences.values(), read_at)
        checked = self._judge(question, picture, self._depth(question))
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
        return Question(call, request, call_id, declared, sorted(cited(facts)), facts)

    def _depth(self, question: Question) -> Depth:
        request, policies = question.request, question.call.caller.policies
        if request.dry_run:
            return Depth.REHEARSAL
        return Depth.REFERENCE if policies.two_step and request.step == "LODGE" else Depth.ALL

    def _judge(self, question: Question, picture: Picture, depth: Depth) -> list[Checked]:
        policy, request, declared = self._settings.policy, question.request, question.declared
        if declared is None:
            asked = zip(request.certificate_reference, question.ids, strict=True)
            return [
                check_reference(
                    one_id, one.type or "", one.reference_number, self._today(question, one_id), picture, policy
                )
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
                day=known.facts.acceptance_day if known else "",
            )
        return check(question.facts, picture, policy, depth)

    def _today(self, question: Question, licence_id: str) -> str:
        """The day asked for, or today where the licence was issued."""
        zone = self._settings.policy.zone(licence_id.partition("/")[0])
        return question.request.as_of or legal_day(question.call.received_at, zone).isoformat()

    # -- the answer

    def _result(self, question: Question, number: int, checked: Checked) -> CheckResult:
        issuer = checked.outcome.key.licence_id.partition("/")[0]
        figures = sees_figures(question.call.caller, issuer, shown=self._settings.figures_shown)
        return self._results.result(number, checked, _payload(question), figures=figures)

    def _remembered(self, question: Question, error: LedgerAway) -> Reply:
        now = self._clock()
        held = self._memory.recall(question.ids)
        if not held:
            raise Refusal("NOT_AVAILABLE", error.message, field="messageIdentification") from error
        picture = Picture(self._memory.states(question.ids))
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
            finding=tuple([_finding(one) for one in declared.findings]) if declared else (),
            check_result=tuple(results),
        )

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
            caller.require_own_state(declared.mrn, "DeclarationReference.MRN")
        elif mrn_member_state(declared.mrn) != caller.member_state:
            return ""
    return declared.decl_id


def _payload(question: Question) -> Any:
    return question.facts.payload if question.facts else None


def _day(text: str) -> None:
    try:
        parse_date(text, "asOf")
    except InputError as error:
        raise unreadable([error.finding()]) from error


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
