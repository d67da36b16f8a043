"""How well and how fast the shipped plate detector finds plates: tables for `evaluate`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.photographs import Photograph
from training.shipped_models import Floats, ShippedDetector, onnx_session

DEFAULT_CONFIDENCE = 0.4
LOWEST_CONFIDENCE = 0.01
SIDES_TIMED, BATCHES_TIMED = (320, 640, 1280), (1, 8)


def iou_matrix(a: Floats, b: Floats) -> Floats:
    """(n, m) overlaps."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (a, b)]
    return shared / (areas[0][:, None] + areas[1][None] - shared + 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matches:
    """Detections of a whole set, best first, and whether each found a plate of its own.

    Attributes:
        score: (n,) float32.
        right: (n,) bool.
        plates: how many plates there are.
    """

    score: Floats
    right: NDArray[np.bool_]
    plates: int

    def average_precision(self) -> float:
        """Area under the precision envelope, all points."""
        hits = np.cumsum(self.right)
        precision = np.maximum.accumulate((hits / np.arange(1, len(hits) + 1))[::-1])[::-1]
        return float((precision * self.right).sum() / max(1, self.plates))

    def at(self, confidence: float) -> tuple[float, float]:
        """Precision and recall of detections above a threshold."""
        hits = int(self.right[self.score > confidence].sum())
        return hits / max(1, int((self.score > confidence).sum())), hits / max(1, self.plates)

    def best_threshold(self) -> float:
        """The threshold of the best F1."""
        hits = np.cumsum(self.right)
        quality = 2 * hits / (np.arange(1, len(hits) + 1) + self.plates)
        return float(self.score[int(quality.argmax())])


def match_all(found: list[tuple[Floats, Floats]], photographs: list[Photograph], iou: float) -> Matches:
    """Match detections to plates greedily, best score first, each plate once."""
    rows: list[tuple[float, bool]] = []
    for (boxes, scores), photograph in zip(found, photographs, strict=True):
        overlaps, taken = iou_matrix(boxes, photograph.plates_xyxy), set()
        for row, score in enumerate(scores):
            free = [c for c in range(len(photograph.plates_xyxy)) if c not in taken and overlaps[row, c] >= iou]
            if free:
                taken.add(max(free, key=overlaps[row].__getitem__))
            rows.append((float(score), bool(free)))
    rows.sort(key=lambda row: -row[0])
    return Matches(
        score=np.array([score for score, _ in rows], np.float32),
        right=np.array([right for _, right in rows], bool),
        plates=sum(len(photograph.plates_xyxy) for photograph in photographs),
    )


def report_detection(name: str, detector: ShippedDetector, photographs: list[Photograph], side: int = 640) -> None:
    """One row of the detection table."""
    found = [detector.detect(photograph.bgr, LOWEST_CONFIDENCE, side) for photograph in photographs]
    at50, at30 = (match_all(found, photographs, iou) for iou in (0.5, 0.3))
    precision, recall = at30.at(DEFAULT_CONFIDENCE)
    cells = (at50.average_precision(), at30.average_precision(), precision, recall, at50.at(DEFAULT_CONFIDENCE)[1])
    figures = " | ".join(f"{cell:.3f}" for cell in cells)
    print(f"| {name} | {at50.plates} | {figures} | {at30.best_threshold():.2f} |", flush=True)


def report_all_detection(detector: ShippedDetector, sets: Iterable[tuple[str, list[Photograph], int]]) -> None:
    """The detection table: a name, photographs and the side of the network's input, each."""
    print("| detection | plates | AP50 | AP30 | precision at 0.4 | recall | recall, IoU 0.5 | best F1 at |")
    print("|---|---|---|---|---|---|---|---|")
    for name, photographs, side in sets:
        report_detection(name, detector, photographs, side)


def report_false_alarms(detector: ShippedDetector, photographs: list[Photograph], side: int) -> None:
    """How many plates are seen where none is."""
    alarms = sum(len(detector.detect(photograph.bgr, DEFAULT_CONFIDENCE, side)[0]) for photograph in photographs)
    print(f"\nfalse alarms in {len(photographs)} pictures without a plate: {alarms}", flush=True)


def _milliseconds(call: Callable[[], object], share: int) -> float:
    call()
    spent = []
    for _ in range(max(4, 24 // share)):
        started = time.process_time()
        call()
        spent.append((time.process_time() - started) * 1000 / share)
    return min(spent)  # the call that others on the machine disturbed least


def report_detection_speed(weights: Path) -> None:
    """CPU milliseconds an image with one thread, of the graph alone."""
    session = onnx_session(weights)
    print("\n| plate detector, one thread | CPU ms an image |")
    print("|---|---|")
    for side in SIDES_TIMED:
        for batch in BATCHES_TIMED:
            images = np.random.default_rng(0).random((batch, 3, side, side), np.float32)
            spent = _milliseconds(lambda x=images: session.run(None, {"images": x}), batch)  # type: ignore[misc]
            print(f"| {side}, batch {batch} | {spent:.1f} |", flush=True)
