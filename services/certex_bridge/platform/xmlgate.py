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


DEFAULT_LIMITS = XmlLimits()

_BOM = b"\xef\xbb\xbf"
_FOREIGN_STARTS = (b"\xff\xfe", b"\xfe\xff", b"\x00", b"<\x00", b"\x4c\x6f\xa7\x94", b"+/v")
_VERSION = re.compile(rb"\sversion\s*=\s*[\"']([^\"']*)[\"']").search
_ENCODING = re.compile(rb"\sencoding\s*=\s*[\"']([^\"']*)[\"']").search


def parse_xml(raw: bytes, limits: XmlLimits = DEFAULT_LIMITS) -> etree._Element:
    """The root element of a well-formed document without comments and processing instructions.

    Raises:
        Poison: XML_EMPTY, XML_LIMIT (size, nodes, depth, attributes), XML_ENCODING (anything but UTF-8),
            XML_DOCTYPE, XML_SYNTAX or XML_SPLIT_VALUE.
    """
    text = _checked_bytes(raw, limits)
    try:
        root = etree.fromstring(text, _parser())
        if root.getroottree().docinfo.internalDTD is not None:
            raise Poison("XML_DOCTYPE", "a document type declaration is not accepted")
        _check_shape(root, limits)
        _drop_remarks(root)
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
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise Poison("XML_DOCTYPE", "a document type declaration is not accepted")
    if text.count(b"<") - text.count(b"</") > limits.nodes:
        raise Poison("XML_LIMIT", f"more than {limits.nodes} elements")
    if text.count(b"xmlns") > limits.namespaces:
        raise Poison("XML_LIMIT", f"more than {limits.namespaces} namespace declarations")
    return text


def _check_encoding(text: bytes) -> None:
    if text.startswith(_FOREIGN_STARTS):
        raise Poison("XML_ENCODING", "only UTF-8 is accepted")
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


def _check_shape(root: etree._Element, limits: XmlLimits) -> None:
    """Depth and attributes; both are bounded already (by the parser and by the size), here to the smaller limits."""
    level = [root]
    depth = 0
    while level:
        depth += 1
        if depth > limits.depth:
            raise Poison("XML_LIMIT", f"elements are nested deeper than {limits.depth}")
        below: list[etree._Element] = []
        for element in level:
            if len(element.attrib) > limits.attributes:
                raise Poison("XML_LIMIT", f"an element has more than {limits.attributes} attributes")
            below += element
        level = below


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
