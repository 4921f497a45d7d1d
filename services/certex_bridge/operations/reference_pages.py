"""The generated pages of docs/reference that no other module owns: command line, events, codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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

_EXPLAINED = "Findings of severity INFO: why there is nothing more to tell, or why nothing moves."
_RECORDS = (
    "A record that can never be used goes to quarantine with one of these codes, or with one of those below; its "
    "operator repairs or discards it. A caller of the gateway is told the same code as the reason of a mistake."
)
_INCIDENTS = (
    "Told to the licensing authority in `licensing.incidents.v1`; it decides what is done. A declaration of which no "
    "licence is known (`RELEASED_UNDECIDED`) is told to customs and counted by `incidents_total` only."
)
_MISTAKES = (
    "The `errorReason` of each mistake in a call that is refused with `SCHEMA_INVALID`; bytes that are no document and "
    "values that cannot be read have the codes of findings."
)
_LICENCES = "Told in the acknowledgement."
_OPERATORS = "A process ends with one of these, or a command refuses; the sentence beside it names what is wrong."
_DECLARATIONS = "An ERROR on a document refuses its claim with this code; one on the record puts that into quarantine."


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
    from certex_bridge.ledger.domain.reasons import EXPLANATIONS, SENTENCES, Incident, Outcome
    from certex_bridge.operations import code_catalogue as words
    from certex_bridge.operations import finding_catalogue as findings
    from certex_bridge.singlewindow.notification import INCIDENT_SENTENCES
    from certex_bridge.singlewindow.refusals import REFUSALS

    todo = "What to do"
    reasons = [(code, sentence, words.REASONS[code]) for code, sentence in sorted(SENTENCES.items())]
    incidents = [(one, INCIDENT_SENTENCES[one], words.INCIDENTS[one]) for one in Incident]
    refusals = [(code, one.status, one.error_code, one.title, words.REFUSED[code]) for code, one in REFUSALS.items()]
    return "".join(
        [
            _CODES_HEAD,
            _table("Outcomes", "", ("Code", "Meaning"), [(one, words.OUTCOMES[one]) for one in Outcome]),
            _table("Reasons", "", ("Code", "Sentence", todo), reasons),
            _table("Explanations", _EXPLAINED, ("Code", "Sentence"), sorted(EXPLANATIONS.items())),
            _table("Incidents", _INCIDENTS, ("Code", "Sentence", todo), incidents),
            _table("Findings on records", _RECORDS, ("Code", todo), sorted(findings.RECORDS.items())),
            _table("Findings on declarations", _DECLARATIONS, ("Code", todo), sorted(findings.DECLARATIONS.items())),
            _table("Findings on licence events", _LICENCES, ("Code", todo), sorted(findings.LICENCE_EVENTS.items())),
            _table("Mistakes in messages", _MISTAKES, ("Code", todo), sorted(findings.MISTAKES.items())),
            _table("Refusals of the gateway", "", ("Code", "HTTP", "CL180", "Meaning", todo), refusals),
            _table("Words to operators", _OPERATORS, ("Code", todo), sorted(words.OPERATORS.items())),
        ]
    )


def _table(title: str, sentence: str, head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    parts = [f"\n## {title}\n\n", f"{sentence}\n\n" if sentence else "", f"| {' | '.join(head)} |\n"]
    parts.append(f"| {' | '.join('---' for _ in head)} |\n")
    parts += [f"| `{code}` | {' | '.join(map(str, rest))} |\n" for code, *rest in rows]
    return "".join(parts)
