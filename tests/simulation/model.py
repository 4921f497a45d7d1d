"""A slow, second ledger, written from the rules alone: what the real one is compared with.

It keeps every event that was ever delivered. After each one it reads the facts of the declaration anew from all its
events, asks for each claim what it should hold, and books the difference. Balances are never kept: they are added up
from the claims whenever someone asks. It imports no decision of the real ledger.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from certex_bridge.ledger.commands import ValidityPassed
from certex_bridge.ledger.domain.content import ClaimSpec, Item, Payload
from certex_bridge.ledger.domain.facts import Decision, DeclarationCommand, ItemRelease, Override
from certex_bridge.ledger.domain.requests import Request, RequestDecision, Verdict
from certex_bridge.ledger.domain.stamps import PayloadRank
from certex_bridge.licensing.domain.commands import LicenceCommand, LicenceEventKind
from certex_bridge.licensing.domain.licence import AuthorityStatus, Licence
from certex_bridge.licensing.domain.writeoff import WriteOff

ZERO = Decimal(0)
FINAL = (AuthorityStatus.REVOKED, AuthorityStatus.CANCELLED)
BLOCKS = {
    "suspended": AuthorityStatus.SUSPENDED,
    "revoked": AuthorityStatus.REVOKED,
    "annulled": AuthorityStatus.CANCELLED,
}
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
Moment = tuple[datetime, str]
"""When something was told, and in which event."""
Lodged = tuple[str, str, str]
"""A lodging: exporter, LRN, the event that lodged it."""


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
    foreign: bool = False
    """Refused, or left uncovered, because the licence was in another currency."""
    refused_at: datetime | None = None
    """The moment on whose balance it was refused, or left uncovered."""

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
    goods: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Commodity codes of every line there ever was, as last told."""
    taken: dict[int, tuple[str, bool]] = field(default_factory=dict)
    """Every version that was in force: hash of its event's data, and whether its content was complete."""
    early: list[LicenceCommand] = field(default_factory=list)
    """Acts without content that came before the licence."""


