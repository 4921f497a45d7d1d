"""The WSDL 1.1 document: every operation document/literal over SOAP 1.2 and 1.1, its messages from the XSDs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.singlewindow.messages.errors import ErrorNotification
from certex_bridge.singlewindow.messages.xsd import XS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from certex_bridge.singlewindow.messages.base import Message
    from certex_bridge.singlewindow.operation import Operation

WSDL = "http://schemas.xmlsoap.org/wsdl/"
TARGET = "urn:certex-bridge:service:1"
_TRANSPORT = "http://schemas.xmlsoap.org/soap/http"
_BINDINGS = {
    "Soap12": "http://schemas.xmlsoap.org/wsdl/soap12/",
    "Soap11": "http://schemas.xmlsoap.org/wsdl/soap/",
}
_PORT_TYPE = "CertexBridge"
_FAULT = "ErrorNotification"


def action_of(operation: Operation) -> str:
    """The SOAP action of an operation."""
    return f"{TARGET}:{operation.name}"


def schema_file(model: type[Message]) -> str:
    """Where the schema of a message lies below `schemas/xsd`."""
    return f"{model.family}/{model.family_version}/{model.family}.xsd"


def wsdl_document(operations: Sequence[Operation], address: str, schemas: str) -> bytes:
    """The document; `address` is the service's, `schemas` where the folder `schemas/xsd` is found from it."""
    messages = _messages(operations)
    namespaces = {"wsdl": WSDL, "xs": XS, "tns": TARGET}
    families = {model.namespace(): model for model in messages.values()}
    namespaces |= {f"m{number}": namespace for number, namespace in enumerate(families, 1)}
    prefixes = {namespace: prefix for prefix, namespace in namespaces.items()}
    root = etree.Element(f"{{{WSDL}}}definitions", nsmap=namespaces, name=_PORT_TYPE, targetNamespace=TARGET)
    said = "Functions of Implementing Regulation (EU) 2024/2145 Art. 5 to 11. A refused claim is an answer, no fault."
    _add(root, "documentation").text = said
    schema = etree.SubElement(_add(root, "types"), f"{{{XS}}}schema")
    for namespace, model in families.items():
        location = f"{schemas}/{schema_file(model)}"
        etree.SubElement(schema, f"{{{XS}}}import", namespace=namespace, schemaLocation=location)
    for name, model in messages.items():
        part = _add(_add(root, "message", name=name), "part", name="body")
        part.set("element", f"{prefixes[model.namespace()]}:{model.root}")
    _port_type(root, operations)
    for name, namespace in _BINDINGS.items():
        _binding(root, name, namespace, operations)
    _service(root, address)
    etree.indent(root)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(root, encoding="UTF-8") + b"\n"


def _messages(operations: Sequence[Operation]) -> dict[str, type[Message]]:
    """Every message once, by its name here.

    Raises:
        ConfigurationError: two messages have one name.
    """
    models: list[type[Message]] = [model for one in operations for model in (one.request, one.response)]
    found: dict[str, type[Message]] = {}
    models.append(ErrorNotification)
    for model in models:
        if found.setdefault(_name(model), model) is not model:
            raise ConfigurationError("two messages have one name", field=_name(model))
    return found


def _name(model: type[Message]) -> str:
    return model.root if model.family_version == 1 else f"{model.root}{model.family_version}"


def _port_type(root: etree._Element, operations: Sequence[Operation]) -> None:
    port_type = _add(root, "portType", name=_PORT_TYPE)
    for one in operations:
        operation = _add(port_type, "operation", name=one.name)
        _add(operation, "documentation").text = f"{one.function}, Art. {one.law}: {one.summary}"
        _add(operation, "input", message=f"tns:{_name(one.request)}")
        _add(operation, "output", message=f"tns:{_name(one.response)}")
        _add(operation, "fault", name=_FAULT, message=f"tns:{_name(ErrorNotification)}")


def _binding(root: etree._Element, name: str, namespace: str, operations: Sequence[Operation]) -> None:
    binding = _add(root, "binding", name=name, type=f"tns:{_PORT_TYPE}")
    soap = {"soap": namespace}
    etree.SubElement(binding, f"{{{namespace}}}binding", nsmap=soap, style="document", transport=_TRANSPORT)
    for one in operations:
        operation = _add(binding, "operation", name=one.name)
        etree.SubElement(operation, f"{{{namespace}}}operation", nsmap=soap, soapAction=action_of(one))
        for direction in ("input", "output"):
            etree.SubElement(_add(operation, direction), f"{{{namespace}}}body", nsmap=soap, use="literal")
        fault = _add(operation, "fault", name=_FAULT)
        etree.SubElement(fault, f"{{{namespace}}}fault", nsmap=soap, name=_FAULT, use="literal")


def _service(root: etree._Element, address: str) -> None:
    service = _add(root, "service", name=_PORT_TYPE)
    for name, namespace in _BINDINGS.items():
        port = _add(service, "port", name=f"{name}Port", binding=f"tns:{name}")
        etree.SubElement(port, f"{{{namespace}}}address", nsmap={"soap": namespace}, location=address)


def _add(parent: etree._Element, kind: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{WSDL}}}{kind}", attributes)
