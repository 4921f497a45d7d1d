"""Who may do what: every operation and read x role x issuer of the licence x state of the declaration.

A Belgian caller asks about a licence and a declaration, each Belgian or German. An operation without a row fails, and so
does a page of the console.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.routing import Route

from certex_bridge.customs.options import DecodeOptions
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.memory_reader import InMemoryReader
from certex_bridge.ledger.domain.model import ClaimKey
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.mismatches import Mismatch
from certex_bridge.operations.gateway_contracts import described
from certex_bridge.oversight.console.app import Console
from certex_bridge.oversight.console.people import Person, Right, Role
from certex_bridge.platform.settings import Settings
from certex_bridge.singlewindow.adapters.desk_memory import (
    InMemoryDesk,
    InMemoryNotices,
    InMemoryOrders,
    InMemoryRecords,
)
from certex_bridge.singlewindow.callers import Caller, CallerRole
from certex_bridge.singlewindow.functions import manual, movements
from certex_bridge.singlewindow.functions.availability import Availability, CheckSettings
from certex_bridge.singlewindow.functions.ledger_calls import Answered
from certex_bridge.singlewindow.functions.lists import Listing
from certex_bridge.singlewindow.functions.reads import Reads
from certex_bridge.singlewindow.functions.records import RecordKeeping
from certex_bridge.singlewindow.functions.reports import asked_by
from certex_bridge.singlewindow.functions.subscriptions import Subscribing
from certex_bridge.singlewindow.functions.unavailability import Unavailability
from certex_bridge.singlewindow.messages.base import Message
from certex_bridge.singlewindow.operation import Call
from certex_bridge.singlewindow.refusals import Refusal
from tests.support.checks import Noted, alone, cited, goods
from tests.support.desk_world import InMemoryLicenceIndex
from tests.support.ledger_words import HOLDER, cite, licence, mrn_in
from tests.support.push_world import KEYS, PushWorld
from tests.support.scenario import Scenario

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
OPERATIONS, READS = described()
REQUESTS = {one.name: one.request for one in OPERATIONS}
NEEDED = {one.name: one.roles for one in (*OPERATIONS, *READS)}
NUMBERS = {"BE": "A", "DE": "D"}
MRNS = {("BE", "BE"): "M1", ("DE", "BE"): "M2", ("BE", "DE"): "M3", ("DE", "DE"): "M4"}
"""The declaration that cites a licence of one issuer and was made in one state."""


def mrn(issuer: str, state: str) -> str:
    return mrn_in(state, MRNS[issuer, state])


class Desk:
    """Every function on one ledger in memory."""

    def __init__(self) -> None:
        store = InMemoryStore()
        self.story = Scenario(store)
        reader, index, desk = InMemoryReader(store), InMemoryLicenceIndex(store), InMemoryDesk()
        settings = CheckSettings("CERTEX", Policy(), DecodeOptions())
        self.checks = Availability(reader, Noted(), settings, lambda: NOW)
        self.reads = Reads(reader, Policy())
        self.lists = Listing(index, InMemoryOrders(desk), "CERTEX")
        self.records = RecordKeeping(InMemoryRecords(desk), index, "CERTEX")
        self.notices = Unavailability(InMemoryNotices(desk), "CERTEX", lambda: NOW)
        self.subscribing = Subscribing(PushWorld().pushes, KEYS, "CERTEX")


@pytest.fixture
async def desk() -> Desk:
    made = Desk()
    await made.story.issue(licence("BE/A", "100"), licence("DE/D", "100"))
    for issuer, state in MRNS:
        await made.story.accepted(mrn(issuer, state), cite(f"{issuer}/{NUMBERS[issuer]}", 1))
    return made


def message(name: str, who: Caller, **told: Any) -> Message:
    kind = REQUESTS[name]
    head = {
        "messageSender": who.name,
        "messageRecipient": "CERTEX",
        "preparationDateAndTime": "2026-03-01T12:00:00",
        "messageIdentification": "M1",
        "messageType": kind.message_type,
    }
    return kind.model_validate(head | told)


def declared(issuer: str, state: str) -> dict[str, Any]:
    item = {"declarationGoodsItemNumber": 1} | goods(cited(NUMBERS[issuer], "1", issuer=issuer))
    reference = {"MRN": mrn(issuer, state), "Exporter": {"identificationNumber": HOLDER}}
    return {"GoodsItem": [item], "DeclarationReference": reference, "countryOfDestination": "KR"}


class _Ledger:
    async def submit(self, _envelope: object, _caller: Caller) -> Answered:
        return Answered("KEPT")


async def check(desk: Desk, call: Call, issuer: str, state: str) -> None:
    who = call.caller
    await desk.checks.check(call, message("checkAvailability", who, **declared(issuer, state)))
    reference = [alone(NUMBERS[issuer], issuer)]
    await desk.checks.check(call, message("checkAvailability", who, CertificateReference=reference))


async def get_licence(desk: Desk, call: Call, issuer: str, _state: str) -> None:
    await desk.reads.licence(call, {"issuer": issuer, "number": NUMBERS[issuer]})


async def get_declaration(desk: Desk, call: Call, issuer: str, state: str) -> None:
    await desk.reads.declaration(call, {"id": mrn(issuer, state)})


async def move(_desk: Desk, call: Call, issuer: str, state: str) -> None:
    (operation,) = movements.operations(_Ledger(), "CERTEX")
    told = {"movementType": "WITHDRAW", "DeclarationReference": {"MRN": mrn(issuer, state)}, "reason": "x"}
    await operation.handler(call, message("moveQuantity", call.caller, **told))


async def override(_desk: Desk, call: Call, issuer: str, state: str) -> None:
    told = {"MRN": mrn(issuer, state), "officerIdentification": "O", "reason": "x", "decision": "REFUSE"}
    manual.override_event(call, message("overrideQuantity", call.caller, **told))  # type: ignore[arg-type]


async def correct(_desk: Desk, call: Call, issuer: str, _state: str) -> None:
    note = {"type": "NOTE", "referenceNumber": "1", "issuingDate": "2026-03-02"}
    told = {
        "Licence": alone(NUMBERS[issuer], issuer), "source": "paper", "officerIdentification": "O", "reason": "x",
        "Evidence": note, "Line": [{"quantity": "1", "measurementUnitAndQualifier": "NAR"}],
    }  # fmt: skip
    manual.correction_event(call, message("correctQuantity", call.caller, **told))  # type: ignore[arg-type]


async def subscribe(desk: Desk, call: Call, issuer: str, _state: str) -> None:
    terms = {"scope": "LICENCE", "issuingCountry": issuer, "referenceNumber": "A", "url": "https://nsw.example/"}
    await desk.subscribing(call, message("subscribe", call.caller, action="SUBSCRIBE", SubscriptionTerms=terms))  # type: ignore[arg-type]


async def record(desk: Desk, call: Call, issuer: str, state: str) -> None:
    told = {
        "action": "ADD", "recordIdentification": "R", "CertificateReference": alone(NUMBERS[issuer], issuer),
        "MRN": mrn(issuer, state), "Information": [{"code": "00100", "text": "x"}],
    }  # fmt: skip
    await desk.records.enter(call, message("enterRecord", call.caller, **told))  # type: ignore[arg-type]


async def list_licences(desk: Desk, call: Call, issuer: str, _state: str) -> None:
    told = {"action": "ONCE", "Criteria": {"issuingCountry": issuer}}
    await desk.lists.ask(call, message("listDocuments", call.caller, **told))  # type: ignore[arg-type]


async def announce(desk: Desk, call: Call, issuer: str, _state: str) -> None:
    told = {"function": "ALL", "kind": "SUDDEN", "reason": "x", "issuingCountry": issuer}
    body = message("announceUnavailability", call.caller, action="ANNOUNCE", noticeIdentification="N", **told)
    await desk.notices.handle(call, body)  # type: ignore[arg-type]


async def get_notices(desk: Desk, call: Call, _issuer: str, _state: str) -> None:
    await desk.notices.read(call)


async def get_mismatches(_desk: Desk, call: Call, issuer: str, state: str) -> None:
    claim = ClaimKey(mrn(issuer, state), 1, 1, f"{issuer}/{NUMBERS[issuer]}", 1)
    one = Mismatch(claim, "e", state, "urn:x", "REFUSED", (), True, NOW)
    if not asked_by(call, {}).wants(one):
        raise Refusal("NOT_FOUND", "is not in the report")


Row = Callable[[Desk, Call, str, str], Awaitable[None]]
CODES = {"F": "FOREIGN_MEMBER_STATE", "R": "ROLE_MISSING", "N": "NOT_FOUND", ".": ""}
CASES = [("BE", "BE"), ("BE", "DE"), ("DE", "BE"), ("DE", "DE")]
"""Issuer and state, in the order of a row's letters."""

