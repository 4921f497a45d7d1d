"""The strict JSON gate: one reading of the bytes, or a refusal.

Python's own parser keeps the last of two equal keys, accepts NaN, turns 1e400 into infinity, raises on 5,000 digits
and overflows its stack on nested brackets. Here each of these is a refusal with a code.

Most producers write JSON in one way, and for that there is a fast way: bytes that a decoder and an encoder bring back
to the very same bytes, blanks apart, have neither two equal keys nor numbers in two spellings. (In JSON no two tokens
are kept apart by blanks alone, so what is equal without them has the same tokens.) Everything else takes the slow
strict scan, with the same verdict on the same content.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, TypeVar

import msgspec
from pydantic import BaseModel, ValidationError

from certex_bridge.platform.poison import Poison

MAX_DEPTH = 32
MAX_BYTES = 1 << 20
MAX_NODES = 200_000
"""Values of any kind together."""
MAX_KEYS = 256
"""Of one object."""
KEY_CHARS = 256
INTEGER_DIGITS = 19
"""Longer integers are refused: no field needs them, and no two readers treat them alike."""

_SKELETON = b'"[]{}\\'
_NOT_SKELETON = bytes(byte for byte in range(256) if byte not in _SKELETON)
_BLANKS = b" \t\r\n"
_NUL_ESCAPE = b"\\u0000"
# The escape of NUL, not a backslash (itself escaped) followed by u0000.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*+\\u0000").search
_DIGITS_TO_ZERO = bytes(ord("0") if chr(byte).isdigit() and byte < 128 else byte for byte in range(256))
_TOO_MANY_DIGITS = b"0" * (INTEGER_DIGITS + 1)
DECIMAL_DIGITS = 40
"""In a row: before the point, behind it, or in the exponent."""
_TOO_MANY_DECIMALS = re.compile(rf"[0-9]{{{DECIMAL_DIGITS + 1}}}").search
# Possessive, so that no input makes it go back.
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
# One string, or one bracket. Possessive, so that no input makes it go back.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_MESSAGES_SHOWN = 5

M = TypeVar("M", bound=BaseModel)
S = TypeVar("S")


def parse_json(raw: bytes, nodes: int = MAX_NODES) -> Any:
    """The document as dicts, lists, texts and numbers; of `nodes` values at most.

    Raises:
        Poison: JSON_LIMIT (size, values, keys of an object, length of a key), JSON_ENCODING (byte order mark, not
            UTF-8), JSON_DEPTH, JSON_SYNTAX (also NaN, trailing data, lone surrogates), JSON_DUPLICATE_KEY, JSON_NUMBER
            (too large, too many digits) or JSON_NUL.
    """
    if len(raw) > MAX_BYTES:
        raise Poison("JSON_LIMIT", f"the document exceeds {MAX_BYTES} bytes", value=len(raw))
    if not _is_shallow(raw):
        _check_depth(raw)
    if nodes_at_most(raw) > nodes and nodes_at_most(_TEXT.sub(b"", raw)) > nodes:
        raise Poison("JSON_LIMIT", f"the document has more than {nodes} values")
    try:
        document = msgspec.json.decode(raw)
        again = msgspec.json.encode(document)
        same = again == raw or again.translate(None, _BLANKS) == raw.translate(None, _BLANKS)
    except RecursionError as error:
        raise Poison("JSON_DEPTH", f"the document is nested deeper than {MAX_DEPTH}") from error
    except UnicodeDecodeError as error:
        raise Poison("JSON_ENCODING", "the document is not UTF-8") from error
    except (msgspec.DecodeError, OverflowError, ValueError) as error:
        raise _syntax_poison(raw, error) from error
    _check_keys(raw, document)
    if not same or _NUL_ESCAPE in raw or _TOO_MANY_DIGITS in raw.translate(_DIGITS_TO_ZERO):
        return _strict(raw)
    return document


def nodes_at_most(raw: bytes) -> int:
    """How many values a document can have, told by its bytes; more than it has where texts hold commas or brackets."""
    return 1 + raw.count(b",") + raw.count(b"[") + raw.count(b"{")


def read_json(raw: bytes, model: type[M]) -> M:
    """The document as a pydantic model, strictly typed.

    Raises:
        Poison: the codes of `parse_json`, or JSON_SCHEMA with the path of the first field that is wrong.
    """
    parse_json(raw)
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise schema_poison(error) from error
    except (RecursionError, ValueError) as error:
        raise Poison("JSON_SCHEMA", "the document does not fit its contract", value=error) from error


def read_struct(raw: bytes, decoder: msgspec.json.Decoder[S]) -> S:
    """The document as a msgspec structure, strictly typed: the hot path's `read_json`.

    Raises:
        Poison: the codes of `parse_json`, or JSON_SCHEMA with the path of the first field that is wrong.
    """
    return read_both(raw, decoder)[0]


def read_both(raw: bytes, decoder: msgspec.json.Decoder[S]) -> tuple[S, Any]:
    """The document as a structure and as `parse_json` gives it.

    Raises:
        Poison: as `read_struct`.
    """
    document = parse_json(raw)
    try:
        return decoder.decode(raw), document
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        raise Poison("JSON_SCHEMA", message, path.strip("`."), "") from error
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise Poison("JSON_SCHEMA", "the document does not fit its contract", value=error) from error


def schema_poison(error: ValidationError) -> Poison:
    """All that a model found wrong, as one refusal that points at the first."""
    problems = error.errors(include_url=False, include_context=False)
    paths = [".".join(str(step) for step in problem["loc"]) for problem in problems]
    shown = [f"{path or 'document'}: {problem['msg']}" for path, problem in zip(paths, problems, strict=True)]
    more = f" and {len(shown) - _MESSAGES_SHOWN} more" if len(shown) > _MESSAGES_SHOWN else ""
    return Poison("JSON_SCHEMA", "; ".join(shown[:_MESSAGES_SHOWN]) + more, paths[0], str(problems[0]["input"])[:200])


def _is_shallow(raw: bytes) -> bool:
    """Whether nesting is within the limit for certain; brackets or backslashes inside texts leave it open.

    Only quotes and brackets are kept; the quotes of texts without brackets then stand in pairs and vanish, and each
    round removes one level. All in the interpreter's C code: a few microseconds.
    """
    skeleton = raw.translate(None, _NOT_SKELETON).replace(b'""', b"")
    if b'"' in skeleton or b"\\" in skeleton:
        return False
    for _ in range(MAX_DEPTH):
        if not skeleton:
            return True
        skeleton = skeleton.replace(b"{}", b"").replace(b"[]", b"")
    return not skeleton


def _check_depth(raw: bytes) -> None:
    depth = 0
    for token in _TOKEN.finditer(raw):
        byte = raw[token.start()]
        if byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise Poison("JSON_DEPTH", f"the document is nested deeper than {MAX_DEPTH}")
        elif byte in b"]}":
            depth -= 1


def _check_keys(raw: bytes, document: Any) -> None:
    """Number and length of keys; most documents are too small for too many and have only short texts."""
    short = b"\\" not in raw and max(map(len, raw.split(b'"'))) <= KEY_CHARS
    if short and raw.count(b",") < MAX_KEYS:
        return
    pending = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        elif isinstance(value, dict):
            if len(value) > MAX_KEYS:
                raise Poison("JSON_LIMIT", f"an object has more than {MAX_KEYS} keys", value=len(value))
            if any(len(key) > KEY_CHARS for key in value):
                raise Poison("JSON_LIMIT", f"a key has more than {KEY_CHARS} characters")
            pending += value.values()


def _syntax_poison(raw: bytes, error: Exception) -> Poison:
    """Why the decoder could not read the bytes."""
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) or b"\x00" in raw[:2]:
        return Poison("JSON_ENCODING", "the document is UTF-8 without byte order mark")
    message = str(error)[:200]
    if isinstance(error, OverflowError) or "out of range" in message:
        return Poison("JSON_NUMBER", "a number is too large", value=message)
    return Poison("JSON_SYNTAX", message)


def _strict(raw: bytes) -> Any:
    """The slow scan of a document whose syntax is already known to be sound."""
    if _NUL_ESCAPE in raw and _NUL(raw):
        raise Poison("JSON_NUL", "a text holds the character NUL")
    try:
        return json.loads(
            raw.decode(), object_pairs_hook=_object, parse_int=_integer, parse_float=_decimal, parse_constant=_constant
        )
    except (RecursionError, ValueError) as error:
        raise Poison("JSON_SYNTAX", str(error)[:200]) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # `add` gives None, which is what `or` needs
        raise Poison("JSON_DUPLICATE_KEY", "an object has the same key twice", twice[:200])
    return document


def _integer(text: str) -> int:
    if len(text.removeprefix("-")) > INTEGER_DIGITS:
        raise Poison("JSON_NUMBER", f"an integer has more than {INTEGER_DIGITS} digits", value=text[:40])
    return int(text)


def _decimal(text: str) -> float:
    if _TOO_MANY_DECIMALS(text):
        raise Poison("JSON_NUMBER", f"a number has more than {DECIMAL_DIGITS} digits in a row", value=text[:40])
    number = float(text)
    if number - number != 0:
        raise Poison("JSON_NUMBER", "a number is too large", value=text[:40])
    return number


def _constant(text: str) -> NoReturn:
    raise Poison("JSON_NUMBER", "NaN and infinity are no numbers", value=text)
