"""What two contradicting messages differ in: bounded, by path, and without persons."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.kernel.errors import Finding
from certex_bridge.ledger.domain.content import ClaimSpec, Item, Payload
from certex_bridge.ledger.domain.differences import Difference, conflicting, differences, in_words
from certex_bridge.ledger.domain.facts import Facts
from certex_bridge.ledger.domain.stamps import PayloadRank, Stamp

AT = datetime(2026, 3, 1, tzinfo=UTC)
FIRST = Stamp(AT, "event-1")


def spec(seq: int, amount: str = "10", **more: object) -> ClaimSpec:
    made = ClaimSpec(1, seq, "X060", "BE/A", "A", 1, Quantity(Decimal(amount), "NAR"), None)
    return replace(made, **more)  # type: ignore[arg-type]


def item(number: int, *claims: ClaimSpec) -> Item:
    return Item(number, "1000", "84571090", "KR", "", Decimal("4.50"), None, None, (), claims)


CONTENT = Payload("EX", "A", "BE1", "", "Secret Consignee", "KR", "", (item(1, spec(1), spec(2)), item(2)))


def facts(payload: Payload, version: int = 1) -> Facts:
    return Facts(payload=payload, payload_rank=PayloadRank(0, version, FIRST))


def test_fields_are_named_by_item_and_document() -> None:
    changed = replace(
        CONTENT,
        destination="US",
        consignee_name="Other",
        items=(
            item(1, spec(1, "12"), spec(3, value=Money(Decimal(5), "EUR"))),
            replace(item(2), net_mass=Decimal("4.6")),
        ),
    )
    assert differences(CONTENT, changed) == (
        Difference("consigneeName", "", ""),
        Difference("destination", "KR", "US"),
        Difference("items[1].documents[1].quantity", "10 NAR", "12 NAR"),
        Difference("items[1].documents[2]", "stated", ""),
        Difference("items[1].documents[3]", "", "stated"),
        Difference("items[2].netMass", "4.5", "4.6"),
    )
    words = in_words(differences(CONTENT, changed))
    assert "Secret" not in words
    assert "consigneeName differs; destination was KR, is now US; items[1].documents[1].quantity was 10 NAR" in words
    assert words.endswith("; and more.")


def test_equal_things_and_what_follows_from_the_rest_are_no_difference() -> None:
    remark = (Finding("EXCEEDS_MASS", "quantity", "10", ""),)
    assert differences(CONTENT, replace(CONTENT, items=(item(1, spec(1, findings=remark), spec(2)), item(2)))) == ()
    assert in_words(()) == ""


def test_values_are_bounded_and_what_is_not_there_is_said() -> None:
    (found,) = differences(CONTENT, replace(CONTENT, office="x" * 500))
    assert (found.field, found.before, len(found.now)) == ("office", "", 70)
    assert found.sentence.startswith("office was not stated, is now xxx")
    assert Difference("office", "BE1", "").sentence == "office was BE1, is now not stated"
    (whole,) = differences(None, CONTENT)
    assert whole == ("content", "", "stated")


def test_entries_without_a_number_are_known_by_their_place() -> None:
    procedures = replace(item(1), additional_procedures=("F75",))
    assert differences(procedures, replace(procedures, additional_procedures=("F75", "B51"))) == (
        Difference("additionalProcedures[2]", "", "B51"),
    )
    twice = (spec(1), spec(1, "11"))
    assert differences(item(1, *twice), item(1, spec(1), spec(1, "12"))) == (
        Difference("documents[2].quantity", "11 NAR", "12 NAR"),
    )


def test_a_version_that_came_with_other_content() -> None:
    found = conflicting(facts(CONTENT, 3), facts(replace(CONTENT, destination="US"), 3))
    assert (found.about, found.value, found.earlier) == ("version", "3", "event-1")
    assert (found.field, found.told) == ("destination", "US")
    sentence = found.sentence("26BE")
    assert sentence.startswith("Declaration 26BE: version 3 arrived before with other content, in event event-1")
    assert sentence.endswith("destination was KR, is now US.")


def test_nothing_to_compare_is_said_as_that() -> None:
    found = conflicting(Facts(), Facts())
    assert (found.field, found.told) == ("version", "")
