"""Boxes with scores, classes and identities, found on one image."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflows.values.masks import Masks
from workflows.values.origin import Placement

Boxes = NDArray[np.float64]
Index = NDArray[np.bool_] | NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeyPoints:
    """Key points of n detections; one that a detection lacks has NaN coordinates.

    Attributes:
        xy: (n, k, 2) float64, absolute pixels.
        confidence: (n, k) float64.
        class_id: (n, k) int64.
        class_name: (n, k) str.
    """

    xy: NDArray[np.float64]
    confidence: NDArray[np.float64]
    class_id: NDArray[np.int64]
    class_name: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.xy)

    def select(self, index: Index) -> KeyPoints:
        """The rows at `index`, in its order."""
        return KeyPoints(
            xy=self.xy[index],
            confidence=self.confidence[index],
            class_id=self.class_id[index],
            class_name=self.class_name[index],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detections:
    """n detections on one image. Arrays are never written to; every change makes a new value.

    Attributes:
        xyxy: (n, 4) float64: left, top, right, bottom, absolute pixels of the image.
        confidence: (n,) float64, 0 to 1.
        class_id: (n,) int64.
        class_name: (n,) str.
        detection_id: (n,) str, unique.
        parent_id: (n,) str: the image they were found on, or the detection each was made from; None when unknown.
        masks: n masks on the image, or None.
        keypoints: key points, or None.
        tracker_id: (n,) int64, or None when not tracked.
        time_in_zone_s: (n,) float64, seconds; None where nobody measured it.
        decoded_text: (n,) str: what QR and bar codes say; None for other detections.
        image_wh: size of the image they were found on; None when it is not known any more.
        placement: place of that image; None when unknown, as for OCR.
        root_id: identity of the uploaded value where `placement` is unknown, as for detections that came as JSON.
        prediction_type: what made them, such as `object-detection`; None for those that came as JSON, which lacks it.
    """

    xyxy: Boxes
    confidence: NDArray[np.float64]
    class_id: NDArray[np.int64]
    class_name: NDArray[np.str_]
    detection_id: NDArray[np.str_]
    parent_id: NDArray[np.str_] | None = None
    masks: Masks | None = None
    keypoints: KeyPoints | None = None
    tracker_id: NDArray[np.int64] | None = None
    time_in_zone_s: NDArray[np.float64] | None = None
    decoded_text: NDArray[np.str_] | None = None
    image_wh: tuple[int, int] | None = None
    placement: Placement | None = None
    root_id: str | None = None
    prediction_type: str | None = "object-detection"

    def __post_init__(self) -> None:
        count = len(self.xyxy)
        if self.xyxy.shape != (count, 4):
            raise ValueError(f"xyxy must have shape (n, 4), got {self.xyxy.shape}")
        for name in PER_DETECTION:
            column = getattr(self, name)
            if column is not None and len(column) != count:
                raise ValueError(f"{name} must have {count} rows as xyxy has, got {len(column)}")

    def __len__(self) -> int:
        return len(self.xyxy)

    def select(self, index: Index) -> Detections:
        """The detections at `index` (a mask or positions), in its order."""
        columns: dict[str, Any] = {}
        for name in PER_DETECTION:
            column = getattr(self, name)
            if column is not None:
                columns[name] = column.select(index) if isinstance(column, KeyPoints | Masks) else column[index]
        return replace(self, **columns)

    def replace(self, **columns: Any) -> Detections:
        """The same detections with other columns."""
        return replace(self, **columns)


PER_DETECTION = tuple(
    f.name for f in fields(Detections) if f.name not in {"image_wh", "placement", "root_id", "prediction_type"}
)
"""Names of the columns with one row a detection."""


def new_detection_ids(count: int) -> NDArray[np.str_]:
    """(count,) fresh identities, UUID 4."""
    return np.array([str(uuid.uuid4()) for _ in range(count)], dtype=np.str_)
