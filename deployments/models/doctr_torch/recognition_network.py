"""The recognition network of a docTR predictor, for those who ask for raw tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deployments.models.engines.engine import TensorSpec

INPUT = "input"
OUTPUT = "logits"


class RecognitionNetwork:
    """An engine over a recognition network of docTR.

    Args:
        network: a torch module of `doctr.models.recognition`, in evaluation.
        device: torch's, where its weights are.
    """

    def __init__(self, network: Any, device: Any) -> None:
        self._network = network
        self._device = device
        self._image_shape = tuple(int(length) for length in network.cfg["input_shape"])
        self._output_shape = self._logits(np.zeros((1, *self._image_shape), dtype=np.float32)).shape[1:]

    @property
    def input_hw(self) -> tuple[int, int]:
        """Height and width of a crop."""
        _, height, width = self._image_shape
        return height, width

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """Crops, RGB, normalized with the mean and deviation of the architecture."""
        return (TensorSpec(name=INPUT, shape=(None, *self._image_shape), dtype=np.dtype(np.float32)),)

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What docTR calls `out_map`: for each step the logits of the characters."""
        return (TensorSpec(name=OUTPUT, shape=(None, *self._output_shape), dtype=np.dtype(np.float32)),)

    @property
    def device(self) -> str:
        """Where it runs."""
        return str(self._device.type)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Every output by its name."""
        return {OUTPUT: self._logits(feeds[INPUT])}

    def _logits(self, crops: NDArray[Any]) -> NDArray[np.float32]:
        import torch  # an extra, not installed everywhere

        with torch.inference_mode():
            answer = self._network(
                torch.tensor(crops, dtype=torch.float32, device=self._device), return_model_output=True
            )
        logits: NDArray[np.float32] = answer["out_map"].cpu().numpy()
        return logits
