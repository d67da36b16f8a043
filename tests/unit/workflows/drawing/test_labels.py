from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from tests.unit.workflows.builders import detections
from workflows.drawing.labels import LabelText, label_texts

TWO = detections(
    [80, 70, 120, 90],
    [204.5, 44, 252.5, 92.5],
    class_name=np.array(["plate", "car"]),
    confidence=np.array([0.9, 0.754]),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Class", ["plate", "car"]),
        ("Confidence", ["0.90", "0.75"]),
        ("Class and Confidence", ["plate 0.90", "car 0.75"]),
        ("Index", ["0", "1"]),
        ("Dimensions", ["100, 80 40x20", "228, 68 48x48"]),
        ("Area", ["800", "2328"]),
        ("Area (mask)", ["Area (mask): N/A", "Area (mask): N/A"]),
        ("Area (converted)", ["Area (conv): N/A", "Area (conv): N/A"]),
        ("Tracker Id", ["No Tracker ID", "No Tracker ID"]),
        ("Time In Zone", ["In zone: N/A", "In zone: N/A"]),
    ],
)
def test_labels_say_what_is_asked(text, expected):
    assert label_texts(TWO, text) == expected


def test_labels_name_the_track():
    assert label_texts(TWO.replace(tracker_id=np.array([7, 12])), "Tracker Id") == ["7", "12"]


def test_labels_tell_the_time_in_the_zone():
    timed = TWO.replace(time_in_zone_s=np.array([1.46, 0.0]))
    assert label_texts(timed, "Time In Zone") == ["In zone: 1.5s", "In zone: N/A"]


def test_the_area_of_a_mask_is_its_pixels():
    mask = np.zeros((1, 240, 320), dtype=np.bool_)
    mask[0, 70:80, 80:90] = True
    assert label_texts(detections([80, 70, 120, 90], masks=mask), "Area") == ["100"]


@pytest.mark.parametrize("text", get_args(LabelText))
def test_no_detections_have_no_labels(text):
    assert label_texts(detections(), text) == []


def test_an_unknown_text_is_refused():
    with pytest.raises(ValueError, match="right are Class"):
        label_texts(TWO, "Colour")


@pytest.mark.parametrize(("letters", "expected"), [(100, "a" * 100), (101, "a" * 97 + "..."), (512, "a" * 97 + "...")])
def test_a_text_longer_than_anybody_reads_in_a_picture_is_cut_short(letters, expected):
    named = detections([0, 0, 9, 9], class_name=np.array(["a" * letters]))
    assert label_texts(named, "Class") == [expected]


def test_half_a_surrogate_pair_does_not_reach_the_pen():
    broken = detections([0, 0, 9, 9], class_name=np.array(["a\ud800b"]))
    assert label_texts(broken, "Class") == ["a?b"]
