"""Where the tensors of one run lie: in messages, or in a region of shared memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from numpy.typing import NDArray
from tritonclient.grpc import InferInput, InferRequestedOutput

from deployments.models.engines.engine import TensorSpec
from deployments.models.engines.tensor_types import NAMES
from deployments.models.engines.triton.shared_regions import SharedRegion, aligned


def part_bounds(batch_size: int | None, largest: int) -> list[tuple[int, int]]:
    """Begin and end of each part of a batch, `largest` elements each; of one part when there is no batch."""
    if batch_size is None:
        return [(0, 0)]
    return [(start, min(start + largest, batch_size)) for start in range(0, batch_size, largest)]


class RunLayout:
    """The tensors of one run.

    In a region the inputs lie one behind the other, whole batches each, then those outputs whose size is known before.

    Attributes:
        batch_size: elements of the batch; None for a model that knows no batches.
        size_bytes: of everything in a region.
    """

    def __init__(self, feeds: Mapping[str, NDArray[Any]], outputs: Sequence[TensorSpec], *, batched: bool) -> None:
        """Lay a run out.

        Args:
            feeds: inputs by name, C-contiguous; the first axis is the batch when `batched`.
            outputs: what the model gives.
            batched: whether the model knows batches.
        """
        self._feeds = feeds
        self._output_specs = outputs
        self.batch_size = len(next(iter(feeds.values()))) if batched else None
        self._offsets: dict[str, int] = {}
        self.size_bytes = 0
        for name, array in feeds.items():
            self._place(name, array.nbytes)
        self._shapes: dict[str, tuple[int, ...]] = {}
        for spec in outputs:
            shape = self._known_shape(spec)
            if shape is not None:
                self._shapes[spec.name] = shape
                self._place(spec.name, prod(shape) * spec.dtype.itemsize)

    def write(self, region: SharedRegion) -> None:
        """Put the inputs into a region."""
        for name, array in self._feeds.items():
            region.write(array, self._offsets[name])

    def inputs(self, start: int, end: int, region: SharedRegion | None) -> list[InferInput]:
        """Inputs of the elements from `start` to before `end`, in a region or as the message's own."""
        described = []
        for name, array in self._feeds.items():
            part = array if self.batch_size is None else array[start:end]
            tensor = InferInput(name, list(part.shape), NAMES[array.dtype])
            if region is None:
                tensor.set_data_from_numpy(part)
            else:
                offset = self._offsets[name] + (0 if self.batch_size is None else start * array[0].nbytes)
                tensor.set_shared_memory(region.name, part.nbytes, offset)
            described.append(tensor)
        return described

    def requested(self, start: int, end: int, region: SharedRegion | None) -> list[InferRequestedOutput]:
        """Outputs of those elements; in a region those whose size is known."""
        described = []
        for spec in self._output_specs:
            tensor = InferRequestedOutput(spec.name)
            shape = self._shapes.get(spec.name)
            if region is not None and shape is not None:
                size_bytes = prod(shape) * spec.dtype.itemsize
                offset = self._offsets[spec.name]
                if self.batch_size is not None:
                    element_bytes = size_bytes // self.batch_size
                    offset, size_bytes = offset + start * element_bytes, (end - start) * element_bytes
                tensor.set_shared_memory(region.name, size_bytes, offset)
            described.append(tensor)
        return described

    def output_in(self, region: SharedRegion, spec: TensorSpec) -> NDArray[Any] | None:
        """The whole output, when it lies in the region."""
        shape = self._shapes.get(spec.name)
        return None if shape is None else region.read(shape, spec.dtype, self._offsets[spec.name])

    def _place(self, name: str, size_bytes: int) -> None:
        self._offsets[name] = self.size_bytes
        self.size_bytes += aligned(size_bytes)

    def _known_shape(self, spec: TensorSpec) -> tuple[int, ...] | None:
        lengths = spec.shape if self.batch_size is None else (self.batch_size, *spec.shape[1:])
        known = tuple(length for length in lengths if length is not None)
        return known if len(known) == len(lengths) else None
