"""JSON that nobody honest sends: by name, the bytes and the code with which the gate refuses them."""

from __future__ import annotations

import gzip
import json
import zlib

MIB = 1 << 20


def nested(opening: bytes, closing: bytes, depth: int) -> bytes:
    """So many brackets in each other."""
    return opening * depth + closing * depth


SYNTAX: dict[str, bytes] = {
    "empty": b"",
    "blanks": b" \r\n\t ",
    "half an object": b'{"a":',
    "half a text": b'{"a":"b',
    "trailing comma": b'{"a":1,}',
    "trailing words": b'{"a":1} and more',
    "two documents": b'{"a":1}{"a":2}',
    "single quotes": b"{'a':1}",
    "no quotes": b"{a:1}",
    "remark": b'{"a":1/*x*/}',
    "line remark": b'{"a":1} // x',
    "leading zero": b'{"a":01}',
    "plus": b'{"a":+1}',
    "hexadecimal": b'{"a":0x10}',
    "point first": b'{"a":.5}',
    "point last": b'{"a":5.}',
    "exponent without digits": b'{"a":1e}',
    "octal escape": b'{"a":"\\101"}',
    "escape x": b'{"a":"\\x41"}',
    "half an escape": b'{"a":"\\u12"}',
    "lone high surrogate": b'{"a":"\\ud800"}',
    "lone low surrogate": b'{"a":"\\udc00"}',
    "surrogates reversed": b'{"a":"\\udc00\\ud800"}',
    "raw NUL in a text": b'{"a":"\x00"}',
    "raw line feed in a text": b'{"a":"\n"}',
    "NUL behind": b'{"a":1}\x00',
    "not a number": b'{"a":NaN}',
    "infinity": b'{"a":Infinity}',
    "minus infinity": b'{"a":-Infinity}',
    "undefined": b'{"a":undefined}',
    "Python's None": b'{"a":None}',
    "JavaScript": b'({"a":1})',
    "JSONP": b'callback({"a":1})',
    "prefix against hijacking": b')]}\',\n{"a":1}',
    "YAML": b"a: !!python/object/apply:os.system ['id']",
    "pickle": b"cos\nsystem\n(S'id'\ntR.",
    "XML": b"<a/>",
    "zip": b"PK\x03\x04" + bytes(30),
    "deflate": zlib.compress(b"0" * 100_000),
    "form": b"a=1&b=2",
    "brackets closed by others": b'{"a":[1}',
    "closed twice": b'{"a":1}}',
}
ENCODING: dict[str, bytes] = {
    "byte order mark": b'\xef\xbb\xbf{"a":1}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "UTF-16 without mark": '{"a":1}'.encode("utf-16-be"),
    "UTF-32": '{"a":1}'.encode("utf-32"),
    "NUL first": b'\x00{"a":1}',
}
NOT_UTF8: dict[str, bytes] = {
    "Latin-1": '{"a":"é"}'.encode("latin-1"),
    "overlong": b'{"a":"\xc0\xaf"}',
    "surrogate in bytes": b'{"a":"\xed\xa0\x80"}',
    "lone continuation": b'{"a":"\x80"}',
    "beyond Unicode": b'{"a":"\xf4\x90\x80\x80"}',
}
ZIPPED: dict[str, bytes] = {
    "gzip": gzip.compress(b'{"a":1}', mtime=0),
    "gzip of 100 MB of zeros": gzip.compress(bytes(100 * MIB), mtime=0),
}
NUMBER: dict[str, bytes] = {
    "beyond a double": b'{"a":1e400}',
    "exponent of seven digits": b'{"a":1E+1000000}',
    "exponent of 5,000 digits": b'{"a":1e' + b"9" * 5_000 + b"}",
    "20 digits": b'{"a":12345678901234567890}',
    "5,000 digits": b'{"a":' + b"9" * 5_000 + b"}",
    "half a million digits": b'{"a":' + b"9" * 500_000 + b"}",
    "41 decimals": b'{"a":0.' + b"1" * 41 + b"}",
}
TWICE: dict[str, bytes] = {
    "key twice": b'{"a":1,"a":2}',
    "key twice, escaped": b'{"a":1,"\\u0061":2}',
    "key twice, deep": b'{"x":[{"b":1,"c":2,"b":3}]}',
    "prototype twice": b'{"__proto__":{},"__proto__":{}}',
}
NUL: dict[str, bytes] = {"escaped NUL": b'{"a":"\\u0000"}', "escaped NUL in a key": b'{"\\u0000":1}'}
DEPTH: dict[str, bytes] = {
    "33 arrays": nested(b"[", b"]", 33),
    "33 objects": b'{"a":' * 33 + b"1" + b"}" * 33,
    "100,000 arrays": nested(b"[", b"]", 100_000),
    "500,000 arrays open": b"[" * 500_000,
    "100,000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
}
LIMIT: dict[str, bytes] = {
    "257 keys": json.dumps({f"k{number}": 1 for number in range(257)}).encode(),
    "50,000 keys": json.dumps({f"k{number}": 1 for number in range(50_000)}).encode(),
    "key of 257 characters": json.dumps({"k" * 257: 1}).encode(),
    "key of 1 MiB": b'{"' + b"k" * (MIB - 20) + b'":1}',
    "half a million ones": b"[" + b",".join([b"1"] * 500_000) + b"]",
    "300,000 empty objects": b"[" + b",".join([b"{}"] * 300_000) + b"]",
}
SHAPE: dict[str, bytes] = {
    "null": b"null",
    "true": b"true",
    "a number": b"1",
    "a text": b'"a"',
    "a list": b"[]",
    "list of lists": b"[[],[]]",
    "nothing in it": b"{}",
    "prototype": b'{"__proto__":{"admin":true}}',
    "constructor": b'{"constructor":{"prototype":{}}}',
    "class": b'{"@class":"java.lang.Runtime"}',
    "operator": b'{"$where":"sleep(1000)"}',
    "200 unknown keys": json.dumps({f"k{number}": number for number in range(200)}).encode(),
    "text of 1 MiB": b'{"a":"' + b"x" * (MIB - 20) + b'"}',
}
BY_CODE: dict[str, dict[str, bytes]] = {
    "JSON_SYNTAX": SYNTAX | ZIPPED,
    "JSON_ENCODING": ENCODING | NOT_UTF8,
    "JSON_NUMBER": NUMBER,
    "JSON_DUPLICATE_KEY": TWICE,
    "JSON_NUL": NUL,
    "JSON_DEPTH": DEPTH,
    "JSON_LIMIT": LIMIT,
}
