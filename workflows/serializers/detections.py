"""Detections on the wire: boxes as centre and size, masks as outlines or run lengths."""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from workflows.errors import RuntimeInputError
from workflows.geometry.boxes import centres_and_sizes, corners
from workflows.geometry.masks import Mask, fill_window, polygon_window
from workflows.geometry.run_lengths import expand_columns, filled_columns, parse
from workflows.serializers.bounds import MAX_KEY_POINTS, MAX_MASK_PIXELS, MAX_TEXT_CHARACTERS, QUICK_MASK_PIXELS
from workflows.serializers.detections_json import DetectionJson, DetectionsJson
from workflows.serializers.mask_room import MaskRoom
from workflows.serializers.origin import write_origin
from workflows.serializers.validation import first_problem
from workflows.values.detections import Detections, KeyPoints
from workflows.values.masks import Masks
from workflows.values.origin import Origin, Placement

_DETECTIONS = TypeAdapter(DetectionsJson)

FEWEST_CORNERS = 3


def read_detections(value: Any, element_id: str, mask_room: MaskRoom | None = None) -> Detections:
    """Detections that a client sent, in the form in which they are answered.

    Args:
        value: `{"image": {"width", "height"}, "predictions": [...]}`.
        element_id: identity of the input element; parent of detections that name none.
        mask_room: of the request it came with; that of a request of its own when None.

    Raises:
        RuntimeInputError: a key is missing or holds something else; predictions on an image of unknown size; masks
            with too many pixels.
    """
    if isinstance(value, Detections):
        return value
    try:
        sent = _DETECTIONS.validate_python(value)
        return _detections(sent, element_id, mask_room or MaskRoom())
    except ValidationError as error:
        raise RuntimeInputError(
            f"`{element_id}` holds no detections: {first_problem(error)}; right is "
            '{"image": {"width", "height"}, "predictions": [{"x", "y", "width", "height", "confidence", "class", '
            '"class_id"}, ...]}'
        ) from error
    except ValueError as error:
        raise RuntimeInputError(f"`{element_id}` holds no detections: {error}") from error


def masks_may_take_long(value: Any) -> bool:
    """Whether an event loop had better not compute the masks of what a client sent as detections, if it is any."""
    match value:
        case {"image": {"width": width, "height": height}, "predictions": [*rows]}:
            sent = sum(isinstance(row, dict) and bool(row.get("points") or row.get("rle_mask")) for row in rows)
            try:
                return sent > 0 and sent * int(width) * int(height) > QUICK_MASK_PIXELS
            except (TypeError, ValueError, OverflowError):
                return False  # no size of an image
    return False


def write_detections(detections: Detections, *, run_lengths: bool = False) -> dict[str, Any]:
    """Detections as JSON.

    Args:
        detections: any number of them; one whose mask has no pixels is left out, as it has no outline.
        run_lengths: write masks as compressed run lengths instead of their outline; they may be empty.
    """
    width, height = detections.image_wh or (None, None)
    columns: dict[str, list[Any]] = {}
    boxes = centres_and_sizes(detections.xyxy)
    for name, index in (("width", 2), ("height", 3), ("x", 0), ("y", 1)):
        columns[name] = boxes[:, index].tolist()
    columns["confidence"] = detections.confidence.tolist()
    columns["class_id"] = detections.class_id.tolist()
    if detections.masks is not None:
        positions = range(len(detections))
        if run_lengths:
            columns["rle_mask"] = [run_lengths_of(detections.masks, position) for position in positions]
        else:
            columns["points"] = [points_of(detections.masks.outline(position)) for position in positions]
    if detections.tracker_id is not None:
        columns["tracker_id"] = detections.tracker_id.tolist()
    columns["class"] = detections.class_name.tolist()
    columns["detection_id"] = detections.detection_id.tolist()
    if detections.time_in_zone_s is not None:
        columns["time_in_zone"] = detections.time_in_zone_s.tolist()
    if detections.parent_id is not None:
        columns["parent_id"] = detections.parent_id.tolist()
    if detections.decoded_text is not None:
        columns["data"] = detections.decoded_text.tolist()
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    _add_places(rows, detections)
    if detections.keypoints is not None:
        for index, row in enumerate(rows):
            row["keypoints"] = key_points_of(detections.keypoints, index)
    rows = [row for row in rows if row.get("points") != []]
    return {"image": {"width": width, "height": height}, "predictions": rows}


