"""Real networks of every task, compared with a second decoding in float64 that shares no code with ours."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from numpy.testing import assert_allclose

from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.loading import load_model
from deployments.models.package import read_package
from deployments.settings import EngineSettings
from tests.unit.deployments.models.detection.float64_decoding import from_centre, letterboxed, sigmoid, suppressed
from tests.unit.deployments.models.task_graphs import (
    CLASSES,
    GRID,
    NAMES,
    POINTS,
    SIDE_PX,
    write_classifier,
    write_pose,
    write_segmenter,
)
from workflows.ports import PredictionOptions
from workflows.values.classification import Classification

CONFIDENCE, IOU = 0.7, 0.4
ROUNDED_PX = 0.5 + 1e-3
"""How far a whole pixel may be from the place it was rounded from, computed with more digits."""

WIDTH, HEIGHT = 192, 64
# Twice as wide as the canvas, of blocks of 2x2 pixels: halving it is exact, whatever rounds.
BLOCKS = np.random.default_rng(3).integers(0, 256, (HEIGHT // 2, WIDTH // 2, 3), dtype=np.uint8)
PICTURE = BLOCKS.repeat(2, axis=0).repeat(2, axis=1)
OPTIONS = PredictionOptions(confidence=CONFIDENCE, iou_threshold=IOU, keypoint_confidence=0.5)


def answer_of(directory: Path) -> Any:
    model = load_model(read_package(directory), EngineSettings(device="cpu"))
    (found,) = model.predict_batch([PICTURE], [OPTIONS]).predictions  # type: ignore[attr-defined]
    return found


def raw_of(directory: Path) -> tuple[list[np.ndarray], float, int, int]:
    """What the network gives for the letterboxed picture, in float64, and where the picture lies on the canvas."""
    canvas, scale, left, top = letterboxed(PICTURE, SIDE_PX, 127)
    session = ort.InferenceSession(str(directory / "weights.onnx"), providers=["CPUExecutionProvider"])
    outputs = session.run(None, {"images": canvas[None].astype(np.float32)})
    return [np.asarray(output[0], dtype=np.float64) for output in outputs], scale, left, top


def kept_columns(anchors: np.ndarray) -> list[int]:
    """Columns of the boxes that are answered, the surest first."""
    candidates, columns = [], {}
    for column, values in enumerate(anchors.T):
        scores = values[4 : 4 + CLASSES]
        if scores.max() > CONFIDENCE:
            box = from_centre(values[:4])
            candidates.append((box, scores.max(), int(scores.argmax())))
            columns[(*box, scores.max())] = column
    return [columns[(*box, score)] for box, score, _ in suppressed(candidates, IOU, 300)]


def on_picture(values: np.ndarray, scale: float, left: int, top: int) -> list[float]:
    """Corners in pixels of the picture, not rounded."""
    box = (from_centre(values[:4]) - np.array([left, top] * 2)) / scale
    return [min(max(side, 0.0), limit) for side, limit in zip(box, (WIDTH, HEIGHT) * 2, strict=True)]


def value_between(grid: np.ndarray, x: float, y: float) -> float:
    """A value between the centres of cells; beyond the outermost centres that of the cell."""
    rows, columns = grid.shape
    x, y = min(max(x - 0.5, 0.0), columns - 1.0), min(max(y - 0.5, 0.0), rows - 1.0)
    near_x, near_y = math.floor(x), math.floor(y)
    far_x, far_y = min(near_x + 1, columns - 1), min(near_y + 1, rows - 1)
    share_x, share_y = x - near_x, y - near_y
    upper = grid[near_y, near_x] * (1 - share_x) + grid[near_y, far_x] * share_x
    lower = grid[far_y, near_x] * (1 - share_x) + grid[far_y, far_x] * share_x
    return float(upper * (1 - share_y) + lower * share_y)


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_segmenter(tmp_path_factory.mktemp("models") / "shapes" / "1", "shapes/1")


def test_masks_of_a_segmenter_are_those_of_a_second_decoding(segmenter: Path) -> None:
    found = answer_of(segmenter)
    assert isinstance(found, ScoredBoxes)
    assert found.masks is not None
    (anchors, prototypes), scale, left, top = raw_of(segmenter)
    cells_left, cells_top = round(left / 4), round(top / 4)
    expected, certain = [], []
    for column in kept_columns(anchors):
        grid = np.zeros((GRID, GRID))
        box = [round(side / 4) for side in from_centre(anchors[:4, column])]
        for row in range(GRID):
            for cell in range(GRID):
                if box[0] <= cell < box[2] and box[1] <= row < box[3]:
                    grid[row, cell] = sigmoid(float(anchors[4 + CLASSES :, column] @ prototypes[:, row, cell]))
        below = GRID - round((SIDE_PX - int(HEIGHT * scale) - top) / 4)
        behind = GRID - round((SIDE_PX - int(WIDTH * scale) - left) / 4)
        content = grid[cells_top:below, cells_left:behind]
        across, down = content.shape[1] / WIDTH, content.shape[0] / HEIGHT
        places = [[((x + 0.5) * across, (y + 0.5) * down) for x in range(WIDTH)] for y in range(HEIGHT)]
        values = np.array([[value_between(content, *place) for place in row] for row in places])
        if (values > 0.5).any():
            expected.append((on_picture(anchors[:, column], scale, left, top), values > 0.5))
            certain.append(np.abs(values - 0.5) > 1e-4)
    assert len(expected) >= 3
    assert_allclose(found.xyxy, [box for box, _ in expected], rtol=0, atol=ROUNDED_PX)
    for position, (_, mask) in enumerate(expected):
        differing = (found.masks.array(position) != mask) & certain[position]
        assert not differing.any()
    assert len({int(area) for area in found.masks.areas_px()}) > 1  # they are not all alike


def test_key_points_are_those_of_a_second_decoding(tmp_path: Path) -> None:
    directory = write_pose(tmp_path / "people" / "1", "people/1")
    found = answer_of(directory)
    assert isinstance(found, ScoredBoxes)
    assert found.keypoints is not None
    (anchors,), scale, left, top = raw_of(directory)
    columns = kept_columns(anchors)
    assert len(columns) > 3
    boxes = [on_picture(anchors[:, column], scale, left, top) for column in columns]
    assert_allclose(found.xyxy, boxes, rtol=0, atol=ROUNDED_PX)
    missing = 0
    for position, column in enumerate(columns):
        for index in range(POINTS):
            x, y, score = anchors[4 + CLASSES + 3 * index : 7 + CLASSES + 3 * index, column]
            place = found.keypoints.xy[position, index]
            if score < 0.5:
                missing += 1
                assert np.isnan(place).all()
            else:
                assert_allclose(place, [(x - left) / scale, (y - top) / scale], rtol=0, atol=ROUNDED_PX)
                assert found.keypoints.confidence[position, index] == pytest.approx(score, abs=1e-5)
                assert found.keypoints.class_name[position, index] == f"point-{index}"
    assert 0 < missing < len(columns) * POINTS


@pytest.mark.parametrize("multi_label", [False, True])
def test_classes_are_those_of_a_second_decoding(tmp_path: Path, multi_label: bool) -> None:
    directory = write_classifier(tmp_path / "colours" / "1", "colours/1", multi_label=multi_label)
    found = answer_of(directory)
    assert isinstance(found, Classification)
    canvas, _, _, _ = letterboxed(PICTURE, SIDE_PX, 127)
    logits = [6 * (channel.mean() - 0.5) for channel in canvas]
    if multi_label:
        assert found.class_name.tolist() == list(NAMES)
        assert_allclose(found.confidence, [sigmoid(logit) for logit in logits], rtol=1e-5)
        return
    powers = [math.exp(logit) for logit in logits]
    shares = {name: round(power / sum(powers), 4) for name, power in zip(NAMES, powers, strict=True)}
    listed = {name: share for name, share in shares.items() if share >= CONFIDENCE}
    assert dict(zip(found.class_name.tolist(), found.confidence.tolist(), strict=True)) == listed
