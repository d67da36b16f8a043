"""Values for tests of the query language, from plain lists."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.unit.workflows import builders
from workflows.values.detections import Detections
from workflows.values.image import Image
from workflows.values.origin import Placement
from workflows.values.video import VideoMetadata


def read_only(values: Any, dtype: Any) -> np.ndarray:
    return builders.frozen(np.array(values, dtype=dtype))


def detections(
    *rows: list[float],
    confidence: Sequence[float] | None = None,
    class_name: Sequence[str] | None = None,
    class_id: Sequence[int] | None = None,
    **columns: Any,
) -> Detections:
    """Detections `d-0`, `d-1`, ... with the given left, top, right, bottom."""
    if confidence is not None:
        columns["confidence"] = np.array(confidence, dtype=np.float64)
    if class_name is not None:
        columns["class_name"] = np.array(class_name, dtype=np.str_)
    if class_id is not None:
        columns["class_id"] = np.array(class_id, dtype=np.int64)
    return builders.detections(*rows, **columns)


def image(pixels: Any = None, *, wh: tuple[int, int] = (40, 30), **video: Any) -> Image:
    """An uploaded image: black of `wh` where no pixels are given; a frame of a video where its place is given."""
    shown = np.zeros((wh[1], wh[0], 3), dtype=np.uint8) if pixels is None else pixels
    if not video:
        return builders.image(shown)
    still = VideoMetadata.of_still("image")
    metadata = VideoMetadata(**{"video_identifier": "v", "frame_timestamp": still.frame_timestamp} | video)
    return Image.from_pixels(shown, Placement.of_upload("image", (shown.shape[1], shown.shape[0])), metadata)
