"""Settings of the traces; a part of `Settings`."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from certex_bridge.platform.http_settings import HttpSettings
from certex_bridge.platform.setting_types import PREFIX


class TraceSettings(BaseSettings):
    """Whether, how many and whereto."""

    model_config = HttpSettings.model_config  # of several bases the last one's counts

    traces: Literal["off", "otlp"] = "off"
    """Traces of events and calls: sent with OTLP over HTTP, or off."""
    traces_sample: float = Field(0.01, ge=0, le=1)
    """Share of the events and calls without a traceparent that are traced; with one their sender has decided."""
    traces_endpoint: str = ""
    """Where the collector takes traces, e.g. `http://127.0.0.1:4318/v1/traces`; needed for otlp."""

    @field_validator("traces_endpoint")
    @classmethod
    def _collector(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("traces") == "otlp":
            raise ValueError(f"is needed with {PREFIX}TRACES=otlp")
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.username):
            raise ValueError("must look like http://host:4318/v1/traces")
        return value
