"""The verifier: right on what the bridge wrote, and for each thing changed behind its back it names the row."""

from __future__ import annotations

from dataclasses import dataclass, replace

import asyncpg
import pytest

from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.commands import INTERNAL, Delivery, ValidityPassed
from certex_bridge.ledger.domain.facts import DeclarationCommand
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.ports import Origin, QuarantineRow
from certex_bridge.licensing.domain.commands import LicenceCommand, LicenceEventKind
from certex_bridge.licensing.domain.licence import AuthorityStatus
from certex_bridge.operations.sealing import Sealer
from certex_bridge.operations.verify import Report, verify
from certex_bridge.singlewindow.documents import BridgeDocuments
from tests.support.by_hand import captured, overridden, write_off
from tests.support.ledger_words import Authority, Customs, item, licence, line, mrn_of


class Filled:
    """A ledger with every kind of row in it."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        documents = BridgeDocuments("CERTEX-BRIDGE", "EU-CSW-CERTEX")
        self._executor = Executor(PostgresStore(pool), documents, Policy())
        self._count = 0

    async def tell(self, *commands: object) -> None:
        deliveries = []
        for command in commands:
            self._count += 1
            origin = INTERNAL if isinstance(command, ValidityPassed) else Origin("customs", 0, self._count)
            deliveries.append(Delivery(origin, command, raw=b"{}", key=b"key"))  # type: ignore[arg-type]  # a dictionary of fields
        await self._executor.apply(deliveries)

    async def fill(self) -> None:
        authority, customs = Authority(), Customs()
        customs.units["BE/V"] = "NAR"
        issued = LicenceEventKind.ISSUED
        a = licence("A", "100")
        await self.tell(authority.event(a, issued), authority.event(licence("B", "50 KGM", cap="40 KGM"), issued))
        await self.tell(authority.event(licence("V", "10 NAR + 50000.00 EUR"), issued))
        await self.tell(customs.lodged("M1", A=40), customs.accepted("M1", A=40), customs.accepted("M2", A=30))
        await self.tell(customs.released("M1"), customs.accepted("M3", V="5 NAR + 30000.00 EUR"))
        await self.tell(customs.accepted("M4", item(A=10), item(B="20 KGM")), customs.accepted("M5", A=90))
        await self.tell(customs.accepted("M6", X=5), customs.accepted("M8", Y=1), customs.released("M4"))
        await self.tell(authority.event(licence("X", line(1, "10")), issued))
        while await self._executor.wake(10):
            pass
        lowered = licence("A", "60", version=2, status=AuthorityStatus.SUSPENDED)
        await self.tell(authority.event(lowered, LicenceEventKind.SUSPENDED))
        await self.tell(customs.released("M2"), customs.invalidated("M3"))
        late = customs.lodged("M7", A=1)  # a draft that comes after its acceptance wakes the declaration
        await self.tell(customs.accepted("M7", B="1 KGM"), ValidityPassed("BE/X", 1, late.occurred_at))
        other = customs.accepted("M2", A=31)
        await self.tell(other)
        await self.supplement(authority, customs)
        await self.decide_by_hand(authority, customs)
        await self.redenominate(authority, customs)
        await self.lodge_twice(authority, customs)
        await self._executor.apply([Delivery(Origin("customs", 0, 999), None, _refused())])

    async def supplement(self, authority: Authority, customs: Customs) -> None:
        """Two simplified declarations, one supplementary one for both that moves figures, and its replacement."""
        await self.tell(authority.event(licence("S", "100"), LicenceEventKind.ISSUED))
        for name, figure in (("N1", 40), ("N2", 20)):
            await self.tell(customs.accepted(name, lrn="", S=figure), customs.released(name))
        await self.tell(customs.supplementing("N7", of=("N1", "N2"), S=57), customs.released("N7"))
        await self.tell(customs.invalidated("N7"))
        await self.tell(customs.supplementing("N8", of=("N1", "N2"), S=62))
        while await self._executor.wake(1):
            pass

    async def decide_by_hand(self, authority: Authority, customs: Customs) -> None:
        """What an officer of customs accepts beyond a limit and refuses, and what was written off on paper."""
        issued = LicenceEventKind.ISSUED
        await self.tell(authority.event(licence("O", "10"), issued), customs.accepted("M10", item(O=15), item(O=2)))
        await self.tell(overridden(customs, "M10", "AMEND", {(1, 1): "14 NAR"}), captured_on(authority, "O", "3 NAR"))
        await self.tell(overridden(customs, "M10", "REFUSE", {(2, 1): ""}), customs.released("M10"))
        await self.tell(captured_on(authority, "P", "3 NAR"), authority.event(licence("P", "10"), issued))
        await self._executor.wake(10)
        await self.tell(captured_on(authority, "P", "2 NAR"), captured_on(authority, "W", "2 NAR"))

    async def lodge_twice(self, authority: Authority, customs: Customs) -> None:
        """One LRN of two traders: a declaration that could be either, and one without any lodging; and a certain one."""
        await self.tell(authority.event(licence("U", "100"), LicenceEventKind.ISSUED))
        mine, other = customs.lodged("M21", U=10), customs.lodged("M21", U=30)
        await self.tell(mine, of(other, exporter=OTHER))
        await self.tell(of(customs.accepted("M21", U=1)), of(customs.released("M21")), of(customs.released("M22")))
        await self.tell(customs.lodged("M23", U=7), of(customs.accepted("M23", U=1)), of(customs.released("M23")))
        while await self._executor.wake(10):
            pass

    async def redenominate(self, authority: Authority, customs: Customs) -> None:
        """A licence in lev, held and used, becomes one in euro."""
        lev = licence("BG/G", "100.00 BGN", cap="100.00 BGN")
        euro = replace(licence("BG/G", "51.13 EUR", cap="51.13 EUR"), version=2)
        await self.tell(authority.event(lev, LicenceEventKind.ISSUED), customs.accepted("M11", **{"BG/G": "9.99 BGN"}))
        await self.tell(customs.accepted("M12", **{"BG/G": "19.99 BGN"}), customs.released("M12"))
        await self.tell(authority.event(euro, LicenceEventKind.MODIFIED), customs.released("M11"))


OTHER = "BE0999999999"


def of(command: DeclarationCommand, exporter: str = "") -> DeclarationCommand:
    """A lodging of another trader, or a notification that names no exporter and has no content."""
    facts = replace(command.facts, exporter=exporter)
    if not exporter:
        facts = replace(facts, payload=None, payload_rank=None)
    return replace(command, exporter=exporter, facts=facts)


def captured_on(authority: Authority, name: str, total: str) -> LicenceCommand:
    return captured(authority, write_off(name, {1: total}))


def _refused() -> QuarantineRow:
    origin = Origin("customs", 0, 999)
    return QuarantineRow("q1", origin, "JSON_INVALID", "", "", "Not JSON.", "", b"key", b"{", ())


async def fill(url: str) -> None:
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
        await Filled(pool).fill()
        assert await Sealer(pool, 3600.0).seal() == 1


async def tamper(url: str, statement: str) -> None:
    """Change something as an administrator who turns the guards off would."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET session_replication_role = replica")  # no triggers, no foreign keys
        for table in ("account", "claim", "movement", "licence"):
            names = await connection.fetch(
                "SELECT conname FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'c'", table
            )
            for row in names:
                await connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{row[0]}"')
            await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        changed = await connection.execute(statement)
    finally:
        await connection.close()
    assert changed.split()[-1] != "0", "nothing was there to tamper with"


