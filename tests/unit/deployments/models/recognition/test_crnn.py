from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from deployments.models.engines.engine import TensorSpec
from deployments.models.errors import ModelLoadError, UnsupportedModelError
from deployments.models.image_preprocessing import ImagePreprocessing, ResizeMode
from deployments.models.package_layouts.contents import TextReading
from deployments.models.recognition.crnn import TextRecognizer
from tests.unit.deployments.models.builders import FakeEngine, text_package

VOCABULARY = "ABCD"


def by_brightness(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """(b, 2, 5): the character whose number is the brightness of the crop, then a blank; certain of both."""
    output = np.zeros((len(batch), 2, 5), dtype=np.float32)
    for logits, planes in zip(output, batch, strict=True):
        logits[0, round(float(planes.max() * 255)) % 5] = 50
        logits[1, 4] = 50
    return output


def crop(value: int, height: int = 4, width: int = 16) -> NDArray[np.uint8]:
    pixels = np.full((height, width, 3), value, dtype=np.uint8)
    pixels.flags.writeable = False
    return pixels


def test_each_crop_of_a_batch_is_read_in_one_run() -> None:
    engine = FakeEngine(by_brightness)
    recognizer = TextRecognizer(text_package(VOCABULARY), engine)
    engine.batches.clear()
    lines = recognizer.read_batch([crop(2), crop(0, 9, 30), crop(3, 1, 1)]).lines
    assert [line.text for line in lines] == ["C", "A", "D"]
    assert [line.xyxy for line in lines] == [(0, 0, 16, 4), (0, 0, 30, 9), (0, 0, 1, 1)]
    assert [line.confidence for line in lines] == pytest.approx([1, 1, 1])
    assert [batch.shape for batch in engine.batches] == [(3, 3, 4, 16)]


def test_a_crop_without_text_reads_as_nothing_with_no_confidence() -> None:
    [line] = TextRecognizer(text_package(VOCABULARY), FakeEngine(by_brightness)).read_batch([crop(4)]).lines
    assert (line.text, line.confidence) == ("", 0.0)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_a_crop_without_pixels_reads_as_nothing_and_leaves_the_others_alone(shape: tuple[int, int]) -> None:
    recognizer = TextRecognizer(text_package(VOCABULARY), FakeEngine(by_brightness))
    lines = recognizer.read_batch([crop(1), crop(1, *shape), crop(2)]).lines
    assert [line.text for line in lines] == ["B", "", "C"]
    assert lines[1].confidence == 0.0


def test_an_empty_batch_does_not_run_the_network() -> None:
    engine = FakeEngine(by_brightness)
    recognizer = TextRecognizer(text_package(VOCABULARY), engine)
    engine.batches.clear()
    assert recognizer.read_batch([]).lines == []
    assert engine.batches == []


def test_grey_crops_are_read_too() -> None:
    recognizer = TextRecognizer(text_package(VOCABULARY), FakeEngine(by_brightness))
    assert recognizer.read_batch([np.full((4, 16), 3, dtype=np.uint8)]).lines[0].text == "D"


def test_a_wide_crop_is_read_in_pieces_and_its_confidence_is_their_mean() -> None:
    def answer(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        output = by_brightness(batch)
        # less certain of brightness 1: 0.5 for each of two characters
        for logits, planes in zip(output, batch, strict=True):
            if round(float(planes.max() * 255)) == 1:
                logits[0, 2] = 50
        return output

    engine = FakeEngine(answer)
    recognizer = TextRecognizer(text_package(VOCABULARY), engine)
    engine.batches.clear()
    wide = np.zeros((10, 100, 3), dtype=np.uint8)
    wide[:, 60:] = 1  # pieces begin at 0, 30 and 40: the first is dark, the others are not
    [line] = recognizer.read_batch([wide]).lines
    assert len(engine.batches[0]) == 3
    assert line.text == "ABB"
    assert line.confidence == pytest.approx((1 + 0.5 + 0.5) / 3)


def test_a_wide_crop_takes_the_place_of_one_among_others() -> None:
    recognizer = TextRecognizer(text_package(VOCABULARY), FakeEngine(by_brightness))
    lines = recognizer.read_batch([crop(1), crop(2, 10, 100), crop(3)]).lines
    assert [line.text for line in lines] == ["B", "CCC", "D"]


def test_a_fixed_batch_splits_the_crops() -> None:
    engine = FakeEngine(by_brightness, input_shape=(2, 3, 4, 16))
    recognizer = TextRecognizer(text_package(VOCABULARY), engine)
    engine.batches.clear()
    assert [line.text for line in recognizer.read_batch([crop(0), crop(1), crop(2)]).lines] == ["A", "B", "C"]
    assert [len(batch) for batch in engine.batches] == [2, 2]


def test_the_size_of_the_graph_wins_over_that_of_the_package() -> None:
    recognizer = TextRecognizer(text_package(VOCABULARY), FakeEngine(by_brightness, input_shape=(None, 3, 8, 24)))
    assert recognizer.input_hw == (8, 24)


def test_a_package_without_a_vocabulary_is_refused() -> None:
    with pytest.raises(ModelLoadError, match="has no vocabulary"):
        TextRecognizer(text_package(VOCABULARY, text_reading=None), FakeEngine(by_brightness))


def test_a_vocabulary_that_does_not_fit_the_network_is_refused_with_both_numbers() -> None:
    with pytest.raises(ModelLoadError, match=r"gives \[1, 2, 5\]; with 3 characters .* time steps, 4\]"):
        TextRecognizer(text_package("ABC", text_reading=TextReading(vocabulary="ABC")), FakeEngine(by_brightness))


def test_another_architecture_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnsupportedModelError, match="'parseq'; text recognizers served here are crnn"):
        TextRecognizer(text_package(VOCABULARY, architecture="parseq"), FakeEngine(by_brightness))


class FramingEngine(FakeEngine):
    """Gives corners beside the logits: the same frame on every crop."""

    def __init__(self, frame: list[list[float]]) -> None:
        super().__init__(by_brightness)
        self._frame = np.array(frame, dtype=np.float32)
        self.outputs = (*self.outputs, TensorSpec(name="corners", shape=(None, 4, 2), dtype=np.dtype(np.float32)))

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return {**super().run(feeds), "corners": np.tile(self._frame, (len(feeds["images"]), 1, 1))}


MIDDLE = [[0.4, 0.25], [0.6, 0.25], [0.6, 0.75], [0.4, 0.75]]


def test_a_line_stands_where_the_network_frames_it() -> None:
    recognizer = TextRecognizer(text_package(VOCABULARY), FramingEngine(MIDDLE))
    assert recognizer.read_batch([crop(1, 40, 100)]).lines[0].xyxy == (40, 10, 60, 30)


def test_a_tilted_frame_is_taken_by_its_outermost_corners_and_cut_at_the_border() -> None:
    recognizer = TextRecognizer(
        text_package(VOCABULARY), FramingEngine([[-0.1, 0.3], [0.9, 0.1], [1.2, 0.6], [0, 0.8]])
    )
    assert recognizer.read_batch([crop(1, 40, 100)]).lines[0].xyxy == (0, 4, 100, 32)


def test_a_frame_beside_the_crop_keeps_one_pixel_of_it() -> None:
    recognizer = TextRecognizer(text_package(VOCABULARY), FramingEngine([[2, 2], [3, 2], [3, 3], [2, 3]]))
    assert recognizer.read_batch([crop(1, 40, 100)]).lines[0].xyxy == (99, 39, 100, 40)


def test_a_crop_in_pieces_has_no_frame() -> None:
    recognizer = TextRecognizer(text_package(VOCABULARY), FramingEngine(MIDDLE))
    assert recognizer.read_batch([crop(1, 10, 100)]).lines[0].xyxy == (0, 0, 100, 10)


def test_corners_of_another_shape_are_refused() -> None:
    with pytest.raises(ModelLoadError, match=r"gives corners of \[1, 2, 2\]; it must give \[batch, 4, 2\]"):
        TextRecognizer(text_package(VOCABULARY), FramingEngine([[0, 0], [1, 1]]))


ANY_WIDTH = ImagePreprocessing(resize_mode=ResizeMode.FIT_LONGER_EDGE, input_hw=(4, 16), size_divisor=8)


def test_crops_of_like_width_share_a_run_where_the_network_takes_any_width() -> None:
    engine = FakeEngine(by_brightness, input_shape=(None, 3, 4, None))
    recognizer = TextRecognizer(text_package(VOCABULARY, preprocessing=ANY_WIDTH), engine)
    engine.batches.clear()
    # scaled to 4 rows they have 5, 16, 8 and 20 columns
    lines = recognizer.read_batch([crop(0, 8, 10), crop(1, 4, 16), crop(2, 2, 4), crop(3, 4, 20)]).lines
    assert [line.text for line in lines] == ["A", "B", "C", "D"]
    assert [batch.shape for batch in engine.batches] == [(2, 3, 4, 8), (1, 3, 4, 16), (1, 3, 4, 24)]


def test_a_stretching_recognizer_keeps_its_width_though_the_graph_takes_any() -> None:
    engine = FakeEngine(by_brightness, input_shape=(None, 3, 4, None))
    recognizer = TextRecognizer(text_package(VOCABULARY), engine)
    recognizer.read_batch([crop(0, 8, 10), crop(3, 4, 20)])
    assert engine.batches[-1].shape == (2, 3, 4, 16)


@pytest.mark.parametrize(("width", "columns"), [(8, 32), (31, 32), (32, 32), (33, 32), (3000, 32)])
def test_a_flat_crop_asks_for_no_wider_input_than_the_longest_line(width: int, columns: int) -> None:
    engine = FakeEngine(by_brightness, input_shape=(None, 3, 4, None))
    package = text_package(
        VOCABULARY,
        preprocessing=ANY_WIDTH,
        text_reading=TextReading(vocabulary=VOCABULARY, critical_aspect_ratio=8, piece_aspect_ratio=8, max_pieces=4),
    )
    recognizer = TextRecognizer(package, engine)
    engine.batches.clear()
    recognizer.read_batch([crop(1, 1, width)])
    assert {batch.shape[3] for batch in engine.batches} == {columns}
    assert sum(len(batch) for batch in engine.batches) <= 4
