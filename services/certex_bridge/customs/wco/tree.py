"""Reading WCO messages by local name: any prefix, any namespace, wrapped or bare."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from lxml import etree

from certex_bridge.kernel.dates import has_zone, parse_date, parse_instant, parse_wco_datetime
from certex_bridge.platform.poison import Poison
from certex_bridge.platform.xmlgate import local_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime, tzinfo

Element = etree._Element  # noqa: SLF001 - lxml names its public element class so

_CLOCK_FORMATS = {8: "102", 12: "203", 14: "204"}
"""Digits of a time without zone to the format code that reads them, whatever code the sender wrote."""


class Moment(NamedTuple):
    """A date-time of a message."""

    instant: datetime
    iso: str
    """As customs state it: a date for a date, an instant with offset otherwise."""
    assumed_zone: bool


def children(element: Element | None, name: str) -> Iterator[Element]:
    """The children with this local name."""
    if element is not None:
        for child in element:
            if local_name(child) == name:
                yield child


def child(element: Element | None, name: str) -> Element | None:
    """The only child with this local name.

    Raises:
        Poison: WCO_STRUCTURE when there are several: no two readers would choose the same.
    """
    found = children(element, name)
    only = next(found, None)
    if only is not None and next(found, None) is not None:
        raise Poison("WCO_STRUCTURE", "an element that can occur once occurs again", name)
    return only


def first(element: Element | None, name: str) -> Element | None:
    """The first child with this local name, where several are legal."""
    return next(children(element, name), None)


def text(element: Element | None, *path: str) -> str:
    """The stripped text at the path of only children; empty where there is none.

    Raises:
        Poison: WCO_STRUCTURE, as `child`.
    """
    for name in path:
        element = child(element, name)
    return (element.text or "").strip() if element is not None else ""


def outermost(root: Element, names: Collection[str], within: Collection[str]) -> list[Element]:
    """The elements with these local names, in document order, each the root or inside elements `within` only."""
    found: list[Element] = []
    pending = [root]
    while pending:
        element = pending.pop()
        if local_name(element) in names:
            found.append(element)
        elif local_name(element) in within:
            pending.extend(reversed(element))
    return found


def moment(element: Element | None, name: str, zone: tzinfo) -> Moment | None:
    """The date-time in the child `name` (inside DateTimeString or directly), None where there is none.

    Raises:
        InputError: code DATE_INVALID or DATE_RANGE.
    """
    holder = child(element, name)
    value = child(holder, "DateTimeString")
    value = holder if value is None else value
    written = text(value)
    if value is None or not written:
        return None
    return read_moment(written, value.get("formatCode", ""), zone, name)


def read_moment(written: str, format_code: str, zone: tzinfo, field: str = "") -> Moment:
    """A date-time in a WCO format or in ISO form; without zone the given one is assumed.

    Raises:
        InputError: code DATE_INVALID or DATE_RANGE.
    """
    if "-" in written[:10]:
        if len(written) == len("2026-12-31"):
            return Moment(parse_instant(written, zone, field), parse_date(written, field).isoformat(), False)  # noqa: FBT003  # a field of a value
        instant, assumed = parse_instant(written, zone, field), not has_zone(written)
        return Moment(instant, instant.isoformat(), assumed)
    bare = written.isascii() and written.isdigit()
    code = _CLOCK_FORMATS.get(len(written), format_code) if bare else format_code or "304"
    instant = parse_wco_datetime(written, code, zone, field)
    if code == "102":
        return Moment(instant, instant.date().isoformat(), False)  # noqa: FBT003  # a field of a value
    return Moment(instant, instant.isoformat(), bare)


def canonical_sha256(element: Element) -> str:
    """A hash of what the element says: local names, attributes without namespace, stripped texts, in order.

    Prefixes, namespace declarations, schema locations, comments and indentation do not count, so the same message
    in another wrapper has the same hash, and any difference in content has another.
    """
    said: list[str] = []
    for event, node in etree.iterwalk(element, events=("start", "end")):
        if event == "start":
            attributes = sorted((str(key), str(value)) for key, value in node.attrib.items() if str(key)[0] != "{")
            said += ("(", local_name(node), str(len(attributes)), *(part for pair in attributes for part in pair))
            said.append((node.text or "").strip())
        else:
            said += (")", (node.tail or "").strip() if node is not element else "")
    # No XML text can hold the separator and attributes are counted: two contents never share one spelling.
    return hashlib.sha256("\0".join(said).encode()).hexdigest()
