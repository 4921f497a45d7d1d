"""The schema that a message's XML must fit: made from the model, or the published file where that came first."""

from __future__ import annotations

from functools import cache

from lxml import etree

from certex_bridge.platform.resources import schema_path
from certex_bridge.singlewindow.messages.base import Message
from certex_bridge.singlewindow.messages.xsd import one_document


@cache
def schema_of(model: type[Message]) -> etree.XMLSchema:
    """The compiled schema; it belongs to one thread at a time.

    Raises:
        ConfigurationError: the installation lacks the file of a family that is written by hand.
    """
    if not model.schema_generated:
        return etree.XMLSchema(file=str(schema_path("xsd", model.family, model.family_version)))
    return etree.XMLSchema(etree.fromstring(one_document((model,))))
