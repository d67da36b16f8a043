from __future__ import annotations

import pytest

from deployments.models.detection.architectures import ARCHITECTURES, YOLOV8, architecture_by_shape


@pytest.mark.parametrize("name", ["yolov8", "yolov9", "yolov11", "yolov12"])
def test_architectures_with_the_layout_of_yolov8_share_its_decoding(name: str) -> None:
    assert ARCHITECTURES[name] is YOLOV8


@pytest.mark.parametrize("shape", [(1, 84, 8400), (4, 5, 2100)])
def test_few_rows_and_many_columns_are_yolov8(shape: tuple[int, ...]) -> None:
    assert architecture_by_shape([shape]) is YOLOV8


@pytest.mark.parametrize(
    "shapes",
    [
        [(1, 300, 6)],  # boxes that the graph suppressed itself
        [(1, 25200, 85)],  # YOLOv5
        [(1, 300, 4), (1, 300, 80)],  # a DETR
        [(1, 1000)],  # a classifier
        [(1, 4, 8400)],  # no class
        [],
    ],
)
def test_other_shapes_are_not_guessed(shapes: list[tuple[int, ...]]) -> None:
    assert architecture_by_shape(shapes) is None
