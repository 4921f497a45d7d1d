"""Attacks on what needs no connection: decoders of records, the verifier of tokens, the check of push addresses."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from certex_bridge.kernel.errors import InputError
from certex_bridge.ledger.ports import Origin
from certex_bridge.ledger.quarantine import refused_row, storable
from certex_bridge.operations.composition import decoders_of
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.metrics import Metrics
from certex_bridge.platform.poison import Poison
from certex_bridge.platform.settings import Settings
from certex_bridge.singlewindow.http.keys import KeyStore
from certex_bridge.singlewindow.http.tokens import TokenVerifier
from certex_bridge.singlewindow.pushes.addresses import check_url
from certex_bridge.singlewindow.refusals import Refusal
from tests.attack import addresses, records, tokens
from tests.attack.attacks import Address, Attack, RecordIn, Token
from tests.support.token_issuer import AUDIENCE, ISSUER, Issuer

if TYPE_CHECKING:
    from certex_bridge.ledger.intake import Decoder
    from tests.attack.bait import Bait


_NOON_MS = 1_772_539_200_000
"""3 March 2026, 12:00 UTC: the broker's time of the records."""


def attacks() -> list[Attack]:
    """All that are answered here."""
    return [*records.attacks(), *tokens.attacks(), *addresses.attacks()]


@lru_cache
def _decoders() -> dict[str, Decoder]:
    return decoders_of(Settings.load(kafka_bootstrap_servers="127.0.0.1:1"))


@lru_cache
def _issuer() -> Issuer:
    return Issuer()


def answer(attack: Attack, bait: Bait) -> tuple[str, float]:
    """The answer, and the seconds it took."""
    match attack.what:
        case RecordIn():
            value = attack.what.value
            return _record(replace(attack.what, value=bait.put_into(value) if value else value))
        case Token():
            return _token(attack.what)
        case Address():
            return _address(attack.what)
    raise TypeError(attack.kind)


def _record(record: RecordIn) -> tuple[str, float]:
    envelope = Envelope(record.topic, 0, 1, record.key, record.value, record.headers, _NOON_MS)
    began = time.perf_counter()
    try:
        commands = _decoders()[record.topic](envelope)
    except Poison as poison:
        # Put aside as the intake does it: that, too, must not fail on what was sent.
        code = storable(refused_row(envelope, Origin(record.topic, 0, 1), poison)).code
        return code, time.perf_counter() - began
    seconds = time.perf_counter() - began
    refused = [one.code for one in commands if isinstance(one, Poison)]
    return refused[0] if refused else "TAKEN" if commands else "NOTHING", seconds


def _token(wanted: Token) -> tuple[str, float]:
    issuer = _issuer()
    token = tokens.made(wanted.recipe, issuer)
    settings = Settings.load(oidc_issuer=ISSUER, oidc_audience=AUDIENCE)
    verifier = TokenVerifier(settings, KeyStore(issuer.fetch, 10, Metrics()))
    began = time.perf_counter()
    try:
        asyncio.run(verifier.verify(token))
    except Refusal as refusal:
        assert not token or token not in f"{refusal.message}{refusal.headers}", "a refusal tells the token"
        return refusal.code, time.perf_counter() - began
    return "TAKEN", time.perf_counter() - began


def _address(address: Address) -> tuple[str, float]:
    began = time.perf_counter()
    try:
        check_url(address.url, private=False)
    except InputError as error:
        return error.code, time.perf_counter() - began
    return "TAKEN", time.perf_counter() - began
