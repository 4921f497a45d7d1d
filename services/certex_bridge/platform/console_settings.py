"""Settings of the console; a part of `Settings`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode

from certex_bridge.platform.http_settings import HttpSettings
from certex_bridge.platform.setting_types import LOOPBACK, PREFIX, HttpsAddress, Mapping, Seconds

KEY_LENGTH_MIN = 32
ConsoleRole = Literal["auditor", "operator", "licensing_officer", "customs_officer"]


class ConsoleSettings(BaseSettings):
    """How people are known to the console, and how long they stay so."""

    model_config = HttpSettings.model_config  # of several bases the last one's counts

    console_auth: Literal["off", "local", "oidc"] = "off"
    """Pages for people at /console of the role gateway: off, behind OpenID Connect (oidc), or for named persons without
    password (local), which is for a demo on loopback only."""
    console_url: HttpsAddress = ""
    """Address at which browsers reach the gateway, without path; needed for oidc."""
    console_key: SecretStr = SecretStr("")
    """Key of at least 32 characters that signs sessions, the same for all gateways; empty: a new one at each start."""
    console_idle_seconds: Seconds = 1_800
    """A session without a click for so long is over."""
    console_session_seconds: Seconds = 900
    """So long the issuer's word about a person and their roles counts. The next click then goes by way of the issuer,
    which asks nothing of those who are still logged in there."""
    console_logins_per_minute: int = Field(60, ge=1, le=100_000)
    """Logins and forms of strangers from one address; behind a proxy all people have its address."""
    console_oidc_issuer: str = ""
    """Issuer that identity tokens must name (`iss`)."""
    console_oidc_client: str = ""
    """Client id of the console at the issuer; also the audience of its identity tokens."""
    console_oidc_secret: SecretStr = SecretStr("")
    """Client secret; empty for a public client, which PKCE protects."""
    console_oidc_authorize_url: HttpsAddress = ""
    """Where people log in (authorization endpoint)."""
    console_oidc_token_url: HttpsAddress = ""
    """Where the code is exchanged for the identity token (token endpoint)."""
    console_oidc_jwks_url: HttpsAddress = ""
    """Where the issuer publishes its keys."""
    console_oidc_scope: str = "openid profile"
    """Scopes asked for, with spaces."""
    console_oidc_roles_claim: str = Field("roles", min_length=1)
    """Claim of the identity token with the person's groups: a list, or words with spaces."""
    console_oidc_roles: Annotated[dict[str, ConsoleRole], NoDecode, Mapping] = Field({})
    """Role in the console by value of that claim, as JSON; empty: the values are the roles' own names."""
    console_oidc_state_claim: str = ""
    """Claim with the member state of an officer: licensing and customs officers then see no other's data. Empty: they
    see everything."""

    @field_validator("console_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < KEY_LENGTH_MIN:
            raise ValueError(f"must have at least {KEY_LENGTH_MIN} characters")
        return value

    @field_validator("console_auth")
    @classmethod
    def _local_on_loopback(cls, value: str, info: ValidationInfo) -> str:
        if value == "local" and info.data.get("http_behind_tls"):
            raise ValueError(f"local asks nobody for a password: not with {PREFIX}HTTP_BEHIND_TLS, choose oidc")
        if value == "local" and info.data.get("http_host") not in LOOPBACK:
            raise ValueError(f"local asks nobody for a password: let {PREFIX}HTTP_HOST be 127.0.0.1, or choose oidc")
        return value

    @field_validator(
        "console_url", "console_oidc_issuer", "console_oidc_client", "console_oidc_authorize_url",
        "console_oidc_token_url", "console_oidc_jwks_url",
    )  # fmt: skip
    @classmethod
    def _needed(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("console_auth") == "oidc":
            raise ValueError(f"is needed with {PREFIX}CONSOLE_AUTH=oidc")
        return value.rstrip("/") if info.field_name == "console_url" else value
