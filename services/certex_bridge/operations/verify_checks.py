"""Checks that need every row in order: the journal's chain, the last balances, and what is stored as content."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from certex_bridge.kernel.canonical import GENESIS, chain
from certex_bridge.kernel.currencies import EURO, REPLACED, in_euro
from certex_bridge.ledger.adapters.codec import decode_facts, decode_licence
from certex_bridge.ledger.domain.journal import NO_DIMENSION, entry_text
from certex_bridge.ledger.domain.standing import declaration_state
from certex_bridge.ledger.domain.versions import content_hash
from certex_bridge.operations.verify_finding import UNREADABLE, Finding, Reader
from certex_bridge.operations.verify_identity import IdentityReader
from certex_bridge.operations.verify_licences import LicenceReader

_GENESIS = GENESIS.hex()
_LINK = re.compile(r"[0-9a-f]{64}", re.ASCII).fullmatch

_amount: Callable[[str], Decimal] = lru_cache(maxsize=65536)(Decimal)
"""The same figures come again and again."""


class JournalReader:
    """Each licence's rows are dense from 1, chained up to its head, named by their effect, and grow no debt.

    What was restated in euro is what was held before, at the legal rate.
    """

    def __init__(self) -> None:
        self._dense = Finding("journal without gaps")
        self._chained = Finding("journal chain")
        self._named = Finding("journal effects")
        self._debt = Finding("no movement beyond the limit")
        self._rates = Finding("restated at the legal rate")
        self._values: dict[tuple[int, str], list[Decimal]] = {}
        """Limit, reserved and consumed value, by line and claim (empty: the limit)."""
        self._licence: str | None = None
        self._last: int | None = 0
        self._head: str | None = None
        self._lv = self._seq = 0
        self._chain = _GENESIS

    def read(self, row: Mapping[str, Any]) -> None:
        """One row of the journal, or a licence without any."""
        if row["licence_id"] != self._licence:
            self._close()
            self._licence, self._last, self._head = row["licence_id"], row["last"], row["head"]
            self._lv, self._seq, self._chain = 0, 0, _GENESIS
            self._values = {}
        if row["lv"] is not None:
            self._movement(row)

    def findings(self) -> list[Finding]:
        """The five checks."""
        self._close()
        self._licence = None
        return [self._dense, self._chained, self._named, self._debt, self._rates]

    def _movement(self, row: Mapping[str, Any]) -> None:
        lv, seq = row["lv"], row["seq"]
        if (lv, seq) not in ((self._lv, self._seq + 1), (self._lv + 1, 1)):
            self._dense.blame(f"movement {self._licence} lv {lv} seq {seq} follows lv {self._lv} seq {self._seq}")
        self._lv, self._seq = lv, seq
        line_no, dim, kind, event_id, claim = row["line_no"], row["dim"], row["kind"], row["event_id"], row["claim"]
        if not continues_chain(self._chain, row):
            self._chained.blame(f"movement {self._licence} lv {lv} seq {seq} of event {event_id}: not what was chained")
        self._chain = row["chain"] if _LINK(row["chain"]) else _GENESIS
        effect = "\x1f".join((event_id, self._licence or "", claim, str(line_no), dim, kind))
        if hashlib.sha256(effect.encode()).hexdigest()[:32] != row["effect"]:
            self._named.blame(
                f"movement {self._licence} lv {lv} seq {seq} of event {event_id}: the effect's hash is another"
            )
        grown = _amount(row["d_over"])
        if not grown.is_finite():
            self._debt.blame(
                f"movement {self._licence} lv {lv} seq {seq} of event {event_id}: over {grown} is no figure"
            )
        elif grown > 0 and kind not in {"CAP", "OVERRIDE", "REDENOMINATE"}:
            self._debt.blame(
                f"movement {self._licence} lv {lv} seq {seq}: {kind} of event {event_id} grows use beyond the limit"
            )
        for finding in (self._dense, self._chained, self._named, self._debt):
            finding.examined += 1
        if dim == "VAL":
            self._value(row)

    def _value(self, row: Mapping[str, Any]) -> None:
        """What a claim holds, or the limit, after this row; a restatement must have led there by law."""
        held = self._values.setdefault((row["line_no"], row["claim"]), [_ZERO] * 3)
        after = [before + _amount(row[d]) for before, d in zip(held, ("d_cap", "d_res", "d_cons"), strict=True)]
        if row["kind"] == "REDENOMINATE":
            self._rates.examined += 1
            currency = row["detail"].partition("/")[0]
            figures = currency in REPLACED and all(figure.is_finite() for figure in held)
            lawful = figures and after == [in_euro(figure, currency) for figure in held]
            if not lawful or row["detail"] != f"{currency}/{EURO} {REPLACED[currency].rate}":
                place = f"movement {self._licence} lv {row['lv']} seq {row['seq']}"
                self._rates.blame(f"{place}: {row['detail']} does not make {held} into {after}")
        self._values[row["line_no"], row["claim"]] = after

    def _close(self) -> None:
        if self._licence is None:
            return
        if self._last is None:
            self._dense.blame(f"licence {self._licence} has movements and no row")
        elif self._last != self._lv:
            self._dense.blame(f"licence {self._licence} is at lv {self._last}, its journal ends at {self._lv}")
        if self._head is not None and self._chain != self._head:
            self._chained.blame(f"licence {self._licence}: its chain value is not that of its last movement")


def continues_chain(before: str, row: Mapping[str, Any]) -> bool:
    """Whether a journal row's chain value follows from the one before and the row's own content.

    What is no figure (NaN can be stored, never booked) or no chain value continues nothing.
    """
    deltas = (_amount(row["d_cap"]), _amount(row["d_res"]), _amount(row["d_cons"]), _amount(row["d_over"]))
    if not _LINK(before) or not all(delta.is_finite() for delta in deltas):
        return False
    place = (row["licence_id"], row["lv"], row["seq"], row["line_no"], row["dim"], row["kind"])
    text = entry_text(*place, row["event_id"], row["claim"], deltas, row["at"], row["detail"])
    return chain(bytes.fromhex(before), text).hex() == str(row["chain"])


_ZERO = Decimal(0)
_NOTHING = [_ZERO] * 4
_MOVED = ("authorised", "reserved", "consumed", "over")
_FIGURES = ("authorised", "reserved", "consumed", "available", "over")


class BalanceReader:
    """The last balance message of a licence says what its accounts say."""

    def __init__(self) -> None:
        self._finding = Finding("last balance = accounts")

    def read(self, row: Mapping[str, Any]) -> None:
        """One licence: message and accounts."""
        self._finding.examined += 1
        name = f"outbox balance {row['licence_id']} version {row['lv']}"
        try:
            body = json.loads(row["body"])
            told = [
                (entry["line"], entry["dimension"], entry["unit"], *(_amount(entry[figure]) for figure in _FIGURES))
                for entry in body["accounts"]
            ]
            version = body["journalVersion"]
        except UNREADABLE:
            self._finding.blame(f"{name} cannot be read")
            return
        if version != row["lv"]:
            self._finding.blame(f"{name} says version {version}")
        held = [(*entry[:3], *map(_amount, entry[3:])) for entry in json.loads(row["accounts"] or "[]")]
        for entry in held:
            if entry not in told:
                self._finding.blame(f"{name} does not say what account line {entry[0]} {entry[1]} holds")
        if len(told) != len(held):
            self._finding.blame(f"{name} has {len(told)} accounts, the licence {len(held)}")

    def findings(self) -> list[Finding]:
        """The one check."""
        return [self._finding]


class BalanceHistoryReader:
    """Every balance message says what the movements up to its journal version add up to (ledger invariant I9)."""

    def __init__(self) -> None:
        self._finding = Finding("every balance = movements")
        self._licence = ""
        self._sums: dict[tuple[int, str], list[Decimal]] = {}

    def read(self, row: Mapping[str, Any]) -> None:
        """One row of the journal; the last of a version carries the message."""
        if row["licence_id"] != self._licence:
            self._licence, self._sums = row["licence_id"], {}
        if row["dim"] != NO_DIMENSION:
            sums = self._sums.setdefault((row["line_no"], row["dim"]), [_ZERO] * 4)
            for place, delta in enumerate(("d_cap", "d_res", "d_cons", "d_over")):
                sums[place] += _amount(row[delta])
        if row["body"] is not None:
            self._message(row)

    def _message(self, row: Mapping[str, Any]) -> None:
        self._finding.examined += 1
        name = f"outbox balance {row['licence_id']} version {row['lv']}"
        try:
            told = {
                (entry["line"], entry["dimension"]): [_amount(entry[figure]) for figure in _MOVED]
                for entry in json.loads(row["body"])["accounts"]
            }
        except UNREADABLE:
            self._finding.blame(f"{name} cannot be read")
            return
        for account in sorted(told.keys() | self._sums.keys()):
            if told.get(account, _NOTHING) != self._sums.get(account, _NOTHING):
                line, dimension = account
                self._finding.blame(f"{name}: line {line} {dimension} is not what the movements up to it add up to")

    def findings(self) -> list[Finding]:
        """The one check."""
        return [self._finding]


class FactsReader:
    """What customs said can be read, and says what the row's columns say."""

    def __init__(self) -> None:
        self._finding = Finding("facts readable")

    def read(self, row: Mapping[str, Any]) -> None:
        """One declaration; a placeholder of a draft that never came has no facts."""
        self._finding.examined += 1
        if row["facts"] is None:
            if row["dv"]:
                self._finding.blame(f"declaration {row['decl_id']} has answers and no facts")
            return
        try:
            facts = decode_facts(row["facts"])
        except UNREADABLE as error:
            self._finding.blame(f"declaration {row['decl_id']}: {error}")
            return
        if (facts.lrn, facts.exporter, declaration_state(facts)) != (row["lrn"], row["exporter"], row["state"]):
            self._finding.blame(f"declaration {row['decl_id']}: its columns do not say what its facts say")

    def findings(self) -> list[Finding]:
        """The one check."""
        return [self._finding]


