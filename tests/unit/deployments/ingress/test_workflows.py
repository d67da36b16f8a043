import asyncio
import base64
import json
import logging

import httpx
import pytest

from deployments.dataplane.service import WorkflowService
from deployments.errors import OverloadedError
from deployments.ingress.app import create_app
from deployments.observability.logs import FieldsFormatter
from tests.unit.deployments.fake_backend import eventually, found_boxes
from tests.unit.deployments.ingress.conftest import SPECIFICATION


@pytest.mark.parametrize("path", ["/workflows/run", "/infer/workflows"])
async def test_an_inline_definition_runs(client, specification, image, path):
    answer = await client.post(path, json={"specification": specification, "inputs": {"image": image}})
    assert answer.status_code == 200
    body = answer.json()
    assert list(body) == ["outputs", "profiler_trace"]
    assert body["profiler_trace"] == []
    (output,) = body["outputs"]
    assert output["texts"] == ["AB 12"]
    (box,) = output["predictions"]["predictions"]
    assert (box["x"], box["y"], box["width"], box["height"]) == (5.0, 2.5, 6.0, 3.0)
    assert box["parent_id"] == "image"


@pytest.mark.parametrize("path", ["/acme/workflows/plates", "/infer/workflows/acme/plates"])
async def test_a_saved_definition_runs_and_is_named_in_the_headers(client, image, path):
    answer = await client.post(path, json={"api_key": None, "use_cache": True, "inputs": {"image": image}})
    assert answer.status_code == 200
    assert answer.headers["x-workflow-id"] == "plates"


async def test_one_answer_for_each_image_of_a_batch(client, specification, image):
    answer = await client.post(
        "/workflows/run", json={"specification": specification, "inputs": {"image": [image] * 2}}
    )
    parents = [o["predictions"]["predictions"][0]["parent_id"] for o in answer.json()["outputs"]]
    assert parents == ["image.[0]", "image.[1]"]


async def test_excluded_outputs_are_left_out(client, specification, image):
    body = {"specification": specification, "inputs": {"image": image}, "excluded_fields": ["predictions", "nope"]}
    answer = await client.post("/workflows/run", json=body)
    assert list(answer.json()["outputs"][0]) == ["texts"]


async def test_headers_tell_models_loads_and_times(client, specification, image):
    answer = await client.post(
        "/workflows/run",
        json={"specification": specification, "inputs": {"image": image}},
        headers={"X-Request-ID": "mine"},
    )
    headers = answer.headers
    assert headers["x-request-id"] == "mine"
    assert headers["x-model-id"] == "doctr/default,plates/1"
    assert headers["x-model-cold-start"] == "true"
    assert headers["x-model-cold-start-count"] == "2"
    assert "detector.queue;dur=1.0, detector.transfer;dur=2.0, detector.compute;dur=3.0" in headers["server-timing"]
    assert float(headers["x-processing-time"]) > 0


async def test_every_step_has_its_times_wherever_it_ran(client, specification, image, backend):
    backend.said["plates/1"] = found_boxes()  # so that the reader has nothing to do
    specification["steps"] += [
        {"type": "DetectionOffset", "name": "wider", "predictions": "$steps.detector.predictions"}
        | {"offset_width": 2, "offset_height": 2},
        {"type": "Crop", "name": "wider_crop", "image": "$inputs.image", "predictions": "$steps.wider.predictions"},
        {"type": "PropertyDefinition", "name": "count", "data": "$steps.detector.predictions"}
        | {"operations": [{"type": "SequenceLength"}]},
    ]
    specification["outputs"] += [
        {"type": "JsonField", "name": "crops", "selector": "$steps.wider_crop.crops"},
        {"type": "JsonField", "name": "count", "selector": "$steps.count.output"},
    ]
    answer = await client.post("/workflows/run", json={"specification": specification, "inputs": {"image": image}})
    assert answer.status_code == 200, answer.text
    told = answer.headers["server-timing"]
    for step in ("detector", "crop", "reader", "wider", "wider_crop", "count"):
        for part in ("queue", "transfer", "compute"):
            assert f"{step}.{part};dur=" in told


async def test_no_boxes_give_no_texts(client, specification, image, backend):
    backend.said["plates/1"] = found_boxes()
    answer = await client.post("/workflows/run", json={"specification": specification, "inputs": {"image": image}})
    assert answer.json()["outputs"] == [
        {"predictions": {"image": {"width": 10, "height": 5}, "predictions": []}, "texts": []}
    ]


