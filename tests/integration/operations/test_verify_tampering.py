"""What whoever owns the schema can do to a ledger, and what finds it: the verifier alone, or with heads kept elsewhere.

Each case is done on a fresh copy of one filled ledger, with triggers and constraints out of the way and in place again.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from typer.testing import CliRunner

from certex_bridge.kernel.canonical import GENESIS, chain
from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.ledger.domain.journal import entry_text
from certex_bridge.operations import cli
from certex_bridge.operations.heads import Heads
from certex_bridge.operations.sealing import Sealer
from certex_bridge.operations.seals import Seal, read_body, read_line
from certex_bridge.operations.verify import Report, verify
from certex_bridge.operations.verify_heads import SESSION, of_written, take_heads
from certex_bridge.operations.verify_seals import Witness
from tests.integration.operations.test_verify import M1, M8, fill
from tests.support.databases import Databases, run

SEALED = "rows as sealed"
STATES = "states as written"
HISTORY = "rows = their history"
CHAIN = "chain of seals"
KEPT = "seals kept outside"
HEADS = "heads of licences"
ROWS = "rows since the heads"
OUTSIDE = {HEADS, ROWS, KEPT}
REST = """
INSERT INTO console_audit (person, identity, roles, action, subject, before, after)
VALUES ('Ada', 'ada', 'operator', 'DISCARD', 'q1', '', 'discarded');
INSERT INTO exporter_bar VALUES ('BE', 'BE0123456789', 'X060', NULL);
"""
SUBSCRIBED = """
INSERT INTO subscription (subscription_id, caller, member_state, declarations_shown, scope, issuer, licence_id, url, form,
                          key_check, created_at, last_number)
