"""The verifier sees that the tables are guarded as the migrations left them, and says what is not."""

from __future__ import annotations

import asyncpg
import pytest

from certex_bridge.operations.verify import verify
from certex_bridge.operations.verify_schema import GUARDS, PACKAGE, expected
from certex_bridge.platform.migrations import load_queries
from tools.schema_guards import listed

TAMPERED = {
    "a trigger dropped": ("DROP TRIGGER append_only ON movement", "missing: trigger movement.append_only"),
    "a trigger disabled": ("ALTER TABLE inbox DISABLE TRIGGER append_only", "missing: trigger inbox.append_only"),
    "a trigger of replicas only": (
        "ALTER TABLE answer ENABLE REPLICA TRIGGER append_only",
        "missing: trigger answer.append_only",
    ),
    "the text of the trigger": (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "missing: function refuse_change",
    ),
    "no hashes of states": ("DROP TRIGGER hash_states ON claim", "missing: trigger claim.hash_states"),
    "no history of bars": (
        "ALTER TABLE exporter_bar DISABLE TRIGGER keep_history",
        "missing: trigger exporter_bar.keep_history",
    ),
    "a history that keeps nothing": (
        "CREATE OR REPLACE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "missing: function keep_history",
    ),
    "hashes that go to a table of the writer": (
        "ALTER FUNCTION hash_claims() RESET search_path",
        "missing: function hash_claims",
    ),
    "hashes that the writer may refuse": (
        "ALTER FUNCTION hash_claims() SECURITY INVOKER",
        "missing: function hash_claims",
    ),
    "histories for the service to write": (
        "GRANT INSERT ON row_history TO certex_app",
        "not of the migrations: certex_app may INSERT row_history",
    ),
    "a trigger more": (
        "CREATE TRIGGER quiet BEFORE INSERT ON movement FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "not of the migrations: trigger movement.quiet",
    ),
    "a constraint dropped": (
        "ALTER TABLE account DROP CONSTRAINT account_check1",
        "missing: constraint account.account_check1",
    ),
    "a constraint that says nothing": (
        "ALTER TABLE account DROP CONSTRAINT account_check1, ADD CONSTRAINT account_check1 CHECK (true)",
        "missing: constraint account.account_check1",
    ),
    "a constraint not proved": (
        """ALTER TABLE claim DROP CONSTRAINT claim_licence_id_fkey,
           ADD CONSTRAINT claim_licence_id_fkey FOREIGN KEY (licence_id) REFERENCES licence NOT VALID""",
        "missing: constraint claim.claim_licence_id_fkey",
    ),
    "foreign keys not enforced": (
        "ALTER TABLE account DISABLE TRIGGER ALL",
        "not of the migrations: foreign keys of account are not enforced",
    ),
    "a column that may be empty": (
        "ALTER TABLE movement ALTER detail DROP NOT NULL",
        "missing: column movement.detail text NOT NULL",
    ),
    "a table that is not logged": (
        "ALTER TABLE interest SET UNLOGGED",
        "not of the migrations: interest is not logged",
    ),
    "rows out of sight": (
        "ALTER TABLE claim ENABLE ROW LEVEL SECURITY",
        "not of the migrations: claim is under row security",
    ),
    "a rule": (
        "CREATE RULE gone AS ON INSERT TO mismatch DO INSTEAD NOTHING",
        "not of the migrations: rule mismatch.gone",
    ),
    "all for the service": (
        "GRANT ALL ON movement TO certex_app",
        "not of the migrations: certex_app may DELETE movement",
    ),
    "a column for the service": (
        "GRANT UPDATE (body) ON outbox TO certex_app",
        "not of the migrations: certex_app may UPDATE outbox.body",
    ),
    "all for everybody": (
        "GRANT DELETE ON answer TO PUBLIC",
        "not of the migrations: certex_app may DELETE answer",
    ),
    "triggers off for whoever comes": (
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET session_replication_role = replica', current_database()); END $$",
        "not of the migrations: setting session_replication_role=replica",
    ),
}


async def guards(url: str) -> str:
    report = await verify(url)
    [found] = [check for check in report.checks if check.name == GUARDS]
    assert found.ok == (found.detail == "")
    return found.detail


async def test_the_kept_list_is_what_the_migrations_make(database_url: str) -> None:
    assert sorted(expected()) == (await listed(database_url)).splitlines(), "make guards writes it anew"
    assert await guards(database_url) == ""


@pytest.mark.parametrize(("statement", "said"), TAMPERED.values(), ids=TAMPERED)
async def test_a_guard_taken_off_is_named(database_url: str, statement: str, said: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(statement)
    await connection.close()

    assert said in await guards(database_url)


async def test_what_a_later_release_added_is_no_tampering(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("ALTER TABLE interest ADD later text")
    assert "interest.later" in await guards(database_url)
    await connection.execute("INSERT INTO schema_version (number, phase, name, sha256) VALUES (9000, 'pre', 'x', '')")
    await connection.close()

    assert await guards(database_url) == ""


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE outbox SET body = ''",
        "DELETE FROM outbox",
        "TRUNCATE outbox CASCADE",
        "UPDATE quarantine SET raw = ''",
        "DELETE FROM quarantine",
        "TRUNCATE quarantine CASCADE",
        "UPDATE push SET body = ''",
        "DELETE FROM push",
        "TRUNCATE push CASCADE",
        "UPDATE list_delivery SET body = ''",
        "TRUNCATE list_delivery",
    ],
)
async def test_what_went_out_or_was_put_aside_is_not_changed_by_its_owner_either(
    database_url: str, statement: str
) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            """INSERT INTO outbox VALUES ('outcome', 'D', 1, 1, 1, '', '', '');
            INSERT INTO quarantine (quarantine_id, topic, partition, record, code, field, value, message, event_id, headers)
            VALUES ('q', 't', 0, 0, 'X', '', '', '', '', '[]');
            INSERT INTO subscription (subscription_id, caller, member_state, declarations_shown, scope, issuer,
                                      licence_id, url, form, key_check, created_at)
            VALUES ('s', 'c', 'BE', true, 'ALL', '', '', 'https://c.example', 'JSON', '', now());
            INSERT INTO push (subscription_id, number, kind, subject, content_type, body, created_at)
            VALUES ('s', 1, 'status', '', '', '', now());
            INSERT INTO list_order VALUES ('c', 'o', '', now(), 1, NULL, now(), 0, NULL, 'ACTIVE');
            INSERT INTO list_delivery VALUES ('c', 'o', 1, 1, '', now());
            UPDATE outbox SET batch_id = 2, pos = 2; UPDATE quarantine SET resolved = 'discarded';
            UPDATE push SET delivered_at = now()"""
        )
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="is append-only"):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_database_without_the_role_is_told_not_raised(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a restore on another server: roles are not part of a database."""
    queries = load_queries(PACKAGE, "verify_schema.sql")
    changed = {name: query.replace("'certex_app'", "'certex_nobody'") for name, query in queries.items()}
    monkeypatch.setattr("certex_bridge.operations.verify_schema.load_queries", lambda *_: changed)

    assert await guards(database_url) == 'cannot be read: role "certex_nobody" does not exist'
