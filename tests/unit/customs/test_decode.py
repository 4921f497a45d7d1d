"""Canonical events: identity, times, facts and the line between poison and finding."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from certex_bridge.customs import decode as decoder
from certex_bridge.customs.decode import decode_declaration_event
from certex_bridge.customs.options import DecodeOptions
from certex_bridge.ledger.domain.facts import DeclarationCommand, EventKind
from certex_bridge.ledger.domain.stamps import Stamp
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.poison import Poison
from tests.unit.customs.samples import (
    NOON_MS,
    accepted,
    codes,
    data,
    decode,
    envelope,
    event,
    golden,
    payload,
    poison,
    with_item,
)

MRN = "26BEE0000B7Q2K5XA9"


def changed(name: str, **change: Any) -> dict[str, Any]:
    document = event(name)
    document["data"] |= change
    return document


def without(name: str, *fields: str) -> dict[str, Any]:
    document = event(name)
    for field in fields:
        document["data"].pop(field, None)
    return document


def binary(document: dict[str, Any], raw: bytes, **changes: str) -> DeclarationCommand:
    """The event in binary mode, with its data spelt like this."""
    names = {"id": "ce_id", "type": "ce_type", "source": "ce_source", "time": "ce_time"}
    headers = tuple((header, (document | changes)[name].encode()) for name, header in names.items())
    return decode_declaration_event(
        Envelope("t", 0, 0, None, raw, (*headers, ("ce_specversion", b"1.0"), ("ce_partner", b"x")))
    )


@pytest.mark.row("E046")
def test_the_hash_is_that_of_type_source_and_data_in_any_spelling() -> None:
    document = event("released")
    raw = json.dumps(document["data"], separators=(",", ":")).encode()
    command = binary(document, raw)
    assert command.payload_sha256 == golden("released").payload_sha256
    respelt = json.dumps(dict(reversed(document["data"].items())), indent=2).encode()
    assert binary(document, respelt).payload_sha256 == command.payload_sha256
    other_type = binary(document, raw, type="customs.declaration.not-released.v1")
    other_source = binary(document, raw, source="/be/other")
    other_data = binary(document, raw.replace(b"}", b',"x":1}', 1))
    hashes = {one.payload_sha256 for one in (command, other_type, other_source, other_data)}
    assert len(hashes) == 4
    assert command.extensions == (("partner", "x"),)
    assert (command.event_id, command.source) == ("be-released", "/be/customs")


@pytest.mark.row("E046")
def test_other_content_under_the_same_id_has_another_hash() -> None:
    one, other = golden("released"), decode(changed("released", reason="again"))
    assert one.event_id == other.event_id
    assert one.payload_sha256 != other.payload_sha256


@pytest.mark.row("E194")
def test_a_type_of_another_topic_is_refused() -> None:
    for name in ("licensing.licence.issued.v1", "customs.declaration.accepted.v2", "customs.declaration.noted.v1"):
        assert poison(event("accepted") | {"type": name}) == ("TYPE_UNKNOWN", "ce_type")


@pytest.mark.row("E052")
@pytest.mark.parametrize(
    "mrn", [MRN.lower(), f" {MRN}", f"{MRN} ", MRN[:17], "26BE", MRN[:17] + "A", "2\u0666BEE0000B7Q2K5XA9", "x" * 500]
)
def test_an_impossible_mrn_is_refused_not_repaired(mrn: str) -> None:
    for name in ("accepted", "released", "invalidated"):
        assert poison(changed(name, mrn=mrn)) == ("MRN_INVALID", "mrn")


@pytest.mark.row("E052")
def test_a_wrong_check_digit_is_remarked() -> None:
    command = decode(changed("released", mrn=MRN[:17] + "0"))
    assert codes(command) == ["MRN_CHECK_DIGIT"]


@pytest.mark.row("E053")
@pytest.mark.parametrize("mrn", ["10NL5663962BE1E825", "06DE586600006143E1", "24GB0MC86MH6WYKAA3", MRN])
def test_old_new_and_national_formats_are_accepted(mrn: str) -> None:
    command = decode(changed("released", mrn=mrn))
    assert (command.mrn, codes(command)) == (mrn, [])


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (without("presented", "lrn"), ("IDENTITY_MISSING", "mrn")),
        (without("presented", "exporter"), ("IDENTITY_MISSING", "mrn")),
        (changed("presented", mrn="", lrn=""), ("IDENTITY_MISSING", "mrn")),
        (without("amended", "mrn", "lrn"), ("IDENTITY_MISSING", "mrn")),
        (changed("presented", lrn="x" * 23), ("LRN_INVALID", "lrn")),
        (changed("presented", lrn=" x"), ("LRN_INVALID", "lrn")),
        (changed("presented", exporter="0123"), ("EORI_INVALID", "exporter")),
        (changed("accepted", exporter="BE0000000000"), ("IDENTITY_CONFLICT", "exporter")),
        (changed("supplementary", simplifiedMrn="26BE"), ("MRN_INVALID", "simplifiedMrn")),
        (changed("accepted", acceptedAt="2026-13-01"), ("DATE_INVALID", "acceptedAt")),
        (changed("accepted", acceptedAt="2026-13-01T10:00:00Z"), ("DATE_INVALID", "acceptedAt")),
        (changed("accepted", acceptedAt="yesterday"), ("DATE_INVALID", "acceptedAt")),
        (changed("accepted", acceptedAt="0001-01-01"), ("DATE_RANGE", "acceptedAt")),
        (without("accepted", "mrn"), ("JSON_SCHEMA", "")),
        (without("lodged", "declaration"), ("JSON_SCHEMA", "")),
        (without("amended", "version"), ("JSON_SCHEMA", "")),
        (changed("amended", version=0), ("JSON_SCHEMA", "version")),
        (changed("released", items=[]), ("JSON_SCHEMA", "items")),
        (changed("released", items=[{"item": 1}, {"item": 1}]), ("ITEM_DUPLICATE", "items")),
        (changed("not-released", items=[{"item": 1}, {"item": 1}]), ("ITEM_DUPLICATE", "items")),
    ],
)
def test_what_makes_the_whole_event_impossible_is_poison(document: dict[str, Any], expected: tuple[str, str]) -> None:
    assert poison(document) == expected


def test_an_impossible_exporter_number_matters_only_where_it_names_the_declaration() -> None:
    command = decode(changed("released", exporter="0123"))
    assert codes(command) == ["EORI_INVALID"]


def test_the_exporter_of_the_content_names_the_declaration_too() -> None:
    document = without("amended", "mrn", "exporter")
    command = decode(document)
    assert (command.mrn, command.exporter) == ("", "BE0123456789")


@pytest.mark.parametrize(
    ("accepted_at", "day"),
    [
        ("2026-03-03", "2026-03-03"),
        ("2026-12-31T23:30:00+01:00", "2026-12-31T23:30:00+01:00"),
        ("2026-12-31T22:30:00Z", "2026-12-31T22:30:00+00:00"),
        ("2024-02-29", "2024-02-29"),
        ("9999-12-30", "9999-12-30"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999+00:00"),
    ],
)
@pytest.mark.row("E134", "E135", "E139", "E142")
def test_the_acceptance_is_kept_as_customs_state_it(accepted_at: str, day: str) -> None:
    command = accepted({"acceptedAt": accepted_at})
    assert (command.facts.acceptance_day, codes(command)) == (day, [])


@pytest.mark.row("E137")
def test_an_acceptance_without_zone_is_local_time_of_the_declaring_state() -> None:
    command = accepted({"acceptedAt": "2026-12-31T23:30:00"})
    assert command.facts.acceptance_day == "2026-12-31T22:30:00+00:00"
    assert codes(command) == ["ASSUMED_ZONE"]
    options = DecodeOptions(zones={"BE": ZoneInfo("Asia/Tokyo")})
    assert accepted({"acceptedAt": "2026-12-31T23:30:00"}, options).facts.acceptance_day == "2026-12-31T14:30:00+00:00"


@pytest.mark.row("E138")
@pytest.mark.parametrize("local", ["2026-10-25T02:30:00", "2026-03-29T02:30:00"])
def test_a_local_time_that_comes_twice_or_never_keeps_its_day(local: str) -> None:
    day = accepted({"acceptedAt": local}).facts.acceptance_day
    assert datetime.fromisoformat(day).astimezone(ZoneInfo("Europe/Brussels")).date().isoformat() == local[:10]


def test_without_acceptance_time_the_event_counts() -> None:
    assert accepted({"acceptedAt": None}).facts.acceptance_day == "2026-03-03T06:41:12+00:00"


def test_a_clock_more_than_a_day_ahead_is_remarked() -> None:
    document = event("released") | {"time": "2026-03-04T12:00:00Z"}
    assert codes(decode_declaration_event(envelope(document, NOON_MS))) == []
    document["time"] = "2026-03-04T12:00:01Z"
    assert codes(decode_declaration_event(envelope(document, NOON_MS))) == ["CLOCK_AHEAD"]
    assert codes(decode_declaration_event(envelope(document, -1))) == []


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ("2026-03-04", []),
        ("2026-03-04T12:00:00Z", []),
        ("2026-03-04T12:00:01Z", ["ACCEPTANCE_AHEAD"]),
        ("2026-03-04T14:00:01+02:00", ["ACCEPTANCE_AHEAD"]),
        ("2026-03-05", ["ACCEPTANCE_AHEAD"]),
    ],
)
def test_an_acceptance_more_than_a_day_ahead_is_remarked_and_counts(stated: str, found: list[str]) -> None:
    document = event("accepted")
    document["data"]["acceptedAt"] = stated
    command = decode_declaration_event(envelope(document, NOON_MS))
    assert codes(command) == found
    assert command.facts.acceptance_day.startswith("2026-03-0")
    assert codes(decode_declaration_event(envelope(document, -1))) == [], "nobody knows when it was received"


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("lodged", "lodged"),
        ("presented", "presented"),
        ("accepted", "accepted"),
        ("invalidated", "invalidated"),
        ("rejected", "rejected"),
        ("exit-confirmed", "exited"),
        ("recheck", "recheck"),
    ],
)
def test_each_kind_adds_its_own_fact_only(name: str, fact: str) -> None:
    command = golden(name)
    facts = command.facts
    stamps = ("lodged", "presented", "accepted", "invalidated", "rejected", "exited", "not_presented", "recheck")
    expected = {stamp: Stamp(command.occurred_at, command.event_id) if stamp == fact else None for stamp in stamps}
    assert {stamp: getattr(facts, stamp) for stamp in stamps} == expected
    assert command.occurred_at.tzinfo is UTC
    assert facts.releases == ()


@pytest.mark.parametrize("name", ["lodged", "accepted", "amended", "released", "presented", "supplementary"])
def test_every_event_can_state_the_day_of_exit(name: str) -> None:
    told = data(name) | {"dayOfExit": "2026-02-20"}
    if "declaration" in told:
        told["declaration"] = told["declaration"] | {"additionalType": "R"}
    command = decode(changed(name, **told))
    assert (command.facts.exit_day, codes(command)) == ("2026-02-20", codes(golden(name)))
    assert command.facts.exit_told == Stamp(command.occurred_at, command.event_id)
    assert golden(name).facts.exit_told is None


def test_a_day_of_exit_of_another_declaration_is_remarked() -> None:
    assert codes(decode(changed("accepted", dayOfExit="2026-02-20"))) == ["DAY_OF_EXIT_NOT_COUNTED"]
    with pytest.raises(Poison) as refused:
        decode(changed("accepted", dayOfExit="20 February"))
    assert (refused.value.code, refused.value.field) == ("DATE_INVALID", "dayOfExit")


@pytest.mark.parametrize(
    ("told", "day", "remarks"),
    [
        ({"exitedAt": "2026-02-20"}, "2026-02-20", []),
        ({"exitedAt": "2026-02-20T10:00:00Z"}, "2026-02-20T10:00:00+00:00", []),
        ({"exitedAt": "2026-02-20T10:00:00"}, "2026-02-20T09:00:00+00:00", ["ASSUMED_ZONE"]),
        ({"exitedAt": "2026-02-20T10:00:00Z", "dayOfExit": "2026-02-19"}, "2026-02-19", []),
        ({"exitedAt": "yesterday"}, "", ["DATE_INVALID"]),
        ({"exitedAt": None}, "", []),
    ],
)
def test_an_exit_states_its_day(told: dict[str, Any], day: str, remarks: list[str]) -> None:
    command = decode(changed("exit-confirmed", **told))
    assert (command.facts.exit_day, codes(command)) == (day, remarks)
    assert (command.facts.exited is not None, command.facts.exit_told is not None) == (True, bool(day))


def test_an_invalidation_carries_its_reason() -> None:
    assert golden("invalidated").facts.invalidation_reason == "No proof of exit within 150 days"


def test_a_content_may_come_with_presentation_and_acceptance_or_not() -> None:
    content = data()["declaration"]
    assert decode(changed("presented", declaration=content)).facts.payload == payload(golden("accepted"))
    assert golden("presented").facts.payload is None
    assert golden("accepted-without-content").facts.payload_rank is None


def test_the_version_ranks_the_content() -> None:
    rank = golden("amended").facts.payload_rank
    assert rank is not None
    assert rank.order == (0, 2)
    unversioned = accepted({"version": None}).facts.payload_rank
    assert unversioned is not None
    assert unversioned.order == (0, 1)


@pytest.mark.row("R18")
def test_a_supplementary_that_names_nobody_stands_alone() -> None:
    command = decode(changed("supplementary", simplifiedMrn=None))
    assert (command.kind, command.mrn, command.lrn) == (EventKind.SUPPLEMENTARY, "26BEE0000D57A1LKA9", "AES-26-000470")
    assert command.facts.lodged == Stamp(command.occurred_at, command.event_id)
    bare = decode(without("supplementary", "mrn", "lrn", "exporter"))
    assert (bare.mrn, bare.extensions) == ("26BEE0000D55W8RQA8", ())


def test_zero_is_a_released_figure_and_nonsense_is_poison() -> None:
    def released(quantity: str, unit: str = "NAR", value: str = "1", currency: str = "EUR") -> dict[str, Any]:
        figures = {
            "seq": 1,
            "quantity": {"amount": quantity, "unit": unit},
            "value": {"amount": value, "currency": currency},
        }
        return changed("released", items=[{"item": 1, "documents": [figures]}])

    ((_, release),) = decode(released("0", value="0.00")).facts.releases
    assert release.figures is not None
    assert (str(release.figures[0].quantity), str(release.figures[0].value)) == ("0 NAR", "0 EUR")
    for document, code in [
        (released("-1"), "NEGATIVE"),
        (released("1.0000001"), "SCALE"),
        (released("1", "kgm"), "UNIT_UNKNOWN"),
        (released("1", value="1.5", currency="JPY"), "SCALE"),
    ]:
        assert poison(document)[0] == code
    twice = [{"seq": 1}, {"seq": 1}]
    assert poison(changed("released", items=[{"item": 1, "documents": twice}]))[0] == "ITEM_DUPLICATE"


def test_release_figures_and_items_are_sorted() -> None:
    items = [{"item": 2}, {"item": 1, "documents": [{"seq": 3}, {"seq": 1}]}]
    (first, release), (second, _) = decode(changed("released", items=items)).facts.releases
    assert (first, second) == (1, 2)
    assert release.figures is not None
    assert [figures.doc_seq for figures in release.figures] == [1, 3]


def test_findings_are_bounded() -> None:
    item = data()["declaration"]["items"][0]
    items = [item | {"item": number, "netMass": "x"} for number in range(1, 300)]
    assert len(accepted({"declaration": data()["declaration"] | {"items": items}}).findings) == 100


@pytest.mark.row("E200")
@pytest.mark.parametrize("figure", [40, 40.0, None, True, ["40"]])
def test_a_figure_that_is_no_text_is_refused(figure: object) -> None:
    document = event("accepted")
    document["data"]["declaration"]["items"][0]["documents"][0]["quantity"]["amount"] = figure
    assert poison(document) == ("JSON_SCHEMA", "declaration.items[0].documents[0].quantity.amount")


def test_what_no_rule_foresaw_is_poison_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (RecursionError, MemoryError, OverflowError, KeyError, TypeError, UnicodeError):

        def fail(*_: object, error: type[Exception] = error) -> None:
            raise error("?")

        monkeypatch.setattr(decoder, "_command", fail)
        with pytest.raises(Poison) as caught:
            golden("released")
        assert caught.value.code == "UNDECODABLE"


def test_9999_items_are_read_and_10000_refused() -> None:
    item = {"item": 1, "documents": [{"seq": 1, "type": "X060", "reference": "R"}]}
    content = {"type": "EX", "items": [item | {"item": number} for number in range(1, 10_000)]}
    assert len(payload(accepted({"declaration": content, "exporter": None})).items) == 9_999
    content["items"] = [item | {"item": number} for number in range(1, 10_001)]
    assert poison(changed("accepted", declaration=content))[0] == "JSON_SCHEMA"


def test_99_documents_are_read_and_100_refused() -> None:
    documents = [{"seq": number, "type": "X060", "reference": f"R{number}"} for number in range(1, 101)]
    assert len(payload(with_item({"documents": documents[:99]})).items[0].claims) == 99
    with pytest.raises(Poison) as caught:
        with_item({"documents": documents})
    assert caught.value.code == "JSON_SCHEMA"
