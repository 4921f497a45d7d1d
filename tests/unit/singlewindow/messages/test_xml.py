"""Messages in JSON and XML: the same content both ways, and all mistakes with pointer, code, reason and value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from certex_bridge.singlewindow.http.answers import json_of
from certex_bridge.singlewindow.messages.errors import ErrorNotification, FunctionalError
from certex_bridge.singlewindow.messages.json import read_json_message
from certex_bridge.singlewindow.messages.xml import json_of_document, parse_document, read_message, write_message
from certex_bridge.singlewindow.refusals import Refusal
from tests.support.echo import EchoItem, EchoRequest, sample
from tests.support.message_strategies import messages

NS = "urn:certex-bridge:echo:1"


def request(**changes: Any) -> EchoRequest:
    return read_json_message(json.dumps(sample(**changes)).encode(), EchoRequest)


def mistakes(document: bytes) -> list[tuple[str, str, str, str]]:
    with pytest.raises(Refusal) as refused:
        read_message(document, EchoRequest)
    assert refused.value.code == "SCHEMA_INVALID"
    return [(one.pointer, one.error_code, one.reason, one.value) for one in refused.value.errors]


def json_mistakes(**changes: Any) -> list[tuple[str, str, str, str]]:
    with pytest.raises(Refusal) as refused:
        request(**changes)
    return [(one.pointer, one.error_code, one.reason, one.value) for one in refused.value.errors]


def test_both_forms_have_one_content() -> None:
    told = request()
    document = write_message(told)
    again = read_message(document, EchoRequest)
    assert again == told
    assert again.content_sha256 == told.content_sha256
    assert b"<countries>KR JP</countries><note>Tom &amp; &lt;Jerry&gt;</note>" in document
    assert b"<original>1</original>" in document
    assert document.count(b"<original>") == 1  # what equals its default is left out


@given(messages(EchoRequest))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_written_is_read_back(message: EchoRequest) -> None:
    document = write_message(message)
    again = read_message(document, EchoRequest)
    assert again == message
    assert json_of_document(document, EchoRequest) == json_of(message)
    assert again.content_sha256 == message.content_sha256


def test_a_default_that_a_document_states_is_left_out_in_json() -> None:
    document = write_message(request()).replace(b"<original>1</original>", b"<original>0</original>")
    stated = read_message(document, EchoRequest)
    assert json_of_document(document, EchoRequest) == json_of(stated)
    assert b"original" not in json_of(stated)


def test_any_prefix_will_do() -> None:
    document = write_message(request()).replace(b"<", b"<n1:").replace(b"<n1:/", b"</n1:").replace(b"<n1:?", b"<?")
    document = document.replace(b"xmlns=", b"xmlns:n1=")
    assert read_message(document, EchoRequest) == request()


def test_hints_on_schemas_are_no_content() -> None:
    hint = f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="{NS} http://x.invalid/x.xsd" '
    document = write_message(request()).replace(b"<Echo ", b"<Echo " + hint.encode())
    assert read_message(document, EchoRequest) == request()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("Echo", "Ecko", [("/Ecko", "15", "NOT_ALLOWED", f"{{{NS}}}Ecko")]),
        ("echo:1", "echo:2", [("/Echo", "15", "NOT_ALLOWED", "{urn:certex-bridge:echo:2}Echo")]),
        ("<mood>GOOD</mood>", "", [("/Echo/mood", "13", "MISSING", "")]),
        ("<mood>GOOD", "<mood>good", [("/Echo/mood", "12", "CODE", "good")]),
        ("<mood>GOOD", "<mood> GOOD", [("/Echo/mood", "12", "CODE", " GOOD")]),
        ("<side>EXPORT", "<side>IMPORT", [("/Echo/side", "12", "CODE", "IMPORT")]),
        ("<mood>", "<mod>x</mod><mood>", [("/Echo/mod", "15", "NOT_ALLOWED", "x")]),
        ("<mood>", "<mood>GOOD</mood><mood>", [("/Echo/mood", "35", "TOO_MANY", "GOOD")]),
        ("<mood>", '<mood xmlns="urn:else">', [("/Echo/mood", "15", "NOT_ALLOWED", "GOOD")] ),
        ("<mood>", "words<mood>", [("/Echo", "15", "NOT_ALLOWED", "words")]),
        ("<mood>", '<mood at="1">', [("/Echo/mood/@at", "15", "NOT_ALLOWED", "1")]),
        ("<mood>GOOD", "<mood><x/>GOOD", [("/Echo/mood", "15", "NOT_ALLOWED", "x")]),
        (">26BE00000000000M12<", ">26BE0M12<", [("/Echo/MRN", "93", "MRN_INVALID", "26BE0M12")]),
        ("KR JP", "KR jp", [("/Echo/countries[2]", "51", "PATTERN", "jp")]),
        ("Präzision", "Präzision ", [("/Echo/note[2]", "51", "PATTERN", "Präzision ")]),
        ("Präzision", "", [("/Echo/note[2]", "40", "TOO_SHORT", "")]),
        ("Präzision", "ä" * 71, [("/Echo/note[2]", "39", "TOO_LONG", "ä" * 71)]),
        ("Number>1<", "Number>01<", [("/Echo/GoodsItem[1]/declarationGoodsItemNumber", "50", "TYPE", "01")]),
        ("Number>1<", "Number>0<", [("/Echo/GoodsItem[1]/declarationGoodsItemNumber", "54", "TOO_SMALL", "0")]),
        ("Number>2<", "Number>100000<", [("/Echo/GoodsItem[2]/declarationGoodsItemNumber", "55", "TOO_LARGE", "100000")]),
        ("Number>2<", "Number>2.0<", [("/Echo/GoodsItem[2]/declarationGoodsItemNumber", "50", "TYPE", "2.0")]),
        ("<original>1", "<original>true", [("/Echo/GoodsItem[2]/original", "50", "TYPE", "true")]),
        ("<quantity>40.5", "<quantity>40.1234567", [("/Echo/GoodsItem[1]/quantity", "51", "PATTERN", "40.1234567")]),
        ("<measurementUnitAndQualifier>NAR</measurementUnitAndQualifier>", "", [("/Echo/GoodsItem[1]", "13", "UNIT_MISSING", "object")]),
        ("CBECRQ", "CBECRS", [("/Echo/messageType", "12", "CODE", "CBECRS")]),
        ("GOOD", "&foo;", [("line 2", "52", "XML_SYNTAX", "")]),
        ("GOOD", "GO<!-- -->OD", [("line 2", "15", "XML_SPLIT_VALUE", " ")]),
        ('encoding="UTF-8"', 'encoding="UTF-16"', [("encoding", "53", "XML_ENCODING", "UTF-16")]),
        ("<Echo", "<!DOCTYPE x><Echo", [("line 2", "52", "XML_DOCTYPE", "<!DOCTYPE")]),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place_code_and_value(before: str, after: str, expected: list[tuple[str, ...]]) -> None:
    text = write_message(request()).decode()
    assert before in text
    assert mistakes(text.replace(before, after).encode()) == expected


def test_elements_have_an_order() -> None:
    text = (
        write_message(request())
        .decode()
        .replace("<side>EXPORT</side>", "")
        .replace("<mood>", "<side>EXPORT</side><mood>")
    )
    assert mistakes(text.encode()) == [("/Echo/mood", "15", "ORDER", "GOOD")]


def test_all_mistakes_are_told_at_once() -> None:
    text = (
        write_message(request())
        .decode()
        .replace("<mood>GOOD</mood>", "<x/>")
        .replace("40.5", "forty")
        .replace("KR", "kr")
    )
    assert mistakes(text.encode()) == [
        ("/Echo/x", "15", "NOT_ALLOWED", ""),
        ("/Echo/mood", "13", "MISSING", ""),
        ("/Echo/countries[1]", "51", "PATTERN", "kr"),
        ("/Echo/GoodsItem[1]/quantity", "51", "PATTERN", "forty"),
    ]


def test_more_mistakes_than_can_be_told_are_counted() -> None:
    text = write_message(request()).decode().replace("<mood>", "<x/>" * 150 + "<mood>")
    with pytest.raises(Refusal) as refused:
        read_message(text.encode(), EchoRequest)
    assert len(refused.value.errors) == 99
    assert "99 of 150" in refused.value.message


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"mood": None}, ("/mood", "13", "MISSING", "")),
        ({"mood": "good"}, ("/mood", "12", "CODE", "good")),
        ({"message_sender": "x"}, ("/message_sender", "15", "NOT_ALLOWED", "x")),
        ({"note": ["x", " "]}, ("/note/1", "51", "PATTERN", " ")),
        ({"note": "x"}, ("/note", "50", "TYPE", "x")),
        ({"note": [1.5]}, ("/note/0", "50", "TYPE", "1.5")),
        ({"GoodsItem": [{"declarationGoodsItemNumber": 7}] * 4}, ("/GoodsItem", "35", "TOO_MANY", "array")),
        ({"GoodsItem": [{"declarationGoodsItemNumber": 1.0}]}, ("/GoodsItem/0/declarationGoodsItemNumber", "50", "TYPE", "1.0")),
        ({"GoodsItem": [{"declarationGoodsItemNumber": 1, "quantity": 1}]}, ("/GoodsItem/0/quantity", "50", "TYPE", "1")),
        ({"MRN": "26BE"}, ("/MRN", "93", "MRN_INVALID", "26BE")),
        ({"a/b~c": "x" * 600}, ("/a~1b~0c", "15", "NOT_ALLOWED", "x" * 512)),
        ({"messageType": "CBECRS"}, ("/messageType", "12", "CODE", "CBECRS")),
    ],
)  # fmt: skip
def test_json_has_the_same_words_with_its_own_pointers(changes: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert json_mistakes(**changes) == [expected]


@pytest.mark.parametrize(
    ("raw", "code", "reason"),
    [
        (b"", "52", "JSON_SYNTAX"),
        (b'{"a":1,"a":2}', "35", "JSON_DUPLICATE_KEY"),
        (b'{"a":NaN}', "52", "JSON_SYNTAX"),
        (b"[" * 40, "18", "JSON_DEPTH"),
        (b"\xef\xbb\xbf{}", "53", "JSON_ENCODING"),
        (b"[]", "50", "TYPE"),
    ],
)
def test_bytes_that_are_no_document(raw: bytes, code: str, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_json_message(raw, EchoRequest)
    assert (refused.value.errors[0].error_code, refused.value.errors[0].reason) == (code, reason)


def test_a_message_that_xml_cannot_carry_is_not_written() -> None:
    error = FunctionalError(error_pointer="/", error_code="14", error_reason="X", text="\ufffe")
    message = ErrorNotification(
        message_sender="A",
        message_recipient="B",
        preparation_date_and_time="2026-01-01T00:00:00",
        message_identification="1",
        type_of_message="CBERRN",
        code="X",
        functional_errors=(error,),
    )
    with pytest.raises(ValueError, match="Char"):
        write_message(message)


def test_a_group_says_its_rule() -> None:
    with pytest.raises(ValueError, match="a quantity has a unit"):
        EchoItem(number=1, quantity="4")


def test_a_request_has_fewer_elements_than_a_record() -> None:
    assert len(parse_document(b"<r>" + b"<a/>" * 49_999 + b"</r>")) == 49_999
    with pytest.raises(Refusal) as refused:
        parse_document(b"<r>" + b"<a/>" * 50_000 + b"</r>")
    assert refused.value.errors[0].reason == "XML_LIMIT"
