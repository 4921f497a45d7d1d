"""The published UK messages through the running bridge; the folder is named by CERTEX_SAMPLES."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from certex_bridge.platform.kafka import Record
from tests.support.bridge_world import BridgeWorld, bridge_world
from tests.support.wire_feed import LICENCES, event

SAMPLES = Path(os.environ.get("CERTEX_SAMPLES", ""))
pytestmark = pytest.mark.skipif(
    not (SAMPLES / "TT_EX013b.xml").is_file(), reason="CERTEX_SAMPLES names no folder with the published samples"
)

LRN, MRN = "U.78494313RFYI", "25GB0MC86MH6WYKAA3"


def message(raw: bytes, key: str = "sender") -> Record:
    """A foreign message as its customs system sends it."""
    return Record("customs.messages.v1", key.encode(), raw, (("profile", b"wco"),))


def notification(code: str, reference: str, more: str = "") -> Record:
    """A notification on the sample declaration, in the structure of the published ones."""
    return message(
        f"<MetaData><WCODataModelVersionCode>3.6</WCODataModelVersionCode><WCOTypeName>RES</WCOTypeName><Response>"
        f"<FunctionCode>{code}</FunctionCode><FunctionalReferenceID>{reference}</FunctionalReferenceID><IssueDateTime>"
        f'<DateTimeString formatCode="304">20250916101500Z</DateTimeString></IssueDateTime><Declaration>{more}'
        f"<FunctionalReferenceID>{LRN}</FunctionalReferenceID><ID>{MRN}</ID><VersionID>1</VersionID></Declaration>"
        f"</Response></MetaData>".encode()
    )


ACCEPTED = notification(
    "01",
    "n1",
    '<AcceptanceDateTime><DateTimeString formatCode="304">20250916101500Z</DateTimeString></AcceptanceDateTime>',
)
CLEARED = notification("09", "n2")


def uk_licence(number: str, lines: dict[int, str], unit: str) -> Record:
    """A licence of the United Kingdom, cited by X002."""
    data: dict[str, Any] = {
        "issuer": "GB", "number": number, "version": 1, "type": "LEGACY", "documentCode": "X002",
        "direction": "EXPORT", "status": "VALID", "issueDate": "2025-01-02", "validFrom": "2025-01-01",
        "validTo": "2099-12-31", "holder": {"name": "Holder", "eori": "XI896458895015", "country": "XI"},
        "authority": {"name": "Authority", "country": "GB"}, "destinations": ["GB"],
        "lines": [{"line": line, "description": "item", "control": "QUANTITY",
                   "quantity": {"amount": amount, "unit": unit}} for line, amount in lines.items()],
    }  # fmt: skip
    at = "2025-01-02T08:00:00Z"
    return event(LICENCES, f"GB/{number}", f"{number}-1", "licensing.licence.issued.v1", data, at)


async def claims(world: BridgeWorld, decl_id: str) -> dict[int, tuple[str, str, int, str]]:
    """Item to (licence, state, line, reasons) of the claims that count."""
    rows = await world.connection.fetch(
        "SELECT item, licence_id, state, line_no, reasons FROM claim WHERE decl_id = $1 AND state <> 'CLOSED'", decl_id
    )
    return {row[0]: tuple(row)[1:] for row in rows}


async def test_licence_write_offs_of_a_real_declaration(
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    sample = (SAMPLES / "TT_EX013b.xml").read_bytes()
    declaration = message(sample.replace(b"<LPCOExemptionCode>EA<", b"<LPCOExemptionCode>EP<"))
    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path) as world:
        await world.process.start()
        await world.publish([declaration, ACCEPTED])
        await world.settle(2)
        waiting = await claims(world, MRN)
        assert {item: (row[0], row[1], row[2]) for item, row in waiting.items()} == {
            1: ("GB/GBOIE920001", "WAITING", 2),
            2: ("GB/GBOGE920002", "WAITING", 1),
        }
        await world.publish(
            [
                uk_licence("GBOIE920001", {1: "5", 2: "50"}, "KGMG"),
                uk_licence("GBOGE920002", {1: "200"}, "KGM"),
            ]
        )
        await world.settle(4)
        settled = await claims(world, MRN)
        assert settled[1] == ("GB/GBOIE920001", "RESERVED", 2, "")
        assert settled[2] == ("GB/GBOGE920002", "REFUSED", 1, "UNIT_MISMATCH")
        await world.publish([CLEARED, declaration])
        await world.settle(5)
        assert (await claims(world, MRN))[1][1] == "CONSUMED"
        held = await world.connection.fetchval(
            "SELECT trim_scale(consumed)::text FROM account WHERE licence_id = 'GB/GBOIE920001' AND line_no = 2"
        )
        assert held == "10"
        await world.check_outputs()


async def test_licences_that_a_simplified_declaration_wrote_off_are_not_written_off_again(
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    """As published, both documents have the status EA."""
    declaration = message((SAMPLES / "TT_EX013b.xml").read_bytes())
    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path) as world:
        await world.process.start()
        await world.publish([uk_licence("GBOIE920001", {1: "5", 2: "50"}, "KGMG"), declaration, ACCEPTED, CLEARED])
        await world.settle(4)
        assert await claims(world, MRN) == {}
        assert await world.connection.fetchval("SELECT sum(consumed + reserved) FROM account") == 0
        await world.check_outputs()


async def test_a_real_declaration_with_its_notifications_moves_nothing(
    database_url: str, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    folder = SAMPLES / "TT_EX011a"
    files = [folder / "TT_EX011a.xml", *sorted(folder.glob("0*.xml"))]
    async with bridge_world(database_url, bootstrap_servers, topic_prefix, tmp_path) as world:
        await world.process.start()
        await world.publish([message(file.read_bytes()) for file in files])
        await world.settle(len(files))
        assert await world.connection.fetchval("SELECT count(*) FROM claim") == 0
        assert await world.connection.fetchval("SELECT count(*) FROM movement") == 0
        row = await world.connection.fetchrow("SELECT state, lrn FROM declaration WHERE decl_id = '24GB0MC86MH6WYKAA3'")
        assert row is not None
        assert tuple(row) == ("RELEASED", "7849431KJ7CH")
        await world.check_outputs()
