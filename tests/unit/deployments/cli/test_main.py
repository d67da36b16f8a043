"""What `sightline serve` refuses before it starts anything."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from deployments.cli import main
from tests.unit.deployments.edge.certificates import Authority, tls_files


@pytest.fixture(autouse=True)
def nothing_is_started(monkeypatch):
    def start(*_):
        raise AssertionError("something was started")

    monkeypatch.setattr(main, "_run", start)
    monkeypatch.setattr(main, "check_port", lambda *_: None)


def serve(*arguments):
    return CliRunner().invoke(main.app, ["serve", *map(str, arguments)])


def test_a_certificate_without_its_key_is_refused(tmp_path):
    result = serve("--tls-certificate", tmp_path / "tls.crt")
    assert result.exit_code == 2
    assert "given together" in result.output


def test_a_key_of_another_certificate_is_refused(tmp_path):
    authority, files = Authority(tmp_path / "authority"), tls_files(tmp_path)
    authority.issue("example.com").write(files)
    files.key.write_bytes(authority.issue("example.com").key())
    result = serve("--tls-certificate", files.certificate, "--tls-key", files.key)
    assert result.exit_code == 1
    assert "is not the one of the certificate" in result.output


def test_tls_is_not_spoken_by_the_python_proxy(tmp_path):
    files = tls_files(tmp_path)
    result = serve("--tls-certificate", files.certificate, "--tls-key", files.key, "--proxy", "python")
    assert result.exit_code == 2
    assert "HAProxy" in result.output
