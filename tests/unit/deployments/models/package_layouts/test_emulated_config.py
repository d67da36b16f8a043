from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from numpy.testing import assert_array_equal

from deployments.models.errors import ModelPackageError
from deployments.models.package import read_package
from tests.unit.deployments.models.builders import write_package

ROW = [8, 8, 40, 24, 0.5, 0]
WHOLE: dict[str, Any] = {"service_ms": {"fixed": 8, "per_item": 1.5}, "outputs": {"output0": [ROW]}}


def write_emulated(directory: Path, emulated: dict[str, Any] | None, **config: Any) -> Path:
    values: dict[str, Any] = {"backend_type": "emulated", **config}
    if emulated is not None:
        values["emulated"] = emulated
    folder = write_package(directory / "emulated" / "1", values)
    (folder / "weights.onnx").unlink()
    return folder


def test_a_package_without_weights_states_times_and_answers(tmp_path: Path) -> None:
    emulated = read_package(write_emulated(tmp_path, WHOLE)).emulated
    assert emulated is not None
    assert [emulated.service_times.ms(items) for items in (1, 8)] == [9.5, 20.0]
    assert emulated.devices == 1
    assert_array_equal(emulated.outputs["output0"], [ROW])


def test_times_may_be_a_table_and_devices_several(tmp_path: Path) -> None:
    folder = write_emulated(tmp_path, {**WHOLE, "service_ms": {"1": 9, "8": 16}, "devices": 8})
    emulated = read_package(folder).emulated
    assert emulated is not None
    assert (emulated.service_times.ms(8), emulated.devices) == (16, 8)


def test_a_package_of_another_engine_emulates_nothing(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "plates" / "1", {"emulated": WHOLE})
    assert read_package(folder).emulated is None


@pytest.mark.parametrize(
    ("emulated", "says"),
    [
        (None, '`emulated` is missing; write "emulated"'),
        ({**WHOLE, "service_ms": {"fixed": 0, "per_item": 0}}, "batch 1 takes 0 ms"),
        ({**WHOLE, "service_ms": {"1": 9, "8": 5}}, "less than the 9 ms of batch 1"),
        ({**WHOLE, "service_ms": {}}, "emulated.service_ms"),
        ({**WHOLE, "devices": 9}, "emulated.devices: .* less than or equal to 8"),
        ({**WHOLE, "outputs": {}}, "emulated.outputs"),
        ({**WHOLE, "outputs": {"output0": [[1, 2], [3]]}}, "outputs.output0 must be numbers in lists of equal length"),
        ({**WHOLE, "outputs": {"output0": ["a"]}}, "outputs.output0 must be numbers"),
        ({**WHOLE, "speed": 3}, "emulated.speed"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, emulated: dict[str, Any] | None, says: str) -> None:
    with pytest.raises(ModelPackageError, match=says):
        read_package(write_emulated(tmp_path, emulated))
