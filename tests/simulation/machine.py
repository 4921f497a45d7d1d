"""The state machine: what customs and authorities may tell, in any order, twice, and across crashes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from certex_bridge.ledger.commands import Command, ValidityPassed
from certex_bridge.ledger.domain.content import Payload
from certex_bridge.ledger.domain.facts import Decision, EventKind
from certex_bridge.ledger.domain.policy import SettleGroup
from certex_bridge.ledger.domain.requests import Verdict
from certex_bridge.ledger.domain.stamps import Stamp
from certex_bridge.ledger.matching import LODGINGS_KEPT
from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.licensing.domain.licence import AuthorityStatus, Licence
from tests.simulation.events import Declared, act_event, at, content_of, licence_event, told_again, write_off_event
from tests.simulation.settings import step_made
from tests.simulation.world import POINTS, World
from tests.support.ledger_words import HOLDER, Goods, cite, item, licence, line, mrn_of

STATUSES = st.sampled_from([AuthorityStatus.VALID] * 8 + [AuthorityStatus.SUSPENDED, AuthorityStatus.REVOKED])
KINDS = {
    AuthorityStatus.VALID: LicenceEventKind.MODIFIED,
    AuthorityStatus.SUSPENDED: LicenceEventKind.SUSPENDED,
    AuthorityStatus.REVOKED: LicenceEventKind.REVOKED,
    AuthorityStatus.CANCELLED: LicenceEventKind.ANNULLED,
}
ACTS = st.sampled_from(
    [LicenceEventKind.SUSPENDED, LicenceEventKind.RESUMED, LicenceEventKind.RESUMED, LicenceEventKind.REVOKED,
     LicenceEventKind.ANNULLED]
)  # fmt: skip
MINUTES = st.integers(0, 9)
SELDOM = st.sampled_from([False, False, False, False, True])
NAMES = st.sampled_from(["M1", "M2", "M3", "M4", "M4", "M4", "M6", "M7"])
LEFT = st.sampled_from(["", "2026-02-20", "2026-02-20", "2027-01-05", "2027-03-01"])
"""Days of exit: not told, covered, after the licences' last day, after every acceptance."""
LRNS = {"M1": "L1", "M2": "L2", "M3": "L1", "M6": "L1", "M7": "L2"}
"""L1 and L2 are used again, L1 by two traders; M4 is told by its MRN only."""
OTHER = "BE0999999999"
EXPORTERS = {"M3": "", "M6": OTHER, "M7": ""}
"""Whom customs name beside the LRN, where it is not the holder: nobody, or the other trader."""
LODGED = st.sampled_from(["M1", "M2", "M6"])


def declared(name: str) -> Declared:
    """Makes the events of a declaration."""
    return Declared(name, LRNS.get(name, ""), EXPORTERS.get(name, HOLDER))


FIGURES = st.sampled_from(["1", "3", "4", "5", "6", "7", "10"])
VALUES = st.sampled_from(["10.00", "30.00", "60.00", "100.00"])


LIMITS_OF_VALUE = st.sampled_from(["100.00 BGN", "51.13 EUR", "51.13 EUR", "30.00 EUR", "99.99 EUR"])
"""A hundred lev, the same in euro, less, and more."""


@st.composite
def citations(draw: st.DrawFn) -> Goods:
    """One or two documents of one goods item.

    A and X limit one line, B two lines and the whole, V two dimensions, N nothing, G value in lev or in euro.
    """
    cites = []
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(["A", "A", "A", "B", "B", "V", "X", "N", "G", "G"]))
        number = draw(st.sampled_from([1, 1, 2])) if name == "B" else 1
        figure = draw(FIGURES)
        if name == "V":
            figure += " NAR" + draw(st.sampled_from(["", " + {}", " + {}", " + {}"])).format(draw(VALUES) + " EUR")
        elif name == "G":
            figure = draw(VALUES) + draw(st.sampled_from([" BGN", " BGN", " BGN", " EUR"]))
        elif draw(st.integers(0, 11)) == 0:
            figure += " KGM"
        open_ = name == "X" or (name == "A" and draw(st.booleans()))
        cites.append(cite(name, figure, line=number, issuer_from="MRN" if open_ else ""))
    return item(*cites, number=draw(st.integers(1, 3)))


