"""From the declaration as written to the payload the ledger works with.

Shared by all profiles: a foreign message is first brought into the canonical structures of `wire.py`. Documents whose
code is a licence code become claims; everything else about documents is left behind. What is impossible about one
claim becomes a finding on that claim; what is impossible about the whole raises `Poison`. A licence's code that becomes
no claim is remarked, whatever the cause.

A licence cited twice at the same item is claimed twice only if both entries are documents (12 03), each with its own
write-off. A 12 04 reference or a shipment-level document repeating a licence that the item's documents already cite
adds nothing; nor does a second document that cites it to add another status, without figures or with the same ones.
"""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

from certex_bridge.customs.attribution import Attribution
from certex_bridge.customs.cited import Cited, cited
from certex_bridge.customs.figures import at, read_item_amount, read_measure, read_money, read_quantity
from certex_bridge.customs.identity import read_simplified
from certex_bridge.customs.licence_documents import REFERENCE_SEQ, SHIPMENT_SEQ, StatusEffect
from certex_bridge.customs.wire import Declaration, Document, GoodsItem, Reference, ShipmentDocument
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.kernel.identifiers import LICENCE_NUMBER_LENGTH, check_licence_number, licence_key
from certex_bridge.ledger.domain.content import ClaimSpec, Item, Payload
from certex_bridge.ledger.domain.issuers import MRN
from certex_bridge.ledger.domain.requests import DocumentChange
from certex_bridge.ledger.domain.simplified import SimplifiedReference
from certex_bridge.platform.poison import Poison

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from certex_bridge.customs.options import DecodeOptions
    from certex_bridge.kernel.amounts import Money, Quantity

_NONE: tuple[ClaimSpec, ...] = ()
STRONG_SIGNS = frozenset({MRN, "OFFICE", "WRAPPER"})
"""Signs of the declaring country that need no remark when a licence's issuer is taken from it."""
_MASSES = ("KGM", "KGMG")
"""Net and gross kilograms."""


