"""Equal content has equal bytes; every changed byte changes the hash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certex_bridge.kernel.amounts import Quantity
from certex_bridge.kernel.canonical import GENESIS, canonical_json, chain, content_id, sha256_hex
from certex_bridge.kernel.errors import AmountError


class Colour(StrEnum):
    RED = "RED"


@dataclass(frozen=True, slots=True)
class Point:
    y: int
    x: int


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'),
        ({"amount": Decimal("40.000000")}, '{"amount":"40"}'),
        (date(2026, 12, 31), '"2026-12-31"'),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), '"2026-12-31T23:30:00Z"'),
        (datetime(2026, 12, 31, 23, 30, tzinfo=timezone(timedelta(hours=1))), '"2026-12-31T22:30:00Z"'),
        ({"é": "ß"}, '{"é":"ß"}'),
        (Colour.RED, '"RED"'),
        (Point(y=2, x=1), '{"x":1,"y":2}'),
        (Quantity(Decimal("0.50"), "KGM"), '{"amount":"0.5","unit":"KGM"}'),
        (({"b", "a"}, frozenset({"d", "c"})), '[["a","b"],["c","d"]]'),
    ],
)
def test_the_canonical_form(value: object, text: str) -> None:
    assert canonical_json(value) == text.encode()


@pytest.mark.parametrize("value", [object(), Point, datetime(2026, 1, 1), b"raw"])  # noqa: DTZ001 - refused below
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="no canonical form"):
        canonical_json({"value": value})


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))
    with pytest.raises(AmountError):
        canonical_json(Decimal("NaN"))


@given(st.dictionaries(st.text(max_size=5), st.integers(), max_size=6))
def test_the_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    backwards = dict(reversed(value.items()))
    try:
        assert canonical_json(value) == canonical_json(backwards)
    except UnicodeEncodeError:
        assert any("\ud800" <= character <= "\udfff" for key in value for character in key)


def test_sha256_in_hexadecimal() -> None:
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_an_id_from_content_keeps_its_parts_apart() -> None:
    ids = {
        content_id(*parts) for parts in [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("", "abc"), ("\ud800",), ()]
    }
    assert len(ids) == 7
    assert content_id("ab", "c") == content_id("ab", "c")
    assert all(len(made) == 64 for made in ids)


@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4), max_size=4))
def test_different_parts_have_different_ids(a: list[str], b: list[str]) -> None:
    assert (content_id(*a) == content_id(*b)) is (a == b)


def test_one_changed_byte_changes_every_later_link() -> None:
    def links(entries: list[bytes]) -> list[bytes]:
        made = [GENESIS]
        for entry in entries:
            made.append(chain(made[-1], entry))
        return made[1:]

    honest, forged = links([b"a", b"b", b"c"]), links([b"a", b"x", b"c"])
    assert [left == right for left, right in zip(honest, forged, strict=True)] == [True, False, False]
    assert all(len(link) == 32 for link in honest)


@pytest.mark.parametrize("previous", [b"", b"short", bytes(33)])
def test_a_link_of_another_length_is_refused(previous: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        chain(previous, b"entry")
