"""JSON has one reading, or none: the fast way and the slow scan agree on every document."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from certex_bridge.platform import jsongate
from certex_bridge.platform.jsongate import MAX_DEPTH, parse_json, read_json, read_struct
from certex_bridge.platform.poison import Poison
from tests.support.effort import effort


class Model(BaseModel):
    model_config = ConfigDict(strict=True)

    amount: str
    count: int = 0


class Twin(msgspec.Struct):
    amount: str
    count: int = 0


def refusal(raw: bytes) -> str:
    with pytest.raises(Poison) as caught:
        parse_json(raw)
    return caught.value.code


def verdict(raw: bytes) -> str:
    try:
        parse_json(raw)
    except Poison as poison:
        return poison.code
    return "OK"


@pytest.mark.row("E196")
@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"x":[{"a":1,"b":{"c":1,"c":2}}]}',
        b'{"a":1,"\\u0061":2}',
        b'{ "a":1, "a":2 }',
        b'{"a": 1, "a": 1}',
        b'{"a b": "x y",\n\t"a b": "x y"}',
    ],
)
def test_duplicate_keys_are_refused(raw: bytes) -> None:
    assert refusal(raw) == "JSON_DUPLICATE_KEY"


keys = st.sampled_from(["a", "b", "a b", " a", "ab", "b "])


@pytest.mark.row("E196")
@given(
    st.lists(st.tuples(keys, st.text(" ab1", max_size=3) | st.integers(0, 12)), max_size=5), st.sampled_from(" \n\t")
)
def test_blanks_hide_no_key_that_is_there_twice(pairs: list[tuple[str, object]], blank: str) -> None:
    members = [f"{json.dumps(key)}:{blank}{json.dumps(value)}" for key, value in pairs]
    raw = ("{" + f",{blank}".join(members) + "}").encode()
    if len(dict(pairs)) < len(pairs):
        assert refusal(raw) == "JSON_DUPLICATE_KEY"
    else:
        assert parse_json(raw) == dict(pairs)


@pytest.mark.row("E197")
@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"[NaN]", "JSON_SYNTAX"),
        (b"[Infinity]", "JSON_SYNTAX"),
        (b"[-Infinity]", "JSON_SYNTAX"),
        (b"[1e400]", "JSON_NUMBER"),
        (b"[-1e400 ]", "JSON_NUMBER"),
    ],
)
def test_numbers_that_are_none_are_refused(raw: bytes, code: str) -> None:
    assert refusal(raw) == code


@pytest.mark.row("E198")
@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        # Brackets inside texts must not make a deep document look shallow.
        b'["]",' * 200 + b"1" + b',"["]' * 200,
        b'["\\"]",' * 200 + b"1" + b',"["]' * 200,
    ],
)
def test_deep_nesting_is_refused(raw: bytes) -> None:
    assert refusal(raw) == "JSON_DEPTH"


@pytest.mark.parametrize("text", ["[", "]", "{", '"', "\\", "[[[[[[[", '\\"[', "}" * 60])
def test_brackets_inside_texts_are_no_nesting(text: str) -> None:
    document = [{"a": text, text: [text, text]}] * 3
    assert parse_json(json.dumps(document, separators=(",", ":")).encode()) == document


def test_the_depth_limit_itself_is_accepted() -> None:
    raw = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert verdict(raw) == "OK"
    assert verdict(raw + b" ") == "OK"


@pytest.mark.row("E199")
@pytest.mark.parametrize(
    ("digits", "code"), [(19, "OK"), (20, "JSON_NUMBER"), (100, "JSON_NUMBER"), (5_000, "JSON_NUMBER")]
)
@pytest.mark.parametrize("form", [b"[%s]", b"[ %s]", b"[-%s]"])
def test_long_integers_are_refused(digits: int, code: str, form: bytes) -> None:
    assert verdict(form % (b"9" * digits)) == code


def test_long_digits_inside_texts_are_no_number() -> None:
    assert parse_json(b'{"a":"%s"}' % (b"9" * 40)) == {"a": "9" * 40}


@pytest.mark.row("E200", "E118")
@pytest.mark.parametrize("amount", [b"0.1", b"1", b"null", b"true", b"[]"])
def test_amounts_are_texts(amount: bytes) -> None:
    raw = b'{"amount":%s}' % amount
    for read in (lambda: read_json(raw, Model), lambda: read_struct(raw, msgspec.json.Decoder(Twin))):
        with pytest.raises(Poison) as caught:
            read()
        assert (caught.value.code, caught.value.field) == ("JSON_SCHEMA", "amount")


@pytest.mark.row("E201")
@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'["\\ud800"]', "JSON_SYNTAX"),
        (b'["\\udc00x"]', "JSON_SYNTAX"),
        (b'["a\\u0000b"]', "JSON_NUL"),
        (b'{"a\\u0000":1}', "JSON_NUL"),
        (b'["a\x00b"]', "JSON_SYNTAX"),
        (b"\xef\xbb\xbf{}", "JSON_ENCODING"),
        ("{}".encode("utf-16"), "JSON_ENCODING"),
        ("{}".encode("utf-16-be"), "JSON_ENCODING"),
        ("{}".encode("utf-32"), "JSON_ENCODING"),
        (b'["\xff"]', "JSON_ENCODING"),
        (b'["\xed\xa0\x80"]', "JSON_ENCODING"),
        (b"{} {}", "JSON_SYNTAX"),
        (b"{}x", "JSON_SYNTAX"),
        (b"/* c */ {}", "JSON_SYNTAX"),
        (b"[1] // c", "JSON_SYNTAX"),
        (b"{'a':1}", "JSON_SYNTAX"),
        (b"[1,]", "JSON_SYNTAX"),
        (b"", "JSON_SYNTAX"),
        (b" ", "JSON_SYNTAX"),
    ],
)
def test_what_is_not_plain_json_is_refused(raw: bytes, code: str) -> None:
    assert refusal(raw) == code


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert parse_json(b'["a\\\\u0000"]') == ["a\\u0000"]


def test_a_document_over_the_limit_is_refused() -> None:
    assert refusal(b'"' + b"x" * (1 << 20) + b'"') == "JSON_LIMIT"


@pytest.mark.row("E202")
def test_unknown_fields_are_tolerated_and_wrong_ones_named() -> None:
    assert read_json(b'{"amount":"1","more":[1.5]}', Model).amount == "1"
    assert read_struct(b'{"amount":"1","more":[1.5]}', msgspec.json.Decoder(Twin)).amount == "1"
    for raw, field in [(b'{"count":1}', "amount"), (b'{"amount":"1","count":"2"}', "count"), (b"[]", "")]:
        with pytest.raises(Poison) as caught:
            read_json(raw, Model)
        assert (caught.value.code, caught.value.field) == ("JSON_SCHEMA", field)
    with pytest.raises(Poison, match="amount"):
        read_struct(b'{"count":1}', msgspec.json.Decoder(Twin))


documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**21), 10**21) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(documents)
def test_compact_and_spaced_spelling_have_one_verdict(document: object) -> None:
    compact = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    spaced = json.dumps(document, indent=1, ensure_ascii=True).encode()
    assert verdict(compact) == verdict(spaced)


@given(st.binary(max_size=60) | st.text('[]{}",:\\u0019aeE+-.', max_size=60).map(str.encode))
def test_any_bytes_are_json_or_poison(raw: bytes) -> None:
    if verdict(raw) == "OK":
        assert parse_json(raw) == json.loads(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * (1 << 20),
        b'"' + b"\\\\" * 500_000 + b'"',
        b"[" + b"1," * 500_000 + b"1]",
        b'["' + b'","' * 300_000 + b'"]',
        b'{"a":"' + b"\\" * 1_000_000,
        b"{" + b'"a":1,' * 150_000 + b'"a":1}',
        b"[" + b"[]," * 300_000 + b"[]]",
    ],
    ids=range(7),
)
def test_work_is_bounded(raw: bytes) -> None:
    assert effort(lambda: verdict(raw), 2) < 2


def array(values: int) -> bytes:
    """A document of so many values."""
    return b"[" + b",".join([b"1"] * (values - 1)) + b"]"


def test_values_are_counted_before_they_are_built() -> None:
    assert len(parse_json(array(jsongate.MAX_NODES))) == jsongate.MAX_NODES - 1
    assert refusal(array(jsongate.MAX_NODES + 1)) == "JSON_LIMIT"
    assert len(parse_json(array(10), 10)) == 9
    with pytest.raises(Poison, match="more than 9 values"):
        parse_json(array(10), 9)


def test_commas_and_brackets_inside_texts_are_no_values() -> None:
    assert parse_json(b'["' + b"," * 50 + b'\\"[{"]', 3) == ["," * 50 + '"[{']


@pytest.mark.parametrize("inside", [b"%b", b"[%b]", b'{"a":%b}'])
def test_keys_have_a_number_and_a_length(inside: bytes) -> None:
    def wide(keys: int) -> bytes:
        return inside % (b"{" + b",".join(b'"k%d":1' % n for n in range(keys)) + b"}")

    parse_json(wide(256))
    assert refusal(wide(257)) == "JSON_LIMIT"
    parse_json(inside % (b'{"' + b"k" * 256 + b'":1}'))
    assert refusal(inside % (b'{"' + b"k" * 257 + b'":1}')) == "JSON_LIMIT"
    # Each escape is one character: what counts is the key, not its spelling.
    parse_json(inside % (b'{"' + b"\\u00e9" * 256 + b'":1}'))
    assert refusal(inside % (b'{"' + b"\\u00e9" * 257 + b'":1}')) == "JSON_LIMIT"


def test_a_long_text_is_no_key() -> None:
    assert parse_json(b'["' + b"x" * 500 + b'"]') == ["x" * 500]


@pytest.mark.parametrize("form", [b"0.%b", b"[ 0.%be3 ]"])
def test_digits_of_other_numbers_are_limited(form: bytes) -> None:
    parse_json(form % (b"1" * 40))
    assert refusal(form % (b"1" * 41)) == "JSON_NUMBER"
