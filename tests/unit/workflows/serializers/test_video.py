from __future__ import annotations

from datetime import datetime

import pytest

from workflows.errors import RuntimeInputError
from workflows.serializers.video import read_video_metadata, write_video_metadata
from workflows.values.video import VideoMetadata

LEAST = {"video_identifier": "cam", "frame_number": 3, "frame_timestamp": "2024-08-21T11:13:44"}


def test_what_is_not_sent_is_unknown():
    found = read_video_metadata(LEAST, "video")
    assert (found.fps, found.measured_fps, found.comes_from_video_file, found.total_frames) == (None, None, None, None)


def test_times_are_written_as_iso_8601():
    metadata = VideoMetadata(video_identifier="cam", frame_timestamp=datetime(2024, 8, 21, 11, 13, 44, 313999))
    assert write_video_metadata(metadata)["frame_timestamp"] == "2024-08-21T11:13:44.313999"


def test_metadata_that_are_a_value_already_stay_as_they_are():
    metadata = VideoMetadata.of_still("image")
    assert read_video_metadata(metadata, "video") is metadata


@pytest.mark.parametrize("key", sorted(LEAST))
def test_a_missing_field_is_named(key):
    with pytest.raises(RuntimeInputError, match=rf"`video\.\[0\]`.*{key}"):
        read_video_metadata({name: value for name, value in LEAST.items() if name != key}, "video.[0]")


@pytest.mark.parametrize("value", ["cam", None, 3, [LEAST]])
def test_what_is_no_object_is_refused(value):
    with pytest.raises(RuntimeInputError, match="`video`"):
        read_video_metadata(value, "video")
