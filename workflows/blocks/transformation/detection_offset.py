"""Grow the boxes of detections."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import AliasChoices, Field

from workflows.block import Block, BlockManifest, RunsOn
from workflows.geometry.boxes import centres_and_sizes, clip_boxes, grow_boxes
from workflows.kinds import DETECTION_KINDS
from workflows.manifest_fields import DetectionsRef, IntegerRef, PositiveInt
from workflows.values.detections import Detections, new_detection_ids

Units = Literal["Percent (%)", "Pixels"]


class DetectionOffset(BlockManifest):
    """Grow every box by the same amount or the same share, no further than its image reaches."""

    human_name: ClassVar[str] = "Detection Offset"
    category: ClassVar[str] = "transformation"

    type: Literal["roboflow_core/detection_offset@v1", "DetectionOffset"]
    predictions: DetectionsRef = Field(description="Detections to grow.")
    offset_width: PositiveInt | IntegerRef = Field(
        validation_alias=AliasChoices("offset_width", "offset_x"),
        description="What the width grows by, half of it on each side.",
    )
    offset_height: PositiveInt | IntegerRef = Field(
        validation_alias=AliasChoices("offset_height", "offset_y"),
        description="What the height grows by, half of it on each side.",
    )
    units: Units = Field(default="Pixels", description="Whether the amounts are pixels or percent of the box.")


def run(predictions: Detections, offset_width: int, offset_height: int, units: Units) -> dict[str, Detections]:
    if len(predictions) == 0:
        return {"predictions": predictions}
    if units == "Pixels":
        grown = grow_boxes(predictions.xyxy, offset_width // 2, offset_height // 2)
    else:
        sizes = centres_and_sizes(predictions.xyxy)[:, 2:]
        shares = np.trunc(sizes * (offset_width, offset_height) / 200)
        grown = grow_boxes(predictions.xyxy, shares[:, 0], shares[:, 1])
    if predictions.image_wh is not None:
        grown = clip_boxes(grown, predictions.image_wh)
    return {
        "predictions": predictions.replace(
            xyxy=grown, parent_id=predictions.detection_id, detection_id=new_detection_ids(len(predictions))
        )
    }


BLOCK = Block(
    DetectionOffset,
    run,
    outputs={"predictions": DETECTION_KINDS},
    runs_on=RunsOn.TRANSFORMS,
    batch_fields=("predictions",),
)
