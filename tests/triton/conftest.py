"""A Triton that serves a detector and an adder, and packages that point to it."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployments.models.engines.triton.shared_regions import NAME_PREFIX
from deployments.models.package_layouts.contents import TritonModel
from tests.triton.server import TritonServer, add_model, is_installed
from tests.unit.deployments.models.builders import (
    write_add_graph,
    write_constant_detector,
    write_package,
    yolov8_output,
)


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models: `plates` finds one plate at (24, 28, 40, 36) of 64x64; `add` doubles; `slow` does so in 1 s."""
    if not is_installed():
        pytest.skip("Triton is not installed: `make test-triton` installs it into .venv-triton")
    folder = tmp_path_factory.mktemp("triton")
    detector = write_constant_detector(folder / "plates.onnx", yolov8_output([(32, 32, 16, 8, 0.9)]))
    adder = write_add_graph(folder / "add.onnx", ("b", "n"))
    fixed = write_add_graph(folder / "fixed.onnx", (2, 3))
    add_model(folder / "models", "plates", detector)
    add_model(folder / "models", "add", adder, max_batch_size=4)
    add_model(folder / "models", "fixed", fixed, max_batch_size=0)
    add_model(folder / "models", "slow", adder, delay_s=1)
    return folder / "models"


@pytest.fixture(scope="session")
def triton(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    """Runs for all tests that leave it alone."""
    server = TritonServer(repository, tmp_path_factory.mktemp("server"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def mortal_triton(repository: Path, tmp_path: Path) -> Iterator[TritonServer]:
    """One of a test's own, to be killed; not started."""
    server = TritonServer(repository, tmp_path)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def model_on(triton: TritonServer) -> Callable[..., TritonModel]:
    """Where a model of the running server is."""

    def model(name: str, **changes: object) -> TritonModel:
        values = {"address": f"127.0.0.1:{triton.grpc_port}", "tls": False, "model_name": name}
        return TritonModel(**{**values, **changes})

    return model


@pytest.fixture
def shared_before() -> set[str]:
    """What lay in shared memory when the test began, without what nobody uses any more."""
    gc.collect()  # errors of earlier tests may hold on to engines
    return shared_memory()


def shared_memory() -> set[str]:
    """Names of the regions of this process."""
    return {path.name for path in Path("/dev/shm").glob(f"{NAME_PREFIX}-{os.getpid()}-*")}


def write_triton_package(directory: Path, url: str, **triton: object) -> Path:
    """A folder without weights that points to the model `plates`."""
    folder = write_package(
        directory, {"backend_type": "triton", "triton": {"url": url, "model_name": "plates", **triton}}
    )
    (folder / "weights.onnx").unlink()
    return folder
