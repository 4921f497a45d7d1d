"""People at the console of a running demo, in Chromium."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.console.conftest import TRADERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.console.conftest import Demo, Someone

    People = Callable[..., Someone]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PATIENCE_SECONDS = 60
"""For what a busy machine brings late; what never comes is told before the test's own time is over."""
PAUSE_MILLISECONDS = 250
ATTEMPTS = PATIENCE_SECONDS * 1000 // PAUSE_MILLISECONDS


def expect(locator: Any) -> Any:
    from playwright.sync_api import expect as checked

    checked.set_options(timeout=PATIENCE_SECONDS * 1000)
    return checked(locator)


def find(someone: Someone, text: str) -> Any:
    """Search, and wait for what follows the typing; appears as soon as the bridge has taken it in."""
    page = someone.page
    link = page.get_by_role("link", name=text, exact=True)
    for _ in range(ATTEMPTS):
        someone.go(f"/console/search?q={text}")
        if link.count():
            return link
        page.wait_for_timeout(PAUSE_MILLISECONDS)
    raise AssertionError(f"{text} never came")


def broken_record(someone: Someone, demo: Demo) -> str:
    """Address of our record among those of the demo; appears as soon as the bridge has put it aside."""
    page = someone.page
    for _ in range(ATTEMPTS):
        someone.go("/console/quarantine")
        rows = page.get_by_role("row").filter(has_text="JSON_SYNTAX").get_by_role("link")
        for address in [link.get_attribute("href") for link in rows.all()]:
            someone.go(address)
            if page.locator("dd", has_text=demo.broken).count():
                return str(address)
        page.wait_for_timeout(PAUSE_MILLISECONDS)
    raise AssertionError("the broken record was never put aside")


def test_search_follows_the_typing_and_finds_a_licence_with_its_balance(person: People, demo: Demo) -> None:
    lise = person("Lise Licensing")
    find(lise, demo.licence)
    lise.go("/console/search")
    lise.page.get_by_label("Licence, declaration or holder").press_sequentially("BE/CONSOLE")
    lise.page.locator("#found").get_by_role("link", name=demo.licence).click()
    page = lise.page
    expect(page.get_by_role("heading", level=1)).to_contain_text("Valid")
    find(lise, demo.declaration)
    lise.go(f"/console/licences/{demo.licence}")
    row = page.get_by_role("table", name="Balances").get_by_role("row").nth(1)
    expect(row).to_contain_text("NAR")
    expect(row.get_by_role("img")).to_be_visible()


def test_a_balance_of_the_past(person: People, demo: Demo) -> None:
    emmy = person("Emmy Auditor")
    find(emmy, demo.declaration)
    emmy.go(f"/console/licences/{demo.licence}")
    page = emmy.page
    page.get_by_label("As it stood on").fill("2026-02-15")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("status")).to_contain_text("up to its version 1")
    assert page.locator("table.balances tbody tr").first.locator("td.number").all_inner_texts() == [
        "100",
        "0",
        "0",
        "100",
        "0",
    ]
    page.get_by_label("As it stood on").fill("2026-03-02")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("status")).to_contain_text("2026-03-02 22:59:59 UTC")
    figures = page.locator("table.balances tbody tr").first.locator("td.number").all_inner_texts()
    assert figures[2] in {"30", "35"}  # the other test repairs a declaration of five
    page.get_by_label("As it stood on").fill("the day before")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("As it stood on")).to_have_value("the day before")


def test_the_journal_is_proved_and_the_certificate_fits_its_schema(person: People, demo: Demo) -> None:
    emmy = person("Emmy Auditor")
    find(emmy, demo.licence)
    emmy.go(f"/console/licences/{demo.licence}?view=journal")
    page = emmy.page
    expect(page.get_by_role("status")).to_contain_text("entries shown are proved")
    page.get_by_role("link", name="Prove the whole journal").click()
    expect(page.get_by_role("status")).to_contain_text("The whole journal is proved")
    page.get_by_role("link", name="Versions and certificates").click()
    expect(page.get_by_role("status")).to_contain_text("Valid against the schema certificate")
    expect(page.locator("pre")).to_contain_text("CONSOLE-1")


def test_every_rule_of_a_declarations_claim_has_its_verdict(person: People, demo: Demo) -> None:
    niels = person("Niels Customs")
    find(niels, demo.declaration).click()
    claim = niels.page.locator("article.claim")
    expect(claim).to_contain_text("30 NAR")
    words = claim.locator(".chip").all_inner_texts() + claim.locator("table.rules tbody th").all_inner_texts()
    assert len(set(words)) == 18
    niels.page.get_by_role("link", name="Answer 1", exact=True).click()
    expect(niels.page.get_by_role("status")).to_contain_text("Valid against the schema quantity-movement")


