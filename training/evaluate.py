"""Print how well and how fast the shipped models read: detection, recognition, both together, and whole pages.

`--data` is a folder with `plates-ro/` and, when present, `plates-eval-eu/` (evaluation photographs that are never
trained on). Renders are drawn from fixed seeds that training does not use.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from training.backgrounds import load_frames
from training.held_out_scenes import held_out_sets, without_plates
from training.photographs import Photograph, load_photographs
from training.plate_detection_tables import (
    DEFAULT_CONFIDENCE,
    report_all_detection,
    report_detection_speed,
    report_false_alarms,
)
from training.plate_scenes import SIDE
from training.recognition_tables import (
    CropSet,
    comparable,
    drawn_sets,
    edit_distance,
    report_recognition,
    report_recognition_speed,
)
from training.shipped_models import SIDE as PLATE_SIDE
from training.shipped_models import Floats, ShippedDetector, ShippedRecognizer, padded_crops
from training.shipped_page_reader import ShippedPageReader, ShippedTextDetector
from training.text_detection_tables import (
    page_sets,
    report_page_reading,
    report_text_detection,
    report_text_detection_speed,
)

SHIPPED = Path("deployments/models/shipped")


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


def report_plates(detector: ShippedDetector, data: Path, labelled: list[Photograph]) -> None:
    """The tables of plate detection."""
    streets = [("plates-ro valid", load_photographs(data / "plates-ro" / "valid.jsonl"), PLATE_SIDE)]
    if labelled:
        streets.append(("plates-eval-eu", labelled, PLATE_SIDE))
    frames = load_frames(data / "plates-ro", "valid")
    report_all_detection(detector, [*streets, *held_out_sets(frames)])
    report_false_alarms(detector, without_plates(frames), SIDE)
    report_detection_speed(detector.package / "weights.onnx")


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
    listing = arguments.data / "plates-eval-eu" / "labels.jsonl"
    labelled = load_photographs(listing) if listing.exists() else []
    report_plates(detector, arguments.data, labelled)
    report_recognition(recognizer, photographed_sets(labelled) + drawn_sets())
    if labelled:
        report_together(detector, recognizer, labelled)
    report_recognition_speed(recognizer)
    report_text(ShippedTextDetector(arguments.shipped / "doctr" / "detection"), recognizer)
    check_samples(detector, recognizer, arguments.shipped / "samples")


if __name__ == "__main__":
    main()
