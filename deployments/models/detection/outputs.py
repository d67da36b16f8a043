"""Which of a network's outputs an architecture reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tensors = Sequence[NDArray[np.float32]]
"""What an architecture reads of one picture: its outputs without the batch axis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputRoles:
    """What an architecture found among the outputs.

    Attributes:
        positions: of the outputs it reads, in the order that its decoding takes them.
        class_count: classes that they score; None where their shapes do not tell.
    """

    positions: tuple[int, ...]
    class_count: int | None


def anchor_count(input_hw: tuple[int, int], strides: Sequence[int] = (8, 16, 32)) -> int:
    """Cells of the feature maps that a YOLO looks at on a canvas."""
    height, width = input_hw
    return sum(-(-height // stride) * -(-width // stride) for stride in strides)


def of_picture(outputs: Sequence[NDArray[Any]], roles: OutputRoles, position: int) -> Tensors:
    """What the decoding takes of one element of the batch, float32 whatever the network computes in."""
    return [outputs[index][position].astype(np.float32, copy=False) for index in roles.positions]
