"""Sizes of the canonical declaration event: generous multiples of the formats, bounded all the same.

Implementing Regulation (EU) 2015/2447 Annex B allows 9,999 goods items, 99 documents on each, n..5 for sequence
numbers, an..512 for descriptions. Texts may be longer than their format so that a claim is refused with a code, and
not the whole declaration; what is longer still is no declaration.
"""

from __future__ import annotations

ITEMS = 9_999
PER_LEVEL = 99
NUMBER = 99_999
VERSION = 2_147_483_647
CODE = 35
TEXT = 512
DESCRIPTION = 2_048
OFFICER = 35
"""an..35, the length of an identification number in the customs systems."""
REASON = 512