SHARES = st.sampled_from([("4", "6"), ("6", "4"), ("5", "5"), ("3", "7"), ("10",), ("10",)])
"""Ten units, which is all that A or B has, shared out otherwise from version to version."""


@st.composite
def rearrangements(draw: st.DrawFn) -> Payload:
    """The same ten units under other documents, items, numbers, lines, or now and then another licence."""
    name = draw(st.sampled_from(["A", "A", "A", "A", "B", "X", "X"]))
    shares = draw(SHARES)
    open_ = "MRN" if name == "X" else ""
    lines = st.sampled_from([1, 2]) if name == "B" else st.just(1)
    cites = [cite(name, share, line=draw(lines), issuer_from=open_) for share in shares]
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
        other = {"commodity_codes": ("93010000",)} if draw(st.integers(0, 9)) == 0 else {}
        lines = [line(1, limit)] + ([line(2, "6", **other)] if draw(st.integers(0, 3)) else [])
    elif name == "N":
        lines = [line(1, "")]
    elif name == "G":
        lines = [line(1, draw(LIMITS_OF_VALUE))]
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
        self.lodgings: Counter[str] = Counter()
        """By LRN; twenty are matched anew, older ones stay what they are."""

    def _may_lodge(self, name: str) -> bool:
        self.lodgings[LRNS[name]] += 1
        return self.lodgings[LRNS[name]] <= LODGINGS_KEPT

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
        issued=st.sets(st.sampled_from(["A", "B", "V", "N", "G", "FR/X"]), min_size=2),
        accepted=st.booleans(),
        data=st.data(),
    )
    def licences_first(self, issued: set[str], accepted: bool, data: st.DataObject) -> None:
        """In most histories licences are there before the first declaration, which uses much of one."""
        for name in sorted(issued):
            self.versions[name] = 1
            limits = {"A": ["10"], "B": ["10", "10"], "V": ["10 NAR + 60.00 EUR"], "N": [""], "G": ["100.00 BGN"]}
            limits["FR/X"] = ["10"]
            snapshot = licence(name, *limits[name], cap="10" if name == "B" else "")
            command = licence_event(self.stamp(0).event_id, 0, LicenceEventKind.ISSUED, snapshot)
            self.tell(command, hold=False)
        if accepted:
            content = self.content(data, "M4", 1)
            told = Declared("M4").with_content(EventKind.ACCEPTED, self.stamp(0), content, 1, day="2026-03-01")
            self.tell(told, hold=False)

    @rule(data=st.data(), name=st.sampled_from(["A", "A", "B", "V", "X", "X", "N", "G", "FR/X", "DE/X", "DE/A"]), step=st.sampled_from([1, 1, 1, 2, 0, -1]),
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

    @rule(data=st.data(), name=st.sampled_from(["A", "A", "B", "V", "X", "A2"]), bare=st.booleans(),
          step=st.sampled_from([1, 1, 1, 2, 0, -1, None]), hold=st.booleans(), point=st.sampled_from(["", "", "", *POINTS]))  # fmt: skip
    def act(self, data: st.DataObject, name: str, bare: bool, step: int | None, hold: bool, point: str) -> None:
        """An act without content or with content that is wrong, under any number or none."""
        kind = data.draw(ACTS)
        if kind in {LicenceEventKind.REVOKED, LicenceEventKind.ANNULLED} and not data.draw(SELDOM):
            kind = LicenceEventKind.SUSPENDED
        version = 0 if step is None else max(1, self.versions.get(name, 0) + step)
        if kind is LicenceEventKind.RESUMED:
            version = max(1, version)
        self.versions[name] = max(version, self.versions.get(name, 0))
        stamp = self.stamp(data.draw(MINUTES))
        self.tell(act_event(stamp.event_id, 0, kind, name, version, bare=bare), hold, point)

    @rule(limit=LIMITS_OF_VALUE, figure=VALUES, released=st.booleans(), hold=st.booleans())
    def redenominate(self, limit: str, figure: str, released: bool, hold: bool) -> None:
        """Lev are declared on G, perhaps released, and then its next version comes, in euro as a rule."""
        self.count += 10
        told, content = Declared("M5"), content_of((item(cite("G", f"{figure} BGN")),))
        version = self.versions["M5"] = self.versions.get("M5", 0) + 1
        kind = EventKind.ACCEPTED if version == 1 else EventKind.AMENDED
        stamp = Stamp(at(10 + self.count), f"e{self.count:03}")
        day = "2026-03-01" if version == 1 else ""
        self.tell(told.with_content(kind, stamp, content, version, day=day), hold=False)
        if released:
            self.count += 1
            self.tell(told.released(Stamp(at(10 + self.count), f"e{self.count:03}"), 0), hold=False)
        self.versions["G"] = self.versions.get("G", 0) + 1
        snapshot = licence("G", limit, version=self.versions["G"])
        self.tell(licence_event(self.stamp(0).event_id, 0, LicenceEventKind.MODIFIED, snapshot), hold)

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
            content = data.draw(rearrangements() if data.draw(st.booleans()) else contents())
            retrospective = data.draw(SELDOM)
            self.contents[key] = replace(content, additional_type="R") if retrospective else content
        return self.contents[key]

    @rule(data=st.data(), name=NAMES, version=st.sampled_from([1, 1, 1, 2]), minute=MINUTES, hold=st.booleans(),
          late=st.integers(0, 7), point=st.sampled_from(["", "", "", *POINTS]))  # fmt: skip
    def accepted(
        self, data: st.DataObject, name: str, version: int, minute: int, hold: bool, late: int, point: str
    ) -> None:
        """Accepted, seldom after the licences' last day, and perhaps with the day on which the goods had left."""
        stamp, content = self.stamp(minute), self.content(data, name, version)
        day = "2027-02-01" if late < (4 if content.additional_type == "R" else 1) else "2026-03-01"
        left = data.draw(LEFT) if content.additional_type == "R" else ""
        told = declared(name)
        self.tell(told.with_content(EventKind.ACCEPTED, stamp, content, version, day=day, left=left), hold, point)

    @rule(data=st.data(), name=NAMES, version=st.sampled_from([1, 2, 2, 3, 4]), minute=MINUTES, hold=st.booleans())
    def amended(self, data: st.DataObject, name: str, version: int, minute: int, hold: bool) -> None:
        """Amended, before or after release."""
        told = declared(name)
        content = self.content(data, name, version)
        self.tell(told.with_content(EventKind.AMENDED, self.stamp(minute), content, version), hold)

    @rule(data=st.data(), name=st.sampled_from(["M2", "M4", "M4"]), times=st.integers(1, 3), released=st.booleans())
    def rearranged(self, data: st.DataObject, name: str, times: int, released: bool) -> None:
        """Accepted, perhaps released, and then amended in order: the same units shared out otherwise."""
        told, key = declared(name), LRNS.get(name, name)
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
        told = declared(name)
        content = self.content(data, name, 1, supplementary=1)
        self.tell(told.with_content(EventKind.SUPPLEMENTARY, self.stamp(minute), content, 1, supplementary=1), hold)

    @rule(data=st.data(), name=LODGED, version=st.sampled_from([1, 1, 2]), minute=MINUTES, hold=st.booleans(),
          anew=SELDOM)  # fmt: skip
    def lodged(self, data: st.DataObject, name: str, version: int, minute: int, hold: bool, anew: bool) -> None:
        """Lodged: known by exporter and LRN only; seldom with other content than this version had."""
        if not self._may_lodge(name):
            return
        if anew:
            self.contents.pop((LRNS[name], 0, version), None)
        told = declared(name)
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
        self.tell(declared(name).released(self.stamp(minute), number, stated), hold, point)

    @rule(name=NAMES, number=st.sampled_from([0, 0, 1, 2]), minute=MINUTES, hold=st.booleans(), seldom=SELDOM)
    def not_released(self, name: str, number: int, minute: int, hold: bool, seldom: bool) -> None:
        """Release is refused: one item, or all."""
        if not seldom:
            return
        self.tell(declared(name).not_released(self.stamp(minute), number), hold)

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
        told = declared(name)
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
          minute=MINUTES, hold=st.booleans(), seldom=SELDOM, left=LEFT)  # fmt: skip
    def said(self, name: str, kind: EventKind, minute: int, hold: bool, seldom: bool, left: str) -> None:
        """Invalidated (nothing comes after that), gone, or asked to try again."""
        if kind is EventKind.INVALIDATED and not seldom:
            return
        left = left if kind is EventKind.EXIT_CONFIRMED else ""
        self.tell(declared(name).bare(kind, self.stamp(minute), left=left), hold)

    @rule(name=LODGED, minute=MINUTES, hold=st.booleans(), seldom=SELDOM, rejected=st.booleans())
    def draft_ended(self, name: str, minute: int, hold: bool, seldom: bool, rejected: bool) -> None:
        """Withdrawn by its LRN, or rejected."""
        if not seldom:
            return
        kind = EventKind.REJECTED if rejected else EventKind.INVALIDATED
        self.tell(declared(name).bare(kind, self.stamp(minute), draft=True), hold)

    @rule(name=st.sampled_from(sorted(LRNS)), minute=MINUTES, hold=st.booleans())
    def accepted_as_lodged(self, name: str, minute: int, hold: bool) -> None:
        """Accepted, and customs repeat no content: it is that of the lodging."""
        self.tell(declared(name).bare(EventKind.ACCEPTED, self.stamp(minute)), hold)

    @rule(
        data=st.data(),
        name=st.sampled_from(["M1", "M2", "M6"]),
        gone=st.booleans(),
        ended=SELDOM,
        times=st.integers(1, 2),
    )
    def one_lrn(self, data: st.DataObject, name: str, gone: bool, ended: bool, times: int) -> None:
        """In order: lodged, accepted as lodged, perhaps released or ended, and then the LRN is used again."""
        for each in [name, {"M1": "M3", "M2": "M7", "M6": "M3"}[name]][:times]:
            if not self._may_lodge(name):
                return
            self.count += 10
            moment = 10 + self.count
            content = data.draw(rearrangements() if data.draw(st.booleans()) else contents())
            self.tell(declared(name).with_content(EventKind.LODGED, self.stamp(moment), content, 1, draft=True), False)
            if ended and each == name:
                self.tell(declared(name).bare(EventKind.REJECTED, self.stamp(moment + 1), draft=True), False)
                continue
            self.tell(declared(each).bare(EventKind.ACCEPTED, self.stamp(moment + 1)), False)
            if gone:
                self.tell(declared(each).released(self.stamp(moment + 2), 0), False)

    @rule(data=st.data(), name=NAMES, minute=MINUTES, hold=st.booleans(), own=st.sampled_from(["", "R1", "R1", "R2"]))
    def requested(self, data: st.DataObject, name: str, minute: int, hold: bool, own: str) -> None:
        """The declarant asks for an amendment by the whole content, or for an invalidation; references are shared."""
        content = None
        if data.draw(st.integers(0, 3)):
            content = data.draw(rearrangements() if data.draw(st.booleans()) else contents())
        self.tell(declared(name).requested(self.stamp(minute), own, content), hold)

    @rule(name=NAMES, minute=MINUTES, hold=st.booleans(), reference=st.sampled_from(["", "R1", "R1", "R2"]),
          verdict=st.sampled_from([Verdict.GRANTED, Verdict.GRANTED, Verdict.REFUSED, Verdict.REJECTED]))  # fmt: skip
    def decided(self, name: str, minute: int, hold: bool, reference: str, verdict: Verdict) -> None:
        """Customs decide on whatever was asked."""
        self.tell(declared(name).decided(self.stamp(minute), reference, verdict), hold)

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

    def check_invariants(self, *around: Any) -> None:
        """Called after every step."""
        super().check_invariants(*around)
        step_made()

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
        seen: list[tuple[dict[Any, Any], int]] = []
        for _ in range(2):
            for name in ("M1", "M2", "M3", "M4", "M5", "M6", "M7"):
                if self.world.model.events.get(mrn_of(name)):
                    self.world.deliver([declared(name).bare(EventKind.NOTED, self.stamp(9999))])
            self.world.drain()
            held = self.world.store.contents
            shown: dict[Any, Any] = {k: (c.state, c.outcome, c.reasons) for k, c in held.claims.items()}
            shown |= {licence_id: state.nv for licence_id, state in held.licences.items()}
            seen.append((shown, len(held.movements)))
        (first, moved), (second, moved_again) = seen
        differing = {key: (first.get(key), shown) for key, shown in second.items() if first.get(key) != shown}
        history = "\n".join(self.world.history)
        assert (moved, differing) == (moved_again, {}), f"settling twice differs from once: {differing}\n{history}"


class WholeDeclarationMachine(LedgerMachine):
    """The same, where a declaration is booked whole or not at all."""

    group = SettleGroup.DECLARATION
