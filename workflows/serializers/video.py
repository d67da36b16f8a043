"""Video metadata on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from workflows.errors import RuntimeInputError
from workflows.serializers.bounds import Integer, Name
from workflows.serializers.validation import first_problem
from workflows.values.video import VideoMetadata


class VideoMetadataJson(BaseModel):
    """Metadata of a frame as clients send it."""

    model_config = ConfigDict(extra="ignore")

    video_identifier: Name
    frame_number: Integer
    frame_timestamp: datetime
    fps: float | None = None
    measured_fps: float | None = None
    comes_from_video_file: bool | None = None
    total_frames: Integer | None = None


def read_video_metadata(value: Any, element_id: str) -> VideoMetadata:
    """Metadata that a client sent.

    Raises:
        RuntimeInputError: not an object, or a field that is missing or of the wrong type.
    """
    if isinstance(value, VideoMetadata):
        return value
    try:
        sent = VideoMetadataJson.model_validate(value)
    except ValidationError as error:
        raise RuntimeInputError(
            f"`{element_id}` holds video metadata that make no sense: {first_problem(error)}; required are "
            "video_identifier (text), frame_number (whole number) and frame_timestamp (ISO 8601)"
        ) from error
    return VideoMetadata(**sent.model_dump())


def write_video_metadata(metadata: VideoMetadata) -> dict[str, Any]:
    """All fields, the time as ISO 8601 text."""
    return {
        "video_identifier": metadata.video_identifier,
        "frame_number": metadata.frame_number,
        "frame_timestamp": metadata.frame_timestamp.isoformat(),
        "fps": metadata.fps,
        "measured_fps": metadata.measured_fps,
        "comes_from_video_file": metadata.comes_from_video_file,
        "total_frames": metadata.total_frames,
    }
