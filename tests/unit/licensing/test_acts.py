"""Reading acts that block: whatever is wrong with their content, the act is read, and counts when it is applied."""

from __future__ import annotations

import asyncio
import copy
import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certex_bridge.kernel.errors import Severity
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.commands import Delivery
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.ports import Origin
from certex_bridge.licensing.decode import decode_licence_event
from certex_bridge.licensing.domain.commands import LicenceCommand
from certex_bridge.licensing.domain.licence import AuthorityStatus
from certex_bridge.licensing.domain.lint import MAX_VERSION
from certex_bridge.singlewindow.documents import BridgeDocuments
from tests.unit.licensing.samples import decode, golden_event, snapshot, structured

IDENTITY = {"issuer": "BE", "number": "BE-2026-000123"}
LICENCE = "BE/BE-2026-000123"
ACTS = {
    "suspended": (AuthorityStatus.SUSPENDED, "Suspended"),
    "revoked": (AuthorityStatus.REVOKED, "Revoked"),
    "annulled": (AuthorityStatus.CANCELLED, "Cancelled"),
}
BARRED = "licensing.exporter.barred.v1"


def ce_type(act: str) -> str:
    return f"licensing.licence.{act}.v1"


def errors(command: LicenceCommand) -> list[tuple[str, str]]:
    return [(finding.code, finding.field) for finding in command.findings if finding.severity is Severity.ERROR]


# -- bare acts


@pytest.mark.parametrize("act", [*ACTS, "resumed"])
@pytest.mark.parametrize("more", [{}, {"subStatus": "on request"}])
def test_a_bare_act_is_sound(act: str, more: dict[str, str]) -> None:
    command = decode({**IDENTITY, "version": 2, **more}, ce_type(act))
    assert (command.licence, command.bare, command.findings, command.version) == (None, True, (), 2)
    assert (command.licence_id, command.sub_status) == (LICENCE, more.get("subStatus", ""))
    assert command.act is (ACTS[act][0] if act in ACTS else None)


@pytest.mark.parametrize("act", ["issued", "modified", "split", "eugea-registered"])
def test_what_is_no_act_has_content(act: str) -> None:
    command = decode({**IDENTITY, "version": 2}, ce_type(act))
    assert ("FIELD_MISSING", "holder") in errors(command)
    assert (command.bare, command.act) == (False, None)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"version": "2"}, "FIELD_TYPE", "version"),
        ({"version": 0}, "VERSION_RANGE", "version"),
        ({"version": MAX_VERSION + 1}, "VERSION_RANGE", "version"),
        ({"status": "VALID"}, "STATUS_EVENT", "status"),
        ({"status": "GONE"}, "ENUM", "status"),
        ({"subStatus": "x" * 71}, "TOO_LONG", "subStatus"),
        ({"issuer": "ZZ"}, "COUNTRY_UNKNOWN", "issuer"),
        ({"number": " BE-2026-000123"}, "LICENCE_NUMBER_BLANKS", "number"),
    ],
)
def test_what_is_wrong_with_a_bare_act_is_told(changes: dict[str, Any], code: str, field: str) -> None:
    command = decode({**IDENTITY, "version": 2, **changes}, ce_type("revoked"))
    assert errors(command) == [(code, field)]
    assert command.act is AuthorityStatus.REVOKED
    assert command.version == (0 if field == "version" else 2)


def test_the_issuer_of_an_act_may_be_spelt_wrong() -> None:
    assert decode({**IDENTITY, "issuer": " be", "version": 2}, ce_type("revoked")).licence_id == LICENCE
    assert decode(snapshot(issuer=" be")).licence_id != LICENCE


def test_a_resumption_with_an_unknown_field_is_not_bare() -> None:
    command = decode({**IDENTITY, "version": 2, "Lines": []}, ce_type("resumed"))
    assert not command.bare
    assert command.refused
    assert decode({**IDENTITY, "version": 2, "comment": "x"}, ce_type("suspended")).bare


@pytest.mark.parametrize(("status", "act"), [("SUSPENDED", AuthorityStatus.SUSPENDED), ("REVOKED", None), ("?", None)])
def test_a_change_that_states_a_suspension_is_an_act(status: str, act: AuthorityStatus | None) -> None:
    command = decode(snapshot(status=status, lines=[]), ce_type("modified"))
    assert (command.refused, command.act) == (True, act)
    assert command.means_to_block == (status != "?")


def test_a_whole_act_keeps_its_own_content() -> None:
    command = decode(snapshot(status="SUSPENDED", version=2, subStatus="x"), ce_type("suspended"))
    assert command.licence is not None
    assert (command.act, command.bare, command.refused) == (AuthorityStatus.SUSPENDED, False, False)


