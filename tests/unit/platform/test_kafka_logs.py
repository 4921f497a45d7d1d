"""Which log it is: the question in two versions, and what the answers say."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

import pytest
from aiokafka.protocol.metadata import MetadataResponse_v2

from certex_bridge.platform.kafka_logs import LogIdsRequest, _MetadataRequest, _MetadataResponse, log_ids
from certex_bridge.platform.positions import LogId

NUMBER = UUID("00000000-0000-0000-0000-0000000000ff")


def test_a_broker_that_numbers_topics_is_asked_for_the_number() -> None:
    request = LogIdsRequest(["b", "a"]).prepare({3: (0, 12)})
    assert request.API_VERSION == 12
    again = _MetadataRequest.decode(BytesIO(request.encode()))
    assert [topic[1] for topic in again.topics] == ["a", "b"]


@pytest.mark.parametrize("newest", [2, 11])
def test_an_older_broker_is_asked_in_words_it_knows(newest: int) -> None:
    request = LogIdsRequest(["a"]).prepare({3: (0, newest)})
    assert (request.API_VERSION, request.topics) == (2, ["a"])


def test_what_an_answer_says() -> None:
    topics = [
        (0, "a", NUMBER, False, [(0, 0, 1, 5, [1], [1], [], {})], 0, {}),
        (0, "b", UUID(int=0), False, [], 0, {}),
        (3, "unknown", UUID(int=0), False, [], 0, {}),
    ]
    told = _MetadataResponse(0, [(1, "host", 9092, None, {})], "c1", 1, topics, {})
    assert log_ids(_MetadataResponse.decode(BytesIO(told.encode()))) == {
        "a": LogId("c1", NUMBER.hex),
        "b": LogId("c1", ""),
    }


def test_what_an_older_answer_says() -> None:
    assert log_ids(MetadataResponse_v2([], "c1", 0, [(0, "a", False, []), (3, "b", False, [])])) == {"a": LogId("c1")}
    assert log_ids(MetadataResponse_v2([], None, 0, [(0, "a", False, [])])) == {"a": LogId()}
