"""Scopes, pauses and signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac

from certex_bridge.singlewindow.pushes.model import Scope, pause_seconds
from certex_bridge.singlewindow.pushes.signing import PushKeys, signature, told_secret
from tests.support.push_world import subscription

OLD, NEW = "an old key that is long enough, surely", "a new key that is long enough, surely"


def test_scopes() -> None:
    assert subscription(scope=Scope.ALL).covers("BE/A")
    assert subscription(scope=Scope.ISSUER, issuer="BE").covers("BE/A")
    assert not subscription(scope=Scope.ISSUER, issuer="BE").covers("BEX/A")
    assert subscription(scope=Scope.LICENCE, licence_id="BE/A").covers("BE/A")
    assert not subscription(scope=Scope.LICENCE, licence_id="BE/A").covers("BE/AB")
    assert not subscription(scope=Scope.INTEREST).covers("BE/A")


def test_pauses_double_from_a_second_to_five_minutes() -> None:
    assert [pause_seconds(n, 0.0) for n in range(1, 11)] == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert [pause_seconds(n, 1.0) for n in (1, 2, 9)] == [1, 2, 150]
    assert pause_seconds(10**6, 0.0) == 300


def test_the_signature_is_that_of_the_standard_webhooks_specification() -> None:
    """Message id, time, body and secret of the specification's example library, computed apart from ours."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    expected = base64.b64encode(
        hmac.new(secret, b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330." + body, hashlib.sha256).digest()
    ).decode()
    assert signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == f"v1,{expected}"
    assert expected == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secrets_differ_and_outlive_a_new_key() -> None:
    before, after = PushKeys([OLD]), PushKeys([NEW, OLD])
    check = before.check_of_new("s1")
    secret = before.secret("s1", check)
    assert secret is not None
    assert after.secret("s1", check) == secret
    assert after.secret("s2", after.check_of_new("s2")) not in {secret, None}
    assert PushKeys([NEW]).secret("s1", check) is None
    assert before.secret("s2", check) is None
    assert told_secret(secret) == f"whsec_{base64.b64encode(secret).decode()}"
    assert (PushKeys([]).usable, before.usable) == (False, True)
