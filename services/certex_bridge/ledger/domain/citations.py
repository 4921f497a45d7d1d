"""Which licence a document cites that does not say who issued it, or may be read in more than one way.

D.E. 12 03 has no field for the issuing state, and a licence may be used in the whole customs territory (Regulation (EU)
2021/821 Art. 12(1)). The licence is the one that, in this order,

1. the document's own words say: its reference begins with the issuer, or it names the authority (D.E. 12 03 010);
2. this document's claim was decided on before: a claim never moves to another licence because one more was issued;
3. the declaring state issued;
4. is the only one left, those held by the declared exporter first.

Several left are told and none is taken. Everything that decides (a check, an acceptance, a wake) asks this module, with
the same licences: all that are known under one of the numbers that the citation can mean.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from certex_bridge.kernel.countries import issuing_state, valid_in
from certex_bridge.kernel.errors import Finding
from certex_bridge.kernel.identifiers import issuer_of, licence_key, licence_number, mrn_member_state, same_trader
from certex_bridge.kernel.numbering import spellings
from certex_bridge.ledger.domain.content import ClaimSpec
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.issuers import MRN, UNKNOWN, cited_number, claims_of, specs_of
from certex_bridge.ledger.domain.model import Claim, ClaimKey, ClaimState, LicenceState
from certex_bridge.ledger.domain.simplified import simplified_of
from certex_bridge.ledger.domain.tables import GENERAL_CODES
from certex_bridge.licensing.domain.certificate_types import CertificateTypes

ANY_ISSUER = "*"
"""In place of the issuer: what waits for a number, whoever issues it."""

LICENCE_AMBIGUOUS = "LICENCE_AMBIGUOUS"
_LINE_CONFLICT = "LINE_CONFLICT"
_STATE_LENGTH = 2

_UNDECIDED = frozenset({ClaimState.CHECKED, ClaimState.WAITING, ClaimState.CLOSED, ClaimState.NOT_APPLICABLE})
"""States of a claim that bind it to no licence: advice, a wait, and what was never judged."""


class FoundBy(StrEnum):
    """What told the licence, where it is not simply the declaring state's under the number as cited."""

    AUTHORITY = "ISSUER_BY_AUTHORITY"
    """The document's own words."""
    CLAIM = "ISSUER_BY_CLAIM"
    """What was decided on it before."""
    HOLDER = "ISSUER_BY_HOLDER"
    """The declared exporter holds it, and no other of this number."""
    NUMBER = "ISSUER_BY_NUMBER"
    """No other state issued this number."""


class Reading(NamedTuple):
    """One way to read a reference."""

    number: str
    """As written."""
    line_no: int | None
    issuer: str = ""
    """Empty: any that the citation allows."""
    suffixed: bool = False
    """Whether the end of the reference was taken for the line."""


class Candidate(NamedTuple):
    """A licence that is known and that the citation can mean."""

    reading: Reading
    state: LicenceState

    @property
    def licence_id(self) -> str:
        """Issuer and number."""
        return self.state.licence_id

    @property
    def holder(self) -> str:
        """The holder's EORI number."""
        return self.state.licence.holder.identification if self.state.licence else ""

    @property
    def fits_line(self) -> bool:
        """Whether the licence has the line that the end of the reference would name."""
        licence = self.state.licence
        return not self.reading.suffixed or licence is None or licence.line(self.reading.line_no or 0) is not None

    @property
    def authority(self) -> str:
        """Name of the issuing authority, as compared."""
        return _name(self.state.licence.authority.name) if self.state.licence else ""


class Around(NamedTuple):
    """What a citation is read by besides its own words."""

    exporter: str
    country: str
    """Of the MRN; empty while there is none."""


def is_open(spec: ClaimSpec) -> bool:
    """Whether the document leaves open which licence it cites."""
    return bool(spec.licence_id) and (bool(spec.issuer_from) or bool(spec.suffix))


def readings(spec: ClaimSpec) -> list[Reading]:
    """Every way to read the reference of an open citation."""
    stated = "" if spec.issuer_from else issuer_of(spec.licence_id)
    found = [Reading(cited_number(spec), spec.line_no, stated, bool(spec.suffix))]
    if spec.suffix:
        found.append(Reading(spec.reference, None if spec.line_no == spec.suffix else spec.line_no, stated))
    if not stated:
        found += [one for reading in found if (one := _naming(reading)) is not None]
    return found


