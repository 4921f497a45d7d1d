"""Settings: what is wrong is named by its variable, secrets never show, the reference page is fresh."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, get_args

import pytest

from certex_bridge.customs.licence_documents import StatusEffect
from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.ledger.domain.policy import FigureSource, SettleGroup
from certex_bridge.ledger.domain.reasons import COMPARISONS
from certex_bridge.platform import settings_reference
from certex_bridge.platform.setting_types import Comparison, DocumentStatus
from certex_bridge.platform.setting_types import FigureSource as FigureSourceWord
from certex_bridge.platform.settings import PREFIX, Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def refused(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        Settings.load()
    return str(caught.value)


def test_defaults_are_valid_and_frozen() -> None:
    settings = Settings.load()
    assert settings.roles == ("intake", "relay", "worker")
    with pytest.raises(ValueError, match="frozen"):
        settings.http_port = 1  # type: ignore[misc]


def test_every_setting_says_what_it_is() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith((".", ")")), name


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_durations_carry_their_unit(name: str) -> None:
    timed = any(word in name for word in ("timeout", "interval", "poll", "wait", "backoff", "linger"))
    assert not timed or name.endswith(("_ms", "_seconds", "_ms_max")), name


def test_lists_and_mappings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTEX_ROLES", "intake, relay")
    monkeypatch.setenv("CERTEX_ENFORCE_MISMATCHES", "HOLDER,ORIGIN")
    monkeypatch.setenv("CERTEX_DECLARED_FIGURE_LADDER", "DOCUMENT,NET_MASS")
    monkeypatch.setenv("CERTEX_LEGACY_DOCUMENT_CODES", '{"GB": ["X002"], "XI": ["X002"]}')
    monkeypatch.setenv("CERTEX_CALENDAR_ZONES", '{"MT": "Europe/Malta"}')
    settings = Settings.load()
    assert settings.roles == ("intake", "relay")
    assert settings.enforce_mismatches == {"HOLDER", "ORIGIN"}
    assert settings.declared_figure_ladder == ("DOCUMENT", "NET_MASS")
    assert settings.legacy_document_codes["XI"] == ("X002",)
    assert settings.calendar_zones == {"MT": "Europe/Malta"}


def test_all_wrong_variables_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = refused(
        monkeypatch,
        CERTEX_HTTP_PORT="70000",
        CERTEX_ROLES="intake,cook",
        CERTEX_CALENDAR_ZONES='{"X": "Mars/Base"}',
        CERTEX_LEGACY_DOCUMENT_CODES="{",
        CERTEX_KAFKA_BOOTSTRAP_SERVERS="broker",
        CERTEX_WATCHDOG_STUCK_SECONDS="0",
    )
    for name in ("HTTP_PORT", "ROLES", "CALENDAR_ZONES", "LEGACY_DOCUMENT_CODES", "KAFKA_BOOTSTRAP_SERVERS"):
        assert f"CERTEX_{name}: " in text
    assert "CERTEX_WATCHDOG_STUCK_SECONDS: " in text
    assert "Mars/Base" in text


def test_a_wrong_address_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    text = refused(monkeypatch, CERTEX_DATABASE_URL="mysql://user:hunter2@host/db")
    assert "CERTEX_DATABASE_URL: " in text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "KAFKA_SASL_MECHANISM"),
        ({"KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SECURITY_PROTOCOL": "SSL"}, "KAFKA_SASL_MECHANISM"),
        ({"KAFKA_SASL_MECHANISM": "SCRAM-SHA-512", "KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "KAFKA_PASSWORD"),
        ({"KAFKA_SASL_MECHANISM": "OAUTHBEARER", "KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "KAFKA_OAUTH_TOKEN_URL"),
        ({"KAFKA_OAUTH_TOKEN_URL": "http://identity.example/token"}, "KAFKA_OAUTH_TOKEN_URL"),
        ({"KAFKA_SSL_CAFILE": "/does/not/exist.pem"}, "KAFKA_SSL_CAFILE"),
        ({"KAFKA_HEARTBEAT_MS": "9000"}, "KAFKA_HEARTBEAT_MS"),
        ({"DATABASE_POOL_MIN": "15"}, "DATABASE_POOL_MAX"),
        ({"DATABASE_POOL_MAX": "7"}, "DATABASE_POOL_MAX"),
        ({"DATABASE_POOL_MAX": "13", "ROLES": "intake,relay,worker,gateway"}, "DATABASE_POOL_MAX"),
        ({"ROLES": "gateways"}, "ROLES"),
        ({"GATEWAY_GATHER_MS": "51"}, "GATEWAY_GATHER_MS"),
        ({"BATCH_RECORDS_MAX": "0"}, "BATCH_RECORDS_MAX"),
    ],
)
def test_settings_that_do_not_fit_each_other(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str
) -> None:
    text = refused(monkeypatch, **{PREFIX + name: value for name, value in variables.items()})
    assert f"{PREFIX}{named}: " in text


def test_a_client_certificate_needs_its_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "client.pem"
    file.write_text("-")
    assert "CERTEX_KAFKA_SSL_KEYFILE: " in refused(monkeypatch, CERTEX_KAFKA_SSL_CERTFILE=str(file))


def test_every_setting_is_read_somewhere(project_root: Path) -> None:
    own = {"settings.py", "settings_reference.py"}
    services = project_root / "services"
    code = "\n".join(file.read_text("utf-8") for file in services.rglob("*.py") if file.name not in own)
    assert not [name for name in Settings.model_fields if not re.search(rf"settings\.{name}\b", code)]


def test_secrets_do_not_show() -> None:
    settings = Settings.load(database_url="postgresql://u:hunter2@h/d", kafka_password="hunter2")
    assert "hunter2" not in repr(settings) + str(settings) + settings.model_dump_json()


def test_secrets_may_be_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "certex_database_url").write_text("postgresql://u:p@h/d\n")
    monkeypatch.setenv("CERTEX_SECRETS_DIR", str(tmp_path))
    assert Settings.load().database_url.get_secret_value() == "postgresql://u:p@h/d"


def test_servers_are_asked_for_by_name() -> None:
    with pytest.raises(ConfigurationError, match="CERTEX_KAFKA_BOOTSTRAP_SERVERS and CERTEX_DATABASE_URL must be set"):
        Settings.load().require_servers()
    Settings.load(kafka_bootstrap_servers="a:1, b:2", database_url="postgresql://u:p@h/d").require_servers()


def test_a_misspelt_variable_is_pointed_out() -> None:
    environment = {"CERTEX_KAFKA_GRUOP": "x", "CERTEX_BRIDGE_SERVICE_HOST": "10.0.0.1", "CERTEX_ROLES": "intake"}
    assert settings_reference.misspelt_variables(environment) == {"CERTEX_KAFKA_GRUOP": "CERTEX_KAFKA_GROUP"}


def test_the_words_are_those_of_the_ledger() -> None:
    assert set(get_args(Comparison)) == {rule.value for rule in COMPARISONS}
    assert set(get_args(DocumentStatus)) == {effect.value for effect in StatusEffect}
    assert set(get_args(FigureSourceWord)) == {source.value for source in FigureSource}
    assert set(get_args(Settings.model_fields["settle_group"].annotation)) == {group.value for group in SettleGroup}


def test_the_reference_page_is_fresh(project_root: Path) -> None:
    page = (project_root / "docs" / "reference" / "settings.md").read_text("utf-8")
    assert page == settings_reference.render(), "run make contracts"
