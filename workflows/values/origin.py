"""Who an image is, and which window of which other image it shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """An identity and the place where it lies.

    Attributes:
        id: identity: an input's name for an uploaded image, the detection's id for a crop.
        left_px: column, in the image it was cut from, of its first column; 0 for an uploaded image.
        top_px: row, in the image it was cut from, of its first row; 0 for an uploaded image.
        width_px: width of the image it was cut from; its own width for an uploaded image.
        height_px: height of the image it was cut from; its own height for an uploaded image.
    """

    id: str
    left_px: int = 0
    top_px: int = 0
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where an image, or the detections made on it, belong.

    Attributes:
        parent: the image itself, placed in the image it was cut from.
        root: the same window placed in the uploaded image; `root.id` is the uploaded image's identity.
        scale: pixels of this image for one pixel of the root, where a step resized it.
    """

    parent: Origin
    root: Origin
    scale: float = 1.0

    @classmethod
    def of_upload(cls, image_id: str, image_wh: tuple[int, int]) -> Placement:
        """Placement of an image that came with the request: it is its own parent and root."""
        origin = Origin(id=image_id, width_px=image_wh[0], height_px=image_wh[1])
        return cls(parent=origin, root=origin)

    def window(self, window_id: str, left_px: int, top_px: int, image_wh: tuple[int, int]) -> Placement:
        """Placement of a window cut from this image at (`left_px`, `top_px`); `image_wh` is this image's size."""
        root = self.root
        return Placement(
            parent=Origin(id=window_id, left_px=left_px, top_px=top_px, width_px=image_wh[0], height_px=image_wh[1]),
            root=Origin(
                id=root.id,
                left_px=root.left_px + left_px,
                top_px=root.top_px + top_px,
                width_px=root.width_px,
                height_px=root.height_px,
            ),
            scale=self.scale,
        )
