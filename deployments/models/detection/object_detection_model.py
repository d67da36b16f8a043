"""An object detector: a package, a network, and the way from what it gives to boxes on the picture."""

from __future__ import annotations

from deployments.models.detection.architecture_choice import choose_architecture
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
from workflows.ports import PredictionOptions


class ObjectDetectionModel(PictureModel):
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
        super().__init__(package, engine)
        self._architecture, self._roles = choose_architecture(package, self._network.outputs, self.input_hw)
        self._steps = self._network.steps_taken(self._architecture.trained_with(package.preprocessing))
        check_classes_are_named(package, self._roles.class_count)
        say_what_was_assumed(package, self._architecture, self._roles.class_count, self._steps, self.input_hw)

    @property
    def architecture_name(self) -> str:
        """Which code reads the network's outputs: as the package says, or as they look."""
        return self._architecture.name

    def _read(self, answer: PictureAnswer, options: PredictionOptions) -> ScoredBoxes:
        """Boxes on one picture."""
        tensors = of_picture(answer.outputs, self._roles, answer.position)
        chosen = choose_boxes(tensors, self._architecture, self.package, options, answer.geometry.canvas_hw)
        return ScoredBoxes(
            xyxy=boxes_on_image(chosen.boxes.xyxy, answer.geometry),
            confidence=chosen.boxes.confidence,
            class_id=chosen.boxes.class_id,
            class_names=chosen.class_names,
        )
