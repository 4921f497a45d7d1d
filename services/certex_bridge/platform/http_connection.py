"""One HTTP connection: TLS with client certificates, and limits on size and time of a request, which uvicorn lacks."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from cryptography import x509
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from certex_bridge.kernel.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from certex_bridge.platform.settings import Settings

CLIENT_CERTIFICATE = "client_certificate"
"""Where the request's `scope["state"]` holds the caller's `ClientCertificate`."""

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What a verified client certificate says."""

    fingerprint: str
    """SHA-256 of the certificate (DER), hexadecimal, small letters."""
    names: frozenset[str]
    """`subject:` with the subject as in RFC 4514, `DNS:`, `URI:` and `email:` of its alternative names."""
    not_after: float
    """End of validity, seconds since 1970: a connection may outlive the certificate."""

    @classmethod
    def read(cls, der: bytes) -> ClientCertificate:
        """The certificate from its DER form.

        Raises:
            ValueError: no certificate, or one with alternative names that cannot be read.
        """
        certificate = x509.load_der_x509_certificate(der)
        names = {f"subject:{certificate.subject.rfc4514_string()}"}
        try:
            others = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            others = x509.SubjectAlternativeName([])
        except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
            raise ValueError(f"alternative names that cannot be read: {error}") from error
        names |= {f"DNS:{name.lower()}" for name in others.get_values_for_type(x509.DNSName)}
        names |= {f"URI:{name}" for name in others.get_values_for_type(x509.UniformResourceIdentifier)}
        names |= {f"email:{name.lower()}" for name in others.get_values_for_type(x509.RFC822Name)}
        return cls(hashlib.sha256(der).hexdigest(), frozenset(names), certificate.not_valid_after_utc.timestamp())