VALUES ('s1', 'BE-CUSTOMS', 'BE', true, 'ALL', '', '', 'https://customs.example', 'JSON', '', now(), 1);
INSERT INTO push (subscription_id, number, kind, subject, content_type, body, created_at)
VALUES ('s1', 1, 'status', 'BE/A', 'application/json', '{}', now());
INSERT INTO call_answer VALUES ('call-1', 'hash', '{}', now());
INSERT INTO record VALUES ('r1', 'BE-CUSTOMS', '1', 1, 'BE/A', 'BE', '', 0, '[]', false);
INSERT INTO record_version VALUES ('r1', 1, 'ADD', '[]', '[]', '', 1, 'call-1', now());
INSERT INTO outbox VALUES ('record', 'r1', 1, 1, 1, 'BE/A', '{}', '');
INSERT INTO notice VALUES ('n1', 1, 'ALL', 'SUDDEN', now(), NULL, '', '', 'operator', '');
INSERT INTO notice_version VALUES ('n1', 1, NULL, 'operator', now());
INSERT INTO list_order VALUES ('BE-CUSTOMS', 'o1', '{}', now(), 24, NULL, now(), 1, NULL, 'ACTIVE');
INSERT INTO list_delivery VALUES ('BE-CUSTOMS', 'o1', 1, 1, '[]', now());
UPDATE quarantine SET resolved = 'retried' WHERE quarantine_id <> 'q1';
INSERT INTO console_repair (quarantine_id, kind, reason, proposed_by, proposed_name)
VALUES ('q1', 'RETRY', 'read again', 'ada', 'Ada');
INSERT INTO position_gap VALUES ('customs', 0, 0, 5, 7, '', '');
INSERT INTO position_gap_accepted VALUES ('customs', 0, 0, 5, 7, 'Ada', 'the topic was cut');
"""


@dataclass(frozen=True)
class Case:
    """SQL statements, the check that finds them without heads (empty: none does), and the one that does with heads."""

    statements: str
    alone: str
    with_heads: str = ROWS


def text(table: str, column: str, old: str, new: str, where: str) -> str:
    """Replace a text within bytes."""
    return f"""UPDATE {table} SET {column} = convert_to(replace(convert_from({column}, 'UTF8'), '{old}', '{new}'), 'UTF8')
               WHERE {where};"""


CASES = {
    # -- the journal
    "a row deleted": Case("DELETE FROM movement WHERE licence_id = 'BE/A' AND lv = 3", "journal without gaps"),
    "a row's figure": Case("UPDATE movement SET d_res = d_res + 1 WHERE licence_id = 'BE/A' AND lv = 2", "journal chain"),
    "a row's instant": Case("UPDATE movement SET at = '2026-01-01T00:00:00Z' WHERE licence_id = 'BE/A'", "journal chain"),
    "a row's time of writing": Case("UPDATE movement SET written_at = written_at - interval '1 day'", SEALED),
    "a row's event and claim joined otherwise": Case(
        "UPDATE movement SET event_id = event_id || '|' || claim, claim = '' WHERE licence_id = 'BE/A' AND lv = 2",
        "journal chain",
    ),
    "a detail and a limit, chained anew": Case(
        "UPDATE account SET cap = cap * 10, available = cap * 10 - reserved - consumed WHERE licence_id = 'BE/X';"
        "UPDATE movement SET d_cap = d_cap * 10 WHERE licence_id = 'BE/X';" + "CHAIN BE/X",
        "limits = licence content",
        HEADS,
    ),
    "the last movement cut off, consistently": Case(
        """DELETE FROM outbox WHERE agg_type = 'balance' AND agg_id = 'BE/U' AND agg_ver =
               (SELECT lv FROM licence WHERE licence_id = 'BE/U');
           UPDATE licence l SET chain = decode(m.chain, 'hex'), lv = l.lv - 1 FROM movement m
               WHERE l.licence_id = 'BE/U' AND m.licence_id = 'BE/U' AND m.lv = l.lv - 1
               AND m.seq = (SELECT max(seq) FROM movement WHERE licence_id = 'BE/U' AND lv = m.lv);
           DELETE FROM movement m USING licence l WHERE l.licence_id = 'BE/U' AND m.licence_id = 'BE/U' AND m.lv > l.lv""",
        "account = movements",
        HEADS,
    ),
    "an instant of a movement, chained anew": Case(
        "UPDATE movement SET at = '2026-01-01T00:00:00Z' WHERE licence_id = 'BE/A' AND lv = 3; CHAIN BE/A", SEALED, HEADS
    ),
    "two licences exchange their journals": Case(
        """UPDATE movement SET licence_id = 'X' WHERE licence_id = 'BE/X';
           UPDATE movement SET licence_id = 'BE/X' WHERE licence_id = 'BE/P';
           UPDATE movement SET licence_id = 'BE/P' WHERE licence_id = 'X';
           UPDATE licence l SET lv = o.lv, chain = o.chain FROM licence o WHERE l.licence_id IN ('BE/X', 'BE/P')
               AND o.licence_id IN ('BE/X', 'BE/P') AND o.licence_id <> l.licence_id""",
        "journal chain",
        HEADS,
    ),
    "a licence that never was": Case(
        """DELETE FROM claim WHERE licence_id = 'BE/P';
           DELETE FROM account WHERE licence_id = 'BE/P'; DELETE FROM movement WHERE licence_id = 'BE/P';
           DELETE FROM licence_version WHERE licence_id = 'BE/P'; DELETE FROM status_change WHERE licence_id = 'BE/P';
           DELETE FROM licence_index WHERE licence_id = 'BE/P'; DELETE FROM licence WHERE licence_id = 'BE/P';
           DELETE FROM outbox WHERE agg_id = 'BE/P'""",
        SEALED,
        HEADS,
    ),
    # -- licences
    "a licence content": Case(
        text("licence", "snapshot", "BE0123456789", "BE0999999999", "licence_id = 'BE/X'")
        + text("licence_version", "snapshot", "BE0123456789", "BE0999999999", "licence_id = 'BE/X'")
        + "UPDATE licence SET holder = 'BE0999999999' WHERE licence_id = 'BE/X';"
        + "UPDATE licence_index SET holder = 'BE0999999999' WHERE licence_id = 'BE/X'",
        "licence content = journal",
    ),
    "the hash of a version": Case(
        "UPDATE licence_version SET payload_sha256 = 'x' WHERE licence_id = 'BE/X'", "hashes of licence events"
    ),
    "the hash of the version in force": Case(
        "UPDATE licence SET payload_sha256 = 'x' WHERE licence_id = 'BE/X'", "hashes of licence events", ""
    ),
    "the hash of its event": Case(
        "UPDATE inbox SET sha256 = 'x' WHERE event_id = (SELECT event_id FROM licence_version WHERE licence_id = 'BE/X')",
        "hashes of licence events",
    ),
    "a status, with its change and its certificate": Case(
        "UPDATE licence SET status = 'Valid' WHERE licence_id = 'BE/A';"
        "UPDATE licence_index SET status = 'Valid' WHERE licence_id = 'BE/A';"
        "UPDATE status_change SET new = 'Valid' WHERE licence_id = 'BE/A' AND new = 'Suspended';"
        + text("outbox", "body", "Suspended", "Valid", "agg_type = 'certificate' AND agg_id = 'BE/A'")
        + text("licence_version", "certificate", "Suspended", "Valid", "licence_id = 'BE/A'"),
        "status = licence content",
    ),
    "the unit of a balance": Case("UPDATE account SET unit = 'KGM' WHERE licence_id = 'BE/X'", "limits = licence content", ""),
    "a balance without a limit": Case("DELETE FROM account WHERE licence_id = 'BE/B'", "limits = licence content", ""),
    "the last day": Case(
        "UPDATE licence SET valid_to = valid_to + 1000 WHERE licence_id = 'BE/A'", "columns = licence content", ""
    ),
    "the holder": Case("UPDATE licence SET holder = 'X' WHERE licence_id = 'BE/A'", "columns = licence content", ""),
    "the place in the list": Case(
        "UPDATE licence_index SET terms = '{}' WHERE licence_id = 'BE/A'", "columns = licence content", ""
    ),
    "out of the list": Case("DELETE FROM licence_index WHERE licence_id = 'BE/A'", "columns = licence content", ""),
    "a version in force taken out": Case(
        "UPDATE licence SET snapshot = NULL WHERE licence_id = 'BE/A'", "columns = licence content", ""
    ),
    "a certificate in both places": Case(
        text("outbox", "body", "BE0123456789", "BE0999999999", "agg_type = 'certificate' AND agg_id = 'BE/A'")
        + text("licence_version", "certificate", "BE0123456789", "BE0999999999", "licence_id = 'BE/A'"),
        SEALED,
    ),
    # -- what was said and heard
    "an outcome": Case("UPDATE outbox SET body = 'garbage' WHERE agg_type = 'outcome'", SEALED),
    "an incident": Case("UPDATE outbox SET body = 'garbage' WHERE agg_type = 'incident'", SEALED),
    "a notification": Case("UPDATE outbox SET body = 'garbage' WHERE agg_type = 'notification'", SEALED),
    "a dead letter": Case("UPDATE outbox SET body = 'garbage' WHERE agg_type = 'deadletter'", SEALED),
    "the key of a message": Case("UPDATE outbox SET key = 'x' WHERE agg_type = 'outcome'", SEALED),
    "an answer": Case("""UPDATE answer SET body = '{"verdict":"ACCEPTED"}' WHERE event_id = 'licensing-1'""", SEALED),
    "the hash and the source of an event": Case("UPDATE inbox SET sha256 = 'x', source = 'y' WHERE topic = 'customs'", "hashes of licence events"),
    "an event that moved nothing": Case(
        f"""CREATE TEMP TABLE gone AS SELECT event_id FROM inbox i JOIN answer a USING (event_id)
               WHERE NOT EXISTS (SELECT FROM movement m WHERE m.event_id = i.event_id)
               AND NOT EXISTS (SELECT FROM woken w WHERE w.cause = i.event_id) AND a.body LIKE '%{M8}%';
           DELETE FROM inbox WHERE event_id IN (SELECT event_id FROM gone);
           DELETE FROM answer WHERE event_id IN (SELECT event_id FROM gone)""",
        SEALED,
    ),
    "the bytes of a record put aside": Case("UPDATE quarantine SET raw = 'x' WHERE quarantine_id = 'q1'", SEALED),
    "a record put aside, with its letter": Case(
        "DELETE FROM quarantine WHERE quarantine_id = 'q1'; DELETE FROM outbox WHERE agg_id = 'q1'", SEALED
    ),
    "a mismatch": Case("DELETE FROM mismatch", SEALED),
    "the protocol of the console": Case("UPDATE console_audit SET person = 'Grace'", SEALED),
    "an entry of the console gone": Case("DELETE FROM console_audit", SEALED),
    "a status change's reason": Case("UPDATE status_change SET reason = 'SUSPENDED' WHERE licence_id = 'BE/A'", SEALED),
    "a row put in between": Case(
        "INSERT INTO console_audit (at, person, identity, roles, action, subject, before, after) "
        "VALUES (now() - interval '1 day', 'Ada', 'a', '', 'RETRY', '', '', '')",
        SEALED,
    ),
    # -- claims and offsets
    "a claim's figure": Case(f"UPDATE claim SET q_cons = q_cons + 1 WHERE decl_id = '{M1}'", "claim = movements", ""),
    "an offset back": Case("UPDATE consumer_offset SET next_record = 3 WHERE topic = 'customs'", "offsets behind events", ""),
    "columns beside the facts": Case(f"UPDATE declaration SET state = 'LODGED' WHERE decl_id = '{M1}'", "facts readable", ""),
    "parked and waiting": Case(f"DELETE FROM parked WHERE decl_id = '{M8}'", "parked = waiting", ""),
    "an event's place": Case("UPDATE inbox SET record = record + 1 WHERE topic = 'customs'", SEALED),
    "the cause of a wake": Case("DELETE FROM woken", SEALED),
    "a version before the one in force": Case(
        "DELETE FROM licence_version WHERE licence_id = 'BE/A' AND version = 1", SEALED
    ),
    "the answer to a call": Case("UPDATE call_answer SET body = 'garbage'", SEALED),
    "a balance that was told": Case(
        text("outbox", "body", '"authorised":"100"', '"authorised":"900"', "agg_type = 'balance' AND agg_ver = 1"),
        "every balance = movements",
    ),
    # -- states that are overwritten
    "a bar": Case("DELETE FROM exporter_bar", HISTORY, ""),
    "a claim's reasons": Case("UPDATE claim SET reasons = 'NOT_FOUND' WHERE state = 'REFUSED'", STATES, ""),
    "an offset ahead": Case("UPDATE consumer_offset SET next_record = next_record + 100000", HISTORY, ""),
    "a declaration's facts": Case(
        text("declaration", "facts", "2026-", "2025-", f"decl_id = '{M1}'"), STATES, ""
    ),
    "how a declaration got its content": Case("UPDATE declaration SET identity = NULL WHERE identity IS NOT NULL", STATES, ""),
    "a refused claim that was only checked": Case(
        "UPDATE claim SET state = 'CHECKED', outcome = 'OK_CHECKED', reasons = '' WHERE state = 'REFUSED'", STATES, ""
    ),
    "the document code of a claim": Case("UPDATE claim SET document_code = 'Y901'", STATES, ""),
    "what a claim asked for": Case("UPDATE claim SET q_req = 1 WHERE state = 'REFUSED'", STATES, ""),
    "a refused claim gone": Case("DELETE FROM claim WHERE state = 'REFUSED'", STATES, ""),
    "a claim put in": Case(
        "INSERT INTO claim SELECT decl_id, 77, doc_seq, licence_id, line_no, 'CHECKED', 1, 0, 0, 0, 0, 0, 0, 0, '', "
        "outcome, '', document_code, source FROM claim LIMIT 1",
        STATES,
        "",
    ),
    "a refused declaration gone": Case(
        f"""DELETE FROM parked WHERE decl_id = '{M8}'; DELETE FROM claim WHERE decl_id = '{M8}';
            DELETE FROM outbox WHERE agg_id = '{M8}'; DELETE FROM declaration WHERE decl_id = '{M8}'""",
        STATES,
    ),
    "what was sent under an LRN": Case("UPDATE anchor SET marks = replace(marks, '2026-', '2025-')", STATES, ""),
    "the exporters of an LRN": Case("""UPDATE anchor SET exporters = '["BE0555555555"]'""", STATES, ""),
    "an LRN gone": Case("DELETE FROM anchor WHERE marks <> '{}'", STATES, ""),
    "a claim, with the hash of its state": Case(
        "UPDATE claim SET reasons = 'NOT_FOUND' WHERE state = 'REFUSED'; UPDATE state_hash SET keys = '{}', hashes = '{}'",
        SEALED,
    ),
    "facts, with all hashes of states": Case(
        text("declaration", "facts", "2026-", "2025-", f"decl_id = '{M1}'") + "DELETE FROM state_hash", SEALED
    ),
    # -- rows that decide without a journal
    "a bar put in": Case("INSERT INTO exporter_bar VALUES ('FR', 'FR12345678901', 'X060', NULL)", HISTORY, ""),
    "the first day of a bar": Case("UPDATE exporter_bar SET from_day = '2030-01-01'", HISTORY, ""),
    "a bar, with its history": Case("DELETE FROM exporter_bar; DELETE FROM row_history WHERE name = 'exporter_bar'", SEALED),
    "the address of a subscription": Case("UPDATE subscription SET url = 'https://elsewhere.example'", HISTORY, ""),
    "a subscription ended": Case("UPDATE subscription SET ended_at = now()", HISTORY, ""),
    "a subscription gone": Case("DELETE FROM push; DELETE FROM subscription", HISTORY),
    "a push": Case("UPDATE push SET body = 'garbage'", SEALED),
    "a periodic list": Case("UPDATE list_order SET hours = 999", HISTORY, ""),
    "a list that was given": Case("UPDATE list_delivery SET body = 'garbage'", SEALED),
    "a notice ended": Case("UPDATE notice SET ends = now()", HISTORY, ""),
    "a version of a notice": Case("UPDATE notice_version SET announced_by = 'Grace'", SEALED),
    "extra information": Case("""UPDATE record SET information = '["changed"]'""", HISTORY, ""),
    "a version of extra information": Case("UPDATE record_version SET reason = 'changed'", SEALED),
    "a repair's reason": Case("UPDATE console_repair SET reason = 'changed'", HISTORY, ""),
    "a record put aside that counts as resolved": Case("UPDATE quarantine SET resolved = 'discarded'", HISTORY, ""),
    "a resolved record that counts as open": Case(
        "UPDATE quarantine SET resolved = '' WHERE quarantine_id <> 'q1'", HISTORY, ""
    ),
    "who accepted a gap": Case("UPDATE position_gap_accepted SET accepted_by = 'Grace'", SEALED),
    "a gap gone": Case("DELETE FROM position_gap_accepted; DELETE FROM position_gap", SEALED),
    "an offset ahead, with its history": Case(
        "UPDATE consumer_offset SET next_record = next_record + 100000; UPDATE row_history SET content = jsonb_set("
        "content::jsonb, '{next_record}', to_jsonb((content::jsonb ->> 'next_record')::int + 100000))::text "
        "WHERE name = 'consumer_offset'",
        SEALED,
    ),
    "a partition forgotten": Case("DELETE FROM consumer_offset", HISTORY, ""),
    # -- the seals themselves
    "a seal": Case("UPDATE seal SET line = replace(line, 'movement', 'moment')", CHAIN, ""),
    "the instant of a seal": Case("UPDATE seal SET as_of = as_of - interval '1 s'", CHAIN, ""),
    "the message of a seal": Case(text("outbox", "body", "movement", "moment", "agg_type = 'seal'"), CHAIN),
    "a seal gone": Case("DELETE FROM seal", "seals published", KEPT),
    "a seal gone, with its message": Case("DELETE FROM seal; DELETE FROM outbox WHERE agg_type = 'seal'", "", KEPT),
    "an outcome, sealed anew": Case("UPDATE outbox SET body = 'garbage' WHERE agg_type = 'outcome'; SEAL", "", KEPT),
    "an instant of a movement, chained and sealed anew": Case(
        "UPDATE movement SET at = '2026-01-01T00:00:00Z' WHERE licence_id = 'BE/A' AND lv = 3; CHAIN BE/A; SEAL", "", KEPT
    ),
    "the protocol of the console, sealed anew": Case("UPDATE console_audit SET person = 'Grace'; SEAL", "", KEPT),
    "a bar, with its history, sealed anew": Case(
        "DELETE FROM exporter_bar; DELETE FROM row_history WHERE name = 'exporter_bar'; SEAL", "", KEPT
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def filled(databases: Databases) -> Iterator[str]:
    """A ledger with every kind of row, as a template."""
    url = run(databases.create_migrated())
    run(fill(url))
    run(execute(url, REST + SUBSCRIBED))
    run(
        execute(
            url, "SET session_replication_role = replica; DELETE FROM seal; DELETE FROM outbox WHERE agg_type = 'seal'"
        )
    )
    assert run(seals_of(url)) == 1
    yield url
    run(databases.drop(url))


@pytest.fixture(scope="module")
def heads(filled: str) -> Heads:
    """The heads of that ledger."""
    return run(heads_of(filled))


async def seals_of(url: str, key: Ed25519PrivateKey | None = None) -> int:
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
        return await Sealer(pool, 3600.0, key).seal()


async def heads_of(url: str) -> Heads:
    connection = await asyncpg.connect(url)
    try:
        return await take_heads(connection)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def witness(filled: str) -> Witness:
    """Its seals as they were published."""
    return Witness(run(published(filled)))


@pytest.fixture
async def copy(databases: Databases, filled: str) -> AsyncIterator[str]:
    """A fresh copy of it."""
    url = await databases.create(urlsplit(filled).path.lstrip("/"))
    yield url
    await databases.drop(url)


async def execute(url: str, statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


async def tamper(url: str, statements: str) -> None:
    """As one who knows the schema: no trigger runs, and every guard is there again afterwards."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET session_replication_role = replica")
        for statement in statements.split(";"):
            if statement.strip().startswith("CHAIN "):
                await chain_anew(connection, statement.split()[1])
            elif statement.strip() == "SEAL":
                await seal_anew(connection)
            elif statement.strip():
                changed = await connection.execute(statement)
                assert changed.split()[-1] != "0", f"nothing was there to tamper with: {statement}"
    finally:
        await connection.close()


