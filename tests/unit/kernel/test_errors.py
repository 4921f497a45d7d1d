"""A refusal tells its code, its field, what was seen, and a sentence."""

from __future__ import annotations

from certex_bridge.kernel.errors import AmountError, BridgeError, CurrencyMismatch, Finding, Severity


def test_a_refusal_becomes_a_finding() -> None:
    refused = AmountError("too many decimals", field="quantity", value="1.0000005", code="SCALE")
    assert refused.finding() == Finding("SCALE", "quantity", "1.0000005", "too many decimals", Severity.ERROR)
    assert refused.finding("items[1].quantity").field == "items[1].quantity"
    assert refused.diagnostics() == "SCALE at quantity: too many decimals (got '1.0000005')"


def test_a_refusal_without_details_has_the_sentence_of_its_class() -> None:
    refused = CurrencyMismatch()
    assert refused.code == "CURRENCY_MISMATCH"
    assert "no rate" in refused.message
    assert refused.diagnostics() == f"CURRENCY_MISMATCH at message: {refused.message}"


def test_a_giant_value_is_cut() -> None:
    assert len(BridgeError(value="x" * 10_000).value) == 512
