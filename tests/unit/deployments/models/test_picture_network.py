from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from deployments.models.errors import ModelLoadError
from deployments.models.image_preprocessing import Contrast, ImagePreprocessing, Normalization, ResizeMode, StaticCrop
from deployments.models.picture_network import PictureNetwork
from tests.unit.deployments.models.builders import FakeEngine, package

STRETCH = ImagePreprocessing(resize_mode=ResizeMode.STRETCH, scaling_factor=None)


def brightest(batch: NDArray[Any]) -> NDArray[np.float32]:
    """(b, 1): the brightest value of each picture."""
    return batch.reshape(len(batch), -1).max(axis=1, keepdims=True).astype(np.float32)


def network(
    answer: Any = brightest, input_shape: tuple[int | None, ...] = (None, 3, 8, 8), **changes: Any
) -> PictureNetwork:
    return PictureNetwork(package(**changes), FakeEngine(answer, input_shape))


def grey(value: int, height: int = 8, width: int = 8) -> NDArray[np.uint8]:
    return np.full((height, width, 3), value, dtype=np.uint8)


def test_each_picture_gets_its_answer_and_where_it_lay() -> None:
    answers, inference_s = network().run([grey(10), grey(30, 4, 16), grey(20)], [STRETCH] * 3)
    assert [float(answer.outputs[0][answer.position, 0]) for answer in answers] == [10, 30, 20]
    assert [answer.geometry.image_wh for answer in answers] == [(8, 8), (16, 4), (8, 8)]
    assert inference_s > 0


def test_pictures_whose_canvases_differ_run_apart_and_keep_their_order() -> None:
    fit = ImagePreprocessing(resize_mode=ResizeMode.FIT_LONGER_EDGE, scaling_factor=None)
    engine = FakeEngine(brightest, (None, 3, None, None))
    answers, _ = PictureNetwork(package(), engine).run([grey(1, 4, 8), grey(2, 8, 8), grey(3, 4, 8)], [fit] * 3)
    assert [float(answer.outputs[0][answer.position, 0]) for answer in answers] == [1, 2, 3]
    assert [batch.shape for batch in engine.batches[1:]] == [(2, 3, 32, 64), (1, 3, 64, 64)]


def test_no_pictures_have_no_answers() -> None:
    assert network().run([], []) == ([], 0.0)


def test_the_first_run_shows_the_outputs() -> None:
    outputs = network(lambda batch: {"a": np.zeros((len(batch), 4)), "b": np.zeros((9, 2))}).outputs
    assert [str(output) for output in outputs] == ["a[1, 4]", "b[9, 2]"]


def test_a_network_of_whole_numbers_is_fed_pixel_values() -> None:
    engine = FakeEngine(brightest, (None, 3, 8, 8), np.uint8)
    taken = PictureNetwork(package(), engine)
    steps = taken.steps_taken(
        ImagePreprocessing(resize_mode=ResizeMode.STRETCH, normalization=Normalization(mean=(1, 1, 1), std=(2, 2, 2)))
    )
    assert (steps.scaling_factor, steps.normalization) == (None, None)
    taken.run([grey(200)], [steps])
    assert engine.batches[-1].dtype == np.uint8
    assert_array_equal(engine.batches[-1], np.full((1, 3, 8, 8), 200))


def test_a_network_of_half_numbers_is_fed_scaled_values() -> None:
    engine = FakeEngine(brightest, (None, 3, 8, 8), np.float16)
    taken = PictureNetwork(package(), engine)
    steps = taken.steps_taken(ImagePreprocessing(resize_mode=ResizeMode.STRETCH))
    taken.run([grey(255)], [steps])
    assert_array_equal(engine.batches[-1], np.ones((1, 3, 8, 8), np.float16))


@pytest.mark.parametrize(
    ("input_shape", "static_batch_size"),
    [
        ((1, 3, 100_000, 100_000), None),
        ((1, 3, 16384, 16384), None),
        ((100_000, 3, 64, 64), None),
        ((None, 3, 64, 64), 100_000),
    ],
)
def test_a_network_that_demands_a_huge_batch_is_refused_before_it_is_made(
    input_shape: tuple[int | None, ...], static_batch_size: int | None
) -> None:
    with pytest.raises(ModelLoadError, match="bytes; at most 1073741824 are served"):
        network(input_shape=input_shape, static_batch_size=static_batch_size)


@pytest.mark.parametrize("shape", [(300, 6), (3, 300, 6), ()])
def test_outputs_without_the_batch_as_their_first_axis_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelLoadError, match="first axis of its outputs must be the batch"):
        network(lambda batch: np.zeros(shape))


@pytest.mark.parametrize("input_shape", [(None, 10), (None, 1, 64, 64), (None, 64, 64, 3)])
def test_a_network_that_takes_no_pictures_is_refused(input_shape: tuple[int | None, ...]) -> None:
    with pytest.raises(ModelLoadError, match="a model for object-detection takes one batch of pictures"):
        network(input_shape=input_shape)


REDUCED = ImagePreprocessing(resize_mode=ResizeMode.LETTERBOX, scaling_factor=None, reduced_decoding=True)


def test_a_picture_may_be_given_as_small_as_the_network_sees_it() -> None:
    assert network().needed_wh((64, 32), REDUCED) == (8, 4)


@pytest.mark.parametrize(
    "changes",
    [
        {"reduced_decoding": False},
        {"static_crop": StaticCrop(x_min=0, y_min=0, x_max=50, y_max=100)},
        {"contrast": Contrast.HISTOGRAM_EQUALIZATION},
        {"resize_mode": ResizeMode.CENTER_CROP},
    ],
)
def test_a_picture_is_given_whole_where_its_own_pixels_count_or_nobody_said_otherwise(changes: dict[str, Any]) -> None:
    assert network().needed_wh((64, 32), replace(REDUCED, **changes)) == (64, 32)


def test_a_smaller_picture_lies_where_the_whole_one_would() -> None:
    engine = FakeEngine(brightest, (None, 3, 8, 8))
    taken = PictureNetwork(package(), engine)
    (whole, smaller), _ = taken.run([grey(9, 32, 64), grey(9, 16, 32)], [REDUCED] * 2, [(64, 32), (64, 32)])
    assert whole.geometry == smaller.geometry
    assert_array_equal(engine.batches[-1][0], engine.batches[-1][1])