def test_two_persons_repair_a_record_and_it_takes_effect(person: People, demo: Demo) -> None:
    ada, grace = person("Ada Operator"), person("Grace Operator")
    page = ada.page
    find(ada, demo.licence)
    address = broken_record(ada, demo)
    ada.go(address)
    page.get_by_role("button", name="Propose a repair").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose")
    page.get_by_label("Send the edited copy below").check()
    box = page.get_by_label("Edited copy", exact=True)
    box.fill(box.input_value() + "}")
    page.get_by_role("button", name="Propose a repair").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why")
    assert box.input_value().endswith('"version":1}')
    page.get_by_label("Reason", exact=True).fill("the last brace was lost on the way")
    page.get_by_role("button", name="Propose a repair").click()
    expect(page.get_by_text("it waits for another person")).to_be_visible()
    expect(page.get_by_role("button", name="Approve and send")).to_have_count(0)
    grace.go(address)
    expect(grace.page.get_by_role("region", name="What was edited")).to_be_visible()
    assert not grace.serious_issues()
    grace.page.get_by_role("button", name="Approve and send").click()
    expect(grace.page.get_by_role("heading", level=1)).to_contain_text("closed")
    find(grace, demo.broken).click()
    expect(grace.page.locator("article.claim")).to_contain_text("5 NAR")
    emmy = person("Emmy Auditor")
    emmy.go("/console/audit?action=repair")
    texts = emmy.page.locator("tbody tr").all_inner_texts()
    assert [
        bool(re.search(name, text))
        for name, text in zip(
            ("Grace.*approved", "Ada.*proposed"),
            (one.replace("\n", " ").replace("\t", " ") for one in texts),
            strict=True,
        )
    ] == [True, True]


def test_a_wrong_role_is_refused_and_in_the_trail(person: People) -> None:
    lise = person("Lise Licensing")
    answer = lise.go("/console/quarantine")
    assert answer.status == 403
    expect(lise.page.get_by_role("heading", level=1)).to_have_text("Not allowed")
    emmy = person("Emmy Auditor")
    emmy.go("/console/audit?action=denied")
    expect(emmy.page.locator("tbody tr").first).to_contain_text("Lise Licensing")


def test_the_live_flow_comes_anew_by_itself(person: People) -> None:
    ada = person("Ada Operator")
    ada.go("/console/flow")
    with ada.page.expect_response("**/console/flow/figures") as fresh:
        pass
    assert fresh.value.ok
    expect(ada.page.get_by_role("row").filter(has_text="customs.declarations.v1")).to_be_visible()


def test_the_duty_officer_sees_an_undecided_declaration_and_how_it_is_settled(person: People, demo: Demo) -> None:
    ada = person("Ada Operator")
    find(ada, demo.undecided)
    ada.go("/console/flow")
    page = ada.page
    row = page.get_by_role("table", name="Accepted or released").get_by_role("row").filter(has_text=demo.undecided)
    expect(row).to_contain_text("Released")
    expect(row).to_contain_text("could be several lodgings")
    expect(row).to_contain_text("days")
    assert no_overflow(ada)
    page.set_viewport_size({"width": 420, "height": 900})
    assert no_overflow(ada)
    assert not ada.serious_issues()
    row.get_by_role("link").click()
    box = page.get_by_role("region", name="Undecided since 2026-03-01 08:09:00 UTC")
    expect(box.get_by_role("table", name="Lodgings that it could be").get_by_role("row")).to_have_count(3)
    commands = box.get_by_role("region", name="Commands that settle it").inner_text().splitlines()
    assert [f"--exporter {trader} " in line for trader, line in zip(TRADERS, commands, strict=True)] == [True, True]
    for width in (1360, 420):
        page.set_viewport_size({"width": width, "height": 900})
        assert no_overflow(ada)
        assert not ada.serious_issues()


def no_overflow(someone: Someone) -> bool:
    """Whether the page is as wide as its window: tables scroll in themselves."""
    return bool(someone.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_everything_can_be_read_without_javascript(person: People, demo: Demo) -> None:
    ada = person("Ada Operator", java_script_enabled=False)
    ada.page.get_by_label("Licence, declaration or holder").fill("BE/CONSOLE")
    ada.page.get_by_role("button", name="Search").click()
    ada.page.get_by_role("link", name=demo.licence).click()
    expect(ada.page.get_by_role("heading", level=1)).to_contain_text(demo.licence)
    for path in ("/console/flow", "/console/quarantine", "/console/pushes"):
        assert ada.go(path).ok


def test_the_keyboard_reaches_the_content_first(person: People) -> None:
    ada = person("Ada Operator")
    ada.go("/console/flow")
    ada.page.keyboard.press("Tab")
    expect(ada.page.get_by_role("link", name="To the content")).to_be_focused()
    ada.page.keyboard.press("Enter")
    expect(ada.page.get_by_role("main")).to_be_focused()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_axe_finds_nothing_serious_on_any_page(person: People, demo: Demo, language: str) -> None:
    ada, emmy = person("Ada Operator"), person("Emmy Auditor")
    find(ada, demo.declaration)
    licence = f"/console/licences/{demo.licence}"
    pages = [
        "/console/search?q=BE",
        licence,
        f"{licence}?view=journal",
        f"{licence}?view=claims",
        f"{licence}?view=versions",
    ]
    pages += [
        f"{licence}?at=nonsense",
        f"/console/declarations/{demo.declaration}?outcome=1",
        f"/console/declarations/{demo.undecided}",
        "/console/flow",
        "/console/quarantine?show=all",
    ]
    pages += ["/console/pushes", "/console/notices", "/console/nothing"]
    found = {}
    for address in pages:
        ada.go(f"{address}{'&' if '?' in address else '?'}lang={language}")
        found[address] = ada.serious_issues()
    ada.go("/console/quarantine?show=all")
    ada.page.locator("tbody th a").first.click()
    found["record"] = ada.serious_issues()
    emmy.go(f"/console/audit?lang={language}")
    found["audit"] = emmy.serious_issues()
    emmy.page.get_by_role("button", name=re.compile("Log out|Se déconnecter")).click()
    found["login"] = emmy.serious_issues()
    assert {address: issues for address, issues in found.items() if issues} == {}
    emmy.page.evaluate("document.body.appendChild(document.createElement('button'))")
    assert any(issue.startswith("button-name") for issue in emmy.serious_issues()), "axe sees what is wrong"
