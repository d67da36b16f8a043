"""Which outputs each family of instance segmenters reads, and what it makes of raw tensors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from deployments.models.errors import ModelLoadError, UnsupportedModelError
from deployments.models.segmentation.architectures import ARCHITECTURES, choose_architecture
from deployments.models.segmentation.rfdetr import RFDETR_SEG
from deployments.models.segmentation.yolo26 import YOLO26_SEG
from deployments.models.segmentation.yolov5 import YOLOV5_SEG
from deployments.models.segmentation.yolov8 import YOLOV8_SEG
from tests.unit.deployments.models.builders import outputs_of, package, tensor

V8 = outputs_of(output0=[1, 4 + 3 + 32, 189], output1=[1, 32, 24, 24])
V5 = outputs_of(output0=[1, 567, 5 + 3 + 32], output1=[1, 32, 24, 24])
CHOSEN = outputs_of(output0=[1, 300, 6 + 32], output1=[1, 32, 24, 24])
DETR = outputs_of(dets=[1, 100, 4], labels=[1, 100, 4], masks=[1, 100, 24, 24])
PROTOTYPES = tensor([[[0, 1], [2, 3]], [[1, 0], [0, 0]]])


@pytest.mark.parametrize(
    ("architecture", "outputs", "classes"),
    [(YOLOV8_SEG, V8, 3), (YOLOV5_SEG, V5, 3), (YOLO26_SEG, CHOSEN, None), (RFDETR_SEG, DETR, 4)],
)
def test_each_family_finds_its_outputs_and_no_others(architecture, outputs, classes) -> None:  # type: ignore[no-untyped-def]
    roles = architecture.find(outputs)
    assert roles.positions == tuple(range(len(outputs)))
    assert roles.class_count == classes
    assert architecture.find(list(reversed(outputs))).positions == tuple(range(len(outputs) - 1, -1, -1))
    assert choose_architecture(package(architecture=None), outputs)[0] is architecture
    assert architecture.find([]) is None
    assert architecture.find(outputs[:1]) is None


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_a_network_that_gives_something_else_than_its_package_says_is_refused(name: str) -> None:
    with pytest.raises(ModelLoadError, match=f"says it is {name}, which for instance segmentation gives"):
        choose_architecture(package(architecture=name), outputs_of(output0=[1, 7, 189]))


@pytest.mark.parametrize("name", ["yolov10", "yolonas", "mine"])
def test_a_family_without_masks_is_refused(name: str) -> None:
    with pytest.raises(UnsupportedModelError, match="instance segmenters served here are rfdetr, yolo26"):
        choose_architecture(package(architecture=name), V8)


def test_outputs_that_fit_no_family_are_refused() -> None:
    with pytest.raises(
        UnsupportedModelError, match=r"its outputs output0\[1, 3, 9\] fit none; .* or --architecture of"
    ):
        choose_architecture(package(architecture=None), outputs_of(output0=[1, 3, 9]))


def test_a_graph_that_suppresses_gives_chosen_rows_whatever_it_is_called() -> None:
    assert choose_architecture(package(architecture="yolov8", graph_suppresses=True), CHOSEN)[0] is YOLO26_SEG


def test_yolov8_mixes_prototypes_by_the_last_rows_and_gives_likelihoods() -> None:
    anchors = tensor([[5] * 3, [5] * 3, [2] * 3, [2] * 3, [0.9, 0.8, 0.7], [1, 0, 2], [0, 1, 1]])
    assert_array_equal(YOLOV8_SEG.box_tensors([anchors, PROTOTYPES])[0], anchors[:5])
    grids = YOLOV8_SEG.grids([anchors, PROTOTYPES], np.array([2, 0]))
    # anchor 2: twice the first plus the second: 1, 2, 4, 6; anchor 0: the first alone
    logits = np.array([[[1, 2], [4, 6]], [[0, 1], [2, 3]]])
    assert_allclose(grids, 1 / (1 + np.exp(-logits)), rtol=1e-6)
    assert YOLOV8_SEG.grids([anchors, PROTOTYPES], np.zeros(0, np.int64)).shape == (0, 2, 2)


def test_yolov5_mixes_prototypes_by_the_last_columns() -> None:
    rows = tensor([[5, 5, 2, 2, 0.9, 0.9, 1, 0], [5, 5, 2, 2, 0.9, 0.9, 0, 3]])
    assert_array_equal(YOLOV5_SEG.box_tensors([rows, PROTOTYPES])[0], rows[:, :6])
    assert_array_equal(YOLOV5_SEG.grids([rows, PROTOTYPES], np.array([1])), [[[3, 0], [0, 0]]])


def test_chosen_rows_have_their_coefficients_behind_the_class() -> None:
    rows = tensor([[0, 0, 4, 4, 0.9, 0, 1, 0], [0, 0, 4, 4, 0.8, 0, 0, math.log(3)]])
    assert_array_equal(YOLO26_SEG.box_tensors([rows, PROTOTYPES])[0], rows[:, :6])
    assert_allclose(YOLO26_SEG.grids([rows, PROTOTYPES], np.array([1])), [[[0.75, 0.5], [0.5, 0.5]]], rtol=1e-6)


def test_queries_of_rfdetr_have_masks_of_their_own() -> None:
    masks = tensor(np.arange(12).reshape(3, 2, 2))
    outputs = [tensor(np.zeros((3, 4))), tensor(np.zeros((3, 2))), masks]
    assert RFDETR_SEG.box_tensors(outputs) == outputs[:2]
    assert_array_equal(RFDETR_SEG.grids(outputs, np.array([2, 2, 0])), masks[[2, 2, 0]])
