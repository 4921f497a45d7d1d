"""The generated pages of docs/reference that no other module owns: command line, events, codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_CLI_HEAD = """# Command line

Exit status: 0 all is well; 1 the answer is no (a refusal, a failed verification, a stale file); 2 a wrong argument,
setting or file, or a server that cannot be reached. This page is generated: `make contracts`.
"""

_EVENTS_HEAD = """# Topics and events

CloudEvents 1.0 on Kafka. The bridge writes binary mode and reads binary and structured mode; amounts are JSON texts.
The whole contract is [asyncapi.yaml](../../contracts/asyncapi.yaml). This page is generated: `make contracts`.
"""

_CODES_HEAD = """# Codes

Outcomes, reasons and incidents as they stand in outcome documents and incidents, and the findings on what was sent.
Codes are stable; sentences may improve. This page is generated from the code: `make contracts`.
"""

_FINDINGS = (
    (
        "Findings on declarations",
        "An ERROR on a document refuses its claim with this code; one on the record puts that into quarantine.",
        "customs",
    ),
    ("Findings on licence events", "Told in the acknowledgement.", "licensing"),
)


def command_line() -> str:
    """The page docs/reference/cli.md."""
    import typer.main

    from certex_bridge.operations.cli import app

    return _CLI_HEAD + "".join(_commands(typer.main.get_command(app), "certex-bridge"))


def _commands(command: Any, path: str) -> Iterator[str]:
    children: dict[str, Any] = getattr(command, "commands", {})
    if not children or path.count(" ") == 0:
        yield _command(command, path)
    for name in sorted(children):
        yield from _commands(children[name], f"{path} {name}")


def _command(command: Any, path: str) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and not getattr(one, "hidden", False)]
    usage = " ".join([path, *(one.metavar or one.name.upper() for one in arguments), "[options]"])
    text = f"\n## {path}\n\n{_paragraphs(command.help)}\n\n```text\n{usage}\n```\n"
    if options:
        text += "\n| Option | Default | Meaning |\n| --- | --- | --- |\n"
        text += "".join(_option(one) for one in options)
    return text


def _option(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    default = option.default
    shown = "" if default in {None, "", False} or callable(default) else f"`{getattr(default, 'value', default)}`"
    return f"| {names} | {shown} | {option.help or ''} |\n"


def _paragraphs(text: str | None) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (text or "").split("\n\n"))


def events() -> str:
    """The page docs/reference/events.md."""
    from certex_bridge.operations.contract_models import MESSAGES
    from certex_bridge.platform.kafka_topics import TopicCatalogue

    parts = [_EVENTS_HEAD]
    for spec in TopicCatalogue.load():
        reads = "The bridge reads it" if spec.direction == "in" else "The bridge writes it"
        kept = "newest record of each key for ever" if spec.cleanup == "compact" else f"{spec.retention_days} days"
        parts.append(f"\n## {spec.name}\n\n{spec.description} {reads}; key: {spec.key}; kept: {kept}.\n\n")
        if spec.personal_data:
            parts.append(f"Personal data: {spec.personal_data.strip()}\n\n")
        parts.append("| Type | Contract | Examples |\n| --- | --- | --- |\n")
        for one in MESSAGES[spec.name]:
            contract = "as its sender's profile says"
            if one.xsd:
                contract = f"[{one.xsd}](../../schemas/xsd/{one.xsd})"
            elif one.models:
                contract = f"[v1.json](../../schemas/events/{one.name}/v1.json)"
            examples = f"[{one.examples}](../../contracts/examples/{one.examples})" if one.examples else ""
            parts.append(f"| `{one.ce_type or 'header profile'}` | {contract} | {examples} |\n")
    return "".join(parts)


def codes() -> str:
    """The page docs/reference/codes.md."""
    from certex_bridge.ledger.domain.reasons import SENTENCES, Incident, Outcome
    from certex_bridge.operations.code_scan import codes_of
    from certex_bridge.singlewindow.refusals import REFUSALS

    parts = [_CODES_HEAD, "\n## Outcomes\n\n"]
    parts += [f"- `{outcome.value}`\n" for outcome in Outcome]
    parts.append("\n## Reasons\n\n| Code | Sentence |\n| --- | --- |\n")
    parts += [f"| `{code}` | {sentence} |\n" for code, sentence in sorted(SENTENCES.items())]
    parts.append("\n## Incidents\n\n")
    parts += [f"- `{incident.value}`\n" for incident in Incident]
    for title, sentence, package in _FINDINGS:
        parts.append(f"\n## {title}\n\n{sentence}\n\n")
        parts += [f"- `{code}`\n" for code in sorted(codes_of(package, "kernel"))]
    parts.append("\n## Refusals of the gateway\n\n| Code | HTTP | CL180 | Meaning |\n| --- | --- | --- | --- |\n")
    parts += [f"| `{code}` | {one.status} | {one.error_code} | {one.title} |\n" for code, one in REFUSALS.items()]
    return "".join(parts)
