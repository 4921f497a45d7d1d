"""What a rule of the lint sees: the snapshot, the act it came with, the settings, and what could not be read of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.licensing.domain.certificate_types import CertificateType, CertificateTypes
from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.licensing.domain.licence import Licence
from certex_bridge.licensing.domain.texts import COUNTS

LegacyCodes = Mapping[str, Sequence[str]]
"""Per issuing state, document codes outside TARIC's current list that it may use."""


@dataclass(frozen=True, slots=True)
class Case:
    """One snapshot under the lint."""

    licence: Licence
    kind: LicenceEventKind
    legacy_codes: LegacyCodes
    types: CertificateTypes
    unread: frozenset[str] = frozenset()
    """Top-level wire fields that could not be read: what stands in their place says nothing."""

    def read(self, *fields: str) -> bool:
        """Whether all these fields could be read; a comparison with a stand-in would be a false finding."""
        return self.unread.isdisjoint(fields)

    @property
    def formality(self) -> CertificateType:
        """The certificate type of the licence."""
        return self.types.cited("", self.licence.type)


def warning(code: str, field: str, value: str, message: str) -> Finding:
    """A finding that is told and changes nothing."""
    return Finding(code, field, value, message, Severity.WARNING)


def check_count(name: str, entries: Sequence[object], field: str = "") -> list[Finding]:
    """TOO_MANY when a list is longer than `COUNTS` allows."""
    if len(entries) <= COUNTS[name]:
        return []
    return [Finding("TOO_MANY", field or name, str(len(entries)), f"at most {COUNTS[name]} entries")]