def failed(report: Report) -> dict[str, str]:
    return {check.name: check.detail for check in report.failed}


async def test_a_ledger_that_nobody_touched_is_right(database_url: str) -> None:
    await fill(database_url)
    seen: dict[str, tuple[int, int]] = {}

    def progress(name: str, done: int, total: int) -> None:
        seen[name] = (done, total)

    report = await verify(database_url, progress=progress)

    assert failed(report) == {}
    assert report.ok
    examined = {check.name: check.examined for check in report.checks}
    idle = {name for name, rows in examined.items() if not rows}
    # Records are entered at the desk, pushes made for subscribers, acts kept for licences to come; their own tests have
    # the checks see some.
    elsewhere = {"left over", "records published", "pushes numbered", "acts kept for licences", "records never read"}
    assert idle <= elsewhere, "every check had something to look at"
    assert seen["journal"][0] >= examined["journal chain"]


async def test_an_empty_ledger_is_right(database_url: str) -> None:
    assert (await verify(database_url)).ok


M1, M2, M4, M6, M8, M21, M22, M23 = map(mrn_of, ("M1", "M2", "M4", "M6", "M8", "M21", "M22", "M23"))


@dataclass(frozen=True)
class Case:
    """One change, the check that must see it and what it must name."""

    statement: str
    check: str
    names: str


