"""What a label says about each detection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from workflows.drawing.sizes import LONGEST_LABEL
from workflows.geometry.boxes import centres_and_sizes
from workflows.values.detections import Detections

LabelText = Literal[
    "Class",
    "Confidence",
    "Class and Confidence",
    "Index",
    "Dimensions",
    "Area",
    "Area (mask)",
    "Area (converted)",
    "Tracker Id",
    "Time In Zone",
]


def label_texts(detections: Detections, text: str) -> list[str]:
    """One text a detection, cut short where it is longer than anybody reads in a picture.

    Args:
        detections: any number of them.
        text: one of LabelText.

    Raises:
        ValueError: `text` is none of them.
    """
    if text not in _WRITERS:
        raise ValueError(f"{text!r} is no label text; right are {', '.join(get_args(LabelText))}")
    # OpenCV, which draws them, ends the process on half of a surrogate pair.
    return [_shortened(written.encode("utf-8", "replace").decode()) for written in _WRITERS[text](detections)]


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 3]}..."


def _classes(detections: Detections) -> list[str]:
    return [str(name) for name in detections.class_name.tolist()]


def _confidences(detections: Detections) -> list[str]:
    return [f"{confidence:.2f}" for confidence in detections.confidence.tolist()]


def _classes_and_confidences(detections: Detections) -> list[str]:
    return [f"{name} {score}" for name, score in zip(_classes(detections), _confidences(detections), strict=True)]


def _indices(detections: Detections) -> list[str]:
    return [str(index) for index in range(len(detections))]


def _dimensions(detections: Detections) -> list[str]:
    boxes = centres_and_sizes(detections.xyxy).astype(int).tolist()
    return [f"{x}, {y} {width}x{height}" for x, y, width, height in boxes]


def _areas(detections: Detections) -> list[str]:
    if detections.masks is not None:
        areas = detections.masks.areas_px()
    else:
        areas = centres_and_sizes(detections.xyxy)[:, 2:].prod(axis=1)
    return [str(int(area)) for area in areas]


def _tracks(detections: Detections) -> list[str]:
    if detections.tracker_id is None:
        return ["No Tracker ID"] * len(detections)
    return [str(track) for track in detections.tracker_id.tolist()]


def _mask_areas(detections: Detections) -> list[str]:
    return ["Area (mask): N/A"] * len(detections)  # as long as no step measures it


def _converted_areas(detections: Detections) -> list[str]:
    return ["Area (conv): N/A"] * len(detections)  # the same


def _times_in_zone(detections: Detections) -> list[str]:
    if detections.time_in_zone_s is None:
        return ["In zone: N/A"] * len(detections)
    times = detections.time_in_zone_s.tolist()
    return [f"In zone: {time:.1f}s" if time else "In zone: N/A" for time in times]  # 0 counts as not measured


_WRITERS: dict[str, Callable[[Detections], list[str]]] = {
    "Class": _classes,
    "Confidence": _confidences,
    "Class and Confidence": _classes_and_confidences,
    "Index": _indices,
    "Dimensions": _dimensions,
    "Area": _areas,
    "Area (mask)": _mask_areas,
    "Area (converted)": _converted_areas,
    "Tracker Id": _tracks,
    "Time In Zone": _times_in_zone,
}
