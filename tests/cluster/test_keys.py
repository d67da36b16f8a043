"""API keys on a real cluster that asks for them: one server, two workspaces, and the vendor's own clients."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from tritonclient.grpc import InferenceServerException
from tritonclient.grpc.aio import InferenceServerClient

from deployments.dataplane.sample import sample_request
from tests.cluster.server import ROOT, Server, free_port

pytestmark = pytest.mark.cluster

SDK_PYTHON = ROOT / ".venv-sdk/bin/python"
PHOTO = ROOT / "deployments/models/shipped/samples/car.jpg"
REVOKED_WITHIN_S = 5.0
READY_WITHIN_S = 180.0
UNAUTHORIZED = {"status": 401, "message": "Unauthorized api_key"}


@pytest.fixture(scope="module")
def database_url(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('state')}/sightline.db"


@pytest.fixture(scope="module")
def made():
    """Every key of this module, to be looked for where none may be."""
    return []


@pytest.fixture(scope="module")
def keys(database_url, made):
    """Runs `sightline keys`; gives what it printed on stdout."""

    def run(*arguments):
        command = [sys.executable, "-m", "deployments.cli.main", "keys", *arguments, "--database", database_url]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120)
        assert done.returncode == 0, done.stderr
        if arguments[0] == "create" and "--json" not in arguments:
            made.append(done.stdout.strip())
        return done.stdout.strip()

    return run


@pytest.fixture(scope="module")
def server(database_url):
    """One that others can reach, so it asks for keys."""
    port = free_port(2)
    options = ("--keys", "on", "--host", "0.0.0.0", "--grpc-port", str(port + 2), "--database", database_url)
    started = Server(*options, port=port)
    try:
        started.wait_for("ready http")
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def acme(keys, server):
    return SimpleNamespace(
        admin=keys("create", "--workspace", "acme", "--scope", "admin"), infer=keys("create", "--workspace", "acme")
    )


@pytest.fixture(scope="module")
def bolts(keys, server):
    return SimpleNamespace(admin=keys("create", "--workspace", "bolts", "--scope", "admin"))


@pytest.fixture(scope="module")
def endpoint(server, acme):
    """Host of an endpoint of acme's that is ready."""
    wanted = {"deployment_name": "gates", "machine_type": "dev-cpu", "creator_email": "me@example.com"}
    answer = httpx.post(f"{server.url}/add", json=wanted | {"api_key": acme.admin}, timeout=60)
    assert answer.status_code == 200, answer.text
    asked = {"api_key": acme.infer, "deployment_name": "gates"}
    deadline_s = time.monotonic() + READY_WITHIN_S
    while (found := httpx.get(f"{server.url}/get", params=asked, timeout=60).json())["status"] != "ready":
        assert time.monotonic() < deadline_s, found
        time.sleep(0.3)
    return {"host": "gates.localhost"}


def run(server, key, headers=None, **changed):
    return httpx.post(
        f"{server.url}/workflows/run", json=sample_request() | {"api_key": key} | changed, headers=headers, timeout=60
    )


def test_an_open_server_refuses_any_address_but_loopback():
    refused = Server("--host", "0.0.0.0")
    assert refused.exit_status(60) == 1
    assert "no key is asked for; add --keys on" in refused.output


def test_it_says_that_keys_are_needed_and_how_to_make_one(server):
    assert f"there is none yet: sightline keys create --port {server.port}" in server.output
    assert "$KEY" in server.wait_for("try: curl")


def test_a_key_is_made_used_and_taken_back(server, keys, endpoint, acme):
    """The walk of a new user; once revoked it ends everywhere within five seconds."""
    key = keys("create", "--workspace", "acme", "--scope", "manage")
    ways = {
        "the shared application": lambda: run(server, key).status_code,
        "an endpoint": lambda: run(server, key, endpoint).status_code,
        "the control plane": lambda: httpx.get(f"{server.url}/list", params={"api_key": key}, timeout=60).status_code,
        "gRPC": lambda: asyncio.run(grpc_status(server, key)),
    }
    assert {way: ask() for way, ask in ways.items()} == dict.fromkeys(ways, 200)
    keys("revoke", key)
    deadline_s = time.monotonic() + REVOKED_WITHIN_S
    while any(ask() == 200 for ask in ways.values()) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    assert {way: ask() for way, ask in ways.items()} == dict.fromkeys(ways, 401)
    assert run(server, acme.infer).status_code == 200


