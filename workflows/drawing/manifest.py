"""Properties that all visualisation blocks have."""

from typing import Annotated, ClassVar

from pydantic import AliasChoices, Field

from workflows.block import BlockManifest
from workflows.drawing.palette import ColourAxis, PaletteName
from workflows.drawing.sizes import LARGEST_PALETTE
from workflows.kinds import DETECTION_KINDS, Kind
from workflows.manifest_fields import BooleanRef, ImageRef, IntegerRef, ListRef, Reference, StringRef

CustomColours = Annotated[list[str], Field(max_length=LARGEST_PALETTE)]
DrawableRef = Annotated[str, Reference((*DETECTION_KINDS, Kind.RLE_INSTANCE_SEGMENTATION_PREDICTION))]


class VisualizationManifest(BlockManifest):
    """Draw on an image."""

    category: ClassVar[str] = "visualization"

    image: ImageRef = Field(
        validation_alias=AliasChoices("image", "images"), title="Image", description="Image to draw on."
    )
    copy_image: bool | BooleanRef = Field(
        default=True, description="Has no effect: drawing always makes a new image and leaves the given one as it is."
    )


class DetectionsVisualizationManifest(VisualizationManifest):
    """Draw detections on an image, in colours of a palette."""

    predictions: DrawableRef = Field(description="Detections to draw.")
    color_palette: PaletteName | StringRef = Field(default="DEFAULT", description="Palette to take colours from.")
    palette_size: int | IntegerRef = Field(default=10, description="Number of colours of a Matplotlib palette.")
    custom_colors: CustomColours | ListRef = Field(
        default_factory=list, description="Colours of the palette CUSTOM, such as #ff8800."
    )
    color_axis: ColourAxis | StringRef = Field(
        default="CLASS", description="What decides the colour of a detection: its class, position or track."
    )
