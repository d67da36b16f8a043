from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from deployments.models.errors import ModelLoadError, UnsupportedModelError
from deployments.models.image_preprocessing import ImagePreprocessing
from deployments.models.package import ModelPackage
from deployments.models.package_layouts.contents import TextMaps
from deployments.models.text_detection.text_detector import TextDetector
from deployments.models.text_detection.text_regions import envelopes
from tests.unit.deployments.models.builders import FakeEngine, package


def detector_package(**changes: object) -> ModelPackage:
    values: dict[str, object] = {
        "model_id": "doctr/detection",
        "task_type": "text-detection",
        "architecture": "db_mobilenet_v3_large",
        "class_names": (),
        "preprocessing": ImagePreprocessing(input_hw=(512, 512), size_divisor=32),
        "text_maps": TextMaps(probabilities=True, unclip_ratio=0),
    }
    return package(**{**values, **changes})


def brightness(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """(b, 1, H, W): white is text."""
    return batch[:, :1]


def halved(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    return batch[:, :1, ::2, ::2]


def picture(*boxes: tuple[int, int, int, int], wh: tuple[int, int] = (400, 100)) -> NDArray[np.uint8]:
    """White boxes on black."""
    pixels = np.zeros((wh[1], wh[0], 3), dtype=np.uint8)
    for left, top, right, bottom in boxes:
        pixels[top:bottom, left:right] = 255
    pixels.flags.writeable = False
    return pixels


def found(detector: TextDetector, *pictures: NDArray[np.uint8]) -> list[list[list[float]]]:
    regions = detector.detect_batch(pictures).regions
    return [
        envelopes(each.quads, (image.shape[1], image.shape[0])).tolist()
        for each, image in zip(regions, pictures, strict=True)
    ]


def test_regions_are_in_pixels_of_the_picture() -> None:
    detector = TextDetector(detector_package(), FakeEngine(brightness))
    assert found(detector, picture((40, 20, 120, 50))) == [[[40, 20, 120, 50]]]


def test_maps_of_a_part_of_the_size_are_scaled_up() -> None:
    detector = TextDetector(detector_package(), FakeEngine(halved))
    [[box]] = found(detector, picture((40, 20, 120, 50)))
    assert_allclose(box, [40, 20, 120, 50])


def test_a_large_picture_is_seen_small_and_its_regions_come_back_large() -> None:
    # 2048 x 1024 is shown at 512 x 256, a quarter
    engine = FakeEngine(brightness)
    detector = TextDetector(detector_package(), engine)
    [[box]] = found(detector, picture((400, 200, 1200, 400), wh=(2048, 1024)))
    assert engine.batches[-1].shape == (1, 3, 256, 512)
    assert_allclose(box, [400, 200, 1200, 400], atol=4)


def test_nothing_is_found_on_the_padding() -> None:
    def everywhere(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.ones((len(batch), 1, *batch.shape[2:]), dtype=np.float32)

    detector = TextDetector(detector_package(), FakeEngine(everywhere))
    assert found(detector, picture(wh=(400, 100))) == [[[0, 0, 400, 100]]]  # of a canvas of 416 x 128


def test_logits_become_probabilities() -> None:
    def logits(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return (batch[:, :1] - 0.5) * 200  # far beyond what exp can hold on the dark side

    maps = TextMaps(pixel=0.5, region=0.5, unclip_ratio=0)
    detector = TextDetector(detector_package(text_maps=maps), FakeEngine(logits))
    assert found(detector, picture((40, 20, 120, 50))) == [[[40, 20, 120, 50]]]


def test_pictures_of_one_canvas_share_a_run_and_keep_their_order() -> None:
    engine = FakeEngine(brightness)
    detector = TextDetector(detector_package(), engine)
    engine.batches.clear()
    answers = found(
        detector,
        picture((40, 20, 120, 50)),
        picture((0, 0, 32, 32), wh=(320, 320)),
        picture(wh=(400, 100)),
        picture((200, 20, 320, 50)),
    )
    assert [len(boxes) for boxes in answers] == [1, 1, 0, 1]
    assert answers[3] == [[200, 20, 320, 50]]
    assert [batch.shape[0] for batch in engine.batches] == [3, 1]


def test_many_large_pictures_do_not_travel_in_one_run() -> None:
    engine = FakeEngine(brightness)
    detector = TextDetector(detector_package(), engine)
    engine.batches.clear()
    found(detector, *[picture(wh=(512, 512))] * 20)
    assert [len(batch) for batch in engine.batches] == [8, 8, 4]  # of 2 ** 21 / 2 ** 18


def test_a_picture_without_pixels_has_no_text_and_leaves_the_others_alone() -> None:
    detector = TextDetector(detector_package(), FakeEngine(brightness))
    answers = found(detector, np.zeros((0, 9, 3), np.uint8), picture((40, 20, 120, 50)), np.zeros((9, 0), np.uint8))
    assert [len(boxes) for boxes in answers] == [0, 1, 0]


def test_an_empty_batch_does_not_run_the_network() -> None:
    engine = FakeEngine(brightness)
    detector = TextDetector(detector_package(), engine)
    engine.batches.clear()
    assert detector.detect_batch([]).regions == []
    assert engine.batches == []


def test_grey_pictures_are_searched_too() -> None:
    detector = TextDetector(detector_package(), FakeEngine(brightness))
    assert found(detector, picture((40, 20, 120, 50))[:, :, 0]) == [[[40, 20, 120, 50]]]


def test_the_package_may_set_other_thresholds_than_its_architecture() -> None:
    dim = np.full((100, 400, 3), 51, dtype=np.uint8)  # 0.2 everywhere
    usual, own = (
        TextDetector(detector_package(text_maps=maps), FakeEngine(brightness))
        for maps in (TextMaps(probabilities=True), TextMaps(probabilities=True, pixel=0.1))
    )
    assert [len(boxes) for boxes in found(usual, dim) + found(own, dim)] == [0, 1]


def test_another_architecture_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnsupportedModelError, match="'east'; text detectors served here are db_mobilenet_v3_large"):
        TextDetector(detector_package(architecture="east"), FakeEngine(brightness))


def test_a_network_that_gives_no_map_is_refused_with_what_it_gives() -> None:
    def boxes(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.zeros((len(batch), 6, 100), dtype=np.float32)

    with pytest.raises(ModelLoadError, match=r"gives \[1, 6, 100\] for pictures of 32 x 32"):
        TextDetector(detector_package(), FakeEngine(boxes))
