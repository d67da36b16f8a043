"""An instance segmenter: a package, a network, and the way from what it gives to boxes and masks on the picture."""

from __future__ import annotations

import numpy as np

from deployments.models.detection.assumptions import say_what_was_assumed
from deployments.models.detection.chosen_boxes import choose_boxes
from deployments.models.detection.class_names import check_classes_are_named
from deployments.models.detection.outputs import of_picture
from deployments.models.detection.preprocessing import boxes_on_image
from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.engines.engine import Engine
from deployments.models.package import ModelPackage
from deployments.models.picture_model import PictureModel
from deployments.models.picture_network import PictureAnswer
from deployments.models.segmentation.architectures import choose_architecture
from deployments.models.segmentation.mask_grid import MaskGrid
from workflows.ports import PredictionOptions

MAX_MASKS = 1000
"""Most objects of one picture, whatever a request asks for: each costs about ten milliseconds for its mask on a large
picture."""


class InstanceSegmentationModel(PictureModel):
    """Finds objects and the pixels they cover on batches of pictures. Holds no state between calls.

    Attributes:
        package: where it came from.
        input_hw: height and width of the network's canvas, pixels.
        batch_size: the only batch that the graph takes; None when any will do.

    Raises:
        ModelLoadError: the network takes something else than one batch of pictures, gives something else than its
            architecture, or does not run.
        UnsupportedModelError: no code here reads its architecture.
    """

    def __init__(self, package: ModelPackage, engine: Engine) -> None:
        super().__init__(package, engine)
        self._architecture, self._roles = choose_architecture(package, self._network.outputs)
        boxes = self._architecture.boxes
        self._steps = self._network.steps_taken(boxes.trained_with(package.preprocessing))
        check_classes_are_named(package, self._roles.class_count)
        say_what_was_assumed(package, boxes, self._roles.class_count, self._steps, self.input_hw)

    @property
    def architecture_name(self) -> str:
        """Which code reads its outputs."""
        return self._architecture.name

    def _read(self, answer: PictureAnswer, options: PredictionOptions) -> ScoredBoxes:
        """Boxes and masks on one picture; objects whose masks have no pixel are left out."""
        architecture, geometry = self._architecture, answer.geometry
        tensors = of_picture(answer.outputs, self._roles, answer.position)
        chosen = choose_boxes(
            architecture.box_tensors(tensors), architecture.boxes, self.package, options, geometry.canvas_hw
        )
        # A network that chooses its boxes itself is held to the limit too: here each of them costs a mask.
        count = min(len(chosen.class_names), options.max_detections, MAX_MASKS)
        boxes = chosen.boxes.select(np.arange(count))
        grids = architecture.grids(tensors, boxes.row)
        within = boxes.xyxy if architecture.within_boxes else None
        masks = MaskGrid.of(geometry, grids.shape[1:], options).masks(grids, architecture.level, within)
        seen = np.flatnonzero(masks.areas_px())
        return ScoredBoxes(
            xyxy=boxes_on_image(boxes.xyxy[seen], geometry),
            confidence=boxes.confidence[seen],
            class_id=boxes.class_id[seen],
            class_names=tuple(chosen.class_names[position] for position in seen.tolist()),
            masks=masks.select(seen),
        )
