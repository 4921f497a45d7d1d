"""Writes the drawings of docs/architecture and the index of docs/adr from what the code says.

Topics come from contracts/topics.yaml and the composition root, packages from the contracts of import-linter, steps of
a declaration's way from the functions themselves: a function that is gone fails here, not in a reader's head.
"""

from __future__ import annotations

import importlib
import re
import tomllib
from pathlib import Path

from svg import Drawing

from certex_bridge.operations.composition import TOPIC_OF
from certex_bridge.platform.kafka_topics import TopicCatalogue

ROOT = Path(__file__).resolve().parent.parent
INDEX_HEAD = """# Decisions

What was decided, why, and what would make us think again. A decision falls only to a better argument, written down as a
new one. This page is generated: `make docs`.

| Decision | Status |
| --- | --- |
"""

WAY = (
    ("customs.decode:decode_declaration_event", "Bytes become facts, or a coded refusal; never raises."),
    ("ledger.intake:Intake", "What cannot be used goes to quarantine; the rest of the batch goes on."),
    ("ledger.executor:Executor", "Opens the transaction: inbox, locks in one order."),
    ("ledger.domain.settle:Settling", "What the facts ask for, less what is held."),
    ("ledger.outcomes:tell", "What customs are told: outcome, reasons, figures."),
    ("singlewindow.documents:BridgeDocuments", "The XML documents, validated by their schema."),
    ("ledger.relay:Relay", "After the commit: out to the topics, in order, at least once."),
)
"""Places of one declaration's way, and what happens there."""
TRANSACTION = range(2, 6)
"""Those of them that stand in the one transaction: drawn strong."""


def context() -> str:
    """The systems around the bridge."""
    drawing = Drawing(1000, 340, "Systems around the bridge")
    catalogue = list(TopicCatalogue.load())
    lower = [one.name for one in catalogue if one.name.startswith("licensing.")]
    drawing.box(20, 100, 200, 130, "Licensing authority", ["owns licences and", "their ledgers"])
    drawing.box(390, 100, 220, 130, "certex-bridge", ["quantity ledger", "certificates, outcomes"], strong=True)
    drawing.box(770, 30, 210, 100, "Customs", ["declarations, clearance"])
    drawing.box(770, 200, 210, 100, "Single window", ["EU CSW-CERTEX or national"])
    drawing.arrow(220, 145, 390, 145, "licence events")
    drawing.arrow(390, 195, 220, 195, "balances, incidents")
    drawing.arrow(770, 60, 610, 120, "")
    drawing.arrow(610, 145, 770, 100, "")
    drawing.arrow(610, 185, 770, 235, "")
    drawing.arrow(770, 270, 610, 212, "")
    drawing.text(760, 50, "events, calls F1 to F10", end=True)
    drawing.text(760, 300, "certificates, outcomes, pushes", end=True)
    drawing.text(20, 262, f"{len(lower)} topics licensing.*, {len(catalogue)} topics in all")
    return drawing.render()


