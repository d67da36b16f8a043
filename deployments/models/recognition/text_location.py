"""Where on a crop the text stands, before it is read.

A crop from a detector has margins, and a recognizer reads best what fills its input. A package says how its crops are
narrowed (`text_location`); each way is one function here.
"""

from __future__ import annotations

from collections.abc import Callable

from workflows.values.image import Pixels

Window = tuple[int, int, int, int]
"""Left, top, right, bottom in whole pixels of the crop; right and bottom exclusive."""


def locate_whole_image(crop: Pixels) -> Window:
    """The text fills the crop."""
    height, width = crop.shape[:2]
    return 0, 0, width, height


TEXT_LOCATORS: dict[str, Callable[[Pixels], Window]] = {"whole-image": locate_whole_image}
"""By the `text_location` of a package."""