class SnapshotReader:
    """The content of every licence version can be read, is of that licence and version, and has the journal's hash."""

    def __init__(self) -> None:
        self._finding = Finding("licence content readable")
        self._proved = Finding("licence content = journal")

    def read(self, row: Mapping[str, Any]) -> None:
        """One licence version."""
        self._finding.examined += 1
        name = f"licence {row['licence_id']} version {row['version']}"
        try:
            licence = decode_licence(row["snapshot"])
        except UNREADABLE as error:
            self._finding.blame(f"{name}: {error}")
            return
        if (licence.licence_id, licence.version) != (row["licence_id"], row["version"]):
            self._finding.blame(f"{name}: the content is of {licence.licence_id} version {licence.version}")
        self._proved.examined += 1
        if content_hash(licence) != row["told"]:
            self._proved.blame(f"{name}: the content kept is not that of the journal")

    def findings(self) -> list[Finding]:
        """The two checks."""
        return [self._finding, self._proved]


@dataclass(frozen=True, slots=True)
class Stream:
    """A query read row by row, in pages of licences or of declarations."""

    name: str
    query: str
    table: str
    """What it reads; its rows are counted for whoever watches."""
    of: str
    """Whose pages: licence or declaration."""
    reader: Callable[[], Reader]
    batch: int = field(default=2000)
    """Rows per fetch; few where a row can be large."""


STREAMS = (
    Stream("journal", "journal", "movement", "licence", JournalReader, batch=5000),
    Stream("balance history", "balance_history", "movement", "licence", BalanceHistoryReader, batch=2000),
    Stream("last balances", "last_balances", "licence", "licence", BalanceReader),
    Stream("facts", "facts", "declaration", "declaration", FactsReader, batch=500),
    Stream("identities", "identities", "declaration", "declaration", IdentityReader, batch=500),
    Stream("licence content", "snapshots", "licence_version", "licence", SnapshotReader, batch=200),
    Stream("licences", "licences", "licence", "licence", LicenceReader, batch=200),
)
"""Checks that read every row."""
