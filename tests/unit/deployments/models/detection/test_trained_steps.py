from __future__ import annotations

from dataclasses import replace

import pytest

from deployments.models.detection.trained_steps import of_rfdetr, of_yolo
from deployments.models.image_preprocessing import ImagePreprocessing, Normalization, ResizeMode

STEPS = ImagePreprocessing(resize_mode=ResizeMode.STRETCH, padding_value=0)


def test_fitting_the_longer_edge_is_a_grey_letterbox_for_yolo() -> None:
    steps = of_yolo(replace(STEPS, resize_mode=ResizeMode.FIT_LONGER_EDGE))
    assert (steps.resize_mode, steps.padding_value) == (ResizeMode.LETTERBOX, 127)


@pytest.mark.parametrize("mode", [mode for mode in ResizeMode if mode is not ResizeMode.FIT_LONGER_EDGE])
def test_every_other_mode_stays_as_it_is_for_yolo(mode: ResizeMode) -> None:
    steps = replace(STEPS, resize_mode=mode, padding_value=255)
    assert of_yolo(steps) == steps


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (ResizeMode.STRETCH, ResizeMode.STRETCH),
        (ResizeMode.LETTERBOX, ResizeMode.STRETCH),
        (ResizeMode.LETTERBOX_REFLECT_EDGES, ResizeMode.STRETCH),
        (ResizeMode.FIT_LONGER_EDGE, ResizeMode.STRETCH),
        (ResizeMode.CENTER_CROP, ResizeMode.CENTER_CROP),
    ],
)
def test_rfdetr_stretches_what_would_keep_the_aspect_ratio(mode: ResizeMode, expected: ResizeMode) -> None:
    assert of_rfdetr(replace(STEPS, resize_mode=mode)).resize_mode is expected


def test_rfdetr_is_fed_the_statistics_of_imagenet_where_the_package_has_no_word_for_them() -> None:
    normalization = of_rfdetr(replace(STEPS, complete=False)).normalization
    assert normalization == Normalization(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    assert of_yolo(replace(STEPS, complete=False)).normalization is None


def test_rfdetr_is_fed_values_from_0_to_1_whatever_the_package_leaves_out() -> None:
    assert of_rfdetr(replace(STEPS, scaling_factor=None)).scaling_factor == 255
    assert of_yolo(replace(STEPS, scaling_factor=None)).scaling_factor is None


def test_what_a_package_says_of_normalization_is_kept() -> None:
    own = Normalization(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    assert of_rfdetr(replace(STEPS, normalization=own)).normalization is own
    assert of_rfdetr(STEPS).normalization is None
