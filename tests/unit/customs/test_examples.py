"""The golden messages mean what their names say."""

from __future__ import annotations

import json

import pytest

from certex_bridge.customs.events import EVENT_MODELS, KINDS, event_type
from certex_bridge.kernel.errors import Severity
from certex_bridge.ledger.domain.facts import ALL_ITEMS, EventKind
from certex_bridge.ledger.domain.simplified import SimplifiedReference
from tests.unit.customs.samples import DECLARATIONS, WCO, codes, data, decode, event, golden, payload, wco

MRN = "26BEE0000B7Q2K5XA9"
GB = "26GB7KX41QWZ30M8R1"

CANONICAL = {
    "lodged": EventKind.LODGED,
    "presented": EventKind.PRESENTED,
    "accepted": EventKind.ACCEPTED,
    "accepted-without-content": EventKind.ACCEPTED,
    "amended": EventKind.AMENDED,
    "released": EventKind.RELEASED,
    "released-part": EventKind.RELEASED,
    "not-released": EventKind.NOT_RELEASED,
    "invalidated": EventKind.INVALIDATED,
    "exit-confirmed": EventKind.EXIT_CONFIRMED,
    "rejected": EventKind.REJECTED,
    "recheck": EventKind.RECHECK,
    "identified": EventKind.IDENTIFIED,
    "overridden": EventKind.OVERRIDDEN,
    "supplementary": EventKind.SUPPLEMENTARY,
    "shipment-level": EventKind.ACCEPTED,
    "transit": EventKind.ACCEPTED,
    "every-claim-finding": EventKind.ACCEPTED,
}
MESSAGES = {
    "declaration-bare": EventKind.LODGED,
    "declaration-metadata": EventKind.LODGED,
    "declaration-request": EventKind.LODGED,
    "declaration-danish": EventKind.LODGED,
    "declaration-supplementary": EventKind.SUPPLEMENTARY,
    "declaration-waiver": EventKind.LODGED,
    "presentation": EventKind.PRESENTED,
    "amendment-partial": EventKind.REQUESTED,
    "amendment-whole": EventKind.REQUESTED,
    "amendment-takes-out": EventKind.REQUESTED,
    "amendment-danish": EventKind.REQUESTED,
    "cancellation": EventKind.REQUESTED,
    "notification-01-accepted": EventKind.ACCEPTED,
    "notification-02-received": EventKind.NOTED,
    "notification-03-rejected": EventKind.REJECTED,
    "notification-05-control": EventKind.NOTED,
    "notification-06-documents": EventKind.NOTED,
    "notification-07-amendment": EventKind.NOTED,
    "notification-08-released": EventKind.RELEASED,
    "notification-09-cleared": EventKind.RELEASED,
    "notification-10-invalidated": EventKind.INVALIDATED,
    "notification-03-request-rejected": EventKind.REJECTED,
    "notification-11-request-granted": EventKind.DECIDED,
    "notification-11-request-refused": EventKind.DECIDED,
    "notification-16-exit": EventKind.EXIT_CONFIRMED,
}


def test_every_golden_file_is_listed_and_every_kind_has_one() -> None:
    assert {path.stem for path in DECLARATIONS.glob("*.json")} == set(CANONICAL)
    assert {path.stem for path in WCO.glob("*.xml")} == set(MESSAGES)
    assert set(CANONICAL.values()) == set(EVENT_MODELS)


@pytest.mark.parametrize("name", CANONICAL)
def test_canonical_events_decode_to_their_kind(name: str) -> None:
    command = golden(name)
    assert command.kind is CANONICAL[name]
    assert event(name)["type"] == event_type(command.kind)
    EVENT_MODELS[command.kind].model_validate_json(json.dumps(data(name)))
    assert all(finding.severity is Severity.WARNING for finding in command.findings)


@pytest.mark.parametrize("name", MESSAGES)
def test_wco_messages_decode_to_their_kind(name: str) -> None:
    command = wco(name)
    assert command.kind is MESSAGES[name]
    assert "MRN_CHECK_DIGIT" not in codes(command)


def test_the_accepted_event_carries_three_claims_and_its_acceptance() -> None:
    command = golden("accepted")
    claims = [claim for item in payload(command).items for claim in item.claims]
    assert [(c.item, c.doc_seq, c.line_no, str(c.quantity), c.findings) for c in claims] == [
        (1, 1, 1, "2 NAR", ()),
        (2, 2, 2, "400.25 KGM", ()),
        (3, 1, 3, "24 NAR", ()),
    ]
    assert {claim.licence_id for claim in claims} == {"BE/BE-2026-000123"}
    assert command.facts.acceptance_day == "2026-03-03T07:41:00+01:00"
    assert (command.mrn, command.lrn, command.exporter) == (MRN, "AES-26-000451", "BE0123456789")
    assert (command.facts.mrn, command.facts.accepted) == (MRN, command.facts.payload_rank.stamp)  # type: ignore[union-attr]


def test_releases_name_items_or_all() -> None:
    ((number, whole),) = golden("released").facts.releases
    assert (number, whole.released, whole.figures) == (ALL_ITEMS, True, None)
    (first, one), (second, two) = golden("released-part").facts.releases
    assert (first, second, two.figures) == (1, 2, None)
    assert one.figures is not None
    assert (one.figures[0].doc_seq, str(one.figures[0].quantity), str(one.figures[0].value)) == (
        1,
        "1 NAR",
        "47500 EUR",
    )
    ((third, refused),) = golden("not-released").facts.releases
    assert (third, refused.released) == (3, False)


@pytest.mark.row("R18")
def test_a_supplementary_keeps_its_names_and_is_linked_to_the_simplified_declaration() -> None:
    command = golden("supplementary")
    assert (command.mrn, command.lrn) == ("26BEE0000D57A1LKA9", "AES-26-000470")
    assert command.facts.simplified == (SimplifiedReference("26BEE0000D55W8RQA8"),)
    assert command.facts.payload_rank is not None
    assert command.facts.payload_rank.order == (0, 1)
    assert command.facts.lodged is not None
    document = event("supplementary")
    document["data"] |= {"mrn": None, "lrn": None}
    nameless = decode(document)
    assert (nameless.mrn, nameless.facts.simplified, nameless.facts.lodged) == ("26BEE0000D55W8RQA8", (), None)
    assert nameless.facts.payload_rank is not None
    assert nameless.facts.payload_rank.order == (1, 1)


def test_every_claim_finding_stays_with_its_claim() -> None:
    found = [
        [finding.code for finding in item.claims[0].findings] for item in payload(golden("every-claim-finding")).items
    ]
    assert found == [
        ["INVALID_QUANTITY"],
        ["INVALID_QUANTITY"],
        ["SCALE"],
        ["RANGE"],
        ["LEXICAL"],
        ["UNIT_UNKNOWN"],
        ["UNIT_UNKNOWN"],
        ["SCALE"],
        ["CURRENCY_UNKNOWN"],
        ["LICENCE_NUMBER_INVALID"],
        [],
    ]


def test_types_and_kinds_are_two_ways_of_one_list() -> None:
    assert KINDS["customs.declaration.exit-confirmed.v1"] is EventKind.EXIT_CONFIRMED
    assert len(KINDS) == len(EVENT_MODELS)
    assert EventKind.NOTED not in EVENT_MODELS
