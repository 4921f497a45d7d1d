"""The error base: every refusal has a stable code, a field, the value seen and a human sentence.

BridgeError
├── InputError            the sender's data; answered with a refusal or put in quarantine
│   ├── AmountError       a figure that is not an exact amount (LEXICAL, SCALE, RANGE, NEGATIVE, ZERO)
│   ├── UnitMismatch      two quantities whose units differ
│   ├── CurrencyMismatch  two amounts of money whose currencies differ
│   └── IdentifierError   an identifier of an impossible shape
└── ConfigurationError    a setting that cannot work
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How a finding counts: an ERROR refuses, a WARNING is reported and changes nothing, an INFO explains."""

    ERROR = "ERROR"
    WARNING = "WARNING"
    INFO = "INFO"


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation about one field: stable code, where, what was seen, and a sentence for people."""

    code: str
    field: str
    value: str
    message: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        seen = f" (got {self.value!r})" if self.value else ""
        return f"{self.code} at {self.field or 'message'}: {self.message}{seen}"


class BridgeError(Exception):
    """Something the bridge refuses; the class's sentence is used when none is given."""

    code = "BRIDGE"

    def __init__(self, message: str = "", *, field: str = "", value: object = "", code: str = "") -> None:
        self.message = message or (type(self).__doc__ or "").splitlines()[0]
        self.field = field
        self.value = str(value)[:512]
        if code:
            self.code = code
        super().__init__(self.message)

    def finding(self, field: str = "") -> Finding:
        """The error as a finding; `field` replaces the error's own path."""
        return Finding(self.code, field or self.field, self.value, self.message)

    def diagnostics(self) -> str:
        """What a human needs to put it right, in one line."""
        return str(self.finding())


class InputError(BridgeError):
    """The message does not hold what its contract promises."""

    code = "INPUT"


class AmountError(InputError):
    """The figure is not an exact amount of at most 16 digits."""

    code = "LEXICAL"


class UnitMismatch(InputError):
    """Quantities in different units are never compared or added (no implicit conversion)."""

    code = "UNIT_MISMATCH"


class CurrencyMismatch(InputError):
    """Amounts in different currencies are never compared or added (no rate is applied)."""

    code = "CURRENCY_MISMATCH"


class IdentifierError(InputError):
    """The identifier has an impossible shape."""

    code = "IDENTIFIER"


class ConfigurationError(BridgeError):
    """A setting cannot work."""

    code = "CONFIGURATION"
