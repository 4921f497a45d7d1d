"""National document statuses and the quantity 0: what is claimed, and what is only remarked."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from certex_bridge.customs.licence_documents import StatusEffect
from certex_bridge.customs.options import DEFAULT_OPTIONS, DecodeOptions
from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.ledger.domain.facts import DeclarationCommand
from certex_bridge.operations.policies import decode_options_of
from certex_bridge.platform.settings import Settings
from tests.unit.customs.samples import accepted, codes, data, only_item, payload

GB = "24GB0MC86MH6WYKAA3"
TEN, FIVE = {"amount": "10", "unit": "NAR"}, {"amount": "5", "unit": "NAR"}


def cited(
    *changes: dict[str, Any], mrn: str = GB, options: DecodeOptions = DEFAULT_OPTIONS, **declaration: Any
) -> DeclarationCommand:
    """The golden acceptance with one item that cites a licence once for each change."""
    content = copy.deepcopy(data()["declaration"])
    first = content["items"][0]["documents"][0] | {
        "reference": "LIC1",
        "line": 1,
        "issuer": None,
        "quantity": TEN,
        "value": None,
    }
    documents = [first | {"seq": seq} | change for seq, change in enumerate(changes, start=1)]
    content["items"] = [content["items"][0] | {"documents": documents}]
    return accepted({"mrn": mrn, "office": None, "declaration": content | declaration}, options)


def remarked(command: DeclarationCommand) -> list[str]:
    """Codes about documents that are no claims, then those about the declaration."""
    return [finding.code for one in payload(command).attributed for finding in one.findings] + codes(command)


def claimed(command: DeclarationCommand) -> list[tuple[int, str]]:
    return [(claim.doc_seq, str(claim.quantity)) for claim in only_item(command).claims]


@pytest.mark.parametrize(
    ("status", "claims", "remarks"),
    [
        ("", [(1, "10 NAR")], []),
        ("EP", [(1, "10 NAR")], []),
        ("IP", [(1, "10 NAR")], []),
        ("AE", [(1, "10 NAR")], []),
        ("EE", [(1, "10 NAR")], ["STATUS_NOT_ACTED_ON"]),
        ("ES", [(1, "10 NAR")], ["STATUS_NOT_ACTED_ON"]),
        ("EA", [], ["STATUS_ATTRIBUTED"]),
        ("IA", [], ["STATUS_ATTRIBUTED"]),
        ("XX", [], ["LICENCE_NOT_CLAIMED"]),
        ("UE", [], ["LICENCE_NOT_CLAIMED"]),
    ],
)
def test_each_status_of_the_united_kingdom(status: str, claims: list[tuple[int, str]], remarks: list[str]) -> None:
    command = cited({"status": status})
    assert (claimed(command), remarked(command)) == (claims, remarks)


def test_what_was_attributed_before_is_told_with_its_place_and_kept_beside_the_claims() -> None:
    command = cited({"status": "EA"})
    (claim,) = payload(command).attributed
    (finding,) = claim.findings
    assert (claim.reference, finding.field, finding.value) == ("LIC1", "items[1].documents[1].status", "EA")
    assert "LIC1" in finding.message


def test_other_countries_have_no_statuses() -> None:
    assert claimed(cited({"status": "EA"}, mrn="26BEE0000B7Q2K5XA9")) == [(1, "10 NAR")]


def test_a_setting_gives_a_status_another_meaning() -> None:
    options = DecodeOptions(
        document_statuses={
            "GB": {"EA": StatusEffect.WRITTEN_OFF, "EE": StatusEffect.NOT_HELD},
            "BE": {"Z": StatusEffect.ATTRIBUTED},
        }
    )
    assert claimed(cited({"status": "EA"}, options=options)) == [(1, "10 NAR")]
    assert codes(cited({"status": "EE"}, options=options)) == ["LICENCE_NOT_CLAIMED"]
    assert remarked(cited({"status": "IA"}, options=options)) == ["STATUS_ATTRIBUTED"]
    assert claimed(cited({"status": "Z"}, mrn="26BEE0000B7Q2K5XA9", options=options)) == []


def test_the_settings_say_what_statuses_mean() -> None:
    settings = Settings.load(document_statuses='{"GB": {"EA": "WRITTEN_OFF"}}', zero_quantity_countries="GB, BE")
    options = decode_options_of(settings)
    assert options.statuses("XI")["EA"] is StatusEffect.WRITTEN_OFF
    assert [options.zero_writes_off_nothing(country) for country in ("XI", "BE", "DE")] == [True, True, False]
    with pytest.raises(ConfigurationError, match="CERTEX_DOCUMENT_STATUSES"):
        Settings.load(document_statuses='{"GB": {"EA": "PERHAPS"}}')


@pytest.mark.parametrize("written", ["0", "0.00", "0.000000"])
def test_the_quantity_0_has_nothing_written_off(written: str) -> None:
    command = cited({"quantity": {"amount": written, "unit": "NAR"}})
    assert (claimed(command), codes(command)) == ([], ["QUANTITY_ZERO"])
    assert command.findings[0].field == "items[1].documents[1].quantity"


@pytest.mark.parametrize(
    ("change", "mrn"),
    [
        ({"quantity": {"amount": "0", "unit": "NAR"}}, "26BEE0000B7Q2K5XA9"),
        ({"quantity": {"amount": "-1", "unit": "NAR"}}, GB),
        ({"quantity": {"amount": "", "unit": "NAR"}}, GB),
        ({"quantity": {"amount": "0", "unit": "NAR"}, "value": {"amount": "5.00", "currency": "GBP"}}, GB),
    ],
)
def test_any_other_figure_that_is_none_refuses_its_claim(change: dict[str, Any], mrn: str) -> None:
    (claim,) = only_item(cited(change, mrn=mrn)).claims
    assert claim.findings


def test_where_0_is_allowed_is_a_setting() -> None:
    options = DecodeOptions(zero_quantity_countries=frozenset())
    assert len(claimed(cited({"quantity": {"amount": "0", "unit": "NAR"}}, options=options))) == 1


SECOND: list[tuple[list[dict[str, Any]], list[tuple[int, str]], list[str]]] = [
    ([{"status": "EP"}, {"status": "EA", "quantity": None}], [(1, "10 NAR")], ["STATUS_ATTRIBUTED", "STATUS_MIXED"]),
    ([{"status": "EP"}, {"status": "EE", "quantity": None}], [(1, "10 NAR")],
     ["STATUS_SECOND_ENTRY", "STATUS_NOT_ACTED_ON", "STATUS_MIXED"]),
    ([{"status": "AE", "quantity": None}, {"status": "EP"}], [(2, "10 NAR")], ["STATUS_SECOND_ENTRY", "STATUS_MIXED"]),
    ([{"status": "EP"}, {"status": "AE"}], [(1, "10 NAR")], ["STATUS_FIGURES_REPEATED", "STATUS_MIXED"]),
    ([{"status": "EP"}, {"status": "AE", "quantity": FIVE}], [(1, "10 NAR"), (2, "5 NAR")], ["STATUS_MIXED"]),
    ([{"status": "EP"}, {"status": "EP"}], [(1, "10 NAR"), (2, "10 NAR")], []),
    ([{"status": "EP"}, {"status": "EP", "quantity": None}], [(1, "10 NAR"), (2, "None")], []),
    ([{"status": "EP"}, {"status": "AE", "line": 2}], [(1, "10 NAR"), (2, "10 NAR")], ["STATUS_MIXED"]),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "claims", "remarks"), SECOND)
def test_a_second_document_that_only_adds_a_status_adds_nothing(
    documents: list[dict[str, Any]], claims: list[tuple[int, str]], remarks: list[str]
) -> None:
    command = cited(*documents)
    assert (claimed(command), remarked(command)) == (claims, remarks)


def test_an_unreadable_figure_is_no_missing_one() -> None:
    command = cited({"status": "EP"}, {"status": "AE", "quantity": {"amount": "1,5", "unit": "NAR"}})
    assert [seq for seq, _ in claimed(command)] == [1, 2]


@pytest.mark.parametrize("change", [{"status": "EA"}, {"quantity": {"amount": "0", "unit": "NAR"}}])
def test_no_other_entry_brings_back_what_is_not_written_off(change: dict[str, Any]) -> None:
    shipment = [{"seq": 1, "type": "X060", "reference": "LIC1"}]
    command = cited(change, documents=shipment, references=shipment)
    assert (claimed(command), payload(command).header_claims) == ([], ())


def test_a_document_of_the_shipment_may_be_attributed_too() -> None:
    command = cited({}, documents=[{"seq": 1, "type": "X060", "reference": "LIC2", "status": "EA"}])
    assert (claimed(command), payload(command).attributed[0].item) == ([(1, "10 NAR")], 0)
    assert payload(command).attributed[0].findings[0].field == "documents[1].status"
