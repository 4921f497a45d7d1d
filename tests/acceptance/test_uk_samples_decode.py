"""The published United Kingdom export samples mean what their description says.

They are not part of this repository. CERTEX_SAMPLES names a folder with `TT_EX013b.xml`, `TT_EX011a/` and
`notifications/`: github.com/hmrc/customs-declarations, commit 3d05836938860de81b209559afe8d793725b9462, folder
`public/api/conf/3.0`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from certex_bridge.customs.wco.profile import decode_wco
from certex_bridge.kernel.errors import Severity
from certex_bridge.ledger.domain.facts import ALL_ITEMS, DeclarationCommand, EventKind
from certex_bridge.ledger.domain.simplified import simplified_of
from certex_bridge.platform.envelope import Envelope, Poison

FOLDER = os.environ.get("CERTEX_SAMPLES", "")
RECEIVED_MS = 1_760_000_000_000
pytestmark = pytest.mark.skipif(not FOLDER, reason="CERTEX_SAMPLES names no folder with the published samples")

LRN, MRN = "7849431KJ7CH", "24GB0MC86MH6WYKAA3"


def decode(name: str) -> DeclarationCommand:
    raw = (Path(FOLDER) / name).read_bytes()
    (command,) = decode_wco(Envelope("customs.messages.v1", 0, 0, None, raw, (("profile", b"wco"),), RECEIVED_MS))
    assert not isinstance(command, Poison)
    return command


def test_the_declaration_with_two_licences() -> None:
    command = decode("TT_EX013b.xml")
    assert (command.kind, command.mrn, command.lrn) == (EventKind.SUPPLEMENTARY, "", "U.78494313RFYI")
    # Additional type Y, and each item names the item of the simplified declaration that it supplements.
    assert [str(named.mrn) for named in simplified_of(command.facts)] == ["23GBCDS123456789B1", "23GBCDS123456789B1"]
    assert command.exporter == "XI896458895015"
    payload = command.facts.payload
    assert payload is not None
    assert (payload.declaration_type, payload.additional_type, payload.destination) == ("EX", "Y", "GB")
    assert payload.header_claims == ()
    first, second = payload.items
    assert (first.commodity, str(first.net_mass), str(first.supplementary_units)) == ("93019000", "90", "20")
    assert (second.commodity, str(second.net_mass), second.supplementary_units) == ("93059100", "11", None)
    # Status EA: the simplified declaration has both licences written off, so they are told and not claimed again.
    assert (first.claims, second.claims) == ((), ())
    rifle, suppressor = payload.attributed
    assert (rifle.reference, rifle.licence_id, rifle.line_no) == ("GBOIE920001-00002", "GB/GBOIE920001", 2)
    assert (suppressor.licence_id, suppressor.line_no) == ("GB/GBOGE920002", 1)
    assert {(c.document_code, c.status_code, c.value) for c in (rifle, suppressor)} == {("X002", "EA", None)}
    assert (str(rifle.quantity), str(suppressor.quantity)) == ("10 KGMG", "102 KGMG")
    assert [finding.code for finding in rifle.findings] == ["STATUS_ATTRIBUTED"]
    # The document writes off more than the goods weigh: remarked, not corrected.
    assert [finding.code for finding in suppressor.findings] == ["STATUS_ATTRIBUTED", "EXCEEDS_MASS"]
    assert {finding.severity for finding in suppressor.findings} == {Severity.WARNING}


def test_the_declaration_without_licence() -> None:
    command = decode("TT_EX011a/TT_EX011a.xml")
    assert (command.kind, command.lrn, command.exporter) == (EventKind.LODGED, LRN, "GB427168118378")
    payload = command.facts.payload
    assert payload is not None
    assert (payload.additional_type, [item.claims for item in payload.items]) == ("D", [()])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("01_DMSRCV", EventKind.NOTED),
        ("02_DMSACC", EventKind.ACCEPTED),
        ("03_DMSRES", EventKind.NOTED),
        ("04_DMSCLE", EventKind.RELEASED),
        ("05_DMSEOG", EventKind.EXIT_CONFIRMED),
    ],
)
def test_its_notifications_join_by_reference_and_number(name: str, kind: EventKind) -> None:
    command = decode(f"TT_EX011a/{name}.xml")
    assert (command.kind, command.lrn, command.mrn, command.exporter) == (kind, LRN, MRN, "")
    assert command.findings == ()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("01_DMSACC", EventKind.ACCEPTED),
        ("03_DMSREJ", EventKind.REJECTED),
        ("08_DMSROG", EventKind.RELEASED),
        ("09_DMSCLE", EventKind.RELEASED),
        ("10_DMSINV", EventKind.INVALIDATED),
        ("16_DMSEOG", EventKind.EXIT_CONFIRMED),
    ],
)
def test_each_published_notification_is_its_function_code(name: str, kind: EventKind) -> None:
    command = decode(f"notifications/{name}.xml")
    assert (command.kind, command.findings) == (kind, ())
    if kind is EventKind.RELEASED:
        assert command.facts.releases[0][0] == ALL_ITEMS
    if kind is EventKind.ACCEPTED:
        assert command.facts.acceptance_day == "2019-11-13T08:00:00+00:00"


def test_every_sample_decodes_to_an_event_of_its_own() -> None:
    names = [path.relative_to(FOLDER).as_posix() for path in sorted(Path(FOLDER).rglob("*.xml"))]
    ids = {decode(name).event_id for name in names}
    assert len(ids) == len(names) == 13