async def grpc_status(server, key, authority=None):
    options = [("grpc.default_authority", authority)] if authority else None
    client = InferenceServerClient(f"127.0.0.1:{server.port + 2}", channel_args=options)
    try:
        await client.get_model_repository_index(headers={"authorization": f"Bearer {key}"} if key else None)
    except InferenceServerException as error:
        return {"StatusCode.UNAUTHENTICATED": 401, "StatusCode.PERMISSION_DENIED": 403}[error.status()]
    finally:
        await client.close()
    return 200


async def test_grpc_asks_for_keys_of_the_endpoints_workspace(server, acme, bolts, endpoint):
    host = f"gates.localhost:{server.port + 2}"
    assert await grpc_status(server, None) == 401
    assert await grpc_status(server, bolts.admin) == 200
    assert await grpc_status(server, None, host) == 401
    assert await grpc_status(server, bolts.admin, host) == 401
    assert await grpc_status(server, acme.infer, host) == 200


@pytest.mark.parametrize("path", ["/model/registry", "/workflows/definition/schema", "/v2/models/x", "/machine_types"])
def test_nothing_is_told_without_a_key(server, path):
    for params in ({}, {"api_key": "None"}, {"api_key": "sl_0123456789ab_" + "a" * 43}):
        answer = httpx.get(f"{server.url}{path}", params=params, timeout=60)
        assert (answer.status_code, "Unauthorized api_key" in answer.text) == (401, True)
    assert httpx.get(f"{server.url}/readiness", timeout=60).status_code == 200


def test_an_endpoint_is_its_workspaces_alone(server, acme, bolts, endpoint):
    assert run(server, acme.infer, endpoint).headers["x-workspace-id"] == "acme"
    for key in (bolts.admin, None):
        answer = run(server, key, endpoint)
        assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)
    assert run(server, bolts.admin).status_code == 200  # the application that belongs to nobody


def test_a_key_for_inference_manages_nothing(server, acme, endpoint):
    body = {"api_key": acme.infer, "deployment_name": "gates"}
    assert httpx.post(f"{server.url}/delete", json=body, timeout=60).status_code == 403
    answer = httpx.post(f"{server.url}/model/clear", json={"api_key": acme.infer}, headers=endpoint, timeout=60)
    assert (answer.status_code, answer.json()["status"]) == (403, 403)


def test_an_unknown_host_is_answered_with_what_the_key_may_see(server, acme, bolts, endpoint):
    def told(key):
        answer = httpx.get(f"{server.url}/info", params=key and {"api_key": key}, headers={"host": "no.localhost"})
        assert answer.status_code == 404
        return answer.json().get("endpoints")

    assert told(acme.infer) == ["gates.localhost"]
    assert told(bolts.admin) == []
    assert told("nonsense") is None
    assert told(None) is None


def test_others_reach_it_by_the_address_of_this_machine(server, acme):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent: it names the address that this machine would use
        address = probe.getsockname()[0]
    url = f"http://{address}:{server.port}"
    assert httpx.get(f"{url}/model/registry", timeout=60).status_code == 401
    assert httpx.get(f"{url}/model/registry", params={"api_key": acme.infer}, timeout=60).status_code == 200
    assert httpx.get(f"{url}/list", params={"api_key": acme.infer}, timeout=60).status_code == 200


def test_a_workflow_is_saved_in_versions_and_run_with_keys_of_its_workspace(
    server, acme, bolts, endpoint, database_url, tmp_path
):
    request = sample_request()
    outputs = {}
    for count in (1, 2):
        definition = request["specification"] | {"outputs": request["specification"]["outputs"][:count]}
        (tmp_path / "gate.json").write_text(json.dumps(definition))
        command = [sys.executable, "-m", "deployments.cli.main", "workflows", "save", str(tmp_path / "gate.json")]
        command += ["--workspace", "acme", "--database", database_url]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run(command, check=True, cwd=ROOT, env=environment, timeout=120, capture_output=True)
        outputs[count] = [output["name"] for output in definition["outputs"]]

    def run_saved(key, version=None):
        body = {"api_key": key, "inputs": request["inputs"], "workflow_version_id": version}
        return httpx.post(f"{server.url}/acme/workflows/gate", json=body, headers=endpoint, timeout=60)

    assert list(run_saved(acme.infer).json()["outputs"][0]) == outputs[2]
    assert list(run_saved(acme.infer, "1").json()["outputs"][0]) == outputs[1]
    assert run_saved(acme.infer, "3").status_code == 404
    assert run_saved(bolts.admin).status_code == 401
    told = httpx.get(f"{server.url}/acme/workflows/gate", params={"api_key": acme.infer}, timeout=60).json()
    assert json.loads(told["workflow"]["config"])["specification"]["outputs"] == request["specification"]["outputs"][:2]


