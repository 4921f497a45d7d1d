"""How much of what lasts one caller may create; a part of `Settings`."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings

from certex_bridge.platform.http_settings import HttpSettings

MOST = 1_000_000


class QuotaSettings(BaseSettings):
    """One limit for each kind of thing that stays until it is ended, or for ever."""

    model_config = HttpSettings.model_config  # of several bases the last one's counts

    caller_subscriptions_max: int = Field(32, ge=1, le=MOST)
    """Subscriptions in force of one caller: each costs a push for each change it covers."""
    caller_orders_max: int = Field(32, ge=1, le=MOST)
    """Periodic lists of one caller that have not ended: each is made and kept again and again."""
    caller_notices_max: int = Field(32, ge=1, le=MOST)
    """Notices of unavailability of one caller that have not ended: every caller is told each of them."""
    caller_records_per_day: int = Field(10_000, ge=1, le=MOST)
    """Versions of records that one caller may write in 24 hours: all are kept for ever."""
