"""How many pixels of masks one request may still bring."""

from __future__ import annotations

from workflows.serializers.bounds import MAX_MASK_PIXELS


class MaskRoom:
    """Counts the pixels that masks are unpacked to, over all elements of a request: each is computed before it is kept.

    Args:
        pixels: of all of them.
    """

    def __init__(self, pixels: int = MAX_MASK_PIXELS) -> None:
        self._pixels = pixels
        self._left = pixels

    def take(self, pixels: int) -> None:
        """Use some of it.

        Raises:
            ValueError: there is not that much left.
        """
        self._left -= pixels
        if self._left < 0:
            raise ValueError(
                f"the masks of the request fill more than the {self._pixels} pixels accepted; send fewer detections at "
                "once, or boxes without points"
            )
