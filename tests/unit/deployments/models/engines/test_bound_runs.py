from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from numpy.testing import assert_array_equal
from onnx import TensorProto, helper

from deployments.models.engines.bound_runs import BoundRuns
from deployments.models.engines.engine import TensorSpec
from tests.unit.deployments.models.builders import write_add_graph

FLOAT = np.dtype(np.float32)
X = TensorSpec(name="x", shape=(None, 2), dtype=FLOAT)
OUTPUTS = (
    TensorSpec(name="twice", shape=(None, 2), dtype=FLOAT),
    TensorSpec(name="same", shape=(None, 2), dtype=FLOAT),
)


def runs_of(path: Path, outputs: tuple[TensorSpec, ...] = OUTPUTS, most_shapes: int = 16) -> BoundRuns:
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return BoundRuns(session, (X,), outputs, device="cpu", device_id=0, most_shapes=most_shapes)


def rows(count: int, first: float = 0) -> np.ndarray:
    array = first + np.arange(count * 2, dtype=np.float32).reshape(count, 2)
    array.flags.writeable = False
    return array


def write_nonzero_graph(path: Path) -> Path:
    """`kept` (n, 2): places of the values of `x` (b, 2) that are not zero; its size depends on the values."""
    graph = helper.make_graph(
        [
            helper.make_node("NonZero", ["x"], ["places"]),
            helper.make_node("Transpose", ["places"], ["kept"], perm=[1, 0]),
        ],
        "nonzero",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", 2])],
        [helper.make_tensor_value_info("kept", TensorProto.INT64, ["n", 2])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def test_answers_are_those_of_each_run_and_stay_as_they_are(tmp_path: Path) -> None:
    runs = runs_of(write_add_graph(tmp_path / "add.onnx"))
    first = runs.run({"x": rows(3)})
    second = runs.run({"x": rows(3, 100)})
    assert_array_equal(first[0], rows(3) * 2)
    assert_array_equal(first[1], rows(3))
    assert_array_equal(second[0], rows(3, 100) * 2)


def test_each_shape_has_buffers_of_its_own(tmp_path: Path) -> None:
    runs = runs_of(write_add_graph(tmp_path / "add.onnx"))
    for count in (1, 4, 1, 4):
        assert_array_equal(runs.run({"x": rows(count, count)})[0], rows(count, count) * 2)
    assert runs.shapes == (((1, 2),), ((4, 2),))


def test_the_shape_not_used_for_longest_gives_its_buffers_back(tmp_path: Path) -> None:
    runs = runs_of(write_add_graph(tmp_path / "add.onnx"), most_shapes=2)
    for count in (1, 2, 1, 3):
        runs.run({"x": rows(count)})
    assert runs.shapes == (((1, 2),), ((3, 2),))


def test_an_output_whose_size_depends_on_the_values_may_change(tmp_path: Path) -> None:
    kept = TensorSpec(name="kept", shape=(None, 2), dtype=np.dtype(np.int64))
    runs = runs_of(write_nonzero_graph(tmp_path / "nonzero.onnx"), (kept,))
    assert_array_equal(runs.run({"x": np.array([[0, 5], [7, 0]], dtype=np.float32)})[0], [[0, 1], [1, 0]])
    assert_array_equal(runs.run({"x": np.array([[0, 5], [0, 0]], dtype=np.float32)})[0], [[0, 1]])
    assert runs.run({"x": np.zeros((2, 2), dtype=np.float32)})[0].shape == (0, 2)


def test_rows_that_do_not_lie_one_after_another_are_taken_too(tmp_path: Path) -> None:
    runs = runs_of(write_add_graph(tmp_path / "add.onnx"))
    wide = np.arange(8, dtype=np.float32).reshape(2, 4)
    assert_array_equal(runs.run({"x": wide[:, ::2]})[0], [[0, 4], [8, 12]])
