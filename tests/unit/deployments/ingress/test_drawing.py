from __future__ import annotations

import cv2
import numpy as np
import pytest

from deployments.ingress.drawing import draw_detections
from tests.unit.workflows.builders import detections, image

BLACK = image(np.zeros((40, 60, 3), dtype=np.uint8))


@pytest.mark.parametrize("stroke_px", [10**30, 99_999, 1, 0, -5])
def test_lines_of_any_width_are_drawn(stroke_px):
    drawn = draw_detections(BLACK, detections([10, 10, 30, 30]), labels=True, stroke_px=stroke_px)
    assert cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_COLOR).any()


def test_without_detections_the_image_stays_as_it_is():
    drawn = draw_detections(BLACK, detections(), labels=True, stroke_px=2)
    assert not cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_COLOR).any()


def test_a_label_tells_the_confidence():
    scene = image(np.zeros((120, 200, 3), dtype=np.uint8))
    sure, unsure = (
        draw_detections(scene, detections([10, 60, 90, 100], confidence=np.array([score])), labels=True, stroke_px=1)
        for score in (0.91, 0.23)
    )
    assert sure != unsure
