"""The state machine: what customs and authorities may tell, in any order, twice, and across crashes."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from certex_bridge.ledger.commands import Command, ValidityPassed
from certex_bridge.ledger.domain.facts import EventKind, Payload, Stamp
from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.licensing.domain.licence import AuthorityStatus, Licence
from tests.simulation.events import Declared, at, content_of, licence_event, told_again
from tests.simulation.world import POINTS, World
from tests.support.ledger_words import Goods, cite, item, licence, line

STATUSES = st.sampled_from([AuthorityStatus.VALID] * 5 + [AuthorityStatus.SUSPENDED, AuthorityStatus.REVOKED])
KINDS = {
    AuthorityStatus.VALID: LicenceEventKind.MODIFIED,
    AuthorityStatus.SUSPENDED: LicenceEventKind.SUSPENDED,
    AuthorityStatus.REVOKED: LicenceEventKind.REVOKED,
    AuthorityStatus.CANCELLED: LicenceEventKind.ANNULLED,
}
MINUTES = st.integers(0, 9)
NAMES = st.sampled_from(["M1", "M2", "M3", "M4"])
LRNS = {"M1": "L1", "M2": "L2", "M3": "L1"}
"""M1 and M3 are one draft declared twice; M4 is told by its MRN only."""

FIGURES = st.sampled_from(["1", "3", "4", "5", "6", "7", "10"])
VALUES = st.sampled_from(["10.00", "30.00", "60.00", "100.00"])


@st.composite
def citations(draw: st.DrawFn) -> Goods:
    """One or two documents of one goods item; A and X limit one line, B two lines and the whole, V two dimensions."""
    cites = []
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(["A", "A", "A", "B", "B", "V", "X"]))
        number = draw(st.sampled_from([1, 1, 2])) if name == "B" else 1
        figure = draw(FIGURES)
        if name == "V":
            figure += " NAR" + draw(st.sampled_from(["", " + {}", " + {}", " + {}"])).format(draw(VALUES) + " EUR")
        elif draw(st.integers(0, 11)) == 0:
            figure += " KGM"
        cites.append(cite(name, figure, line=number))
    return item(*cites)


@st.composite
def contents(draw: st.DrawFn) -> Payload:
    """What one version of a declaration says: no item, one or two."""
    return content_of(tuple(draw(st.lists(citations(), min_size=draw(st.sampled_from([0, 1, 1, 1])), max_size=2))))


@st.composite
def snapshots(draw: st.DrawFn, name: str, version: int) -> Licence:
    """A version of a licence: limits up or down, a line gone, another status."""
    status = draw(STATUSES)
    limit = draw(st.sampled_from(["10", "10", "4", "6", "15"]))
    if name == "V":
        lines = [line(1, f"{limit} NAR + {draw(VALUES)} EUR")]
    elif name == "B":
        lines = [line(1, limit)] + ([line(2, "6")] if draw(st.integers(0, 3)) else [])
    else:
        lines = [line(1, limit)]
    cap = draw(st.sampled_from(["10", "12"])) if name == "B" else ""
    return licence(name, *lines, version=version, cap=cap, status=status)


class LedgerMachine(RuleBasedStateMachine):
    """Everything that can be told, told in every way."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.count = 0
        self.pool: list[Command] = []
        """Told by a sender, not delivered yet."""
        self.versions: dict[str, int] = {}
        self.contents: dict[tuple[str, int, int], Payload] = {}

    # -- the wire

    def tell(self, command: Command, hold: bool, point: str = "") -> None:
        """Deliver at once, or keep it for later."""
        if hold or not self.world.deliver([command], point):
            self.pool.append(command)

    def stamp(self, minute: int) -> Stamp:
        self.count += 1
        return Stamp(at(minute), f"e{self.count:03}")

    @rule(data=st.data(), point=st.sampled_from(["", "", "", *POINTS]))
    def deliver(self, data: st.DataObject, point: str) -> None:
        """A batch of anything told and anything delivered before, in any order."""
        known = self.pool + self.world.told[-12:]
        if not known:
            return
        size = data.draw(st.integers(1, 5))
        batch = [data.draw(st.sampled_from(known)) for _ in range(size)]
        if self.world.deliver(batch, point):
            self.pool = [one for one in self.pool if one not in batch]

    @rule(limit=st.integers(1, 4), point=st.sampled_from(["", "", "", *POINTS]))
    def wake(self, limit: int, point: str) -> None:
        """The worker runs."""
        self.world.wake(limit, point if self.world.store.contents.wakes else "")

    # -- the licensing authority

    @rule(data=st.data(), name=st.sampled_from(["A", "A", "B", "V", "X"]), step=st.sampled_from([1, 1, 1, 2, 0, -1]),
          hold=st.booleans(), point=st.sampled_from(["", "", "", *POINTS]))  # fmt: skip
    def licence(self, data: st.DataObject, name: str, step: int, hold: bool, point: str) -> None:
        """A version: the next, a gap, a late one, or the same again with other content."""
        version = max(1, self.versions.get(name, 0) + step)
        self.versions[name] = max(version, self.versions.get(name, 0))
        snapshot = data.draw(snapshots(name, version))
        stamp = self.stamp(data.draw(MINUTES))
        self.tell(licence_event(stamp.event_id, 0, KINDS[snapshot.status], snapshot), hold, point)

    @rule(data=st.data(), hold=st.booleans())
    def annul(self, data: st.DataObject, hold: bool) -> None:
        """Cancelled from the start."""
        name = data.draw(st.sampled_from(["A", "V"]))
        self.versions[name] = version = self.versions.get(name, 0) + 1
        lines = [line(1, "10 NAR + 60.00 EUR" if name == "V" else "10")]
        snapshot = licence(name, *lines, version=version, status=AuthorityStatus.CANCELLED)
        self.tell(licence_event(self.stamp(0).event_id, 0, LicenceEventKind.ANNULLED, snapshot), hold)

    @rule(
        original=st.sampled_from(["10", "6", "4"]), part=FIGURES, child=st.sampled_from(["X", "A2"]), hold=st.booleans()
    )
    def split(self, original: str, part: str, child: str, hold: bool) -> None:
        """A gives some of its rest to a licence of its own; some declarations wait for that one."""
        self.versions["A"] = version = self.versions.get("A", 0) + 1
        snapshot = licence("A", original, version=version)
        command = licence_event(self.stamp(0).event_id, 0, LicenceEventKind.SPLIT, snapshot, licence(child, part))
        self.tell(command, hold)

    @rule(name=st.sampled_from(["A", "X"]), back=st.integers(0, 1))
    def validity_passed(self, name: str, back: int) -> None:
        """The clock saw the last day of a version pass."""
        version = self.versions.get(name, 1) - back
        if self.world.model.licences[f"BE/{name}"].content is not None:
            self.tell(ValidityPassed(f"BE/{name}", version, at(0)), False)

    # -- customs

    def content(self, data: st.DataObject, name: str, version: int, supplementary: int = 0) -> Payload:
        """What a version says: the same to everyone who shares the draft, nearly always the same when told again."""
        key = (LRNS.get(name, name), supplementary, version)
        if key not in self.contents or (name == "M4" and data.draw(st.integers(0, 7)) == 0):
            self.contents[key] = data.draw(contents())
        return self.contents[key]

    @rule(data=st.data(), name=NAMES, version=st.sampled_from([1, 1, 1, 2]), minute=MINUTES, hold=st.booleans(),
          late=st.integers(0, 7), point=st.sampled_from(["", "", "", *POINTS]))  # fmt: skip
    def accepted(
        self, data: st.DataObject, name: str, version: int, minute: int, hold: bool, late: int, point: str
    ) -> None:
        """Accepted, seldom after the licences' last day."""
        stamp, content = self.stamp(minute), self.content(data, name, version)
        day = "2027-02-01" if late == 0 else "2026-03-01"
        told = Declared(name, LRNS.get(name, ""))
        self.tell(told.with_content(EventKind.ACCEPTED, stamp, content, version, day=day), hold, point)

    @rule(data=st.data(), name=NAMES, version=st.sampled_from([1, 2, 2, 3, 4]), minute=MINUTES, hold=st.booleans())
    def amended(self, data: st.DataObject, name: str, version: int, minute: int, hold: bool) -> None:
        """Amended, before or after release."""
        told = Declared(name, LRNS.get(name, ""))
        content = self.content(data, name, version)
        self.tell(told.with_content(EventKind.AMENDED, self.stamp(minute), content, version), hold)

    @rule(data=st.data(), name=NAMES, minute=MINUTES, hold=st.booleans())
    def supplementary(self, data: st.DataObject, name: str, minute: int, hold: bool) -> None:
        """The supplementary declaration of a simplified one."""
        told = Declared(name, LRNS.get(name, ""))
        content = self.content(data, name, 1, supplementary=1)
        self.tell(told.with_content(EventKind.SUPPLEMENTARY, self.stamp(minute), content, 1, supplementary=1), hold)

    @rule(data=st.data(), name=st.sampled_from(["M1", "M2"]), version=st.sampled_from([1, 1, 2]), minute=MINUTES,
          hold=st.booleans())  # fmt: skip
    def lodged(self, data: st.DataObject, name: str, version: int, minute: int, hold: bool) -> None:
        """Lodged: known by its LRN only."""
        told = Declared(name, LRNS[name])
        content = self.content(data, name, version)
        self.tell(told.with_content(EventKind.LODGED, self.stamp(minute), content, version, draft=True), hold)

    @rule(data=st.data(), name=NAMES, number=st.sampled_from([0, 0, 1, 2]), minute=MINUTES, hold=st.booleans(),
          point=st.sampled_from(["", "", "", *POINTS]))  # fmt: skip
    def released(self, data: st.DataObject, name: str, number: int, minute: int, hold: bool, point: str) -> None:
        """Released: all, or one item, as declared or with other figures."""
        stated: tuple[tuple[int, str], ...] = ()
        if number and data.draw(st.booleans()):
            value = data.draw(VALUES)
            stated = tuple((seq, f"{data.draw(FIGURES)} NAR + {value} EUR") for seq in (1, 2))
        self.tell(Declared(name, LRNS.get(name, "")).released(self.stamp(minute), number, stated), hold, point)

    @rule(name=NAMES, number=st.sampled_from([0, 1]), minute=MINUTES, hold=st.booleans())
    def not_released(self, name: str, number: int, minute: int, hold: bool) -> None:
        """Release is refused: one item, or all."""
        self.tell(Declared(name, LRNS.get(name, "")).not_released(self.stamp(minute), number), hold)

    @rule(name=NAMES, kind=st.sampled_from([EventKind.INVALIDATED, EventKind.EXIT_CONFIRMED, EventKind.RECHECK]),
          minute=MINUTES, hold=st.booleans())  # fmt: skip
    def said(self, name: str, kind: EventKind, minute: int, hold: bool) -> None:
        """Invalidated, gone, or asked to try again."""
        self.tell(Declared(name, LRNS.get(name, "")).bare(kind, self.stamp(minute)), hold)

    @rule(name=st.sampled_from(["M1", "M2"]), minute=MINUTES, hold=st.booleans())
    def draft_invalidated(self, name: str, minute: int, hold: bool) -> None:
        """Withdrawn by its LRN."""
        self.tell(Declared(name, LRNS[name]).bare(EventKind.INVALIDATED, self.stamp(minute), draft=True), hold)

    @precondition(lambda self: self.world.told)
    @rule(data=st.data(), later=st.integers(0, 2), hold=st.booleans())
    def told_again(self, data: st.DataObject, later: int, hold: bool) -> None:
        """A sender that makes a new id for what it said before."""
        kinds = (EventKind.RELEASED, EventKind.INVALIDATED, EventKind.ACCEPTED)
        old = [one for one in self.world.told if getattr(one, "kind", None) in kinds]
        if not old:
            return
        again = data.draw(st.sampled_from(old))
        self.tell(told_again(again, self.stamp(0).event_id, later), hold)

    # -- the end

    def teardown(self) -> None:
        """Everything arrives; telling all of it again changes nothing, and neither does being looked at."""
        if not self.world.told and not self.pool:
            return
        while self.pool:
            self.world.deliver(self.pool[:4])
            self.pool = self.pool[4:]
        self.world.drain()
        self._replay()
        self._look_again()

    def _replay(self) -> None:
        held = self.world.store.contents
        movements, outbox = list(held.movements), dict(held.outbox)
        for start in range(0, len(self.world.told), 5):
            self.world.deliver(self.world.told[start : start + 5])
        self.world.drain()
        held = self.world.store.contents
        assert held.movements == movements, "E059: a replay moved something"
        assert held.outbox == outbox, "E059: a replay published something"

    def _look_again(self) -> None:
        """Settling again what stands changes nothing: no figure, no reason, no incident."""
        seen = []
        for _ in range(2):
            for name in ("M1", "M2", "M3", "M4"):
                stamp = self.stamp(0)
                self.world.deliver([Declared(name, LRNS.get(name, "")).bare(EventKind.NOTED, stamp)])
            self.world.drain()
            held = self.world.store.contents
            seen.append(({k: (c.state, c.outcome, c.reasons) for k, c in held.claims.items()}, len(held.movements)))
            seen[-1] += ({licence_id: state.nv for licence_id, state in held.licences.items()},)  # type: ignore[operator]
        assert seen[0] == seen[1], "settling twice differs from settling once"
