"""Take the colour out of images."""

from typing import ClassVar, Literal

import cv2
import numpy as np
from pydantic import AliasChoices, Field

from workflows.block import Block, BlockManifest, RunsOn
from workflows.kinds import Kind
from workflows.manifest_fields import ImageRef
from workflows.values.image import Image


class ConvertGrayscale(BlockManifest):
    """Turn an image grey."""

    human_name: ClassVar[str] = "Image Convert Grayscale"
    category: ClassVar[str] = "classical_computer_vision"

    type: Literal["roboflow_core/convert_grayscale@v1"]
    image: ImageRef = Field(
        validation_alias=AliasChoices("image", "images"), title="Input Image", description="Image to turn grey."
    )


def run(image: Image) -> dict[str, Image]:
    if image.pixels.ndim == 2:
        return {"image": image}
    return {"image": image.with_pixels(cv2.cvtColor(image.pixels, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False))}


BLOCK = Block(ConvertGrayscale, run, outputs={"image": (Kind.IMAGE,)}, runs_on=RunsOn.TRANSFORMS)
