from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from tests.unit.workflows.builders import image, numbered_pixels
from workflows.blocks.models.ocr import BLOCK, run
from workflows.serializers.detections import write_detections
from workflows.values.recognized_text import RecognizedText

CROP = image(numbered_pixels(200, 100)).window("d-1", (10, 20, 90, 80))


class Reader:
    def __init__(self, text: str, xyxy: list[list[float]], level: list[int]) -> None:
        self.recognized = RecognizedText(
            text=text,
            xyxy=np.array(xyxy, dtype=np.float64).reshape(-1, 4),
            level=np.array(level, dtype=np.int64),
            texts=(text,) * len(level),
            scores=np.full(len(level), 0.5),
            confidence=0.5,
        )

    async def read(self, image):
        return self.recognized


PLATE = Reader("AB 12", [[1.4, 2.5, 3.5, 4.6], [1, 2, 30, 4], [0, 0, 30, 8]], [2, 1, 0])
NOTHING = Reader("", [], [])


async def test_the_text_is_the_result():
    assert (await run(CROP, text_reader=PLATE))["result"] == "AB 12"


async def test_boxes_are_words_lines_and_blocks_in_whole_pixels():
    found = (await run(CROP, text_reader=PLATE))["predictions"]
    assert found.class_name.tolist() == ["word", "line", "block"]
    assert found.class_id.tolist() == [2, 1, 0]
    assert found.confidence.tolist() == [1.0, 1.0, 1.0]
    assert_array_equal(found.xyxy[0], [1, 2, 4, 5])


async def test_boxes_know_neither_image_nor_parent_on_the_wire():
    written = write_detections((await run(CROP, text_reader=PLATE))["predictions"])
    assert written["image"] == {"width": None, "height": None}
    keys = {"width", "height", "x", "y", "confidence", "class_id", "class", "detection_id"}
    assert all(set(prediction) == keys for prediction in written["predictions"])


async def test_the_image_and_its_root_are_named():
    found = await run(CROP, text_reader=PLATE)
    assert (found["parent_id"], found["root_parent_id"], found["prediction_type"]) == ("d-1", "image", "ocr")


async def test_an_image_without_text_has_an_empty_result():
    found = await run(CROP, text_reader=NOTHING)
    assert (found["result"], len(found["predictions"])) == ("", 0)


async def test_all_declared_outputs_are_given():
    assert set(await run(CROP, text_reader=NOTHING)) == set(BLOCK.outputs)
