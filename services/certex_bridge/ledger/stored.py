"""Rows of licences as every store keeps them."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from certex_bridge.ledger.domain.acts import ContentSource
from certex_bridge.licensing.domain.licence import Licence
from certex_bridge.licensing.domain.originals import Received


class LicenceVersionRow(NamedTuple):
    """One version of a licence for ever: the snapshot, and the certificate document of the moment it came in force."""

    licence_id: str
    version: int
    event_id: str
    at: str
    status: str
    licence: Licence
    certificate: bytes
    received: Received | None = None
    """The authority's own bytes; None for a version without content of its own, which has those of the one before."""
    payload_sha256: str = ""
    content: ContentSource = ContentSource.OWN


class DocumentRow(NamedTuple):
    """A file that an authority attached to a licence, once for all versions that name it."""

    licence_id: str
    sha256: str
    media_type: str
    content: bytes


class StatusRecord(NamedTuple):
    """One change of a licence's status, for ever; written whether or not anybody waits for the licence."""

    licence_id: str
    change_no: int
    """Dense per licence."""
    old: str
    new: str
    """The same as `old` where something else bears on open claims (VALIDITY_SHORTENED, EXPORTER_BARRED)."""
    reason: str
    at: str
    """When the event happened that led to it (UTC, ISO text)."""
    event_id: str
    exporter: str
    """For a bar: whose claims it bears on; else empty."""
    licence_version: int
    lv: int
    number: str
    """The licence's number as its authority writes it."""
    document_code: str
    direction: str
    valid_from: date | None
    valid_to: date | None
    trace: str = ""
    """W3C traceparent of the event, empty: none."""
