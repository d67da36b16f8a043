from __future__ import annotations

from pathlib import Path

import pytest

from deployments.capacity.measured import measured
from deployments.models.package import read_package
from deployments.models.package_survey import SHIPPED_DIRECTORY, discover_packages
from tests.unit.deployments.models.builders import write_package


def emulated(folder: Path, *, static_batch_size: int | None = None) -> Path:
    outputs = {"output0": [[8, 8, 40, 24, 0.5, 0]]}
    config = {
        "model_architecture": "yolov10",
        "backend_type": "emulated",
        "static_batch_size": static_batch_size,
        "emulated": {"service_ms": {"fixed": 2, "per_item": 3}, "outputs": outputs},
    }
    written = write_package(folder / "emulated" / "1", config)
    (written / "weights.onnx").unlink()
    return written


def test_a_device_that_is_waited_for_is_timed_by_the_clock_on_the_wall(tmp_path: Path) -> None:
    figures = measured(read_package(emulated(tmp_path)), {})
    assert list(figures.times.ms_by_batch) == [1, 4, 8]
    for size, ms in figures.times.ms_by_batch.items():
        assert ms >= 2 + 3 * size  # and what decoding takes
    assert (figures.device, figures.max_batch_items) == ("emulated", None)


@pytest.mark.parametrize(("static", "most", "sizes"), [(4, None, [4]), (None, 6, [1, 4, 6]), (None, 1, [1])])
def test_batches_that_will_never_be_are_not_tried(
    tmp_path: Path, static: int | None, most: int | None, sizes: list[int]
) -> None:
    figures = measured(read_package(emulated(tmp_path, static_batch_size=static)), {}, most)
    assert list(figures.times.ms_by_batch) == sizes


@pytest.mark.weights
def test_a_model_that_reads_is_shown_what_the_tutorial_cuts_out() -> None:
    packages = discover_packages(SHIPPED_DIRECTORY)
    figures = measured(packages["doctr/default"], packages, 2)
    assert list(figures.times.ms_by_batch) == [1, 2]
    assert figures.device == "cpu"
