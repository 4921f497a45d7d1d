"""What a document opens in each status: the tables of Implementing Regulation (EU) 2024/2145 Annex I, turned round."""

from __future__ import annotations

from typing import NamedTuple

from certex_bridge.licensing.domain.certificate_types import CertificateTypes
from certex_bridge.licensing.domain.licence import Direction


class Opened(NamedTuple):
    """The newest table that speaks of the document, and the procedures it opens."""

    table: str
    procedures: tuple[str, ...]


class Verdicts:
    """Answers by document code, direction and the licence's status."""

    def __init__(self, types: CertificateTypes) -> None:
        self._types = types

    def opened(self, document_code: str, direction: str, status: str) -> Opened:
        """Procedures in printed order; nothing for a status that the table does not name."""
        kind = self._types.by_code.get(document_code, self._types.all[0])
        versions = kind.versions.get(Direction(direction), ())
        if not versions:
            return Opened("", ())
        return Opened(versions[-1].table.label, tuple(versions[-1].accepted.get(status, ())))
