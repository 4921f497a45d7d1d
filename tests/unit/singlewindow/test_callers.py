"""Rights of a caller, and the file that says them: whole or not at all, every mistake named."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from certex_bridge.platform.metrics import Metrics
from certex_bridge.singlewindow.callers import Caller, CallerRole, Mode
from certex_bridge.singlewindow.callers_file import (
    FILE_BYTES_MAX,
    CallerRegistry,
    Callers,
    CallersFileWrong,
    read_callers,
)
from certex_bridge.singlewindow.refusals import Refusal
from certex_bridge.singlewindow.rights import require_own_declaration

if TYPE_CHECKING:
    from pathlib import Path

FINGERPRINT = "ab" * 32

RIGHT = f"""
[[caller]]
name = "DE-ATLAS"
member_state = "DE"
roles = ["clearance", "customs_officer"]
oauth_clients = ["atlas"]
certificate_fingerprints = ["{":".join(["AB"] * 32)}"]
certificate_names = ["DNS:Atlas.Example.invalid", "subject:CN=ATLAS"]
limits = {{ rate = 500, burst = 1000, concurrent = 8 }}
policies = {{ mode = "shadow", two_step = true, figures_shown = false, callback_url = "https://atlas.example.invalid" }}

[[caller]]
name = "FR-DELTA"
member_state = "FR"
roles = ["auditor"]
oauth_clients = ["delta"]
certificate_names = ["DNS:delta.example.invalid"]
"""


def mistakes(text: str) -> dict[str, tuple[str, str]]:
    with pytest.raises(CallersFileWrong) as caught:
        read_callers(text)
    return {one.field: (one.code, one.value) for one in caught.value.findings}


def entry(**changes: str) -> str:
    lines = {"name": '"DE-ATLAS"', "member_state": '"DE"', "roles": '["clearance"]', **changes}
    return "[[caller]]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items() if value)


def test_a_right_file_is_read_whole() -> None:
    callers = read_callers(RIGHT)
    atlas, delta = callers.by_name["DE-ATLAS"], callers.by_name["FR-DELTA"]
    assert atlas.roles == {CallerRole.CLEARANCE, CallerRole.CUSTOMS_OFFICER}
    assert (atlas.limits.rate, atlas.limits.burst, atlas.limits.concurrent) == (500, 1000, 8)
    assert (atlas.policies.mode, atlas.policies.two_step, atlas.policies.figures_shown) == (Mode.SHADOW, True, False)
    assert (delta.policies.mode, delta.policies.figures_shown) == (Mode.BLOCK, True)
    assert callers.with_client("atlas") is atlas
    assert callers.with_client("nobody") is None


def test_a_certificate_leads_to_its_caller_by_fingerprint_or_names() -> None:
    callers = read_callers(RIGHT)
    atlas, delta = callers.by_name["DE-ATLAS"], callers.by_name["FR-DELTA"]
    assert callers.with_certificate(FINGERPRINT, ()) is atlas
    assert callers.with_certificate("00" * 32, {"DNS:atlas.example.invalid"}) is atlas
    assert callers.with_certificate("00" * 32, {"DNS:delta.example.invalid", "subject:CN=x"}) is delta
    assert callers.with_certificate("00" * 32, {"DNS:x.example.invalid"}) is None
    # Names of two callers in one certificate prove neither.
    assert callers.with_certificate("00" * 32, {"DNS:atlas.example.invalid", "DNS:delta.example.invalid"}) is None


@pytest.mark.parametrize(
    ("changes", "field", "code", "value"),
    [
        ({"name": ""}, "caller[1].name", "MISSING", ""),
        ({"name": f'"{"x" * 36}"'}, f"caller[{'x' * 36}].name", "STRING_TOO_LONG", "x" * 36),
        ({"name": '" DE"'}, "caller[ DE].name", "STRING_PATTERN_MISMATCH", " DE"),
        ({"name": "7"}, "caller[1].name", "STRING_TYPE", "7"),
        ({"member_state": '"EL"'}, "caller[DE-ATLAS].member_state", "VALUE_ERROR", "EL"),
        ({"member_state": '"GB"'}, "caller[DE-ATLAS].member_state", "VALUE_ERROR", "GB"),
        ({"roles": "[]"}, "caller[DE-ATLAS].roles", "TOO_SHORT", "frozenset()"),
        ({"roles": '["clearance", "king"]'}, "caller[DE-ATLAS].roles.king", "ENUM", "king"),
        ({"color": '"red"'}, "caller[DE-ATLAS].color", "EXTRA_FORBIDDEN", "red"),
        ({"certificate_fingerprints": '["abc"]'}, "caller[DE-ATLAS].certificate_fingerprints.0", "STRING_PATTERN_MISMATCH", "abc"),
        ({"certificate_names": '["atlas"]'}, "caller[DE-ATLAS].certificate_names.0", "STRING_PATTERN_MISMATCH", "atlas"),
        ({"limits": "{ rate = 0 }"}, "caller[DE-ATLAS].limits.rate", "GREATER_THAN", "0"),
        ({"policies": '{ mode = "off" }'}, "caller[DE-ATLAS].policies.mode", "ENUM", "off"),
        ({"policies": '{ callback_url = "http://a.invalid" }'}, "caller[DE-ATLAS].policies.callback_url", "VALUE_ERROR", "http://a.invalid"),
    ],
)  # fmt: skip
def test_each_mistake_has_caller_field_value_and_rule(
    changes: dict[str, str], field: str, code: str, value: str
) -> None:
    found = mistakes(entry(**changes))
    # Members of a set have no position: pydantic names them by a number of its own.
    found = {key if "roles." not in key else key.rpartition(".")[0] + "." + found[key][1]: found[key] for key in found}
    assert found == {field: (code, value)}


def test_all_mistakes_are_named_at_once() -> None:
    found = mistakes(entry(member_state='"US"') + entry(name='"B"', roles='["x"]') + "[other]\n")
    assert {field.partition(".")[0] for field in found} == {"caller[DE-ATLAS]", "caller[B]", "other"}


@pytest.mark.parametrize("text", ["", "caller = 3", "caller = []"])
def test_a_file_without_callers_is_wrong(text: str) -> None:
    assert mistakes(text)["caller"][0] == "MISSING"


def test_a_text_that_is_no_toml_is_wrong() -> None:
    assert mistakes("[[caller")[""][0] == "SYNTAX"
    assert "caller[1]" in mistakes("caller = [3]")


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"oauth_clients": '["c"]'}, "oauth_clients"),
        ({"certificate_names": '["DNS:C.invalid"]'}, "certificate_names"),
        ({"certificate_fingerprints": f'["{FINGERPRINT}"]'}, "certificate_fingerprints"),
    ],
)
def test_no_proof_of_identity_belongs_to_two(line: dict[str, str], field: str) -> None:
    text = entry(**line) + entry(name='"B"', **line)
    assert mistakes(text)[f"caller[B].{field}"][0] == "DUPLICATE"
    assert mistakes(entry() + entry()) == {"caller[DE-ATLAS].name": ("DUPLICATE", "DE-ATLAS")}


def caller(state: str = "DE") -> Caller:
    return Caller(name="A", member_state=state, roles=frozenset({CallerRole.CLEARANCE}))


@pytest.mark.row("IR 14")
def test_one_of_the_roles_is_enough_and_none_is_refused() -> None:
    caller().require(CallerRole.AUDITOR, CallerRole.CLEARANCE)
    with pytest.raises(Refusal) as caught:
        caller().require(CallerRole.CUSTOMS_OFFICER)
    assert (caught.value.code, caught.value.kind.status) == ("ROLE_MISSING", 403)
    assert "insufficient_scope" in caught.value.headers["WWW-Authenticate"]


@pytest.mark.parametrize(("state", "mrn"), [("DE", "26DE1234567890ABC1"), ("XI", "26XI1234567890ABC1"), ("GR", None)])
def test_a_caller_writes_for_its_own_state(state: str, mrn: str | None) -> None:
    require_own_declaration(caller(state), mrn, "mrn")


@pytest.mark.parametrize("mrn", ["26FR1234567890ABC1", "26GB1234567890ABC1", "", "26de1234567890ABC1"])
def test_a_declaration_of_another_state_is_refused(mrn: str) -> None:
    with pytest.raises(Refusal) as caught:
        require_own_declaration(caller(), mrn, "/data/mrn")
    error = caught.value
    assert (error.code, error.kind.status, error.field, error.value) == ("FOREIGN_MEMBER_STATE", 403, "/data/mrn", mrn)


def gauge(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("certex_bridge_gateway_callers_wrong")


def write(path: Path, text: str) -> None:
    """As a careful writer does it: all at once."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)


