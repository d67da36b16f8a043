import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.errors import InvalidRequestError
from deployments.ingress.kserve.http_messages import read_inference, timeout_of, write_inference
from deployments.ingress.kserve.model_names import AskedModel

ASKED = AskedModel(name="plates", version="1")
X = {"name": "x", "datatype": "FP32", "shape": [1, 2]}
RAW = np.array([[1.5, 2.0]], dtype="<f4").tobytes()


def text(**changes):
    return json.dumps({"inputs": [{**X, "data": [1.5, 2]}], **changes}).encode()


def binary_input(**changes):
    return text(inputs=[{**X, "parameters": {"binary_data_size": 8}}], **changes)


def test_tensors_in_the_json_are_read():
    inference = read_inference(text(id="7", outputs=[{"name": "twice"}]), None)
    assert_array_equal(inference.question.feeds["x"], [[1.5, 2]])
    assert inference.question.outputs == ("twice",)
    assert (inference.request_id, inference.binary, inference.timeout_us) == ("7", frozenset(), None)


def test_bytes_behind_the_json_belong_to_the_inputs_in_order():
    both = [{**X, "parameters": {"binary_data_size": 8}}, {**X, "name": "y", "parameters": {"binary_data_size": 8}}]
    head = text(inputs=both)
    inference = read_inference(head + RAW + np.zeros(2, "<f4").tobytes(), str(len(head)))
    assert_array_equal(inference.question.feeds["x"], [[1.5, 2]])
    assert_array_equal(inference.question.feeds["y"], [[0, 0]])


@pytest.mark.parametrize(
    ("parameters", "outputs", "expected"),
    [
        ({}, [], frozenset()),
        ({"binary_data_output": True}, [], None),
        ({}, [{"name": "a", "parameters": {"binary_data": True}}, {"name": "b"}], frozenset("a")),
        ({"binary_data_output": True}, [{"name": "a", "parameters": {"binary_data": False}}, {"name": "b"}], {"b"}),
    ],
)
def test_outputs_are_bytes_where_that_is_asked_for(parameters, outputs, expected):
    assert read_inference(text(parameters=parameters, outputs=outputs), None).binary == expected


@pytest.mark.parametrize(
    ("raw", "header", "message"),
    [
        (b"{", None, "the request is no JSON"),
        (b"[]", None, "does not fit the protocol: the body: Input should be"),
        (b"{}", None, "inputs: Field required"),
        (text(), "x", "it must be the length of the JSON"),
        (text(), "100000", "it must be the length of the JSON"),
        (text(inputs=[X]), None, "neither data nor the parameter binary_data_size"),
        (binary_input(), None, "behind the JSON are 0 bytes more"),
        (binary_input() + RAW + b"z", str(len(binary_input())), "1 bytes behind the JSON belong to no input"),
        (text(inputs=[{**X, "data": [1, 2]}, {**X, "data": [1, 2]}]), None, "'x' is there twice"),
        (text(inputs=[{**X, "parameters": {"shared_memory_region": "a"}}]), None, "shared memory is not offered"),
        (text(outputs=[{"name": "t", "parameters": {"classification": 3}}]), None, "classification extension"),
        (text(parameters={"sequence_id": 3}), None, "sequences are not offered"),
        (text(inputs=[{**X, "shape": [-1, 2], "data": [1, 2]}]), None, "inputs.0.shape.0: Input should be greater"),
    ],
)
def test_what_is_wrong_is_said(raw, header, message):
    with pytest.raises(InvalidRequestError) as caught:
        read_inference(raw, header)
    assert message in caught.value.message


@pytest.mark.parametrize(("value", "expected"), [(None, None), (0, None), (1500, 1500)])
def test_a_timeout_is_microseconds(value, expected):
    assert timeout_of(value) == expected


@pytest.mark.parametrize("value", [-1, 1.5, "2", True])
def test_a_timeout_that_is_none_is_refused(value):
    with pytest.raises(InvalidRequestError, match="number of microseconds"):
        timeout_of(value)


def test_an_answer_has_bytes_only_where_they_were_asked_for():
    answer = {"a": np.array([[3, 4]], dtype=np.float32), "b": np.array([1], dtype=np.int64)}
    inference = read_inference(text(id="7", outputs=[{"name": "a", "parameters": {"binary_data": True}}]), None)
    body, length = write_inference(ASKED, "1", inference, answer)
    assert json.loads(body[:length]) == {
        "model_name": "plates",
        "model_version": "1",
        "id": "7",
        "outputs": [
            {"name": "a", "datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": 8}},
            {"name": "b", "datatype": "INT64", "shape": [1], "data": [1]},
        ],
    }
    assert body[length:] == np.array([3, 4], dtype="<f4").tobytes()


def test_an_answer_without_bytes_is_json_alone():
    body, length = write_inference(ASKED, "1", read_inference(text(), None), {"a": np.zeros((0, 2), np.float32)})
    assert length is None
    assert json.loads(body)["outputs"] == [{"name": "a", "datatype": "FP32", "shape": [0, 2], "data": []}]
