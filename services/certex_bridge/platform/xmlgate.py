"""The hardened XML gate: foreign bytes become a small, plain tree, or a refusal.

No document type declaration is ever parsed: the bytes that could open one are refused before a parser sees them, so
that neither internal entities (expansion) nor external ones (files, network) exist. `collect_ids` keeps its default:
switched off, lxml's parser reads external subsets from the disk whatever the other options say.

Comments and processing instructions between elements are dropped. One that touches a value is refused, because
readers disagree on what the value then is: `BE123<!-- -->456` is BE123 to some.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from certex_bridge.platform.poison import Poison


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """Sizes beyond which a document is refused."""

    size_bytes: int = 1 << 20
    depth: int = 64
    nodes: int = 200_000
    """Elements, comments and processing instructions together."""
    attributes: int = 256
    """On one element."""
    namespaces: int = 1_000
    """Namespace declarations in the whole document."""
    namespace_chars: int = 256
    """Of one namespace's name: lxml writes it anew into the name of each element that is asked for one."""
    name_chars: int = 128
    """Of one element's or attribute's name."""


DEFAULT_LIMITS = XmlLimits()

_BOM = b"\xef\xbb\xbf"
_FOREIGN_STARTS = {
    b"\xff\xfe": "UTF-16LE",
    b"\xfe\xff": "UTF-16BE",
    b"\x00": "UTF-16BE or UTF-32",
    b"<\x00": "UTF-16LE",
    b"\x4c\x6f\xa7\x94": "EBCDIC",
    b"+/v": "UTF-7",
}
"""First bytes of other encodings, and what they are called."""
_VERSION = re.compile(rb"\sversion\s*=\s*[\"']([^\"']*)[\"']").search
_ENCODING = re.compile(rb"\sencoding\s*=\s*[\"']([^\"']*)[\"']").search


def parse_xml(raw: bytes, limits: XmlLimits = DEFAULT_LIMITS) -> etree._Element:
    """The root element of a well-formed document without comments and processing instructions.

    Raises:
        Poison: XML_EMPTY, XML_LIMIT (a size, number or length of `limits`), XML_ENCODING (anything but UTF-8),
            XML_DOCTYPE, XML_SYNTAX or XML_SPLIT_VALUE.
    """
    text = _checked_bytes(raw, limits)
    try:
        root = etree.fromstring(text, _parser())
        if root.getroottree().docinfo.internalDTD is not None:
            raise Poison("XML_DOCTYPE", "a document type declaration is not accepted", "DOCTYPE", "<!DOCTYPE")
        _check_namespaces(root, limits)
        _drop_remarks(root)
        _check_shape(root, limits)
    except etree.XMLSyntaxError as error:
        raise Poison("XML_SYNTAX", str(error)[:200], f"line {error.lineno or 0}") from error
    except (etree.LxmlError, MemoryError, RecursionError, ValueError) as error:
        raise Poison("XML_SYNTAX", str(error)[:200]) from error
    return root


def local_name(element: etree._Element) -> str:
    """The element's name without namespace."""
    tag = str(element.tag)
    return tag[tag.rindex("}") + 1 :] if tag[0] == "{" else tag


def _parser() -> etree.XMLParser:
    # One parser per document: its error log and options are never shared between messages.
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        remove_comments=False,
        remove_pis=False,
    )


def _checked_bytes(raw: bytes, limits: XmlLimits) -> bytes:
    """The bytes without byte order mark, once all that can be told without a parser is told."""
    if len(raw) > limits.size_bytes:
        raise Poison("XML_LIMIT", f"the document exceeds {limits.size_bytes} bytes", value=len(raw))
    text = raw.removeprefix(_BOM)
    if not text.strip():
        raise Poison("XML_EMPTY", "the document is empty")
    _check_encoding(text)
    for opening in (b"<!DOCTYPE", b"<!ENTITY"):
        if opening in text:
            line = text[: text.index(opening)].count(b"\n") + 1
            message = "a document type declaration is not accepted"
            raise Poison("XML_DOCTYPE", message, f"line {line}", opening.decode())
    if text.count(b"<") - text.count(b"</") > limits.nodes:
        raise Poison("XML_LIMIT", f"more than {limits.nodes} elements")
    if text.count(b"xmlns") > limits.namespaces:
        raise Poison("XML_LIMIT", f"more than {limits.namespaces} namespace declarations")
    return text


def _check_encoding(text: bytes) -> None:
    for start, name in _FOREIGN_STARTS.items():
        if text.startswith(start):
            raise Poison("XML_ENCODING", "only UTF-8 is accepted", "encoding", name)
    if text.startswith(b"<?xml"):
        declaration = text.partition(b"?>")[0]
        version, encoding = _VERSION(declaration), _ENCODING(declaration)
        if version is not None and version[1] != b"1.0":
            raise Poison("XML_SYNTAX", "only XML 1.0 is accepted", "version", version[1].decode("ascii", "replace"))
        if encoding is not None and encoding[1].upper() != b"UTF-8":
            raise Poison("XML_ENCODING", "only UTF-8 is accepted", "encoding", encoding[1].decode("ascii", "replace"))
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise Poison("XML_ENCODING", "the document is not UTF-8", f"byte {error.start}") from error


def _check_namespaces(root: etree._Element, limits: XmlLimits) -> None:
    """Before anything asks for a name, so that no name is ever long."""
    for _, (_, namespace) in etree.iterwalk(root, events=("start-ns",)):
        if len(namespace) > limits.namespace_chars:
            raise Poison("XML_LIMIT", f"a namespace has more than {limits.namespace_chars} characters")


def _check_shape(root: etree._Element, limits: XmlLimits) -> None:
    """Depth, attributes, names; all are bounded already (by the parser, by the size), here to the smaller limits."""
    level = [root]
    depth = 0
    while level:
        depth += 1
        if depth > limits.depth:
            raise Poison("XML_LIMIT", f"elements are nested deeper than {limits.depth}")
        below: list[etree._Element] = []
        for element in level:
            _check_names(element, limits)
            below += element
        level = below


def _check_names(element: etree._Element, limits: XmlLimits) -> None:
    if len(local_name(element)) > limits.name_chars:
        raise Poison("XML_LIMIT", f"an element's name has more than {limits.name_chars} characters")
    attributes = element.attrib
    if not attributes:
        return
    if len(attributes) > limits.attributes:
        raise Poison("XML_LIMIT", f"an element has more than {limits.attributes} attributes")
    if any(len(str(name).rpartition("}")[2]) > limits.name_chars for name in attributes):
        raise Poison("XML_LIMIT", f"an attribute's name has more than {limits.name_chars} characters")


def _drop_remarks(root: etree._Element) -> None:
    for remark in list(root.iter(etree.Comment, etree.ProcessingInstruction, etree.Entity)):
        parent = remark.getparent()
        if parent is None:
            continue
        previous = remark.getprevious()
        before = parent.text if previous is None else previous.tail
        if remark.tag is etree.Entity or _is_value(before) or _is_value(remark.tail):
            message = "a comment, processing instruction or entity splits a value"
            raise Poison("XML_SPLIT_VALUE", message, f"line {remark.sourceline}", remark.text or "")
        parent.remove(remark)


def _is_value(text: str | None) -> bool:
    return text is not None and not text.isspace() and text != ""
