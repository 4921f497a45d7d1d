"""How messages name a licence, and how such a name is read."""

from __future__ import annotations

from certex_bridge.kernel.countries import check_issuer
from certex_bridge.kernel.identifiers import licence_key
from certex_bridge.ledger.domain.searching import GREECE
from certex_bridge.singlewindow.messages.base import Country, DocumentType, Part, Text70
from certex_bridge.singlewindow.refusals import Refusal


class CertificateReference(Part):
    """A licence by its identity, and by its TARIC document code where that is known."""

    issuing_country: Country
    """State of the issuing authority, ISO 3166 or GEONOM; EL is read as GR."""
    type: DocumentType | None = None
    """12 03 002."""
    reference_number: Text70
    """12 03 001."""

    @property
    def licence_id(self) -> str:
        """`issuer/NUMBER`, the ledger's key."""
        return licence_key(issuer_of(self.issuing_country), self.reference_number)


def issuer_of(country: str, field: str = "issuingCountry") -> str:
    """The issuer as the ledger knows it: Greece under the code of customs.

    Raises:
        Refusal: SCHEMA_INVALID (code list) for a code that names no country.
    """
    issuer = GREECE.get(country, country)
    for finding in check_issuer(issuer, field):
        raise Refusal("SCHEMA_INVALID", finding.message, field=field, value=country, error_code="12")
    return issuer
