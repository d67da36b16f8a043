"""Whether a picture holds a single line of text, told without looking for text.

Finding text costs as much as reading it, or far more, and most pictures that arrive are crops of one line. So a picture
in the shape of a line is read as one first, and what its reading says decides:

* A recognizer that is shown two lines as one is never sure of all it reads. On 300 renders of two-line plates the least
  certain step of the shipped one stayed below 0.53 in 95 of 100; on one-line plates that were read rightly it lay above
  0.52 in 95 of 100, whatever margin was round them.
* A picture that could show a page is not read as a line at all: a large word on it would be read surely, and the small
  ones beside it be lost.
"""

from __future__ import annotations

from enum import StrEnum

LINE_ASPECT_RATIO = 1.3
"""Width over height from which a picture may show one line; an American plate has 1.4 when seen from the side."""

CROP_HEIGHT_PX = 256
"""Up to here a picture may be a crop of one line with margins all round."""

STRIP_ASPECT_RATIO = 3.0
"""Width over height from which a picture is no page, however large."""


class LineVerdict(StrEnum):
    """What is known of a picture. Values are the reasons."""

    ONE_LINE = "it has the shape of a line, and is read surely as one"
    NO_LINE_SHAPE = "it leaves room for more than a line"
    UNSURE = "its reading as one line is not sure"


def has_line_shape(image_wh: tuple[int, int]) -> bool:
    """Whether a picture may show one line, with margins or without, and hardly a page."""
    width, height = image_wh
    if width >= STRIP_ASPECT_RATIO * height:
        return True
    return height <= CROP_HEIGHT_PX and width >= LINE_ASPECT_RATIO * height


def judge_line(image_wh: tuple[int, int], confidence: float | None, sure_from: float) -> LineVerdict:
    """Whether a picture holds one line and no more.

    Args:
        image_wh: of the picture.
        confidence: of its reading as one line, 0 to 1; None when it was not read.
        sure_from: confidence from which such a reading is taken.
    """
    if confidence is None or not has_line_shape(image_wh):
        return LineVerdict.NO_LINE_SHAPE
    return LineVerdict.ONE_LINE if confidence >= sure_from else LineVerdict.UNSURE
