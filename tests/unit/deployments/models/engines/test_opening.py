from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.models.engines.opening import open_engine, weights_for
from deployments.models.package import read_package
from deployments.settings import EngineSettings, Precision
from tests.unit.deployments.models.builders import write_add_graph, write_package


def test_weights_on_disk_are_run_here(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "a" / "1")
    write_add_graph(folder / "weights.onnx")
    engine = open_engine(read_package(folder), EngineSettings(device="cpu"))
    assert_array_equal(engine.run({"x": np.ones((1, 2), dtype=np.float32)})["twice"], [[2, 2]])


@pytest.mark.parametrize(
    ("precision", "name"), [("fp32", "weights.onnx"), ("fp16", "weights.fp16.onnx"), ("int8", "weights.int8.onnx")]
)
def test_the_precision_asked_for_picks_the_weights(tmp_path: Path, precision: Precision, name: str) -> None:
    folder = write_package(tmp_path / "a" / "1")
    for other in ("weights.fp16.onnx", "weights.int8.onnx"):
        write_add_graph(folder / other)
    package = read_package(folder)
    assert package.weights_path.name == "weights.onnx"
    assert weights_for(package, EngineSettings(precision=precision)).name == name


def test_a_precision_that_the_package_lacks_is_said_and_the_main_weights_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    package = read_package(write_package(tmp_path / "a" / "1"))
    with caplog.at_level(logging.WARNING):
        assert weights_for(package, EngineSettings(precision="int8")).name == "weights.onnx"
    assert [(record.wanted, record.available) for record in caplog.records] == [("int8", ["fp32"])]
