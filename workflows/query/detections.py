"""Operations from detections to detections, and to their JSON."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from workflows.errors import InvalidInputTypeError, OperationError
from workflows.geometry.boxes import centres_and_sizes, grow_boxes, shift_boxes
from workflows.kinds import DETECTION_KINDS, Kind
from workflows.query.operation import Names, Operation, expect, operand, wrong_type
from workflows.serializers.bounds import LONGEST_NAME
from workflows.serializers.detections import write_detections
from workflows.values.detections import Detections, Index
from workflows.values.root_frame import to_own_frame


class DetectionsSelection(Operation):
    """Keeps one detection: the first, the last, the surest, or the one furthest to a side."""

    takes: ClassVar = DETECTION_KINDS
    gives: ClassVar = DETECTION_KINDS

    type: Literal["DetectionsSelection"]
    mode: Literal["left_most", "right_most", "top_confidence", "first", "last"]

    def apply(self, value: Any, names: Names) -> Detections:
        detections = expect(value, Detections, "detections")
        if len(detections) == 0:
            return detections
        return detections.select(np.array([self._place(detections)], dtype=np.int64))

    def _place(self, detections: Detections) -> int:
        if self.mode == "first":
            return 0
        if self.mode == "last":
            return len(detections) - 1
        if self.mode == "top_confidence":
            return int(detections.confidence.argmax())
        center_x = centres_and_sizes(detections.xyxy)[:, 0]
        return int(center_x.argmin() if self.mode == "left_most" else center_x.argmax())


class SortDetections(Operation):
    """Puts detections in the order of one of their properties."""

    takes: ClassVar = DETECTION_KINDS
    gives: ClassVar = DETECTION_KINDS

    type: Literal["SortDetections"]
    mode: Literal["confidence", "x_min", "x_max", "y_min", "y_max", "size", "center_x", "center_y"]
    ascending: bool = Field(default=True, description="Whether the smallest comes first.")

    def apply(self, value: Any, names: Names) -> Detections:
        detections = expect(value, Detections, "detections")
        order = np.argsort(self._keys(detections), kind="stable")
        return detections.select(order if self.ascending else order[::-1])

    def _keys(self, detections: Detections) -> NDArray[np.float64]:
        if self.mode == "confidence":
            return detections.confidence
        if self.mode in CORNERS:
            return detections.xyxy[:, CORNERS[self.mode]]
        centres = centres_and_sizes(detections.xyxy)
        if self.mode == "size":
            areas: NDArray[np.float64] = centres[:, 2:].prod(axis=1)
            return areas
        return centres[:, 0 if self.mode == "center_x" else 1]


class DetectionsOffset(Operation):
    """Makes boxes larger, by half the offset at each side; they may leave the image and keep their identity."""

    takes: ClassVar = DETECTION_KINDS
    gives: ClassVar = DETECTION_KINDS

    type: Literal["DetectionsOffset"]
    offset_x: int = Field(description="Pixels that boxes become wider.")
    offset_y: int = Field(description="Pixels that boxes become higher.")

    def apply(self, value: Any, names: Names) -> Detections:
        detections = expect(value, Detections, "detections")
        return detections.replace(xyxy=grow_boxes(detections.xyxy, self.offset_x / 2, self.offset_y / 2))


class DetectionsShift(Operation):
    """Moves boxes; they may leave the image and keep their identity."""

    takes: ClassVar = DETECTION_KINDS
    gives: ClassVar = DETECTION_KINDS

    type: Literal["DetectionsShift"]
    shift_x: int = Field(description="Pixels to the right.")
    shift_y: int = Field(description="Pixels down.")

    def apply(self, value: Any, names: Names) -> Detections:
        detections = expect(value, Detections, "detections")
        return detections.replace(xyxy=shift_boxes(detections.xyxy, self.shift_x, self.shift_y))


class DetectionsRename(Operation):
    """Gives classes other names, and ids that fit them."""

    takes: ClassVar = DETECTION_KINDS
    gives: ClassVar = DETECTION_KINDS

    type: Literal["DetectionsRename"]
    class_map: dict[str, str] | str = Field(description="Old name -> new name, or the operand that holds such a table.")
    strict: bool | str = Field(
        default=True, description="Whether every class must be in the table, or the operand that says so."
    )
    new_classes_id_offset: int = Field(
        default=1024, ge=-(2**62), le=2**62, description="First id of new names, when not strict."
    )

    def apply(self, value: Any, names: Names) -> Detections:
        detections = expect(value, Detections, "detections")
        class_map = operand(self.class_map, names) if isinstance(self.class_map, str) else self.class_map
        strict = operand(self.strict, names) if isinstance(self.strict, str) else self.strict
        if not isinstance(class_map, dict) or not all(isinstance(name, str) for name in class_map.values()):
            raise wrong_type(class_map, "a dictionary of strings as class_map")
        if any(len(name) > LONGEST_NAME for name in class_map.values()):
            raise InvalidInputTypeError(f"class_map holds a name of more than {LONGEST_NAME} characters")
        if not isinstance(strict, bool):
            raise wrong_type(strict, "a boolean as strict")
        old = detections.class_name.tolist()
        ids = self._strict_ids(old, class_map) if strict else self._loose_ids(detections, class_map)
        new = [class_map.get(name, name) for name in old]
        return detections.replace(
            class_name=np.array(new, dtype=np.str_), class_id=np.array([ids[name] for name in new], dtype=np.int64)
        )

    def _strict_ids(self, old: list[str], class_map: dict[str, str]) -> dict[str, int]:
        missing = sorted(set(old) - set(class_map))
        if missing:
            raise OperationError(
                f"class_map has no entry for {', '.join(map(repr, missing))}; add one, or set strict to false"
            )
        return {name: class_id for class_id, name in enumerate(sorted(set(class_map.values())))}

    def _loose_ids(self, detections: Detections, class_map: dict[str, str]) -> dict[str, int]:
        ids = dict(zip(detections.class_name.tolist(), detections.class_id.tolist(), strict=True))
        for class_id, name in enumerate(sorted(set(class_map.values()) - set(ids)), self.new_classes_id_offset):
            ids[name] = class_id
        return ids


class PickDetectionsByParentClass(Operation):
    """Keeps detections of one class, then those of others whose centre lies in one of their boxes."""

    takes: ClassVar = DETECTION_KINDS
    gives: ClassVar = DETECTION_KINDS

    type: Literal["PickDetectionsByParentClass"]
    parent_class: str = Field(description="The class whose boxes surround the others.")

    def apply(self, value: Any, names: Names) -> Detections:
        detections = expect(value, Detections, "detections")
        is_parent = detections.class_name == self.parent_class
        parents = detections.xyxy[is_parent]
        center_x, center_y = centres_and_sizes(detections.xyxy)[:, :2].T[:, :, None]
        left, top, right, bottom = parents.T
        within = (left <= center_x) & (center_x <= right) & (top <= center_y) & (center_y <= bottom)
        children = ~is_parent & within.any(axis=1)
        kept = detections.select(np.concatenate([np.flatnonzero(is_parent), np.flatnonzero(children)]))
        return kept if len(kept) else nothing_left(kept)


class DetectionsToDictionary(Operation):
    """Writes detections as the dictionary that an answer shows."""

    takes: ClassVar = DETECTION_KINDS
    gives: ClassVar = (Kind.DICTIONARY,)

    type: Literal["DetectionsToDictionary"]

    def apply(self, value: Any, names: Names) -> dict[str, Any]:
        return write_detections(to_own_frame(expect(value, Detections, "detections")))


CORNERS = {"x_min": 0, "y_min": 1, "x_max": 2, "y_max": 3}
"""Sort mode -> column of `xyxy`."""


def narrowed(detections: Detections, index: Index) -> Detections:
    """The detections at `index`; where none of several is left, their image is forgotten too.

    Source: the server of `inference` 1.8.3, which answers null dimensions then, and the known ones where there were no
    detections in the first place.
    """
    kept = detections.select(index)
    return nothing_left(kept) if len(detections) and not len(kept) else kept


def nothing_left(detections: Detections) -> Detections:
    """`detections`, of which there are none, without the image they belonged to."""
    return detections.replace(image_wh=None, placement=None)