# Clearance, customs officer, licensing officer, auditor.
MATRIX: dict[str, tuple[Row, str, str, str, str]] = {
    "checkAvailability": (check, "....", "....", "..FF", "..FF"),
    "moveQuantity": (move, ".F.F", "RRRR", "RRRR", "RRRR"),
    "overrideQuantity": (override, "RRRR", ".F.F", "RRRR", "RRRR"),
    "correctQuantity": (correct, "RRRR", "RRRR", "..FF", "RRRR"),
    "subscribe": (subscribe, "....", "....", "..FF", "RRRR"),
    "enterRecord": (record, ".F.F", ".F.F", "RRRR", "RRRR"),
    "listDocuments": (list_licences, "....", "....", "..FF", "..FF"),
    "announceUnavailability": (announce, "RRRR", "RRRR", "..FF", "RRRR"),
    "getLicence": (get_licence, "....", "....", "..FF", "..FF"),
    "getDeclaration": (get_declaration, ".F.F", ".F.F", "..NN", "..NN"),
    "getMismatches": (get_mismatches, ".N.N", ".N.N", "..NN", "...N"),
    "getNotices": (get_notices, "....", "....", "....", "...."),
}
ROLES = (CallerRole.CLEARANCE, CallerRole.CUSTOMS_OFFICER, CallerRole.LICENSING_OFFICER, CallerRole.AUDITOR)