def containers() -> str:
    """Roles between topics and database."""
    catalogue = list(TopicCatalogue.load())
    read = [one.name for one in catalogue if one.direction == "in"]
    written = sorted(TOPIC_OF.values())
    height = max(460, 80 + 40 * len(written))
    drawing = Drawing(1020, height, "Roles, topics and the database")
    for at, name in enumerate(read):
        drawing.box(20, 60 + 50 * at, 230, 36, name)
        drawing.arrow(250, 78 + 50 * at, 330, 100, "")
    drawing.box(330, 60, 170, 80, "intake", ["batches"], strong=True)
    drawing.box(20, 260, 230, 50, "Customs' calls", ["HTTPS: JSON, XML, SOAP"])
    drawing.arrow(250, 285, 330, 285, "")
    drawing.box(330, 245, 170, 80, "gateway", ["F1 to F10"], strong=True)
    drawing.box(330, 370, 170, 60, "worker", ["waits, timers, pushes"], strong=True)
    drawing.box(560, 60, 130, 370, "PostgreSQL", ["facts", "accounts", "journal", "inbox", "outbox"])
    for height_of_arrow in (100, 285, 400):
        drawing.arrow(500, height_of_arrow, 560, height_of_arrow, "")
    drawing.box(330, 172, 170, 44, "relay", strong=True)
    drawing.arrow(560, 194, 500, 194, "")
    drawing.text(415, 234, "publishes the outbox", middle=True)
    for at, name in enumerate(written):
        drawing.box(760, 60 + 40 * at, 240, 30, name)
    drawing.line([(415, 172), (415, 156), (725, 156)])
    drawing.line([(725, 75), (725, 75 + 40 * (len(written) - 1))])
    for at in range(len(written)):
        drawing.arrow(725, 75 + 40 * at, 760, 75 + 40 * at, "")
    drawing.text(135, 44, "read", middle=True)
    drawing.text(880, 44, "written", middle=True)
    return drawing.render()


def layers() -> str:
    """Packages, the upper may import the lower."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (found,) = [one["layers"] for one in contracts if one["type"] == "layers"]
    rows = [[name.strip(" ()") for name in row.split(":")] for row in found]
    present = [[name for name in row if (ROOT / "services" / "certex_bridge" / name).is_dir()] for row in rows]
    present = [row for row in present if row]
    drawing = Drawing(760, 40 + 70 * len(present), "Layers")
    for at, row in enumerate(present):
        width = (640 - 12 * (len(row) - 1)) / len(row)
        for place, name in enumerate(row):
            drawing.box(100 + place * (width + 12), 24 + 70 * at, width, 46, name, strong=name == "ledger")
    drawing.arrow(60, 24, 60, 10 + 70 * len(present), "")
    drawing.text(14, 20, "may import")
    return drawing.render()


def way() -> str:
    """The steps of a declaration."""
    drawing = Drawing(1020, 30 + 62 * len(WAY), "A declaration's way")
    for at, (place, sentence) in enumerate(WAY):
        module, _, name = place.partition(":")
        if not hasattr(importlib.import_module(f"certex_bridge.{module}"), name):
            raise LookupError(f"a declaration's way goes by {place}, which is no more")
        drawing.box(20, 20 + 62 * at, 400, 40, f"{module}.{name}", strong=at in TRANSACTION)
        drawing.text(440, 45 + 62 * at, sentence)
        if at:
            drawing.arrow(220, 62 * at - 2, 220, 20 + 62 * at, "")
    return drawing.render()


def decisions() -> str:
    """The index of the decision records."""
    rows = []
    for path in sorted((ROOT / "docs" / "adr").glob("[0-9]*.md")):
        text = path.read_text("utf-8")
        title, status = re.search(r"^# (.+)$", text, re.MULTILINE), re.search(r"^Status: (.+)$", text, re.MULTILINE)
        if title and status and path.name != "0000-template.md":
            rows.append(f"| [{title[1]}]({path.name}) | {status[1]} |\n")
    return INDEX_HEAD + "".join(rows)


def files() -> dict[str, str]:
    """Path below the repository to text."""
    drawn = {"context": context, "containers": containers, "layers": layers, "way": way}
    made = {f"docs/architecture/{name}.svg": draw() for name, draw in drawn.items()}
    return made | {"docs/adr/README.md": decisions()}


def stale() -> list[str]:
    """Files that are not what the code says."""
    made = {ROOT / path: text for path, text in files().items()}
    differing = [path for path, text in made.items() if not path.is_file() or path.read_text("utf-8") != text]
    return [str(path.relative_to(ROOT)) for path in differing]


def main() -> None:
    """Write what is stale."""
    made = files()
    for path in stale():
        (ROOT / path).write_text(made[path], "utf-8")
        print(f"written: {path}")


if __name__ == "__main__":
    main()
