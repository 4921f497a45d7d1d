"""Schemas made from models: two validators and the model agree on what is valid; what has no counterpart is refused."""

from __future__ import annotations

import json
from typing import Annotated, Any, ClassVar

import pytest
import xmlschema
from hypothesis import HealthCheck, given, settings
from lxml import etree
from pydantic import Field, ValidationError

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.singlewindow.messages.base import Message, Part
from certex_bridge.singlewindow.messages.errors import ErrorNotification
from certex_bridge.singlewindow.messages.shape import shapes_of
from certex_bridge.singlewindow.messages.xml import read_message, write_message
from certex_bridge.singlewindow.messages.xsd import documents, families, one_document
from certex_bridge.singlewindow.messages.xsd_pattern import xsd_pattern
from certex_bridge.singlewindow.refusals import Refusal
from tests.support.echo import EchoItem, EchoRequest, EchoResponse, sample
from tests.support.message_strategies import broken_documents, messages

XS = "{http://www.w3.org/2001/XMLSchema}"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[etree.XMLSchema, Any]:
    """The files as they are published, read by lxml and by xmlschema."""
    folder = tmp_path_factory.mktemp("echo")
    for name, text in documents((EchoRequest, EchoResponse)).items():
        (folder / name).write_bytes(text)
    path = str(folder / "echo.xsd")
    return etree.XMLSchema(file=path), xmlschema.XMLSchema10(path)


@given(messages(EchoRequest))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_two_validators_accept_what_the_model_makes(published: Any, message: EchoRequest) -> None:
    document = write_message(message)
    fast, second = published
    assert fast.validate(etree.fromstring(document))
    assert second.is_valid(etree.fromstring(document))


@given(broken_documents(EchoRequest))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_model_takes_nothing_that_the_schemas_refuse(published: Any, document: bytes) -> None:
    fast, second = published
    valid = fast.validate(etree.fromstring(document))
    assert second.is_valid(etree.fromstring(document)) == valid
    try:
        read_message(document, EchoRequest)
    except Refusal as refused:
        # The schema knows no rules across fields; everything else it refuses itself, and the model says why.
        assert not valid or {one.reason for one in refused.errors} <= {"UNIT_MISSING"}
        assert all(one.reason != "SCHEMA" for one in refused.errors)
    else:
        assert valid


def test_types_have_their_names_and_words() -> None:
    files = {name: etree.fromstring(text) for name, text in documents((EchoRequest, EchoResponse)).items()}
    assert list(files) == ["echo.xsd", "ctypes.xsd", "stypes.xsd"]
    roots = [element.get("name") for element in files["echo.xsd"].findall(f"{XS}element")]
    assert roots == ["Echo", "EchoResponse"]
    item = files["ctypes.xsd"].find(f"{XS}complexType[@name='EchoItemType']")
    assert item is not None
    elements = [(one.get("name"), one.get("type"), one.get("minOccurs")) for one in item.iter(f"{XS}element")]
    assert elements == [
        ("declarationGoodsItemNumber", "Number5Type", None),
        ("measurementUnitAndQualifier", "UnitType", "0"),
        ("quantity", "QuantityFigureType", "0"),
        ("original", "FlagType", "0"),
    ]
    assert item.findtext(".//{urn:certex-bridge:echo:1}dataElement") == "11 03 000"
    figure = files["stypes.xsd"].find(f"{XS}simpleType[@name='QuantityFigureType']")
    assert figure is not None
    assert figure.findtext(f".//{XS}documentation") == "12 03 006: n..16,6."
    names = [one.get("name") for one in files["stypes.xsd"].findall(f"{XS}simpleType")]
    assert {"MrnType", "MoodType", "CountryType", "CountryListType", "Text70Type", "EchoRequestSideType"} <= set(names)
    repeated = files["echo.xsd"].find(f".//{XS}element[@name='GoodsItem'][@maxOccurs='3']")
    assert repeated is not None
    assert all(
        len(one.findtext(f".//{XS}documentation") or "") > 3 for one in files["echo.xsd"].iter(f"{XS}complexType")
    )


@pytest.mark.parametrize(
    "text", ["a", "é b", "a\u00a0b", "中", "", " a", "a ", "a\nb", "a\tb", "a\u2003", "\u0085a", "a\x7f"]
)
def test_a_pattern_means_the_same_in_both_languages(published: Any, text: str) -> None:
    message = EchoRequest.model_validate_json(json.dumps(sample(note=["here"])), by_alias=True, by_name=False)
    root = etree.fromstring(write_message(message))
    note = root.find("{urn:certex-bridge:echo:1}note")
    assert note is not None
    note.text = text
    taken = True
    try:
        EchoRequest.model_validate_json(json.dumps(sample(note=[text])), by_alias=True, by_name=False)
    except ValidationError:
        taken = False
    assert [one.validate(root) if isinstance(one, etree.XMLSchema) else one.is_valid(root) for one in published] == [
        taken
    ] * 2


@pytest.mark.parametrize(
    ("pattern", "translated"),
    [
        (r"^[A-Z]{2}$", "[A-Z]{2}"),
        (r"^(?:a|b)\.c$", r"(a|b)\.c"),
        (r"^[^\x00-\x1f\x7f]+$", "[^\\t\\n\\r\x7f]+"),
        (r"^\d+$", r"\d+"),
        (r"^\x41-\u00e9$", "A-é"),
    ],
)
def test_patterns_are_translated(pattern: str, translated: str) -> None:
    assert xsd_pattern(pattern) == translated


@pytest.mark.parametrize("pattern", ["[A-Z]", r"^a\b$", "^(?=a)a$", r"^\p{L}$"])
def test_patterns_without_counterpart_are_refused(pattern: str) -> None:
    with pytest.raises(ConfigurationError):
        xsd_pattern(pattern)


class Two(Part):
    """Either."""

    either: Annotated[str | int, Field()]
    """Text or number."""


class Fraction(Part):
    """A number that is none."""

    share: float
    """Share."""


@pytest.mark.parametrize("model", [Two, Fraction])
def test_what_xml_and_json_have_no_common_form_for_is_refused(model: type[Part]) -> None:
    with pytest.raises(ConfigurationError):
        shapes_of(model)


class Double(Message):
    """Another echo."""

    family: ClassVar[str] = "echo"
    root: ClassVar[str] = "Echo"
    message_type: ClassVar[str] = "CBECRQ"


def test_names_are_given_once() -> None:
    with pytest.raises(ConfigurationError):
        families([EchoRequest, Double])
    with pytest.raises(ConfigurationError):
        one_document((EchoRequest, ErrorNotification))
    assert list(families([EchoResponse, EchoRequest, EchoRequest])) == [("echo", 1)]
    assert families([EchoResponse, EchoRequest])["echo", 1] == (EchoRequest, EchoResponse)
    assert EchoItem.__name__ in one_document((EchoRequest,)).decode()
