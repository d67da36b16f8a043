"""Read the text on images with PP-OCR."""

from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import AliasChoices, Field, model_validator

from workflows.block import Block, BlockManifest, RunsOn
from workflows.kinds import Kind
from workflows.manifest_fields import ImageRef
from workflows.ports import TextReader
from workflows.values.detections import Detections, new_detection_ids
from workflows.values.image import Image
from workflows.values.recognized_text import RecognizedText, TextLevel

Size = Literal["none", "tiny", "small", "medium"]


class PpOcr(BlockManifest):
    """Read the text on an image with PP-OCR."""

    human_name: ClassVar[str] = "PP-OCR"
    category: ClassVar[str] = "model"

    type: Literal["roboflow_core/pp_ocr@v1"]
    images: ImageRef = Field(
        validation_alias=AliasChoices("images", "image"), title="Image", description="Image with the text."
    )
    text_detection: Size = Field(
        default="small", description="Size of the text detector; `none` takes each image for one line."
    )
    text_recognition: Size = Field(
        default="small", description="Size of the text recognizer; `none` finds boxes without their texts."
    )

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.text_detection == self.text_recognition == "none":
            raise ValueError("text_detection and text_recognition are both none; at least one must be a size")
        return self


async def run(images: Image, text_detection: str, text_recognition: str, *, text_reader: TextReader) -> dict[str, Any]:
    recognized = await text_reader.read(images, f"pp_ocr/{text_detection}-{text_recognition}")
    return {
        "result": recognized.text,
        "predictions": line_boxes(recognized),
        "parent_id": images.id,
        "root_parent_id": images.placement.root.id,
        "prediction_type": "ocr",
    }


def line_boxes(recognized: RecognizedText) -> Detections:
    """The lines in whole pixels, their texts as classes; as the wire wants it, without image or parent."""
    lines = np.flatnonzero(recognized.level == TextLevel.LINE)
    return Detections(
        xyxy=np.rint(recognized.xyxy[lines]).astype(np.float64),
        confidence=recognized.scores[lines].astype(np.float64),
        class_id=np.zeros(len(lines), dtype=np.int64),
        class_name=np.array([recognized.texts[line] for line in lines.tolist()], dtype=np.str_),
        detection_id=new_detection_ids(len(lines)),
        prediction_type="ocr",
    )


BLOCK = Block(
    PpOcr,
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
