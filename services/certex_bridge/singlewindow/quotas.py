"""How much of what lasts one caller may create: every kind has a limit, and one coded answer past it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from certex_bridge.singlewindow.refusals import Refusal

if TYPE_CHECKING:
    from certex_bridge.platform.settings import Settings

RECORDS_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Quotas:
    """Limits of one caller, as the settings have them."""

    subscriptions: int = 32
    """In force."""
    orders: int = 32
    """That have not ended."""
    notices: int = 32
    """That have not ended."""
    records: int = 10_000
    """Versions within `RECORDS_WITHIN`."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """From the settings."""
        return cls(
            settings.caller_subscriptions_max,
            settings.caller_orders_max,
            settings.caller_notices_max,
            settings.caller_records_per_day,
        )


USUAL = Quotas()


def require_room(held: int, most: int, what: str) -> None:
    """Check that a caller who holds so many may have one more.

    Raises:
        Refusal: QUOTA_EXCEEDED.
    """
    if held >= most:
        raise Refusal("QUOTA_EXCEEDED", f"a caller has at most {most} {what}", field="action", value=held)
