"""What the JSON Schemas of licence events promise, from the tables that the decoder and the lint refuse by.

These facets describe; they do not validate: the lint answers with a code and a sentence where pydantic would stop.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from certex_bridge.kernel.amounts import AMOUNT_DIGITS, QUANTITY_SCALE, VALUE_SCALE, decimal_pattern
from certex_bridge.kernel.currencies import MINOR_UNITS
from certex_bridge.kernel.identifiers import COMMODITY_PATTERN, EORI_PATTERN, LICENCE_NUMBER_LENGTH
from certex_bridge.licensing.domain.documents import DOCUMENT_CODE_PATTERN, EUGEA_CODES, TRANSIT_TYPES
from certex_bridge.licensing.domain.licence import LicenceType
from certex_bridge.licensing.domain.lint import MAX_VERSION
from certex_bridge.licensing.domain.lint_lines import MAX_LINE_NUMBER
from certex_bridge.licensing.domain.originals import MEDIA_TYPES
from certex_bridge.licensing.domain.texts import COUNTS, LENGTHS

TOLERANCE_SCALE = 4
TOLERANCE_DIGITS = 7

_NO_BLANKS = r"\S(?:.*\S)?"


def facets(description: str = "", **extra: Any) -> Any:
    """A pydantic field that tells these JSON Schema keywords and checks nothing."""
    return Field(description=description or None, json_schema_extra=extra)


def matching(pattern: str, description: str = "", *, optional: bool = False, **extra: Any) -> Any:
    """A text that matches a whole regular expression; `optional` lets it be empty."""
    return facets(description, pattern=f"^(?:{pattern})?$" if optional else f"^(?:{pattern})$", **extra)


def text(element: str, *, required: bool = False) -> Any:
    """A text without blanks around it, of the length in `LENGTHS`; optional ones may be empty."""
    return matching(_NO_BLANKS, optional=not required, minLength=int(required), maxLength=LENGTHS[element])


def many(name: str) -> Any:
    """A list of at most `COUNTS` entries."""
    return facets(maxItems=COUNTS[name])


def _amount(scale: int) -> Any:
    description = "Exact decimal as text; a JSON number is refused, nothing is rounded"
    # One character more than digits: the point. No figure of so many digits needs the zero before it as well.
    return matching(decimal_pattern(scale), description, maxLength=AMOUNT_DIGITS + 1)


COUNTRY = matching("[A-Z]{2}", "ISO 3166 or GEONOM alpha-2")
OPTIONAL_COUNTRY = matching("[A-Z]{2}", "ISO 3166 or GEONOM alpha-2", optional=True)
NUMBER = matching(_NO_BLANKS, minLength=1, maxLength=LICENCE_NUMBER_LENGTH)
VERSION = facets(minimum=1, maximum=MAX_VERSION)
LINE_NUMBER = facets(minimum=1, maximum=MAX_LINE_NUMBER)
EORI = matching(EORI_PATTERN)
OPTIONAL_EORI = matching(EORI_PATTERN, "Required for export", optional=True)
COMMODITY = matching(COMMODITY_PATTERN, "HS 6, CN 8 or TARIC 10 digits")
DOCUMENT_CODE = matching(DOCUMENT_CODE_PATTERN)
LICENCE_TYPE = matching(
    "[A-Z][A-Z0-9_]{1,34}",
    f"{', '.join(LicenceType)}; or one that another live certificate type names (docs/reference/certificate-types.md)",
)
EUGEA_CODE = facets(enum=sorted(EUGEA_CODES))
PROCEDURE = matching("|".join(("[0-9]{2}", "[0-9]{4}", *TRANSIT_TYPES)))
QUANTITY_AMOUNT = _amount(QUANTITY_SCALE)
VALUE_AMOUNT = _amount(VALUE_SCALE)
CURRENCY = matching("|".join(sorted(MINOR_UNITS)), "ISO 4217; decimals of the amount as its minor unit allows")
UNIT = facets(
    "TARIC unit of three letters with optional qualifier letter, or the UN/ECE Recommendation 20 code of one; any "
    "other unit is kept as text, and only where the quantity is not controlled",
    minLength=1,
    maxLength=LENGTHS["unitAsStated"],
)
MEDIA_TYPE = facets("What the file is; its content is looked at", enum=list(MEDIA_TYPES))
SHA256 = matching("[0-9a-f]{64}", "SHA-256 of the file; needed where the content is left out", optional=True)
FILE = facets(
    "The file, up to CERTEX_LICENCE_DOCUMENT_BYTES_MAX; left out where an earlier version brought the same one",
    contentEncoding="base64",
)
PERCENT = matching(r"100(?:\.0{1,4})?|[1-9]?[0-9](?:\.[0-9]{1,4})?", "Per cent as text, 0 to 100")