async def test_a_model_that_does_not_exist_keeps_its_status_inside_a_step(client, specification, image):
    specification["steps"][0]["model_id"] = "nope/1"
    answer = await client.post("/workflows/run", json={"specification": specification, "inputs": {"image": image}})
    assert answer.status_code == 404
    body = answer.json()
    assert body["error_type"] == "ClientCausedStepExecutionError"
    assert [problem["block_id"] for problem in body["blocks_errors"]] == ["detector"]
    assert answer.headers["x-model-id"] == "nope/1"


async def test_a_full_queue_is_not_the_fault_of_a_step(client, specification, image, backend):
    backend.error = OverloadedError("the queue is full")
    answer = await client.post("/workflows/run", json={"specification": specification, "inputs": {"image": image}})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json() == {"message": "the queue is full"}


async def test_a_request_over_its_time_is_ended_and_its_work_cancelled(client, specification, image, backend):
    backend.wait_s = 60
    answer = await client.post(
        "/workflows/run",
        json={"specification": specification, "inputs": {"image": image}},
        headers={"x-request-timeout-seconds": "1"},
    )
    assert answer.status_code == 504
    assert answer.json()["error_type"] == "DeadlineExceededError"
    assert backend.cancelled == 1


async def test_a_client_that_hangs_up_leaves_no_work_behind(client, specification, image, backend):
    backend.wait_s = 60
    body = {"specification": specification, "inputs": {"image": image}}
    waiting = asyncio.create_task(client.post("/workflows/run", json=body))
    await eventually(lambda: backend.options)
    waiting.cancel()
    await eventually(lambda: backend.cancelled == 1)


@pytest.mark.parametrize("time_s", ["0", "-1", "nan", "inf", "soon"])
async def test_a_timeout_that_is_no_positive_number_is_refused(client, specification, image, time_s):
    answer = await client.post(
        "/workflows/run",
        json={"specification": specification, "inputs": {"image": image}},
        headers={"x-request-timeout-seconds": time_s},
    )
    assert answer.status_code == 400


async def test_a_body_without_its_fields_is_unprocessable(client):
    answer = await client.post("/infer/workflows", json={})
    assert answer.status_code == 422
    assert answer.json() == {
        "detail": [
            {"type": "missing", "loc": ["body", "inputs"], "msg": "Field required", "input": {}},
            {"type": "missing", "loc": ["body", "specification"], "msg": "Field required", "input": {}},
        ]
    }


@pytest.mark.parametrize(
    ("path", "content", "kind", "place"),
    [
        ("/infer/workflows", b"not json", "json_invalid", ["body", 0]),
        ("/infer/workflows", b"{nope}", "json_invalid", ["body", 1]),
        ("/infer/workflows", b"\xff\xfe{}", "json_invalid", ["body", 0]),
        ("/infer/workflows", b"[" * 100_000, "json_invalid", ["body", 0]),
        ("/infer/workflows", b"", "missing", ["body"]),
        ("/infer/workflows", b"[]", "model_attributes_type", ["body"]),
        ("/workflows/validate", b"[]", "dict_type", ["body"]),
        ("/workflows/run", b'{"specification": {}, "inputs": null}', "dict_type", ["body", "inputs"]),
        ("/workflows/run", b'{"specification": "x", "inputs": {}}', "dict_type", ["body", "specification"]),
    ],
)
async def test_a_body_that_cannot_be_read_is_unprocessable(client, path, content, kind, place):
    answer = await client.post(path, content=content)
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert (problem["type"], problem["loc"]) == (kind, place)


async def test_numbers_that_are_none_are_read_as_python_reads_them(client, specification, image):
    specification["steps"][0]["confidence"] = 0.4
    body = {"specification": specification, "inputs": {"image": image, "unused": float("nan")}}
    answer = await client.post("/workflows/run", content=json.dumps(body))
    assert answer.status_code == 200


async def test_errors_never_echo_images_or_keys(client, image):
    answer = await client.post("/workflows/run", json={"inputs": {"image": image}, "api_key": "secret-key"})
    assert answer.status_code == 422
    assert "secret-key" not in answer.text
    assert image["value"] not in answer.text


async def test_a_body_over_the_limit_is_refused(client, specification):
    image = {"type": "base64", "value": base64.b64encode(bytes(100_000)).decode()}
    answer = await client.post("/workflows/run", json={"specification": specification, "inputs": {"image": image}})
    assert answer.status_code == 413
    assert list(answer.json()) == ["message"]