CASES = {
    "a claim restated at another rate": Case(
        "UPDATE movement SET d_res = -4.87 WHERE kind = 'REDENOMINATE' AND d_res = -4.88 AND line_no = 1",
        "restated at the legal rate", "movement BG/G lv 5 seq 4: BGN/EUR 1.95583 does not make",
    ),
    "a limit restated at another rate": Case(
        "UPDATE movement SET detail = 'BGN/EUR 1.9558' WHERE kind = 'REDENOMINATE' AND claim = '' AND line_no = 0",
        "restated at the legal rate", "BGN/EUR 1.9558 does not make",
    ),
    "a limit restated from nothing": Case(
        "UPDATE movement SET detail = 'USD/EUR 1' WHERE kind = 'REDENOMINATE' AND claim = '' AND line_no = 0",
        "restated at the legal rate", "USD/EUR 1 does not make",
    ),
    "goods released without content, taken from the list": Case(
        f"UPDATE declaration SET undecided_since = NULL WHERE decl_id = '{M22}'",
        "undecided listed", f"declaration {M22} is released, has no content and is not listed as undecided",
    ),
    "goods released whose lodging is not certain, taken from the list": Case(
        f"UPDATE declaration SET undecided_since = NULL WHERE decl_id = '{M21}'",
        "undecided listed", f"declaration {M21} is released, has no content and is not listed as undecided",
    ),
    "a certain declaration in the list": Case(
        f"UPDATE declaration SET undecided_since = now() WHERE decl_id = '{M23}'",
        "undecided listed", f"declaration {M23} is listed as undecided and is not",
    ),
    "an undecided declaration younger than it is": Case(
        f"UPDATE declaration SET undecided_since = undecided_since + interval '1 day' WHERE decl_id = '{M21}'",
        "undecided listed", f"declaration {M21} is listed as undecided since",
    ),
    "an undecided declaration that holds something": Case(
        f"UPDATE claim SET decl_id = '{M22}' WHERE decl_id = '{M23}'",
        "undecided listed", f"declaration {M22} is undecided and holds quantities",
    ),
    "the content of another trader's lodging": Case(
        f"UPDATE declaration SET identity = convert_to(replace(convert_from(identity, 'UTF8'), 'BE0123456789', '{OTHER}'), 'UTF8') WHERE decl_id = '{M23}'",
        "lodgings certain", f"declaration {M23} has the content of the lodging of {OTHER}",
    ),
    "the content of one lodging of two": Case(
        f"""UPDATE declaration u SET facts = convert_to(replace(convert_from(c.facts, 'UTF8'), '{M23}', '{M21}'), 'UTF8'),
            identity = c.identity, undecided_since = NULL FROM declaration c
            WHERE u.decl_id = '{M21}' AND c.decl_id = '{M23}'""",
        "lodgings certain", f"declaration {M21} has the content of the lodging of BE0123456789",
    ),
    "a lodging that became nothing": Case(
        "DELETE FROM anchor WHERE lrn = 'L23'",
        "lodgings certain", f"declaration {M23} was the lodging of BE0123456789",
    ),
    "a lodging nobody names": Case(
        f"UPDATE declaration SET identity = convert_to((convert_from(identity, 'UTF8')::jsonb - 'lodging')::text, 'UTF8') WHERE decl_id = '{M23}'",
        "lodgings certain", f"declaration {M23} has the content of a lodging that is not named",
    ),
    "an identity that cannot be read": Case(
        f"UPDATE declaration SET identity = '{{\"lodging\": 1}}'::bytea WHERE decl_id = '{M23}'",
        "lodgings certain", f"declaration {M23}: Expected",
    ),
    "a status nobody changed": Case(
        "UPDATE licence SET status = 'Valid' WHERE licence_id = 'BE/A'", "status changes", "licence BE/A: Valid after 2",
    ),
    "a change of status taken out": Case(
        "DELETE FROM status_change WHERE licence_id = 'BE/A'", "status changes", "licence BE/A: Suspended after 2",
    ),
    "an old balance message": Case(
        """UPDATE outbox SET body = replace(convert_from(body, 'UTF8'), '"reserved":"', '"reserved":"7')::bytea WHERE agg_type = 'balance' AND agg_id = 'BE/A' AND agg_ver = 2""",
        "every balance = movements", "outbox balance BE/A version 2",
    ),
    "no figure in the journal": Case(
        "UPDATE movement SET d_over = 'NaN' WHERE licence_id = 'BE/A' AND lv = 3 AND seq = 1",
        "no movement beyond the limit", "movement BE/A lv 3 seq 1",
    ),
    "no figure among the reserved": Case(
        "UPDATE movement SET d_res = 'NaN' WHERE licence_id = 'BE/A' AND lv = 3 AND seq = 1",
        "journal chain", "movement BE/A lv 3 seq 1",
    ),
    "one byte of the chain": Case(
        "UPDATE movement SET chain = translate(left(chain, 1), '0123456789abcdef', '123456789abcdef0') || substr(chain, 2) WHERE licence_id = 'BE/A' AND lv = 3",
        "journal chain", "movement BE/A lv 3 seq 1",
    ),
    "a figure in the journal": Case(
        "UPDATE movement SET d_res = d_res + 1 WHERE licence_id = 'BE/A' AND lv = 2",
        "journal chain", "movement BE/A lv 2 seq 1",
    ),
    "a figure in the journal, added up": Case(
        "UPDATE movement SET d_cons = d_cons + 1 WHERE licence_id = 'BE/A' AND kind = 'CONSUME' AND lv = 4",
        "account = movements", "account BE/A line 1 QTY",
    ),
    "use beyond the limit in the journal, added up": Case(
        "UPDATE movement SET d_over = d_over + 1 WHERE licence_id = 'BE/A' AND kind = 'CAP' AND d_over > 0",
        "account = movements", "account BE/A line 1 QTY",
    ),
    "the instant of a movement": Case(
        "UPDATE movement SET at = '2026-01-01T00:00:00Z' WHERE licence_id = 'BE/B' AND lv = 1 AND seq = 2",
        "journal chain", "movement BE/B lv 1 seq 2",
    ),
    "a movement deleted": Case(
        "DELETE FROM movement WHERE licence_id = 'BE/A' AND lv = 3", "journal without gaps", "movement BE/A lv 4 seq 1"
    ),
    "the last movement deleted": Case(
        "DELETE FROM movement WHERE licence_id = 'BE/V' AND lv = (SELECT max(lv) FROM movement WHERE licence_id = 'BE/V')",
        "journal without gaps", "licence BE/V is at lv",
    ),
    "a movement booked twice": Case(
        "WITH gone AS (SELECT 1) UPDATE movement SET event_id = 'customs-99' WHERE licence_id = 'BE/A' AND lv = 2",
        "movements have an event", "movement BE/A lv 2: event customs-99",
    ),
    "the hash of an effect": Case(
        "UPDATE movement SET effect = gen_random_uuid() WHERE licence_id = 'BE/X' AND lv = 2",
        "journal effects", "movement BE/X lv 2 seq 1",
    ),
    "debt by a reservation": Case(
        "UPDATE movement SET d_over = 1 WHERE licence_id = 'BE/A' AND lv = 2",
        "no movement beyond the limit", "movement BE/A lv 2 seq 1: RESERVE",
    ),
    "an account": Case(
        "UPDATE account SET reserved = reserved + 1, available = available - 1 WHERE licence_id = 'BE/B' AND line_no = 1",
        "account = movements", "account BE/B line 1 QTY",
    ),
    "an account that claims do not fill": Case(
        "UPDATE account SET consumed = consumed - 1, available = available + 1 WHERE licence_id = 'BE/B' AND line_no = 0",
        "account = claims", "account BE/B line 0 QTY",
    ),
    "an account that does not add up": Case(
        "UPDATE account SET available = available + 1 WHERE licence_id = 'BE/V' AND dim = 'VAL'",
        "account figures", "account BE/V line 1 VAL",
    ),
    "a negative account": Case(
        "UPDATE account SET reserved = -1, available = available + reserved + 1 WHERE licence_id = 'BE/B' AND line_no = 1",
        "account figures", "account BE/B line 1 QTY",
    ),
    "an account that the last message does not tell": Case(
        "UPDATE account SET unit = 'KGM' WHERE licence_id = 'BE/X'", "last balance = accounts", "outbox balance BE/X",
    ),
    "a claim": Case(
        f"UPDATE claim SET q_cons = q_cons + 1 WHERE decl_id = '{M1}'", "claim = movements", f"claim {M1}#1.1@BE/A:1"
    ),
    "a claim that ended and holds": Case(
        f"UPDATE claim SET state = 'WITHDRAWN' WHERE decl_id = '{M1}'", "claim states", f"claim {M1}#1.1@BE/A:1: WITHDRAWN"
    ),
    "a claim that is gone": Case(
        f"DELETE FROM claim WHERE decl_id = '{M2}'", "claim = movements", f"claim {M2}#1.1@BE/A:1 line 1 QTY has movements"
    ),
    "a balance never published": Case(
        "DELETE FROM outbox WHERE agg_type = 'balance' AND agg_id = 'BE/A' AND agg_ver = 3",
        "balances published", "outbox balance BE/A: version 3 is missing",
    ),
    "an outcome never published": Case(
        f"DELETE FROM outbox WHERE agg_type = 'outcome' AND agg_id = '{M1}' AND agg_ver = 1",
        "outcomes published", f"outbox outcome {M1}: version 1 is missing of",
    ),
    "an outcome of nothing": Case(
        f"UPDATE declaration SET dv = dv - 1 WHERE decl_id = '{M4}'", "outcomes published", f"outbox outcome {M4}: version"
    ),
    "an incident never published": Case(
        "DELETE FROM outbox WHERE agg_type = 'notification' AND agg_id = 'BE/A' AND agg_ver = 1",
        "notifications published", "outbox notification BE/A: version 1",
    ),
    "a balance with other figures": Case(
        """UPDATE outbox SET body = convert_to(replace(convert_from(body, 'UTF8'), '"authorised":"10"',
           '"authorised":"11"'), 'UTF8') WHERE agg_type = 'balance' AND agg_id = 'BE/V'""",
        "last balance = accounts", "outbox balance BE/V version",
    ),
    "another certificate": Case(
        "UPDATE outbox SET body = body || ' '::bytea WHERE agg_type = 'certificate' AND agg_id = 'BE/A' AND agg_ver = 2",
        "certificates of versions", "licence BE/A version 2: its certificate was never published",
    ),
    "a certificate with another status": Case(
        "UPDATE licence SET status = 'Expired' WHERE licence_id = 'BE/B'",
        "certificates of versions", "outbox certificate BE/B version 1 does not say Expired",
    ),
    "a certificate never published": Case(
        "DELETE FROM outbox WHERE agg_type = 'certificate' AND agg_id = 'BE/B'",
        "certificates published", "outbox certificate BE/B: version 1 is missing",
    ),
    "a dead letter never published": Case(
        "DELETE FROM outbox WHERE agg_type = 'deadletter' AND agg_id = 'q1'", "dead letters published", "quarantine q1"
    ),
    "an older licence version in force": Case(
        "UPDATE licence SET version = 1 WHERE licence_id = 'BE/A'", "licence versions", "licence BE/A: version 1 in force"
    ),
    "other content in force": Case(
        "UPDATE licence SET snapshot = snapshot || ' '::bytea WHERE licence_id = 'BE/A'",
        "licence versions", "licence BE/A: version 2 in force, version 2 written last, with other content",
    ),
    "unreadable licence content": Case(
        "UPDATE licence_version SET snapshot = '{}'::bytea WHERE licence_id = 'BE/X'",
        "licence content readable", "licence BE/X version 1",
    ),
    "unreadable facts": Case(
        f"UPDATE declaration SET facts = '{{\"releases\": 1}}'::bytea WHERE decl_id = '{M1}'",
        "facts readable", f"declaration {M1}",
    ),
    "columns beside the facts": Case(
        f"UPDATE declaration SET state = 'LODGED' WHERE decl_id = '{M1}'", "facts readable", f"declaration {M1}: its columns"
    ),
    "an event forgotten": Case(
        "DELETE FROM inbox WHERE event_id = (SELECT event_id FROM movement WHERE licence_id = 'BE/A' AND lv = 2)",
        "movements have an event", "movement BE/A lv 2: event",
    ),
    "the cause of a wake forgotten": Case(
        "DELETE FROM inbox WHERE event_id = (SELECT event_id FROM licence_version WHERE licence_id = 'BE/X')",
        "movements have an event", "movement BE/X lv 1: event",
    ),
    "a wake forgotten": Case(
        "DELETE FROM woken WHERE event_id = (SELECT event_id FROM movement WHERE licence_id = 'BE/X' AND lv = 2)",
        "movements have an event", "movement BE/X lv 2: event",
    ),
    "a wake with another cause": Case(
        "UPDATE woken SET cause = 'licensing-1' WHERE event_id = (SELECT max(event_id) FROM movement WHERE licence_id = 'BE/S' AND kind = 'ADJUST')",
        "movements have an event", "movement BE/S lv 6: event",
    ),
    "a wake of another declaration": Case(
        "UPDATE woken SET decl_id = decl_id || 'X' WHERE event_id = (SELECT max(event_id) FROM movement WHERE licence_id = 'BE/S' AND kind = 'ADJUST')",
        "movements have an event", "movement BE/S lv 6: event",
    ),
    "a licence version forgotten": Case(
        "DELETE FROM licence_version WHERE licence_id = 'BE/X'", "licence versions", "licence BE/X: version 1 in force"
    ),
    "an answer forgotten": Case(
        "DELETE FROM answer WHERE event_id = 'licensing-1'", "events answered", "event licensing-1: no answer"
    ),
    "an answer without an event": Case(
        "INSERT INTO answer VALUES ('nobody', '{}')", "events answered", "event nobody: an answer, no event"
    ),
    "an offset in the past": Case(
        "UPDATE consumer_offset SET next_record = 3 WHERE topic = 'customs'",
        "offsets behind events", "customs partition 0: record 999 was used, reading goes on at 3",
    ),
    "an offset in the past of a log made anew": Case(
        """INSERT INTO position_history SELECT topic, partition, 0, 9999, '', '', 'OTHER_LOG', 0, '-infinity'
           FROM consumer_offset; UPDATE consumer_offset SET next_record = 3 WHERE topic = 'customs'""",
        "offsets behind events", "customs partition 0: record 999 was used, reading goes on at 3",
    ),
    "records never read": Case(
        """INSERT INTO position_gap SELECT topic, partition, epoch, next_record, next_record + 5, '', ''
           FROM consumer_offset WHERE topic = 'customs'""",
        "records never read", "customs partition 0: records 1000 to 1004 were never read",
    ),
    "a kept act forgotten": Case(
        """INSERT INTO refused_licence_event VALUES
           ('kept', 'BE/A', 'revoked', 2, 'KEPT', 'KEPT', 'REVOKED', '', true, '', '[]', '2026-01-01T00:00:00Z')""",
        "acts kept for licences", "licence BE/A is Suspended although event kept, kept, ends it",
    ),
    "a parked row forgotten": Case(
        f"DELETE FROM parked WHERE decl_id = '{M8}'", "parked = waiting", f"declaration {M8} on licence BE/Y: it waits"
    ),
    "a parked row too many": Case(
        f"INSERT INTO parked (licence_id, decl_id) VALUES ('BE/Y', '{M6}')",
        "parked = waiting", f"declaration {M6} on licence BE/Y: parked and does not wait",
    ),
    "a wake lost": Case(
        f"""WITH waits AS (UPDATE declaration SET waiting_for = '["BE/A"]' WHERE decl_id = '{M8}')
            UPDATE parked SET licence_id = 'BE/A' WHERE decl_id = '{M8}'""",
        "parked = waiting", f"declaration {M8} waits for licence BE/A, which is known",
    ),
}  # fmt: skip


