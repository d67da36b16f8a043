"""The place of an image, or of what was found on it, on the wire."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from workflows.serializers.bounds import Pixels
from workflows.values.origin import Origin


class OriginJson(BaseModel):
    """Where a window lies in the image it was cut from, and the size of that image."""

    model_config = ConfigDict(extra="ignore")

    offset_x: Pixels
    offset_y: Pixels
    width: Pixels
    height: Pixels

    def named(self, identity: str) -> Origin:
        """The same place with an identity."""
        return Origin(
            id=identity, left_px=self.offset_x, top_px=self.offset_y, width_px=self.width, height_px=self.height
        )


def write_origin(origin: Origin) -> dict[str, int]:
    """Offsets and the size of the image it was cut from; the identity has a key of its own on the wire."""
    return {
        "offset_x": origin.left_px,
        "offset_y": origin.top_px,
        "width": origin.width_px,
        "height": origin.height_px,
    }
