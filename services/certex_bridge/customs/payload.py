"""From the declaration as written to the payload the ledger works with.

Shared by all profiles: a foreign message is first brought into the canonical structures of `wire.py`. Documents whose
code is a licence code become claims; everything else about documents is left behind. What is impossible about one
claim becomes a finding on that claim; what is impossible about the whole raises `Poison`.

A licence cited twice at the same item is claimed twice only if both entries are documents (12 03), each with its own
write-off. A 12 04 reference or a shipment-level document repeating a licence that the item's documents already cite
adds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from certex_bridge.customs.figures import at, read_item_amount, read_measure, read_money, read_quantity
from certex_bridge.customs.licence_documents import REFERENCE_SEQ, SHIPMENT_SEQ
from certex_bridge.customs.wire import Declaration, Document, GoodsItem, Reference, ShipmentDocument
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.kernel.identifiers import LICENCE_NUMBER_LENGTH, check_licence_number, licence_key
from certex_bridge.ledger.domain.facts import ClaimSpec, Item, Payload
from certex_bridge.platform.poison import Poison

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from certex_bridge.customs.options import DecodeOptions
    from certex_bridge.kernel.amounts import Quantity

_NONE: tuple[ClaimSpec, ...] = ()
_MASSES = ("KGM", "KGMG")
"""Net and gross kilograms."""


class PayloadReader:
    """Reads the payload of one declaration; remarks about the declaration as a whole gather in `findings`."""

    __slots__ = ("_codes", "_issuer", "_suffixed", "findings")

    def __init__(
        self, country: str, options: DecodeOptions, findings: list[Finding], *, line_suffixed: bool = False
    ) -> None:
        self._suffixed = line_suffixed
        self._codes = options.licence_codes(country)
        self._issuer = options.issuer(country)
        self.findings = findings

    def read(self, declaration: Declaration, exporter: str, office: str) -> Payload:
        """The payload, items in the order of their numbers.

        Raises:
            Poison: ITEM_DUPLICATE for two items, or two documents of one item, with the same number.
        """
        shipment = self._shipment_claims(declaration)
        items = [self._item(item, declaration.destination or "") for item in declaration.items]
        _refuse_duplicates([item.number for item in items], "items")
        items.sort(key=_number)
        if shipment and len(items) == 1:
            items[0] = self._with_shipment(items[0], shipment)
            shipment = _NONE
        consignee = declaration.consignee
        return Payload(
            declaration_type=declaration.type,
            additional_type=declaration.additional_type or "",
            exporter=exporter,
            consignee_id=(consignee and consignee.identification) or "",
            consignee_name=(consignee and consignee.name) or "",
            destination=declaration.destination or "",
            office=office,
            items=tuple(items),
            header_claims=shipment,
        )

    def _item(self, item: GoodsItem, destination: str) -> Item:
        remarks: list[Finding] = []
        net_mass = read_measure(item.net_mass, remarks, "netMass")
        units = read_measure(item.supplementary_units, remarks, "supplementaryUnits")
        amount = read_item_amount(item.amount, remarks)
        if remarks:
            self.findings += at(f"items[{item.item}]", remarks)
        return Item(
            item.item,
            item.procedure or "",
            item.commodity or "",
            item.destination or destination,
            item.origin or "",
            net_mass,
            units,
            amount,
            tuple(item.additional_procedures),
            self._item_claims(item, net_mass) if item.documents or item.references else _NONE,
        )

    def _item_claims(self, item: GoodsItem, net_mass: Decimal | None) -> tuple[ClaimSpec, ...]:
        documents = item.documents
        if len(documents) > 1:
            _refuse_duplicates([document.seq for document in documents], f"items[{item.item}].documents")
        claims = [self._document_claim(item, document, net_mass) for document in documents if self._is_ours(document)]
        claims.sort(key=_sequence)
        if item.references:
            claims += self._reference_claims(item.item, item.references, claims)
        return tuple(claims)

    def _is_ours(self, document: Document | ShipmentDocument) -> bool:
        if document.type not in self._codes:
            return False
        # A waiver names no licence: the document code only says which measure it waives.
        return bool(document.reference) or not document.status

    def _document_claim(self, item: GoodsItem, document: Document, net_mass: Decimal | None) -> ClaimSpec:
        findings = self._reference_findings(document)
        number, line = self._cited(document)
        quantity = read_quantity(document.quantity, findings)
        value = read_money(document.value, findings)
        if quantity is not None and quantity.unit in _MASSES:
            _compare_mass(quantity, item, net_mass, findings)
        if findings:
            findings = at(f"items[{item.item}].documents[{document.seq}]", findings)
        return ClaimSpec(
            item.item,
            document.seq,
            document.type,
            licence_key(document.issuer or self._issuer, number),
            document.reference,
            line,
            quantity,
            value,
            document.status or "",
            tuple(findings),
        )

    def _cited(self, document: Document | ShipmentDocument) -> tuple[str, int | None]:
        """Licence number and line; where senders append the line to the number, the two are taken apart."""
        if self._suffixed and document.line is None:
            return split_line(document.reference)
        return document.reference, document.line

    def _reference_findings(self, document: Document | ShipmentDocument) -> list[Finding]:
        reference = document.reference
        # The common case without the full check: printable ASCII of legal length, no blanks around.
        plain = reference.isascii() and reference.isprintable() and reference == reference.strip()
        plain = plain and 0 < len(reference) <= LICENCE_NUMBER_LENGTH
        findings = [] if plain else check_licence_number(reference, "reference")
        issuer = document.issuer or self._issuer
        if not (len(issuer) == 2 and issuer.isascii() and issuer.isalpha() and issuer.isupper()):
            message = "the issuing country is neither stated nor known from the declaration"
            findings.append(Finding("ISSUER_UNKNOWN", "issuer", issuer, message))
        return findings

    def _bare_claim(self, item: int, seq: int, document: ShipmentDocument, place: str) -> ClaimSpec:
        """A claim without figures."""
        number, line = self._cited(document)
        return ClaimSpec(
            item,
            seq,
            document.type,
            licence_key(document.issuer or self._issuer, number),
            document.reference,
            line,
            None,
            None,
            document.status or "",
            tuple(at(place, self._reference_findings(document))),
        )

    def _reference_claims(
        self, item: int, references: Sequence[Reference], cited: Sequence[ClaimSpec]
    ) -> list[ClaimSpec]:
        """Claims from additional references (12 04) that name a licence no document of the level cites."""
        level = f"items[{item}].references" if item else "references"
        _refuse_duplicates([reference.seq for reference in references], level)
        known = {claim.licence_id for claim in cited}
        claims = []
        for reference in sorted(references, key=_seq):
            if reference.type in self._codes and reference.reference:
                document = ShipmentDocument(reference.seq, reference.type, reference.reference)
                claim = self._bare_claim(item, REFERENCE_SEQ + reference.seq, document, f"{level}[{reference.seq}]")
                if claim.licence_id not in known:
                    known.add(claim.licence_id)
                    claims.append(claim)
        return claims

    def _shipment_claims(self, declaration: Declaration) -> tuple[ClaimSpec, ...]:
        if not declaration.documents and not declaration.references:
            return _NONE
        _refuse_duplicates([document.seq for document in declaration.documents], "documents")
        claims = [
            self._bare_claim(0, document.seq, document, f"documents[{document.seq}]")
            for document in sorted(declaration.documents, key=_seq)
            if self._is_ours(document)
        ]
        return tuple(claims + self._reference_claims(0, declaration.references, claims))

    def _with_shipment(self, item: Item, shipment: Sequence[ClaimSpec]) -> Item:
        """The only item, with the shipment's licences that it does not cite itself."""
        known = {claim.licence_id for claim in item.claims}
        derived = tuple(
            _replace(claim, item.number, SHIPMENT_SEQ + claim.doc_seq)
            for claim in shipment
            if claim.licence_id not in known
        )
        if not derived:
            return item
        return Item(
            item.number,
            item.procedure,
            item.commodity,
            item.destination,
            item.origin,
            item.net_mass,
            item.supplementary_units,
            item.amount,
            item.additional_procedures,
            item.claims + derived,
        )