@pytest.mark.row("IR 15(3)")
@pytest.mark.parametrize(
    "case", [pytest.param(case, id=name, marks=pytest.mark.row("E188")) for name, case in CASES.items()]
)
async def test_what_was_changed_behind_our_back_is_named(database_url: str, case: Case) -> None:
    await fill(database_url)
    await tamper(database_url, case.statement)

    report = await verify(database_url)

    assert not report.ok
    assert case.names in failed(report).get(case.check, ""), failed(report)


async def test_the_same_effect_twice_is_named(database_url: str) -> None:
    await fill(database_url)
    connection = await asyncpg.connect(database_url)
    await connection.execute("ALTER TABLE movement DROP CONSTRAINT movement_effect_key")
    await connection.close()
    await tamper(
        database_url,
        "INSERT INTO movement SELECT licence_id, 9, seq, line_no, dim, kind, event_id, claim, d_cap, d_res, d_cons, "
        "d_over, at, detail, chain, effect FROM movement WHERE licence_id = 'BE/X' AND lv = 2",
    )

    assert "movement BE/X lv 2 seq 1" in failed(await verify(database_url))["movements booked once"]


async def test_a_value_that_cannot_be_read_fails_its_check_and_no_other(database_url: str) -> None:
    await fill(database_url)
    await tamper(database_url, f"UPDATE declaration SET waiting_for = 'x' WHERE decl_id = '{M8}'")

    report = await verify(database_url)

    assert list(failed(report)) == ["guards of the tables", "parked = waiting", "states as written"]
    assert "cannot be read" in report.failed[1].detail


async def test_work_that_is_left_is_told_and_no_failure(database_url: str) -> None:
    await fill(database_url)
    connection = await asyncpg.connect(database_url)
    await connection.execute("INSERT INTO wake (decl_id, cause, at, woken_at) VALUES ($1, 'x', '', '2026-01-01')", M1)
    await connection.close()

    report = await verify(database_url)

    assert report.ok
    assert "1 of them for more than 60 s" in report.checks[-1].detail
