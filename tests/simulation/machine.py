"""The state machine: what customs and authorities may tell, in any order, twice, and across crashes."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from certex_bridge.ledger.commands import Command, ValidityPassed
from certex_bridge.ledger.domain.facts import Decision, EventKind, Payload, Stamp
from certex_bridge.ledger.domain.policy import SettleGroup
from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.licensing.domain.licence import AuthorityStatus, Licence
from tests.simulation.events import Declared, at, content_of, licence_event, told_again, write_off_event
from tests.simulation.world import POINTS, World
from tests.support.ledger_words import Goods, cite, item, licence, line

STATUSES = st.sampled_from([AuthorityStatus.VALID] * 8 + [AuthorityStatus.SUSPENDED, AuthorityStatus.REVOKED])
KINDS = {
    AuthorityStatus.VALID: LicenceEventKind.MODIFIED,
    AuthorityStatus.SUSPENDED: LicenceEventKind.SUSPENDED,
    AuthorityStatus.REVOKED: LicenceEventKind.REVOKED,
    AuthorityStatus.CANCELLED: LicenceEventKind.ANNULLED,
}
MINUTES = st.integers(0, 9)
SELDOM = st.sampled_from([False, False, False, False, True])
NAMES = st.sampled_from(["M1", "M2", "M3", "M4", "M4", "M4"])
LRNS = {"M1": "L1", "M2": "L2", "M3": "L1"}
"""M1 and M3 are one draft declared twice; M4 is told by its MRN only."""

FIGURES = st.sampled_from(["1", "3", "4", "5", "6", "7", "10"])
VALUES = st.sampled_from(["10.00", "30.00", "60.00", "100.00"])


@st.composite
def citations(draw: st.DrawFn) -> Goods:
    """One or two documents of one goods item.

    A and X limit one line, B two lines and the whole, V two dimensions, N nothing.
    """
    cites = []
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(["A", "A", "A", "B", "B", "V", "X", "N"]))
        number = draw(st.sampled_from([1, 1, 2])) if name == "B" else 1
        figure = draw(FIGURES)
        if name == "V":
            figure += " NAR" + draw(st.sampled_from(["", " + {}", " + {}", " + {}"])).format(draw(VALUES) + " EUR")
        elif draw(st.integers(0, 11)) == 0:
            figure += " KGM"
        cites.append(cite(name, figure, line=number))
    return item(*cites, number=draw(st.integers(1, 3)))


SHARES = st.sampled_from([("4", "6"), ("6", "4"), ("5", "5"), ("3", "7"), ("10",), ("10",)])
"""Ten units, which is all that A or B has, shared out otherwise from version to version."""


@st.composite
def rearrangements(draw: st.DrawFn) -> Payload:
    """The same ten units under other documents, items, numbers, lines, or now and then another licence."""
    name = draw(st.sampled_from(["A", "A", "A", "A", "B", "X"]))
    shares = draw(SHARES)
    cites = [cite(name, share, line=draw(st.sampled_from([1, 2])) if name == "B" else 1) for share in shares]
    numbers = draw(st.permutations([1, 2, 3]))
    if draw(st.booleans()):
        return content_of((item(*cites, number=numbers[0]),))
    return content_of(tuple(item(one, number=number) for one, number in zip(cites, numbers, strict=False)))


@st.composite
def contents(draw: st.DrawFn) -> Payload:
    """What one version of a declaration says: no item, one or two, and seldom the numbers they had before."""
    few = draw(st.sampled_from([0, 1, 1, 1]))
    goods = draw(st.lists(citations(), min_size=few, max_size=2, unique_by=lambda one: one.number))
    return content_of(tuple(goods))


@st.composite
def snapshots(draw: st.DrawFn, name: str, version: int) -> Licence:
    """A version of a licence: limits up or down, a line gone, another status."""
    status = draw(STATUSES)
    limit = draw(st.sampled_from(["10", "10", "4", "6", "15"]))
    if name == "V":
        lines = [line(1, f"{limit} NAR + {draw(VALUES)} EUR")]
    elif name == "B":
        lines = [line(1, limit)] + ([line(2, "6")] if draw(st.integers(0, 3)) else [])
    elif name == "N":
        lines = [line(1, "")]
    else:
        lines = [line(1, limit)]
    cap = draw(st.sampled_from(["10", "12"])) if name == "B" else ""
    return licence(name, *lines, version=version, cap=cap, status=status)


class LedgerMachine(RuleBasedStateMachine):
    """Everything that can be told, told in every way."""

    group = SettleGroup.ITEM

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.group)
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

    @initialize(
        issued=st.sets(st.sampled_from(["A", "B", "V", "N"]), min_size=2), accepted=st.booleans(), data=st.data()
    )
    def licences_first(self, issued: set[str], accepted: bool, data: st.DataObject) -> None:
        """In most histories licences are there before the first declaration, which uses much of one."""
        for name in sorted(issued):
            self.versions[name] = 1
            limits = {"A": ["10"], "B": ["10", "10"], "V": ["10 NAR + 60.00 EUR"], "N": [""]}[name]
            snapshot = licence(name, *limits, cap="10" if name == "B" else "")
            command = licence_event(self.stamp(0).event_id, 0, LicenceEventKind.ISSUED, snapshot)
            self.tell(command, hold=False)
        if accepted:
            content = self.content(data, "M4", 1)
            told = Declared("M4").with_content(EventKind.ACCEPTED, self.stamp(0), content, 1, day="2026-03-01")
            self.tell(told, hold=False)

    @rule(data=st.data(), name=st.sampled_from(["A", "A", "B", "V", "X", "N"]), step=st.sampled_from([1, 1, 1, 2, 0, -1]),
          hold=st.booleans(), point=st.sampled_from(["", "", "", *POINTS]))  # fmt: skip
    def licence(self, data: st.DataObject, name: str, step: int, hold: bool, point: str) -> None:
        """A version: the next, a gap, a late one, or the same again with other content."""
        if step < 1 and not data.draw(SELDOM):
            step = 1
        version = max(1, self.versions.get(name, 0) + step)
        self.versions[name] = max(version, self.versions.get(name, 0))
        snapshot = data.draw(snapshots(name, version))
        stamp = self.stamp(data.draw(MINUTES))
        self.tell(licence_event(stamp.event_id, 0, KINDS[snapshot.status], snapshot), hold, point)

    @rule(data=st.data(), hold=st.booleans(), seldom=SELDOM)
    def annul(self, data: st.DataObject, hold: bool, seldom: bool) -> None:
        """Cancelled from the start: final, therefore seldom."""
        if not seldom:
            return
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

    @rule(data=st.data(), name=st.sampled_from(["A", "A", "V", "X"]), form=st.sampled_from(["P", "Q"]), minute=MINUTES,
          hold=st.booleans(), point=st.sampled_from(["", "", "", *POINTS]))  # fmt: skip
    def captured(self, data: st.DataObject, name: str, form: str, minute: int, hold: bool, point: str) -> None:
        """A write-off on paper, its correction, or that there was none."""
        total = data.draw(st.sampled_from(["", "1", "3", "4", "6"]))
        if total and name == "V":
            total += f" NAR + {data.draw(VALUES)} EUR"
        self.tell(write_off_event(self.stamp(minute), name, total, form), hold, point)

    # -- customs

    def content(self, data: st.DataObject, name: str, version: int, supplementary: int = 0) -> Payload:
        """What a version says: the same to everyone who shares the draft, nearly always the same when told again."""
        key = (LRNS.get(name, name), supplementary, version)
        if key not in self.contents or (name == "M4" and data.draw(st.integers(0, 7)) == 0):
            self.contents[key] = data.draw(rearrangements() if data.draw(st.booleans()) else contents())
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

    @rule(data=st.data(), name=st.sampled_from(["M2", "M4", "M4"]), times=st.integers(1, 3), released=st.booleans())
    def rearranged(self, data: st.DataObject, name: str, times: int, released: bool) -> None:
        """Accepted, perhaps released, and then amended in order: the same units shared out otherwise."""
        told, key = Declared(name, LRNS.get(name, "")), LRNS.get(name, name)
        latest = max((version for lrn, extra, version in self.contents if lrn == key and not extra), default=0)
        for version in range(latest + 1, latest + 1 + times):
            self.contents[key, 0, version] = content = data.draw(rearrangements())
            self.count += 10
            kind = EventKind.AMENDED if latest or version > 1 else EventKind.ACCEPTED
            stamp = Stamp(at(10 + self.count), f"e{self.count:03}")
            day = "2026-03-01" if kind is EventKind.ACCEPTED else ""
            self.tell(told.with_content(kind, stamp, content, version, day=day), hold=False)
            if released:
                self.count += 1
                self.tell(told.released(Stamp(at(10 + self.count), f"e{self.count:03}"), 0), hold=False)
                released = False

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

    @rule(data=st.data(), name=NAMES, number=st.sampled_from([0, 0, 1, 2, 3]), minute=MINUTES, hold=st.booleans(),
          point=st.sampled_from(["", "", "", *POINTS]))  # fmt: skip
    def released(self, data: st.DataObject, name: str, number: int, minute: int, hold: bool, point: str) -> None:
        """Released: all, or one item, as declared or with other figures."""
        stated: tuple[tuple[int, str], ...] = ()
        if number and data.draw(st.booleans()):
            value = data.draw(VALUES)
            unit = data.draw(st.sampled_from(["NAR", "NAR", "NAR", "KGM"]))
            shares = data.draw(SHARES | st.tuples(FIGURES, FIGURES))
            stated = tuple((seq, f"{share} {unit} + {value} EUR") for seq, share in enumerate(shares, start=1))
        self.tell(Declared(name, LRNS.get(name, "")).released(self.stamp(minute), number, stated), hold, point)

    @rule(name=NAMES, number=st.sampled_from([0, 1]), minute=MINUTES, hold=st.booleans(), seldom=SELDOM)
    def not_released(self, name: str, number: int, minute: int, hold: bool, seldom: bool) -> None:
        """Release is refused: one item, or all."""
        if not seldom:
            return
        self.tell(Declared(name, LRNS.get(name, "")).not_released(self.stamp(minute), number), hold)

    @rule(data=st.data(), name=NAMES, minute=MINUTES, hold=st.booleans(), point=st.sampled_from(["", "", "", *POINTS]))
    def overridden(self, data: st.DataObject, name: str, minute: int, hold: bool, point: str) -> None:
        """An officer accepts, amends or refuses: one document, an item, or all."""
        decision = data.draw(st.sampled_from([Decision.ACCEPT, Decision.ACCEPT, Decision.AMEND, Decision.REFUSE]))
        figure = ""
        if decision is Decision.AMEND:
            figure = f"{data.draw(FIGURES)} NAR" + data.draw(st.sampled_from(["", f" + {data.draw(VALUES)} EUR"]))
        places = data.draw(st.sampled_from([((0, 0),), ((1, 0),), ((1, 1),), ((1, 1), (2, 1)), ((1, 2), (3, 0))]))
        if not hold:  # in most cases after all that was said
            self.count += 10
            minute = 10 + self.count
        told = Declared(name, LRNS.get(name, ""))
        self.tell(told.overridden(self.stamp(minute), decision, places, figure), hold, point)

    @rule(data=st.data(), name=st.sampled_from(["M2", "M4"]), times=st.integers(1, 3), released=st.booleans())
    def decided_by_hand(self, data: st.DataObject, name: str, times: int, released: bool) -> None:
        """Told in order: content, perhaps its release, and what officers decide on it one after the other."""
        self.rearranged(data, name, 1, released)
        for _ in range(times):
            self.overridden(data, name, 0, False, "")
            if data.draw(SELDOM):
                self.released(data, name, data.draw(st.sampled_from([0, 1])), 20 + self.count, False, "")

    @rule(name=NAMES, kind=st.sampled_from([EventKind.INVALIDATED, EventKind.EXIT_CONFIRMED, EventKind.RECHECK]),
          minute=MINUTES, hold=st.booleans(), seldom=SELDOM)  # fmt: skip
    def said(self, name: str, kind: EventKind, minute: int, hold: bool, seldom: bool) -> None:
        """Invalidated (nothing comes after that), gone, or asked to try again."""
        if kind is EventKind.INVALIDATED and not seldom:
            return
        self.tell(Declared(name, LRNS.get(name, "")).bare(kind, self.stamp(minute)), hold)

    @rule(name=st.sampled_from(["M1", "M2"]), minute=MINUTES, hold=st.booleans(), seldom=SELDOM)
    def draft_invalidated(self, name: str, minute: int, hold: bool, seldom: bool) -> None:
        """Withdrawn by its LRN."""
        if not seldom:
            return
        self.tell(Declared(name, LRNS[name]).bare(EventKind.INVALIDATED, self.stamp(minute), draft=True), hold)

    @precondition(lambda self: self.world.told)
    @rule(data=st.data(), later=st.integers(0, 2), hold=st.booleans())
    def told_again(self, data: st.DataObject, later: int, hold: bool) -> None:
        """A sender that makes a new id for what it said before."""
        kinds = (EventKind.RELEASED, EventKind.INVALIDATED, EventKind.ACCEPTED, EventKind.OVERRIDDEN)
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


class WholeDeclarationMachine(LedgerMachine):
    """The same, where a declaration is booked whole or not at all."""

    group = SettleGroup.DECLARATION
