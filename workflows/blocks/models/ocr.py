"""Read the text on images."""

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import AliasChoices, Field

from workflows.block import Block, BlockManifest, RunsOn
from workflows.kinds import Kind
from workflows.manifest_fields import ImageRef
from workflows.ports import TextReader
from workflows.values.detections import Detections, new_detection_ids
from workflows.values.image import Image
from workflows.values.recognized_text import RecognizedText, TextLevel


class OcrModel(BlockManifest):
    """Read the text on an image."""

    human_name: ClassVar[str] = "OCR Model"
    category: ClassVar[str] = "model"

    type: Literal["roboflow_core/ocr_model@v1", "OCRModel"]
    images: ImageRef = Field(
        validation_alias=AliasChoices("images", "image"), title="Image", description="Image with the text."
    )


async def run(images: Image, *, text_reader: TextReader) -> dict[str, Any]:
    recognized = await text_reader.read(images)
    return {
        "result": recognized.text,
        "predictions": text_boxes(recognized),
        "parent_id": images.id,
        "root_parent_id": images.placement.root.id,
        "prediction_type": "ocr",
    }


def text_boxes(recognized: RecognizedText) -> Detections:
    """Boxes of words, lines and blocks, in whole pixels; as the wire wants it, without image, parent or true score."""
    count = len(recognized.xyxy)
    return Detections(
        xyxy=np.rint(recognized.xyxy).astype(np.float64),
        confidence=np.ones(count, dtype=np.float64),
        class_id=recognized.level.astype(np.int64),
        class_name=np.array([TextLevel(level).name.lower() for level in recognized.level.tolist()], dtype=np.str_),
        detection_id=new_detection_ids(count),
        prediction_type="ocr",
    )


BLOCK = Block(
    OcrModel,
    run,
    outputs={
        "result": (Kind.STRING,),
        "predictions": (Kind.OBJECT_DETECTION_PREDICTION,),
        "parent_id": (Kind.PARENT_ID,),
        "root_parent_id": (Kind.PARENT_ID,),
        "prediction_type": (Kind.PREDICTION_TYPE,),
    },
    runs_on=RunsOn.TEXT_READER,
    batch_fields=("images",),
)
