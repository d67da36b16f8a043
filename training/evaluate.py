"""Print how well and how fast the shipped models read: detection, recognition, both together, and whole pages.

`--data` is a folder with `plates-ro/` and, when present, `plates-eval-eu/` (evaluation photographs that are never
trained on). Renders are drawn from fixed seeds that training does not use.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.plate_renders import PlateFace, render_plate
from training.plate_scenes import SIDE, draw_or_cut
from training.recognition_tables import (
    CropSet,
    comparable,
    drawn_sets,
    edit_distance,
    report_recognition,
    report_recognition_speed,
)
from training.shipped_models import Bgr, Floats, ShippedDetector, ShippedRecognizer, padded_crops
from training.shipped_page_reader import ShippedPageReader, ShippedTextDetector
from training.text_detection_tables import (
    page_sets,
    report_page_reading,
    report_text_detection,
    report_text_detection_speed,
)

DEFAULT_CONFIDENCE = 0.4
LOWEST_CONFIDENCE = 0.01
SHIPPED = Path("deployments/models/shipped")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Photograph:
    """A picture and what is known of it.

    Attributes:
        bgr: (h, w, 3) uint8.
        plates_xyxy: (n, 4) float32, pixels.
        texts: what the plates read; empty when unknown.
    """

    bgr: Bgr
    plates_xyxy: Floats
    texts: tuple[str, ...] = ()


def load_photographs(listing: Path) -> list[Photograph]:
    """Read a `.jsonl` listing of images, boxes and texts."""
    photographs = []
    for line in listing.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        bgr = cv2.imread(str(listing.parent / entry["image"]), cv2.IMREAD_COLOR)
        boxes = np.array(entry["boxes_xyxy"], np.float32).reshape(-1, 4)
        photographs.append(Photograph(bgr=bgr, plates_xyxy=boxes, texts=tuple(entry.get("text", ()))))
    return photographs


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


def drawn_scenes(count: int, style: str | None, seed: int) -> list[Photograph]:
    """Drawn scenes with plates of one style, or of all."""
    rng = random.Random(seed)
    faces: list[PlateFace] = [render_plate(rng, style) for _ in range(150)]
    scenes = [draw_or_cut([], faces, rng) for _ in range(count)]
    return [Photograph(bgr=scene.rgb[:, :, ::-1], plates_xyxy=scene.plates_xyxy) for scene in scenes]


def _grown(xyxy: Floats, share: float) -> Floats:
    size = xyxy[:, 2:] - xyxy[:, :2]
    return np.concatenate([xyxy[:, :2] - size * share, xyxy[:, 2:] + size * share], 1)


def photographed_sets(labelled: list[Photograph]) -> list[CropSet]:
    """The labelled plate of each photograph, cut out in three ways."""
    texts, sets = [photograph.texts[0] for photograph in labelled], []
    cuts = (("box, 4 % round it", 0.04, (0, 0)), ("box, bare", 0.0, (0, 0)), ("box + 200 x 40", 0.0, (200, 40)))
    for name, share, padded in cuts if labelled else ():
        crops = [padded_crops(p.bgr, _grown(p.plates_xyxy[:1], share), padded)[0] for p in labelled]
        sets.append(CropSet(name=f"plates-eval-eu, {name}", crops=crops, texts=texts))
    return sets


def report_together(detector: ShippedDetector, recognizer: ShippedRecognizer, labelled: list[Photograph]) -> None:
    """Detect at the default confidence, pad by 200 x 40, crop, read: share of photographs whose plate is answered."""
    best = some = 0
    for photograph in labelled:
        boxes, _ = detector.detect(photograph.bgr, DEFAULT_CONFIDENCE)
        answers = [comparable(text) for text, _ in recognizer.read(padded_crops(photograph.bgr, boxes))]
        some += comparable(photograph.texts[0]) in answers
        best += answers[:1] == [comparable(photograph.texts[0])]
    shares = f"surest plate read exactly {best / len(labelled):.3f}, any plate {some / len(labelled):.3f}"
    print(f"\nplates-eval-eu, whole workflow: {shares}")


def report_speed(detector: ShippedDetector) -> None:
    """CPU milliseconds with one thread, the middle of several calls, resizing and decoding included."""
    picture = np.full((720, 1280, 3), 90, np.uint8)
    print("\n| CPU ms, one thread | |\n|---|---|")
    for name, call in (
        ("detector, 640", lambda: detector.detect(picture, DEFAULT_CONFIDENCE)),
        ("detector, 320", lambda: detector.detect(picture, DEFAULT_CONFIDENCE, 320)),
    ):
        call()
        spent = []
        for _ in range(12):
            started = time.process_time()
            call()
            spent.append((time.process_time() - started) * 1000)
        print(f"| {name} | {np.median(spent):.1f} |", flush=True)


def report_text(text_detector: ShippedTextDetector, recognizer: ShippedRecognizer) -> None:
    """The tables of text detection and of page reading."""
    sets = page_sets()
    report_text_detection(text_detector, sets)
    report_page_reading(ShippedPageReader(text_detector, recognizer), sets, comparable, edit_distance)
    report_text_detection_speed(text_detector)


def check_samples(detector: ShippedDetector, recognizer: ShippedRecognizer, samples: Path) -> None:
    """Run the whole workflow on the sample photographs and compare with `samples.json`."""
    for name, expected in json.loads((samples / "samples.json").read_text(encoding="utf-8")).items():
        bgr = cv2.imread(str(samples / name), cv2.IMREAD_COLOR)
        boxes, scores = detector.detect(bgr, DEFAULT_CONFIDENCE)
        read = [text for text, _ in recognizer.read(padded_crops(bgr, boxes))]
        verdict = "as expected" if sorted(read) == sorted(expected["plates"]) else f"expected {expected['plates']}"
        print(f"sample {name}: {read}, scores {np.round(scores, 2).tolist()}, {verdict}")


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--shipped", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    detector = ShippedDetector(arguments.shipped / "vehicle-registration-plates-trudk" / "2")
    recognizer = ShippedRecognizer(arguments.shipped / "doctr" / "default")
    print("| detection | plates | AP50 | AP30 | precision at 0.4 | recall | recall, IoU 0.5 | best F1 at |")
    print("|---|---|---|---|---|---|---|---|")
    report_detection("plates-ro valid", detector, load_photographs(arguments.data / "plates-ro" / "valid.jsonl"))
    listing = arguments.data / "plates-eval-eu" / "labels.jsonl"
    labelled = load_photographs(listing) if listing.exists() else []
    if labelled:
        report_detection("plates-eval-eu", detector, labelled)
    report_detection("drawn scenes, at 320", detector, drawn_scenes(240, None, 7_000_003), SIDE)
    for style in ("american", "brazilian", "two-line"):
        report_detection(f"drawn scenes, {style}, at 320", detector, drawn_scenes(100, style, 7_000_004), SIDE)
    report_recognition(recognizer, photographed_sets(labelled) + drawn_sets())
    if labelled:
        report_together(detector, recognizer, labelled)
    report_speed(detector)
    report_recognition_speed(recognizer)
    report_text(ShippedTextDetector(arguments.shipped / "doctr" / "detection"), recognizer)
    check_samples(detector, recognizer, arguments.shipped / "samples")


if __name__ == "__main__":
    main()
