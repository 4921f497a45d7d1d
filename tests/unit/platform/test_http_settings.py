"""Settings of the HTTP server: no open door by omission, and what belongs together is asked for together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.platform.settings import PREFIX, Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.pem"
    path.write_text("x", "utf-8")
    return path


def oauth(file: Path, **more: Any) -> dict[str, Any]:
    return {
        "gateway_auth": "oauth",
        "callers_file": file,
        "oidc_issuer": "https://issuer.example.invalid",
        "oidc_audience": "bridge",
        "oidc_jwks_url": "https://issuer.example.invalid/jwks",
        **more,
    }


def load(**settings: Any) -> Settings:
    return Settings.load(**{"roles": "gateway", **settings})


def refused(**settings: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(**settings)
    return str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_no_proof_of_identity_on_this_machine_only(host: str) -> None:
    assert load(http_host=host).gateway_auth == "none"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "gateway.example.invalid"])  # noqa: S104  # refused
def test_no_proof_of_identity_is_refused_elsewhere(host: str) -> None:
    text = refused(http_host=host)
    assert "CERTEX_GATEWAY_AUTH: none is for this machine only" in text
    assert "CERTEX_HTTP_HOST" in text


def test_no_proof_of_identity_is_refused_behind_a_proxy() -> None:
    assert "not behind a proxy" in refused(http_behind_tls=True)
    assert "not with CERTEX_HTTP_BEHIND_TLS" in refused(http_behind_tls=True, console_auth="local")
    assert load(http_behind_tls=True, roles="intake").http_behind_tls


def test_a_process_without_the_gateway_listens_where_it_likes() -> None:
    settings = load(http_host="0.0.0.0", roles="intake,relay")  # noqa: S104  # health only
    assert settings.gateway_auth == "none"


def test_tokens_do_not_travel_in_the_clear(file: Path) -> None:
    assert load(**oauth(file)).oidc_audience == "bridge"
    outside = oauth(file, http_host="10.0.0.5")
    assert "tokens must not travel in the clear" in refused(**outside)
    assert load(**outside, http_behind_tls=True).http_behind_tls
    assert load(**outside, http_ssl_certfile=file, http_ssl_keyfile=file).http_ssl_certfile == file


def test_client_certificates_need_an_authority_and_that_needs_tls(file: Path) -> None:
    own = {"http_ssl_certfile": file, "http_ssl_keyfile": file}
    assert "mtls needs CERTEX_HTTP_SSL_CLIENT_CAFILE" in refused(gateway_auth="mtls", callers_file=file, **own)
    assert "both needs CERTEX_HTTP_SSL_CLIENT_CAFILE" in refused(**oauth(file, gateway_auth="both"))
    assert load(gateway_auth="mtls", callers_file=file, http_ssl_client_cafile=file, **own)
    assert "CERTEX_HTTP_SSL_CLIENT_CAFILE: has no effect" in refused(http_ssl_client_cafile=file)
    assert "CERTEX_HTTP_SSL_KEYFILE: must be given together" in refused(http_ssl_certfile=file)


def test_tokens_need_issuer_audience_keys_and_callers() -> None:
    text = refused(gateway_auth="oauth")
    for name in ("CALLERS_FILE", "OIDC_ISSUER", "OIDC_AUDIENCE", "OIDC_JWKS_URL"):
        assert f"CERTEX_{name}: is needed with CERTEX_GATEWAY_AUTH=oauth" in text


@pytest.mark.parametrize("url", ["http://issuer.example.invalid/jwks", "file:///etc/keys", "https:///keys", "keys"])
def test_keys_come_over_https(url: str, file: Path) -> None:
    assert "CERTEX_OIDC_JWKS_URL: must be an address with https" in refused(**oauth(file, oidc_jwks_url=url))
    assert load(**oauth(file, oidc_jwks_url="http://127.0.0.1:8/keys"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "CERTEX_CALLERS_FILE: no readable file at" in refused(callers_file=tmp_path / "callers.toml")
    assert "CERTEX_OIDC_CAFILE: no readable file at" in refused(oidc_cafile=tmp_path)
