"""What a request asks of a network itself: tensors in, tensors out, no pictures and no boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from deployments.models.engines.engine import TensorSpec

Tensors = Mapping[str, NDArray[Any]]
"""Arrays by the names that the network gives them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TensorQuestion:
    """One run.

    Attributes:
        feeds: every input of the network.
        outputs: the outputs that are wanted; all when empty.
    """

    feeds: Tensors
    outputs: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        """Bytes of the inputs."""
        return sum(array.nbytes for array in self.feeds.values())

    @property
    def signature(self) -> str:
        """The same for questions that can share a run: names, types, and all axes but the first."""
        return ";".join(f"{name}:{array.dtype.str}:{array.shape[1:]}" for name, array in sorted(self.feeds.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkDescription:
    """What a loaded network takes and gives.

    Attributes:
        model_id: whose network.
        inputs: what every run must be fed.
        outputs: what a run gives.
        max_batch_size: largest batch that is worth while; None when nobody says.
    """

    model_id: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    max_batch_size: int | None
