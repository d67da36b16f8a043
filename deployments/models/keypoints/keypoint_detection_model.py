"""A model of key points: a package, a network, and the way from what it gives to objects with named points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deployments.models.detection.assumptions import say_what_was_assumed
from deployments.models.detection.chosen_boxes import choose_boxes
from deployments.models.detection.class_names import check_classes_are_named
from deployments.models.detection.outputs import of_picture
from deployments.models.detection.preprocessing import boxes_on_image, points_on_image
from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.engines.engine import Engine
from deployments.models.errors import ModelLoadError
from deployments.models.keypoints.architectures import choose_architecture
from deployments.models.package import ModelPackage
from deployments.models.package_layouts.contents import Skeleton
from deployments.models.picture_model import PictureModel
from deployments.models.picture_network import PictureAnswer
from workflows.ports import PredictionOptions
from workflows.values.detections import KeyPoints


class KeypointDetectionModel(PictureModel):
    """Finds objects and their key points on batches of pictures. Holds no state between calls.

    Attributes:
        package: where it came from.
        input_hw: height and width of the network's canvas, pixels.
        batch_size: the only batch that the graph takes; None when any will do.

    Raises:
        ModelLoadError: the package names no key points, or the network takes something else than one batch of
            pictures, gives something else than its architecture, or does not run.
        UnsupportedModelError: no code here reads its architecture.
    """

    def __init__(self, package: ModelPackage, engine: Engine) -> None:
        self.package = package
        self._points = max((len(skeleton.names) for skeleton in package.skeletons), default=0)
        if self._points == 0:
            raise ModelLoadError(
                f"the package of {package.model_id!r} names no key points; keypoints_metadata.json must hold those of "
                "every class, and at least one has some",
                package.model_id,
            )
        super().__init__(package, engine)
        self._architecture, self._roles = choose_architecture(package, self._network.outputs, self._points)
        boxes = self._architecture.boxes
        self._steps = self._network.steps_taken(boxes.trained_with(package.preprocessing))
        check_classes_are_named(package, self._roles.class_count)
        say_what_was_assumed(package, boxes, self._roles.class_count, self._steps, self.input_hw)

    @property
    def architecture_name(self) -> str:
        """Which code reads its outputs."""
        return self._architecture.name

    def _read(self, answer: PictureAnswer, options: PredictionOptions) -> ScoredBoxes:
        """Boxes and key points on one picture."""
        architecture, geometry = self._architecture, answer.geometry
        tensors = of_picture(answer.outputs, self._roles, answer.position)
        chosen = choose_boxes(
            architecture.box_tensors(tensors, self._points),
            architecture.boxes,
            self.package,
            options,
            geometry.canvas_hw,
        )
        boxes = chosen.boxes
        points = architecture.points(tensors, self._points, boxes.row)
        return ScoredBoxes(
            xyxy=boxes_on_image(boxes.xyxy, geometry),
            confidence=boxes.confidence,
            class_id=boxes.class_id,
            class_names=chosen.class_names,
            keypoints=named_points(
                points_on_image(points[..., :2], geometry),
                points[..., 2],
                [self._skeleton(class_id) for class_id in boxes.class_id.tolist()],
                options.keypoint_confidence,
            ),
        )

    def _skeleton(self, class_id: int) -> Skeleton:
        known = self.package.skeletons
        return known[class_id] if class_id < len(known) else Skeleton(names=(), edges=())


def named_points(
    xy: NDArray[np.float32], scores: NDArray[np.float32], skeletons: Sequence[Skeleton], threshold: float
) -> KeyPoints:
    """Key points of n objects, without those that score nothing or below the threshold, or that a class lacks.

    Args:
        xy: (n, k, 2) float32, pixels of the picture.
        scores: (n, k) float32.
        skeletons: of the class of each object, with at most k key points.
        threshold: a score equal to it passes.
    """
    count, most = scores.shape
    names = [[*skeleton.names, *[""] * (most - len(skeleton.names))] for skeleton in skeletons]
    lengths = np.array([len(skeleton.names) for skeleton in skeletons], dtype=np.int64)
    there = (np.arange(most) < lengths[:, None]) & (scores > 0) & (scores >= np.float32(threshold))
    there &= np.isfinite(xy).all(axis=2)
    return KeyPoints(
        xy=np.where(there[..., None], xy, np.nan).astype(np.float64),
        confidence=np.where(there, scores, 0.0).astype(np.float64),
        class_id=np.tile(np.arange(most), (count, 1)),
        class_name=np.array(names, dtype=np.str_).reshape(count, most),
    )
