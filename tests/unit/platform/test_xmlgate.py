"""The XML gate: no DTD, no file, no socket, no expansion, one reading of each value, bounded time."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certex_bridge.platform import xmlgate
from certex_bridge.platform.poison import Poison
from certex_bridge.platform.xmlgate import XmlLimits, local_name, parse_xml
from tests.support.effort import effort

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DECLARED = b'<?xml version="1.0" encoding="UTF-8"?>'


def refusal(raw: bytes) -> str:
    with pytest.raises(Poison) as caught:
        parse_xml(raw)
    return caught.value.code


@pytest.mark.row("E203")
@pytest.mark.parametrize(
    "raw",
    [
        b"<!DOCTYPE a><a/>",
        b"<!DOCTYPE a [<!ELEMENT a ANY>]><a/>",
        b'<!DOCTYPE a SYSTEM "a.dtd"><a/>',
        b'<!DOCTYPE a PUBLIC "-//X//Y" "http://example.invalid/a.dtd"><a/>',
        DECLARED + b"\n<!-- c -->\n<!DOCTYPE\n a []><a/>",
    ],
)
def test_any_document_type_declaration_is_refused(raw: bytes) -> None:
    assert refusal(raw) == "XML_DOCTYPE"


@pytest.mark.parametrize(
    ("raw", "field", "value"),
    [
        (b"\xff\xfe<\x00a\x00", "encoding", "UTF-16LE"),
        (b"\xfe\xff\x00<\x00a", "encoding", "UTF-16BE"),
        (b"<\x00a\x00/\x00>\x00", "encoding", "UTF-16LE"),
        (b"<?xml version='1.0'?>\n\n<!DOCTYPE a><a/>", "line 3", "<!DOCTYPE"),
        (b"<a/><!ENTITY x 'y'>", "line 1", "<!ENTITY"),
    ],
)
def test_a_refusal_names_what_was_seen_and_where(raw: bytes, field: str, value: str) -> None:
    with pytest.raises(Poison) as caught:
        parse_xml(raw)
    assert (caught.value.field, caught.value.value) == (field, value)


def _laughs(levels: int) -> bytes:
    entities = '<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, levels + 1))
    return f"<!DOCTYPE a [{entities}]><a>&l{levels};</a>".encode()


@pytest.mark.row("E204")
@pytest.mark.parametrize(
    "raw",
    [
        _laughs(9),
        b'<!DOCTYPE a [<!ENTITY x "' + b"y" * 100_000 + b'">]><a>' + b"&x;" * 10_000 + b"</a>",
        b'<!DOCTYPE a [<!ENTITY x "&y;"><!ENTITY y "&x;">]><a>&x;</a>',
        b"<!DOCTYPE a [<!ENTITY % p \"<!ENTITY x '1'>\"> %p;]><a>&x;</a>",
    ],
    ids=["laughs", "quadratic", "recursive", "parameter"],
)
def test_entity_bombs_are_refused_at_once(raw: bytes) -> None:
    assert refusal(raw) == "XML_DOCTYPE"
    assert effort(lambda: refusal(raw), 0.010) < 0.010


@contextlib.contextmanager
def listening() -> Iterator[tuple[int, list[object]]]:
    """A port that counts who knocks."""
    visits: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        stop = threading.Event()

        def wait() -> None:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    connection, peer = server.accept()
                    connection.close()
                    visits.append(peer)

        thread = threading.Thread(target=wait)
        thread.start()
        yield server.getsockname()[1], visits
        stop.set()
        thread.join()


OUTSIDE = [
    '<!DOCTYPE a SYSTEM "{uri}"><a/>',
    '<!DOCTYPE a [<!ENTITY x SYSTEM "{uri}">]><a>&x;</a>',
    '<!DOCTYPE a [<!ENTITY % x SYSTEM "{uri}"> %x;]><a/>',
    '<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{uri}" parse="text"/></a>',
    '<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="u {uri}"/>',
    '<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="{uri}"/>',
    '<?xml-stylesheet type="text/xsl" href="{uri}"?><a/>',
    '<?xml-model href="{uri}"?><a/>',
    '<a xml:base="{uri}"><b href="x"/></a>',
]


@pytest.mark.row("E205")
@pytest.mark.parametrize("template", OUTSIDE)
def test_nothing_outside_is_opened(template: str, tmp_path: Path) -> None:
    watched = tmp_path / "watched.dtd"
    watched.write_text('<!ENTITY x "seen">')
    os.utime(watched, (1, 1))
    watched.read_bytes()
    if watched.stat().st_atime == 1:
        pytest.skip("this file system keeps no access times")
    with listening() as (port, visits):
        for uri in (watched.as_uri(), str(watched), f"http://127.0.0.1:{port}/x", f"ftp://127.0.0.1:{port}/x"):
            os.utime(watched, (1, 1))
            with contextlib.suppress(Poison):
                root = parse_xml(template.format(uri=uri).encode())
                assert "seen" not in "".join(map(str, root.itertext()))
            assert watched.stat().st_atime == 1, "the file was read"
        time.sleep(0.1)
        assert visits == []


@pytest.mark.row("E205")
def test_no_file_is_opened_even_where_access_times_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    # A document type declaration is refused before lxml is called at all.
    monkeypatch.setattr("certex_bridge.platform.xmlgate.etree.fromstring", None)
    assert refusal(b'<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>') == "XML_DOCTYPE"


MANY = {
    "depth 65": b"<a>" * 65 + b"</a>" * 65,
    "depth 300": b"<a>" * 300 + b"</a>" * 300,
    "depth 100,000": b"<a>" * 100_000 + b"</a>" * 100_000,
    "attribute 11 MB": b"<a b='" + b"x" * (11 << 20) + b"'/>",
    "text 11 MB": b"<a>" + b"x" * (11 << 20) + b"</a>",
    "100,000 attributes": b"<a " + b" ".join(b"a%d=''" % n for n in range(100_000)) + b"/>",
    "257 attributes": b"<a " + b" ".join(b"a%d=''" % n for n in range(257)) + b"/>",
    "1 million siblings": b"<r>" + b"<a/>" * 1_000_000 + b"</r>",
    "200,001 elements": b"<r>" + b"<a/>" * 200_000 + b"</r>",
    "200,001 remarks": b"<r>" + b"<!---->" * 100_000 + b"<?a?>" * 100_000 + b"</r>",
    "1,001 namespaces": b"<r>" + b"<a xmlns='u'/>" * 1_001 + b"</r>",
    "namespace of 257": b"<a xmlns:x='" + b"u" * 257 + b"'/>",
    "inner namespace of 257": b'<r><a><b xmlns="' + b"u" * 257 + b'"/></a></r>',
    "element of 129": b"<r><" + b"a" * 129 + b"/></r>",
    "attribute of 129": b"<r xmlns:x='u' x:" + b"a" * 129 + b"=''/>",
    "namespaces": b"<a " + b" ".join(b"xmlns:a%d='u'" % n for n in range(50_000)) + b"/>",
}


@pytest.mark.row("E206")
@pytest.mark.parametrize("raw", MANY.values(), ids=MANY)
def test_sizes_are_limited(raw: bytes) -> None:
    assert refusal(raw) in ("XML_LIMIT", "XML_SYNTAX")
    assert effort(lambda: refusal(raw), 1) < 1


def test_the_limits_themselves_are_accepted() -> None:
    assert parse_xml(b"<a>" * 64 + b"</a>" * 64) is not None
    assert len(parse_xml(b"<r>" + b"<a/>" * 199_999 + b"</r>")) == 199_999
    assert len(parse_xml(b"<a " + b" ".join(b"a%d=''" % n for n in range(256)) + b"/>").attrib) == 256
    assert len(parse_xml(b"<r>" + b"<!--x-->" * 100_000 + b"</r>")) == 0


def test_long_names_are_accepted_up_to_their_limit() -> None:
    name = b"a" * 128
    root = parse_xml(b"<x:%b xmlns:x='%b' x:%b='1' %b='2'/>" % (name, b"u" * 256, name, name))
    assert len(str(root.tag)) == 128 + 256 + 2
    assert len(parse_xml(b"<r>" + b"<a xmlns='u'/>" * 1_000 + b"</r>")) == 1_000


def test_no_name_is_asked_for_before_its_namespace_is_known_to_be_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is built from the whole namespace: elements times its length would be the cost."""
    asked: list[object] = []
    monkeypatch.setattr(xmlgate, "local_name", asked.append)
    assert refusal(b"<r xmlns='" + b"u" * 400_000 + b"'>" + b"<a/>" * 80_000 + b"</r>") == "XML_LIMIT"
    assert asked == []


