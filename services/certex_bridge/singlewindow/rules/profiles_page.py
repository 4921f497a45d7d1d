"""The page docs/reference/certificate-types.md: what is live, and what is asked of general authorisations."""

from __future__ import annotations

from collections.abc import Iterable

from certex_bridge.licensing.domain.certificate_types import CertificateType
from certex_bridge.singlewindow.rules.profiles import ProfileData, certificate_types, read_data

_HEAD = """# Certificate types

Every formality that is live has a profile in `schemas/rules/profiles`: which document codes of a declaration
(D.E. 12 03 002) cite a licence, which licence types each code can mean, how the statuses of the bridge are called in
the [rules tables](rules.md), whether licences are written off. A further certificate type is a further file there, and
needs no change of the program. `CERTEX_CERTIFICATE_TYPES` chooses among them, `CERTEX_FURTHER_DOCUMENT_CODES` adds
codes. This page is generated: `make contracts`.

- A claim is judged by the table that is in force on the day of acceptance (Regulation (EU) No 952/2013 Art. 172(2));
  the outcome names it in `rulesTable`.
- A procedure that no table of the type names is not applicable, which is no refusal.
- A blocked status (suspended, revoked, cancelled) closes a procedure where the table has it closed. Validity is judged
  by the day of acceptance, as if the reservation were made then.
- Where a table lets an expired licence be used for what was reserved while it was valid, a declaration that holds
  something of the licence goes on using it, whatever becomes of the licence's last day.
"""

_GENERAL = """
## General authorisations

Nothing is written off: the outcome of a claim is `OK_NOT_MANAGED`, or a refusal.

"""

_EUGEA, _REPAIR, _NATIONAL = "X061 to X068", "X063", "X071"
_RULES = (
    (
        "A registration is known before first use and is this exporter's (`CERTEX_REGISTRATION_REQUIRED`; else told)",
        "X067, X068",
        "`NOT_REGISTERED`",
    ),
    ("The exporter is not barred (Regulation (EU) 2021/821 Art. 12(7))", _EUGEA, "`BARRED`"),
    ("The destination is in the list of Annex II on the day of acceptance", _EUGEA, "`DESTINATION_MISMATCH`"),
    ("The initial licence is named", _REPAIR, "`INITIAL_LICENCE_MISSING`"),
    ("It is known", _REPAIR, "`INITIAL_LICENCE_UNKNOWN`"),
    ("It is not suspended, revoked or cancelled", _REPAIR, "`INITIAL_LICENCE_NOT_EFFECTIVE`"),
    ("It was granted at most five years before the day of acceptance", _REPAIR, "`INITIAL_LICENCE_TOO_OLD`"),
    ("The declared consignee is one of its consignees or end-users", _REPAIR, "`INITIAL_LICENCE_CONSIGNEE`"),
    (
        "All items that cite the licence are together worth no more than it allows a shipment (`shipmentValueMax`)",
        _NATIONAL,
        "`VALUE_ABOVE_THRESHOLD`",
    ),
    (
        "The value is declared, in the currency of that limit: no rate is applied",
        _NATIONAL,
        "`VALUE_MISSING`, `CURRENCY_MISMATCH`",
    ),
)

_REPAIRED = """
EU003 names the licence under which the goods first left in one of two ways: the registration has it
(`initialLicence` of the licence event), or the reference of the document X063 is `EU003/<state>/<number>`, for instance
`EU003/DE/2024-000123`. A second document that cites the initial licence would be a claim on it, and the goods would be
written off twice. A licence that has expired or is used up since counts as effective, for five years are longer than
its validity can be; that it was modified does not close it here, because a new version may be a mere correction.
"""


def render() -> str:
    """The page as text."""
    types = "".join(_section(one, read_data(one.name)) for one in certificate_types().all)
    return f"{_HEAD}{types}{_GENERAL}{_table(('Rule', 'Codes', 'Refused with'), _RULES)}{_REPAIRED}"


def _section(one: CertificateType, data: ProfileData) -> str:
    tables = sorted({table.label for table in one.tables})
    where = "12 03 or 12 04" if one.references else "12 03 only"
    facts = [
        f"\n## {one.name}\n",
        f"- Rules tables: {', '.join(f'`{label}`' for label in tables)}",
        f"- A reference lives in D.E. {where}",
        f"- Licences are written off: {'yes' if one.quantities else 'no'}",
        f"- Issuer: {one.issuer or 'the state stated, else found by the number, the declaring state first'}",
        f"- Destinations must be named: {'yes' if one.destinations else 'no'}",
        *(f"- Source of {source.what}: {source.place}, read on {source.read}" for source in data.sources),
    ]
    documents = (
        (
            f"`{kind.code}`",
            ", ".join(f"`{name}`" for name in kind.licence_types),
            f"{told.text}{'; where the settings say so' if kind.where_set else ''}",
        )
        for kind, told in zip(one.documents, data.documents, strict=False)
    )
    statuses = one.statuses.items()
    return (
        "\n".join(facts)
        + "\n\n"
        + _table(("Document code", "Licence types", "Meaning"), documents)
        + "\n"
        + _table(("Status of the bridge", "Status in the tables"), statuses)
    )


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [titles, tuple("---" for _ in titles), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