@dataclass
class Facts:
    """What customs said, read anew from all events of one declaration."""

    payload: Payload | None = None
    rank: PayloadRank | None = None
    accepted: tuple[object, str] | None = None
    """(when and which event, day)."""
    releases: dict[tuple[int, bool], ItemRelease] = field(default_factory=dict)
    """Last release and last refusal per item; 0 for all of them."""
    ended: object = None
    rejected: object = None
    requests: tuple[Request, ...] = ()
    """Of the declarant, in the order of asking."""
    decisions: tuple[RequestDecision, ...] = ()
    """Of customs on them, in their order."""
    recheck: object = None
    lodged: object = None
    exited: object = None
    left: str = ""
    """Day of exit as last told."""
    left_told: object = None
    overrides: dict[tuple[int, int], Override] = field(default_factory=dict)
    """An officer's last word per place; 0 for all."""

    @property
    def day(self) -> str:
        """The day that counts: of exit for goods declared after they had left, else of acceptance; empty: not told."""
        accepted = self.accepted[1] if self.accepted else ""
        after_exit = self.payload is not None and self.payload.additional_type == "R"
        return self.left if after_exit and self.left and self.left <= (accepted or "2026-03-01") else accepted

    @property
    def moments(self) -> list[datetime]:
        """When each of them was told."""
        stamps: list[Any] = [self.rank and self.rank.stamp, self.lodged, self.accepted and self.accepted[0]]
        stamps += [self.ended, self.rejected, self.exited, self.left_told, self.recheck]
        stamps += [word.stamp for word in (*self.releases.values(), *self.overrides.values())]
        return [stamp.occurred_at for stamp in stamps if stamp]

    def last_word(self, item: int) -> ItemRelease | None:
        return last_word(self.releases, item)

    @property
    def decided(self) -> list[tuple[RequestDecision, Request | None]]:
        """Each decision with its request: the last one asked before it that had none yet."""
        found: list[tuple[RequestDecision, Request | None]] = []
        for decision in self.decisions:
            taken = [id(request) for _, request in found]
            open_ones = [
                one
                for one in self.requests
                if id(one) not in taken
                and one.asked.occurred_at <= decision.stamp.occurred_at
                and (one.reference == decision.reference or not (one.reference and decision.reference))
            ]
            found.append((decision, open_ones[-1] if open_ones else None))
        return found

    @property
    def is_rejected(self) -> bool:
        """A rejection that answers no request ends what was not accepted."""
        unasked = any(one.verdict is Verdict.REJECTED and request is None for one, request in self.decided)
        return not self.accepted and not self.releases and bool(self.rejected or unasked)

    @property
    def amended(self) -> Facts:
        """With the amendments that customs granted, in the order of granting; a later full content includes them."""
        if self.payload is None or self.rank is None:
            return self
        payload, rank = self.payload, self.rank
        since = rank.stamp if rank.version > 1 else None
        for decision, request in self.decided:
            granted = request is not None and request.content is not None and decision.verdict is Verdict.GRANTED
            if granted and request is not None and (since is None or decision.stamp > since):
                payload = request.content or payload
                rank = PayloadRank(rank.supplementary, rank.version + 1, decision.stamp)
        return replace(self, payload=payload, rank=rank)


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
    foreign: bool = False
    """The value that is declared is in another currency than the licence."""
    anew: bool = False
    """Judged anew with its group: a currency agrees by now, or something was told late that was true before."""
    advice: bool = False
    """Nothing is accepted yet: it is told what acceptance would come to."""

    @property
    def asks(self) -> bool:
        books = self.phase in {"RESERVE", "ADJUST", "RECORD"}
        return (books and self.no_figure) or self.target.beyond(self.claim.held)

    @property
    def sticky(self) -> bool:
        refused = self.claim.outcome in {"REFUSED", "UNCOVERED"} and self.claim.tried == self.tried
        return refused and not self.anew

    @property
    def agreed(self) -> bool:
        """Refused for the currency, which is that of the licence by now."""
        return self.claim.foreign and not self.foreign

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
        self.at = datetime.min.replace(tzinfo=UTC)
        """When what is told now took effect."""
        self.late: datetime | None = None
        """The same of what woke a declaration: what was refused then or since is judged anew."""
        self.seen: dict[str, str] = {}
        self.events: dict[str, list[DeclarationCommand]] = defaultdict(list)
        self.known: dict[str, Facts] = {}
        """What a declaration was last settled, or looked at, with."""
        self.lodged: dict[str, Lodged | None] = {}
        """Which lodging an MRN was when it was last settled."""
        self.exporters: dict[str, set[str]] = defaultdict(set)
        """Who lodged under an LRN."""
        self.licences: dict[str, MLicence] = defaultdict(MLicence)
        self.claims: dict[Key, MClaim] = {}
        self.waiting: dict[str, set[str]] = defaultdict(set)
        self.forms: dict[str, dict[str, tuple[tuple[datetime, str], WriteOff]]] = defaultdict(dict)
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
        self.at, self.late = command.occurred_at, None
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

    def wake(self, decl_id: str, at: datetime) -> None:
        """Settle a declaration that was woken by what took effect at that moment."""
        self.at = self.late = at
        if decl_id in self.forms:
            self._settle_form(decl_id)
        elif not self.is_taken_over(decl_id):
            self.settle(decl_id)

    # -- licences

    def _licence(self, command: LicenceCommand) -> None:
        if command.write_off is not None:
            self._capture(command, command.write_off)
            return
        new, known = command.licence, self.licences[command.licence_id]
        blocks = command.kind.value in BLOCKS
        if new is not None and not command.findings and self._takes(command, new):
            for content in (new, *command.parts):
                self._in_force(content, command.payload_sha256)
        elif blocks and known.content is None:
            known.early.append(command)
        elif blocks:
            self._block(command)
        elif new is None and not command.findings:
            self._unblock(command)

    def _takes(self, command: LicenceCommand, new: Licence) -> bool:
        """Whether an event counts with its content."""
        old = self.licences[command.licence_id].content
        if old is not None and (new.version <= old.version or (old.status in FINAL and new.status is not old.status)):
            return False
        if old is not None and (self._returns(old, new) or self._other_currency(old, new)):
            return False
        return command.kind is not LicenceEventKind.SPLIT or self._may_split(command, new)

    def _block(self, command: LicenceCommand) -> None:
        """An act on what is known: nothing that blocks is lost, and nothing that was lifted comes back."""
        known = self.licences[command.licence_id]
        content, number, asked = known.content, command.version, BLOCKS[command.kind.value]
        assert content is not None
        told_before = {sha for sha, _ in known.taken.values()}
        repeated = (
            command.payload_sha256 in told_before
            if number
            else known.taken[max(known.taken)][0] == command.payload_sha256
        )
        newer = number > content.version
        final = asked in FINAL
        if repeated or (content.status in FINAL and not (newer and asked is content.status)):
            return
        if not newer and number and asked is content.status:
            return
        if not final and 0 < number < content.version:
            return
        self._in_status(command, asked, number if newer else content.version + 1)

    def _unblock(self, command: LicenceCommand) -> None:
        """Resumed without content: only on what is known to be complete."""
        known = self.licences[command.licence_id]
        content = known.content
        if content is None or content.status in FINAL or command.version != content.version + 1:
            return
        if known.taken[content.version][1]:
            self._in_status(command, AuthorityStatus.VALID, command.version)

    def _in_status(self, command: LicenceCommand, status: AuthorityStatus, version: int) -> None:
        known = self.licences[command.licence_id]
        assert known.content is not None
        complete = command.bare and version == known.content.version + 1 and known.taken[known.content.version][1]
        self._in_force(replace(known.content, status=status, version=version), command.payload_sha256, complete)

    def _capture(self, command: LicenceCommand, told: WriteOff) -> None:
        """The last total on a form counts for each licence, by the authority's own time."""
        form = self.forms[told.evidence.write_off_id]
        stamp = (command.occurred_at, command.event_id)
        known = form.get(told.licence_id)
        if known is None or stamp[0] >= known[0][0]:  # of two totals in one instant the last told counts
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
            wish.anew = self._too_early(wish)
            self._write_off(wish)
        self._date_refusals(form_id, self.at)

    def _too_early(self, wish: Wish) -> bool:
        """Whether it was refused on less than is known by now of that moment."""
        refused_at = wish.claim.refused_at
        return self.late is not None and refused_at is not None and self.late <= refused_at

    def _date_refusals(self, decl_id: str, at: datetime) -> None:
        """A refusal is as old as the facts that it was made on."""
        for key, claim in self.claims.items():
            old = self.before.get(key)
            if key[0] != decl_id or claim is old:
                continue
            claim.refused_at = None
            if claim.outcome in {"REFUSED", "UNCOVERED"} and claim.state != "CHECKED":
                same = old is not None and old.tried == claim.tried and old.refused_at is not None
                claim.refused_at = old.refused_at if same and old is not None else at

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
        """Whether a line in use would stand for other goods, in this version or since it was taken out."""
        goods = self.licences[old.licence_id].goods
        other = {
            line.line_no for line in new.lines if goods.get(line.line_no, line.commodity_codes) != line.commodity_codes
        }
        return any(sum(self.balance(new.licence_id, no, dim), ZERO) > ZERO for no in other for dim in ("QTY", "VAL"))

    def _other_currency(self, old: Licence, new: Licence) -> bool:
        """Whether what is in use would be in another currency; lev become euro by law."""
        before, after = units_of(old).get("VAL"), units_of(new).get("VAL")
        used = sum(self.balance(new.licence_id, 1, "VAL"), ZERO) > ZERO
        return used and before != after and (before, after) != ("BGN", "EUR")

    def _in_euro(self, licence_id: str) -> None:
        """Every figure of every claim is its own amount in euro; what is uncovered is the rest of the whole."""
        for key, claim in list(self.claims.items()):
            if key[3] == licence_id:
                held, whole = claim.held.val, claim.held.val + claim.uncovered.val
                self.claims[key] = replace(
                    claim,
                    reserved=Pair(claim.reserved.qty, lev_in_euro(claim.reserved.val)),
                    consumed=Pair(claim.consumed.qty, lev_in_euro(claim.consumed.val)),
                    uncovered=Pair(claim.uncovered.qty, lev_in_euro(whole) - lev_in_euro(held)),
                )

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

    def _in_force(self, content: Licence, sha: str, complete: bool = True) -> None:
        known = self.licences[content.licence_id]
        was_unknown = known.content is None
        old, last = known.content, content.valid_to
        longer = old is None or (old.valid_to is not None and (last is None or last > old.valid_to))
        if old is not None and (units_of(old).get("VAL"), units_of(content).get("VAL")) == ("BGN", "EUR"):
            self._in_euro(content.licence_id)
        known.content, known.expired = content, known.expired and not longer
        known.limits = dict.fromkeys(known.limits, ZERO) | limits_of(content)
        known.goods |= {line.line_no: line.commodity_codes for line in content.lines}
        known.taken[content.version] = (sha, complete)
        if was_unknown:
            for act in sorted(known.early, key=lambda one: (one.version, one.event_id)):
                self._block(act)

    # -- declarations

    def _draft(self, command: DeclarationCommand) -> None:
        """Before acceptance a declaration has no MRN: it is looked at, never booked."""
        draft = f"{command.exporter}/{command.lrn}"
        self.exporters[command.lrn].add(command.exporter)
        before = self.facts(draft)
        self.events[draft].append(command)
        newest = self._lodgings(draft)[-1]
        if self.is_taken_over(draft) or command not in newest:
            return
        changed = self.facts(draft) != before or len(newest) == 1
        if changed or command.kind.value in ASKED_AGAIN:
            self.settle(draft)

    def _declaration(self, command: DeclarationCommand) -> None:
        decl_id = command.mrn
        if any(self._unusable(command, override) for override in command.facts.overrides):
            return
        if _clash(self._read(self.events[decl_id]), command):
            return
        self.events[decl_id].append(command)
        if self.facts(decl_id) != self.known.get(decl_id) or command.kind.value in ASKED_AGAIN:
            self.settle(decl_id)

    def _unusable(self, command: DeclarationCommand, override: Override) -> bool:
        """Whether an officer's amount is in another currency than that of a claim it is about."""
        decl_id = command.mrn
        if override.decision is not Decision.AMEND or override.value is None or self._parted(command):
            return False
        for key, claim in self.claims.items():
            about = override.item in {0, key[1]} and override.doc_seq in {0, key[2]}
            content = self.licences[key[3]].content
            if key[0] == decl_id and about and claim.state not in ENDED and content is not None:
                in_use = sum(self.balance(key[3], 1, "VAL"), ZERO) or self.licences[key[3]].limits.get((1, "VAL"))
                if in_use and units_of(content).get("VAL") == "BGN" and key[4] == 1:
                    return True
        return False

    def _parted(self, command: DeclarationCommand) -> bool:
        """Whether nobody knows what the MRN declares once the event names it: there is nothing to compare with."""
        self.events[command.mrn].append(command)
        content = self.facts(command.mrn).payload
        self.events[command.mrn].pop()
        return content is None

    def facts(self, decl_id: str) -> Facts:
        """Read anew what customs said about a declaration, and about the lodging that it was."""
        if "/" in decl_id:
            return self._read(self._lodgings(decl_id)[-1])
        lodging = self.placed(self._lrn(decl_id)).get(decl_id)
        return self._read(self.events[decl_id] + (self._lodging(*lodging) if lodging else []))

    # -- which lodging an MRN was

    def _lrn(self, mrn: str) -> str:
        return next((one.lrn for one in self.events[mrn] if one.lrn), "")

    def _mrns(self, lrn: str) -> dict[str, tuple[Moment, str]]:
        """Every MRN that names the LRN: when first, and the exporter if customs name one."""
        found = {}
        for mrn, told in self.events.items():
            naming = [one for one in told if one.mrn and one.lrn and one.lrn == lrn]
            if naming:
                first = min((one.occurred_at, one.event_id) for one in naming)
                found[mrn] = (first, next((one.exporter for one in naming if one.exporter), ""))
        return dict(sorted(found.items(), key=lambda pair: (pair[1][0], pair[0])))

    def _lodgings(self, draft: str) -> list[list[DeclarationCommand]]:
        """What was told of exporter and LRN, split by time; the oldest first."""
        exporter, _, lrn = draft.rpartition("/")
        told = sorted(self.events[draft], key=lambda one: (one.occurred_at, one.event_id))
        breaks = [first[0] for first, named in self._mrns(lrn).values() if named in {"", exporter}]
        breaks += [one.occurred_at for one in told if one.facts.invalidated or one.facts.rejected]
        found: list[list[DeclarationCommand]] = []
        for one in told:
            if one.facts.lodged and (not found or self._begins(found[-1], one, breaks)):
                found.append([one])
            elif one.facts.lodged:
                found[-1].append(one)
        if not found:
            return [told]
        for one in told:
            if not one.facts.lodged:
                before = [group for group in found if group[0].occurred_at <= one.occurred_at]
                (before[-1] if before else found[0]).append(one)
        return found

    def _begins(self, group: list[DeclarationCommand], one: DeclarationCommand, breaks: list[datetime]) -> bool:
        """Whether a lodging is another one than that before it: neither its next version nor the same again."""
        contents = {rank.version: told.facts.payload for told in group if (rank := told.facts.payload_rank)}
        assert one.facts.payload_rank is not None
        version = one.facts.payload_rank.version
        if version > max(contents):
            return False
        ended = any(group[-1].occurred_at <= moment <= one.occurred_at for moment in breaks)
        return contents.get(version) != one.facts.payload or ended

    def _lodging(self, exporter: str, lrn: str, event_id: str) -> list[DeclarationCommand]:
        return next(group for group in self._lodgings(f"{exporter}/{lrn}") if group[0].event_id == event_id)

    def is_taken_over(self, draft: str) -> bool:
        """Whether the newest lodging became a declaration with an MRN; what it looked like before is of no interest."""
        exporter, slash, lrn = draft.rpartition("/")
        if not slash or not self.events[draft]:
            return False
        return (exporter, lrn, self._lodgings(draft)[-1][0].event_id) in self.placed(lrn).values()

    def placed(self, lrn: str) -> dict[str, Lodged]:
        """The lodging of every MRN that can have been one only."""
        if not lrn:
            return {}
        lodgings = self._lodgings_of(lrn)
        mrns = self._mrns(lrn)
        tolerance = timedelta(hours=24) if len(mrns) == len(lodgings) == 1 else timedelta(minutes=5)
        found: dict[str, Lodged] = {}
        while certain := self._certain(mrns, lodgings, found, timedelta()) or self._certain(
            mrns, lodgings, found, tolerance
        ):
            found |= certain
        return found

    def _lodgings_of(self, lrn: str) -> dict[Lodged, list[DeclarationCommand]]:
        return {
            (exporter, lrn, group[0].event_id): group
            for exporter in sorted(self.exporters[lrn])
            for group in self._lodgings(f"{exporter}/{lrn}")
            if group and group[0].facts.lodged
        }

    def _certain(
        self, mrns: dict[str, tuple[Moment, str]], lodgings: dict[Lodged, list[DeclarationCommand]],
        found: dict[str, Lodged], late: timedelta,
    ) -> dict[str, Lodged]:  # fmt: skip
        """One more MRN that can be one lodging only, the one that customs named first."""
        for mrn, named in mrns.items():
            possible = [] if mrn in found else self._possible(mrn, named, lodgings, found, late)
            if len(possible) == 1 and named[1] in {"", possible[0][0]}:
                return {mrn: possible[0]}
        return {}

    def _has_another_content(self, mrn: str, group: list[DeclarationCommand]) -> bool:
        """A lodging with another content than customs state under the MRN, in any version, is another one."""
        own, told = _versions(self.events[mrn]), _versions(group)
        return any(own[version] != told[version] for version in own.keys() & told.keys())

    def _possible(
        self, mrn: str, named: tuple[Moment, str], lodgings: dict[Lodged, list[DeclarationCommand]],
        found: dict[str, Lodged], late: timedelta,
    ) -> list[Lodged]:  # fmt: skip
        """What the MRN can have been: told before customs named it, not ended by then, not said otherwise."""
        (first, _), exporter = named
        possible = []
        for lodging, group in lodgings.items():
            ends = [one.occurred_at for one in group if one.facts.invalidated or one.facts.rejected]
            if (
                lodging not in found.values()
                and group[0].occurred_at <= first + late
                and not (ends and min(ends) <= first)
                and not self._has_another_content(mrn, group)
            ):
                possible.append(lodging)
        own = [lodging for lodging in possible if exporter in {"", lodging[0]}]
        return own or possible

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
                found.releases[item, release.released] = release
            found.ended = found.ended or facts.invalidated
            found.rejected = found.rejected or facts.rejected
            found.requests += facts.requests
            found.decisions += facts.decisions
            found.lodged = found.lodged or facts.lodged
            found.exited = found.exited or facts.exited
            if facts.exit_told is not None:
                found.left, found.left_told = facts.exit_day, facts.exit_told
            if facts.recheck is not None:
                found.recheck = facts.recheck
            found.overrides |= {override.place: override for override in facts.overrides}
        return found

    # -- settling

    def settle(self, decl_id: str) -> None:
        """Book the difference between what the facts ask for and what is held."""
        self.known[decl_id] = self.facts(decl_id)
        lodging = self.placed(self._lrn(decl_id)).get(decl_id) if "/" not in decl_id else None
        moved = self.lodged.get(decl_id) not in {None, lodging}
        self.lodged[decl_id] = lodging
        facts = self.known[decl_id].amended
        if facts.payload is None and not any(key[0] == decl_id for key in self.claims):
            return
        self.before = dict(self.claims)
        told = facts.payload.items if facts.payload else ()  # what nobody can tell is booked nowhere
        items = {item.number for item in told}
        groups = self._groups(list(self._wishes(decl_id, facts, told)), items)
        self.waiting[decl_id] = set()
        # Groups that only give back come first, then those that keep within their own, then those that want more.
        groups = sorted(groups, key=self._wants)
        for wishes in groups:
            for wish in wishes if moved else ():
                if wish.phase == "DROPPED":  # booked for another lodging's content
                    self._grant(wish)
            rest = [wish for wish in wishes if not (wish.advice or (moved and wish.phase == "DROPPED"))]
            self._settle_group(decl_id, rest)
        self._advise(decl_id, [[wish for wish in wishes if wish.advice] for wishes in groups])
        self._date_refusals(decl_id, max([self.at, *facts.moments]))

    def _advise(self, decl_id: str, groups: list[list[Wish]]) -> None:
        """Reserve on a copy of the books, tell what came of it, and throw the copy away."""
        books, waiting = dict(self.claims), set(self.waiting[decl_id])
        for wishes in groups:
            self._settle_group(decl_id, wishes)
        told = {wish.key: self.claims[wish.key].outcome for wishes in groups for wish in wishes}
        self.claims, self.waiting[decl_id] = books, waiting
        for key, outcome in told.items():
            granted = outcome in {"OK_RESERVED", "OK_ADJUSTED", "OK_OVERRIDDEN"}
            said = "OK_AVAILABLE" if granted else "REFUSED" if outcome == "WAITING" else outcome
            self.claims[key] = MClaim("CHECKED", said)

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

    def _wishes(self, decl_id: str, facts: Facts, items: tuple[Item, ...]) -> Iterator[Wish]:
        cited = [self._wish(decl_id, facts, item, spec) for item in items for spec in item.claims]
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
                claim.state, claim.refused_at = "CLOSED", None

    def _governing(self, facts: Facts, item: int, doc_seq: int) -> Override | None:
        """The officer's last word on a document, unless customs changed the content since."""
        told = [o for (at, seq), o in facts.overrides.items() if at in {0, item} and seq in {0, doc_seq}]
        last = max(told, key=lambda one: one.stamp, default=None)
        return None if last is None or self._newer(facts, last) else last

    def _meant(self, decl_id: str, item: int, spec: ClaimSpec) -> str:
        """The licence of a document: as stated; else as decided before, the own state's, or the only one there is."""
        if not spec.issuer_from:
            return spec.licence_id
        there = {name for name, one in self.licences.items() if one.content and name[3:] == spec.licence_id[3:]}
        advice = {"NEW", "CHECKED", "WAITING", "CLOSED", "NOT_APPLICABLE"}
        place = (decl_id, item, spec.doc_seq)
        decided = {key[3] for key, claim in self.claims.items() if key[:3] == place and claim.state not in advice}
        for choice in (decided & there, {spec.licence_id} & there, there):  # of several others, nobody can tell
            if len(choice) == 1:
                return choice.pop()
        return spec.licence_id

    def _wish(self, decl_id: str, facts: Facts, item: Item, spec: ClaimSpec) -> Wish:
        meant = self._meant(decl_id, item.number, spec)
        spec = replace(spec, licence_id=meant)
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
            day = facts.day
            late = bool(day) and content.valid_to is not None and day > content.valid_to.isoformat()
            status = self.status(spec.licence_id)
            mine = any(k[0] == decl_id and k[3] == spec.licence_id and c.held != NONE for k, c in self.claims.items())
            open_ = status in {"Valid", "Expired"} or (status == "Exhausted" and mine)
            wrong = not exists or late or not open_
        key = (decl_id, item.number, spec.doc_seq, spec.licence_id, line)
        claim = self.claims.get(key) or MClaim()
        tag = (("told", override.stamp),) if override else ()
        wish = Wish(key, claim, self._phase(decl_id, facts, item.number, claim, tag), unknown=content is None)
        if wish.phase == "CHECK":
            wish.phase, wish.advice = "RESERVE", True
            wish.claim = MClaim() if claim.held == NONE else claim  # advice is not held against anybody
        wish.limited = any(no in {0, line} for no, _ in licence.limits)
        word = facts.last_word(item.number)
        wish.tried = (
            facts.rank.order if facts.rank else None,
            (facts.day, facts.accepted is not None),
            (word.released, word.stamp) if word else None,
            facts.recheck,
            *tag,
        )
        if wish.phase in ASKING:
            wish.target, wish.no_figure = self._counting(facts, spec, item.number, wish, licence, override)
            wish.allowed, unusable = self._figures(spec, licence, line)
            bookable = not (wish.unknown or not line or wish.no_figure or unusable or self._gone(licence, line))
            if override is not None and (bookable or override.decision is Decision.REFUSE):
                wish.by_hand = override
                wish.tried = (*wish.tried[:-1], ("by-hand", override.stamp))
        wish.wrong = wrong or wish.no_figure
        wish.foreign = wish.cited and self._in_another_currency(spec, licence, line)
        return wish

    def _gone(self, licence: MLicence, line: int) -> bool:
        """Whether the line was taken out of the licence, and nothing is held of it."""
        content = licence.content
        assert content is not None
        if any(one.line_no == line for one in content.lines):
            return False
        return not any(sum(self.balance(content.licence_id, line, dim), ZERO) for dim in ("QTY", "VAL"))

    def _in_another_currency(self, spec: ClaimSpec, licence: MLicence, line: int) -> bool:
        """Whether the licence limits a value in a currency that is not the declared one, nor replaces it."""
        limited = any(no in {0, line} and dim == "VAL" for no, dim in licence.limits)
        if not limited or spec.value is None or licence.content is None:
            return False
        unit = units_of(licence.content).get("VAL", "EUR")
        return spec.value.currency not in {unit, "BGN" if unit == "EUR" else unit}

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
        first = facts.accepted[0] if facts.accepted else None
        if facts.rank is None or facts.rank.stamp in {first, facts.lodged}:
            return False
        if facts.rank.stamp.occurred_at != word.stamp.occurred_at:
            return facts.rank.stamp.occurred_at > word.stamp.occurred_at
        return facts.rank.supplementary > 0 or facts.rank.version > 1  # in one instant, what came first is content

    def _phase(self, decl_id: str, facts: Facts, item: int, claim: MClaim, tag: tuple[object, ...] = ()) -> str:
        word = facts.last_word(item)
        if facts.ended or facts.is_rejected or (word is not None and not word.released):
            return "ENDED"
        if "/" in decl_id:
            return "CHECK"
        if word is None:
            return "RESERVE" if facts.accepted or facts.overrides else "CHECK"
        if not self._newer(facts, word) or claim.reserved != NONE:
            return "RECORD"
        if claim.state == "UNCOVERED":  # the goods left without cover, and nothing is refused to goods that left
            return "RECORD"
        return "ADJUST" if self._recorded(decl_id, item) else "RECORD"

    def _recorded(self, decl_id: str, item: int) -> bool:
        """Whether a release of the item was booked before; an item never heard of adds to what was."""
        mine = {key: claim for key, claim in self.claims.items() if key[0] == decl_id}
        booked = {key[1] for key, claim in mine.items() if _is_record(claim)}
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
                unit = units.get("VAL", "EUR")
                lev = spec.value is not None and (spec.value.currency, unit) == ("BGN", "EUR")
                fits = spec.value is not None and (lev or spec.value.currency == unit)
                value = spec.value.amount if fits and spec.value else ZERO
                value = lev_in_euro(value) if lev else value
            missing |= not fits
        return Pair(quantity, value), missing

    # -- one group

    def _settle_group(self, decl_id: str, wishes: list[Wish]) -> None:
        if any(wish.agreed or self._too_early(wish) for wish in wishes):
            for wish in wishes:
                wish.anew = True
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
        negative = "UNCOVERED" in {state, outcome} or outcome == "REFUSED"
        foreign = negative and (wish.foreign or (wish.sticky and wish.claim.foreign))
        claim = MClaim(state, outcome, reserved, consumed, NONE, wish.tried, foreign)
        self.claims[wish.key] = claim
        return claim

    def _wait(self, decl_id: str, wish: Wish) -> None:
        old = wish.claim
        stays = old.held != NONE or _is_record(old)
        claim = self._put(wish, old.state if stays else "WAITING", "WAITING", old.reserved, old.consumed)
        claim.uncovered = old.uncovered if stays else NONE
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


