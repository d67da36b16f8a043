"""How well and how fast the shipped text detector finds words, and what is read of them: tables for `evaluate`.

Everything is drawn in faces that training does not know, from seeds that it does not use.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from deployments.models.page_reading.layout import arrange
from training.page_renders import LAYOUTS
from training.shipped_models import Floats
from training.shipped_page_reader import ShippedPageReader, ShippedTextDetector
from training.text_scenes import TextScene, page_scene, plate_crop, street_scene

IOU = 0.5
SEED = 7_000_011
PAGE_WH, STREET_WH, CROP_WH = (768, 1024), (640, 480), (320, 240)
RUNNING_PX = ((11, 16), (16, 24), (24, 36))  # type of running text


def page_sets(pages: int = 6, crops: int = 100) -> dict[str, list[TextScene]]:
    """Held-out pictures by name."""
    rng = random.Random(SEED)
    sets = {
        f"page, {layout}": [page_scene(PAGE_WH, rng, layout, unseen=True, whole=True) for _ in range(pages)]
        for layout in LAYOUTS
    }
    for type_px in RUNNING_PX:
        sets[f"running text of {type_px[0]} to {type_px[1]} px"] = [
            page_scene(PAGE_WH, rng, rng.choice(("letter", "letter", "columns")), True, whole=True, type_px=type_px)
            for _ in range(pages)
        ]
    sets["street, 640 x 480"] = [street_scene(STREET_WH, rng, [], unseen=True) for _ in range(5 * pages)]
    for name, style, tight in (
        *(("two-line plates, bare", "two-line", True), ("two-line plates, with margins", "two-line", False)),
        *(("European plates, bare", "european", True), ("American plates, bare", "american", True)),
    ):
        sets[name] = [plate_crop(CROP_WH, rng, [], style, unseen=True, tight=tight) for _ in range(crops)]
    return sets


def envelope(quads: Floats) -> Floats:
    """(n, 4, 2) corners to (n, 4) upright boxes."""
    return np.concatenate([quads.min(1), quads.max(1)], 1) if len(quads) else np.zeros((0, 4), np.float32)


def overlaps(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """(n, m) intersection over union of boxes, and over the area of the first."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    area_a, area_b = ((boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (a, b))
    return shared / (area_a[:, None] + area_b[None] - shared + 1e-9), shared / (area_a[:, None] + 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """What was found of a scene, each word once, by rows of what was found and of the legible words.

    Attributes:
        right: rows of what was found that frame a word.
        wrong: rows that frame none; what is found on unknown print is neither.
        missed: rows of legible words that were not found.
    """

    right: list[int]
    wrong: list[int]
    missed: list[int]

    def counts(self) -> NDArray[np.int64]:
        """(3,): words found rightly, words found, words to be found."""
        right = len(self.right)
        return np.array([right, right + len(self.wrong), right + len(self.missed)])


def match_words(found: Floats, scene: TextScene) -> Matched:
    """Pair what was found with legible words, best overlap of upright boxes first."""
    boxes, truth = envelope(found), envelope(scene.quads[scene.legible])
    doubtful = envelope(np.concatenate([scene.quads[~scene.legible], scene.unknown]))
    iou = overlaps(boxes, truth)[0]
    rows: set[int] = set()
    columns: set[int] = set()
    for row, column in sorted(
        zip(*map(np.ndarray.tolist, np.nonzero(iou >= IOU)), strict=True), key=lambda at: -iou[at]
    ):
        if row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
    excused = (overlaps(boxes, doubtful)[1] > 0.5).any(1)
    return Matched(
        right=sorted(rows),
        wrong=[row for row in range(len(boxes)) if row not in rows and not excused[row]],
        missed=[column for column in range(len(truth)) if column not in columns],
    )


def two_lines(found: Floats, scene: TextScene) -> bool:
    """Whether what was found on the registration makes two lines."""
    centres = found.mean(1) if len(found) else np.zeros((0, 2), np.float32)
    around = cv2.convexHull(scene.quads.reshape(-1, 2))
    on_it = [cv2.pointPolygonTest(around, (float(x), float(y)), False) > 0 for x, y in centres]
    kept = found[np.array(on_it, bool)] if len(found) else found
    return len([line for block in arrange(kept) for line in block]) == 2


def report_text_detection(detector: ShippedTextDetector, sets: dict[str, list[TextScene]]) -> None:
    """Precision and recall of words, and on two-line plates the share whose lines are counted right."""
    print("\n| words of renders, unseen faces | pictures | words | precision | recall | two lines |")
    print("|---|---|---|---|---|---|")
    for name, scenes in sets.items():
        found = [detector.detect([scene.rgb[:, :, ::-1]])[0] for scene in scenes]
        right, all_found, words = sum(
            match_words(quads, scene).counts() for quads, scene in zip(found, scenes, strict=True)
        )
        figures = f"{right / max(1, all_found):.3f} | {right / max(1, words):.3f}"
        lines = ""
        if name.startswith("two-line"):
            counted = [two_lines(quads, scene) for quads, scene in zip(found, scenes, strict=True)]
            lines = f"{np.mean(counted):.3f}"
        print(f"| {name} | {len(scenes)} | {words} | {figures} | {lines} |", flush=True)


def report_page_reading(
    reader: ShippedPageReader,
    sets: dict[str, list[TextScene]],
    comparable: Callable[[str], str],
    edit_distance: Callable[[str, str], int],
) -> None:
    """What is read of the same pictures: characters of pages, whole registrations of plates."""
    print("\n| read, detector and recognizer | pictures | characters | all of it |\n|---|---|---|---|")
    for name, scenes in sets.items():
        if name.startswith("street"):
            continue  # what is no text there is not known
        errors = length = whole = 0
        for scene in scenes:
            wanted = comparable("".join(text for text, sure in zip(scene.texts, scene.legible, strict=True) if sure))
            read = comparable("".join(reader.read(np.ascontiguousarray(scene.rgb[:, :, ::-1]))))
            distance = edit_distance(read, wanted)
            errors, length, whole = errors + distance, length + len(wanted), whole + (distance == 0)
        print(f"| {name} | {len(scenes)} | {1 - errors / max(1, length):.3f} | {whole / len(scenes):.3f} |", flush=True)


def report_text_detection_speed(detector: ShippedTextDetector) -> None:
    """CPU milliseconds a picture with one thread, resizing and the reading of maps included."""
    rng = random.Random(SEED)
    page = page_scene(PAGE_WH, rng, "letter", unseen=True, whole=True).rgb
    crop = cv2.resize(plate_crop(CROP_WH, rng, [], "two-line", unseen=True, tight=True).rgb, (320, 224))
    print("\n| text detector, CPU ms a picture, one thread | alone | of 8 |\n|---|---|---|")
    for name, picture in (
        ("crop, 320 x 224", crop),
        ("crop, 320 x 96", crop[:96]),
        ("page, 768 x 1024", page),
    ):
        spent = []
        for count in (1, 8):
            detector.detect([picture] * count)
            times = []
            for _ in range(7):
                started = time.process_time()
                detector.detect([picture] * count)
                times.append((time.process_time() - started) * 1000 / count)
            spent.append(f"{np.median(times):.1f}")
        print(f"| {name} | {' | '.join(spent)} |", flush=True)
