"""Draw where the shipped plate detector errs: the pictures of its model card.

Green: a plate found at the default confidence; blue: one that was missed; red: what is no plate, or has no box.
Only street photographs of plates-ro and held-out renders are shown.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from training.backgrounds import load_frames
from training.held_out_scenes import held_out_sets, without_plates
from training.photographs import Photograph, load_photographs
from training.plate_detection_tables import DEFAULT_CONFIDENCE, iou_matrix
from training.shipped_models import Bgr, Floats, ShippedDetector

FOUND, WRONG, MISSED = (0, 170, 0), (0, 0, 230), (255, 60, 0)  # BGR
IOU = 0.3
TILE, COLUMNS = 240, 6
ZOOM = 2  # photographs of plates-ro, round a mistake


def _mistakes(boxes: Floats, truth: Floats) -> tuple[Floats, Floats]:
    """Boxes that are on no plate, and plates that no box is on."""
    overlaps = iou_matrix(boxes, truth)
    return boxes[~(overlaps >= IOU).any(1)], truth[~(overlaps >= IOU).any(0)]


def _tile(photograph: Photograph, boxes: Floats, wrong: Floats, missed: Floats) -> Bgr:
    """The part round the first mistake."""
    bgr = photograph.bgr.copy()
    scale = ZOOM if bgr.shape[1] > TILE * ZOOM else 1
    for colour, group in ((FOUND, boxes), (WRONG, wrong), (MISSED, missed)):
        for x0, y0, x1, y1 in group.astype(int).tolist():
            cv2.rectangle(bgr, (x0 - 2, y0 - 2), (x1 + 2, y1 + 2), colour, 1)
    first = np.concatenate([wrong, missed])[0]
    side = min(TILE // scale * (2 if scale > 1 else 1), *bgr.shape[:2])
    left, top = np.clip((first[:2] + first[2:]) / 2 - side / 2, 0, np.array(bgr.shape[1::-1]) - side).astype(int)
    return cv2.resize(bgr[top : top + side, left : left + side], (TILE, TILE), interpolation=cv2.INTER_AREA)


def _failures(detector: ShippedDetector, photographs: list[Photograph], side: int) -> Iterator[Bgr]:
    for photograph in photographs:
        boxes, _ = detector.detect(photograph.bgr, DEFAULT_CONFIDENCE, side)
        wrong, missed = _mistakes(boxes, photograph.plates_xyxy)
        if len(wrong) + len(missed):
            yield _tile(photograph, boxes, wrong, missed)


def main() -> None:
    """Write two rows of street photographs, one of pictures without a plate, and one failure of each set of renders."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with plates-ro/")
    parser.add_argument(
        "--package", type=Path, default=Path("deployments/models/shipped/vehicle-registration-plates-trudk/2")
    )
    parser.add_argument("--out", type=Path, default=Path("training/model_cards/plate_detector_failures.jpg"))
    arguments = parser.parse_args()
    detector, frames = ShippedDetector(arguments.package), load_frames(arguments.data / "plates-ro", "valid")
    streets = list(_failures(detector, load_photographs(arguments.data / "plates-ro" / "valid.jsonl"), 640))
    tiles = random.Random(0).sample(streets, min(2 * COLUMNS, len(streets)))
    tiles += list(_failures(detector, without_plates(frames), 320))[:COLUMNS]
    for _, photographs, side in held_out_sets(frames):
        tiles += list(_failures(detector, photographs, side))[:1]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % COLUMNS)
    rows = [np.concatenate(tiles[at : at + COLUMNS], 1) for at in range(0, len(tiles), COLUMNS)]
    cv2.imwrite(str(arguments.out), np.concatenate(rows), [cv2.IMWRITE_JPEG_QUALITY, 75])


if __name__ == "__main__":
    main()
