"""The page docs/reference/messages.md: functions, their messages, and where each schema stands."""

from __future__ import annotations

from certex_bridge.operations.gateway_contracts import SCHEMAS, described
from certex_bridge.singlewindow.operation import Operation, Read

_HEAD = """# Messages

Every message of the gateway has one model and two forms, XML and JSON, with equal names; amounts are texts. This page
is generated: `make contracts`.

| Contract | Says |
| --- | --- |
| [openapi.yaml](../../contracts/openapi.yaml) | calls over HTTP in JSON and XML (OpenAPI 3.1) |
| [certex-bridge.wsdl](../../contracts/wsdl/certex-bridge.wsdl) | the same as SOAP 1.2 and 1.1 |
| [asyncapi.yaml](../../contracts/asyncapi.yaml) | Kafka (AsyncAPI 3.0); [topics and events](events.md) |
| [schemas/events](../../schemas/events) | JSON Schema of each event |
| [schemas/xsd](../../schemas/xsd) | XML schemas by family and version |
| [contracts/examples](../../contracts/examples) | messages that the tests send and expect |
"""

_LAW = "https://eur-lex.europa.eu/eli/reg_impl/2024/2145/oj"
_FUNCTIONS = f"""
## Functions

Function and article are those of [Implementing Regulation (EU) 2024/2145]({_LAW}). A caller needs one of the roles.

| Function | Article | Operation | Request and answer | Schema | Roles |
| --- | --- | --- | --- | --- | --- |
"""
_READS = """
## Reads

For people and consoles: GET, JSON, nothing is stored.

| Path | Operation | What | Roles |
| --- | --- | --- | --- |
"""
_BY_HAND = """
## Documents on Kafka

| Family | Topic |
| --- | --- |
| [certificate](../../schemas/xsd/certificate/1) | `certex.certificates.v1` |
| [quantity-movement](../../schemas/xsd/quantity-movement/1) | `certex.outcomes.v1` |
"""


def messages() -> str:
    """The page as Markdown."""
    operations, reads = described()
    return _HEAD + _FUNCTIONS + "".join(map(_function, operations)) + _READS + "".join(map(_read, reads)) + _BY_HAND


def _function(one: Operation) -> str:
    families = sorted({one.request.family, one.response.family})
    schemas = ", ".join(f"[{family}](../../{SCHEMAS}/{family}/1)" for family in families)
    names = f"`{one.request.root}`<br>`{one.response.root}`"
    return f"| {one.function} | {one.law} | `{one.name}`<br>POST {one.path} | {names} | {schemas} | {_roles(one)} |\n"


def _read(one: Read) -> str:
    return f"| `{one.path}` | `{one.name}` | {one.summary} | {_roles(one)} |\n"


def _roles(one: Operation | Read) -> str:
    return ", ".join(f"`{role.value}`" for role in sorted(one.roles))
