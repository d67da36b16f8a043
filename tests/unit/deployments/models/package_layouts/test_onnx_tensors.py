from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from deployments.models.errors import ModelPackageError
from deployments.models.package_layouts.onnx_tensors import external_files
from deployments.models.package_layouts.weights_file import check_weights_file

FOUR = np.ones(4, dtype=np.float32)


def embedded(dims: Sequence[int], **values: Any) -> TensorProto:
    """A float tensor named `w` that says what it wants of its size."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims)
    for field, value in values.items():
        if isinstance(value, bytes):
            setattr(tensor, field, value)
        else:
            getattr(tensor, field).extend(value)
    return tensor


def external(location: str, dims: Sequence[int] = (4,), **place: int) -> TensorProto:
    """A float tensor named `w` whose values are in another file."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims, data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **place}.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def graph_with(tensor: TensorProto | None, nodes: Sequence[onnx.NodeProto] = ()) -> onnx.GraphProto:
    return helper.make_graph(
        [*nodes, helper.make_node("Identity", ["x"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])],
        [] if tensor is None else [tensor],
    )


def write(folder: Path, graph: onnx.GraphProto, functions: Sequence[onnx.FunctionProto] = ()) -> Path:
    """The file, in a folder of its own."""
    folder.mkdir(exist_ok=True)
    path = folder / "weights.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, functions=functions)
    path.write_bytes(model.SerializeToString())
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ModelPackageError) as caught:
        check_weights_file(path)
    assert caught.value.path == str(path)
    assert str(path.parent) not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize(
    "tensor",
    [
        numpy_helper.from_array(FOUR, "w"),
        embedded([4], float_data=[1, 2, 3, 4]),
        embedded([0]),
        embedded([]),
        numpy_helper.from_array(np.zeros((3, 0, 1000), dtype=np.int64), "w"),
        helper.make_tensor("w", TensorProto.INT4, [8], [1] * 8),
        helper.make_tensor("w", TensorProto.STRING, [2], [b"", b""]),
    ],
)
def test_tensors_that_hold_what_they_claim_are_accepted(tmp_path: Path, tensor: TensorProto) -> None:
    check_weights_file(write(tmp_path / "own", graph_with(tensor)))


@pytest.mark.parametrize(
    ("tensor", "elements"),
    [
        (embedded([2**31], raw_data=FOUR.tobytes()), 2**31),
        (embedded([2**32, 2**32], raw_data=FOUR.tobytes()), 2**64),
        (embedded([1024, 1024], float_data=[1]), 2**20),
        (embedded([-4], raw_data=FOUR.tobytes()), 2**64 - 4),
        (embedded([-1, 0]), 0),
    ],
)
def test_a_tensor_that_claims_more_than_there_is_is_refused(tmp_path: Path, tensor: TensorProto, elements: int) -> None:
    assert f"tensor 'w' claims {elements} elements" in refusal(write(tmp_path / "own", graph_with(tensor)))


def test_a_claim_is_found_wherever_a_tensor_can_stand(tmp_path: Path) -> None:
    lie = embedded([2**31], raw_data=FOUR.tobytes())
    constant = helper.make_node("Constant", [], ["c"], value=lie)
    inner = helper.make_node("If", ["x"], ["z"], then_branch=graph_with(lie), else_branch=graph_with(None))
    several = helper.make_node("Custom", [], ["d"], tensors=[numpy_helper.from_array(FOUR, "fine"), lie])
    function = helper.make_function("own", "F", [], ["c"], [constant], [helper.make_opsetid("", 17)])
    sparse = graph_with(None)
    sparse.sparse_initializer.add(values=lie, indices=numpy_helper.from_array(np.zeros(1, np.int64)), dims=[4])
    graphs = [graph_with(None, [node]) for node in (constant, inner, several)]
    for graph in (*graphs, sparse):
        assert "tensor 'w' claims" in refusal(write(tmp_path / "own", graph))
    assert "tensor 'w' claims" in refusal(write(tmp_path / "own", graph_with(None), [function]))


def test_graphs_nested_without_end_are_refused(tmp_path: Path) -> None:
    graph = graph_with(None)
    for _ in range(30):
        graph = graph_with(
            None, [helper.make_node("If", ["x"], ["z"], then_branch=graph, else_branch=graph_with(None))]
        )
    assert "nested more than 64 deep" in refusal(write(tmp_path / "own", graph))


@pytest.mark.parametrize("location", ["values.bin", "./values.bin", "inside/values.bin"])
def test_values_in_a_file_of_the_folder_are_accepted(tmp_path: Path, location: str) -> None:
    path = write(tmp_path / "own", graph_with(external(location, offset=4, length=16)))
    (path.parent / location).parent.mkdir(exist_ok=True)
    (path.parent / location).write_bytes(bytes(20))
    check_weights_file(path)


@pytest.mark.parametrize(
    "location",
    ["../secret.bin", "inside/../../secret.bin", "..\\secret.bin", "/etc/hostname", "C:\\secret.bin", "link.bin"],
)
def test_values_outside_of_the_folder_are_never_read(tmp_path: Path, location: str) -> None:
    path = write(tmp_path / "own", graph_with(external(location)))
    (tmp_path / "secret.bin").write_bytes(bytes(16))
    (path.parent / "link.bin").symlink_to(tmp_path / "secret.bin")
    said = refusal(path)
    assert "keeps tensor 'w' in" in said
    assert "outside of the model's folder" in said


@pytest.mark.parametrize("location", ["values.bin", "", "."])
def test_values_in_a_file_that_is_not_there_are_refused(tmp_path: Path, location: str) -> None:
    assert "has no such file" in refusal(write(tmp_path / "own", graph_with(external(location))))


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({"offset": 8, "length": 16}, "takes 16 bytes from byte 8 on of 'values.bin', which has 16"),
        ({"offset": -1}, "takes 17 bytes from byte -1 on"),
        ({"length": 2**40}, "which has 16"),
        ({"offset": "x"}, "no numbers for its place"),
        ({"offset": 16}, "claims 4 elements, and 0 bytes are there"),
    ],
)
def test_a_place_that_the_file_does_not_have_is_refused(tmp_path: Path, place: dict[str, int], message: str) -> None:
    path = write(tmp_path / "own", graph_with(external("values.bin", **place)))
    (path.parent / "values.bin").write_bytes(bytes(16))
    assert message in refusal(path)


def test_values_elsewhere_are_found_in_constants_too(tmp_path: Path) -> None:
    constant = helper.make_node("Constant", [], ["c"], value=external("../secret.bin"))
    assert "outside of the model's folder" in refusal(write(tmp_path / "own", graph_with(None, [constant])))


def test_the_files_of_tensors_are_named_wherever_they_stand(tmp_path: Path) -> None:
    constant = helper.make_node("Constant", [], ["c"], value=external("constants.bin"))
    graph = graph_with(external("values.bin"), [constant])
    assert external_files(write(tmp_path / "own", graph)) == {"values.bin", "constants.bin"}
    assert external_files(write(tmp_path / "whole", graph_with(embedded([0])))) == frozenset()


@pytest.mark.parametrize("content", [b"", b"no network", b"\x3a\xff"])
def test_a_damaged_file_names_no_others(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights.onnx").write_bytes(content)
    assert external_files(tmp_path / "weights.onnx") == frozenset()
