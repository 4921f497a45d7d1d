"""A ledger to tell stories to: events go in, balances, verdicts and messages can be asked for.

    await s.accepted("M1", A=40)
    assert await s.balance("A") == "40/0/60"      # reserved / consumed / available
    assert await s.verdict("M1") == "OK_RESERVED"

After every event the invariants are checked; `finish` replays everything that was told, which must change nothing.
"""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.ledger.adapters.memory import Contents, InMemoryStore
from certex_bridge.ledger.answers import Answer
from certex_bridge.ledger.commands import Command, Delivery, ValidityPassed
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind
from certex_bridge.ledger.domain.model import Claim, Dim, Kind, LicenceState
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.ports import Origin, QuarantineRow
from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.licensing.domain.licence import AuthorityStatus, Licence
from tests.support.doors import check_agrees
from tests.support.invariants import shrunk, violations
from tests.support.ledger_contents import contents_of
from tests.support.ledger_recorder import Recorder, read
from tests.support.ledger_words import Authority, Customs, draft_of, licence, licence_id, mrn_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from certex_bridge.ledger.adapters.postgres import PostgresStore

_MOVES_NOTHING = ("SUPERSEDED", "ALREADY_DONE", "CONFLICT", "REFUSED")


class Scenario:
    """One ledger, its customs office and its licensing authority."""

    def __init__(self, store: InMemoryStore | PostgresStore, policy: Policy | None = None) -> None:
        self.store = store
        self.customs = Customs()
        self.authority = Authority()
        self.policy = policy or Policy()
        self.executor = Executor(store, Recorder(), self.policy)
        self.told: list[Delivery] = []
        self.careful = isinstance(store, InMemoryStore)
        """Whether the invariants are checked after every step (else only at the end)."""
        self._in_force: dict[str, Licence] = {}

    # -- telling

    def delivery(self, command: Command, topic: str = "customs") -> Delivery:
        """The command as a record of a topic."""
        made = Delivery(Origin(topic, 0, len(self.told)), command, raw=b"{}", key=b"key")
        self.told.append(made)
        return made

    async def tell(self, *commands: Command) -> list[Answer]:
        """Apply commands as one batch; answers in the order of the executor.

        In memory, content told alone is first asked about: a check says what then becomes of it.
        """
        if self.careful and len(commands) == 1 and isinstance(commands[0], DeclarationCommand):
            assert isinstance(self.store, InMemoryStore)
            await check_agrees(self.store, self.policy, commands[0])
        return await self.deliver(*map(self.delivery, commands))

    async def deliver(self, *deliveries: Delivery) -> list[Answer]:
        """Apply records as one batch, and look at the invariants."""
        before = await self.snapshot() if self.careful else None
        answers = (await self.executor.apply(deliveries)).answers
        if before is not None:
            await self._look(before)
            if all(answer.result in _MOVES_NOTHING for answer in answers):
                after = await contents_of(self.store)
                assert _figures(after) == _figures(before), "I11: a refused command moved something"
        return answers

    async def _tell_one(self, command: Command) -> Answer:
        return (await self.tell(command))[0]

    async def wake(self, limit: int = 100) -> int:
        """Let the worker settle what was woken; returns how many."""
        total = 0
        while done := await self.executor.wake(limit):
            total += done
        if self.careful:
            await self.sound()
        return total

    # -- licensing events

    async def issue(self, *licences: Licence) -> list[Answer]:
        """Issue licences, in one batch."""
        return await self.tell(*(self.licence_event(one, LicenceEventKind.ISSUED) for one in licences))

    def licence_event(self, snapshot: Licence, kind: LicenceEventKind, **details: Any) -> Command:
        """A licence event, remembered so that the next version can be told as a change."""
        for one in (snapshot, *details.get("parts", ())):
            self._in_force[one.licence_id] = one
            if one.lines and one.lines[0].quantity is not None:
                self.customs.units.setdefault(one.licence_id, one.lines[0].quantity.unit)
        return self.authority.event(snapshot, kind, **details)

    def next_version(self, name: str, *limits: Any, **changes: Any) -> Licence:
        """The licence as last told, in its next version, with these changes."""
        last = self._in_force[licence_id(name)]
        if limits:
            changes["lines"] = licence(name, *limits).lines
        return replace(last, **{"version": last.version + 1, **changes})

    async def modify(self, name: str, *limits: Any, **changes: Any) -> Answer:
        """A new version: other limits, or other fields."""
        snapshot = self.next_version(name, *limits, **changes)
        return await self._tell_one(self.licence_event(snapshot, LicenceEventKind.MODIFIED))

    async def suspend(self, name: str) -> Answer:
        """Suspend the licence."""
        return await self._status(name, AuthorityStatus.SUSPENDED, LicenceEventKind.SUSPENDED)

    async def resume(self, name: str) -> Answer:
        """Lift the suspension."""
        return await self._status(name, AuthorityStatus.VALID, LicenceEventKind.RESUMED)

    async def revoke(self, name: str) -> Answer:
        """Revoke the licence."""
        return await self._status(name, AuthorityStatus.REVOKED, LicenceEventKind.REVOKED)

    async def annul(self, name: str) -> Answer:
        """Cancel the licence from the start."""
        return await self._status(name, AuthorityStatus.CANCELLED, LicenceEventKind.ANNULLED)

    async def _status(self, name: str, status: AuthorityStatus, kind: LicenceEventKind) -> Answer:
        return await self._tell_one(self.licence_event(self.next_version(name, status=status), kind))

    async def validity_passed(self, name: str, version: int = 1) -> Answer:
        """The clock says that the last day of validity is over."""
        return await self._tell_one(ValidityPassed(licence_id(name), version, self.customs.stamp().occurred_at))

    # -- customs events

    async def lodged(self, name: str, *told: Any, **claims: Any) -> Answer:
        """Lodged, with an LRN only."""
        return await self._tell_one(self.customs.lodged(name, *told, **claims))

    async def accepted(self, name: str, *told: Any, **claims: Any) -> Answer:
        """Accepted."""
        return await self._tell_one(self.customs.accepted(name, *told, **claims))

    async def amended(self, name: str, *told: Any, **claims: Any) -> Answer:
        """Amended to this content."""
        return await self._tell_one(self.customs.amended(name, *told, **claims))

    async def released(self, name: str, *told: Any, **claims: Any) -> Answer:
        """Released: as declared, or the figures given."""
        return await self._tell_one(self.customs.released(name, *told, **claims))

    async def not_released(self, name: str, *items: int, **details: Any) -> Answer:
        """Release refused."""
        return await self._tell_one(self.customs.not_released(name, *items, **details))

    async def invalidated(self, name: str, **details: Any) -> Answer:
        """Invalidated."""
        return await self._tell_one(self.customs.invalidated(name, **details))

    async def exited(self, name: str, left: str = "") -> Answer:
        """Exit confirmed, perhaps with its day."""
        return await self._tell_one(self.customs.exited(name, left))

    async def recheck(self, name: str) -> Answer:
        """A new attempt is asked for."""
        return await self._tell_one(self.customs.recheck(name))

    async def presented(self, name: str) -> Answer:
        """The goods were presented."""
        return await self._tell_one(self.customs.bare(name, EventKind.PRESENTED, presented=True))

    # -- asking: licences

    async def state(self, name: str) -> LicenceState:
        """The licence's row with its accounts."""
        return (await contents_of(self.store)).licences[licence_id(name)]

    async def balance(self, name: str, line_no: int = 1, dim: Dim = Dim.QTY) -> str:
        """Reserved / consumed / available."""
        account = (await self.state(name)).accounts[line_no, dim]
        return "/".join(map(format_decimal, (account.reserved, account.consumed, account.available)))

    async def values(self, name: str, line_no: int = 1) -> str:
        """Reserved / consumed / available in money."""
        return await self.balance(name, line_no, Dim.VAL)

    async def cap(self, name: str, line_no: int = 1) -> str:
        """Authorised, and what is used beyond it: "50 over 10"."""
        account = (await self.state(name)).accounts[line_no, Dim.QTY]
        return f"{format_decimal(account.cap)} over {format_decimal(account.over)}"

    async def status(self, name: str) -> str:
        """The status last published."""
        return (await self.state(name)).status.value

    async def movements(self, name: str, *, all_kinds: bool = False) -> list[str]:
        """The journal in words: verb, change of reserved / change of consumed."""
        journal = (await contents_of(self.store)).movements
        silent = () if all_kinds else (Kind.VERSION, Kind.CAP, Kind.STATUS)
        return [
            f"{m.kind.value} {_signed(m.d_reserved)}/{_signed(m.d_consumed)}"
            for m in journal
            if m.licence_id == licence_id(name) and m.kind not in silent
        ]

    # -- asking: declarations

    async def claims(self, name: str) -> list[Claim]:
        """The claims of a declaration, in order."""
        held = (await contents_of(self.store)).claims
        return [held[key] for key in sorted(held) if key.decl_id == mrn_of(name)]

    async def verdict(self, name: str) -> str:
        """What customs were told last: one outcome with its reasons per claim."""
        return await self.verdict_of(mrn_of(name))

    async def draft_verdict(self, name: str) -> str:
        """What customs were told last about a declaration without MRN."""
        return await self.verdict_of(draft_of(name))

    async def verdict_of(self, decl_id: str) -> str:
        """The last outcome published for a declaration."""
        said = await self.messages("outcome", decl_id)
        if not said:
            return "NOTHING SAID"
        return ", ".join(
            " ".join([claim["outcome"], *(reason["code"] for reason in (*claim["reasons"], *claim["notes"]))])
            for claim in said[-1]["claims"]
        )

    async def dv(self, name: str) -> int:
        """How many outcomes were published for a declaration."""
        return len(await self.messages("outcome", mrn_of(name)))

    async def answer_of_last(self) -> str:
        """The stored result of the event told last."""
        command = self.told[-1].command
        assert command is not None
        return str(json.loads((await contents_of(self.store)).answers[command.event_id])["result"])

    # -- asking: messages

    async def messages(self, kind: str, aggregate: str) -> list[Any]:
        """Contents of the messages of one aggregate, in order of version."""
        outbox = (await contents_of(self.store)).outbox
        return [read(outbox[key].body) for key in sorted(outbox) if key[:2] == (kind, aggregate)]

    async def notifications(self, name: str) -> list[str]:
        """Status pushes and incidents of a licence, in words."""
        kinds = ("notification", "incident")
        return [message["text"] for kind in kinds for message in await self.messages(kind, licence_id(name))]

    async def certificates(self, name: str) -> list[str]:
        """Status of every certificate of a licence, in the order of its versions."""
        return [message["status"] for message in await self.messages("certificate", licence_id(name))]

    async def acknowledged(self, answer: Answer) -> list[str]:
        """Findings that the licensing side was told about one event."""
        (told,) = await self.messages("acknowledgement", answer.event_id)
        return list(told["findings"])

    async def quarantined(self) -> list[str]:
        """Codes of what was put aside."""
        return sorted(row.code for row in (await contents_of(self.store)).quarantine.values())

    async def put_aside(self) -> QuarantineRow:
        """The only record that was put aside."""
        (row,) = (await contents_of(self.store)).quarantine.values()
        return row

    # -- soundness

    async def snapshot(self) -> Contents:
        """Everything as it is now."""
        return copy.deepcopy(await contents_of(self.store))

    async def _look(self, before: Contents) -> None:
        held = await contents_of(self.store)
        assert not violations(held)
        assert not shrunk(before, held)

    async def sound(self) -> Contents:
        """Check the invariants now."""
        held = await contents_of(self.store)
        found = violations(held)
        assert not found, found[:5]
        return held

    async def finish(self) -> None:
        """Settle what waits, check, tell everything again (which changes nothing), and check again."""
        await self.wake()
        before = copy.deepcopy(await self.sound())
        records: Sequence[Delivery] = [replace(told, origin=told.origin) for told in self.told]
        for record in records:
            answers = (await self.executor.apply([record])).answers
            assert all(answer.repeated for answer in answers)
            for answer in answers:
                assert answer.body in (before.answers[answer.event_id], '{"result":"CONFLICT"}'), "I13: another answer"
        await self.wake()
        after = await contents_of(self.store)
        assert _figures(after) == _figures(before), "a replay moved something"
        assert after.outbox.keys() == before.outbox.keys(), "a replay published something"


def _figures(held: Contents) -> tuple[object, ...]:
    accounts = {licence_id: state.accounts for licence_id, state in held.licences.items() if state.accounts}
    claims = {key: (claim.state, claim.reserved, claim.consumed) for key, claim in held.claims.items()}
    return accounts, claims, len(held.movements)


def _signed(amount: Decimal) -> str:
    if amount < 0:
        return "-" + format_decimal(-amount)
    return ("+" if amount > 0 else "") + format_decimal(amount)
