"""Models from web servers: real connections, cut, hung and killed in the middle."""

from __future__ import annotations

import datetime
import shutil
import ssl
from pathlib import Path

import onnx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.sources.conftest import WITHIN_S, Command, answer_of, put
from tests.unit.deployments.models.builders import write_constant_detector, write_package, yolov8_output

NEVER_ADDED: list[str] = []


def test_a_folder_a_file_and_an_archive_are_added(models: Command, package: Path, web_server, tmp_path: Path) -> None:
    web = web_server()
    put(web, package, "/models/plates/2")
    bare = write_constant_detector(tmp_path / "best.onnx", yolov8_output([], anchors=84))
    web.files["/best.onnx"] = bare.read_bytes()
    web.files["/archive.zip"] = Path(shutil.make_archive(str(tmp_path / "a"), "zip", package)).read_bytes()
    assert models("add", f"{web.url}/models/plates/2")[1]["added"][0]["model_id"] == "plates/2"
    signed = f"{web.url}/best.onnx?signature=secret"
    assert "names no classes" in models("add", signed)[1]["error"]["message"]
    assert models("add", signed, "--classes", package / "class_names.txt")[1]["added"][0]["model_id"] == "best"
    assert models("add", f"{web.url}/archive.zip", "--id", "plates/zip")[1]["added"][0]["model_id"] == "plates/zip"
    assert models.listed() == ["best", "plates/2", "plates/zip"]
    assert "secret" not in "".join(path.read_text() for path in models.data_home.rglob("*.json"))
    status, said = models("check", "plates/2")
    assert (status, said["models"][0]["architecture"]) == (0, "yolov8")


def test_files_that_only_other_files_name_are_fetched_too(models: Command, package: Path, web_server) -> None:
    web = web_server()
    shutil.copyfile(package / "weights.onnx", package / "weights.int8.onnx")
    external = onnx.load(package / "weights.onnx")
    onnx.save(
        external, package / "weights.onnx", save_as_external_data=True, location="weights.onnx.data", size_threshold=0
    )
    put(web, package, "/plates/2")
    for fetched in (sorted(f"/plates/2/{path.name}" for path in package.iterdir()), []):
        web.fetched.clear()
        assert models("add", f"{web.url}/plates/2")[0] == 0
        assert sorted(web.fetched) == fetched
    directory = Path(models("show", "plates/2")[1]["directory"])
    assert {"weights.int8.onnx", "weights.onnx.data"} <= {path.name for path in directory.iterdir()}


def test_what_has_not_changed_is_not_fetched_again(models: Command, package: Path, web_server) -> None:
    web = web_server()
    put(web, package, "/plates/2")
    models("add", f"{web.url}/plates/2")
    assert sorted(web.fetched) == sorted(f"/plates/2/{path.name}" for path in package.iterdir())
    web.fetched.clear()
    assert models("add", f"{web.url}/plates/2")[1]["added"][0]["is_new"] is False
    assert web.fetched == []
    web.files["/plates/2/class_names.txt"] = b"other\n"
    assert models("add", f"{web.url}/plates/2")[1]["added"][0]["is_new"] is True
    assert web.fetched == ["/plates/2/class_names.txt"]


def test_a_transfer_that_breaks_off_adds_nothing(models: Command, package: Path, web_server) -> None:
    web = web_server()
    put(web, package, "/plates/2")
    web.sent_bytes["/plates/2/weights.onnx"] = len(web.files["/plates/2/weights.onnx"]) // 2
    status, said = models("add", f"{web.url}/plates/2")
    assert (status, said["error"]["type"]) == (6, "ModelSourceError")
    assert models.listed() == NEVER_ADDED
    web.sent_bytes.clear()
    assert models("add", f"{web.url}/plates/2")[0] == 0


def test_a_process_that_is_killed_in_the_middle_leaves_nothing_that_loads(
    models: Command, package: Path, web_server
) -> None:
    web = web_server()
    put(web, package, "/plates/2")
    web.sent_bytes["/plates/2/weights.onnx"], web.stalls = 100, True
    killed = models.start("add", f"{web.url}/plates/2")
    assert web.half_sent.wait(WITHIN_S)
    waiting = models.start("add", f"{web.url}/plates/2")  # for the lock of the one that hangs
    web.sent_bytes.clear()
    killed.kill()
    assert killed.wait(WITHIN_S) == -9
    assert answer_of(waiting)[1]["added"][0]["is_new"] is True
    web.go_on.set()
    assert models.listed() == ["plates/2"]
    assert models("check", "plates/2")[0] == 0
    assert models("remove", "plates/2")[0] == 0
    left = [path for path in models.data_home.rglob("*") if path.is_file() and path.suffix not in (".lock", ".json")]
    assert left == []


def test_a_killed_process_alone_leaves_no_model(models: Command, package: Path, web_server) -> None:
    web = web_server()
    put(web, package, "/plates/2")
    web.sent_bytes["/plates/2/weights.onnx"], web.stalls = 100, True
    killed = models.start("add", f"{web.url}/plates/2")
    assert web.half_sent.wait(WITHIN_S)
    killed.kill()
    killed.wait(WITHIN_S)
    web.go_on.set()
    assert models.listed() == NEVER_ADDED
    assert models("check", "plates/2")[0] == 7


def test_many_processes_that_add_the_same_fetch_it_once(models: Command, package: Path, web_server) -> None:
    web = web_server()
    put(web, package, "/plates/2")
    answers = [answer_of(process) for process in [models.start("add", f"{web.url}/plates/2") for _ in range(8)]]
    assert [status for status, _ in answers] == [0] * 8
    assert sum(said["added"][0]["is_new"] for _, said in answers) == 1
    assert sorted(web.fetched) == sorted(f"/plates/2/{path.name}" for path in package.iterdir())


def test_a_server_that_is_not_there_is_said_so(models: Command, web_server) -> None:
    web = web_server()
    status, said = models("add", f"{web.url}/nowhere")
    assert (status, said["error"]["message"]) == (6, f"{web.url}/nowhere: there are no files of a model package")
    status, said = models("add", "http://localhost:1/plates/2")
    assert status == 6
    assert "Connect" in said["error"]["message"]


def test_a_page_in_place_of_weights_is_called_one(models: Command, tmp_path: Path, web_server) -> None:
    web = web_server()
    put(web, write_package(tmp_path / "a", weights=b"<!DOCTYPE html><title>Please log in</title>"), "/a/1")
    status, said = models("add", f"{web.url}/a/1")
    assert status == 3
    assert "is a page of HTML" in said["error"]["message"]


@pytest.fixture
def authority(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """TLS of a server called localhost, and the certificate that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = tmp_path / "authority.pem", tmp_path / "key.pem"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate_path, key_path)
    return tls, certificate_path


def test_https_is_trusted_as_the_system_says(models: Command, package: Path, web_server, authority) -> None:
    tls, certificate = authority
    web = web_server(tls)
    put(web, package, "/plates/2")
    status, said = models("add", f"{web.url}/plates/2")
    assert status == 6
    assert "certificate" in said["error"]["message"].lower()
    assert models.listed() == NEVER_ADDED
    models.environment["SSL_CERT_FILE"] = str(certificate)
    assert models("add", f"{web.url}/plates/2")[0] == 0
    assert models.listed() == ["plates/2"]