SDK_PROGRAM = """
import socket, sys
resolve = socket.getaddrinfo  # not every resolver knows that names below localhost are this machine
socket.getaddrinfo = lambda host, *more, **named: resolve(host.split(".")[-1], *more, **named)
from inference_sdk import InferenceConfiguration, InferenceHTTPClient
from inference_sdk.http.errors import HTTPCallErrorError
url, key, photo = sys.argv[1:]
client = InferenceHTTPClient(api_url=url, api_key=key)
for transport in ("legacy", "header", "both"):
    client.configure(InferenceConfiguration(api_key_transport=transport))
    for use in (client.select_api_v0, client.select_api_v1):
        use()
        print(len(client.infer(photo, model_id="vehicle-registration-plates-trudk/2")["predictions"]))
    client.select_api_v1()
    print(len(client.list_loaded_models().models) > 0)
try:
    InferenceHTTPClient(api_url=url, api_key="wrong").infer(photo, model_id="vehicle-registration-plates-trudk/2")
except HTTPCallErrorError as error:
    print(error.status_code, error.api_message)
"""


@pytest.fixture
def vendor():
    if not SDK_PYTHON.exists():
        pytest.skip("the vendor's SDK is not installed: `make test-sdk` installs it into .venv-sdk")

    def run_program(*command, **environment):
        return subprocess.run(
            command, capture_output=True, text=True, timeout=240, env=os.environ | environment, check=False
        )

    return run_program


def test_the_vendors_sdk_works_with_a_key(server, acme, endpoint, vendor):
    url = f"http://gates.localhost:{server.port}"
    done = vendor(SDK_PYTHON, "-c", SDK_PROGRAM, url, acme.infer, str(PHOTO))
    assert done.stdout.split("\n") == ["1", "1", "True"] * 3 + ["401 Unauthorized api_key", ""], done.stderr


def test_the_vendors_command_line_works_with_a_key(server, acme, bolts, endpoint, vendor, tmp_path):
    def deployment(key, *arguments):
        return vendor(
            SDK_PYTHON.with_name("roboflow"),
            "--json",
            "deployment",
            *arguments,
            DEDICATED_DEPLOYMENT_URL=server.url,
            ROBOFLOW_API_KEY=key,
            HOME=str(tmp_path),
        )

    listed = json.loads(deployment(acme.admin, "list").stdout)
    assert [row["deployment_name"] for row in listed["deployments"]] == ["gates"]
    assert json.loads(deployment(bolts.admin, "list").stdout) == {"deployments": []}
    refused = deployment("wrong", "list")
    assert refused.returncode != 0
    assert "Unauthorized api_key" in refused.stdout + refused.stderr
    forbidden = deployment(acme.infer, "pause", "gates")
    assert forbidden.returncode != 0
    assert "needs the scope manage" in forbidden.stdout + forbidden.stderr


def test_no_key_lies_in_any_file_of_the_server(server, acme, bolts, endpoint, made, database_url):
    """After all the requests above, and some that fail: neither in logs nor in the database."""
    run(server, acme.infer, specification={"version": "1.0"})
    httpx.get(f"{server.url}/plates/none", params={"api_key": acme.infer}, timeout=60)
    httpx.get(f"{server.url}/no/such/path/at/all", params={"api_key": acme.infer}, timeout=60)
    with socket.create_connection(("127.0.0.1", server.port)) as broken:
        broken.sendall(f"GET /x?api_key={acme.infer} HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n".encode())
        assert broken.recv(100).startswith(b"HTTP/1.1 400")
    time.sleep(1.0)  # files are written behind the answers
    secrets = [key.split("_", 2)[2].encode() for key in made]
    state = Path(database_url.removeprefix("sqlite:///")).parent
    seen = 0
    for path in (*server.log_dir.parent.rglob("*"), *state.rglob("*")):
        if path.is_file() and not path.is_symlink():
            text = path.read_bytes()
            seen += len(text)
            assert not [secret for secret in secrets if secret in text], path
    assert len(secrets) >= 4
    assert seen > 10_000
    assert not [key for key in made if key in server.output]
