"""The console's words: one JSON catalogue per language with the same keys, and how figures and moments are written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files

from certex_bridge.kernel.amounts import format_decimal

LANGUAGES = {"en": "English", "fr": "Français"}
LANGUAGE_COOKIE = "certex-console-language"
_DIGITS = {"en": (",", "."), "fr": ("\u202f", ",")}
"""Separators of thousands and of decimals."""
_FEW = 2
_DAY = len("2026-03-31")


class Words:
    """One language."""

    def __init__(self, language: str, catalogue: Mapping[str, str]) -> None:
        self.language = language
        self._catalogue = catalogue

    def __call__(self, key: str, **values: object) -> str:
        """The sentence of a key.

        Raises:
            KeyError: there is none; the catalogues are complete, so the key is wrong.
        """
        return self._catalogue[key].format(**values)

    def code(self, family: str, code: str) -> str:
        """A code of the bridge in words, or itself where its own name is the word everybody uses."""
        return self._catalogue.get(f"{family}.{code}", code)

    def number(self, amount: Decimal | float) -> str:
        """A figure for reading: thousands apart, no digit lost."""
        text = format_decimal(abs(amount)) if isinstance(amount, Decimal) else f"{abs(amount):g}"
        if isinstance(amount, int):
            text = str(abs(amount))
        whole, dot, rest = text.partition(".")
        thousands, point = _DIGITS[self.language]
        sign = "\u2212" if amount < 0 else ""
        return f"{sign}{int(whole):,}".replace(",", thousands) + (point + rest if dot else "")

    def change(self, amount: Decimal) -> str:
        """A change of a figure with its sign; nothing for none."""
        if not amount:
            return ""
        return ("+" if amount > 0 else "") + self.number(amount)

    def moment(self, value: datetime | date | str | None) -> str:
        """A moment in UTC, to the second; a day stays a day."""
        if value is None or value == "":
            return "\u2013"
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value) if len(value) == _DAY else datetime.fromisoformat(value)
            except ValueError:
                return str(value)
        if isinstance(value, datetime):
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if value.year > 1 else "\u2013"
        return value.isoformat()

    def age(self, seconds: float) -> str:
        """How long, in the largest unit that leaves at least two of it."""
        for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
            if seconds >= _FEW * size:
                return self(f"age.{unit}", number=round(seconds / size))
        return self("age.seconds", number=round(seconds))


@cache
def words(language: str) -> Words:
    """The words of one of `LANGUAGES`."""
    text = files("certex_bridge.oversight.console").joinpath(f"texts/{language}.json").read_text("utf-8")
    return Words(language, json.loads(text))


def chosen_language(asked: str, cookie: str, accepted: str) -> str:
    """The language of a request: the switch, else the choice from before, else Accept-Language (RFC 9110 12.5.4)."""
    for one in (asked, cookie):
        if one in LANGUAGES:
            return one
    ranked = []
    for place, part in enumerate(accepted.split(",")):
        name, _, parameters = part.strip().partition(";")
        weight = parameters.strip().removeprefix("q=")
        try:
            ranked.append((-float(weight or 1), place, name[:2].lower()))
        except ValueError:
            continue
    return next((name for weight, _, name in sorted(ranked) if name in LANGUAGES and weight < 0), "en")
