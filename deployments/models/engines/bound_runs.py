"""Runs of a session over buffers on its device, used again for inputs of the same shapes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import onnxruntime as ort
from numpy.typing import NDArray

from deployments.models.engines.engine import TensorSpec

MOST_SHAPES = 16

Shapes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Bound:
    binding: ort.IOBinding
    inputs: Mapping[str, ort.OrtValue]
    unsized: tuple[str, ...]


class BoundRuns:
    """The buffers of one session.

    The inputs of a shape have buffers that stay where they are; so have outputs whose size follows from that of the
    inputs. Other outputs are allocated by the runtime at every run. One run at a time.
    """

    def __init__(
        self,
        session: ort.InferenceSession,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        *,
        device: str,
        device_id: int,
        most_shapes: int = MOST_SHAPES,
    ) -> None:
        """Nothing is allocated yet.

        Args:
            session: what runs.
            inputs: as the graph has them.
            outputs: likewise.
            device: `cuda` or `cpu`.
            device_id: which of them.
            most_shapes: how many shapes keep their buffers; the one not used for longest goes first.
        """
        self._session = session
        self._inputs = inputs
        self._outputs = outputs
        self._device = device
        self._device_id = device_id
        self._most_shapes = most_shapes
        self._bound: OrderedDict[Shapes, _Bound] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def shapes(self) -> tuple[Shapes, ...]:
        """Shapes that have buffers, the one not used for longest first."""
        return tuple(self._bound)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Every output, in the order of the graph; arrays of their own."""
        with self._lock:
            bound = self._bound_for(tuple(feeds[spec.name].shape for spec in self._inputs))
            for name, buffer in bound.inputs.items():
                buffer.update_inplace(feeds[name])
            for name in bound.unsized:  # else it would have to be as large as in the last run
                bound.binding.bind_output(name, self._device, self._device_id)
            self._session.run_with_iobinding(bound.binding)
            copied: list[NDArray[Any]] = bound.binding.copy_outputs_to_cpu()
            return copied

    def _bound_for(self, shapes: Shapes) -> _Bound:
        bound = self._bound.pop(shapes, None) or self._bind(shapes)
        self._bound[shapes] = bound
        while len(self._bound) > self._most_shapes:
            self._bound.popitem(last=False)
        return bound

    def _bind(self, shapes: Shapes) -> _Bound:
        binding = self._session.io_binding()
        inputs = {spec.name: self._buffer(shape, spec) for spec, shape in zip(self._inputs, shapes, strict=True)}
        for name, buffer in inputs.items():
            binding.bind_ortvalue_input(name, buffer)
        known = self._known_shapes(shapes)
        for spec in self._outputs:
            shape = known.get(spec.name)
            if shape is None:
                binding.bind_output(spec.name, self._device, self._device_id)
            else:
                binding.bind_ortvalue_output(spec.name, self._buffer(shape, spec))
        unsized = tuple(spec.name for spec in self._outputs if spec.name not in known)
        return _Bound(binding=binding, inputs=inputs, unsized=unsized)

    def _buffer(self, shape: tuple[int, ...], spec: TensorSpec) -> ort.OrtValue:
        return ort.OrtValue.ortvalue_from_shape_and_type(shape, spec.dtype.type, self._device, self._device_id)

    def _known_shapes(self, shapes: Shapes) -> dict[str, tuple[int, ...]]:
        """Sizes of the outputs whose every axis is fixed, or called in the graph as an axis of an input is."""
        lengths: dict[str, int] = {}
        for node, shape in zip(self._session.get_inputs(), shapes, strict=True):
            lengths |= {axis: length for axis, length in zip(node.shape, shape, strict=True) if isinstance(axis, str)}
        found: dict[str, tuple[int, ...]] = {}
        for node in self._session.get_outputs():
            axes = [lengths.get(axis) if isinstance(axis, str) else axis for axis in node.shape]
            known = tuple(axis for axis in axes if axis is not None)
            if len(known) == len(axes):
                found[node.name] = known
        return found
