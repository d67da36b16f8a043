from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from deployments.models.errors import ModelPackageError
from deployments.models.package_layouts.weights_file import check_weights_file
from tests.unit.deployments.models.builders import write_add_graph

IR_VERSION = b"\x08\x08"
"""Field 1, the number 8."""


def graph_of(content: bytes) -> bytes:
    """Field 7 with its length, below 128."""
    return b"\x3a" + bytes([len(content)]) + content


def safetensors(header: object, data: bytes, *, header_bytes: int | None = None) -> bytes:
    """The format, written by its description."""
    text = json.dumps(header).encode()
    return (len(text) if header_bytes is None else header_bytes).to_bytes(8, "little") + text + data


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(ModelPackageError) as caught:
        check_weights_file(path)
    assert caught.value.path == str(path)
    return caught.value.message


def test_a_whole_file_is_accepted(tmp_path: Path) -> None:
    check_weights_file(write_add_graph(tmp_path / "weights.onnx"))


def test_no_part_of_a_file_is_accepted(tmp_path: Path) -> None:
    whole = write_add_graph(tmp_path / "whole.onnx").read_bytes()
    fields_at_the_end = {len(whole)}
    # What stands behind the graph is the list of opsets: a message without it is whole, though no runtime takes it.
    fields_at_the_end.add(whole.rindex(b"B\x04\n\x00\x10\x11"))
    for size in range(len(whole)):
        if size not in fields_at_the_end:
            assert "weights.onnx is" in refusal(tmp_path / "weights.onnx", whole[:size])


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    assert refusal(tmp_path / "weights.onnx", b"") == "weights.onnx is empty; it must be an ONNX file"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (IR_VERSION, "it holds no graph"),
        (graph_of(b""), "it holds no graph"),
        (IR_VERSION + b"\x3a\xff\xff\xff\xff\x07", "field 7 of the model claims 2147483647 bytes, 0 are left"),
        (IR_VERSION + graph_of(b"\x0a\x05abc"), "field 1 of the graph claims 5 bytes, 3 are left"),
        (IR_VERSION + graph_of(b"\x0b"), "of the graph begins no field"),
        (IR_VERSION + b"\x80\x80", "the model ends within a number"),
        (IR_VERSION + b"\xff" * 11, "the model ends within a number"),
        (b"\x00\x00", "of the model begins no field"),
        (bytes(64), "of the model begins no field"),
    ],
)
def test_a_damaged_file_is_refused_with_where_it_breaks(tmp_path: Path, content: bytes, message: str) -> None:
    said = refusal(tmp_path / "weights.onnx", content)
    assert message in said
    assert said.startswith("weights.onnx is no whole ONNX file: ")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (pickle.dumps({}), "a Python pickle"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        (b"<!DOCTYPE html><title>404</title>", "a page of HTML"),
    ],
)
def test_another_kind_of_file_is_called_by_its_name(tmp_path: Path, content: bytes, kind: str) -> None:
    assert kind in refusal(tmp_path / "weights.onnx", content)


def test_pickles_beside_missing_weights_are_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "best.pt").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(ModelPackageError, match=r"best\.pt: weights that may run code when opened are refused"):
        check_weights_file(tmp_path / "weights.onnx")


def test_a_missing_file_is_said_with_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(ModelPackageError, match=r"weights\.onnx is missing; the folder holds no files"):
        check_weights_file(tmp_path / "weights.onnx")


ONE_TENSOR = {"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "__metadata__": {"format": "pt"}}


@pytest.mark.parametrize(("header", "data"), [(ONE_TENSOR, bytes(4)), ({}, b"")])
def test_a_whole_safetensors_file_is_accepted(tmp_path: Path, header: object, data: bytes) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(safetensors(header, data))
    check_weights_file(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (safetensors(ONE_TENSOR, bytes(3)), "describes 107 bytes, the file has 106"),
        (safetensors(ONE_TENSOR, bytes(5)), "describes 107 bytes, the file has 108"),
        (safetensors(ONE_TENSOR, bytes(4), header_bytes=2**31), "claims 2147483648 bytes"),
        (safetensors({"w": {"data_offsets": [4, 8]}}, bytes(8)), "leaves holes"),
        (safetensors({"w": 1}, b""), "no description of tensors"),
        (safetensors([1], b""), "no description of tensors"),
        (b"\x01", "claims 1 bytes, the file has 1"),
    ],
)
def test_a_safetensors_file_whose_header_lies_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    assert message in refusal(tmp_path / "weights.safetensors", content)
