from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pydantic import ValidationError

from tests.unit.workflows.builders import image, numbered_pixels
from workflows.blocks.models.pp_ocr import BLOCK, PpOcr, run
from workflows.serializers.detections import write_detections
from workflows.values.recognized_text import RecognizedText

CROP = image(numbered_pixels(200, 100)).window("d-1", (10, 20, 90, 80))
STEP = {"type": "roboflow_core/pp_ocr@v1", "name": "reader", "images": "$inputs.image"}

TWO_LINES = RecognizedText(
    text="AB 12\nCD",
    xyxy=np.array(
        [[1, 2, 4, 5], [5, 2, 9, 5], [1.4, 2, 9.6, 5], [1, 6, 4, 9], [1, 6, 4, 9], [1, 2, 9.6, 9]], dtype=np.float64
    ),
    level=np.array([2, 2, 1, 2, 1, 0]),
    texts=("AB", "12", "AB 12", "CD", "CD", "AB 12\nCD"),
    scores=np.array([0.9, 0.8, 0.8, 0.7, 0.7, 0.7]),
    confidence=0.7,
)


class Reader:
    def __init__(self, recognized: RecognizedText) -> None:
        self.recognized = recognized
        self.asked: list[str | None] = []

    async def read(self, image, model_id=None):
        self.asked.append(model_id)
        return self.recognized


async def test_the_sizes_name_the_model():
    reader = Reader(TWO_LINES)
    await run(CROP, "small", "none", text_reader=reader)
    assert reader.asked == ["pp_ocr/small-none"]


async def test_predictions_are_the_lines_with_their_texts_and_confidences():
    found = await run(CROP, "small", "small", text_reader=Reader(TWO_LINES))
    assert found["result"] == "AB 12\nCD"
    lines = found["predictions"]
    assert lines.class_name.tolist() == ["AB 12", "CD"]
    assert lines.class_id.tolist() == [0, 0]
    assert lines.confidence.tolist() == [0.8, 0.7]
    assert_array_equal(lines.xyxy, [[1, 2, 10, 5], [1, 6, 4, 9]])


async def test_lines_know_neither_image_nor_parent_on_the_wire():
    found = await run(CROP, "small", "small", text_reader=Reader(TWO_LINES))
    written = write_detections(found["predictions"])
    assert written["image"] == {"width": None, "height": None}
    assert all("parent_id" not in prediction for prediction in written["predictions"])


async def test_an_image_without_text_has_an_empty_result_and_all_outputs():
    found = await run(CROP, "small", "small", text_reader=Reader(RecognizedText.nothing()))
    assert set(found) == set(BLOCK.outputs)
    assert (found["result"], len(found["predictions"])) == ("", 0)


def test_both_sizes_are_small_unless_said_otherwise():
    manifest = PpOcr.model_validate(STEP)
    assert (manifest.text_detection, manifest.text_recognition) == ("small", "small")


@pytest.mark.parametrize(
    "fields", [{"text_detection": "none", "text_recognition": "none"}, {"text_detection": "large"}]
)
def test_no_part_at_all_and_unknown_sizes_are_refused(fields):
    with pytest.raises(ValidationError):
        PpOcr.model_validate({**STEP, **fields})
