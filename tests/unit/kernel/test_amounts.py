"""Figures are exact: kept digit by digit or refused with a code, never rounded."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certex_bridge.kernel.amounts import AMOUNT_DIGITS, Money, Quantity, format_decimal, parse_decimal
from certex_bridge.kernel.errors import AmountError, CurrencyMismatch, InputError, UnitMismatch
from certex_bridge.kernel.units import alias_factor
from tests.support.effort import effort


def figures(scale: int = 6) -> st.SearchStrategy[str]:
    """Every lexical form of n..16,scale except zero."""

    def text(whole: int, decimals: str) -> str:
        kept = decimals[: AMOUNT_DIGITS - (len(str(whole)) if whole else 0)]
        return f"{whole}.{kept}" if kept else str(whole)

    whole = st.integers(0, 10**AMOUNT_DIGITS - 1)
    return st.builds(text, whole, st.text("0123456789", max_size=scale)).filter(lambda t: t.strip("0.") != "")


def refusal(text: str, scale: int = 6) -> str:
    with pytest.raises(AmountError) as caught:
        parse_decimal(text, scale=scale, field="quantity")
    assert caught.value.field == "quantity"
    assert caught.value.value == text[:512]
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("1", 6),
        ("40", 6),
        ("40.000000", 6),
        ("0.5", 6),
        pytest.param("0.000001", 6, marks=pytest.mark.row("E114")),
        pytest.param("9999999999.999999", 6, marks=pytest.mark.row("E116")),
        ("9999999999999999", 6),
        ("999999999999999.9", 6),
        ("99999999999999.99", 2),
        ("20000.00", 2),
        ("0.01", 2),
        ("100", 0),
    ],
)
def test_a_figure_within_the_format_is_kept_digit_by_digit(text: str, scale: int) -> None:
    amount = parse_decimal(text, scale=scale)
    assert str(Decimal(text)) == str(amount)
    assert f"{amount:f}" == text


@pytest.mark.row("E117")
@pytest.mark.parametrize(
    "text",
    [
        *("1e3", "1E+3", "+5", "05", "00", " 5", "5 ", "5\n", "\t5", "5.", ".5", ".", "", "1,5", "1 000", "1_000"),
        *("١٢", "１２", "5²", "0x10", "NaN", "nan", "sNaN", "Infinity", "-Infinity", "inf", "--5", "-", "5-", "1.2.3"),
        *("0.5e1", "5.٣", "\u22125", "-1e3", "5\x00", "½"),
    ],
)
def test_other_lexical_forms_are_refused(text: str) -> None:
    assert refusal(text) == "LEXICAL"


@pytest.mark.parametrize(
    ("text", "scale", "code"),
    [
        ("-5", 6, "NEGATIVE"),
        ("-0.01", 6, "NEGATIVE"),
        pytest.param("-0", 6, "NEGATIVE", marks=pytest.mark.row("E117")),
        ("0", 6, "ZERO"),
        ("0.000000", 6, "ZERO"),
        pytest.param("0.0000001", 6, "SCALE", marks=pytest.mark.row("E115")),
        pytest.param("1.0000005", 6, "SCALE", marks=pytest.mark.row("E115")),
        ("1.0000000", 6, "SCALE"),
        ("0.0000000", 6, "SCALE"),
        ("1.005", 2, "SCALE"),
        ("1.0", 0, "SCALE"),
        pytest.param("10000000000.000000", 6, "RANGE", marks=pytest.mark.row("E116")),
        pytest.param("99999999999.999999", 6, "RANGE", marks=pytest.mark.row("E116")),
        ("10000000000000000", 6, "RANGE"),
        ("9999999999999999.9", 6, "RANGE"),
        ("999999999999999.99", 2, "RANGE"),
    ],
)
def test_a_figure_outside_the_format_is_refused_with_its_code(text: str, scale: int, code: str) -> None:
    assert refusal(text, scale) == code


def test_zero_is_accepted_where_it_means_something() -> None:
    assert parse_decimal("0", scale=6, allow_zero=True) == 0
    assert Quantity.parse("0.000", "KGM", allow_zero=True) == Quantity(Decimal(0), "KGM")
    assert Money.parse("0", "EUR", allow_zero=True) == Money(Decimal(0), "EUR")


def test_fewer_digits_may_be_asked_for() -> None:
    assert parse_decimal("0.12345", scale=5, digits=5) == Decimal("0.12345")
    with pytest.raises(AmountError) as caught:
        parse_decimal("123456", scale=5, digits=5)
    assert caught.value.code == "RANGE"


@pytest.mark.parametrize("text", ["9" * 1_000_000, "0." + "9" * 1_000_000, "-" * 1_000_000, "1" * 1_000_000 + "x"])
def test_a_giant_figure_is_refused_at_once(text: str) -> None:
    assert refusal(text) in {"RANGE", "SCALE", "LEXICAL"}
    assert effort(lambda: refusal(text), 1) < 1


@given(figures())
def test_reading_and_writing_a_figure_loses_nothing(text: str) -> None:
    amount = parse_decimal(text, scale=6)
    assert f"{amount:f}" == text
    assert parse_decimal(format_decimal(amount), scale=6) == amount
    assert format_decimal(Decimal(format_decimal(amount))) == format_decimal(amount)


@given(st.text(max_size=20))
def test_any_text_is_a_figure_or_a_refusal(text: str) -> None:
    try:
        seen = f"{parse_decimal(text, scale=6):f}"
    except AmountError as refused:
        seen = refused.code
    assert seen in {text, "LEXICAL", "NEGATIVE", "ZERO", "SCALE", "RANGE"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("40.000000", "40"),
        ("40", "40"),
        ("1E+3", "1000"),
        ("1E-6", "0.000001"),
        ("0.50", "0.5"),
        ("0", "0"),
        ("0.000", "0"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("0E+5", "0"),
        ("-12.50", "-12.5"),
        ("100", "100"),
    ],
)
def test_figures_are_written_canonically(value: str, text: str) -> None:
    assert format_decimal(Decimal(value)) == text


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_not_written(value: str) -> None:
    with pytest.raises(AmountError):
        format_decimal(Decimal(value))


@pytest.mark.row("E119")
def test_equal_figures_are_equal_however_many_zeros_are_written() -> None:
    short, long = Quantity.parse("40", "NAR"), Quantity.parse("40.000000", "NAR")
    assert short == long
    assert hash(short) == hash(long)
    assert str(long) == "40 NAR"
    assert Money.parse("5", "EUR") == Money.parse("5.00", "EUR")
    assert str(Money.parse("50000.00", "EUR")) == "50000 EUR"


@pytest.mark.row("E113")
def test_ten_times_a_tenth_is_one() -> None:
    total = Quantity.parse("0.1", "KGM")
    for _ in range(9):
        total += Quantity.parse("0.1", "KGM")
    assert total == Quantity(Decimal("1.000000"), "KGM")


@given(st.lists(figures(), min_size=1, max_size=30), st.integers(1, 10))
def test_sums_are_exact_whatever_precision_the_caller_has_set(texts: list[str], precision: int) -> None:
    scaled = sum(int(Decimal(text).scaleb(6)) for text in texts)
    with localcontext(prec=precision):
        total = Quantity(Decimal(0), "KGM")
        for text in texts:
            total += Quantity.parse(text, "KGM")
        back = total
        for text in texts:
            back -= Quantity.parse(text, "KGM")
    assert int(total.amount.scaleb(6)) == scaled
    assert back.amount == 0


def test_quantities_and_money_are_ordered() -> None:
    for less, more in [
        (Quantity.parse("105", "NAR"), Quantity.parse("105.000001", "NAR")),
        (Money.parse("50000", "EUR"), Money.parse("50000.01", "EUR")),
    ]:
        assert less < more  # type: ignore[operator]
        assert less <= more  # type: ignore[operator]
        assert more > less  # type: ignore[operator]
        assert more >= less  # type: ignore[operator]
        assert not more <= less  # type: ignore[operator]
    assert Money.parse("5", "EUR") - Money.parse("7.5", "EUR") == Money(Decimal("-2.5"), "EUR")
    assert Money.parse("5", "EUR") + Money.parse("7.5", "EUR") == Money(Decimal("12.5"), "EUR")


@pytest.mark.row("E120", "E123", "E124")
@pytest.mark.parametrize(("ours", "theirs"), [("KGM", "NAR"), ("LTR", "KGM"), ("KGMG", "KGM"), ("GRM", "KGM")])
@pytest.mark.parametrize("operator", ["__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"])
def test_quantities_in_different_units_never_meet(ours: str, theirs: str, operator: str) -> None:
    with pytest.raises(UnitMismatch) as caught:
        getattr(Quantity(Decimal(40), ours), operator)(Quantity(Decimal(40), theirs))
    assert caught.value.value == f"40 {ours} / 40 {theirs}"
    assert Quantity(Decimal(40), ours) != Quantity(Decimal(40), theirs)


@pytest.mark.parametrize("operator", ["__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"])
def test_amounts_in_different_currencies_never_meet(operator: str) -> None:
    with pytest.raises(CurrencyMismatch):
        getattr(Money(Decimal(40), "EUR"), operator)(Money(Decimal(40), "USD"))


def test_amounts_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Quantity.parse("1", "KGM").amount = Decimal(2)  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Money.parse("1", "EUR").currency = "USD"  # type: ignore[misc]


@pytest.mark.row("E130")
@pytest.mark.parametrize(
    ("text", "currency", "code"),
    [
        ("100.50", "JPY", "SCALE"),
        ("100.00", "JPY", "SCALE"),
        ("1.001", "EUR", "SCALE"),
        ("1.001", "KWD", "SCALE"),
        ("1", "EUX", "CURRENCY_UNKNOWN"),
        ("1", "eur", "CURRENCY_UNKNOWN"),
        ("1", "XAU", "CURRENCY_UNKNOWN"),
        ("1", "", "CURRENCY_UNKNOWN"),
    ],
)
def test_money_has_the_decimals_of_its_currency(text: str, currency: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        Money.parse(text, currency, "value")
    assert (caught.value.code, caught.value.field) == (code, "value")


@pytest.mark.parametrize(("text", "currency"), [("100", "JPY"), ("1.01", "EUR"), ("1.01", "KWD"), ("1.95", "BGN")])
def test_money_is_read(text: str, currency: str) -> None:
    assert Money.parse(text, currency) == Money(Decimal(text), currency)


def test_a_quantity_is_read_with_its_unit() -> None:
    assert Quantity.parse("12.5", "KGM#G") == Quantity(Decimal("12.5"), "KGMG")
    with pytest.raises(InputError) as caught:
        Quantity.parse("12.5", "KGG", "quantity")
    assert (caught.value.code, caught.value.field) == ("UNIT_UNKNOWN", "quantity")


@pytest.mark.row("E121")
def test_an_exact_alias_converts_exactly() -> None:
    factor = alias_factor("TNE", "KGM")
    assert factor is not None
    converted = Quantity.parse("0.05", "TNE").convert(factor, "KGM")
    assert converted == Quantity(Decimal(50), "KGM")
    assert Quantity(Decimal(-1), "TNE") < Quantity(Decimal(0), "TNE")


@pytest.mark.row("E122")
@pytest.mark.parametrize(
    ("text", "declared", "licensed", "scale", "code"),
    [
        ("1", "GRM", "KGM", 0, "SCALE"),
        ("1.5", "GRM", "TNE", 6, "SCALE"),
        ("9999999999999999", "TNE", "KGM", 6, "RANGE"),
    ],
)
def test_a_conversion_the_format_cannot_hold_is_refused(
    text: str, declared: str, licensed: str, scale: int, code: str
) -> None:
    factor = alias_factor(declared, licensed)
    assert factor is not None
    with pytest.raises(AmountError) as caught:
        Quantity.parse(text, declared).convert(factor, licensed, scale=scale, field="quantity")
    assert caught.value.code == code
