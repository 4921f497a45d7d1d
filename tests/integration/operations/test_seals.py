"""Making seals in the background, keeping them in a file, and verifying only what is newer than the last of them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typer.testing import CliRunner

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.operations import cli
from certex_bridge.operations.sealing import _LOCK, Sealer
from certex_bridge.operations.verify import Report, verify
from certex_bridge.operations.verify_seals import Witness
from tests.integration.operations.test_verify import M1, Filled
from tests.support.ledger_words import Customs

SOON = 0.05
"""An interval that is over when something was done meanwhile."""
KEPT = "seals kept outside"
SEALED = "rows as sealed"


async def fill(url: str, key: Ed25519PrivateKey | None = None) -> None:
    """A filled ledger with a seal over all of it."""
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
        await Filled(pool).fill()
        assert await Sealer(pool, 3600.0, key).seal() == 1


async def do(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET session_replication_role = replica")
        for statement in statements:
            assert (await connection.execute(statement)).split()[-1] != "0", statement
    finally:
        await connection.close()


def failed(report: Report) -> dict[str, str]:
    return {check.name: check.detail for check in report.failed}


def certex(*arguments: str) -> Any:
    result = CliRunner().invoke(cli.app, [*arguments, "--json"])
    if isinstance(result.exception, ConfigurationError):
        raise result.exception
    return json.loads(result.output)


def wrong(told: Any) -> set[str]:
    return {check["name"] for check in told["checks"] if not check["ok"]}


async def go_on(url: str, name: str, key: Ed25519PrivateKey | None = None) -> int:
    """Another declaration, and the seals that are due; returns how many."""
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
        await Filled(pool).tell(Customs().accepted(name, lrn="", event_id=f"later-{name}", U=1))
        made = 0
        while not made:  # until the interval is over
            made = await Sealer(pool, SOON, key).seal()
        return made


async def test_it_shows_by_how_much_the_next_seal_is_late(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=1) as pool:
        assert await Sealer(pool, SOON).behind() == 0, "nothing was written"
        await Filled(pool).fill()
        assert await Sealer(pool, 3600).behind() == 0
        late = await Sealer(pool, SOON).behind()
        while late == 0:  # until the interval is over
            late = await Sealer(pool, SOON).behind()
        while not await Sealer(pool, SOON).seal():
            pass
        assert await Sealer(pool, 3600).behind() == 0


async def test_each_seal_goes_on_with_the_chain_whatever_key_signs_it(database_url: str) -> None:
    old, new = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    await fill(database_url, old)
    await go_on(database_url, "Z1", new)
    both = [key.public_key() for key in (old, new)]

    assert failed(await verify(database_url, witness=Witness(keys=both))) == {}
    assert failed(await verify(database_url, witness=Witness(keys=both[1:]))) == {
        KEPT: "seal 1 is not signed by any of the keys"
    }


async def test_another_process_that_makes_seals_is_left_to_it(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=2, max_size=2) as pool:
        async with pool.acquire() as other, other.transaction():
            await other.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            assert await Sealer(pool, 3600.0).seal() == 0
        assert await Sealer(pool, 3600.0).seal() == 1
        assert await Sealer(pool, 3600.0).seal() == 0, "the interval is not over"


async def test_a_pause_is_sealed_in_parts(database_url: str) -> None:
    await fill(database_url)
    async with asyncpg.create_pool(database_url, min_size=1, max_size=1) as pool:
        await do(database_url, "DELETE FROM seal", "DELETE FROM outbox WHERE agg_type = 'seal'")
        await do(database_url, "UPDATE inbox SET received_at = received_at - interval '1 hour'")
        assert await Sealer(pool, 300.0).seal() == 3, "5 intervals each"

    assert failed(await verify(database_url)) == {}


async def test_what_is_too_much_for_one_statement_is_sealed_in_shorter_parts(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(database_url)
    await do(database_url, "DELETE FROM seal", "DELETE FROM outbox WHERE agg_type = 'seal'")
    await do(database_url, "UPDATE inbox SET received_at = received_at - interval '1 hour'")
    async with asyncpg.create_pool(database_url, min_size=1, max_size=1) as pool:
        sealer = Sealer(pool, 300.0)
        with monkeypatch.context() as patch:
            patch.setattr(Sealer, "_write", _cancelled)
            with pytest.raises(asyncpg.QueryCanceledError):
                await sealer.seal()
        assert await sealer.seal() == 9, "a quarter of 5 intervals each, until less than one is left"

    assert failed(await verify(database_url)) == {}


async def _cancelled(*_: object) -> None:
    raise asyncpg.QueryCanceledError


@pytest.mark.parametrize("page", [1, 2, 7])
async def test_pages_of_any_size_find_the_same(database_url: str, page: int) -> None:
    await fill(database_url)
    whole, parts = await verify(database_url), await verify(database_url, page=page)
    assert [(one.name, one.ok, one.examined) for one in parts.checks] == [
        (one.name, one.ok, one.examined) for one in whole.checks
    ]

    await do(database_url, "DELETE FROM movement WHERE licence_id = 'BE/X' AND lv = 1")
    await do(database_url, "DELETE FROM licence WHERE licence_id = 'BE/B'")
    assert failed(await verify(database_url, page=page)) == failed(await verify(database_url))


async def test_rows_from_before_the_histories_are_evidence_from_the_upgrade_on(
    database_url: str, project_root: Path
) -> None:
    await fill(database_url)
    await do(database_url, "DELETE FROM seal", "DELETE FROM outbox WHERE agg_type = 'seal'")
    await do(database_url, "DELETE FROM state_hash", "DELETE FROM row_history")
    begin = project_root / "services/certex_bridge/ledger/adapters/sql/migrations/0010_pre_seals_begin.sql"
    connection = await asyncpg.connect(database_url)
    async with connection.transaction():
        await connection.execute(begin.read_text("utf-8"))
    await connection.close()
    await go_on(database_url, "Z1")

    assert failed(await verify(database_url)) == {}
    await do(database_url, f"UPDATE declaration SET said = 'x' WHERE decl_id = '{M1}'")
    assert list(failed(await verify(database_url))) == ["states as written"]


async def test_only_what_is_newer_than_the_last_kept_seal_is_verified(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CERTEX_DATABASE_URL", database_url)
    file = tmp_path / "seals.jsonl"
    key = Ed25519PrivateKey.generate()
    public = tmp_path / "seals.pub"
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    newer = ("journal", "verify", "--seals", str(file), "--key", str(public), "--newer")
    await fill(database_url, key)

    assert await on(certex, "journal", "seals", str(file)) | {"asOf": "", "chain": ""} == {
        "written": 1, "seal": 1, "asOf": "", "chain": "",
    }  # fmt: skip
    made = await go_on(database_url, "Z1", key)
    told = await on(certex, *newer)
    assert wrong(told) == set()
    examined = {check["name"]: check["examined"] for check in told["checks"]}
    assert examined["account = movements"] == 1 < examined["journal chain"] < 20, "one licence, with its whole journal"
    assert examined["chain of seals"] == made

    await do(database_url, "UPDATE claim SET document_code = 'Y901' WHERE decl_id LIKE '%Z1%' OR item > 0")
    assert wrong(await on(certex, *newer)) == {"states as written"}
    assert (await on(certex, "journal", "seals", str(file)))["written"] == made

    await do(database_url, "UPDATE outbox SET body = 'x' WHERE agg_type = 'outcome' AND agg_ver = 1")
    assert SEALED not in wrong(await on(certex, *newer))
    assert SEALED in wrong(await on(certex, *newer[:-1]))


async def on(command: Any, *arguments: str) -> Any:
    """A command has an event loop of its own."""
    return await asyncio.to_thread(command, *arguments)


async def test_a_file_that_is_none_of_this_ledger_is_refused(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CERTEX_DATABASE_URL", database_url)
    file, cut, missing = (tmp_path / name for name in ("seals.jsonl", "cut.jsonl", "missing.jsonl"))
    with pytest.raises(ConfigurationError, match="no seal yet"):
        await on(certex, "journal", "seals", str(file))
    await fill(database_url)
    await go_on(database_url, "Z1")
    await on(certex, "journal", "seals", str(file))
    first, second, *_ = file.read_bytes().splitlines(keepends=True)

    cut.write_bytes(first + second.replace(b'"seal":2', b'"seal":3'))
    with pytest.raises(ConfigurationError, match="not what was chained"):
        await on(certex, "journal", "verify", "--seals", str(cut))
    cut.write_bytes(second + first + second)
    assert wrong(await on(certex, "journal", "verify", "--seals", str(cut))) == set(), "a topic may have it twice"
    for arguments, said in (
        (("--seals", str(missing)), "cannot be read"),
        (("--newer",), "needs --seals"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            await on(certex, "journal", "verify", *arguments)

    cut.write_bytes(first)
    await do(database_url, "UPDATE outbox SET body = convert_to(replace(convert_from(body, 'UTF8'), 'before', 'after'), "
             "'UTF8') WHERE agg_type = 'seal' AND agg_ver = 2")  # fmt: skip
    assert KEPT not in wrong(await on(certex, "journal", "verify", "--seals", str(cut)))
    with pytest.raises(ConfigurationError):
        await on(certex, "journal", "seals", str(cut))
    await do(database_url, "UPDATE seal SET chain = line WHERE seal_no = 1")
    assert KEPT in wrong(await on(certex, "journal", "verify", "--seals", str(cut), "--newer"))