async def chain_anew(connection: asyncpg.Connection[asyncpg.Record], licence_id: str) -> None:
    """Compute the whole chain of a licence from what its rows say now."""
    link = GENESIS
    for row in await connection.fetch("SELECT * FROM movement WHERE licence_id = $1 ORDER BY lv, seq", licence_id):
        place = (licence_id, row["lv"], row["seq"], row["line_no"], row["dim"], row["kind"])
        deltas = (row["d_cap"], row["d_res"], row["d_cons"], row["d_over"])
        link = chain(link, entry_text(*place, row["event_id"], row["claim"], deltas, row["at"], row["detail"]))
        told = "UPDATE movement SET chain = $4 WHERE licence_id = $1 AND lv = $2 AND seq = $3"
        await connection.execute(told, licence_id, row["lv"], row["seq"], link.hex())
    await connection.execute("UPDATE licence SET chain = $2 WHERE licence_id = $1", licence_id, link)


async def seal_anew(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Compute all seals, and what was published of them, from what the tables say now."""
    await connection.execute(SESSION)
    before = GENESIS.hex()
    for old in await connection.fetch("SELECT * FROM seal ORDER BY seal_no"):
        number, since, as_of, _ = read_line(old["line"])
        found = await connection.fetch(of_written("by_window"), since, as_of, [since])
        rows = tuple([(row["name"], row["number"], row["digest"]) for row in found])
        seal = Seal(number, since, as_of, rows, before)
        told = "UPDATE seal SET line = $2, chain = $3, key_id = '', signature = '' WHERE seal_no = $1"
        await connection.execute(told, number, seal.line, seal.chain)
        message = "UPDATE outbox SET body = $2 WHERE agg_type = 'seal' AND agg_ver = $1"
        await connection.execute(message, number, seal.body())
        before = seal.chain


async def published(url: str) -> dict[int, Seal]:
    """What a reader of the topic of seals has."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT body FROM outbox WHERE agg_type = 'seal'")
    finally:
        await connection.close()
    return {seal.number: seal for row in rows for seal in [read_body(json.loads(row["body"]))]}


