"""Detections as clients send them; keys that nobody knows are ignored."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from workflows.serializers.bounds import MAX_DETECTIONS, Contents, Coordinate, Integer, Name, Number, Pixels
from workflows.serializers.origin import OriginJson


class _Sent(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)


class SizeJson(_Sent):
    """Size of the image the detections belong to; null where it is unknown."""

    width: Pixels | None = None
    height: Pixels | None = None


class PointJson(_Sent):
    """A corner of an outline, pixels."""

    x: Coordinate
    y: Coordinate


class KeyPointJson(PointJson):
    """A named point of an object."""

    confidence: float = 1.0
    class_id: Integer = 0
    class_name: Name = Field(default="", alias="class")


class RunLengthsJson(_Sent):
    """A mask as compressed run lengths; `size` is height, width."""

    size: tuple[Pixels, Pixels]
    counts: str


class DetectionJson(_Sent):
    """One detection as clients send it."""

    x: Coordinate
    y: Coordinate
    width: Coordinate
    height: Coordinate
    confidence: Number
    class_id: Integer
    class_name: Name = Field(alias="class")
    detection_id: Name | None = None
    parent_id: Name | None = None
    parent_origin: OriginJson | None = None
    root_parent_id: Name | None = None
    root_parent_origin: OriginJson | None = None
    tracker_id: Integer | None = None
    points: list[PointJson] | None = None
    rle_mask: RunLengthsJson | None = None
    keypoints: list[KeyPointJson] | None = None
    time_in_zone: Number | None = None
    data: Contents | None = None


class DetectionsJson(_Sent):
    """Detections of one image as clients send them."""

    image: SizeJson
    predictions: list[DetectionJson] = Field(max_length=MAX_DETECTIONS)
