"""A server with one whole model and every kind of broken one: they are refused with their reasons, it answers."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import cv2
import httpx
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from deployments.dataplane.local_backend import LocalBackend
from deployments.dataplane.service import WorkflowService
from deployments.ingress.app import create_app
from deployments.models.loading import load_model
from deployments.models.offer import offer
from deployments.models.registry import ModelRegistry
from deployments.settings import EngineSettings, IngressSettings
from tests.unit.deployments.models.builders import (
    write_add_graph,
    write_constant_detector,
    write_package,
    yolov8_output,
)

PLATE = yolov8_output([(32, 32, 16, 8, 0.9)])


def weights(folder: Path) -> Path:
    return folder / "weights.onnx"


def cut_off(folder: Path) -> None:
    weights(folder).write_bytes(weights(folder).read_bytes()[:-40])


def pickled(folder: Path) -> None:
    weights(folder).write_bytes(pickle.dumps({"weights": [1, 2, 3]}))


def long_field(folder: Path) -> None:
    weights(folder).write_bytes(b"\x08\x08\x3a\xff\xff\xff\xff\x07")  # a graph of 2 GiB


def changed(folder: Path, change: Callable[[onnx.ModelProto], None]) -> None:
    model = onnx.load(weights(folder))
    change(model)
    weights(folder).write_bytes(model.SerializeToString())


def long_tensor(folder: Path) -> None:
    changed(folder, lambda model: model.graph.initializer[0].dims.append(2**31))


def elsewhere(folder: Path) -> None:
    (folder.parent.parent / "secret").write_bytes(bytes(1000))

    def move(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../../secret")

    changed(folder, move)


def huge_picture(folder: Path) -> None:
    def grow(model: onnx.ModelProto) -> None:
        for axis in (2, 3):
            model.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = 1_000_000

    changed(folder, grow)


def unknown_operation(folder: Path) -> None:
    changed(folder, lambda model: setattr(model.graph.node[0], "op_type", "Teleport"))


def no_names(folder: Path) -> None:
    (folder / "class_names.txt").unlink()


def never_batches(folder: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("ReduceMax", ["images"], ["most"], axes=[0, 1], keepdims=0)],
        "graph",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["b", 3, 64, 64])],
        [helper.make_tensor_value_info("most", TensorProto.FLOAT, [64, 64])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), weights(folder))


BROKEN: dict[str, tuple[Callable[[Path], object], int, str]] = {
    "cut off": (cut_off, 500, "weights.onnx is no whole ONNX file"),
    "a pickle": (pickled, 500, "weights.onnx is a Python pickle; it must be an ONNX file"),
    "a lie of 2 GB": (long_field, 500, "claims 2147483647 bytes"),
    "a tensor of 2 GB": (long_tensor, 500, "elements, and"),
    "weights elsewhere": (elsewhere, 500, "outside of the model's folder"),
    "a huge picture": (huge_picture, 500, "demands batches of 1 pictures of 1000000x1000000 px"),
    "an unknown operation": (unknown_operation, 500, "do not load"),
    "no names": (no_names, 500, "names no classes; write class_names.txt"),
    "another network": (lambda folder: write_add_graph(weights(folder)), 500, "takes one batch of pictures"),
    "no batches": (never_batches, 500, "the first axis of its outputs must be the batch"),
    "another shape": (
        lambda folder: write_constant_detector(weights(folder), np.zeros((25200, 85), np.float32)),
        500,
        "its network gives output0[1, 25200, 85]",
    ),
    "an unknown architecture": (
        lambda folder: (folder / "model_config.json").write_text('{"model_architecture": "yolox"}'),
        501,
        "has architecture 'yolox'; object detectors served here are",
    ),
    "no configuration": (
        lambda folder: (folder / "model_config.json").unlink(),
        500,
        "model_config.json is missing beside inference_config.json",
    ),
    "a torn configuration": (
        lambda folder: (folder / "inference_config.json").write_text('{"network_input": {'),
        500,
        "inference_config.json is not valid JSON",
    ),
}
"""Kind -> what breaks a whole package, the status, and a part of what is said."""


def package_id(kind: str) -> str:
    return f"broken/{kind.replace(' ', '-')}"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    for kind, (break_it, _, _) in BROKEN.items():
        folder = write_package(tmp_path / package_id(kind))
        break_it(folder)
    folder = write_package(tmp_path / "plates" / "1")
    write_constant_detector(weights(folder), PLATE)
    folder = write_package(tmp_path / "broken" / "numbers")
    write_constant_detector(weights(folder), np.full((5, 12), np.nan, np.float32))
    offered = offer(tmp_path)
    loader = partial(load_model, settings=EngineSettings(device="cpu"))
    backend = LocalBackend(ModelRegistry(offered.packages, loader, refused=offered.refused))
    service = WorkflowService(backend, IngressSettings())
    transport = httpx.ASGITransport(app=create_app(lambda: service))
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        yield client
    backend.close()


async def ask(client: httpx.AsyncClient, model_id: str) -> httpx.Response:
    encoded = cv2.imencode(".png", np.zeros((64, 64, 3), dtype=np.uint8))[1].tobytes()
    image = {"type": "base64", "value": base64.b64encode(encoded).decode()}
    return await client.post("/infer/object_detection", json={"model_id": model_id, "image": image})


async def test_each_is_refused_with_its_reason_and_the_whole_one_answers_after_it(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    for kind, (_, status, message) in BROKEN.items():
        for _ in range(2):  # a refusal is no state
            refused = await ask(client, package_id(kind))
            assert (kind, refused.status_code) == (kind, status)
            assert message in refused.json()["message"]
            assert package_id(kind) in refused.json()["message"]
            assert str(tmp_path) not in refused.text
        answered = await ask(client, "plates/1")
        assert answered.status_code == 200
        assert [box["class"] for box in answered.json()["predictions"]] == ["plate"]


async def test_a_network_that_gives_no_numbers_answers_that_it_finds_nothing(client: httpx.AsyncClient) -> None:
    answered = await ask(client, "broken/numbers")
    assert answered.status_code == 200
    assert json.loads(answered.text)["predictions"] == []


async def test_a_workflow_with_a_broken_model_fails_in_its_step_and_names_the_reason(
    client: httpx.AsyncClient,
) -> None:
    step = {"type": "ObjectDetectionModel", "name": "detector", "image": "$inputs.image"}
    specification = {
        "version": "1.0",
        "inputs": [{"type": "WorkflowImage", "name": "image"}],
        "steps": [step | {"model_id": package_id("cut off")}],
        "outputs": [{"type": "JsonField", "name": "found", "selector": "$steps.detector.predictions"}],
    }
    encoded = cv2.imencode(".png", np.zeros((64, 64, 3), dtype=np.uint8))[1].tobytes()
    inputs = {"image": {"type": "base64", "value": base64.b64encode(encoded).decode()}}
    refused = await client.post("/workflows/run", json={"specification": specification, "inputs": inputs})
    assert refused.status_code == 500
    assert "weights.onnx is no whole ONNX file" in refused.text
    assert (await ask(client, "plates/1")).status_code == 200
