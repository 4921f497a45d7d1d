"""What a customs system expects of the ledger: its own account of every declaration and licence line it deals with.

A second, small statement of the rules of Implementing Regulation (EU) 2024/2145 Art. 6 to 8, written from the outside:
it shares no code with the ledger. Of lines in its book the figures and every outcome are foreseen. Licences that others
draw on, too, are followed: what the answer says of them is taken over, after it was compared with what must hold in any
case.

Foreseeing changes nothing; `Expectation.accept` compares an answer and only then moves on. So a call whose answer was
lost can be foreseen once and accepted when it is heard at last.
"""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import TYPE_CHECKING

from certex_bridge.laboratory.customs_book import (
    ANY,
    NONE,
    Amounts,
    Declared,
    Foreseen,
    Held,
    Line,
    LineKey,
    Place,
    Scratch,
)
from certex_bridge.laboratory.customs_rules import (
    REFUSED,
    amounts_of,
    consume,
    decide,
    documents_of,
    settle,
    unreserve,
    withdraw,
)
from certex_bridge.singlewindow.messages.manual import ManualQuantityManagementRequest
from certex_bridge.singlewindow.messages.movement import QuantityMovement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from certex_bridge.laboratory.messages import Wire
    from certex_bridge.singlewindow.messages.availability import AvailabilityCheck
    from certex_bridge.singlewindow.messages.goods import SupportingDocument


class Expectation:
    """All declarations and licence lines of one or several customs systems."""

    def __init__(self) -> None:
        self.lines: dict[LineKey, Line] = {}
        self.declarations: dict[str, Declared] = {}
        self._on_paper: dict[tuple[LineKey, str], Amounts] = {}

    def licence(self, licence: str, line: int = 1, *, quantity: str = "", value: str = "") -> None:
        """Take a licence line into the book: nobody else draws on it. Without a figure that side is not limited."""
        self.lines[licence, line] = Line(Decimal(quantity) if quantity else None, Decimal(value) if value else None)

    def written_off(self, licence: str, evidence: str, lines: Sequence[Wire]) -> None:
        """Count what was written off outside the bridge: the totals on this evidence, within what is left."""
        for told in lines:
            key = (licence, told.get("documentLineItemNumber", 1))
            line = self.lines.get(key)
            if line is None:
                continue
            total = line.limited(Amounts(Decimal(told.get("quantity", 0)), Decimal(told.get("amount", 0))))
            more = total.minus(self._on_paper.get((key, evidence), NONE))
            if more.exceeds(line.available):
                del self.lines[key]  # part of it is uncovered: from here on the line is followed
                continue
            line.consumed = line.consumed.plus(more)
            self._on_paper[key, evidence] = total

    def foresee(self, request: object) -> Foreseen:
        """What a movement or a decision by hand should come to.

        Raises:
            TypeError: the request is neither.
        """
        if isinstance(request, QuantityMovement):
            return self._movement(request)
        if isinstance(request, ManualQuantityManagementRequest):
            return self._decision(request)
        raise TypeError(f"nothing is foreseen of {type(request).__name__}")

    def _movement(self, request: QuantityMovement) -> Foreseen:
        mrn = request.declaration_reference.mrn
        assert mrn is not None
        known = copy.deepcopy(self.declarations.get(mrn))
        if known is None and request.movement_type != "RESERVE":
            return Foreseen(frozenset({"MRN_UNKNOWN"}), mrn)
        scratch = Scratch(self.lines)
        if request.has_content:
            return self._content(request, mrn, known, scratch)
        assert known is not None
        work = {"CONSUME": consume, "UNRESERVE": unreserve, "WITHDRAW": withdraw}[request.movement_type]
        refusals, named = work(request, known, scratch)
        return Foreseen(refusals, mrn, known, scratch.changed, named)

    def _content(self, request: QuantityMovement, mrn: str, known: Declared | None, scratch: Scratch) -> Foreseen:
        told = self._told(request)
        if known is not None:
            if known.ended:
                return Foreseen(frozenset({"CLAIM_STATE"}), mrn)
            if told.version < known.version:
                return Foreseen(frozenset({"VERSION_OLD"}), mrn)
            if told.version == known.version:
                same = told.content == known.content
                return Foreseen(ANY if same else frozenset({"CLAIM_CONFLICT"}), mrn, known, {}, tuple(known.held))
        settle(told, known, scratch)
        return Foreseen(ANY, mrn, told, scratch.changed, tuple(told.held))

    def _told(self, request: QuantityMovement | AvailabilityCheck) -> Declared:
        reference = request.declaration_reference
        mrn = (reference.mrn if reference else None) or ""
        held = {
            (item.declaration_goods_item_number, one.sequence_number): self._held(one, mrn[2:4])
            for item, one in documents_of(request.goods_item)
        }
        version = (reference.declaration_version if reference else None) or 1
        content = (request.goods_item, request.country_of_destination, request.consignee)
        return Declared(
            version, content, held, frozenset(one.declaration_goods_item_number for one in request.goods_item)
        )

    def _held(self, document: SupportingDocument, state: str) -> Held:
        licence = f"{document.issuing_country or state}/{document.reference_number.upper()}"
        key = (licence, document.document_line_item_number or 1)
        line = self.lines.get(key)
        told = amounts_of(document)
        return Held(key, line.limited(told)) if line is not None else Held(None, told)

    def _decision(self, request: ManualQuantityManagementRequest) -> Foreseen:
        known = copy.deepcopy(self.declarations.get(request.mrn))
        if known is None:  # an officer may be ahead of the declaration
            return Foreseen(ANY, request.mrn)
        scratch = Scratch(self.lines)
        told = {
            (item.declaration_goods_item_number, one.sequence_number): one
            for item in request.goods_item
            for one in item.supporting_document
        }
        whole = {item.declaration_goods_item_number for item in request.goods_item if not item.supporting_document}
        named = [place for place in known.held if not request.goods_item or place in told or place[0] in whole]
        for place in named:
            held = known.held[place]
            figure = held.declared
            if request.decision == "AMEND":
                figure = Amounts(Decimal(told[place].quantity or 0), Decimal(told[place].amount or 0))
            decide(held, NONE if request.decision == "REFUSE" else figure, scratch)
        return Foreseen(ANY, request.mrn, known, scratch.changed, tuple(named))

    def available(self, request: AvailabilityCheck) -> dict[Place, tuple[str, Amounts]]:
        """What a check (F1) of lines in the book should say: outcome, and what is left for everybody."""
        told, scratch = self._told(request), Scratch(self.lines)
        reference = request.declaration_reference
        known = copy.deepcopy(self.declarations.get((reference.mrn if reference else None) or ""))
        before = {place: self.lines[held.line].available for place, held in told.held.items() if held.line is not None}
        settle(told, known, scratch)
        return {
            place: ("REFUSED" if told.held[place].outcomes == REFUSED else "OK_AVAILABLE", left)
            for place, left in before.items()
        }
