"""Accelerators that are not there: a run takes the time that the package states, and no CPU.

For finding out what the cluster around the models can carry. Nothing is computed: every answer is the one of the
package, whatever the picture shows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from threading import BoundedSemaphore
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deployments.models.engines.engine import TensorSpec
from deployments.models.engines.turn import waiting
from deployments.models.image_preprocessing import DEFAULT_SIDE_PX
from deployments.models.package import ModelPackage
from deployments.models.package_layouts.contents import EmulatedModel

logger = logging.getLogger(__name__)

INPUT = "images"
LOUD = "EMULATED ACCELERATOR: no network runs, every answer is made up; for measurements only"


class EmulatedEngine:
    """One device, or a few, each of which runs one batch at a time.

    With one device a call holds the replica's turn while it runs, as a call to a network in this process does; with
    more, each stands for the device of a replica of its own, and other calls prepare their pictures meanwhile.
    """

    def __init__(
        self, package: ModelPackage, emulated: EmulatedModel, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Take no time yet.

        Args:
            package: for the shape of the pictures, and the batches that are allowed.
            emulated: what is emulated.
            sleep: lets seconds pass.
        """
        height, width = package.preprocessing.input_hw or (DEFAULT_SIDE_PX, DEFAULT_SIDE_PX)
        self._static_batch_size = package.static_batch_size
        self._max_batch_size = package.max_batch_size
        self._emulated = emulated
        self._sleep = sleep
        self._idle = BoundedSemaphore(emulated.devices)
        self._inputs = (
            TensorSpec(name=INPUT, shape=(self._static_batch_size, 3, height, width), dtype=np.dtype(np.float32)),
        )
        logger.warning(
            LOUD,
            extra={
                "model_id": package.model_id,
                "devices": emulated.devices,
                "ms_by_batch": dict(emulated.service_times.ms_by_batch),
            },
        )

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What `run` must be fed."""
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What `run` gives back."""
        return tuple(
            TensorSpec(name=name, shape=(self._static_batch_size, *answer.shape), dtype=answer.dtype)
            for name, answer in self._emulated.outputs.items()
        )

    @property
    def device(self) -> str:
        """Where it runs: nowhere."""
        return "emulated"

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The package's answer for every picture, when the time for such a batch is over.

        Raises:
            ValueError: a batch that the network would not take.
        """
        items = len(feeds[INPUT])
        if items < 1 or items != (self._static_batch_size or items) or items > (self._max_batch_size or items):
            takes = f"{self._static_batch_size} alone" if self._static_batch_size else "at least 1"
            most = f", at most {self._max_batch_size}" if self._max_batch_size else ""
            raise ValueError(f"a batch of {items}; the network takes {takes}{most}")
        with nullcontext() if self._emulated.devices == 1 else waiting(), self._idle:
            self._sleep(self._emulated.service_times.ms(items) / 1000)
        return {
            name: np.broadcast_to(answer, (items, *answer.shape)) for name, answer in self._emulated.outputs.items()
        }
