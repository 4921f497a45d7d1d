"""Types of the values in a QuantityMovementResponse, as `schemas/xsd/quantity-movement/1` and `shared/1` have them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from certex_bridge.singlewindow.messages.shape import BLANKS

DeclarationState = Literal[
    "ACCEPTED", "RELEASED", "LODGED", "NOT_RELEASED", "INVALIDATED", "REJECTED", "NOT_PRESENTED"
]  # fmt: skip
"""Where the declaration stands."""
Outcome = Literal[
    "OK_RESERVED", "OK_CONSUMED", "OK_AVAILABLE", "OK_UNRESERVED", "OK_ADJUSTED", "OK_WITHDRAWN", "OK_OVERRIDDEN",
    "OK_NOT_MANAGED", "OK_NOT_APPLICABLE", "CLOSED", "WAITING", "REFUSED", "UNCOVERED",
]  # fmt: skip
"""What became of one claim."""
ClaimState = Literal[
    "RESERVED", "CONSUMED", "CHECKED", "WAITING", "REFUSED", "UNCOVERED", "UNRESERVED", "WITHDRAWN", "CLOSED",
    "NOT_MANAGED", "NOT_APPLICABLE",
]  # fmt: skip
"""Where the claim stands after it."""
Severity = Literal["ERROR", "WARNING", "INFO"]
"""ERROR refuses, WARNING is told and changes nothing, INFO explains a positive outcome."""
Rule = Literal[
    "DECLARED", "DOCUMENT_TYPE", "LEVEL", "PROCEDURE", "LICENCE", "LICENCE_TYPE", "DIRECTION", "STATUS", "VALIDITY",
    "HOLDER", "CONSIGNEE", "DESTINATION", "COMMODITY", "ORIGIN", "LINE", "UNIT", "FIGURES", "AVAILABILITY",
]  # fmt: skip
"""Test of a claim, in the order of decision."""
Rules = Annotated[tuple[Rule, ...], BLANKS]
"""Several tests."""
Incident = Literal[
    "RELEASED_MORE", "UNCOVERED", "RELEASED_ON_BLOCKED", "POST_RELEASE_INCREASE", "OVER_USE", "CAP_BELOW_USE",
    "CANCELLED_WITH_USE", "EXIT_WITHOUT_RELEASE", "RELEASED_AFTER_INVALIDATION",
    "RELEASED_UNDECIDED", "OVERRIDDEN",
]  # fmt: skip
"""What was recorded although it should not have happened."""
CertificateStatus = Literal["Valid", "Cancelled", "Exhausted", "Expired", "Suspended", "Revoked"]
"""Implementing Regulation (EU) 2024/2145 Annex I Part B.2."""
Flag = Literal[True]
"""Set; absent when not set."""

Said4 = Annotated[str, Field(min_length=1, max_length=4)]
Said8 = Annotated[str, Field(min_length=1, max_length=8)]
Said17 = Annotated[str, Field(min_length=1, max_length=17)]
Said18 = Annotated[str, Field(min_length=1, max_length=18)]
Said22 = Annotated[str, Field(min_length=1, max_length=22)]
Said35 = Annotated[str, Field(min_length=1, max_length=35)]
Said70 = Annotated[str, Field(min_length=1, max_length=70)]
Said73 = Annotated[str, Field(min_length=1, max_length=73)]
Said128 = Annotated[str, Field(min_length=1, max_length=128)]
Said512 = Annotated[str, Field(min_length=1, max_length=512)]
"""Text that repeats what was declared has a length and no pattern: an answer must be able to name what is wrong."""

_PLAIN = r"^[^ \t\n\r]+( +[^ \t\n\r]+)*$"
Plain17 = Annotated[str, Field(max_length=17, pattern=_PLAIN)]
Plain35 = Annotated[str, Field(max_length=35, pattern=_PLAIN)]
Plain70 = Annotated[str, Field(max_length=70, pattern=_PLAIN)]
Plain512 = Annotated[str, Field(max_length=512, pattern=_PLAIN)]
"""No blanks around it and no line breaks."""
Eori = Annotated[str, Field(max_length=17, pattern=r"^[A-Z]{2}[!-~]{1,15}$")]
HsCode = Annotated[str, Field(pattern=r"^[0-9]{6}$")]
CnCode = Annotated[str, Field(pattern=r"^[0-9]{2}$")]
Procedure = Annotated[str, Field(pattern=r"^([0-9]{2}([0-9]{2})?|T|T1|T2|T2F|T2SM|TIR)$")]
QuantitySum = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]*)(\.[0-9]{1,6})?$", max_length=23)]
"""A sum of quantities, n..22,6."""
AmountSum = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]*)(\.[0-9]{1,2})?$", max_length=23)]
"""A sum of values, n..22,2."""
DocumentNumber = Annotated[int, Field(ge=1, le=399_999)]
"""Position of a document, with what tells where it is cited."""
Counted = Annotated[int, Field(ge=1, le=4_294_967_295)]
"""Version of a licence, of a declaration or of an outcome."""
JournalVersion = Annotated[int, Field(ge=1, le=9_223_372_036_854_775_807)]
"""Number of a journal entry."""
