import pytest

CROP = {"type": "Crop", "name": "crop", "image": "$inputs.image", "predictions": "$steps.detector.predictions"}
NULLS = [
    "total_vram_bytes",
    "gpu_memory_used",
    "gpu_memory_total",
    "torch_cuda_allocated",
    "torch_cuda_reserved",
    "torch_cuda_allocator_cache",
    "non_torch_gpu_memory",
]


async def test_the_server_says_who_it_is(client):
    answer = await client.get("/info")
    assert {key: type(value) for key, value in answer.json().items()} == {"name": str, "version": str, "uuid": str}


async def test_health_and_readiness_are_different_questions(client, backend):
    backend.is_ready = False
    assert (await client.get("/healthz")).json() == {"status": "healthy"}
    answer = await client.get("/readiness")
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready"})
    backend.is_ready = True
    answer = await client.get("/readiness")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


async def test_models_are_listed_with_their_nulls(client, backend):
    backend.loaded = ["plates/1"]
    answer = await client.get("/model/registry?api_key=None")
    assert answer.json() == {
        "models": [
            {
                "model_id": "plates/1",
                "task_type": "object-detection",
                "batch_size": None,
                "input_height": 640,
                "input_width": 480,
                "vram_bytes": None,
                "request_aliases": [],
                "request_paths": [],
            }
        ],
        **dict.fromkeys(NULLS),
    }


async def test_a_text_recognizer_is_listed_in_the_words_of_the_wire(client, backend):
    backend.loaded = ["doctr/default"]
    (listed,) = (await client.get("/model/registry")).json()["models"]
    assert listed["task_type"] == "ocr"
    assert (listed["input_height"], listed["input_width"]) == (None, None)


async def test_a_model_is_added_and_removed(client):
    answer = await client.post("/model/add", json={"model_id": "plates/1", "api_key": "k"})
    assert [model["model_id"] for model in answer.json()["models"]] == ["plates/1"]
    assert answer.headers["x-model-cold-start"] == "true"
    answer = await client.post("/model/remove", json={"model_id": "plates/1"})
    assert answer.json()["models"] == []


async def test_removing_what_is_not_loaded_changes_nothing(client, backend):
    answer = await client.post("/model/remove", json={"model_id": "nope/1"})
    assert (answer.status_code, answer.json()["models"]) == (200, [])


async def test_adding_an_unknown_model_is_404(client):
    answer = await client.post("/model/add", json={"model_id": "nope/1"})
    assert answer.status_code == 404
    assert list(answer.json()) == ["message"]


async def test_all_models_are_cleared_without_a_body(client, backend):
    backend.loaded = ["plates/1"]
    answer = await client.post("/model/clear")
    assert answer.json()["models"] == []


async def test_old_clients_clear_and_start_models(client, backend):
    answer = await client.get("/start/plates/1")
    assert answer.json()["status"] == 200
    assert backend.loaded == ["plates/1"]
    answer = await client.get("/clear_cache")
    assert answer.json() == "Cache Cleared"
    assert backend.loaded == []


async def test_the_version_of_the_language_is_the_newest_of_the_reference(client):
    assert (await client.get("/workflows/execution_engine/versions")).json() == {"versions": ["1.17.0"]}


@pytest.mark.parametrize("path", ["/workflows/definition/schema", "/workflows/blocks/describe"])
async def test_large_descriptions_are_compressed_only_when_asked_for(client, path):
    plain = await client.get(path, headers={"Accept-Encoding": "identity"})
    small = await client.get(path, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert plain.json() == small.json()


async def test_nothing_else_is_compressed(client):
    answer = await client.get("/model/registry", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers


async def test_blocks_are_described_with_and_without_a_body(client):
    for answer in (
        await client.post("/workflows/blocks/describe", json={}),
        await client.post("/workflows/blocks/describe"),
    ):
        assert {"blocks", "declared_kinds", "kinds_connections", "primitives_connections"} <= set(answer.json())


async def test_outputs_of_one_step_are_described(client):
    answer = await client.post("/workflows/blocks/dynamic_outputs", json=CROP)
    assert "crops" in [output["name"] for output in answer.json()]


@pytest.mark.parametrize("step", [{"type": "nope", "name": "x"}, {}, {"type": "Crop", "name": "crop"}, 5])
async def test_outputs_of_a_step_that_makes_no_sense_are_an_error(client, step):
    answer = await client.post("/workflows/blocks/dynamic_outputs", json=step)
    assert answer.status_code == 400
    assert answer.json()["error_type"] == "WorkflowSyntaxError"


async def test_a_language_that_is_not_served_has_no_blocks(client):
    answer = await client.post("/workflows/blocks/describe", json={"execution_engine_version": "9.0"})
    assert answer.json()["blocks"] == []


async def test_a_language_version_that_is_none_is_refused(client):
    answer = await client.post("/workflows/blocks/describe", json={"execution_engine_version": "abc"})
    assert answer.status_code == 400


async def test_paths_that_nothing_takes_are_404(client):
    answer = await client.get("/nothing/at/all")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})
    assert "x-request-id" in answer.headers


async def test_metrics_name_routes_and_never_paths(client):
    await client.get("/nothing/at/all")
    await client.get("/healthz")
    text = (await client.get("/metrics")).text
    assert 'http_requests_total{method="GET",route="/healthz",status="200"}' in text
    assert "/nothing/at/all" not in text


async def test_pages_of_other_origins_may_read_the_headers(client):
    answer = await client.get("/info", headers={"Origin": "http://page.example"})
    assert answer.headers["access-control-allow-origin"] == "http://page.example"
    assert "Server-Timing" in answer.headers["access-control-expose-headers"]


async def test_the_interface_is_documented(client):
    assert (await client.get("/docs")).status_code == 200
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert "requestBody" in paths["/workflows/run"]["post"]
