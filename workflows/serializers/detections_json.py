"""Detections as clients send them; keys that nobody knows are ignored."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from workflows.serializers.origin import OriginJson


class _Sent(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)


_Number = Annotated[float, Field(strict=True)]


class SizeJson(_Sent):
    """Size of the image the detections belong to; null where it is unknown."""

    width: int | None = None
    height: int | None = None


class PointJson(_Sent):
    """A corner of an outline, pixels."""

    x: _Number
    y: _Number


class KeyPointJson(PointJson):
    """A named point of an object."""

    confidence: float = 1.0
    class_id: int = 0
    class_name: str = Field(default="", alias="class")


class RunLengthsJson(_Sent):
    """A mask as compressed run lengths; `size` is height, width."""

    size: tuple[int, int]
    counts: str


class DetectionJson(_Sent):
    """One detection as clients send it."""

    x: _Number
    y: _Number
    width: _Number
    height: _Number
    confidence: _Number
    class_id: int
    class_name: str = Field(alias="class")
    detection_id: str | None = None
    parent_id: str | None = None
    parent_origin: OriginJson | None = None
    root_parent_id: str | None = None
    root_parent_origin: OriginJson | None = None
    tracker_id: int | None = None
    points: list[PointJson] | None = None
    rle_mask: RunLengthsJson | None = None
    keypoints: list[KeyPointJson] | None = None
    time_in_zone: _Number | None = None
    data: str | None = None


class DetectionsJson(_Sent):
    """Detections of one image as clients send them."""

    image: SizeJson
    predictions: list[DetectionJson]