# -- bars


@pytest.mark.parametrize(
    ("changes", "codes", "first"),
    [
        ({"documentCodes": ["X061", "X060", 3]}, ("X061",), date(2026, 6, 1)),
        ({"documentCodes": ["X060"]}, (), date(2026, 6, 1)),
        ({"documentCodes": "X061"}, (), date(2026, 6, 1)),
        ({"from": "soon"}, ("X061", "X067"), date(2026, 5, 28)),
        ({"from": None}, ("X061", "X067"), date(2026, 5, 28)),
        ({"reason": " x"}, ("X061", "X067"), date(2026, 6, 1)),
        ({"eori": " be0123456789"}, ("X061", "X067"), date(2026, 6, 1)),
        ({"issuer": "be"}, ("X061", "X067"), date(2026, 6, 1)),
    ],
)
def test_a_bar_with_mistakes_counts(changes: dict[str, Any], codes: tuple[str, ...], first: date) -> None:
    event = golden_event("exporter-barred")
    command = decode_licence_event(structured(event | {"data": event["data"] | changes}))
    assert command.bar is not None
    assert (command.bar.document_codes, command.bar.from_day) == (codes, first)
    assert command.licence_id == "BE/bar:BE0123456789"
    assert command.findings[0].code == "CONTENT_NOT_TAKEN"
    assert errors(command)


@pytest.mark.parametrize("changes", [{"eori": "?"}, {"issuer": "ZZ"}])
def test_a_bar_of_nobody_is_refused(changes: dict[str, Any]) -> None:
    command = decode(golden_event("exporter-barred")["data"] | changes, BARRED)
    assert (command.bar, command.refused, command.means_to_block) == (None, True, True)


# -- whatever is wrong

READABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
"""A record with NUL or half a character pair cannot be read at all."""
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(READABLE, max_size=8) | st.just("x" * 600),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(READABLE, max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document below its top."""
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, one in inner for place in [(*path, key), *places(one, (*path, key))]]


@st.composite
def corrupted(draw: st.DrawFn) -> dict[str, Any]:
    """A sound status event's data with one to four places dropped, replaced, made longer or added."""
    data = snapshot(version=2)
    for _ in range(draw(st.integers(1, 4))):
        reachable = [one for one in places(data) if one[0] not in IDENTITY]
        if not reachable:
            break
        *parents, leaf = draw(st.sampled_from(reachable))
        place: Any = data
        for step in parents:
            place = place[step]
        how = draw(st.sampled_from(["drop", "replace", "lengthen", "add"]))
        if how == "drop":
            del place[leaf]
        elif how == "lengthen" and isinstance(place[leaf], (str, list)) and len(str(place[leaf])) < 80:
            place[leaf] = place[leaf] * 400
        elif how == "add" and isinstance(place, dict):
            place[draw(st.text(READABLE, min_size=1, max_size=8))] = draw(JUNK)
        else:
            place[leaf] = draw(JUNK)
    return data


@given(corrupted(), st.sampled_from(sorted(ACTS)), st.booleans())
def test_an_act_is_effective_whatever_is_wrong_with_its_content(data: dict[str, Any], act: str, known: bool) -> None:
    """With the real documents: the certificate says it, and the acknowledgement that it was taken."""
    if any(data.get(name) != value for name, value in IDENTITY.items()):
        return  # another licence
    told = decode(copy.deepcopy(data), ce_type(act))
    issued = decode(snapshot())
    order = [issued, told] if known else [told, issued]
    store = InMemoryStore()

    async def apply() -> None:
        executor = Executor(store, BridgeDocuments("A", "B"), Policy())
        for number, command in enumerate(order):
            renamed = command if command is issued else replace(command, event_id=f"act-{number}")
            await executor.apply([Delivery(Origin("t", 0, number), renamed, raw=b"{}")])

    asyncio.run(apply())
    held = store.contents
    state = held.licences[LICENCE]
    assert state.status.value == state.derived_status().value == ACTS[act][1]
    newest = held.outbox["certificate", LICENCE, state.cv].body
    assert f"<status>{ACTS[act][1]}</status>".encode() in newest
    (said,) = [
        json.loads(row.body)
        for key, row in held.outbox.items()
        if key[:2] == ("acknowledgement", f"act-{order.index(told)}")
    ]
    assert said["verdict"] in ({"ACCEPTED"} if known else {"ACCEPTED", "KEPT"})
    codes = {finding["code"] for finding in said["findings"]}
    if told.refused and known and not told.bare:
        assert "CONTENT_NOT_TAKEN" in codes
    assert {finding.code for finding in told.findings} <= codes
