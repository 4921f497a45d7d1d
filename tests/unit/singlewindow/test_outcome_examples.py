"""The golden outcomes are what the bridge really says: each is the last document of a story."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import xmlschema
from lxml import etree

from certex_bridge.ledger.domain.reasons import Outcome
from certex_bridge.platform.resources import contract_path, schema_path
from certex_bridge.singlewindow.outcome_document import FAMILY, NAMESPACE, VERSION
from tests.unit.singlewindow.samples import golden
from tests.unit.singlewindow.stories import STORIES, told

if TYPE_CHECKING:
    from collections.abc import Iterator

FIGURES = re.compile(r"(quantity|amount)(Available|Reserved|Consumed)")


@pytest.mark.row("E169", "E170")
@pytest.mark.parametrize("name", STORIES)
async def test_each_story_ends_with_its_golden_document(name: str) -> None:
    made = (await told(name)).messages("outcome")[-1].body
    assert made == golden("outcomes", f"{name}.xml", made).read_bytes()
    assert xmlschema.XMLSchema(str(schema_path("xsd", FAMILY, VERSION))).is_valid(etree.fromstring(made))


def test_every_golden_document_has_its_story() -> None:
    assert {path.stem for path in contract_path("examples", "outcomes").glob("*.xml")} == set(STORIES)


def said(name: str, tag: str) -> Iterator[str]:
    document = etree.parse(contract_path("examples", "outcomes") / f"{name}.xml")
    return (node.text or "" for node in document.iter(f"{{{NAMESPACE}}}{tag}"))


def test_the_examples_show_every_outcome_that_is_booked_without_an_officer() -> None:
    shown = {text for name in STORIES for text in said(name, "outcome")}
    assert shown == set(Outcome) - {Outcome.OK_OVERRIDDEN}


def test_the_examples_are_about_one_declaration() -> None:
    assert {text for name in STORIES for text in said(name, "MRN")} == {next(said("reserved", "MRN"))}


# -- balances hidden from customs


@pytest.mark.row("E180")
@pytest.mark.parametrize("name", ["reserved-balance-hidden", "refused-balance-hidden"])
async def test_hidden_balances_are_in_nothing_that_goes_to_customs(name: str) -> None:
    story = await told(name)
    for row in [*story.messages("certificate"), *story.messages("outcome")]:
        names = {etree.QName(node).localname for node in etree.fromstring(row.body).iter()}
        figures = {one for one in names if FIGURES.fullmatch(one)}
        assert figures <= {"quantityReserved", "amountReserved"}  # what the claim itself holds
    assert not any(b'"accounts"' in row.body for row in story.messages("notification"))


def test_shown_balances_are_told_with_a_refusal() -> None:
    assert "50000" in said("refused", "available")
    assert set(said("refused-balance-hidden", "available")) == {"KR"}  # what the licence allows is no balance