def split_line(reference: str) -> tuple[str, int | None]:
    """`NUMBER-0001` as number and line; a reference without a suffix of 4 or 5 digits names no line."""
    number, dash, suffix = reference.strip().rpartition("-")
    if number and dash and len(suffix) in (4, 5) and suffix.isascii() and suffix.isdigit() and int(suffix):
        return number, int(suffix)
    return reference, None


def _replace(claim: ClaimSpec, item: int, seq: int) -> ClaimSpec:
    return ClaimSpec(
        item,
        seq,
        claim.document_code,
        claim.licence_id,
        claim.reference,
        claim.line_no,
        claim.quantity,
        claim.value,
        claim.status_code,
        claim.findings,
    )


def _refuse_duplicates(numbers: list[int], field: str) -> None:
    if len(set(numbers)) != len(numbers):
        twice = sorted({number for number in numbers if numbers.count(number) > 1}) if len(numbers) < 200 else ""
        raise Poison("ITEM_DUPLICATE", "a number that must be unique occurs twice", field, twice)


def _compare_mass(quantity: Quantity, item: GoodsItem, net_mass: Decimal | None, findings: list[Finding]) -> None:
    """Remark a write-off in kilograms above the goods' own mass: reported, never corrected."""
    mass = net_mass if quantity.unit == "KGM" else read_measure(item.gross_mass, [], "")
    if mass is not None and quantity.amount > mass:
        message = f"more is to be written off than the goods weigh ({mass} kg)"
        findings.append(Finding("EXCEEDS_MASS", "quantity", str(quantity), message, Severity.WARNING))


def _number(item: Item) -> int:
    return item.number


def _sequence(claim: ClaimSpec) -> int:
    return claim.doc_seq


def _seq(entry: Reference | ShipmentDocument) -> int:
    return entry.seq
