"""A TLS certificate and its key, as their owner keeps them, checked before the edge is given them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from deployments.edge.config import TlsFiles
from deployments.errors import ServingError


class CertificateError(ServingError):
    """Certificate and key cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate with its key, fit to be shown.

    Attributes:
        pem: the certificate, those that signed it, and the key; without empty lines.
        hosts: names that it holds for, such as `*.example.com`.
        expires: when it ends.
    """

    pem: str
    hosts: tuple[str, ...]
    expires: datetime

    def holds_for(self, host: str) -> bool:
        """Whether clients accept it for a host; a wildcard stands for one label (RFC 6125, 6.4.3).

        OpenSSL accepts none directly below a top-level domain, `*.localhost` no more than `*.com`.
        """
        parent = host.partition(".")[2]
        return host in self.hosts or ("." in parent and f"*.{parent}" in self.hosts)

    def __str__(self) -> str:
        return f"for {', '.join(self.hosts) or 'no host'}, until {self.expires:%Y-%m-%d %H:%M} UTC"

    def write(self, path: Path) -> None:
        """Write it where only its owner may read it, in place of what is there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self.pem)
        temporary.replace(path)


def read_certificate(files: TlsFiles, now: datetime | None = None) -> Certificate:
    """The certificate and key in two files.

    Args:
        files: where they are.
        now: the time, in UTC.

    Raises:
        CertificateError: a file cannot be read, holds something else, or they do not belong together; or the time of
            the certificate has not come, or is over.
    """
    chain, key = _read_chain(files.certificate), _read_key(files.key)
    try:
        matching = [number for number, each in enumerate(chain) if _is_pair(each.public_key(), key)]
        shown = chain[0]
        hosts, begins, ends = _hosts(shown), shown.not_valid_before_utc, shown.not_valid_after_utc
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise CertificateError(f"the certificate {files.certificate} makes no sense: {error}") from error
    if not matching:
        raise CertificateError(f"the key {files.key} is not the one of the certificate {files.certificate}")
    if matching[0] != 0:
        raise CertificateError(
            f"{files.certificate} must begin with the server's own certificate; it is number {matching[0] + 1} there"
        )
    now = now or datetime.now(UTC)
    if now >= ends:
        raise CertificateError(f"the certificate {files.certificate} expired at {ends}")
    if now < begins:
        raise CertificateError(f"the certificate {files.certificate} is valid from {begins} on")
    pem = b"".join(each.public_bytes(Encoding.PEM) for each in chain)
    pem += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Certificate(pem=pem.decode(), hosts=hosts, expires=ends)


def _read_chain(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise CertificateError(f"the certificate {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CertificateError(
            f"{path} holds no certificate in PEM; it begins with -----BEGIN CERTIFICATE-----"
        ) from error


def _read_key(path: Path) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise CertificateError(f"the key {path} cannot be read: {error.strerror}") from error
    except TypeError as error:
        raise CertificateError(f"the key {path} needs a password; give one without") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"{path} holds no private key in PEM") from error


def _is_pair(public: PublicKeyTypes, key: PrivateKeyTypes) -> bool:
    return _encoded(public) == _encoded(key.public_key())


def _encoded(public: PublicKeyTypes) -> bytes:
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(name.lower() for name in names.get_values_for_type(x509.DNSName))
