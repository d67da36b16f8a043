"""Cut the same share out of every image."""

import uuid
from typing import ClassVar, Literal

from pydantic import AliasChoices, Field

from workflows.block import Block, BlockManifest, RunsOn
from workflows.kinds import Kind
from workflows.manifest_fields import Fraction, FractionRef, ImageRef
from workflows.values.image import Image


class RelativeStaticCrop(BlockManifest):
    """Cut a window, given in shares of the image's sides, out of an image."""

    human_name: ClassVar[str] = "Relative Static Crop"
    category: ClassVar[str] = "transformation"

    type: Literal["roboflow_core/relative_statoic_crop@v1", "RelativeStaticCrop"]
    images: ImageRef = Field(
        validation_alias=AliasChoices("images", "image"), title="Image to Crop", description="Image to cut from."
    )
    x_center: Fraction | FractionRef = Field(description="Centre of the window, from 0 (left) to 1 (right).")
    y_center: Fraction | FractionRef = Field(description="Centre of the window, from 0 (top) to 1 (bottom).")
    width: Fraction | FractionRef = Field(description="Width of the window, from 0 to 1 (the whole image).")
    height: Fraction | FractionRef = Field(description="Height of the window, from 0 to 1 (the whole image).")


def run(images: Image, x_center: float, y_center: float, width: float, height: float) -> dict[str, Image | None]:
    image_width, image_height = images.wh
    centre_x_px, centre_y_px = round(image_width * x_center), round(image_height * y_center)
    width_px, height_px = round(image_width * width), round(image_height * height)
    left, top = round(centre_x_px - width_px / 2), round(centre_y_px - height_px / 2)
    crop_id = f"relative_static_crop.{uuid.uuid4()}"
    # No clamping: a window that begins left of or above the image counts from the other end and is nearly always empty.
    window = (left, top, left + width_px, top + height_px)
    return {"crops": images.window(crop_id, window, images.video_of_window(crop_id))}


BLOCK = Block(
    RelativeStaticCrop,
    run,
    outputs={"crops": (Kind.IMAGE,)},
    runs_on=RunsOn.TRANSFORMS,
    batch_fields=("images",),
)
