"""The certificate of an edge that runs: replaced when its owner replaces the files, and watched for its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deployments.edge.admin_socket import ask_edge
from deployments.edge.certificate import Certificate, CertificateError, read_certificate
from deployments.edge.config import CERTIFICATE_FILE, TlsFiles
from deployments.edge.errors import EdgeUnavailableError

WARNED_BEFORE = timedelta(days=21)
WARNED_EVERY = timedelta(days=1)


class CertificateWatch:
    """The files of one edge."""

    def __init__(self, files: TlsFiles, directory: Path, domain: str, say: Callable[[str], None]) -> None:
        """Read the certificate and put it where the edge finds it when it starts.

        Args:
            files: certificate and key of the owner.
            directory: of the edge's files.
            domain: below which endpoints answer.
            say: told what its owner should know.

        Raises:
            CertificateError: they cannot be used.
        """
        self._files = files
        self._directory = directory
        self._domain = domain
        self._say = say
        self._noticed = self._taken = files.stamp()
        self._warned: datetime | None = None
        self._complaint: str | None = None
        self._certificate = read_certificate(files)
        self._certificate.write(self._path)
        self._say(f"TLS certificate {self._certificate}")
        self._warn_of_hosts()

    @property
    def _path(self) -> Path:
        return self._directory / CERTIFICATE_FILE

    def check(self, now: datetime | None = None) -> None:
        """Take other files when there are, and warn of the end; to be called every second or so.

        Connections go on with the certificate that they began with. What cannot be used is said, once, and changes
        nothing.
        """
        stamp = self._files.stamp()
        # Certificate and key are two files: they are read when neither has changed since the last look.
        if stamp != self._taken and stamp == self._noticed:
            try:
                self._replace()
            except (CertificateError, EdgeUnavailableError) as error:
                self._complain(error.message)  # what is wrong may be right later, with the same files
            else:
                self._taken, self._complaint = stamp, None
        self._noticed = stamp
        self._warn_of_end(now or datetime.now(UTC))

    def _replace(self) -> None:
        certificate = read_certificate(self._files)
        if certificate.pem == self._certificate.pem:
            return
        self._hand_over(certificate)
        self._certificate = certificate
        self._warned = None
        self._say(f"TLS certificate replaced: {certificate}")
        self._warn_of_hosts()

    def _complain(self, why: str) -> None:
        """Once, however often it is tried."""
        if why != self._complaint:
            self._say(f"TLS CERTIFICATE NOT REPLACED: {why}; shown is the one {self._certificate}")
        self._complaint = why

    def _hand_over(self, certificate: Certificate) -> None:
        answer = ask_edge(self._directory, f"set ssl cert {self._path} <<\n{certificate.pem}")
        if "Transaction" in answer:
            answer = ask_edge(self._directory, f"commit ssl cert {self._path}")
        if "Success" not in answer:
            ask_edge(self._directory, f"abort ssl cert {self._path}")
            raise EdgeUnavailableError(f"HAProxy refuses it: {' '.join(answer.split())}")
        try:
            certificate.write(self._path)  # for an edge that starts anew
        except OSError as error:
            self._say(f"TLS CERTIFICATE NOT WRITTEN to {self._path}: {error.strerror}")

    def _warn_of_hosts(self) -> None:
        missing = [host for host in (self._domain, f"*.{self._domain}") if not self._holds_for(host)]
        if missing:
            self._say(f"TLS CERTIFICATE does not hold for {' and '.join(missing)}: clients will refuse it there")

    def _holds_for(self, host: str) -> bool:
        return self._certificate.holds_for(host.replace("*", "any-endpoint"))

    def _warn_of_end(self, now: datetime) -> None:
        left = self._certificate.expires - now
        if left > WARNED_BEFORE or (self._warned is not None and now - self._warned < WARNED_EVERY):
            return
        self._warned = now
        when = "HAS EXPIRED" if left <= timedelta() else f"EXPIRES IN {left.days} DAYS"
        end = f"{self._certificate.expires:%Y-%m-%d %H:%M} UTC"
        self._say(f"TLS CERTIFICATE {when} ({end}); replace {self._files.certificate}")
