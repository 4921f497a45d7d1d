"""Settings of the pushes to subscribers; a part of `Settings`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode

from certex_bridge.platform.http_settings import HttpSettings
from certex_bridge.platform.setting_types import ReadableFile, Seconds, Words


class PushSettings(BaseSettings):
    """What subscribing and delivering need to know."""

    model_config = HttpSettings.model_config  # of several bases the last one's counts

    push_keys: Annotated[tuple[Annotated[SecretStr, Field(min_length=32)], ...], NoDecode, Words] = ()
    """Keys of at least 32 characters, with commas, from which secrets of subscriptions are made, the same for workers
    and gateways. The first is for new subscriptions; one that is taken out silences those made under it."""
    push_seconds: Seconds = 10
    """Time within which a subscriber must have answered a push."""
    push_cafile: ReadableFile = None
    """Certificate authorities (PEM) that may sign subscribers' servers; empty: the system's."""
    push_private_networks: bool = False
    """Whether pushes may go into private networks and to this machine, there also without TLS; link-local never."""
