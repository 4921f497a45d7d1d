"""A declaration as large as the law allows has an answer on the topic, with the settings as they are."""

from __future__ import annotations

import pytest

from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.commands import Delivery
from certex_bridge.ledger.domain.policy import Policy
from certex_bridge.ledger.envelopes import Envelopes
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.ports import Origin
from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.operations.composition import TOPIC_OF
from certex_bridge.platform.kafka import Publisher, create_consumer, ensure_topics
from certex_bridge.platform.settings import Settings
from certex_bridge.singlewindow.documents import BridgeDocuments
from tests.support.ledger_words import Authority, Customs, cite, item, licence

ITEMS = 999
"""Goods items of a declaration (UCC-DA Annex B, D.E. 11 03 000 000)."""


@pytest.mark.parametrize("documents", [1, 4])
async def test_999_items_have_their_outcome_on_the_topic(
    documents: int, bootstrap_servers: str, topic_prefix: str
) -> None:
    settings = Settings.load(
        kafka_bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix, topics_create=True, topic_partitions=1
    )
    store, customs = InMemoryStore(), Customs()
    executor = Executor(store, BridgeDocuments("CERTEX-BRIDGE", "EU-CSW-CERTEX"), Policy())
    names = [f"L{number}" for number in range(documents)]
    issued = [Authority().event(licence(name, "9999 NAR"), LicenceEventKind.ISSUED, event_id=name) for name in names]
    lodged = customs.accepted("M1", *[item(*[cite(name, 1) for name in names]) for _ in range(ITEMS)])
    for number, command in enumerate([*issued, lodged]):
        await executor.apply([Delivery(Origin("t", 0, number), command, raw=b"{}")])
    (row,) = [one for one in store.contents.outbox.values() if one.agg_type == "outcome"]
    assert len(row.body) > settings.kafka_message_bytes_max

    await ensure_topics(settings)
    envelopes, publisher = Envelopes(TOPIC_OF, "urn:test"), Publisher(settings)
    try:
        assert await publisher.send_all([envelopes.message(row)]) == [None]
    finally:
        await publisher.stop()
    consumer = create_consumer(settings, "certex.outcomes.v1")
    await consumer.start()
    try:
        record = await consumer.getone()
    finally:
        await consumer.stop()
    assert record.value == row.body
    assert record.value.count(b"<ClaimResult>") == ITEMS * documents
