"""One HTTP connection: TLS with client certificates, and limits on the head of a request, which uvicorn lacks."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from certex_bridge.kernel.errors import ConfigurationError

if TYPE_CHECKING:
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
    """uvicorn's connection that knows the client's certificate and does not wait for ever for a request's head."""

    head_bytes_max = 65_536
    head_seconds = 10.0

    _head_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _in_head = False

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
        self._head_timer = self.loop.call_later(self.head_seconds, self._head_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; a head that is still incomplete has a size and a time."""
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        # The parser keeps an unfinished field to itself: only the bytes of the wire tell its size.
        self._head_bytes += len(data)
        if self._head_bytes > self.head_bytes_max:
            self._refuse(_TOO_LARGE)
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_seconds, self._head_late)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self._in_head = False
        self._stop_timer()
        super().on_headers_complete()

    def _head_late(self) -> None:
        self._head_timer = None
        self._refuse(_TOO_SLOW)

    def _refuse(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
