"""Properties of detections: of all of them as a list, of one of them as a value."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from workflows.errors import OperationError
from workflows.geometry.boxes import centres_and_sizes
from workflows.kinds import DETECTION_KINDS, Kind
from workflows.query.operation import Names, Operation, expect
from workflows.values.detections import Detections

PropertyName = Literal[
    "confidence",
    "class_name",
    "class_id",
    "x_min",
    "x_max",
    "y_min",
    "y_max",
    "size",
    "center",
    "top_left",
    "top_right",
    "bottom_left",
    "bottom_right",
    "in_out",
    "path_deviation",
    "polygon",
    "time_in_zone",
    "tracker_id",
    "velocity",
    "speed",
    "smoothed_velocity",
    "smoothed_speed",
    "image_dimensions",
    "prediction_type",
    "keypoints_xy",
    "rect",
    "width",
    "height",
    "angle",
    "area_px",
    "area_converted",
]
"""What the language knows about a detection. Those without a column in Detections are added by steps that measure."""


class Columns:
    """Properties of all detections as lists, each made once."""

    __slots__ = ("_lists", "detections")

    def __init__(self, detections: Detections) -> None:
        self.detections = detections
        self._lists: dict[str, list[Any] | None] = {}

    def list_of(self, name: str) -> list[Any] | None:
        """One entry a detection; None where nobody has measured the property."""
        if name not in self._lists:
            read = READERS.get(name)
            self._lists[name] = None if read is None else read(self.detections)
        return self._lists[name]

    def present(self) -> list[str]:
        """Names of the properties that these detections have."""
        return [name for name in get_args(PropertyName) if self.list_of(name) is not None]


@dataclass(frozen=True, slots=True)
class OneDetection:
    """One of several detections: the operand `_` of a filter.

    Attributes:
        columns: properties of all of them.
        index: which one.
    """

    columns: Columns
    index: int

    def value_of(self, name: str) -> Any:
        """One property; None where nobody has measured it."""
        column = self.columns.list_of(name)
        return None if column is None else column[self.index]


def one_by_one(detections: Detections) -> list[OneDetection]:
    """Each of the detections on its own."""
    columns = Columns(detections)
    return [OneDetection(columns, index) for index in range(len(detections))]


class DetectionsPropertyExtract(Operation):
    """Lists one property of every detection; points are rounded to whole pixels."""

    takes: ClassVar = DETECTION_KINDS
    gives: ClassVar = (Kind.LIST_OF_VALUES,)

    type: Literal["DetectionsPropertyExtract"]
    property_name: PropertyName

    def apply(self, value: Any, names: Names) -> list[Any]:
        detections = expect(value, Detections, "detections")
        if len(detections) == 0:
            return []
        columns = Columns(detections)
        found = columns.list_of(self.property_name)
        if found is None:
            raise OperationError(
                f"these detections have no {self.property_name}: no earlier step has measured it; "
                f"they have {', '.join(columns.present())}"
            )
        return [[round(x), round(y)] for x, y in found] if self.property_name in POINTS else found


class ExtractDetectionProperty(Operation):
    """Gives one property of a single detection, null where it was not measured."""

    takes: ClassVar = (Kind.DETECTION,)
    gives: ClassVar = (Kind.ANY,)

    type: Literal["ExtractDetectionProperty"]
    property_name: PropertyName

    def apply(self, value: Any, names: Names) -> Any:
        detection = expect(value, OneDetection, "a single detection, such as the operand _ of a DetectionsFilter")
        return detection.value_of(self.property_name)


def _corner(x: int, y: int) -> Callable[[Detections], list[Any]]:
    return lambda detections: list(detections.xyxy[:, (x, y)].tolist())


def _side(column: int) -> Callable[[Detections], list[Any]]:
    return lambda detections: list(detections.xyxy[:, column].tolist())


def _center(detections: Detections) -> list[Any]:
    return list(centres_and_sizes(detections.xyxy)[:, :2].tolist())


def _size(detections: Detections) -> list[Any]:
    return list(centres_and_sizes(detections.xyxy)[:, 2:].prod(axis=1).tolist())


def _keypoints_xy(detections: Detections) -> list[Any] | None:
    if detections.keypoints is None:
        return None
    return [[[x, y] for x, y in points if not math.isnan(x)] for points in detections.keypoints.xy.tolist()]


def _image_dimensions(detections: Detections) -> list[Any] | None:
    if detections.image_wh is None:
        return None
    width, height = detections.image_wh
    return [[height, width] for _ in range(len(detections))]


def _prediction_type(detections: Detections) -> list[Any] | None:
    return None if detections.prediction_type is None else [detections.prediction_type] * len(detections)


POINTS = frozenset({"center", "top_left", "top_right", "bottom_left", "bottom_right"})

READERS: dict[str, Callable[[Detections], list[Any] | None]] = {
    "confidence": lambda detections: list(detections.confidence.tolist()),
    "class_name": lambda detections: list(detections.class_name.tolist()),
    "class_id": lambda detections: list(detections.class_id.tolist()),
    "x_min": _side(0),
    "y_min": _side(1),
    "x_max": _side(2),
    "y_max": _side(3),
    "size": _size,
    "center": _center,
    "top_left": _corner(0, 1),
    "top_right": _corner(2, 1),
    "bottom_left": _corner(0, 3),
    "bottom_right": _corner(2, 3),
    "width": lambda detections: list((detections.xyxy[:, 2] - detections.xyxy[:, 0]).tolist()),
    "height": lambda detections: list((detections.xyxy[:, 3] - detections.xyxy[:, 1]).tolist()),
    "tracker_id": lambda detections: None if detections.tracker_id is None else list(detections.tracker_id.tolist()),
    "prediction_type": _prediction_type,
    "image_dimensions": _image_dimensions,
    "keypoints_xy": _keypoints_xy,
}
"""How each property that Detections holds is read: one entry a detection, None where nobody filled the column."""
