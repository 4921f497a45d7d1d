"""An officer's decision in a canonical event, read exactly: nothing of it may be guessed or dropped."""

from __future__ import annotations

from collections.abc import Iterator

from certex_bridge.customs import wire
from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.kernel.dates import parse_date
from certex_bridge.ledger.domain.facts import ALL_DOCUMENTS, ALL_ITEMS, Decision, Override
from certex_bridge.ledger.domain.stamps import Stamp
from certex_bridge.licensing.domain.writeoff import Evidence
from certex_bridge.platform.poison import Poison


def read_overrides(data: wire.Overridden, stamp: Stamp) -> tuple[Override, ...]:
    """What is decided, by place: the declaration, an item of it, or one document.

    Raises:
        Poison: OFFICER_MISSING, REASON_MISSING (blank); ITEM_DUPLICATE; FIGURES_MISSING (AMEND without a figure for a
            document); FIGURES_UNEXPECTED (a decision that does not use the figures told); DATE_INVALID or DATE_RANGE.
        AmountError: a figure that is none, or is zero.
    """
    if not data.officer.strip():
        raise Poison("OFFICER_MISSING", "an officer answers for a decision by hand", "officer", data.officer)
    if not data.reason.strip():
        raise Poison("REASON_MISSING", "a decision by hand has a reason", "reason", data.reason)
    evidence = _evidence(data.evidence) if data.evidence is not None else None
    found: dict[tuple[int, int], Override] = {}
    for item, seq, quantity, value in _places(data):
        if (item, seq) in found:
            raise Poison("ITEM_DUPLICATE", "an item or document is named twice", "items", f"{item}.{seq}")
        found[item, seq] = Override(
            item, seq, stamp, data.decision, data.officer.strip(), data.reason.strip(), evidence, quantity, value
        )
    return tuple([found[place] for place in sorted(found)])


def _places(data: wire.Overridden) -> Iterator[tuple[int, int, Quantity | None, Money | None]]:
    amends = data.decision is Decision.AMEND
    for item in data.items or ():
        if item.documents is None:
            if amends:
                raise _missing(f"items[{item.item}].documents")
            yield item.item, ALL_DOCUMENTS, None, None
        for document in item.documents or ():
            yield (
                item.item,
                document.seq,
                *_figures(document, f"items[{item.item}].documents[{document.seq}]", amends=amends),
            )
    if data.items is None:
        if amends:
            raise _missing("items")
        yield ALL_ITEMS, ALL_DOCUMENTS, None, None


def _figures(document: wire.OverriddenDocument, place: str, *, amends: bool) -> tuple[Quantity | None, Money | None]:
    quantity, value = document.quantity, document.value
    if amends and quantity is None and value is None:
        raise _missing(place)
    if not amends and (quantity is not None or value is not None):
        raise Poison("FIGURES_UNEXPECTED", "only AMEND tells figures; ACCEPT takes the declared ones", place)
    return (
        Quantity.parse(quantity.amount, quantity.unit, f"{place}.quantity") if quantity else None,
        Money.parse(value.amount, value.currency, f"{place}.value") if value else None,
    )


def _missing(place: str) -> Poison:
    return Poison("FIGURES_MISSING", "AMEND tells a quantity or a value for each document", place)


def _evidence(told: wire.EvidenceDocument) -> Evidence:
    day = parse_date(told.date, "evidence.date").isoformat()
    return Evidence(told.type.strip(), told.number.strip(), day, (told.member_state or "").strip())
