"""What is said at hosts of endpoints that answer nothing."""

from __future__ import annotations

import json

import pytest

from deployments.control.on_kubernetes.resting_hosts import RestingHosts


@pytest.fixture
def resting():
    made = RestingHosts("example.com", "api.example.com")
    made.states = {"plates.example.com": "paused", "gates.example.com": "pending", "plates.acme.org": "failed"}
    return made


@pytest.mark.parametrize(
    ("host", "status", "state", "retry_s"),
    [
        ("plates.example.com", 503, "paused", "60"),
        ("PLATES.example.com.", 503, "paused", "60"),
        ("plates.example.com:443", 503, "paused", "60"),
        ("gates.example.com", 503, "pending", "5"),
        ("plates.acme.org", 503, "failed", "60"),
        ("nobody.example.com", 404, None, None),
        ("x.api.example.com", 404, None, None),
    ],
)
def test_a_host_is_told_its_state(resting, host, status, state, retry_s):
    answer = resting.answer([host])
    assert answer.status_code == status
    assert json.loads(answer.body).get("status") == state
    assert answer.headers.get("retry-after") == retry_s


@pytest.mark.parametrize(
    "host", ["api.example.com", "api.example.com:443", "127.0.0.1:9600", "[::1]:9600", "10.0.0.7", "sightline-control"]
)
def test_its_own_hosts_are_the_control_planes_to_answer(resting, host):
    assert resting.answer([host]) is None


@pytest.mark.parametrize("hosts", [[], [""], ["plates.example.com", "api.example.com"], ["api.example.com,x"]])
def test_a_request_names_exactly_one_host(resting, hosts):
    assert resting.answer(hosts).status_code == 400