def last_word(told: dict[tuple[int, bool], ItemRelease], item: int) -> ItemRelease | None:
    """What counts for an item: released is released, unless a later word refuses this very item."""
    releases = [told[place, True] for place in (0, item) if (place, True) in told]
    refusals = [told[place, False] for place in ((item,) if releases else (0, item)) if (place, False) in told]
    return max(releases + refusals, key=lambda word: word.stamp, default=None)


def _is_record(claim: MClaim) -> bool:
    """Whether the claim stands as a release left it, or an amendment of what was released."""
    after = {"CONSUMED", "UNCOVERED", "REFUSED", "NOT_MANAGED"}
    return claim.consumed != NONE or (claim.state in after and bool(claim.tried) and bool(claim.tried[2]))


def _clash(newest: Facts, command: DeclarationCommand) -> bool:
    """Whether the version in force was told before with other content."""
    told = command.facts
    if told.payload is None or told.payload_rank is None or newest.rank is None:
        return False
    return newest.rank.order == told.payload_rank.order and newest.payload != told.payload


def lev_in_euro(amount: Decimal) -> Decimal:
    """At 1.95583, to the nearest cent, half a cent upwards: counted in hundred-thousandths, without a division."""
    numerator, denominator = int(amount * 10_000_000), 195_583
    return Decimal((2 * numerator + denominator) // (2 * denominator)) / 100


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


def _versions(told: list[DeclarationCommand]) -> dict[tuple[int, int], Payload]:
    """Each version of the content, as it was told first."""
    found: dict[tuple[int, int], Payload] = {}
    for one in sorted(told, key=lambda e: (e.occurred_at, e.event_id)):
        if one.facts.payload is not None and one.facts.payload_rank is not None:
            found.setdefault(one.facts.payload_rank.order, one.facts.payload)
    return found
