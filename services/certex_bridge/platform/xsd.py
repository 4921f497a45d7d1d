"""Schema validation of outgoing XML: a document that does not fit its schema never leaves the bridge."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import islice
from typing import Any

from lxml import etree

from certex_bridge.kernel.errors import BridgeError, ConfigurationError
from certex_bridge.platform.resources import schema_path

_MAX_ERRORS = 20


class DocumentInvalid(BridgeError):
    """The document does not fit its schema."""

    code = "DOCUMENT_INVALID"

    def __init__(self, family: str, version: int, errors: tuple[tuple[int, str], ...]) -> None:
        self.errors = errors
        """(line, message), at most 20; line 0 when the parser gave none."""
        first = f"line {errors[0][0]}: {errors[0][1]}" if errors else "no detail"
        super().__init__(f"the document does not fit {family} version {version}", field=family, value=first)


class Validator:
    """The XSD of one family and version, compiled once; one instance belongs to one thread at a time."""

    def __init__(self, family: str, version: int) -> None:
        """Load `schemas/xsd/<family>/<version>/<family>.xsd`.

        Raises:
            ConfigurationError: the schema is missing or is not a valid schema.
        """
        self.family = family
        self.version = version
        path = schema_path("xsd", family, version)
        try:
            self._schema = etree.XMLSchema(file=str(path))
        except etree.LxmlError as error:
            raise ConfigurationError(f"not a usable schema: {error}", field=str(path.name)) from error
        self._parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=False
        )

    def validate(self, document: bytes) -> None:
        """Check one whole document.

        Raises:
            DocumentInvalid: not well-formed, or not valid; with the lines and what is wrong there.
        """
        try:
            root = etree.fromstring(document, self._parser)
        except etree.XMLSyntaxError as error:
            raise DocumentInvalid(self.family, self.version, ((error.lineno or 0, error.msg or ""),)) from None
        # No document of ours has one, and the validator gives up on the entity references it can leave behind.
        if root.getroottree().docinfo.internalDTD is not None:
            raise DocumentInvalid(self.family, self.version, ((1, "a document type declaration is not accepted"),))
        if not self._schema.validate(root):
            raise DocumentInvalid(self.family, self.version, self._errors())

    def _errors(self) -> tuple[tuple[int, str], ...]:
        log: Iterable[Any] = self._schema.error_log  # type: ignore[assignment]  # the stubs know no iteration
        return tuple((entry.line, entry.message) for entry in islice(log, _MAX_ERRORS))


@cache
def validator(family: str, version: int) -> Validator:
    """The process-wide validator of a family: compiling a schema costs as much as a hundred documents."""
    return Validator(family, version)
