"""Write a label at each detection."""

from typing import ClassVar, Literal

from pydantic import Field

from workflows.block import Block, RunsOn
from workflows.drawing.canvas import canvas_of, drawable
from workflows.drawing.colours import parse_colour
from workflows.drawing.in_parts import draw_in_parts
from workflows.drawing.labels import LabelText, label_texts
from workflows.drawing.manifest import DetectionsVisualizationManifest
from workflows.drawing.palette import colour_lookup, palette
from workflows.drawing.sizes import LARGEST_MARGIN_PX, LARGEST_TEXT_SCALE, at_most, text_stroke_px
from workflows.kinds import Kind
from workflows.manifest_fields import FloatRef, IntegerRef, StringRef
from workflows.values.detections import Detections
from workflows.values.image import Image

Anchor = Literal[
    "CENTER",
    "CENTER_LEFT",
    "CENTER_RIGHT",
    "TOP_CENTER",
    "TOP_LEFT",
    "TOP_RIGHT",
    "BOTTOM_LEFT",
    "BOTTOM_CENTER",
    "BOTTOM_RIGHT",
    "CENTER_OF_MASS",
]

FULL_HD_PX = 1080
"""Shorter side of the image on which the automatic text size equals `text_scale`."""


class LabelVisualization(DetectionsVisualizationManifest):
    """Write a label at every detection."""

    human_name: ClassVar[str] = "Label Visualization"

    type: Literal["roboflow_core/label_visualization@v1", "LabelVisualization"]
    text: LabelText | StringRef = Field(default="Class", description="What the label says.")
    text_position: Anchor | StringRef = Field(default="TOP_LEFT", description="Point of the box the label stands at.")
    text_color: str | StringRef = Field(default="WHITE", description="Colour of the text, such as WHITE or #ff8800.")
    text_scale: float | FloatRef = Field(default=1.0, description="Size of the text; 1 is about 22 pixels high.")
    text_thickness: int | IntegerRef = Field(default=1, description="Width of the strokes in pixels.")
    text_padding: int | IntegerRef = Field(default=10, description="Space around the text in pixels.")
    border_radius: int | IntegerRef = Field(default=0, description="Radius of the label's corners in pixels.")


class LabelVisualizationV2(LabelVisualization):
    """Write a label at every detection, if wanted in a size that follows the image."""

    type: Literal["roboflow_core/label_visualization@v2"]  # type: ignore[assignment]  # a field of its own
    text_size_mode: Literal["Manual", "Automatic"] | StringRef = Field(
        default="Manual", description="Whether the size of the text is as given or follows the image."
    )


def run(
    image: Image,
    predictions: Detections,
    color_palette: str,
    palette_size: int,
    custom_colors: list[str],
    color_axis: str,
    text: str,
    text_position: str,
    text_color: str,
    text_scale: float,
    text_thickness: int,
    text_padding: int,
    border_radius: int,
    text_size_mode: str = "Manual",
) -> dict[str, Image]:
    import supervision as sv  # late: it takes seconds, and most processes never draw

    scale = at_most(
        automatic_scale(image.wh, text_scale) if text_size_mode == "Automatic" else text_scale, LARGEST_TEXT_SCALE
    )
    annotator = sv.LabelAnnotator(
        color=palette(color_palette, palette_size, custom_colors),
        color_lookup=colour_lookup(color_axis),
        text_color=sv.Color(*parse_colour(text_color)),
        text_scale=scale,
        text_thickness=text_stroke_px(text_thickness, scale),
        text_padding=at_most(text_padding, LARGEST_MARGIN_PX),
        text_position=sv.Position(text_position),
        border_radius=at_most(border_radius, LARGEST_MARGIN_PX),
    )
    shown = drawable(predictions, masks=text_position == sv.Position.CENTER_OF_MASS.value)
    drawn = draw_in_parts(annotator, canvas_of(image), shown, label_texts(predictions, text))
    return {"image": image.with_pixels(drawn)}


def automatic_scale(image_wh: tuple[int, int], text_scale: float) -> float:
    """Text scale that keeps its share of the image's shorter side, between 0.3 and 5."""
    return min(max(min(image_wh) / FULL_HD_PX * text_scale, 0.3), 5.0)


BLOCKS = tuple(
    Block(manifest, run, outputs={"image": (Kind.IMAGE,)}, runs_on=RunsOn.TRANSFORMS)
    for manifest in (LabelVisualization, LabelVisualizationV2)
)
