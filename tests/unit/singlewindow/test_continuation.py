"""A token that says where a list goes on comes from outside like anything else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from certex_bridge.singlewindow.listing import Place, place_of, token_of
from certex_bridge.singlewindow.messages.listing import ListRequest
from certex_bridge.singlewindow.refusals import Refusal

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
ASKED = ListRequest(
    message_sender="A",
    message_recipient="B",
    preparation_date_and_time="2026-03-01T10:00:00",
    message_identification="1",
    type_of_message=ListRequest.message_type,
    action="ONCE",
)


def asked(place: Place) -> ListRequest:
    return ASKED.model_copy(update={"continuation_token": token_of(ASKED, place)})


def test_a_token_of_ours_is_read_back() -> None:
    assert place_of(asked(Place(AT, "BE/1"))) == Place(AT, "BE/1")
    assert place_of(ASKED) is None


@pytest.mark.parametrize(
    "place",
    [
        Place(AT, "BE/\0"),
        Place(AT.replace(tzinfo=None), "BE/1"),
        Place(datetime.max.replace(tzinfo=timezone(-timedelta(hours=23))), "BE/1"),
        Place(datetime.min.replace(tzinfo=timezone(timedelta(hours=23))), "BE/1"),
    ],
)
def test_a_place_that_the_database_cannot_hold_is_none(place: Place) -> None:
    with pytest.raises(Refusal) as refused:
        place_of(asked(place))
    assert refused.value.code == "CONTINUATION_INVALID"
