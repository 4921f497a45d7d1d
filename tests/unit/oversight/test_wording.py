"""Two catalogues with the same keys, and every key that a page uses."""

from __future__ import annotations

import json
import re
import string
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files

import pytest

from certex_bridge.ledger.domain.model import ClaimState, Kind, Status
from certex_bridge.ledger.domain.reasons import Rule
from certex_bridge.oversight.console.audit_page import ACTIONS
from certex_bridge.oversight.console.flow_page import QUEUES
from certex_bridge.oversight.console.people import Right, Role
from certex_bridge.oversight.console.push_pages import VERBS
from certex_bridge.oversight.console.web import NAVIGATION
from certex_bridge.oversight.console.wording import LANGUAGES, chosen_language, words

PACKAGE = files("certex_bridge.oversight.console")


def catalogue(language: str) -> dict[str, str]:
    pairs: list[tuple[str, str]] = json.loads(
        PACKAGE.joinpath(f"texts/{language}.json").read_text("utf-8"), object_pairs_hook=list
    )
    assert [key for key, _ in pairs] == sorted(key for key, _ in pairs)
    assert len({key for key, _ in pairs}) == len(pairs)
    return dict(pairs)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_catalogues_have_the_same_keys_and_values_to_fill_in(language: str) -> None:
    english, other = catalogue("en"), catalogue(language)
    assert english.keys() == other.keys()
    assert {key: fields(text) for key, text in english.items()} == {key: fields(text) for key, text in other.items()}
    assert all(text.strip() for text in other.values())


def test_every_key_that_a_template_names_is_there() -> None:
    english = catalogue("en")
    used = set()
    for template in PACKAGE.joinpath("templates").iterdir():
        used |= set(re.findall(r"""\bt\(["']([a-z_.A-Z]+)["'][,)]""", template.read_text("utf-8")))
    assert used
    assert not used - english.keys()


def test_codes_of_the_bridge_have_words() -> None:
    english = catalogue("en")
    wanted = {f"rule.{rule}" for rule in Rule} | {f"kind.{kind}" for kind in Kind} | {f"status.{one}" for one in Status}
    wanted |= {f"state.{one}" for one in ClaimState} | {f"role.{role}" for role in Role}
    wanted |= {f"nav.{right.value}" for right, _ in NAVIGATION} | {f"audit.action.{one}" for one in ACTIONS}
    wanted |= {f"queue.{name}" for name, _ in QUEUES} | {f"queue.{name}.what" for name, _ in QUEUES}
    assert not wanted - english.keys()
    assert Right.AUDIT.value in {right.value for right, _ in NAVIGATION}


def test_whatever_the_trail_records_has_words() -> None:
    english = catalogue("en")
    sources = [one.read_text("utf-8") for one in PACKAGE.iterdir() if one.name.endswith(".py")]
    calls = [line for source in sources for line in source.splitlines() if "await record(" in line]
    recorded = {code for line in calls for code in re.findall(r'[ (]"([a-z.]+)"', line)}
    recorded |= {f"subscription.{verb}" for verb in VERBS}
    assert {"login", "denied", "form.refused", "repair.withdrawn", "quarantine.viewed"} <= recorded
    assert not {f"did.{one}" for one in recorded} - english.keys()


@pytest.mark.parametrize(
    ("asked", "cookie", "accepted", "language"),
    [
        ("fr", "en", "en", "fr"),
        ("", "fr", "en", "fr"),
        ("", "", "fr-BE,fr;q=0.9,en;q=0.8", "fr"),
        ("", "", "de, en;q=0.5, fr;q=0.7", "fr"),
        ("", "", "fr;q=0, en", "en"),
        ("xx", "yy", "de;q=much, *", "en"),
        ("", "", "", "en"),
    ],
)
def test_language_of_a_request(asked: str, cookie: str, accepted: str, language: str) -> None:
    assert chosen_language(asked, cookie, accepted) == language


def test_figures_lose_no_digit() -> None:
    english, french = words("en"), words("fr")
    assert english.number(Decimal("1234567.890000")) == "1,234,567.89"
    assert french.number(Decimal("1234567.89")) == "1\u202f234\u202f567,89"
    assert english.number(Decimal("-0.000001")) == "\u22120.000001"
    assert english.number(12_000) == "12,000"
    assert english.number(0.5) == "0.5"
    assert [english.change(Decimal(one)) for one in ("2", "-2", "0")] == ["+2", "\u22122", ""]


def test_moments_are_utc() -> None:
    english = words("en")
    assert english.moment("2026-03-31T14:30:00+02:00") == "2026-03-31 12:30:00"
    assert english.moment(datetime(2026, 3, 31, 12, 30, tzinfo=UTC)) == "2026-03-31 12:30:00"
    assert english.moment(date(2026, 3, 31)) == "2026-03-31"
    assert english.moment("2026-03-31") == "2026-03-31"
    assert [english.moment(one) for one in (None, "", datetime.min.replace(tzinfo=UTC), "soon")] == [
        "–",
        "–",
        "–",
        "soon",
    ]


def test_ages_in_the_unit_people_would_use() -> None:
    english = words("en")
    assert [english.age(one) for one in (59, 180, 7_200, 259_200)] == ["59 s", "3 minutes", "2 hours", "3 days"]