def _naming(reading: Reading) -> Reading | None:
    """The reading of `BE/NUMBER` as number of an issuer."""
    state, slash, number = reading.number.strip().partition("/")
    if slash and len(state) == _STATE_LENGTH and state.isascii() and state.isalpha() and number.strip():
        return reading._replace(number=number, issuer=state.upper())
    return None


def numbers_of(spec: ClaimSpec) -> frozenset[str]:
    """Every number under which the licence may be known, whoever issued it."""
    return frozenset().union(*[spellings(reading.number) for reading in readings(spec)])


class Sought(NamedTuple):
    """What an open citation is looked up by."""

    assumed: frozenset[str]
    """Licences that it means if nothing else is known; of several countries while the MRN is not known."""
    numbers: frozenset[str]
    settled: bool
    """Whether a known licence of the declaring state settles it: nothing in the document says otherwise."""
    waits: bool
    """Whether it waits for a licence that is not known."""


def sought_by(facts: Facts, mrns: Collection[str] = ()) -> list[Sought]:
    """What settling these facts looks up, whichever of these MRNs they will have."""
    found = []
    declared = {facts.mrn, *[one.mrn for one in simplified_of(facts)], *mrns} - {""}
    declaring = {issuing_state(mrn_member_state(mrn)) for mrn in declared}
    for spec in filter(is_open, specs_of(facts)):
        assumed = {spec.licence_id}
        if spec.issuer_from not in ("", MRN):
            assumed |= {licence_key(issuer, cited_number(spec)) for issuer in declaring}
        settled = not spec.suffix and not spec.authority and len(readings(spec)) == 1
        waits = spec.document_code not in GENERAL_CODES
        found.append(Sought(frozenset(assumed), numbers_of(spec), settled, waits))
    return found


def identified(
    facts: Facts, claims: Mapping[ClaimKey, Claim], licences: Mapping[str, LicenceState], types: CertificateTypes
) -> Facts:
    """The facts with every citation on its licence; the same object when nothing changes.

    Args:
        facts: with the issuers that the MRN says (`resolved`).
        claims: what was decided before.
        licences: all that are known under the numbers of `sought_by`.
        types: the certificate types that are live.
    """
    payload = facts.payload
    if payload is None or not any(map(is_open, claims_of(payload))):
        return facts
    bound = _bound(claims)
    around = Around(payload.exporter or facts.exporter, mrn_member_state(facts.mrn))

    def each(specs: tuple[ClaimSpec, ...]) -> tuple[ClaimSpec, ...]:
        return tuple([_identify(one, bound, licences, around, types) if is_open(one) else one for one in specs])

    items = tuple([replace(item, claims=each(item.claims)) for item in payload.items])
    told = replace(payload, items=items, header_claims=each(payload.header_claims))
    return facts if told == payload else replace(facts, payload=told)


def _bound(claims: Mapping[ClaimKey, Claim]) -> dict[tuple[int, int], set[str]]:
    """By item and document: the licences that a decision stands on."""
    found: dict[tuple[int, int], set[str]] = {}
    for key, claim in claims.items():
        if claim.state not in _UNDECIDED and (claim.holds or LICENCE_AMBIGUOUS not in claim.reasons):
            found.setdefault(key[1:3], set()).add(key.licence_id)
    return found


def _identify(
    spec: ClaimSpec,
    bound: Mapping[tuple[int, int], Collection[str]],
    licences: Mapping[str, LicenceState],
    around: Around,
    types: CertificateTypes,
) -> ClaimSpec:
    held = bound.get((spec.item, spec.doc_seq), ())
    assumed = licences.get(spec.licence_id)
    plain = not spec.suffix and not spec.authority and all(one == spec.licence_id for one in held)
    if plain and assumed is not None and assumed.known and len(readings(spec)) == 1:
        return spec  # the everyday case
    found = _candidates(spec, licences, around, types, held)
    if not found:
        return spec
    chosen, how = _choose(spec, found, held, around.exporter)
    return _taken(spec, chosen[0], how) if len(chosen) == 1 else _undecided(spec, chosen)