def test_limits_are_settings() -> None:
    with pytest.raises(Poison, match="deeper than 2"):
        parse_xml(b"<a><b><c/></b></a>", XmlLimits(depth=2))


@pytest.mark.row("E207")
@pytest.mark.parametrize(
    "raw",
    [
        b'<?xml version="1.0" encoding="UTF-7"?>+ADw-a/+AD4-',
        b"+/v8-<a/>",
        "<a/>".encode("utf-16"),
        "<a/>".encode("utf-16-le"),
        "<a/>".encode("utf-16-be"),
        "<a/>".encode("utf-32"),
        b'\xef\xbb\xbf<?xml version="1.0" encoding="iso-8859-1"?><a/>',
        b'<?xml version="1.0" encoding="iso-8859-1"?><a>\xe9</a>',
        b'<?xml version="1.0" encoding="windows-1252"?><a/>',
        b'<?xml version="1.0"' + b" " * 500 + b'encoding="utf-16"?><a/>',
        "<?xml version='1.0'?><a/>".encode("cp500"),
        b"<a>\xff</a>",
        b"<a>\xed\xa0\x80</a>",
    ],
)
def test_only_utf8_is_read(raw: bytes) -> None:
    assert refusal(raw) == "XML_ENCODING"


@pytest.mark.row("E207")
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", DECLARED, b"<?xml version='1.0' encoding='utf-8'?>"])
def test_utf8_is_read_with_and_without_mark_and_declaration(start: bytes) -> None:
    assert parse_xml(start + "<a>é</a>".encode()).text == "é"