def certex(*arguments: str) -> str:
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, f"{result.output} {result.exception}"
    return result.output


def failed(report: Report) -> dict[str, str]:
    return {check.name: check.detail for check in report.failed}


async def test_a_ledger_that_went_on_is_right_by_its_heads(copy: str, heads: Heads) -> None:
    await execute(copy, REST.replace("'ada'", "'grace'").replace("X060", "X061"))
    await execute(
        copy, "INSERT INTO answer VALUES ('later', '{}'); INSERT INTO inbox VALUES ('later', '', '', 't', 0, 0)"
    )
    await execute(copy, "INSERT INTO consumer_offset VALUES ('t', 0, 1)")

    report = await verify(copy, heads=heads)

    assert failed(report) == {}
    examined = {check.name: check.examined for check in report.checks}
    assert examined[HEADS] == len(heads.licences) > 5
    assert examined[ROWS] == sum(number for number, _ in heads.rows.values()) > 100


@pytest.mark.row("IR 15(3)")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_what_the_owner_of_the_schema_did_is_found(copy: str, heads: Heads, witness: Witness, case: Case) -> None:
    await tamper(copy, case.statements)

    found = failed(await verify(copy, heads=heads, witness=witness))

    alone = {name: detail for name, detail in found.items() if name not in OUTSIDE}
    assert (case.alone in alone) if case.alone else not alone, found
    assert (case.with_heads in found) if case.with_heads else OUTSIDE.isdisjoint(found), found


