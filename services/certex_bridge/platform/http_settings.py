"""Settings of the HTTP server and the gateway: where it listens, TLS, who may call, limits of one request.

A part of `Settings`; apart so that what depends on each other is checked in one place.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from certex_bridge.platform.setting_types import (
    DEFAULT_ROLES,
    LOOPBACK,
    PREFIX,
    Count,
    HttpsAddress,
    Milliseconds,
    ReadableFile,
    Role,
    Seconds,
    Words,
)

Auth = Literal["none", "oauth", "mtls", "both"]


class HttpSettings(BaseSettings):
    """What the HTTP server of a process needs to know."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="ignore",
        validate_default=True,
        env_ignore_empty=True,
        use_attribute_docstrings=True,
    )

    # --- what runs here
    roles: Annotated[tuple[Role, ...], NoDecode, Words] = Field(DEFAULT_ROLES, min_length=1)
    """Roles of this process, with commas."""
    http_host: str = "127.0.0.1"
    """Address the gateway and the console listen on; 0.0.0.0 in a container."""
    http_port: int = Field(8080, ge=0, le=65535)
    """Port of the gateway and the console; 0 takes a free one. Other roles do not listen there."""
    health_host: str = "127.0.0.1"
    """Address of probes and metrics; 0.0.0.0 in a container."""
    health_port: int = Field(8081, ge=0, le=65535)
    """Port of probes and metrics of every process, without TLS and for everybody who reaches it; 0 takes a free one."""
    http_ssl_certfile: ReadableFile = None
    """Server certificate with its chain (PEM): the HTTP server then speaks TLS 1.2 or newer only."""
    http_ssl_keyfile: ReadableFile = None
    """Private key (PEM) of the server certificate."""
    http_ssl_key_password: SecretStr = SecretStr("")
    """Password of the private key, when it has one."""
    http_ssl_client_cafile: ReadableFile = None
    """Authorities (PEM) that may sign callers' certificates; a certificate of another one ends the handshake."""
    http_behind_tls: bool = False
    """TLS ends at a proxy in front of this process, which alone can reach it."""

    # --- who may call the gateway
    gateway_auth: Auth = "none"
    """How callers prove who they are: OAuth 2.0 tokens, client certificates, either; none on loopback only."""
    callers_file: ReadableFile = None
    """TOML file of the callers with their rights; read again when it changes."""
    callers_poll_seconds: Seconds = 5
    """How often the file of the callers is looked at."""
    oidc_issuer: str = ""
    """Issuer that tokens must name (`iss`)."""
    oidc_audience: str = ""
    """Audience that tokens must name (`aud`)."""
    oidc_jwks_url: HttpsAddress = ""
    """Where the issuer publishes its keys."""
    oidc_cafile: ReadableFile = None
    """Certificate authorities (PEM) that may sign the issuer's server; empty: the system's."""
    oidc_sub_is_client: bool = False
    """Whether `sub` names the client of a token that has neither `client_id` nor `azp`. Only for an issuer that serves
    no people: else a person called like a client would be that caller."""
    oidc_leeway_seconds: float = Field(5, ge=0, le=60)
    """How far the clocks of issuer and bridge may differ."""
    oidc_keys_poll_seconds: Seconds = 300
    """How often the issuer's keys are fetched without need; a key it withdrew is refused from then on."""
    oidc_keys_pause_seconds: Seconds = 10
    """Shortest time between two fetches, however many tokens name unknown keys."""

    # --- limits of one request
    gateway_body_bytes_max: Count = 1_048_576
    """Largest request body."""
    gateway_body_seconds: float = Field(10, gt=0, le=20)
    """Time within which a request body must have arrived; the server ends any request 30 s after its first byte."""
    gateway_handler_seconds: Seconds = 20
    """Time within which an answer must have begun."""
    gateway_gather_ms: float = Field(2, ge=0, le=50)
    """How long a movement waits for others to share its transaction; 0: each has its own."""
    gateway_database_wait_ms: Milliseconds = 200
    """How long a call waits for a database connection before it counts as away."""
    gateway_check_budget_ms: Milliseconds = 50
    """Time for one availability check; past it the answer is what is known, with its age."""

    @field_validator("health_port")
    @classmethod
    def _port_of_its_own(cls, value: int, info: ValidationInfo) -> int:
        if value and value == info.data.get("http_port") and "gateway" in info.data.get("roles", ()):
            raise ValueError(f"must be another one than {PREFIX}HTTP_PORT: whoever calls the gateway reads no metrics")
        return value

    @field_validator("http_ssl_keyfile")
    @classmethod
    def _server_key(cls, value: ReadableFile, info: ValidationInfo) -> ReadableFile:
        if "http_ssl_certfile" in info.data and (value is None) != (info.data["http_ssl_certfile"] is None):
            raise ValueError(f"must be given together with {PREFIX}HTTP_SSL_CERTFILE")
        return value

    @field_validator("http_ssl_client_cafile")
    @classmethod
    def _client_authorities(cls, value: ReadableFile, info: ValidationInfo) -> ReadableFile:
        if value is not None and info.data.get("http_ssl_certfile", value) is None:
            raise ValueError(f"has no effect without {PREFIX}HTTP_SSL_CERTFILE")
        return value

    @field_validator("gateway_auth")
    @classmethod
    def _proof_of_identity(cls, value: Auth, info: ValidationInfo) -> Auth:
        data = info.data
        if "gateway" not in data.get("roles", ()):
            return value
        local = data.get("http_host") in LOOPBACK
        if value == "none" and not local:
            raise ValueError(
                f"none is for this machine only: choose oauth, mtls or both, or let {PREFIX}HTTP_HOST be 127.0.0.1"
            )
        if value == "none" and data.get("http_behind_tls"):
            raise ValueError(f"none is for this machine only, not behind a proxy: unset {PREFIX}HTTP_BEHIND_TLS")
        if value in {"mtls", "both"} and data.get("http_ssl_client_cafile", "wrong") is None:
            raise ValueError(f"{value} needs {PREFIX}HTTP_SSL_CLIENT_CAFILE, which needs {PREFIX}HTTP_SSL_CERTFILE")
        open_to_all = data.get("http_ssl_certfile", "wrong") is None and not data.get("http_behind_tls")
        if value == "oauth" and not local and open_to_all:
            raise ValueError(
                f"tokens must not travel in the clear: set {PREFIX}HTTP_SSL_CERTFILE, or {PREFIX}HTTP_BEHIND_TLS "
                "where a proxy ends TLS"
            )
        return value

    @field_validator("callers_file")
    @classmethod
    def _callers(cls, value: ReadableFile, info: ValidationInfo) -> ReadableFile:
        if value is None and _asks(info, "oauth", "mtls", "both"):
            raise ValueError(f"is needed with {PREFIX}GATEWAY_AUTH={info.data['gateway_auth']}")
        return value

    @field_validator("oidc_issuer", "oidc_audience", "oidc_jwks_url")
    @classmethod
    def _issuer(cls, value: str, info: ValidationInfo) -> str:
        if not value and _asks(info, "oauth", "both"):
            raise ValueError(f"is needed with {PREFIX}GATEWAY_AUTH={info.data['gateway_auth']}")
        return value


def _asks(info: ValidationInfo, *kinds: Auth) -> bool:
    return info.data.get("gateway_auth") in kinds and "gateway" in info.data.get("roles", ())