def test_a_wrong_new_file_changes_nothing_and_is_told(tmp_path: Path) -> None:
    path, metrics = tmp_path / "callers.toml", Metrics()
    write(path, RIGHT)
    registry = CallerRegistry(path, metrics)
    before = registry.current
    assert not registry.reload()
    write(path, entry(roles='["king"]'))
    assert not registry.reload()
    assert registry.current is before
    assert gauge(metrics) == 1
    write(path, entry())
    assert registry.reload()
    assert gauge(metrics) == 0
    assert set(registry.current.by_name) == {"DE-ATLAS"}
    path.unlink()
    assert not registry.reload()
    assert gauge(metrics) == 1
    assert set(registry.current.by_name) == {"DE-ATLAS"}


def test_at_start_a_wrong_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "callers.toml"
    for raw in (b"\xff", b" " * (FILE_BYTES_MAX + 1), b"x"):
        path.write_bytes(raw)
        with pytest.raises(CallersFileWrong) as caught:
            CallerRegistry(path, Metrics())
        assert caught.value.field == "CERTEX_CALLERS_FILE"


def test_without_a_file_nobody_is_known() -> None:
    registry = CallerRegistry(None, Metrics())
    assert not registry.has_file
    assert not registry.reload()
    assert not registry.current.by_name
    assert Callers().with_client("x") is None


async def test_a_link_turned_to_another_file_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(RIGHT, "utf-8")
    (tmp_path / "b").write_text(entry(name='"B"'), "utf-8")
    link, stop = tmp_path / "callers.toml", asyncio.Event()
    link.symlink_to("a")
    registry = CallerRegistry(link, Metrics())
    watching = asyncio.create_task(registry.watch(stop, 0.01))
    (tmp_path / "new").symlink_to("b")
    (tmp_path / "new").replace(link)
    async with asyncio.timeout(30):
        while "B" not in registry.current.by_name:  # noqa: ASYNC110  # the registry has no event for it
            await asyncio.sleep(0.01)
    stop.set()
    await asyncio.wait_for(watching, 30)
