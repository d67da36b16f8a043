"""An authority and the certificates that it signs, made anew by each test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from deployments.edge.config import TlsFiles

DAY = timedelta(days=1)


class Authority:
    """Signs certificates; clients of a test trust its own."""

    def __init__(self, directory: Path) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of a test")])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        builder = _builder(self._name, self._name, self._key, timedelta(days=30)).add_extension(constraints, True)
        self.certificate = builder.sign(self._key, hashes.SHA256())
        self.path = directory / "authority.pem"
        directory.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(self.certificate.public_bytes(Encoding.PEM))

    def issue(self, *hosts: str, ends_in: timedelta = 90 * DAY, begins_in: timedelta = -DAY) -> Issued:
        """A certificate for some hosts, with a key of its own."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a server of a test")])
        builder = _builder(name, self._name, key, ends_in, begins_in)
        if hosts:
            names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
            builder = builder.add_extension(names, False)
        return Issued(builder.sign(self._key, hashes.SHA256()), key, self.certificate)


class Issued:
    """A certificate, its key, and who signed it."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, by: x509.Certificate) -> None:
        self.certificate, self._key, self._by = certificate, key, by

    @property
    def chain(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM) + self._by.public_bytes(Encoding.PEM)

    @property
    def backwards(self) -> bytes:
        return self._by.public_bytes(Encoding.PEM) + self.certificate.public_bytes(Encoding.PEM)

    def key(self, password: bytes | None = None) -> bytes:
        hidden = NoEncryption() if password is None else BestAvailableEncryption(password)
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden)

    def write(self, files: TlsFiles) -> TlsFiles:
        """Both files, each in one step, as those who renew certificates do."""
        for path, content in ((files.certificate, self.chain), (files.key, self.key())):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_suffix(".new")
            temporary.write_bytes(content)
            temporary.replace(path)
        return files


def tls_files(directory: Path) -> TlsFiles:
    return TlsFiles(certificate=directory / "tls.crt", key=directory / "tls.key")


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    ends_in: timedelta,
    begins_in: timedelta = -DAY,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins_in)
        .not_valid_after(now + ends_in)
    )