def test_all_are_found_with_what_is_kept_outside_and_most_without() -> None:
    assert all(case.alone or case.with_heads for case in CASES.values())
    assert sum(bool(case.alone) for case in CASES.values()) >= len(CASES) - 5


def test_heads_are_written_signed_and_compared_on_the_command_line(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CERTEX_DATABASE_URL", filled)
    key = Ed25519PrivateKey.generate()
    secret, public, other = tmp_path / "heads.key", tmp_path / "heads.pub", tmp_path / "other.pub"
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for path, one in ((public, key), (other, Ed25519PrivateKey.generate())):
        path.write_bytes(one.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    file = str(tmp_path / "heads.jsonl")

    told = json.loads(certex("journal", "heads", file, "--key", str(secret), "--json"))
    assert told["head"] in Path(file).read_text("utf-8")
    assert f"{told['licences']} licences as of" in certex("journal", "heads", str(tmp_path / "plain"))
    assert "OK" in certex("journal", "verify", "--heads", file, "--key", str(public))
    found = json.loads(certex("journal", "verify", "--heads", file, "--json"))
    assert {HEADS, ROWS} <= {check["name"] for check in found["checks"]}
    for wrong in (
        ("heads", file),
        ("verify", "--heads", file, "--key", str(other)),
        ("verify", "--heads", str(tmp_path / "plain"), "--key", str(public)),
        ("verify", "--heads", str(tmp_path / "missing")),
        ("verify", "--heads", str(secret)),
    ):
        assert isinstance(CliRunner().invoke(cli.app, ["journal", *wrong]).exception, ConfigurationError)
