"""Amendments by whole declarations: whatever changed, after the grant the content is that of the new body."""

from __future__ import annotations

from functools import reduce
from itertools import zip_longest

from hypothesis import given
from hypothesis import strategies as st

from certex_bridge.ledger.domain.amending import amended
from certex_bridge.ledger.domain.issuers import as_declared
from certex_bridge.ledger.domain.merge import merge
from tests.support.wco_words import (
    INVOICE,
    Doc,
    Goods,
    Place,
    acceptance,
    amendment,
    decision,
    lodging,
)

LICENCES = st.builds(
    Doc,
    st.sampled_from(["LIC1-0001", "LIC1-0002", "LIC2-0001", "LIC3"]),
    st.sampled_from(["1", "5", "10.5"]),
    st.sampled_from(["", "EP", "EE"]),
)
DOCUMENTS = st.lists(LICENCES | st.just(INVOICE) | st.just(Doc("PACK-1", code="N271")), max_size=4)
ITEMS = st.dictionaries(st.integers(1, 4), DOCUMENTS, min_size=1, max_size=4)


def by_number(items: dict[int, list[Doc]]) -> tuple[Goods, ...]:
    return tuple(Goods(number, tuple(items[number])) for number in sorted(items))


def pointers(before: dict[int, list[Doc]], after: dict[int, list[Doc]]) -> list[Place]:
    """As exporters' software makes them: items by number, documents by position, the whole document for each change."""
    places: list[Place] = [(number,) for number in sorted(before.keys() ^ after.keys())]
    for number in sorted(before.keys() & after.keys()):
        pairs = zip_longest(before[number], after[number])
        places += [(number, position) for position, (old, new) in enumerate(pairs, start=1) if old != new]
    return places


@given(ITEMS, ITEMS)
def test_after_the_grant_the_content_is_that_of_the_new_body(
    before: dict[int, list[Doc]], after: dict[int, list[Doc]]
) -> None:
    places = pointers(before, after) or [(min(after), "23A.128")]
    told = [lodging(by_number(before)), acceptance(), amendment(by_number(after), *places), decision("39")]
    facts, findings = amended(reduce(merge, [command.facts for command in told]))
    assert findings == ()
    expected = lodging(by_number(after)).facts.payload
    assert facts.payload is not None
    assert expected is not None
    assert as_declared(facts.payload) == as_declared(expected)
    assert (facts.payload.exporter, facts.payload.office) == (expected.exporter, expected.office)