def _add_places(rows: list[dict[str, Any]], detections: Detections) -> None:
    """Say where the parent lies and what the root is, where the two differ."""
    placement = detections.placement
    root_id = detections.root_id if placement is None else placement.root.id
    for row in rows:
        if root_id is None or row.get("parent_id", root_id) == root_id:
            continue
        if placement is not None:
            row["parent_origin"] = write_origin(placement.parent)
        row["root_parent_id"] = root_id
        if placement is not None:
            row["root_parent_origin"] = write_origin(placement.root)


def points_of(corner_xy: NDArray[np.int32] | None) -> list[dict[str, float]]:
    """An outline as JSON; no points for none."""
    return [] if corner_xy is None else [{"x": float(x), "y": float(y)} for x, y in corner_xy.tolist()]


def run_lengths_of(masks: Masks, position: int) -> dict[str, Any]:
    """One mask as JSON: the size of its image, height first, and the runs."""
    width, height = masks.image_wh
    return {"size": [height, width], "counts": masks.run_lengths(position)}


def key_points_of(keypoints: KeyPoints, index: int) -> list[dict[str, Any]]:
    """The key points of one detection as JSON; those that it lacks do not stand there."""
    columns = (keypoints.class_id, keypoints.class_name, keypoints.confidence, keypoints.xy)
    return [
        {"class_id": class_id, "class": name, "confidence": confidence, "x": x, "y": y}
        for class_id, name, confidence, (x, y) in zip(*(column[index].tolist() for column in columns), strict=True)
        if x == x  # NaN stands behind the last key point
    ]


def _detections(sent: DetectionsJson, element_id: str, mask_room: MaskRoom) -> Detections:
    rows = [row for row in sent.predictions if not _is_broken_outline(row)]
    size = sent.image
    image_wh = None if size.width is None or size.height is None else (size.width, size.height)
    if rows and image_wh is None:
        raise ValueError("image.width and image.height must be numbers where there are predictions")
    placement = _placement(rows[0], element_id, image_wh) if rows else None
    _check_masks(rows, image_wh, placement)
    tracked = bool(rows) and all(row.tracker_id is not None for row in rows)
    timed, is_code = _all_have("time_in_zone", rows), _all_have("data", rows)
    return Detections(
        xyxy=corners(np.array([(r.x, r.y, r.width, r.height) for r in rows], dtype=np.float64).reshape(-1, 4)),
        confidence=np.array([r.confidence for r in rows], dtype=np.float64),
        class_id=np.array([r.class_id for r in rows], dtype=np.int64),
        class_name=np.array([r.class_name for r in rows], dtype=np.str_),
        detection_id=np.array([r.detection_id or str(uuid.uuid4()) for r in rows], dtype=np.str_),
        parent_id=np.array([r.parent_id or element_id for r in rows], dtype=np.str_),
        masks=_masks(rows, image_wh, mask_room),
        keypoints=_key_points(rows),
        tracker_id=np.array([r.tracker_id for r in rows], dtype=np.int64) if tracked else None,
        time_in_zone_s=np.array([r.time_in_zone for r in rows], dtype=np.float64) if timed else None,
        decoded_text=_texts([r.data or "" for r in rows], "values of data") if is_code else None,
        image_wh=image_wh,
        placement=placement,
        prediction_type=None,
        root_id=(rows[0].root_parent_id if rows else None) or element_id,
    )


def _all_have(name: str, rows: list[DetectionJson]) -> bool:
    """Whether a measured value is there; it must be there for every detection or for none."""
    having = sum(getattr(row, name) is not None for row in rows)
    if 0 < having < len(rows):
        raise ValueError(f"{name} stands at {having} of {len(rows)} predictions; it must stand at all or none")
    return having > 0


def _placement(row: DetectionJson, element_id: str, image_wh: tuple[int, int] | None) -> Placement | None:
    """Place of the image, known as soon as it is known where it lies in the root."""
    if row.root_parent_id is None or row.root_parent_origin is None or image_wh is None:
        return None
    parent_id = row.parent_id or element_id
    if row.parent_origin is None:
        parent = Origin(id=parent_id, width_px=image_wh[0], height_px=image_wh[1])
    else:
        parent = row.parent_origin.named(parent_id)
    return Placement(parent=parent, root=row.root_parent_origin.named(row.root_parent_id))


