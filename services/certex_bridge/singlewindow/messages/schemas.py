"""The schema that a message's XML must fit: made from the model, or the published file where that came first."""

from __future__ import annotations

import threading

from lxml import etree

from certex_bridge.platform.resources import schema_path
from certex_bridge.singlewindow.messages.base import Message
from certex_bridge.singlewindow.messages.xsd import one_document


class _Compiled(threading.local):
    """The schemas of one thread, by model: lxml keeps the mistakes of the last document in the schema itself."""

    def __init__(self) -> None:
        self.schemas: dict[type[Message], etree.XMLSchema] = {}


_COMPILED = _Compiled()


def schema_of(model: type[Message]) -> etree.XMLSchema:
    """The schema, compiled once for the thread that asks.

    Raises:
        ConfigurationError: the installation lacks the file of a family that is written by hand.
    """
    known = _COMPILED.schemas.get(model)
    if known is None:
        known = _COMPILED.schemas[model] = _compiled(model)
    return known


def _compiled(model: type[Message]) -> etree.XMLSchema:
    if not model.schema_generated:
        return etree.XMLSchema(file=str(schema_path("xsd", model.family, model.family_version)))
    return etree.XMLSchema(etree.fromstring(one_document((model,))))
