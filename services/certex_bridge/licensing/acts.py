"""What is read of an act when its content is absent or wrong: acts that block count at once, whatever else is wrong.

Reg. (EU) 2021/821 Art. 16(1) and 12(7). Nothing here refuses; the findings are those of the decoder and the lint.
"""

from __future__ import annotations

from typing import Any

from certex_bridge.kernel.countries import check_issuer
from certex_bridge.kernel.dates import ZONES, legal_day, parse_date
from certex_bridge.kernel.errors import Finding, InputError, Severity
from certex_bridge.kernel.identifiers import check_eori
from certex_bridge.licensing.domain.commands import BARE_ACTS, STATUS_OF_ACT, ExporterBar, LicenceEventKind
from certex_bridge.licensing.domain.documents import EUGEA_CODES
from certex_bridge.licensing.domain.licence import AuthorityStatus
from certex_bridge.licensing.domain.texts import check_text
from certex_bridge.licensing.events import BareAct, WireLicence
from certex_bridge.platform.envelope import CloudEvent


def _names(model: type[BareAct | WireLicence]) -> frozenset[str]:
    return frozenset(field.alias or name for name, field in model.model_fields.items())


_ACT = _names(BareAct)
_CONTENT = _names(WireLicence) - _ACT


def is_bare(kind: LicenceEventKind, data: dict[str, Any]) -> bool:
    """Whether an act came without content.

    An act that gives freedom back has nothing but what a bare act has: a misspelt field may have been content.
    """
    if kind not in BARE_ACTS:
        return False
    return data.keys() <= _ACT if kind not in STATUS_OF_ACT else _CONTENT.isdisjoint(data)


def issuer_of_act(kind: LicenceEventKind, issuer: str) -> str:
    """The issuer that an act means: blanks and small letters are told, and do not keep it from its licence."""
    return issuer.strip().upper() if kind in STATUS_OF_ACT else issuer


def stated_status(data: dict[str, Any]) -> AuthorityStatus | None:
    """The status in the data, where it can be read."""
    status = data.get("status")
    return AuthorityStatus(status) if isinstance(status, str) and status in set(AuthorityStatus) else None


def stated_sub_status(data: dict[str, Any]) -> str:
    """The sub-status in the data, where the certificate can carry it."""
    text = data.get("subStatus")
    return text if isinstance(text, str) and not check_text(text, "subStatus", "subStatus") else ""


def bar_of(event: CloudEvent, data: dict[str, Any], issuer: str, eori: str) -> ExporterBar | None:
    """The bar in a message with mistakes; None when it cannot be told who is barred, or by whom.

    Codes that are none are left out; when all of them are, the bar is on every general authorisation. Without a day
    that can be read it begins on the day of the act: a bar that is told again begins on its earliest day, so an
    earlier day can be told later and never be taken back.
    """
    issuer, eori = issuer.strip().upper(), eori.strip().upper()
    if any(finding.severity is Severity.ERROR for finding in [*check_issuer(issuer), *check_eori(eori)]):
        return None
    listed = data.get("documentCodes")
    codes = listed if isinstance(listed, list) else []
    known = tuple(dict.fromkeys(code for code in codes if isinstance(code, str) and code in EUGEA_CODES))
    try:
        first = parse_date(data.get("from"))  # type: ignore[arg-type]  # what is no text is refused
    except (InputError, TypeError):
        first = legal_day(event.time, ZONES.get(issuer, event.time.tzinfo))  # type: ignore[arg-type]  # an event's time has a zone
    reason = data.get("reason")
    told = reason if isinstance(reason, str) and not check_text(reason, "reason", "reason") else ""
    return ExporterBar(issuer, eori, known, first, told)


def bar_taken(bar: ExporterBar) -> Finding:
    """What is told first of a bar whose message had mistakes."""
    codes = ", ".join(bar.document_codes) or "all Union general authorisations"
    message = f"The bar counts from {bar.from_day.isoformat()} for {codes}; what could not be read was left out."
    return Finding("CONTENT_NOT_TAKEN", "", "", message, Severity.WARNING)
