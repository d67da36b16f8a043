"""Cut the same pixels out of every image."""

import uuid
from typing import ClassVar, Literal

from pydantic import AliasChoices, Field

from workflows.block import Block, BlockManifest, RunsOn
from workflows.kinds import Kind
from workflows.manifest_fields import ImageRef, IntegerRef, PositiveInt
from workflows.values.image import Image


class AbsoluteStaticCrop(BlockManifest):
    """Cut a window of fixed place and size, in pixels, out of an image."""

    human_name: ClassVar[str] = "Absolute Static Crop"
    category: ClassVar[str] = "transformation"

    type: Literal["roboflow_core/absolute_static_crop@v1", "AbsoluteStaticCrop"]
    images: ImageRef = Field(
        validation_alias=AliasChoices("images", "image"), title="Image to Crop", description="Image to cut from."
    )
    x_center: PositiveInt | IntegerRef = Field(description="Column of the window's centre in pixels.")
    y_center: PositiveInt | IntegerRef = Field(description="Row of the window's centre in pixels.")
    width: PositiveInt | IntegerRef = Field(description="Width of the window in pixels.")
    height: PositiveInt | IntegerRef = Field(description="Height of the window in pixels.")


def run(images: Image, x_center: int, y_center: int, width: int, height: int) -> dict[str, Image | None]:
    image_width, image_height = images.wh
    left, top = round(x_center - width / 2), round(y_center - height / 2)
    right, bottom = min(left + width, image_width), min(top + height, image_height)
    left, top = max(left, 0), max(top, 0)
    crop_id = f"absolute_static_crop.{uuid.uuid4()}"
    return {"crops": images.window(crop_id, (left, top, right, bottom), images.video_of_window(crop_id))}


BLOCK = Block(
    AbsoluteStaticCrop,
    run,
    outputs={"crops": (Kind.IMAGE,)},
    runs_on=RunsOn.TRANSFORMS,
    batch_fields=("images",),
)
