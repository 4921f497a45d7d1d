"""Where an address leads, and that nothing goes to another machine in the clear unless it is asked for."""

from __future__ import annotations

import ssl

import pytest

from certex_bridge.platform.database_address import hosts, is_local, shown_address
from certex_bridge.platform.postgres import ssl_argument
from certex_bridge.platform.settings import Settings

LOCAL = [
    ("postgresql:///certex", ""),
    ("postgresql://u:p@127.0.0.1:5432/certex", ""),
    ("postgresql://u:p@localhost,127.0.0.1:5433/certex", ""),
    ("postgresql://u:p@[::1]:5432/certex", ""),
    ("postgresql://u:p@%2Fvar%2Frun%2Fpostgresql/certex", ""),
    ("postgresql:///certex?host=/var/run/postgresql", "db.example.org"),
    ("postgresql:///certex", "/var/run/postgresql"),
]
REMOTE = [
    ("postgresql://u:p@db.example.org/certex", ""),
    ("postgresql:///certex?host=db.example.org", ""),
    ("postgresql://u:p@/certex?host=localhost,db.example.org", ""),
    ("postgresql://u:p@127.0.0.1:5432,db.example.org:5432/certex", ""),
    ("postgresql://u:p@127.0.0.1/certex?host=db.example.org", ""),
    ("postgresql://u:p@/certex", "db.example.org"),
    ("postgresql:///certex?service=ledger", ""),
    ("postgresql://u:p@10.0.0.7/certex", ""),
    ("postgresql://u:p@[2001:db8::1]:5432/certex", ""),
]


@pytest.mark.parametrize(("url", "variable"), LOCAL)
def test_on_this_machine_plain_is_fine(url: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", variable)
    assert is_local(url)
    assert ssl_argument(Settings.load(), url) is False


@pytest.mark.parametrize(("url", "variable"), REMOTE)
def test_whatever_may_lead_elsewhere_is_verified(url: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", variable)
    context = ssl_argument(Settings.load(), url)
    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_a_service_of_the_environment_may_lead_anywhere() -> None:
    assert not is_local("postgresql:///certex", {"PGSERVICE": "ledger"})


def test_what_the_address_says_of_encryption_is_left_to_the_driver() -> None:
    assert ssl_argument(Settings.load(), "postgresql://u:p@db.example.org/certex?sslmode=verify-ca") is None


def test_hosts_are_those_of_the_list() -> None:
    assert hosts("postgresql://u:p@h1:5432,h2:5433/certex") == ["h1", "h2"]
    assert hosts("postgresql://u:p@/certex?host=h3", {"PGHOST": "h4"}) == ["h3"]


def test_an_address_is_shown_without_its_password() -> None:
    shown = shown_address("postgresql://u:hunter2@h1:5432,h2:5432/certex")
    assert shown == "PostgreSQL at h1:5432,h2:5432/certex"
    assert shown_address("postgresql:///certex") == "PostgreSQL at the local socket/certex"
