"""Values to JSON.

What a value becomes follows from its type, at any depth of lists and objects; only secrets and run-length masks need
the declared kind. Numbers that JSON cannot hold stay NaN and infinity here; the encoder writes them as null.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

import numpy as np
import pybase64

from workflows.kinds import Kind
from workflows.serializers.classification import write_classification
from workflows.serializers.detections import write_detections
from workflows.serializers.image import write_image
from workflows.serializers.plain import mask_secret
from workflows.serializers.room import Room
from workflows.serializers.video import write_video_metadata
from workflows.values.classification import Classification
from workflows.values.detections import Detections
from workflows.values.image import Image
from workflows.values.video import VideoMetadata

PLAIN = frozenset({bool, int, float, str})
"""Types that JSON has; subclasses such as enumerations and numpy's numbers go the long way."""

Move = Callable[[Detections], Detections]

_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_USUAL_CHARACTERS = 8
_DETECTION_CHARACTERS = 300

RUN_LENGTH_KINDS = frozenset({Kind.RLE_INSTANCE_SEGMENTATION_PREDICTION, Kind.SEMANTIC_SEGMENTATION_PREDICTION})
MASK_KINDS = RUN_LENGTH_KINDS | {Kind.INSTANCE_SEGMENTATION_PREDICTION}


def serialize(
    value: Any, kinds: Sequence[str] = (Kind.ANY,), *, move: Move | None = None, room: Room | None = None
) -> Any:
    """JSON-ready form of a value: dicts with text keys, lists, texts, numbers, booleans, None.

    Args:
        value: what a step or input gave; None, an element that was filtered away, stays None.
        kinds: declared kinds of it.
        move: what is done to detections, at any depth, before they are written.
        room: of the answer it becomes a part of; None when it may be of any size.

    Raises:
        TypeError: a value of a type that has no wire form.
        RuntimeLimitsCausedStepExecutionError: it needs more than the room that is left.
    """
    if Kind.SECRET in kinds and isinstance(value, str):
        return mask_secret(value)
    form = next((kind for kind in kinds if kind in MASK_KINDS), None)  # a value that may be either is the first of them
    return _Writer(run_lengths=form in RUN_LENGTH_KINDS, move=move, room=room or Room(sys.maxsize)).write(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    run_lengths: bool
    move: Move | None
    room: Room

    def write(self, value: Any) -> Any:
        kind = type(value)
        self.room.take(len(value) if kind is str else _USUAL_CHARACTERS)
        if kind is int:
            return value if _SMALLEST <= value <= _LARGEST else _rounded(value)
        if value is None or kind in PLAIN:
            return value
        if isinstance(value, Mapping):
            return {self._key(key): self.write(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.write(item) for item in value]
        if isinstance(value, Image):
            self.room.take(len(value.encoded) * 4 // 3)
            return write_image(value)
        if isinstance(value, Detections):
            self.room.take(len(value) * _DETECTION_CHARACTERS)
            return write_detections(value if self.move is None else self.move(value), run_lengths=self.run_lengths)
        if isinstance(value, Classification):
            return write_classification(value)
        if isinstance(value, VideoMetadata):
            return write_video_metadata(value)
        return self._scalar(value)

    def _scalar(self, value: Any) -> Any:
        if isinstance(value, np.ndarray | np.generic):
            return self.write(value.tolist())
        if isinstance(value, datetime | date):
            return value.isoformat()
        if isinstance(value, bytes | bytearray | memoryview):
            self.room.take(len(value) * 4 // 3)
            return pybase64.b64encode_as_string(value)
        if isinstance(value, Enum):
            return self.write(value.value)
        if isinstance(value, int | float | str):
            return value
        raise TypeError(f"a value of type {type(value).__name__} has no form on the wire")

    def _key(self, key: Any) -> str:
        text = _key(key)
        self.room.take(len(text))
        return text


def _rounded(value: int) -> float:
    """A whole number of more than 64 bits, as most readers of JSON would take it."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _key(key: Any) -> str:
    if isinstance(key, Enum):
        return _key(key.value)
    if key is None:
        return "null"
    if isinstance(key, bool):
        return "true" if key else "false"
    return str(key)