async def test_too_many_images_are_refused(client, specification, image):
    answer = await client.post(
        "/workflows/run", json={"specification": specification, "inputs": {"image": [image] * 4}}
    )
    assert answer.status_code == 400
    assert "3" in answer.json()["message"]


async def test_too_many_steps_are_refused(client, specification, image):
    specification["steps"] += [{"type": "Crop", "name": f"c{i}"} for i in range(10)]
    answer = await client.post("/workflows/run", json={"specification": specification, "inputs": {"image": image}})
    assert answer.status_code == 400


async def test_a_path_on_the_server_is_never_read(client, specification):
    for kind in ("file", "numpy", "pil", "numpy_object"):
        inputs = {"image": {"type": kind, "value": "/etc/hostname"}}
        answer = await client.post("/workflows/run", json={"specification": specification, "inputs": inputs})
        assert answer.status_code == 400
        assert answer.json()["error_type"] == "RuntimeInputError"


async def test_validate_compiles_and_looks_at_no_model(client, specification, backend):
    specification["steps"][0]["model_id"] = "nope/1"
    answer = await client.post("/workflows/validate", json=specification)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert backend.loaded == []


async def test_validate_says_that_it_takes_the_bare_definition(client, specification):
    answer = await client.post("/workflows/validate", json={"specification": specification})
    assert answer.status_code == 400
    assert answer.json()["error_type"] == "WorkflowSyntaxError"
    assert "the definition itself" in answer.json()["message"]


async def test_validate_refuses_what_would_not_run(client, specification):
    specification["steps"][0]["image"] = "$inputs.nope"
    answer = await client.post("/workflows/validate", json=specification)
    assert answer.status_code == 400
    assert answer.json()["error_type"] == "InvalidReferenceTargetError"


@pytest.mark.parametrize(
    ("headers", "key", "status"),
    [
        ({}, None, 400),
        ({}, "", 400),
        ({}, "None", 400),
        ({}, "any", 200),
        ({"Authorization": "Bearer any"}, None, 200),
        ({"Authorization": "Basic any"}, None, 400),
    ],
)
async def test_describing_an_interface_takes_a_key(client, specification, headers, key, status):
    body = {"specification": specification, "api_key": key}
    answer = await client.post("/workflows/describe_interface", json=body, headers=headers)
    assert answer.status_code == status


async def test_an_interface_is_described_in_kinds(client):
    answer = await client.post("/acme/workflows/plates/describe_interface", json={"api_key": "k"})
    body = answer.json()
    assert body["inputs"] == {"image": ["image"]}
    assert body["outputs"] == {"predictions": ["object_detection_prediction"], "texts": ["string"]}
    assert body["typing_hints"] == {"object_detection_prediction": "dict", "string": "str", "image": "dict"}
    assert set(body["kinds_schemas"]) == {"object_detection_prediction", "image"}


async def test_an_output_that_repeats_an_input_has_its_kinds(client, specification):
    specification["outputs"] = [{"type": "JsonField", "name": "echo", "selector": "$inputs.image"}]
    answer = await client.post("/workflows/describe_interface", json={"specification": specification, "api_key": "k"})
    assert answer.json()["outputs"] == {"echo": ["image"]}


async def test_an_output_of_a_whole_step_has_the_kinds_of_each_property(client, specification):
    specification["outputs"] = [{"type": "JsonField", "name": "all", "selector": "$steps.crop.*"}]
    answer = await client.post("/workflows/describe_interface", json={"specification": specification, "api_key": "k"})
    assert answer.json()["outputs"]["all"]["crops"] == ["image"]


async def test_a_saved_definition_that_does_not_exist_is_404_with_the_nearest(client, image):
    answer = await client.post("/acme/workflows/plate", json={"inputs": {"image": image}})
    assert answer.status_code == 404
    assert "acme/plates" in answer.json()["message"]


async def test_values_nested_without_end_are_the_clients_fault(client):
    document = {
        "version": "1.0",
        "inputs": [{"type": "WorkflowParameter", "name": "p"}],
        "steps": [],
        "outputs": [{"type": "JsonField", "name": "p", "selector": "$inputs.p"}],
    }
    text = f'{{"specification": {json.dumps(document)}, "inputs": {{"p": {"[" * 900 + "]" * 900}}}}}'
    answer = await client.post("/workflows/run", content=text)
    assert answer.status_code == 400


