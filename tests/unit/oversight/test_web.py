"""What comes with a click: fields of a form, numbers and texts of an address."""

from __future__ import annotations

from typing import Any, cast

import pytest
from starlette.requests import Request

from certex_bridge.oversight.console.web import FORM_FIELDS_MAX, Stopped, Visit, read_form


def visit(query: bytes = b"", name: str = "x", form: dict[str, str] | None = None) -> Visit:
    request = Request(
        {"type": "http", "method": "GET", "query_string": query, "headers": [], "path_params": {"id": name}}
    )
    nothing = cast("Any", None)
    return Visit(request, nothing, nothing, "", form or {})


async def fields(count: int) -> dict[str, str]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"&".join(b"f%d=1" % n for n in range(count)), "more_body": False}

    return await read_form(Request({"type": "http", "method": "POST", "headers": []}, receive))


async def test_a_form_has_a_number_of_fields() -> None:
    assert len(await fields(FORM_FIELDS_MAX)) == FORM_FIELDS_MAX
    with pytest.raises(Stopped) as stopped:
        await fields(FORM_FIELDS_MAX + 1)
    assert stopped.value.status == 413


@pytest.mark.parametrize(
    ("written", "number"),
    [(b"7", 7), (b"2147483647", 2**31 - 1), (b"2147483648", 2**31 - 1), (b"9" * 16, 3), (b"x", 3), (b"", 3)],
)
def test_numbers_are_those_that_the_database_holds(written: bytes, number: int) -> None:
    assert visit(b"seq=" + written).number("seq", 3) == number


def test_nul_is_in_no_name() -> None:
    visit(b"q=a", "b", {"c": "d"}).check()
    for wrong in (visit(b"q=%00"), visit(name="a\0"), visit(form={"note": "\0"})):
        with pytest.raises(Stopped) as stopped:
            wrong.check()
        assert (stopped.value.status, stopped.value.what) == (400, "unreadable")