def _check_masks(rows: list[DetectionJson], image_wh: tuple[int, int] | None, placement: Placement | None) -> None:
    """Refuse masks that would fill the memory, on the image or on the one it was cut from."""
    count = len(rows) if _have_masks(rows) else 0
    sizes = [image_wh or (0, 0)] + ([] if placement is None else [(placement.root.width_px, placement.root.height_px)])
    for width, height in sizes:
        if count and min(width, height) < 1:
            raise ValueError(f"masks need an image with pixels, not one of {width}x{height}")
        if count * width * height > MAX_MASK_PIXELS:
            raise ValueError(
                f"{count} masks of {width}x{height} pixels are more than the {MAX_MASK_PIXELS} pixels accepted; send "
                "fewer detections at once, or boxes without points"
            )


def _is_broken_outline(row: DetectionJson) -> bool:
    """Whether the mask of a detection is given by too few corners; the reference leaves such detections out."""
    return row.rle_mask is None and row.points is not None and len(row.points) < FEWEST_CORNERS


def _have_masks(rows: list[DetectionJson]) -> bool:
    return bool(rows) and all(row.points or row.rle_mask for row in rows)


def _masks(rows: list[DetectionJson], image_wh: tuple[int, int] | None, mask_room: MaskRoom) -> Masks | None:
    if not _have_masks(rows):
        return None
    assert image_wh is not None  # seen to by _detections
    return Masks.of_windows(image_wh, (_mask_window(row, image_wh, mask_room) for row in rows))


def _mask_window(row: DetectionJson, image_wh: tuple[int, int], mask_room: MaskRoom) -> tuple[int, int, Mask]:
    """Left, top and pixels of a part of the image that holds the mask: the rest is never computed."""
    if row.rle_mask is not None:
        height, width = row.rle_mask.size
        if (width, height) != image_wh:
            raise ValueError(f"its size is {width}x{height}, that of the image {image_wh[0]}x{image_wh[1]}")
        counts = parse(row.rle_mask.counts, image_wh)
        columns = filled_columns(counts, height)
        mask_room.take((columns.stop - columns.start) * height)
        return columns.start, 0, expand_columns(counts, columns, height)
    points = [(point.x, point.y) for point in row.points or ()]
    polygon_xy = np.array(points, dtype=np.float64).reshape(-1, 2)
    window_ltwh = polygon_window(polygon_xy, image_wh)
    mask_room.take(window_ltwh[2] * window_ltwh[3])
    return window_ltwh[0], window_ltwh[1], fill_window(polygon_xy, window_ltwh)


def _key_points(rows: list[DetectionJson]) -> KeyPoints | None:
    if all(row.keypoints is None for row in rows):
        return None
    most = max(len(row.keypoints or ()) for row in rows)
    if len(rows) * most > MAX_KEY_POINTS:
        raise ValueError(f"{len(rows)} detections with up to {most} key points are more than {MAX_KEY_POINTS} points")
    shape = (len(rows), most)
    xy = np.full((*shape, 2), np.nan)
    confidence, class_id = np.zeros(shape), np.zeros(shape, dtype=np.int64)
    names = [""] * (len(rows) * most)
    for index, row in enumerate(rows):
        for position, point in enumerate(row.keypoints or ()):
            xy[index, position] = point.x, point.y
            confidence[index, position] = point.confidence
            class_id[index, position] = point.class_id
            names[index * most + position] = point.class_name
    class_name = _texts(names, "classes of key points").reshape(shape)
    return KeyPoints(xy=xy, confidence=confidence, class_id=class_id, class_name=class_name)


def _texts(texts: list[str], what: str) -> NDArray[np.str_]:
    longest = max(map(len, texts), default=0)
    if len(texts) * longest > MAX_TEXT_CHARACTERS:
        raise ValueError(
            f"{len(texts)} {what} of up to {longest} characters are more than {MAX_TEXT_CHARACTERS} when "
            "each has the room of the longest; send fewer detections at once, or shorter texts"
        )
    return np.array(texts, dtype=np.str_)