@pytest.mark.parametrize("text", [b'"\\ud800"', b'["\\udc00\\ud800"]', b'{"\\ud83d": 1}'])
async def test_half_a_surrogate_pair_is_unprocessable(client, text):
    content = b'{"specification": {}, "inputs": {"text": ' + text + b"}}"
    answer = await client.post("/workflows/run", content=content)
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["type"] == "json_invalid"
    assert problem["ctx"]["error"].startswith("half of a surrogate pair")


async def test_a_whole_surrogate_pair_is_one_character(client):
    text = await _echo_of(client, b'["\\ud83d\\ude97", NaN]')
    assert text == ["🚗", None]


async def test_whole_numbers_of_any_length_are_read_whatever_else_the_body_holds(client):
    assert await _echo_of(client, b"[" + b"9" * 5000 + b", 12345678901234567890123, NaN]") == [
        None,  # infinite
        12345678901234567890123.0,
        None,
    ]


async def _echo_of(client, value):
    document = {
        "version": "1.0",
        "inputs": [{"type": "WorkflowParameter", "name": "value"}],
        "steps": [],
        "outputs": [{"type": "JsonField", "name": "value", "selector": "$inputs.value"}],
    }
    content = b'{"specification": ' + json.dumps(document).encode() + b', "inputs": {"value": ' + value + b"}}"
    answer = await client.post("/workflows/run", content=content)
    assert answer.status_code == 200
    return answer.json()["outputs"][0]["value"]


async def test_a_saved_run_leaves_one_line_with_its_name_and_without_keys(client, image, caplog):
    with caplog.at_level(logging.INFO, logger="deployments.ingress.access"):
        await client.post(
            "/acme/workflows/plates?api_key=secret-1",
            json={"inputs": {"image": image}, "api_key": "secret-2"},
            headers={"Authorization": "Bearer secret-3"},
        )
    (record,) = caplog.records
    line = FieldsFormatter().format(record)
    assert "workflow=plates" in line
    assert "status=200" in line
    assert "secret" not in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("body", "error"),
    [({}, "RequestValidationError"), ({"inputs": {}}, "RuntimeInputError")],
)
async def test_a_line_names_what_went_wrong(client, caplog, body, error):
    with caplog.at_level(logging.INFO, logger="deployments.ingress.access"):
        await client.post("/acme/workflows/plates", json=body)
    (record,) = caplog.records
    assert record.error == error


class Kept:
    """Saved workflows as a database has them: two versions of one."""

    VERSIONS = ('{"version": "1.0", "inputs": [], "steps": [], "outputs": []}', json.dumps(SPECIFICATION))

    def find(self, workspace, workflow, version):
        if (workspace, workflow) != ("acme", "stored"):
            return None
        numbered = {None: 1, "1": 0, "2": 1}
        return self.VERSIONS[numbered[version]] if version in numbered else None


@pytest.fixture
async def stored_client(backend, settings):
    service = WorkflowService(backend, settings, workflow_source=Kept)
    transport = httpx.ASGITransport(app=create_app(lambda: service))
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        yield client


async def test_a_stored_workflow_runs_as_a_file_does_and_in_the_version_that_is_asked_for(stored_client, image):
    async def run(workflow, **more):
        return await stored_client.post(f"/acme/workflows/{workflow}", json={"inputs": {"image": image}} | more)

    stored = await run("stored")
    assert (stored.status_code, stored.json()["outputs"][0]["texts"]) == (200, ["AB 12"])
    assert stored.headers["x-workflow-id"] == "stored"
    assert set((await run("stored", workflow_version_id="1")).json()["outputs"][0]) == set()
    missing = await run("stored", workflow_version_id="3")
    assert (missing.status_code, "version '3' of acme/stored does not exist" in missing.text) == (404, True)
    assert (await run("store")).status_code == 404


async def test_a_saved_workflow_is_told_as_servers_of_the_vendors_kind_fetch_it(stored_client):
    """Source: the answer that the 1.8.3 server reads, `workflow.config` a JSON text with a `specification`."""
    for name, version, document in (("stored", "2", SPECIFICATION), ("plates", None, SPECIFICATION)):
        answer = await stored_client.get(
            f"/acme/workflows/{name}", params={} if version is None else {"workflow_version": version}
        )
        told = answer.json()["workflow"]
        assert (told["id"], json.loads(told["config"])) == (name, {"specification": document})
    assert (await stored_client.get("/acme/workflows/none")).status_code == 404
