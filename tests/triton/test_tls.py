from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deployments.models.engines.opening import open_engine
from deployments.models.errors import ModelUnavailableError
from deployments.models.package import read_package
from deployments.settings import EngineSettings
from tests.triton.conftest import write_triton_package
from tests.triton.server import TritonServer

pytestmark = pytest.mark.triton


def write_certificate(folder: Path) -> None:
    """A certificate for 127.0.0.1 that signs itself, `server.pem`, and its key, `server.key`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "triton")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def test_a_grpcs_address_is_spoken_to_over_tls_and_its_certificate_checked(repository: Path, tmp_path: Path) -> None:
    write_certificate(tmp_path)
    server = TritonServer(
        repository,
        tmp_path,
        "--grpc-use-ssl=true",
        f"--grpc-server-cert={tmp_path / 'server.pem'}",
        f"--grpc-server-key={tmp_path / 'server.key'}",
    )
    url = f"grpcs://127.0.0.1:{server.grpc_port}"
    known = write_triton_package(tmp_path / "known" / "1", url, root_certificates="server.pem")
    (known / "server.pem").write_bytes((tmp_path / "server.pem").read_bytes())
    stranger = write_triton_package(tmp_path / "stranger" / "1", url)
    plain = write_triton_package(tmp_path / "plain" / "1", server.url)
    try:
        server.start()
        engine = open_engine(read_package(known), EngineSettings())
        assert [spec.name for spec in engine.inputs] == ["images"]
        for folder in (stranger, plain):
            with pytest.raises(ModelUnavailableError, match="cannot be had now"):
                open_engine(read_package(folder), EngineSettings())
    finally:
        server.stop()
