"""Values to JSON.

What a value becomes follows from its type, at any depth of lists and objects; only secrets and run-length masks need
the declared kind. Numbers that JSON cannot hold stay NaN and infinity here; the encoder writes them as null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from workflows.serializers.video import write_video_metadata
from workflows.values.classification import Classification
from workflows.values.detections import Detections
from workflows.values.image import Image
from workflows.values.video import VideoMetadata

PLAIN = frozenset({bool, int, float, str})
"""Types that JSON has; subclasses such as enumerations and numpy's numbers go the long way."""

RUN_LENGTH_KINDS = frozenset({Kind.RLE_INSTANCE_SEGMENTATION_PREDICTION, Kind.SEMANTIC_SEGMENTATION_PREDICTION})


def serialize(value: Any, kinds: Sequence[str] = (Kind.ANY,)) -> Any:
    """JSON-ready form of a value: dicts with text keys, lists, texts, numbers, booleans, None.

    Args:
        value: what a step or input gave; None, an element that was filtered away, stays None.
        kinds: declared kinds of it.

    Raises:
        TypeError: a value of a type that has no wire form.
    """
    if Kind.SECRET in kinds and isinstance(value, str):
        return mask_secret(value)
    outlines = Kind.INSTANCE_SEGMENTATION_PREDICTION in kinds  # a value that may be either is written as this one
    return _written(value, run_lengths=not outlines and not RUN_LENGTH_KINDS.isdisjoint(kinds))


def _written(value: Any, *, run_lengths: bool) -> Any:
    if value is None or type(value) in PLAIN:
        return value
    if isinstance(value, Mapping):
        return {_key(key): _written(item, run_lengths=run_lengths) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_written(item, run_lengths=run_lengths) for item in value]
    if isinstance(value, Image):
        return write_image(value)
    if isinstance(value, Detections):
        return write_detections(value, run_lengths=run_lengths)
    if isinstance(value, Classification):
        return write_classification(value)
    if isinstance(value, VideoMetadata):
        return write_video_metadata(value)
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return _written(value.tolist(), run_lengths=False)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return pybase64.b64encode_as_string(value)
    if isinstance(value, Enum):
        return _written(value.value, run_lengths=False)
    if isinstance(value, int | float | str):
        return value
    raise TypeError(f"a value of type {type(value).__name__} has no form on the wire")


def _key(key: Any) -> str:
    if isinstance(key, Enum):
        return _key(key.value)
    if key is None:
        return "null"
    if isinstance(key, bool):
        return "true" if key else "false"
    return str(key)
