"""Certificates made here, read as the edge is given them."""

from __future__ import annotations

import ssl
import stat
from datetime import timedelta

import pytest

from deployments.edge.certificate import CertificateError, read_certificate
from deployments.edge.config import TlsFiles
from tests.unit.deployments.edge.certificates import DAY, Authority, tls_files

HOSTS = ("example.com", "*.example.com")


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "authority")


@pytest.fixture
def files(tmp_path):
    return tls_files(tmp_path)


def test_a_certificate_is_read_with_its_key_its_hosts_and_its_end(authority, files):
    issued = authority.issue(*HOSTS)
    certificate = read_certificate(issued.write(files))
    assert certificate.hosts == HOSTS
    assert certificate.expires == issued.certificate.not_valid_after_utc
    assert certificate.pem.count("BEGIN CERTIFICATE") == 2
    assert "\n\n" not in certificate.pem


def test_it_is_written_for_its_owner_alone_and_openssl_takes_it(authority, files, tmp_path):
    path = tmp_path / "edge" / "tls.pem"
    certificate = read_certificate(authority.issue(*HOSTS).write(files))
    certificate.write(path)
    certificate.write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path)


@pytest.mark.parametrize(
    ("host", "holds"),
    [
        ("example.com", True),
        ("plates.example.com", True),
        ("a.plates.example.com", False),
        ("com", False),
        ("badexample.com", False),
        ("", False),
    ],
)
def test_a_wildcard_holds_for_one_label(authority, files, host, holds):
    assert read_certificate(authority.issue(*HOSTS).write(files)).holds_for(host) is holds


def test_a_wildcard_directly_below_a_top_level_domain_holds_for_nothing(authority, files):
    certificate = read_certificate(authority.issue("*.localhost").write(files))
    assert certificate.holds_for("plates.localhost") is False


def test_one_without_hosts_holds_for_none(authority, files):
    assert read_certificate(authority.issue().write(files)).hosts == ()


@pytest.mark.parametrize(
    ("certificate", "key", "said"),
    [
        (b"", None, "holds no certificate in PEM"),
        (b"-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n", None, "holds no certificate"),
        (None, b"", "holds no private key"),
        (None, b"-----BEGIN PRIVATE KEY-----\nbm8=\n-----END PRIVATE KEY-----\n", "holds no private key"),
    ],
)
def test_what_is_no_pem_is_refused(authority, files, certificate, key, said):
    authority.issue(*HOSTS).write(files)
    if certificate is not None:
        files.certificate.write_bytes(certificate)
    if key is not None:
        files.key.write_bytes(key)
    with pytest.raises(CertificateError, match=said):
        read_certificate(files)


def test_what_does_not_belong_together_is_refused(authority, files):
    authority.issue(*HOSTS).write(files)
    files.key.write_bytes(authority.issue(*HOSTS).key())
    with pytest.raises(CertificateError, match="is not the one of the certificate"):
        read_certificate(files)


def test_a_chain_that_begins_with_who_signed_is_refused(authority, files):
    issued = authority.issue(*HOSTS)
    issued.write(files).certificate.write_bytes(issued.backwards)
    with pytest.raises(CertificateError, match="must begin with the server's own certificate; it is number 2"):
        read_certificate(files)


def test_a_key_with_a_password_is_refused(authority, files):
    issued = authority.issue(*HOSTS)
    issued.write(files).key.write_bytes(issued.key(b"secret"))
    with pytest.raises(CertificateError, match="needs a password"):
        read_certificate(files)


@pytest.mark.parametrize(
    ("begins_in", "ends_in", "said"),
    [(-2 * DAY, -DAY, "expired at"), (DAY, 2 * DAY, "is valid from")],
)
def test_one_out_of_its_time_is_refused(authority, files, begins_in, ends_in, said):
    with pytest.raises(CertificateError, match=said):
        read_certificate(authority.issue(*HOSTS, begins_in=begins_in, ends_in=ends_in).write(files))


def test_files_that_are_not_there_are_named(files):
    with pytest.raises(CertificateError, match=r"tls\.crt cannot be read: No such file"):
        read_certificate(files)


def test_another_file_has_another_stamp(authority, files):
    assert files.stamp() == ()
    authority.issue(*HOSTS).write(files)
    first = files.stamp()
    assert files.stamp() == first
    authority.issue(*HOSTS).write(files)
    assert files.stamp() != first


def test_a_link_that_leads_elsewhere_is_another_file(authority, tmp_path):
    """As Kubernetes replaces the files of a Secret."""
    for name in ("one", "two"):
        authority.issue(*HOSTS).write(tls_files(tmp_path / name))
    link = tmp_path / "now"
    link.symlink_to("one")
    files = TlsFiles(certificate=link / "tls.crt", key=link / "tls.key")
    first = files.stamp()
    link.unlink()
    link.symlink_to("two")
    assert files.stamp() != first


def test_its_text_names_hosts_and_end(authority, files):
    certificate = read_certificate(authority.issue(*HOSTS, ends_in=timedelta(days=40)).write(files))
    assert str(certificate).startswith("for example.com, *.example.com, until 20")
