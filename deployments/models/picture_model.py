"""What every model that is one network of pictures has in common, whatever it reads in the network's answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from deployments.models.detection.preprocessing import steps_for
from deployments.models.engines.engine import Engine
from deployments.models.image_model import PredictedBatch, Prediction
from deployments.models.image_preprocessing import ImagePreprocessing
from deployments.models.package import ModelPackage
from deployments.models.picture_network import PictureAnswer, PictureNetwork
from workflows.ports import PredictionOptions
from workflows.values.image import Pixels


class PictureModel(ABC):
    """An `ImageModel` of one network; a subclass sets the steps and reads the answers. Holds no state between calls.

    Attributes:
        package: where it came from.
        input_hw: height and width of the network's canvas, pixels.
        batch_size: the only batch that the graph takes; None when any will do.

    Raises:
        ModelLoadError: the network takes something else than one batch of pictures.
    """

    _steps: ImagePreprocessing
    """What the network was trained with."""

    def __init__(self, package: ModelPackage, engine: Engine) -> None:
        self.package = package
        self._network = PictureNetwork(package, engine)
        self.batch_size, self.input_hw = self._network.batch_size, self._network.input_hw

    def needed_wh(self, image_wh: tuple[int, int], options: PredictionOptions) -> tuple[int, int]:
        """The smallest size at which a picture of `image_wh` may be given to `predict_batch`, pixels."""
        return self._network.needed_wh(image_wh, steps_for(self._steps, options))

    def predict_batch(
        self,
        images_bgr: Sequence[Pixels],
        options: Sequence[PredictionOptions],
        image_whs: Sequence[tuple[int, int]] | None = None,
    ) -> PredictedBatch:
        """What the model says about each picture, as `ImageModel` has it."""
        return self._network.predict(images_bgr, options, self._steps, self._read, image_whs)

    @abstractmethod
    def _read(self, answer: PictureAnswer, options: PredictionOptions) -> Prediction:
        """What the network's answer says about one picture."""
