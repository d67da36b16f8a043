from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployments.models.errors import ModelPackageError
from deployments.models.package import read_package
from deployments.models.package_layouts.contents import TritonModel
from tests.unit.deployments.models.builders import write_package


def write_triton(directory: Path, triton: dict[str, Any] | None) -> Path:
    config: dict[str, Any] = {"backend_type": "triton"}
    if triton is not None:
        config["triton"] = triton
    folder = write_package(directory / "plates" / "1", config)
    (folder / "weights.onnx").unlink()
    return folder


def test_a_package_without_weights_points_to_a_server(tmp_path: Path) -> None:
    package = read_package(write_triton(tmp_path, {"url": "grpc://gpu-7:8001", "model_name": "plates"}))
    assert package.triton == TritonModel(address="gpu-7:8001", tls=False, model_name="plates")
    assert package.class_names == ("plate",)


def test_every_key_is_read(tmp_path: Path) -> None:
    folder = write_triton(
        tmp_path,
        {
            "url": "grpcs://[::1]:9443/",
            "model_name": "plates",
            "model_version": 3,
            "batching": "triton",
            "shared_memory": "off",
            "root_certificates": "ca.pem",
            "timeout_s": 5,
        },
    )
    (folder / "ca.pem").write_text("")
    assert read_package(folder).triton == TritonModel(
        address="[::1]:9443",
        tls=True,
        model_name="plates",
        model_version="3",
        batching="triton",
        shared_memory="off",
        root_certificates=folder / "ca.pem",
        timeout_s=5,
    )


def test_the_port_is_that_of_triton_unless_said(tmp_path: Path) -> None:
    package = read_package(write_triton(tmp_path, {"url": "grpc://gpu-7", "model_name": "plates"}))
    assert package.triton is not None
    assert package.triton.address == "gpu-7:8001"


def test_what_is_missing_is_shown_as_it_should_be(tmp_path: Path) -> None:
    with pytest.raises(ModelPackageError, match=r'`triton` is missing; write "triton": \{"url": "grpc://'):
        read_package(write_triton(tmp_path, None))


@pytest.mark.parametrize(
    "url",
    ["http://gpu-7:8000", "gpu-7:8001", "grpc://", "grpc://gpu-7:x", "grpc://gpu-7:8001/models", "grpc://u@gpu-7"],
)
def test_an_address_that_is_none_of_grpc_is_refused_with_one_that_is(tmp_path: Path, url: str) -> None:
    with pytest.raises(ModelPackageError, match="it must be grpc://host:port, or grpcs://host:port for TLS"):
        read_package(write_triton(tmp_path, {"url": url, "model_name": "plates"}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_name": ""}, "triton.model_name"),
        ({"bathcing": "triton"}, "triton.bathcing"),
        ({"batching": "ours"}, "triton.batching"),
        ({"timeout_s": 0}, "triton.timeout_s"),
        ({"root_certificates": "../ca.pem"}, "it must be the name of a file in the folder"),
        ({"root_certificates": "ca.pem"}, "it must be the name of a file in the folder"),
    ],
)
def test_every_wrong_key_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelPackageError, match=message):
        read_package(write_triton(tmp_path, {"url": "grpc://gpu-7", "model_name": "plates", **changes}))


def test_a_triton_package_for_another_runtime_still_names_both(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "a" / "1", {"backend_type": "torch"})
    with pytest.raises(ModelPackageError, match="'triton' for a model on a Triton server"):
        read_package(folder)
