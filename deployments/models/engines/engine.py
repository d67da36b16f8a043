"""What every engine offers: named tensors in, named tensors out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deployments.models.engines.tensor_types import at_the_seam


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """One input or output of a network.

    Attributes:
        name: as the graph calls it.
        shape: length of each axis; None where any length will do.
        dtype: element type.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]

    def at_the_seam(self) -> TensorSpec:
        """As callers of an engine see it."""
        return replace(self, dtype=at_the_seam(self.dtype))


class Engine(Protocol):
    """A loaded network."""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What `run` must be fed."""

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What `run` gives back."""

    @property
    def device(self) -> str:
        """Where it runs: `cpu` or `cuda`."""

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Every output by its name. Safe to call from several threads."""


def metadata_of(engine: Engine) -> Mapping[str, str]:
    """What the file of a network says of itself; empty for engines that have no file, or none that speaks."""
    metadata: Mapping[str, str] = getattr(engine, "metadata", {})
    return metadata
