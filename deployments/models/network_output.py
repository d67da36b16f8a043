"""What a network gives, by name and shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOutput:
    """One output, as a run of the network gave it.

    Attributes:
        name: as the graph calls it.
        shape: length of each axis, the batch first.
    """

    name: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name}{list(self.shape)}"


Outputs = Sequence[NetworkOutput]


def positions_of_rank(outputs: Outputs, rank: int) -> list[int]:
    """Positions of the outputs with so many axes."""
    return [position for position, output in enumerate(outputs) if len(output.shape) == rank]


def listed(outputs: Outputs) -> str:
    """Outputs in words, for messages."""
    return ", ".join(str(output) for output in outputs) or "nothing"
