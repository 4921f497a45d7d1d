"""Callers of the gateway: who they are, what each may do, how often, and how answers to it behave.

Customs authorities, their single window and licensing authorities are callers; persons are not (officers are named in
the messages). Rights follow Implementing Regulation (EU) 2024/2145 Art. 5-11; staff categories of Art. 16.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from certex_bridge.kernel.countries import MEMBER_STATES
from certex_bridge.platform.setting_types import needs_https
from certex_bridge.singlewindow.refusals import Refusal

NAME_LENGTH = 35
"""messageSender is an..35."""
NORTHERN_IRELAND = "XI"
OPERATOR = "operator"
"""Who announced a notice where no caller did: no caller has this name."""

_NAME = r"^[!-~]([ -~]*[!-~])?$"
_CERTIFICATE_NAME = r"^(subject|DNS|URI|email):.+$"


class CallerRole(StrEnum):
    """What a caller is to the single window."""

    CLEARANCE = "clearance"
    CUSTOMS_OFFICER = "customs_officer"
    LICENSING_OFFICER = "licensing_officer"
    AUDITOR = "auditor"


class Mode(StrEnum):
    """What a negative verdict does to the caller's clearance."""

    BLOCK = "block"
    """It refuses."""
    WARN = "warn"
    """It is told, and nothing is refused."""
    SHADOW = "shadow"
    """It is recorded for the mismatch report, and not told in the answer."""


def _fingerprint(value: object) -> object:
    """`AB:CD:…` as certificate tools print it, and plain hexadecimal, are the same."""
    return value.replace(":", "").lower() if isinstance(value, str) else value


def _certificate_name(value: str) -> str:
    """DNS names and mailbox addresses do not depend on case; subjects and URIs do."""
    kind, _, name = value.partition(":")
    return f"{kind}:{name.lower()}" if kind in {"DNS", "email"} else value


def _no_operator(value: str) -> str:
    if value.casefold() == OPERATOR:
        raise ValueError("is the name of whoever runs the bridge")
    return value


def _member_state(value: str) -> str:
    if value not in MEMBER_STATES and value != NORTHERN_IRELAND:
        raise ValueError("must be a member state of the Union (Greece: GR) or XI")
    return value


def _lists_are_tuples(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Limits(_Part):
    """How much a caller may ask of one process."""

    rate: Annotated[float, Field(gt=0, le=100_000)] = 100.0
    """Calls per second in the long run."""
    burst: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Calls at once after a pause."""
    concurrent: Annotated[int, Field(ge=1, le=10_000)] = 64
    """Calls in work at the same time."""


class Policies(_Part):
    """How the bridge behaves towards a caller."""

    mode: Annotated[Mode, Field(strict=False)] = Mode.BLOCK
    """What a negative verdict does."""
    two_step: bool = False
    """Reference only when the declaration is lodged, everything when the goods are presented."""
    figures_shown: bool = True
    """Whether answers carry the available figure; CERTEX_FIGURES_SHOWN_TO_CUSTOMS must allow it too."""
    callback_url: Annotated[str, AfterValidator(needs_https)] = ""
    """Where pushes go; empty: topic only."""


_Texts = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=512)], ...], BeforeValidator(_lists_are_tuples)]


class Caller(_Part):
    """One system that may call, with its rights."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH, pattern=_NAME), AfterValidator(_no_operator)]
    """What its messages name as messageSender."""
    member_state: Annotated[str, AfterValidator(_member_state)]
    """Whose declarations it may write for."""
    roles: Annotated[
        frozenset[Annotated[CallerRole, Field(strict=False)]],
        Field(min_length=1),
        BeforeValidator(lambda value: frozenset(value) if isinstance(value, list) else value),
    ]
    """What it may do."""
    oauth_clients: _Texts = ()
    """Client ids in its access tokens."""
    certificate_fingerprints: Annotated[
        tuple[Annotated[str, BeforeValidator(_fingerprint), Field(pattern=r"^[0-9a-f]{64}$")], ...],
        BeforeValidator(_lists_are_tuples),
    ] = ()
    """SHA-256 of its client certificates."""
    certificate_names: Annotated[
        tuple[Annotated[str, Field(pattern=_CERTIFICATE_NAME), AfterValidator(_certificate_name)], ...],
        BeforeValidator(_lists_are_tuples),
    ] = ()
    """Names in its client certificates: `DNS:…`, `URI:…`, `email:…`, or `subject:…` as in RFC 4514."""
    limits: Limits = Limits()
    policies: Policies = Policies()

    def require(self, *roles: CallerRole) -> None:
        """Check that the caller has one of the roles.

        Raises:
            Refusal: ROLE_MISSING.
        """
        if self.roles.isdisjoint(roles):
            wanted = " or ".join(roles)
            raise Refusal(
                "ROLE_MISSING",
                f"{self.name} needs the role {wanted} for this",
                field="messageSender",
                value=", ".join(sorted(self.roles)),
                headers={"WWW-Authenticate": 'Bearer realm="certex-bridge", error="insufficient_scope"'},
            )

    @property
    def credentials(self) -> frozenset[tuple[str, str]]:
        """All that proves to be this caller: (kind, value)."""
        kinds = {
            "oauth_clients": self.oauth_clients,
            "certificate_fingerprints": self.certificate_fingerprints,
            "certificate_names": self.certificate_names,
        }
        return frozenset((kind, value) for kind, values in kinds.items() for value in values)
