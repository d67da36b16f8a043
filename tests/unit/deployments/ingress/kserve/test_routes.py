import numpy as np
import pytest

from deployments.errors import OverloadedError
from deployments.models.errors import ModelUnavailableError

BODY = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1.5, 2]}]}


async def test_the_server_says_who_it_is(client):
    answer = (await client.get("/v2")).json()
    assert answer["name"] == "sightline"
    assert "binary_tensor_data" in answer["extensions"]


async def test_live_and_ready_are_statuses(client, backend):
    assert (await client.get("/v2/health/live")).status_code == 200
    assert (await client.get("/v2/health/ready")).status_code == 200
    backend.is_ready = False
    assert (await client.get("/v2/health/ready")).status_code == 503


async def test_a_model_is_ready_once_it_is_loaded(client):
    assert (await client.get("/v2/models/plates/versions/1/ready")).status_code == 503
    await client.post("/v2/models/plates/versions/1/infer", json=BODY)
    assert (await client.get("/v2/models/plates/versions/1/ready")).status_code == 200
    assert (await client.get("/v2/models/plates/1/ready")).status_code == 200
    index = (await client.post("/v2/repository/index", json={})).json()
    assert index == [{"name": "plates", "version": "1", "state": "READY", "reason": ""}]


@pytest.mark.parametrize("path", ["/v2/models/plates/versions/1", "/v2/models/plates/1"])
async def test_metadata_and_configuration_of_a_model(client, path):
    metadata = (await client.get(path)).json()
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]
    assert metadata["versions"] == ["1"]
    assert (await client.get(f"{path}/config")).json()["max_batch_size"] == 4


async def test_tensors_in_json_are_answered_in_json(client):
    answer = await client.post("/v2/models/plates/versions/1/infer", json=BODY | {"id": "7"})
    assert answer.json() == {
        "model_name": "plates",
        "model_version": "1",
        "id": "7",
        "outputs": [{"name": "twice", "datatype": "FP32", "shape": [1, 2], "data": [3.0, 4.0]}],
    }


async def test_binary_tensors_are_answered_with_the_length_of_the_json(client):
    answer = await client.post("/v2/models/plates/1/infer", json=BODY | {"parameters": {"binary_data_output": True}})
    length = int(answer.headers["Inference-Header-Content-Length"])
    assert answer.headers["content-type"] == "application/octet-stream"
    assert np.frombuffer(answer.content[length:], "<f4").tolist() == [3, 4]


async def test_a_model_that_is_not_there_is_an_error_in_the_protocols_shape(client):
    answer = await client.post("/v2/models/nope/versions/1/infer", json=BODY)
    assert (answer.status_code, answer.json()) == (404, {"error": "no model 'nope/1'"})


async def test_a_body_that_is_wrong_says_why_in_the_protocols_shape(client):
    answer = await client.post("/v2/models/plates/1/infer", content=b"{")
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    packed = await client.post("/v2/models/plates/1/infer", content=b"x", headers={"Content-Encoding": "gzip"})
    assert packed.status_code == 400
    assert "Content-Encoding" in packed.json()["error"]


@pytest.mark.parametrize("error", [OverloadedError("full"), ModelUnavailableError("away", "plates/1")])
async def test_what_will_be_better_later_says_so(client, backend, error):
    backend.error = error
    answer = await client.post("/v2/models/plates/1/infer", json=BODY)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


async def test_what_nobody_foresaw_says_nothing_of_the_inside(client, backend):
    backend.error = RuntimeError("secret")
    answer = await client.post("/v2/models/plates/1/infer", json=BODY)
    assert (answer.status_code, answer.json()) == (500, {"error": "Internal error."})


async def test_the_timeout_of_the_protocol_ends_the_work(client, backend):
    backend.wait_s = 5
    answer = await client.post("/v2/models/plates/1/infer", json=BODY | {"parameters": {"timeout": 20_000}})
    assert answer.status_code == 504
    assert backend.cancelled == 1


@pytest.mark.parametrize("name", ["plates", "my-plates"])
async def test_the_version_is_the_servers_choice_where_none_is_asked_for(client, name):
    assert (await client.get(f"/v2/models/{name}/ready")).status_code == 503
    answer = await client.post(f"/v2/models/{name}/infer", json=BODY)
    assert (answer.status_code, answer.json()["model_name"], answer.json()["model_version"]) == (200, name, "1")
    assert (await client.get(f"/v2/models/{name}/ready")).status_code == 200
    assert (await client.get(f"/v2/models/{name}")).json()["versions"] == ["1"]
    assert (await client.get(f"/v2/models/{name}/config")).status_code == 200


async def test_a_model_that_is_not_there_cannot_become_ready(client):
    answer = await client.get("/v2/models/nope/ready")
    assert (answer.status_code, list(answer.json())) == (404, ["error"])
    assert (await client.get("/v2/models/torn/1/ready")).status_code == 503
