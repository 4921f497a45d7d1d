"""Currencies that the euro replaced: the legal rates, the day, and the one rounding that the law prescribes."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certex_bridge.kernel.currencies import REPLACED, in_euro, is_replaced

AMOUNTS = st.decimals(0, Decimal("99999999999999.99"), places=2)


@pytest.mark.row("E131")
@pytest.mark.parametrize(
    ("amount", "currency", "euro"),
    [
        ("100000.00", "BGN", "51129.19"),
        ("40000.00", "BGN", "20451.68"),
        ("1.95583", "BGN", "1.00"),
        ("0.01", "BGN", "0.01"),
        ("0.00", "BGN", "0.00"),
        ("1000.00", "HRK", "132.72"),
        ("0.03", "HRK", "0.00"),
        ("1.00", "LVL", "1.42"),
        ("15.64660", "EEK", "1.00"),
        ("0.977915", "BGN", "0.50"),
        ("0.00977915", "BGN", "0.01"),  # exactly half a cent
        ("0.009779149", "BGN", "0.00"),
    ],
)
def test_an_amount_is_what_the_law_makes_of_it(amount: str, currency: str, euro: str) -> None:
    assert str(in_euro(Decimal(amount), currency)) == euro


@given(AMOUNTS, st.sampled_from(sorted(REPLACED)))
def test_it_is_the_nearest_cent(amount: Decimal, currency: str) -> None:
    with localcontext() as exact:
        exact.prec = 100
        quotient = amount / REPLACED[currency].rate
        assert in_euro(amount, currency) == quotient.quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.mark.parametrize(
    ("currency", "day", "replaced"),
    [
        ("BGN", "2025-12-31", False),
        ("BGN", "2026-01-01", True),
        ("HRK", "2023-01-01", True),
        ("EUR", "2026-01-01", False),
        ("CZK", "2026-01-01", False),
    ],
)
def test_a_currency_is_replaced_from_its_day_on(currency: str, day: str, replaced: bool) -> None:
    assert is_replaced(currency, date.fromisoformat(day)) is replaced


def test_every_rate_has_six_significant_figures() -> None:
    """Regulation (EC) No 1103/97 Art. 4(1)."""
    for currency, known in REPLACED.items():
        assert len(known.rate.normalize().as_tuple().digits) <= 6, currency
        assert len(known.rate.as_tuple().digits) == 6, currency
    with pytest.raises(KeyError):
        in_euro(Decimal(1), "CZK")
