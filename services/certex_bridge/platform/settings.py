"""Every setting of the bridge: an environment variable CERTEX_…, validated at start, documented where it is defined.

The reference page docs/reference/settings.md is generated from this class (`settings_reference.render`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.platform.console_settings import ConsoleSettings
from certex_bridge.platform.http_settings import HttpSettings
from certex_bridge.platform.push_settings import PushSettings
from certex_bridge.platform.quota_settings import QuotaSettings
from certex_bridge.platform.setting_types import (
    CONNECTIONS,
    LOOPBACK,
    PREFIX,
    Comparison,
    Count,
    DocumentStatus,
    FigureSource,
    Mapping,
    Milliseconds,
    Seconds,
    Words,
    Zone,
    needs_https,
)
from certex_bridge.platform.trace_settings import TraceSettings

__all__ = ["LOOPBACK", "PREFIX", "Settings"]


class Settings(ConsoleSettings, HttpSettings, PushSettings, QuotaSettings, TraceSettings):
    """All settings; immutable after the start."""

    # --- the process
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe level that is logged."""
    log_format: Literal["json", "console"] = "json"
    """JSON lines, or a readable form for a terminal."""
    graceful_stop_seconds: Seconds = 15
    """Time for an orderly stop; keep it below the pod's grace period."""
    watchdog_stuck_seconds: Seconds = 60
    """Without progress for this long although work waits, the process ends itself."""
    watchdog_poll_seconds: Seconds = 5
    """How often the watchdog looks."""

    # --- Kafka
    kafka_bootstrap_servers: str = ""
    """Brokers, host:port with commas; empty: the embedded broker."""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """SSL and SASL_SSL check the broker's certificate and name."""
    kafka_sasl_mechanism: Literal["", "PLAIN", "SCRAM-SHA-512", "OAUTHBEARER"] = ""
    """How the client proves who it is, for SASL_PLAINTEXT and SASL_SSL."""
    kafka_username: str = ""
    """User name for PLAIN and SCRAM-SHA-512."""
    kafka_password: SecretStr = SecretStr("")
    """Password for PLAIN and SCRAM-SHA-512."""
    kafka_ssl_cafile: Path | None = None
    """Certificate authorities (PEM) that may sign brokers; empty: the system's."""
    kafka_ssl_certfile: Path | None = None
    """Client certificate (PEM) for mutual TLS."""
    kafka_ssl_keyfile: Path | None = None
    """Private key (PEM) of the client certificate."""
    kafka_ssl_key_password: SecretStr = SecretStr("")
    """Password of the private key, when it has one."""
    kafka_oauth_token_url: str = ""
    """Token endpoint (client credentials) for OAUTHBEARER."""
    kafka_oauth_client_id: str = ""
    """Client id at the token endpoint."""
    kafka_oauth_client_secret: SecretStr = SecretStr("")
    """Client secret at the token endpoint."""
    kafka_oauth_scope: str = ""
    """Scope asked for at the token endpoint."""
    kafka_oauth_skew_seconds: Seconds = 30
    """A token is renewed this long before it expires."""
    kafka_group: str = Field("certex-bridge", min_length=1, max_length=249)
    """Consumer group; also the prefix of client ids."""
    kafka_group_instance: str = ""
    """Static group membership (the pod's stable name); empty: dynamic."""
    kafka_session_timeout_ms: int = Field(15_000, ge=1_000)
    """A member silent for this long loses its partitions."""
    kafka_heartbeat_ms: int = Field(3_000, ge=100)
    """Interval of heartbeats; at most a third of the session time-out."""
    kafka_poll_interval_ms_max: int = Field(300_000, ge=1_000)
    """A member that does not poll for this long loses its partitions."""
    kafka_fetch_wait_ms: Milliseconds = 50
    """How long a broker may hold back a fetch; empty partitions delay full ones by as much."""
    kafka_fetch_bytes_max: Count = 16_777_216
    """Bytes of one fetch over all partitions: bounds memory."""
    kafka_request_timeout_ms: int = Field(30_000, ge=100)
    """Time-out of one request to a broker."""
    kafka_metadata_ms: int = Field(5_000, ge=100)
    """How old a client's knowledge of topics may get: partitions that are added are read after about this long."""
    kafka_linger_ms: int = Field(0, ge=0)
    """How long a producer waits for more records of a batch."""
    kafka_compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = "none"
    """Compression of what we publish."""
    kafka_batch_bytes_max: Count = 262_144
    """Bytes of one batch we publish into one partition."""
    kafka_message_bytes_max: Count = 1_048_576
    """Largest record we publish, as the broker counts it; not above its message.max.bytes. One that is larger is
    compressed by itself first (zstd, or what CERTEX_KAFKA_COMPRESSION says)."""
    topic_prefix: str = Field("", pattern=r"^[A-Za-z0-9._-]*$", max_length=100)
    """Put before every topic name; for tests and shared clusters."""
    kafka_delivery_seconds: Seconds = 60
    """A record the broker has not confirmed for this long counts as failed and is published again."""
    topics_create: bool = False
    """Create missing topics at start; production principals have no right to."""
    topic_replication: int = Field(0, ge=0, le=32767)
    """Replicas of topics we create; 0: as contracts/topics.yaml says, never more than brokers."""
    topic_partitions: int = Field(0, ge=0, le=1_000)
    """Partitions of topics we create; 0: as contracts/topics.yaml says."""
    batch_records_max: int = Field(500, ge=1, le=10_000)
    """Records of one consumed batch: one database transaction."""
    batch_wait_ms: Milliseconds = 20
    """How long one poll waits for records."""

    # --- PostgreSQL
    database_url: SecretStr = SecretStr("")
    """postgresql://user:password@host:port/database; empty: the embedded server."""
    database_migration_url: SecretStr = SecretStr("")
    """The same for the role that owns the schema; empty: database_url."""
    database_ssl_mode: Literal["auto", "disable", "require", "verify-ca", "verify-full"] = "auto"
    """auto: what the URL says, else verify-full, and plain on loopback."""
    database_ssl_rootcert: Path | None = None
    """Certificate authorities (PEM) that may sign the server; empty: the system's."""
    database_ssl_cert: Path | None = None
    """Client certificate (PEM)."""
    database_ssl_key: Path | None = None
    """Private key (PEM) of the client certificate."""
    database_pool_min: int = Field(1, ge=0)
    """Connections kept open."""
    database_pool_max: Count = 14
    """Most connections of this process; each role needs some (relay 1, intake 2, worker 6, gateway 4), health 1."""
    database_capacity_bytes: int = Field(0, ge=0)
    """What the disk of the database was planned for: beyond four fifths of it an alert is raised; 0: not told."""
    database_connect_seconds: Seconds = 10
    """Time-out of one connection attempt, and of waiting for a free connection."""
    database_async_commit: bool = False
    """Accept a server with synchronous_commit off: a crash may then lose answered reservations."""
    database_async_replicas: bool = False
    """Accept replicas the server does not wait for: no failover goes to them, or its losses are accepted."""
    lock_timeout_ms: Milliseconds = 5_000
    """Longest wait for a row lock; the batch is then tried again."""
    statement_timeout_ms: Milliseconds = 30_000
    """Longest run of one statement."""
    idle_transaction_timeout_ms: Milliseconds = 60_000
    """The server ends a transaction idle for this long (a frozen process holds no locks)."""
    retry_attempts_max: Count = 8
    """Attempts for a batch that fails for a reason that does not pass by itself; then the process ends."""
    retry_backoff_ms: Milliseconds = 50
    """First pause between attempts; doubles, with jitter."""
    retry_backoff_ms_max: Milliseconds = 5_000
    """Longest pause between attempts."""

    # --- limits of what we accept
    decode_seconds: float = Field(5, ge=0.1, le=15)
    """Time for decoding one record; beyond it the record goes to quarantine. Well below the watchdog's."""
    message_bytes_max: Count = 4_194_304
    """Largest customs message of a national profile: 999 goods items take a little over 2 MiB."""
    licence_document_bytes_max: int = Field(524_288, ge=0, le=750_000)
    """Largest document (PDF, XML) attached to a licence; its event must hold it in base 64. 0: none is taken."""
    quarantine_run_max: int = Field(1_000, ge=0)
    """More records of one partition in a row that cannot be decoded stop the intake; 0: no limit."""

    # --- relay, workers
    relay_batch_max: Count = 1_000
    """Outbox rows published at a time."""
    relay_poll_ms: Milliseconds = 50
    """Pause of the relay when the outbox is empty."""
    worker_poll_ms: Milliseconds = 200
    """Pause of the wake worker when nothing waits."""
    timers_poll_seconds: Seconds = 60
    """How often expiry and other legal time limits are looked for."""
    clock_skew_seconds_max: Seconds = 10
    """Legal timers rest while the clocks of this process and of the database differ by more than this."""
    verify_poll_seconds: Seconds = 300
    """How often the ledger's invariants are measured, a part of the journal at a time."""
    seal_seconds: Seconds = 300
    """How often what was written is sealed and the seal published."""
    seal_key_file: Path | None = None
    """Ed25519 private key (PEM) that signs the seals; another file is another key, whose seals go on with the chain."""

    # --- policy
    reservation_idle_days: Count = 90
    """A reservation whose declaration no event has touched for so long is counted as idle; it stays."""
    settle_group: Literal["ITEM", "DECLARATION"] = "ITEM"
    """What is booked whole or not at all: a goods item, or the declaration."""
    enforce_mismatches: Annotated[frozenset[Comparison], NoDecode, Words] = frozenset()
    """Comparisons that refuse, with commas; the others are only reported."""
    unit_aliases: bool = False
    """Whether exact factors between units of one dimension are used (TNE = 1000 KGM)."""
    declared_figure_ladder: Annotated[tuple[FigureSource, ...], NoDecode, Words] = Field(("DOCUMENT",), min_length=1)
    """Where a declared figure may come from, in order, with commas."""
    figures_shown_to_customs: bool = True
    """Whether answers to customs carry the available figure."""
    legacy_document_codes: Annotated[dict[str, tuple[str, ...]], NoDecode, Mapping] = Field({"GB": ("X002",)})
    """Document codes outside TARIC's current list that an issuer still uses, as JSON."""
    document_statuses: Annotated[dict[str, dict[str, DocumentStatus]], NoDecode, Mapping] = Field({})
    """Meaning of national document statuses by country, as JSON, where it differs from the built-in table."""
    zero_quantity_countries: Annotated[frozenset[str], NoDecode, Words] = frozenset({"GB"})
    """Countries, with commas, whose declarants write the quantity 0 to have nothing written off from a licence."""
    certificate_types: Annotated[frozenset[str], NoDecode, Words] = frozenset()
    """Certificate types that are live beside dual-use (DUES), with commas; empty: every one that has a profile."""
    further_document_codes: Annotated[dict[str, tuple[str, ...]], NoDecode, Mapping] = Field({})
    """Document codes by licence type beside those of its profile, as JSON."""
    registration_required: Annotated[dict[str, tuple[str, ...]], NoDecode, Mapping] = Field({"*": ("X067", "X068")})
    """General authorisations by issuer (`*`: every other) that need a registration before first use, as JSON."""
    calendar_zone: Zone = "Europe/Brussels"
    """Legal time of a state that is not in the built-in list."""
    calendar_zones: Annotated[dict[str, Zone], NoDecode, Mapping] = Field({})
    """Legal time by state, as JSON, where it differs from the built-in list."""
    message_sender: str = Field("CERTEX-BRIDGE", min_length=1, max_length=35)
    """Sender in the header of our XML messages."""
    message_recipient: str = Field("EU-CSW-CERTEX", min_length=1, max_length=35)
    """Recipient in the header of our XML messages."""

    @field_validator("database_url", "database_migration_url")
    @classmethod
    def _database_address(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        parts = urlsplit(text)
        if text and (parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/")):
            # Never the address itself in the message: it holds the password.
            raise ValueError("must look like postgresql://user:password@host:port/database")
        return value

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _brokers(cls, value: str) -> str:
        for server in filter(None, (part.strip() for part in value.split(","))):
            host, _, port = server.rpartition(":")
            if not host or not port.isdecimal() or not 0 < int(port) < 65536:
                raise ValueError(f"{server!r} is not host:port")
        return value

    @field_validator(
        "kafka_ssl_cafile", "kafka_ssl_certfile", "kafka_ssl_keyfile",
        "database_ssl_rootcert", "database_ssl_cert", "database_ssl_key",
    )  # fmt: skip
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        if value is not None and not os.access(value, os.R_OK):
            raise ValueError(f"no readable file at {value}")
        return value

    @field_validator("kafka_sasl_mechanism")
    @classmethod
    def _mechanism(cls, value: str, info: ValidationInfo) -> str:
        sasl = str(info.data.get("kafka_security_protocol", "")).startswith("SASL")
        if sasl and not value:
            raise ValueError("is needed with the security protocols SASL_PLAINTEXT and SASL_SSL")
        if value and not sasl:
            raise ValueError("has no effect without the security protocol SASL_PLAINTEXT or SASL_SSL")
        return value

    @field_validator("kafka_username", "kafka_password")
    @classmethod
    def _credentials(cls, value: str | SecretStr, info: ValidationInfo) -> str | SecretStr:
        text = value if isinstance(value, str) else value.get_secret_value()
        if info.data.get("kafka_sasl_mechanism") in {"PLAIN", "SCRAM-SHA-512"} and not text:
            raise ValueError("is needed with the mechanisms PLAIN and SCRAM-SHA-512")
        return value

    @field_validator("kafka_oauth_token_url", "kafka_oauth_client_id", "kafka_oauth_client_secret")
    @classmethod
    def _oauth(cls, value: str | SecretStr, info: ValidationInfo) -> str | SecretStr:
        text = value if isinstance(value, str) else value.get_secret_value()
        if info.data.get("kafka_sasl_mechanism") == "OAUTHBEARER" and not text:
            raise ValueError("is needed with the mechanism OAUTHBEARER")
        if info.field_name == "kafka_oauth_token_url":
            needs_https(text)
        return value

    @field_validator("kafka_ssl_keyfile", "database_ssl_key")
    @classmethod
    def _key_with_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        certificate = {"kafka_ssl_keyfile": "kafka_ssl_certfile", "database_ssl_key": "database_ssl_cert"}
        other = certificate[str(info.field_name)]
        if other in info.data and (value is None) != (info.data[other] is None):
            raise ValueError(f"must be given together with {PREFIX}{other.upper()}")
        return value

    @field_validator("kafka_heartbeat_ms")
    @classmethod
    def _heartbeat(cls, value: int, info: ValidationInfo) -> int:
        if value * 3 > info.data.get("kafka_session_timeout_ms", value * 3):
            raise ValueError("must be at most a third of the session time-out")
        return value

    @field_validator("database_pool_max")
    @classmethod
    def _pool(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data.get("database_pool_min", 0):
            raise ValueError("must not be below the minimum of the pool")
        needed = 1 + sum(CONNECTIONS[role] for role in info.data.get("roles", ()))
        if value < needed:
            raise ValueError(f"must be at least {needed} with the roles {','.join(info.data['roles'])}")
        return value

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Read the environment, and files of the folder CERTEX_SECRETS_DIR; `overrides` win.

        Raises:
            ConfigurationError: names every wrong variable with a sentence.
        """
        folder = os.environ.get(PREFIX + "SECRETS_DIR")
        try:
            return cls(_secrets_dir=folder, **overrides)
        except ValidationError as error:
            raise ConfigurationError(_sentences(error), field=_variable(error.errors()[0]["loc"])) from None

    def require_servers(self, *, kafka: bool = True) -> None:
        """Check that real servers are named; without `kafka` only the database.

        Raises:
            ConfigurationError: names the missing variables.
        """
        servers = {"DATABASE_URL": self.database_url.get_secret_value()}
        if kafka:
            servers = {"KAFKA_BOOTSTRAP_SERVERS": self.kafka_bootstrap_servers, **servers}
        missing = [PREFIX + name for name, value in servers.items() if not value]
        if missing:
            raise ConfigurationError(f"{' and '.join(missing)} must be set.", field=missing[0])


def _variable(loc: tuple[int | str, ...]) -> str:
    return PREFIX + str(loc[0]).upper() if loc else PREFIX.rstrip("_")


def _sentences(error: ValidationError) -> str:
    lines = {f"{_variable(one['loc'])}: {one['msg'].removeprefix('Value error, ')}" for one in error.errors()}
    return "settings that cannot work:\n  " + "\n  ".join(sorted(lines))
