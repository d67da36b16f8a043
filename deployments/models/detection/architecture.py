"""What must be known of a family of detectors to read what its networks give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from deployments.models.detection.outputs import OutputRoles, Tensors
from deployments.models.detection.raw_boxes import RawBoxes
from deployments.models.detection.thresholds import Threshold
from deployments.models.image_preprocessing import ImagePreprocessing
from deployments.models.network_output import Outputs


class Selection(Enum):
    """Which of the decoded boxes are answered."""

    SUPPRESSION = "those that no surer box overlaps, at most max_detections"
    FIRST = "the first max_detections, in the order of the network"
    ALL = "all; the network chose them itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionArchitecture:
    """How the output of one family of detectors is read.

    Attributes:
        name: of the layout.
        layout: its outputs in words, for messages.
        find: the outputs to read; None where these are not of this layout.
        find_by_anchors: the same where the shape alone does not tell, and the number of anchors on a canvas of a height
            and width does; None for layouts that have no such case.
        decode: what `find` found, for one picture -> its boxes that pass the threshold.
        selection: what happens to the boxes then; non-maximum suppression follows for `SUPPRESSION` alone.
        boxes_are_fractions: whether corners are fractions of the canvas; they are its pixels otherwise.
        unnamed_is_background: whether classes beyond the names of the package mean that there is nothing.
        trained_with: the package's steps -> those that such networks were trained with.
        default_confidence: threshold of a package that says nothing.
    """

    name: str
    layout: str
    find: Callable[[Outputs], OutputRoles | None]
    decode: Callable[[Tensors, Threshold], RawBoxes]
    selection: Selection
    boxes_are_fractions: bool = False
    unnamed_is_background: bool = False
    trained_with: Callable[[ImagePreprocessing], ImagePreprocessing]
    default_confidence: float = 0.4
    find_by_anchors: Callable[[Outputs, tuple[int, int]], OutputRoles | None] | None = None

    def roles(self, outputs: Outputs, input_hw: tuple[int, int]) -> OutputRoles | None:
        """The outputs to read on a canvas of a height and width; None where these are not of this layout."""
        found = self.find(outputs)
        if found is None and self.find_by_anchors is not None:
            return self.find_by_anchors(outputs, input_hw)
        return found