def _candidates(
    spec: ClaimSpec,
    licences: Mapping[str, LicenceState],
    around: Around,
    types: CertificateTypes,
    held: Collection[str],
) -> list[Candidate]:
    """Known licences that the citation can mean, each by its first reading, in the order of their ids."""
    declaring = issuer_of(spec.licence_id)
    kind, ways, numbers = types.cited(spec.document_code), readings(spec), numbers_of(spec)
    found = []
    for licence_id in sorted(licences):
        licence = licences[licence_id].licence
        if licence is None or licence_number(licence_id) not in numbers:
            continue
        reading = next((one for one in ways if _reads(one, licence_id)), None)
        if reading is None:
            continue
        issuer, holder = issuer_of(licence_id), licence.holder.identification
        usable = types.cited(spec.document_code, licence.type) is kind
        if issuer != declaring:
            usable = usable and valid_in(issuer, around.country or declaring)
            # General authorisations are registered by each exporter, often under the same number.
            usable = usable and (spec.document_code not in GENERAL_CODES or same_trader(holder, around.exporter))
        if usable or licence_id in held:
            found.append(Candidate(reading, licences[licence_id]))
    return found


def _reads(reading: Reading, licence_id: str) -> bool:
    issuer = issuer_of(licence_id)
    return licence_key(reading.issuer or issuer, reading.number) == licence_id


def _choose(
    spec: ClaimSpec, found: list[Candidate], held: Collection[str], exporter: str
) -> tuple[list[Candidate], FoundBy | None]:
    """What is left of the candidates, and by what; several: nothing tells them apart."""
    declaring = issuer_of(spec.licence_id)
    literal = [one for one in found if not (one.reading.issuer and spec.issuer_from)]
    named = [] if literal else found
    if not named and spec.authority:
        named = [one for one in found if one.authority == _name(spec.authority)]
    by_words = bool(named)
    found = named or found
    kept = [one for one in found if one.licence_id in held]
    if len(kept) == 1:
        return kept, FoundBy.CLAIM
    home = [one for one in found if issuer_of(one.licence_id) == declaring]
    found = home or found
    fitting = [one for one in found if one.fits_line]
    found = fitting or found
    how = FoundBy.AUTHORITY if by_words else None if home else FoundBy.NUMBER
    if len(found) > 1:
        own = [one for one in found if exporter and same_trader(one.holder, exporter)]
        if own:
            found, how = own, how if by_words else FoundBy.HOLDER
    return found, how


def _taken(spec: ClaimSpec, chosen: Candidate, how: FoundBy | None) -> ClaimSpec:
    reading = chosen.reading
    dropped = {UNKNOWN} if reading.suffixed or not spec.suffix else {UNKNOWN, _LINE_CONFLICT}
    abroad = issuer_of(chosen.licence_id) != issuer_of(spec.licence_id)
    return replace(
        spec,
        licence_id=chosen.licence_id,
        line_no=reading.line_no,
        findings=tuple([finding for finding in spec.findings if finding.code not in dropped]),
        found_by=how.value if how is not None and abroad else "",
    )


def _undecided(spec: ClaimSpec, left: list[Candidate]) -> ClaimSpec:
    """Several licences: of several states it waits for a word, of one state it is refused with both."""
    names = tuple([one.licence_id for one in left])
    if len({issuer_of(name) for name in names}) > 1:
        return replace(spec, rivals=names)
    message = "the reference is the number of one licence, and number and line of another"
    finding = Finding("LICENCE_AMBIGUOUS", "referenceNumber", ", ".join(names), message)
    return replace(spec, licence_id=names[0], findings=(*spec.findings, finding))


def _name(text: str) -> str:
    return " ".join(text.split()).casefold()


def waits_for(facts: Facts, licence_ids: Collection[str]) -> frozenset[str]:
    """Further names, `*/NUMBER`, under which the licences may come that open citations of these wait for.

    Whoever issues the number of one of these itself is looked up by that number.
    """
    payload = facts.payload
    found: set[str] = set()
    for spec in claims_of(payload) if payload is not None and licence_ids else ():
        if is_open(spec) and spec.licence_id in licence_ids:
            found |= numbers_of(spec) - {licence_number(spec.licence_id)}
    return frozenset([f"{ANY_ISSUER}/{number}" for number in found])
