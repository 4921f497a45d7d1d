"""A slow, second ledger, written from the rules alone: what the real one is compared with.

It keeps every event that was ever delivered. After each one it reads the facts of the declaration anew from all its
events, asks for each claim what it should hold, and books the difference. Balances are never kept: they are added up
from the claims whenever someone asks. It imports no decision of the real ledger.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple

from certex_bridge.ledger.commands import ValidityPassed
from certex_bridge.ledger.domain.facts import (
    ClaimSpec,
    Decision,
    DeclarationCommand,
    Item,
    ItemRelease,
    Override,
    Payload,
    PayloadRank,
)
from certex_bridge.licensing.domain.commands import LicenceCommand, LicenceEventKind
from certex_bridge.licensing.domain.licence import AuthorityStatus, Licence
from certex_bridge.licensing.domain.writeoff import WriteOff

ZERO = Decimal(0)
FINAL = (AuthorityStatus.REVOKED, AuthorityStatus.CANCELLED)
ENDED = ("UNRESERVED", "WITHDRAWN", "CLOSED")
ASKED_AGAIN = frozenset({"lodged", "presented", "accepted", "recheck", "noted", "overridden"})
"""Events that are judged even when they say nothing new."""
ASKING = ("RESERVE", "RECORD", "ADJUST")


class Pair(NamedTuple):
    """Quantity and value, moved together (rule R2)."""

    qty: Decimal = ZERO
    val: Decimal = ZERO

    def beyond(self, other: Pair) -> bool:
        return self.qty > other.qty or self.val > other.val


NONE = Pair()
Key = tuple[str, int, int, str, int]
"""Declaration, item, document, licence, line."""


@dataclass
class MClaim:
    """One claim as the rules say it stands."""

    state: str = "NEW"
    outcome: str = ""
    reserved: Pair = NONE
    consumed: Pair = NONE
    uncovered: Pair = NONE
    tried: tuple[object, ...] = ()
    """What the last decision was made on."""

    @property
    def held(self) -> Pair:
        return Pair(self.reserved.qty + self.consumed.qty, self.reserved.val + self.consumed.val)

    @property
    def stands(self) -> bool:
        """Whether what was said goes on being said; an officer's word does not outlive a change of the content."""
        return self.outcome.startswith("OK_") and self.outcome != "OK_OVERRIDDEN"

    @property
    def shown(self) -> tuple[object, ...]:
        return (self.state, self.outcome, self.reserved, self.consumed, self.uncovered)


@dataclass
class MLicence:
    """A licence: its last accepted content, and every limit it ever had."""

    content: Licence | None = None
    sha: str = ""
    limits: dict[tuple[int, str], Decimal] = field(default_factory=dict)
    """(line, dimension) -> figure; line 0 is the whole licence; a line taken away keeps a limit of nothing."""
    expired: bool = False


@dataclass
class Facts:
    """What customs said, read anew from all events of one declaration."""

    payload: Payload | None = None
    rank: PayloadRank | None = None
    accepted: tuple[object, str] | None = None
    """(when and which event, day)."""
    releases: dict[int, ItemRelease] = field(default_factory=dict)
    """Last word per item; 0 for all of them."""
    ended: object = None
    recheck: object = None
    lodged: object = None
    exited: object = None
    overrides: dict[tuple[int, int], Override] = field(default_factory=dict)
    """An officer's last word per place; 0 for all."""

    def last_word(self, item: int) -> ItemRelease | None:
        told = [self.releases[number] for number in (0, item) if number in self.releases]
        return max(told, key=lambda release: release.stamp, default=None)


@dataclass
class Wish:
    """What the facts ask of one claim."""

    key: Key
    claim: MClaim
    phase: str
    target: Pair = NONE
    wrong: bool = False
    """Some rule says no."""
    no_figure: bool = False
    """The figure that counts cannot be compared with the limit."""
    limited: bool = True
    unknown: bool = False
    tried: tuple[object, ...] = ()
    cited: bool = True
    released: bool = False
    """Whether the goods of a document no longer cited were released."""
    by_hand: Override | None = None
    """An officer's decision that can be booked."""
    allowed: Pair = NONE
    """What it allows."""

    @property
    def asks(self) -> bool:
        books = self.phase in {"RESERVE", "ADJUST", "RECORD"}
        return (books and self.no_figure) or self.target.beyond(self.claim.held)

    @property
    def sticky(self) -> bool:
        return self.claim.outcome in {"REFUSED", "UNCOVERED"} and self.claim.tried == self.tried

    @property
    def passed_before(self) -> bool:
        """Without a limit nothing is held: what was let through stays so on the same facts, and once released."""
        same = self.claim.tried == self.tried or self.phase in {"RECORD", "ADJUST"}
        return self.claim.outcome == "OK_NOT_MANAGED" and same

    @property
    def no_pass(self) -> bool:
        """A document without a limit that is refused for what the rules say."""
        if self.limited or not self.cited:
            return False
        return self.sticky or (self.wrong and not self.passed_before)