def cases() -> Iterator[tuple[str, CallerRole, str, str, str]]:
    for name, (_, *rows) in MATRIX.items():
        for role, letters in zip(ROLES, rows, strict=True):
            for (issuer, state), letter in zip(CASES, letters, strict=True):
                yield name, role, issuer, state, CODES[letter]


def test_every_operation_and_every_role_has_a_row() -> None:
    assert set(MATRIX) == {one.name for one in (*OPERATIONS, *READS)}
    assert set(ROLES) == set(CallerRole)


@pytest.mark.row("IR 14")
@pytest.mark.parametrize(("name", "role", "issuer", "state", "code"), list(cases()))
async def test_who_may_what(desk: Desk, name: str, role: CallerRole, issuer: str, state: str, code: str) -> None:
    who = Caller(name="X.BE", member_state="BE", roles=frozenset({role}))
    try:
        who.require(*NEEDED[name])  # as the gateway does before every function
        await MATRIX[name][0](desk, Call(who, NOW), issuer, state)
    except Refusal as refusal:
        assert refusal.code == code
    else:
        assert code == ""


# -- the console

EVERYBODY = frozenset(Role)
WATCHING = frozenset({Role.AUDITOR, Role.OPERATOR})
PAGES: dict[str, frozenset[Role] | None] = {
    "GET /console": None,
    "GET /console/": None,
    "GET /console/login": None,
    "POST /console/login": None,
    "GET /console/login/issuer": None,
    "GET /console/login/done": None,
    "POST /console/logout": None,
    "GET /console/search": EVERYBODY,
    "GET /console/licences/{id:path}": EVERYBODY,
    "GET /console/declarations/{id:path}": EVERYBODY,
    "GET /console/notices": EVERYBODY,
    "GET /console/flow": WATCHING,
    "GET /console/flow/figures": WATCHING,
    "GET /console/quarantine": WATCHING,
    "GET /console/quarantine/{id}": WATCHING,
    "GET /console/pushes": WATCHING,
    "GET /console/audit": frozenset({Role.AUDITOR}),
    "POST /console/quarantine/{id}/propose": frozenset({Role.OPERATOR}),
    "POST /console/quarantine/{id}/approve": frozenset({Role.OPERATOR}),
    "POST /console/quarantine/{id}/decline": frozenset({Role.OPERATOR}),
    "POST /console/pushes/{id}/{verb}": frozenset({Role.OPERATOR}),
}
"""Who may open a page; None: no login is needed."""


def routes() -> dict[str, Right | None]:
    nothing: Any = SimpleNamespace(pool=None, reader=None, policy=None, depths=None, ends=None, post=None, metrics=None)
    console = Console(Settings(), nothing)
    found: list[Route] = [*console._entrance(), *console._pages()]
    return {f"{'POST' if 'POST' in one.methods else 'GET'} {one.path}": one.endpoint.args[0] for one in found}  # type: ignore[operator]


def test_every_page_of_the_console_says_who_may_open_it() -> None:
    for page, right in routes().items():
        allowed = PAGES[page]
        able = {role for role in Role if right is not None and Person("x", frozenset({role})).may(right)}
        assert (right is None, able) == (allowed is None, allowed or set()), page


@pytest.mark.parametrize(("role", "issuer", "state"), list(product(Role, ("BE", "DE"), ("BE", "DE"))))
def test_a_person_sees_what_a_caller_of_that_role_sees(role: Role, issuer: str, state: str) -> None:
    seen = Person("x", frozenset({role}), "BE").sight
    everything, customs = role in WATCHING, role is Role.CUSTOMS_OFFICER
    home = issuer == "BE"
    assert seen.licence(issuer) == (everything or customs or home)
    assert seen.figures(issuer, shown=False) == (everything or (not customs and home))
    assert seen.declaration(state) == (everything or (customs and state == "BE"))
    assert seen.claim(f"{issuer}/A", state) == (seen.declaration(state) or (not customs and home))
