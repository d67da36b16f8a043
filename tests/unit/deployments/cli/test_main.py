"""What `sightline serve` refuses before it starts anything."""

from __future__ import annotations

import subprocess
import sys

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


@pytest.fixture
def planned(monkeypatch, tmp_path):
    """Plans of what would be started."""
    plans = []
    monkeypatch.setattr(main, "_run", lambda cluster, say: plans.append(cluster.plan))
    monkeypatch.setattr(main, "make_run_dir", lambda port: tmp_path / "run")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return plans


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "2001:db8::7"])
def test_no_other_address_than_loopback_is_open(host):
    result = serve("--host", host)
    assert result.exit_code == 1
    assert f"on {host} others could reach this server, and no key is asked for; add --keys on" in result.output


def test_an_address_that_is_none_is_refused():
    result = serve("--host", "example.com", "--keys", "on")
    assert result.exit_code == 2
    assert "is no IP address" in result.output


@pytest.mark.parametrize("keys", ["yes", "ON", ""])
def test_keys_are_on_or_off(keys):
    assert serve("--keys", keys).exit_code == 2


def test_the_python_proxy_is_for_loopback_alone():
    assert serve("--host", "0.0.0.0", "--keys", "on", "--proxy", "python").exit_code == 1


@pytest.mark.parametrize(
    ("options", "host", "require_keys"),
    [
        ((), "127.0.0.1", False),
        (("--host", "127.0.0.2"), "127.0.0.2", False),
        (("--keys", "on"), "127.0.0.1", True),
        (("--keys", "on", "--host", "0.0.0.0"), "0.0.0.0", True),
    ],
)
def test_without_keys_only_this_machine_is_let_in(planned, options, host, require_keys):
    result = serve(*options)
    assert result.exit_code == 0, result.output
    assert [(plan.host, plan.require_keys) for plan in planned] == [(host, require_keys)]


def test_a_configuration_that_asks_for_keys_has_all_of_the_server_ask(planned, tmp_path):
    config = tmp_path / "serve_config.yaml"
    config.write_text("applications: [{name: plates, args: {ingress: {require_keys: true}}}]")
    result = serve("--config", config, "--host", "0.0.0.0")
    assert result.exit_code == 0, result.output
    assert planned[0].require_keys


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


def test_a_command_that_needs_no_arrays_and_no_database_loads_none():
    """What they take to load, `keys`, `endpoint` and `--help` would take each time."""
    asked = (
        "import sys, deployments.cli.main; print(*{'numpy', 'ray', 'sqlalchemy', 'cryptography'} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.split() == []