class Model:
    """The reference."""

    def __init__(self, *, whole: bool = False) -> None:
        self.whole = whole
        """Whether a declaration is booked whole or not at all, instead of each item."""
        self.before: dict[Key, MClaim] = {}
        """The claims when the settlement under way began."""
        self.seen: dict[str, str] = {}
        self.events: dict[str, list[DeclarationCommand]] = defaultdict(list)
        self.taken_over: dict[str, int] = {}
        """How many events of its draft a declaration has taken over."""
        self.closed_drafts: set[str] = set()
        self.licences: dict[str, MLicence] = defaultdict(MLicence)
        self.claims: dict[Key, MClaim] = {}
        self.waiting: dict[str, set[str]] = defaultdict(set)
        self.wakes: list[str] = []
        self.forms: dict[str, dict[str, tuple[object, WriteOff]]] = defaultdict(dict)
        """Write-offs on paper: form -> licence -> (when it was told, what)."""

    # -- reading

    def balance(
        self, licence_id: str, line: int, dim: str, claims: dict[Key, MClaim] | None = None
    ) -> tuple[Decimal, Decimal]:
        """Reserved and consumed, added up from the claims."""
        at = 0 if dim == "QTY" else 1
        claims = self.claims if claims is None else claims
        held = [c for key, c in claims.items() if key[3] == licence_id and line in {0, key[4]}]
        return sum((c.reserved[at] for c in held), ZERO), sum((c.consumed[at] for c in held), ZERO)

    def available(self, licence_id: str, line: int, dim: str) -> Decimal:
        """What is free of the limit; of more than that, only what this settlement itself gave back."""
        limit = self.licences[licence_id].limits[line, dim]
        at_first = sum(self.balance(licence_id, line, dim, self.before), ZERO)
        return max(ZERO, max(limit, at_first) - sum(self.balance(licence_id, line, dim), ZERO))

    def status(self, licence_id: str) -> str:
        """One status: Revoked, Cancelled, Suspended, Expired, Exhausted, Valid, in this order."""
        licence = self.licences[licence_id]
        if licence.content is None:
            return "Unknown"
        if licence.content.status is not AuthorityStatus.VALID:
            return licence.content.status.value.capitalize()
        if licence.expired:
            return "Expired"
        used_up: dict[int, bool] = defaultdict(bool)
        for (line, dim), limit in licence.limits.items():
            used_up[line] |= self.balance(licence_id, line, dim)[1] >= limit
        lines = {line.line_no for line in licence.content.lines} | (used_up.keys() - {0})
        if used_up.get(0) or (used_up.keys() - {0} and all(used_up.get(line, False) for line in lines)):
            return "Exhausted"
        return "Valid"

    # -- delivering

    def deliver(self, command: DeclarationCommand | LicenceCommand | ValidityPassed) -> None:
        """One event; an id that was seen has no second effect."""
        if command.event_id in self.seen:
            return
        self.seen[command.event_id] = command.payload_sha256
        if isinstance(command, LicenceCommand):
            self._licence(command)
        elif isinstance(command, ValidityPassed):
            content = self.licences[command.licence_id].content
            if content is not None and content.version == command.version:
                self.licences[command.licence_id].expired = True
        elif command.mrn:
            self._declaration(command)
        else:
            self._draft(command)

    def wake(self) -> None:
        """Settle the declaration that was woken first."""
        decl_id = self.wakes.pop(0)
        if decl_id in self.forms:
            self._settle_form(decl_id)
            return
        self._take_over(decl_id, self.draft_of(decl_id))
        self.settle(decl_id)

    # -- licences

    def _licence(self, command: LicenceCommand) -> None:
        if command.write_off is not None:
            self._capture(command, command.write_off)
            return
        new, known = command.licence, self.licences[command.licence_id]
        assert new is not None
        old = known.content
        if old is not None and (new.version <= old.version or (old.status in FINAL and new.status is not old.status)):
            return
        if old is not None and self._returns(old, new):
            return
        if command.kind is LicenceEventKind.SPLIT and not self._may_split(command, new):
            return
        for content in (new, *command.parts):
            self._in_force(content)

    def _capture(self, command: LicenceCommand, told: WriteOff) -> None:
        """The last total on a form counts for each licence, by the authority's own time."""
        form = self.forms[told.evidence.write_off_id]
        stamp = (command.occurred_at, command.event_id)
        known = form.get(told.licence_id)
        if known is None or stamp > known[0]:
            form[told.licence_id] = (stamp, told)
            self._settle_form(told.evidence.write_off_id)

    def _settle_form(self, form_id: str) -> None:
        self.before = dict(self.claims)
        self.waiting[form_id] = set()
        for licence_id, (stamp, told) in sorted(self.forms[form_id].items()):
            if self.licences[licence_id].content is None:
                self.waiting[form_id].add(licence_id)
                continue
            (line,) = told.lines
            dims = {dim for no, dim in self.licences[licence_id].limits if no in {0, 1}}
            target = Pair(
                line.quantity.amount if line.quantity and "QTY" in dims else ZERO,
                line.value.amount if line.value and "VAL" in dims else ZERO,
            )
            key = (form_id, 1, 1, licence_id, 1)
            wish = Wish(key, self.claims.get(key) or MClaim(), "RECORD", target, tried=(stamp,))
            self._write_off(wish)

    def _write_off(self, wish: Wish) -> None:
        held, target = wish.claim.held, wish.target
        if not wish.asks or not (wish.sticky or not self._fit([wish])):
            state, outcome = ("CONSUMED", "OK_ADJUSTED" if held != NONE else "OK_CONSUMED")
            if target == NONE:
                state, outcome = "WITHDRAWN", "OK_WITHDRAWN"
            self._put(wish, state, outcome, NONE, target)
            return
        covered = Pair(min(target.qty, held.qty), min(target.val, held.val))
        claim = self._put(wish, "UNCOVERED", "UNCOVERED", NONE, covered)
        claim.uncovered = Pair(target.qty - covered.qty, target.val - covered.val)

    def _returns(self, old: Licence, new: Licence) -> bool:
        """Whether a line comes back that was taken out while in use: nobody can tell that its goods are the same."""
        back = {line.line_no for line in new.lines} - {line.line_no for line in old.lines}
        return any(sum(self.balance(new.licence_id, no, dim), ZERO) > ZERO for no in back for dim in ("QTY", "VAL"))

    def _may_split(self, command: LicenceCommand, new: Licence) -> bool:
        known = self.licences[command.licence_id]
        if known.content is None or any(self.licences[part.licence_id].content for part in command.parts):
            return False
        self.before = {}
        for dim in ("QTY", "VAL"):
            given = sum(
                (limit for part in command.parts for (_, d), limit in limits_of(part).items() if d == dim), ZERO
            )
            old = [(line, limit) for (line, d), limit in known.limits.items() if d == dim]
            free = sum((self.available(command.licence_id, line, dim) for line, _ in old), ZERO)
            after = sum((limit for (_, d), limit in limits_of(new).items() if d == dim), ZERO)
            if given and (given > free or after + given > sum((limit for _, limit in old), ZERO)):
                return False
        return True

    def _in_force(self, content: Licence) -> None:
        known = self.licences[content.licence_id]
        was_unknown = known.content is None
        old, last = known.content, content.valid_to
        longer = old is None or (old.valid_to is not None and (last is None or last > old.valid_to))
        known.content, known.expired = content, known.expired and not longer
        known.limits = dict.fromkeys(known.limits, ZERO) | limits_of(content)
        if was_unknown:
            self.wakes += sorted(d for d, waits in self.waiting.items() if content.licence_id in waits)

    # -- declarations

    def _draft(self, command: DeclarationCommand) -> None:
        """Before acceptance a declaration has no MRN: it is looked at, never booked."""
        draft = f"{command.exporter}/{command.lrn}"
        before = self._read(self.events[draft])
        if _clash(before, command):
            return
        self.events[draft].append(command)
        if draft in self.closed_drafts:
            pass
        elif self._read(self.events[draft]) != before or command.kind.value in ASKED_AGAIN:
            self.settle(draft)
        self.wakes += sorted(d for d in self.taken_over if self.draft_of(d) == draft)

    def _declaration(self, command: DeclarationCommand) -> None:
        decl_id = command.mrn
        known = self.facts(decl_id)
        told, draft = self.events[decl_id], f"{command.exporter}/{command.lrn}" if command.lrn else ""
        told.append(command)
        self._take_over(decl_id, draft)
        if self._conflicts(decl_id, command):
            told.pop()
            return
        if self.facts(decl_id) != known or command.kind.value in ASKED_AGAIN:
            self.settle(decl_id)

    def _conflicts(self, decl_id: str, command: DeclarationCommand) -> bool:
        """The version in force was told before with other content."""
        others = [one for one in self._all_events(decl_id) if one is not command]
        return _clash(self._read(others), command)

    def draft_of(self, decl_id: str) -> str:
        """The draft that a declaration says it was."""
        return next((f"{one.exporter}/{one.lrn}" for one in self.events[decl_id] if one.lrn), "")

    def _take_over(self, decl_id: str, draft: str) -> None:
        if not draft:
            return
        self.taken_over[decl_id] = len(self.events[draft])
        if self.events[draft] and draft not in self.closed_drafts:
            self.closed_drafts.add(draft)
            for key, claim in self.claims.items():
                if key[0] == draft:
                    claim.state = "CLOSED"

    def _all_events(self, decl_id: str) -> list[DeclarationCommand]:
        draft = self.draft_of(decl_id) if "/" not in decl_id else ""
        return self.events[decl_id] + (self.events[draft][: self.taken_over.get(decl_id, 0)] if draft else [])

    def facts(self, decl_id: str) -> Facts:
        """Read anew what customs said about a declaration."""
        return self._read(self._all_events(decl_id))

    def _read(self, events: list[DeclarationCommand]) -> Facts:
        found = Facts()
        for one in sorted(events, key=lambda e: (e.occurred_at, e.event_id)):  # customs' time, whatever the order was
            facts = one.facts
            rank = facts.payload_rank
            if rank is not None and (found.rank is None or rank.order > found.rank.order):
                found.payload, found.rank = facts.payload, rank
            if facts.accepted is not None and found.accepted is None:
                found.accepted = (facts.accepted, facts.acceptance_day)
            for item, release in facts.releases:
                found.releases[item] = release
            found.ended = found.ended or facts.invalidated
            found.lodged = found.lodged or facts.lodged
            found.exited = found.exited or facts.exited
            if facts.recheck is not None:
                found.recheck = facts.recheck
            found.overrides |= {override.place: override for override in facts.overrides}
        return found

    # -- settling

    def settle(self, decl_id: str) -> None:
        """Book the difference between what the facts ask for and what is held."""
        facts = self.facts(decl_id)
        if facts.payload is None:
            return
        self.before = dict(self.claims)
        items = {item.number for item in facts.payload.items}
        groups = self._groups(list(self._wishes(decl_id, facts, facts.payload)), items)
        self.waiting[decl_id] = set()
        # Groups that only give back come first, then those that keep within their own, then those that want more.
        for wishes in sorted(groups, key=self._wants):
            self._settle_group(decl_id, wishes)

    def _wants(self, wishes: list[Wish]) -> int:
        wishes = [wish for wish in wishes if wish.by_hand is None]
        if not any(wish.asks for wish in wishes):
            return 0
        return 2 if any(more > ZERO for more in self._changes(wishes).values()) else 1

    def _groups(self, wishes: list[Wish], items: set[int]) -> list[list[Wish]]:
        """By item; an item that is gone moves together with those that newly cite its licence."""
        if self.whole:
            return [wishes]
        gone = [wish for wish in wishes if wish.phase == "DROPPED" and wish.key[1] not in items]
        licences = {wish.key[3] for wish in gone}
        arriving = [w for w in wishes if w.phase in ASKING and w.claim.held == NONE and w.key[3] in licences]
        moving = {wish.key[1] for wish in gone + arriving}
        groups: dict[int, list[Wish]] = {-1: []} if moving else {}
        for wish in wishes:
            number = wish.key[1]
            groups.setdefault(-1 if number in moving else number, []).append(wish)
        for group in groups.values():  # items one after the other, in the order in which they are first named
            order = list(dict.fromkeys(wish.key[1] for wish in wishes))
            group.sort(key=lambda wish: order.index(wish.key[1]))
        return list(groups.values())

    def _wishes(self, decl_id: str, facts: Facts, payload: Payload) -> Iterator[Wish]:
        cited = [self._wish(decl_id, facts, item, spec) for item in payload.items for spec in item.claims]
        yield from cited
        keys = {wish.key for wish in cited}
        for key, claim in list(self.claims.items()):
            if key[0] != decl_id or key in keys:
                continue
            if claim.held != NONE:
                phase = self._phase(decl_id, facts, key[1], claim)
                released = phase in {"RECORD", "ADJUST"}
                phase = "ENDED" if phase == "ENDED" else "DROPPED"
                yield Wish(key, claim, phase, cited=False, released=released)
            elif claim.state not in ENDED:
                claim.state = "CLOSED"

    def _governing(self, facts: Facts, item: int, doc_seq: int) -> Override | None:
        """The officer's last word on a document, unless customs changed the content since."""
        told = [o for (at, seq), o in facts.overrides.items() if at in {0, item} and seq in {0, doc_seq}]
        last = max(told, key=lambda one: one.stamp, default=None)
        return None if last is None or self._newer(facts, last) else last

    def _wish(self, decl_id: str, facts: Facts, item: Item, spec: ClaimSpec) -> Wish:
        override = self._governing(facts, item.number, spec.doc_seq)
        if override is not None and override.decision is Decision.AMEND:
            spec = replace(spec, quantity=override.quantity or spec.quantity, value=override.value or spec.value)
        licence = self.licences[spec.licence_id]
        content = licence.content
        declared = spec.line_no or 0
        line, wrong = declared, False
        if content is not None:
            exists = any(one.line_no == declared for one in content.lines)
            line = declared if exists or any(no == declared for no, _ in licence.limits) else 0
            day = facts.accepted[1] if facts.accepted else ""
            late = bool(day) and content.valid_to is not None and day > content.valid_to.isoformat()
            status = self.status(spec.licence_id)
            mine = any(k[0] == decl_id and k[3] == spec.licence_id and c.held != NONE for k, c in self.claims.items())
            open_ = status in {"Valid", "Expired"} or (status == "Exhausted" and mine)
            wrong = not exists or late or not open_
        key = (decl_id, item.number, spec.doc_seq, spec.licence_id, line)
        claim = self.claims.get(key) or MClaim()
        tag = (("told", override.stamp),) if override else ()
        wish = Wish(key, claim, self._phase(decl_id, facts, item.number, claim, tag), unknown=content is None)
        wish.limited = any(no in {0, line} for no, _ in licence.limits)
        word = facts.last_word(item.number)
        wish.tried = (
            facts.rank.order if facts.rank else None,
            facts.accepted[1] if facts.accepted else None,
            (word.released, word.stamp) if word else None,
            facts.recheck,
            *tag,
        )
        if wish.phase in ASKING:
            wish.target, wish.no_figure = self._counting(facts, spec, item.number, wish, licence, override)
            wish.allowed, unusable = self._figures(spec, licence, line)
            bookable = not (wish.unknown or not line or wish.no_figure or unusable)
            if override is not None and (bookable or override.decision is Decision.REFUSE):
                wish.by_hand = override
                wish.tried = (*wish.tried[:-1], ("by-hand", override.stamp))
        elif wish.phase == "CHECK":
            _, wish.no_figure = self._figures(spec, licence, line)
        wish.wrong = wrong or wish.no_figure
        return wish

    def _counting(
        self, facts: Facts, spec: ClaimSpec, number: int, wish: Wish, licence: MLicence, override: Override | None
    ) -> tuple[Pair, bool]:
        """The figures that count: as declared, or as released; and whether one cannot be used."""
        word = facts.last_word(number)
        over = override is not None and word is not None and override.stamp > word.stamp
        if wish.phase == "RECORD" and word and word.figures is not None and not over and not self._newer(facts, word):
            stated = next((one for one in word.figures if one.doc_seq == spec.doc_seq), None)
            if stated is None:
                return NONE, False
            spec = replace(spec, quantity=stated.quantity or spec.quantity, value=stated.value or spec.value)
        return self._figures(spec, licence, wish.key[4])

    def _newer(self, facts: Facts, word: ItemRelease | Override) -> bool:
        """Customs changed the content after the release; the content of lodging or acceptance is no change."""
        if facts.rank is None or facts.rank.stamp <= word.stamp:
            return False
        first = facts.accepted[0] if facts.accepted else None
        return facts.rank.stamp not in {first, facts.lodged}

    def _phase(self, decl_id: str, facts: Facts, item: int, claim: MClaim, tag: tuple[object, ...] = ()) -> str:
        word = facts.last_word(item)
        if facts.ended or (word is not None and not word.released):
            return "ENDED"
        if "/" in decl_id:
            return "CHECK"
        if word is None:
            return "RESERVE" if facts.accepted or facts.overrides else "CHECK"
        if not self._newer(facts, word) or claim.reserved != NONE:
            return "RECORD"
        if claim.state == "UNCOVERED" and (
            claim.consumed == NONE
            or (
                claim.tried
                and claim.tried[0] == facts.rank.order
                and claim.tried[2:] == ((word.released, word.stamp), facts.recheck, *tag)
            )
        ):
            return "RECORD"
        return "ADJUST" if self._recorded(decl_id, item) else "RECORD"

    def _recorded(self, decl_id: str, item: int) -> bool:
        """Whether a release of the item was booked before; an item never heard of adds to what was."""
        mine = {key: claim for key, claim in self.claims.items() if key[0] == decl_id}
        after = {"CONSUMED", "UNCOVERED", "REFUSED", "NOT_MANAGED"}
        booked = {
            key[1]
            for key, claim in mine.items()
            if claim.consumed != NONE or (claim.state in after and claim.tried and claim.tried[2])
        }
        return item in booked or (bool(booked) and item not in {key[1] for key in mine})

    def _figures(self, spec: ClaimSpec, licence: MLicence, line: int) -> tuple[Pair, bool]:
        """Declared figures in the limited dimensions; whether one is missing or in another unit."""
        units = units_of(licence.content) if licence.content else {}
        quantity = value = ZERO
        missing = False
        for no, dim in licence.limits:
            if no not in {0, line}:
                continue
            if dim == "QTY":
                fits = spec.quantity is not None and spec.quantity.unit == units.get("QTY", "NAR")
                quantity = spec.quantity.amount if fits and spec.quantity else ZERO
            else:
                fits = spec.value is not None and spec.value.currency == units.get("VAL", "EUR")
                value = spec.value.amount if fits and spec.value else ZERO
            missing |= not fits
        return Pair(quantity, value), missing

    # -- one group

    def _settle_group(self, decl_id: str, wishes: list[Wish]) -> None:
        decided = [wish for wish in wishes if wish.by_hand is not None]
        wishes = [wish for wish in wishes if wish.by_hand is None]
        whole = [self._decide(wish) for wish in decided]
        if not all(whole):
            for wish in wishes:
                if wish.phase == "DROPPED":
                    self._stay(wish, wish.released)
            wishes = [wish for wish in wishes if wish.phase != "DROPPED"]
        self._settle_asked(decl_id, wishes)

    def _decide(self, wish: Wish) -> bool:
        """As the officer told; returns whether anything was left out."""
        override, old = wish.by_hand, wish.claim
        assert override is not None
        if override.decision is Decision.REFUSE:
            self._put(wish, "REFUSED", "REFUSED")
            return False
        released = wish.phase != "RESERVE"
        if not wish.limited:
            self._put(wish, "CONSUMED" if released else "NOT_MANAGED", "OK_OVERRIDDEN")
            return True
        most = Pair(max(wish.allowed.qty, old.held.qty), max(wish.allowed.val, old.held.val))
        booked = Pair(min(wish.target.qty, most.qty), min(wish.target.val, most.val))
        if booked == wish.target or not released or not (wish.wrong or wish.sticky or not self._fit([wish])):
            booked = wish.target
        figures = (NONE, booked) if released else (booked, NONE)
        outcome = self._said_by_hand(old, figures, booked, wish.tried[-1])
        claim = self._put(wish, "CONSUMED" if released else "RESERVED", outcome, *figures)
        if booked == wish.target:
            return True
        claim.state = claim.outcome = "UNCOVERED"
        claim.uncovered = Pair(wish.target.qty - booked.qty, wish.target.val - booked.val)
        return False

    def _said_by_hand(self, old: MClaim, figures: tuple[Pair, Pair], booked: Pair, tag: object) -> str:
        if not old.tried or old.tried[-1] != tag or booked.beyond(old.held):
            return "OK_OVERRIDDEN"
        moved = (old.reserved, old.consumed) != figures
        if not moved and old.outcome not in {"REFUSED", "UNCOVERED"}:
            return old.outcome
        return "OK_ADJUSTED" if moved and (old.consumed != NONE or figures[0] != NONE) else "OK_CONSUMED"

    def _settle_asked(self, decl_id: str, wishes: list[Wish]) -> None:
        by: dict[str, list[Wish]] = defaultdict(list)
        for wish in wishes:
            by["ASK" if wish.phase in {"RESERVE", "ADJUST"} else wish.phase].append(wish)
        for wish in by["ENDED"]:
            self._end(wish)
        for wish in by["CHECK"]:
            self._check(wish)
        asking, dropped = by["ASK"], by["DROPPED"]
        if by["RECORD"]:
            missing = [wish for wish in by["RECORD"] if wish.unknown]
            for wish in missing:
                self._wait(decl_id, wish)
            told = [wish for wish in by["RECORD"] if not wish.unknown]
            covered = self._record_all(told, [] if asking else dropped, complete=not missing)
            if asking and not covered:
                for wish in dropped:
                    self._stay(wish, wish.released)
            dropped = dropped if asking and covered else []
        if any(wish.unknown for wish in asking):
            for wish in asking:
                self._wait(decl_id, wish)
            for wish in dropped:
                self._stay(wish, wish.released)
        else:
            self._authorise(asking + dropped)

    def _authorise(self, asked: list[Wish]) -> None:
        growing = any(wish.asks for wish in asked)
        refused = [wish for wish in asked if not wish.asks and wish.no_pass]
        if (growing and self._refuses(asked)) or (growing and refused):
            for wish in asked:
                self._keep(wish)
            return
        for wish in asked:
            free = wish.claim.held == NONE and not wish.passed_before
            if wish in refused or (refused and self.whole and free):
                self._keep(wish)
            else:
                self._grant(wish)

    def _record_all(self, told: list[Wish], dropped: list[Wish], *, complete: bool) -> bool:
        """Book what was released; documents no longer cited give back only when all that replaces them is covered."""
        steady, growing = [w for w in told if not w.asks], [w for w in told if w.asks]
        for wish in steady:
            self._record(wish, fits=True)
        covered = complete and not any(self.claims[wish.key].state == "UNCOVERED" for wish in steady)
        sound = not any(wish.wrong or wish.sticky for wish in growing)
        if covered and sound and self._fit([*growing, *dropped]):
            for wish in dropped:
                self._grant(wish)
            for wish in growing:
                self._record(wish, fits=True)
            return True
        for wish in growing:
            self._record(wish, fits=not (wish.wrong or wish.sticky) and self._fit([wish]))
        for wish in dropped:
            self._stay(wish, True)
        return covered and not any(self.claims[wish.key].state == "UNCOVERED" for wish in growing)

    def _stay(self, wish: Wish, released: bool) -> None:
        """What a document no longer cited holds stays; if the goods left on it, as consumed."""
        old = wish.claim
        if released and old.reserved != NONE:
            self.claims[wish.key] = MClaim("CONSUMED", "OK_CONSUMED", NONE, old.held)

    def _put(self, wish: Wish, state: str, outcome: str, reserved: Pair = NONE, consumed: Pair = NONE) -> MClaim:
        claim = MClaim(state, outcome, reserved, consumed, NONE, wish.tried)
        self.claims[wish.key] = claim
        return claim

    def _wait(self, decl_id: str, wish: Wish) -> None:
        old = wish.claim
        claim = self._put(wish, old.state if old.held != NONE else "WAITING", "WAITING", old.reserved, old.consumed)
        claim.uncovered = old.uncovered if old.held != NONE else NONE
        if wish.unknown:
            self.waiting[decl_id].add(wish.key[3])

    def _refuses(self, asked: list[Wish]) -> bool:
        return any(wish.asks and (wish.sticky or wish.wrong) for wish in asked) or not self._fit(asked)

    def _fit(self, asked: list[Wish]) -> bool:
        changes = self._changes(asked)
        return not any(more > ZERO and more > self.available(*account) for account, more in changes.items())

    def _changes(self, asked: list[Wish]) -> dict[tuple[str, int, str], Decimal]:
        changes: dict[tuple[str, int, str], Decimal] = defaultdict(Decimal)
        for wish in asked:
            for account, more in self._more(wish):
                changes[account] += more
        return changes

    def _more(self, wish: Wish) -> Iterator[tuple[tuple[str, int, str], Decimal]]:
        """What a wish would change on each account it draws on."""
        held = wish.claim.held
        for line, dim in self.licences[wish.key[3]].limits:
            if line in {0, wish.key[4]}:
                at = 0 if dim == "QTY" else 1
                yield (wish.key[3], line, dim), wish.target[at] - held[at]

    def _keep(self, wish: Wish) -> None:
        old = wish.claim
        if not wish.cited:
            self._stay(wish, wish.released)
        elif old.held != NONE:
            self._put(wish, old.state, "REFUSED", old.reserved, old.consumed).uncovered = old.uncovered
        else:
            self._put(wish, "REFUSED", "REFUSED")

    def _grant(self, wish: Wish) -> None:
        old = wish.claim
        if wish.phase == "DROPPED":
            ended = "WITHDRAWN" if old.consumed != NONE else "UNRESERVED"
            self._put(wish, ended, "OK_" + ended)
            return
        if not wish.limited:
            self._put(wish, "CONSUMED" if wish.phase == "ADJUST" else "NOT_MANAGED", "OK_NOT_MANAGED")
            return
        consumed = wish.phase == "ADJUST"
        outcome = "OK_ADJUSTED" if consumed or old.held != NONE else "OK_RESERVED"
        if wish.target == (old.consumed if consumed else old.reserved) and old.stands:
            outcome = old.outcome  # nothing moves: what was said stands
        if consumed:
            self._put(wish, "CONSUMED", outcome, NONE, wish.target)
        else:
            self._put(wish, "RESERVED", outcome, wish.target)

    def _record(self, wish: Wish, *, fits: bool) -> None:
        old, held = wish.claim, wish.claim.held
        if not wish.limited:
            ended = "UNCOVERED" if wish.no_pass else "CONSUMED"
            self._put(wish, ended, "UNCOVERED" if wish.no_pass else "OK_NOT_MANAGED")
        elif wish.no_figure:  # what is held is all that can be said to have left
            self._put(wish, "UNCOVERED", "UNCOVERED", NONE, held)
        elif fits:
            claim = self._put(wish, "CONSUMED", "", NONE, wish.target)
            claim.outcome = self._said(old, claim)
        else:
            covered = Pair(min(wish.target.qty, held.qty), min(wish.target.val, held.val))
            claim = self._put(wish, "UNCOVERED", "UNCOVERED", NONE, covered)
            claim.uncovered = Pair(wish.target.qty - covered.qty, wish.target.val - covered.val)

    def _said(self, old: MClaim, new: MClaim) -> str:
        if (old.reserved, old.consumed) == (new.reserved, new.consumed):  # nothing moves: what was said stands
            return old.outcome if old.stands else "OK_CONSUMED"
        return "OK_ADJUSTED" if old.consumed != NONE else "OK_CONSUMED"

    def _end(self, wish: Wish) -> None:
        old = wish.claim
        if old.held != NONE:
            ended = "WITHDRAWN" if old.consumed != NONE else "UNRESERVED"
            self._put(wish, ended, "OK_" + ended)
        elif old.state in ENDED:
            self._put(wish, old.state, "CLOSED" if old.state == "CLOSED" else old.outcome)
        else:
            self._put(wish, "CLOSED", "CLOSED")

    def _check(self, wish: Wish) -> None:
        wrong = wish.wrong or wish.unknown
        if not wrong:
            spec = self._declared(wish)
            wrong = any(
                spec[0 if dim == "QTY" else 1] > self.available(wish.key[3], line, dim)
                for line, dim in self.licences[wish.key[3]].limits
                if line in {0, wish.key[4]}
            )
        good = "OK_AVAILABLE" if wish.limited else "OK_NOT_MANAGED"
        self._put(wish, "CHECKED", "REFUSED" if wrong else good)

    def _declared(self, wish: Wish) -> Pair:
        payload = self.facts(wish.key[0]).payload
        assert payload is not None
        licence = self.licences[wish.key[3]]
        return next(
            self._figures(spec, licence, wish.key[4])[0]
            for item in payload.items
            for spec in item.claims
            if (item.number, spec.doc_seq) == wish.key[1:3]
        )


def _clash(newest: Facts, command: DeclarationCommand) -> bool:
    """Whether the version in force was told before with other content."""
    told = command.facts
    if told.payload is None or told.payload_rank is None or newest.rank is None:
        return False
    return newest.rank.order == told.payload_rank.order and newest.payload != told.payload


def limits_of(content: Licence) -> dict[tuple[int, str], Decimal]:
    """What a licence limits: per line, and for the whole."""
    limits: dict[tuple[int, str], Decimal] = {}
    for line_no, quantity, value in [
        (0, content.cap.quantity, content.cap.value),
        *((line.line_no, line.quantity, line.value) for line in content.lines),
    ]:
        if quantity is not None:
            limits[line_no, "QTY"] = quantity.amount
        if value is not None:
            limits[line_no, "VAL"] = value.amount
    return limits


def units_of(content: Licence) -> dict[str, str]:
    """Unit and currency of a licence; in these tests all its lines share one."""
    units = {}
    for line in content.lines:
        if line.quantity is not None:
            units["QTY"] = line.quantity.unit
        if line.value is not None:
            units["VAL"] = line.value.currency
    return units
