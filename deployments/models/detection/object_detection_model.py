"""An object detector: a package, a network, and the way from what it gives to boxes on the picture."""

from __future__ import annotations

from collections.abc import Sequence

from deployments.models.detection.architecture_choice import choose_architecture
from deployments.models.detection.assumptions import say_what_was_assumed
from deployments.models.detection.chosen_boxes import choose_boxes
from deployments.models.detection.class_names import check_classes_are_named
from deployments.models.detection.outputs import of_picture
from deployments.models.detection.preprocessing import boxes_on_image, steps_for
from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.engines.engine import Engine
from deployments.models.image_model import PredictedBatch
from deployments.models.package import ModelPackage
from deployments.models.picture_network import PictureAnswer, PictureNetwork
from workflows.ports import PredictionOptions
from workflows.values.image import Pixels


class ObjectDetectionModel:
    """Finds objects on batches of pictures. Holds no state between calls.

    Attributes:
        package: where it came from.
        input_hw: height and width of the network's canvas, pixels.
        batch_size: the only batch that the graph takes; None when any will do.

    Raises:
        ModelLoadError: the network takes something else than one batch of pictures, gives something else than its
            architecture, or does not run; or the package names no classes.
        UnsupportedModelError: no code here decodes its architecture.
    """

    def __init__(self, package: ModelPackage, engine: Engine) -> None:
        self.package = package
        self._network = PictureNetwork(package, engine)
        self.batch_size, self.input_hw = self._network.batch_size, self._network.input_hw
        self._architecture, self._roles = choose_architecture(package, self._network.outputs, self.input_hw)
        self._steps = self._network.steps_taken(self._architecture.trained_with(package.preprocessing))
        check_classes_are_named(package, self._roles.class_count)
        say_what_was_assumed(package, self._architecture, self._roles.class_count, self._steps, self.input_hw)

    @property
    def architecture_name(self) -> str:
        """Which code reads the network's outputs: as the package says, or as they look."""
        return self._architecture.name

    def needed_wh(self, image_wh: tuple[int, int], options: PredictionOptions) -> tuple[int, int]:
        """The smallest size at which a picture of `image_wh` may be given to `predict_batch`, pixels."""
        return self._network.needed_wh(image_wh, steps_for(self._steps, options))

    def predict_batch(
        self,
        images_bgr: Sequence[Pixels],
        options: Sequence[PredictionOptions],
        image_whs: Sequence[tuple[int, int]] | None = None,
    ) -> PredictedBatch:
        """Boxes on each picture, found with one run of the network as long as its batch allows.

        Args:
            images_bgr: (h, w, 3) BGR or (h, w) grey uint8, of any size, not written to; may be empty.
            options: one for each picture.
            image_whs: width and height of each, pixels, where some are given smaller than they are.
        """
        return self._network.predict(images_bgr, options, self._steps, self._boxes, image_whs)

    def _boxes(self, answer: PictureAnswer, options: PredictionOptions) -> ScoredBoxes:
        tensors = of_picture(answer.outputs, self._roles, answer.position)
        chosen = choose_boxes(tensors, self._architecture, self.package, options, answer.geometry.canvas_hw)
        return ScoredBoxes(
            xyxy=boxes_on_image(chosen.boxes.xyxy, answer.geometry),
            confidence=chosen.boxes.confidence,
            class_id=chosen.boxes.class_id,
            class_names=chosen.class_names,
        )