def server_context(settings: Settings) -> ssl.SSLContext:
    """TLS 1.2 or newer with our certificate; client certificates are asked for when authorities are named.

    They stay optional for TLS, since probes have none: the gateway refuses callers without one.

    Raises:
        ConfigurationError: a file is not what it should be, or key and certificate do not belong together.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    password = settings.http_ssl_key_password.get_secret_value()
    try:
        # A lambda instead of the password itself: OpenSSL otherwise asks at the terminal for a missing one.
        context.load_cert_chain(settings.http_ssl_certfile or "", settings.http_ssl_keyfile, lambda: password)
    except OSError as error:  # ssl.SSLError is one
        raise _unusable("CERTEX_HTTP_SSL_CERTFILE", "CERTEX_HTTP_SSL_KEYFILE", error=error) from None
    if settings.http_ssl_client_cafile:
        try:
            context.load_verify_locations(settings.http_ssl_client_cafile)
        except OSError as error:
            raise _unusable("CERTEX_HTTP_SSL_CLIENT_CAFILE", error=error) from None
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _unusable(*variables: str, error: OSError) -> ConfigurationError:
    reason = error.reason if isinstance(error, ssl.SSLError) and error.reason else str(error)
    return ConfigurationError(f"{', '.join(variables)}: cannot be used for TLS: {reason}", field=variables[0])


class Connection(HttpToolsProtocol):
    """uvicorn's connection that knows the client's certificate and bounds what a request costs before it is complete.

    All bytes that are no body data (head, sizes and extensions of chunks, trailers) count together, and a request has a
    time from its first byte to its last. Trailers are dropped: nothing here needs them, and a field that comes after
    the callers' check must never look like one of the head.

    An answer given before the body was there says `Connection: close`. The rest of the body is then read and forgotten
    for a moment, since closing at once would reset the connection and lose the answer on its way.
    """

    framing_bytes_max = 65_536
    """Exact for the head; behind it a request may be complete before the last `piece_bytes` are counted."""
    piece_bytes = 8_192
    head_seconds = 10.0
    request_seconds = 30.0
    linger_seconds = 2.0
    waiting_max = 32
    """Requests of one connection that wait for an earlier one's answer; a client that sends more at once ends it."""

    _timer: asyncio.TimerHandle | None = None
    _began = 0.0
    _framing_bytes = 0
    _body_bytes = 0
    _open = False
    """Whether a request has begun and is not complete."""
    _in_head = False
    _message_seen = False
    """Whether the bytes now being parsed begin or end a request."""
    _closing = False
    """Whether the answer has told the client that the connection ends."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Take the certificate once for all requests of the connection."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        der = tls.getpeercert(binary_form=True) if tls is not None else None
        if der:
            try:
                self.app_state = {**self.app_state, CLIENT_CERTIFICATE: ClientCertificate.read(der)}
            except ValueError:
                # OpenSSL trusts it and we cannot say whose it is: nobody's.
                self.logger.warning("A client certificate cannot be read.")
        self._arm(self.loop.time() + self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse piece by piece: what is too much is noticed before the parser has kept all of it."""
        rest = memoryview(data)
        while rest and not self.transport.is_closing():
            room = self.piece_bytes
            if self._in_head:
                room = min(room, self.framing_bytes_max - self._framing_bytes)
            if room <= 0:
                self._refuse(_TOO_LARGE)
                return
            self._parse(bytes(rest[:room]))
            rest = rest[room:]

    def _parse(self, piece: bytes) -> None:
        self._body_bytes, self._message_seen = 0, False
        super().data_received(piece)
        if self.transport.is_closing():
            return
        self._framing_bytes += len(piece) - self._body_bytes
        if len(self.pipeline) > self.waiting_max or (self._open and self._framing_bytes > self.framing_bytes_max):
            self._refuse(_TOO_LARGE)
        elif not self._message_seen and self._timer is None:
            # Blank lines before a request begin none, and have stopped uvicorn's timer.
            self._arm(self.loop.time() + self.head_seconds)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._open = self._in_head = self._message_seen = True
        self._framing_bytes, self._began = 0, self.loop.time()
        if self._timer is None:
            self._arm(self._began + self.head_seconds)
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head; one of the trailers is nobody's."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self._in_head = False
        self._arm(self._began + self.request_seconds)
        super().on_headers_complete()
        cycle = self.cycle
        if self.parser.should_upgrade():
            cycle.keep_alive = False  # no other protocol is spoken here, and the parser takes nothing more
        # uvicorn has no place to hear of an answer before it is sent.
        cycle.send = partial(self._answer, cycle, cycle.send)  # type: ignore[method-assign]  # the cycle's own way out, with our limits before it

    def on_body(self, body: bytes) -> None:
        """A part of its body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """It is complete."""
        self._open, self._message_seen = False, True
        self._disarm()
        super().on_message_complete()
        if self._closing and self.cycle.response_complete:
            self.transport.close()

    def on_response_complete(self) -> None:
        """It is answered."""
        if self._closing and not self._open:
            self.transport.close()
        super().on_response_complete()
        if self._closing and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._arm(self.loop.time() + self.linger_seconds)

    async def _answer(
        self, cycle: RequestResponseCycle, send: Callable[[Any], Awaitable[None]], message: MutableMapping[str, Any]
    ) -> None:
        unread = message["type"] == "http.response.start" and cycle.more_body
        if not unread or not cycle.keep_alive:
            await send(message)
            return
        self._closing = True
        cycle.keep_alive = False  # uvicorn then tells the client so,
        await send(message)
        cycle.keep_alive = True  # and leaves the end of the connection to us

    def _late(self) -> None:
        self._timer = None
        if self.flow.read_paused:
            # An earlier request is in work, and nothing is read meanwhile: that time is ours, not the client's.
            self._arm(self.loop.time() + self.request_seconds)
        else:
            self._refuse(_TOO_SLOW)

    def _refuse(self, answer: bytes) -> None:
        """End the connection, with this answer where it cannot be taken for a part of another one."""
        cycle = self._current()
        if cycle is not None and self._open and not self._in_head:
            free = not cycle.response_started and not self.pipeline
        else:
            free = cycle is None or cycle.response_complete
        if cycle is not None and not cycle.response_complete:
            # Whoever waits for the rest of the request learns that it does not come.
            cycle.disconnected = True
            cycle.message_event.set()
        if free and not self.transport.is_closing():
            self.transport.write(answer)
        self.transport.close()

    def _current(self) -> RequestResponseCycle | None:
        return self.cycle  # uvicorn's annotation forgets that there is none before the first request

    def _arm(self, when: float) -> None:
        self._disarm()
        self._timer = self.loop.call_at(when, self._late)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
