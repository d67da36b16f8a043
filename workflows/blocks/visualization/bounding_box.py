"""Draw the boxes of detections."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from workflows.block import Block, RunsOn
from workflows.drawing.canvas import canvas_of, drawable
from workflows.drawing.in_parts import draw_in_parts
from workflows.drawing.manifest import DetectionsVisualizationManifest
from workflows.drawing.palette import colour_lookup, palette
from workflows.drawing.sizes import LARGEST_STROKE_PX, at_most
from workflows.kinds import Kind
from workflows.manifest_fields import Fraction, FractionRef, IntegerRef
from workflows.values.detections import Detections
from workflows.values.image import Image


class BoundingBoxVisualization(DetectionsVisualizationManifest):
    """Draw a frame around every detection."""

    human_name: ClassVar[str] = "Bounding Box Visualization"

    type: Literal["roboflow_core/bounding_box_visualization@v1", "BoundingBoxVisualization"]
    thickness: int | IntegerRef = Field(default=2, description="Width of the lines in pixels.")
    roundness: Fraction | FractionRef = Field(
        default=0.0, description="How round the corners are, from 0 (square) to 1."
    )


def run(
    image: Image,
    predictions: Detections,
    color_palette: str,
    palette_size: int,
    custom_colors: list[str],
    color_axis: str,
    thickness: int,
    roundness: float,
) -> dict[str, Image]:
    import supervision as sv  # late: it takes seconds, and most processes never draw

    look: dict[str, Any] = {
        "color": palette(color_palette, palette_size, custom_colors),
        "thickness": at_most(thickness, LARGEST_STROKE_PX),
        "color_lookup": colour_lookup(color_axis),
    }
    annotator = sv.RoundBoxAnnotator(**look, roundness=roundness) if roundness > 0 else sv.BoxAnnotator(**look)
    drawn = draw_in_parts(annotator, canvas_of(image), drawable(predictions))
    return {"image": image.with_pixels(drawn)}


BLOCK = Block(BoundingBoxVisualization, run, outputs={"image": (Kind.IMAGE,)}, runs_on=RunsOn.TRANSFORMS)