@pytest.mark.row("E208")
@pytest.mark.parametrize(
    "raw",
    [
        b"<a>BE123<!-- -->456</a>",
        b"<a><!-- x -->BE123456</a>",
        b"<a>BE123456<!-- x --></a>",
        b"<a>BE123<?pi x?>456</a>",
        b"<r><a>1</a><a>BE<!--1--><!--2-->12</a></r>",
        b"<a>BE123<b/><!-- x -->456</a>",
    ],
)
def test_a_value_split_by_a_remark_is_refused(raw: bytes) -> None:
    assert refusal(raw) == "XML_SPLIT_VALUE"


@pytest.mark.row("E208")
def test_remarks_between_elements_are_dropped() -> None:
    raw = b"<!-- 1 --><?p?><a>\n <!-- 2 -->\n <b>1</b><!-- 3 --><?p q?> <c>2</c>\n<!-- 4 --></a><!-- 5 -->"
    root = parse_xml(raw)
    assert [(local_name(child), child.text) for child in root] == [("b", "1"), ("c", "2")]


@pytest.mark.row("E212")
def test_character_references_and_cdata_are_one_value() -> None:
    assert parse_xml(b"<a>&#48;.5</a>").text == "0.5"
    assert parse_xml(b"<a><![CDATA[0.]]>5</a>").text == "0.5"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "XML_EMPTY"),
        (b" \n", "XML_EMPTY"),
        (b"<a>", "XML_SYNTAX"),
        (b"<a/>x", "XML_SYNTAX"),
        (b"<a/><b/>", "XML_SYNTAX"),
        (b"<a>&foo;</a>", "XML_SYNTAX"),
        (b"<a>\x00</a>", "XML_SYNTAX"),
        (b"<a b='1' b='2'/>", "XML_SYNTAX"),
        (b"<p:a/>", "XML_SYNTAX"),
        (b"<?xml version='1.1'?><a/>", "XML_SYNTAX"),
        (b"not xml", "XML_SYNTAX"),
        (b"<" * 100_000, "XML_SYNTAX"),
    ],
)
def test_what_is_not_well_formed_is_refused(raw: bytes, code: str) -> None:
    assert refusal(raw) == code


PIECES = [
    b"<a>",
    b"</a>",
    b"<b/>",
    b"<!--",
    b"-->",
    b"<?",
    b"?>",
    b"&#",
    b"48;",
    b"<![CDATA[",
    b"]]>",
    b"<!DOCTYPE",
    b"x",
]


@given(st.binary(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=20).map(b"".join))
def test_any_bytes_are_a_tree_or_poison(raw: bytes) -> None:
    code, tags = "XML_", []
    try:
        tags = [element.tag for element in parse_xml(raw).iter()]
    except Poison as poison:
        code = poison.code
    assert code.startswith("XML_")
    assert all(isinstance(tag, str) for tag in tags)
