"""JSON of a request to values, as the kinds of the input say.

A kind without a reader has no say; when no kind of an input has one, any JSON is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from workflows.errors import ImageDecodeError, RuntimeInputError
from workflows.kinds import Kind
from workflows.serializers.classification import read_classification
from workflows.serializers.detections import read_detections
from workflows.serializers.image import image_url, read_image
from workflows.serializers.mask_room import MaskRoom
from workflows.serializers.plain import (
    read_boolean,
    read_bytes,
    read_colour,
    read_dictionary,
    read_float,
    read_fraction,
    read_integer,
    read_labeled_points,
    read_list,
    read_point,
    read_string,
    read_timestamp,
    read_zone,
)
from workflows.serializers.video import read_video_metadata

Reader = Callable[[Any, str], Any]

READERS: Mapping[str, Reader] = MappingProxyType(
    {
        Kind.VIDEO_METADATA: read_video_metadata,
        Kind.OBJECT_DETECTION_PREDICTION: read_detections,
        Kind.INSTANCE_SEGMENTATION_PREDICTION: read_detections,
        Kind.RLE_INSTANCE_SEGMENTATION_PREDICTION: read_detections,
        Kind.KEYPOINT_DETECTION_PREDICTION: read_detections,
        Kind.SEMANTIC_SEGMENTATION_PREDICTION: read_detections,
        Kind.QR_CODE_DETECTION: read_detections,
        Kind.BAR_CODE_DETECTION: read_detections,
        Kind.CLASSIFICATION_PREDICTION: read_classification,
        Kind.INTEGER: read_integer,
        Kind.FLOAT: read_float,
        Kind.FLOAT_ZERO_TO_ONE: read_fraction,
        Kind.BOOLEAN: read_boolean,
        Kind.STRING: read_string,
        Kind.TOP_CLASS: read_string,
        Kind.PREDICTION_TYPE: read_string,
        Kind.PARENT_ID: read_string,
        Kind.INFERENCE_ID: read_string,
        Kind.LANGUAGE_MODEL_OUTPUT: read_string,
        Kind.ROBOFLOW_MODEL_ID: read_string,
        Kind.ROBOFLOW_PROJECT: read_string,
        Kind.ROBOFLOW_SOLUTION: read_string,
        Kind.ROBOFLOW_API_KEY: read_string,
        Kind.ROBOFLOW_MANAGED_KEY: read_string,
        Kind.SECRET: read_string,
        Kind.DICTIONARY: read_dictionary,
        Kind.LIST_OF_VALUES: read_list,
        Kind.LABELED_POINTS: read_labeled_points,
        Kind.DETECTIONS_OVERLAPS: read_list,
        Kind.NUMPY_ARRAY: read_list,
        Kind.ACTION_RECOGNITION_PREDICTION: read_list,
        Kind.POINT: read_point,
        Kind.ZONE: read_zone,
        Kind.RGB_COLOR: read_colour,
        Kind.BYTES: read_bytes,
        Kind.TIMESTAMP: read_timestamp,
    }
)
"""Kind -> reader. `image` has one with more arguments; `*`, `embedding`, `tensor` and the like have none."""

_READ_AS_DETECTIONS = frozenset(kind for kind, reader in READERS.items() if reader is read_detections)


def deserialize(
    value: Any,
    kinds: Sequence[str],
    *,
    name: str,
    element_id: str,
    max_pixels: int,
    fetched: Mapping[str, bytes] = MappingProxyType({}),
    mask_room: MaskRoom | None = None,
) -> Any:
    """The value that one element of a batch input stands for; null stays null.

    Args:
        value: JSON.
        kinds: what the input declares; the first reader that succeeds decides.
        name: the input.
        element_id: identity of the element, such as `image` or `image.[0]`.
        max_pixels: largest accepted picture.
        fetched: what the addresses of images answered.
        mask_room: of the request; that of a request of its own when None.

    Raises:
        RuntimeInputError: no declared kind can be made of the value.
    """
    if value is None:
        return None
    problems: list[str] = []
    for kind in kinds:
        try:
            if kind == Kind.IMAGE:
                url = image_url(value, element_id)
                return read_image(value, element_id, max_pixels=max_pixels, fetched=fetched.get(url) if url else None)
            if kind in _READ_AS_DETECTIONS:
                return read_detections(value, element_id, mask_room)
            if reader := READERS.get(kind):
                return reader(value, element_id)
        except (RuntimeInputError, ImageDecodeError) as error:
            problems.append(str(error))
    if not problems:
        return value
    raise RuntimeInputError(f"input `{name}` declared as {' or '.join(kinds)}: {'; '.join(problems)}")
