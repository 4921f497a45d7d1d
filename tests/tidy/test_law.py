"""The page on the law: fresh, and no paragraph without a test."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def law() -> Any:
    spec = importlib.util.spec_from_file_location("law_page", ROOT / "tools" / "law_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_says_what_the_tests_claim(law: Any) -> None:
    fresh = law.page(law.claims(ROOT / "tests"))
    assert law.PAGE.read_text("utf-8") == fresh, "write it anew: python tools/law_page.py"


def test_every_paragraph_has_a_test_or_says_why_not_and_every_claim_a_paragraph(law: Any) -> None:
    listed, claimed = law.listed(), set(law.claims(ROOT / "tests"))
    explained = {number for number, one in listed.items() if one.why_not}
    assert (set(listed) - claimed - explained, claimed - set(listed), claimed & explained) == (set(), set(), set())


def test_what_is_done_names_its_operation(law: Any) -> None:
    assert [number for number, one in law.listed().items() if bool(one.operation) == bool(one.why_not)] == []
