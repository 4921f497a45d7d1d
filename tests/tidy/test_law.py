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


def test_every_paragraph_has_a_test_and_every_claim_a_paragraph(law: Any) -> None:
    listed, claimed = {one.number for one in law.PARAGRAPHS}, set(law.claims(ROOT / "tests"))
    assert (listed - claimed, claimed - listed) == (set(), set())
