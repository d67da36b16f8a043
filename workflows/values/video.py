"""Which frame of which video an image is; a still image is frame 0 of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoMetadata:
    """Place of a frame in its video.

    Attributes:
        video_identifier: name of the video; for still images the image's identity.
        frame_number: count from the video's start; 0 for still images.
        frame_timestamp: when the frame was taken, without a time zone.
        fps: declared frames a second; None when a client left them out.
        measured_fps: frames a second as received; None when not measured.
        comes_from_video_file: whether the source is a file rather than a camera; None when unknown.
        total_frames: number of frames of the source; None when unknown.
    """

    video_identifier: str
    frame_number: int = 0
    frame_timestamp: datetime
    fps: float | None = 30.0
    measured_fps: float | None = None
    comes_from_video_file: bool | None = None
    total_frames: int | None = None

    @classmethod
    def of_still(cls, image_id: str) -> VideoMetadata:
        """Metadata of an image that belongs to no video, taken now."""
        return cls(video_identifier=image_id, frame_timestamp=datetime.now())
