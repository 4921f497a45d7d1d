"""An issuer of access tokens for tests: keys of every kind, tokens right and wrong, its key set over HTTP."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

if TYPE_CHECKING:
    from collections.abc import Iterator

ISSUER = "https://login.example.invalid/realms/customs"
AUDIENCE = "certex-bridge"


class Issuer:
    """Holds private keys by id and publishes the public ones."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[str, Any]] = {}
        self.fetches = 0
        self.away = False
        self.add("one", "ES256")

    def add(self, kid: str, algorithm: str, bits: int = 2048) -> None:
        """Make a key and publish it."""
        key: Any
        if algorithm.startswith("RS"):
            key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        elif algorithm == "ES256":
            key = ec.generate_private_key(ec.SECP256R1())
        else:
            key = ed25519.Ed25519PrivateKey.generate()
        self._keys[kid] = (algorithm, key)

    def withdraw(self, kid: str) -> tuple[str, Any]:
        """Publish a key no longer."""
        return self._keys.pop(kid)

    def jwks(self) -> dict[str, Any]:
        """The key set."""
        return {"keys": [self.jwk(kid) for kid in self._keys]}

    def jwk(self, kid: str) -> dict[str, Any]:
        """One public key."""
        algorithm, key = self._keys[kid]
        kinds: dict[str, Any] = {"RS": RSAAlgorithm, "ES": ECAlgorithm, "Ed": OKPAlgorithm}
        made = kinds[algorithm[:2]].to_jwk(key.public_key(), as_dict=True)
        return {**made, "kid": kid, "use": "sig", "alg": algorithm}

    def token(self, client: str = "atlas", kid: str = "one", **changes: Any) -> str:
        """A right token, but for the changes: claims by name (None: left out), `head` for header fields."""
        algorithm, key = self._keys[kid]
        head = {"kid": kid, "typ": "at+jwt", **changes.pop("head", {})}
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": now + 300, "iat": now, "client_id": client, **changes}
        return jwt.encode(
            {name: value for name, value in claims.items() if value is not None},
            key,
            algorithm=algorithm,
            headers={name: value for name, value in head.items() if value is not None},
        )

    def fetch(self) -> object:
        """What the fetch of the key store gives."""
        from certex_bridge.singlewindow.http.keys import KeysUnavailable

        self.fetches += 1
        if self.away:
            raise KeysUnavailable("away")
        return self.jwks()

    @contextlib.contextmanager
    def serve(self) -> Iterator[str]:
        """The key set at an address of this machine."""
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.fetches += 1
                body = json.dumps(issuer.jwks()).encode()
                if self.path == "/moved":
                    self.send_response(302)
                    self.send_header("Location", "/jwks")
                elif self.path == "/text":
                    body = b"hello"
                    self.send_response(200)
                else:
                    self.send_response(503 if issuer.away else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Stay quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/jwks"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