class PayloadReader:
    """Reads the payload of one declaration; remarks about the declaration as a whole gather in `findings`."""

    __slots__ = (
        *(
            "_assumed",
            "_attribution",
            "_codes",
            "_declared_in",
            "_issuer",
            "_issuer_from",
            "_statuses",
            "_suffixed",
            "_types",
        ),
        "findings",
    )

    def __init__(
        self,
        country: str,
        options: DecodeOptions,
        findings: list[Finding],
        *,
        line_suffixed: bool = False,
        issuer_from: str = "",
        declared_in: str = "",
    ) -> None:
        """`declared_in` is the country as declared, where `country` is the whole of which it is a part."""
        self._suffixed = line_suffixed
        self._declared_in = declared_in or country
        self._types = options.types
        self._codes = options.licence_codes(country)
        self._attribution = Attribution(country, options, findings)
        self._issuer = options.issuer(country)
        self._issuer_from = issuer_from or "COUNTRY"
        self._assumed = False
        """Whether the issuer of some licence was taken from the declaring country."""
        self._statuses: set[str] = set()
        self.findings = findings

    def read(self, declaration: Declaration, exporter: str, office: str) -> Payload:
        """The payload, items in the order of their numbers.

        Raises:
            Poison: ITEM_DUPLICATE for two items, or two documents of one item, with the same number; MRN_INVALID for a
                simplified declaration that an item names.
        """
        shipment = self._shipment_claims(declaration)
        items = [self._item(item, declaration.destination or "") for item in declaration.items]
        _refuse_duplicates([item.number for item in items], "items")
        items.sort(key=attrgetter("number"))
        if shipment and len(items) == 1:
            items[0] = self._with_shipment(items[0], shipment)
            shipment = _NONE
        self.remark()
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
            attributed=tuple(self._attribution.attributed),
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
            self._item_simplified(item) if item.simplified_declarations else (),
        )

    def _item_simplified(self, item: GoodsItem) -> tuple[SimplifiedReference, ...]:
        place = f"items[{item.item}].simplifiedDeclarations"
        return read_simplified(item.simplified_declarations, place, self.findings)

    def _item_claims(self, item: GoodsItem, net_mass: Decimal | None) -> tuple[ClaimSpec, ...]:
        documents = item.documents
        if len(documents) > 1:
            _refuse_duplicates([document.seq for document in documents], f"items[{item.item}].documents")
        cited = [
            self._document_claim(item, document, net_mass)
            for document in documents
            if self.is_ours(document, item.item)
        ]
        cited.sort(key=attrgetter("doc_seq"))
        claims = self._attribution.asking(cited)
        if item.references:
            claims = claims + self._reference_claims(item.item, item.references, cited)
        return tuple(claims)

    def cites_licence(self, document: Document) -> bool:
        """Whether the document's code is a licence's, or is not stated."""
        return not document.type or document.type in self._codes

    def is_ours(self, document: Document | ShipmentDocument, item: int) -> bool:
        """Whether the document cites a licence: its code says so, and its status does not waive it."""
        if document.type not in self._codes:
            if document.type in self._types.by_code:
                self._not_claimed(document, item, "the code cites no licence in declarations of this country")
            return False
        if not self._is_cited_here(document.type):
            self._not_claimed(document, item, "no licence of this type is cited in declarations of this country")
            return False
        if self._attribution.effect(document.status) is StatusEffect.NOT_HELD:
            self._not_claimed(document, item, "its status says that no licence is held")
            return False
        return True

    def _is_cited_here(self, code: str) -> bool:
        """Whether licences of the type can be used where this was declared; true where that is not known."""
        countries = self._types.limited.get(code)
        return countries is None or not self._declared_in or self._declared_in in countries

    def _not_claimed(self, document: Document | ShipmentDocument | Reference, item: int, why: str) -> None:
        level = f"items[{item}]." if item else ""
        kind = "references" if isinstance(document, Reference) else "documents"
        value = f"{document.type} {document.reference or ''}".strip()
        message = f"a licence document is not taken as a claim: {why}"
        place = f"{level}{kind}[{document.seq}]"
        self.findings.append(Finding("LICENCE_NOT_CLAIMED", place, value, message, Severity.WARNING))

    def remark(self) -> None:
        """Remark what all claims together give rise to."""
        exhausting = {one for one in self._statuses if self._attribution.effect(one) is StatusEffect.NOT_ACTED_ON}
        if exhausting:
            message = "a status that exhausts or surrenders a licence moves nothing beyond the declared figure"
            self._warn("status", ",".join(sorted(exhausting)), message, code="STATUS_NOT_ACTED_ON")
        if len(self._statuses) > 1 and self._attribution.knows_statuses:
            message = "the licences of one declaration are cited under different statuses"
            self._warn("status", ",".join(sorted(self._statuses)), message, code="STATUS_MIXED")
        if self._assumed and self._issuer_from not in STRONG_SIGNS:
            message = "the issuing country is not stated and was taken from the trader's number; the MRN may correct it"
            self._warn("issuer", self._issuer, message, code="ISSUER_ASSUMED")

    def _warn(self, field: str, value: str, message: str, *, code: str) -> None:
        self.findings.append(Finding(code, field, value, message, Severity.WARNING))

    def _document_claim(self, item: GoodsItem, document: Document, net_mass: Decimal | None) -> ClaimSpec:
        findings = self._reference_findings(document)
        cited = self.cited(document, findings)
        quantity = read_quantity(document.quantity, findings)
        value = read_money(document.value, findings)
        if quantity is not None and quantity.unit in _MASSES:
            _compare_mass(quantity, item, net_mass, findings)
        if findings:
            findings = at(f"items[{item.item}].documents[{document.seq}]", findings)
        return self._claim(item.item, document.seq, document, cited, (quantity, value), findings)

    def _claim(
        self,
        item: int,
        seq: int,
        document: Document | ShipmentDocument,
        cited: Cited,
        figures: tuple[Quantity | None, Money | None],
        findings: list[Finding],
    ) -> ClaimSpec:
        status = document.status or ""
        if status:
            self._statuses.add(status)
        issuer, issuer_from = document.issuer or self._types.issuers.get(document.type), ""
        if not issuer:
            issuer, issuer_from, self._assumed = self._issuer, self._issuer_from, True
        return ClaimSpec(
            item,
            seq,
            document.type,
            licence_key(issuer, cited.number),
            document.reference,
            cited.line,
            *figures,
            status,
            tuple(findings),
            issuer_from,
            document.authority or "" if issuer_from else "",
            cited.suffix,
        )

    def change(
        self, item: int, document: Document, seq: int, *, named: bool = True, added: bool = True
    ) -> DocumentChange:
        """What an amendment says about one document; an empty type or reference is not stated.

        `named` and `added`: as in `DocumentChange`. The quantity 0 takes the document at its place out.
        """
        findings = self._reference_findings(document) if document.reference else []
        cited = self.cited(document, findings)
        quantity, value = read_quantity(document.quantity, findings), read_money(document.value, findings)
        told = at(f"items[{item}].documents[{seq or document.seq}]", findings)
        claim = self._claim(item, seq or document.seq, document, cited, (quantity, value), told)
        asks = self._attribution.effect(document.status) not in (StatusEffect.ATTRIBUTED, StatusEffect.NOT_HELD)
        ours = (not document.type or self.is_ours(document, item)) and asks
        if ours and self._attribution.says_zero(claim):
            if seq and named:
                self._attribution.remark_zero(claim)
                return DocumentChange(seq, None)
            ours = False  # no pointer says which document the 0 takes out
        claim = claim if document.reference else replace(claim, licence_id="", issuer_from="")
        return DocumentChange(seq, claim, ours, named, added)

    def cited(self, document: Document | ShipmentDocument, findings: list[Finding]) -> Cited:
        """What the document's reference names."""
        return cited(document, findings) if self._suffixed else Cited(document.reference, document.line)

    def _reference_findings(self, document: Document | ShipmentDocument) -> list[Finding]:
        reference = document.reference
        # The common case without the full check: printable ASCII of legal length, no blanks around.
        plain = reference.isascii() and reference.isprintable() and reference == reference.strip()
        plain = plain and 0 < len(reference) <= LICENCE_NUMBER_LENGTH
        findings = [] if plain else check_licence_number(reference, "reference")
        issuer = document.issuer or self._types.issuers.get(document.type) or self._issuer
        if not (len(issuer) == 2 and issuer.isascii() and issuer.isalpha() and issuer.isupper()):
            message = "the issuing country is neither stated nor known from the declaration"
            findings.append(Finding("ISSUER_UNKNOWN", "issuer", issuer, message))
        return findings

    def _bare_claim(self, item: int, seq: int, document: ShipmentDocument, place: str) -> ClaimSpec:
        """A claim without figures."""
        findings = self._reference_findings(document)
        cited = self.cited(document, findings)
        return self._claim(item, seq, document, cited, (None, None), at(place, findings))

    def _reference_claims(
        self, item: int, references: Sequence[Reference], cited: Sequence[ClaimSpec]
    ) -> list[ClaimSpec]:
        """Claims from additional references (12 04) that name a licence no document of the level cites."""
        level = f"items[{item}].references" if item else "references"
        _refuse_duplicates([reference.seq for reference in references], level)
        known = {claim.licence_id for claim in cited}
        claims = []
        for reference in sorted(references, key=attrgetter("seq")):
            if reference.type in self._types.document_only_codes:
                self._not_claimed(reference, item, "such a licence is cited in a supporting document (D.E. 12 03) only")
            elif reference.type in self._types.by_code and not (reference.type in self._codes and reference.reference):
                self._not_claimed(reference, item, "it names no licence of this country")
            elif not self._is_cited_here(reference.type):
                self._not_claimed(reference, item, "no licence of this type is cited in declarations of this country")
            elif reference.type in self._codes and reference.reference:
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
        cited = [
            self._bare_claim(0, document.seq, document, f"documents[{document.seq}]")
            for document in sorted(declaration.documents, key=attrgetter("seq"))
            if self.is_ours(document, 0)
        ]
        return tuple(self._attribution.asking(cited) + self._reference_claims(0, declaration.references, cited))

    def _with_shipment(self, item: Item, shipment: Sequence[ClaimSpec]) -> Item:
        """The only item, with the shipment's licences that it does not cite itself."""
        known = {claim.licence_id for claim in item.claims} | self._attribution.left_out
        derived = tuple(
            replace(claim, item=item.number, doc_seq=SHIPMENT_SEQ + claim.doc_seq)
            for claim in shipment
            if claim.licence_id not in known
        )
        if not derived:
            return item
        return replace(item, claims=item.claims + derived)


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
