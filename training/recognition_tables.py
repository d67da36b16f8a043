"""How well and how fast the shipped text recognizer reads lines: tables for `evaluate`.

Renders are drawn from seeds that training does not use; "unseen faces" are typefaces that it does not use either.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

import numpy as np

from training.crop_samples import crop_sample, render_word
from training.plate_renders import STYLES, render_plate
from training.shipped_models import Bgr, ShippedRecognizer

SEED = 7_000_001
SURE_FROM = 0.5  # serving takes a crop for one line from this confidence


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CropSet:
    """Crops whose text is known.

    Attributes:
        name: for the table.
        crops: (h, w, 3) uint8, BGR.
        texts: one for each crop.
    """

    name: str
    crops: list[Bgr]
    texts: list[str]


def drawn_sets(count: int = 400) -> list[CropSet]:
    """Drawn crops: degraded as in training, in known and in unseen lettering, and clean ones."""
    sets = []
    for name, unseen, words in (
        *(("plates, degraded", False, 0.0), ("plates, unseen faces, degraded", True, 0.0)),
        *(("words, degraded", False, 1.0), ("words, unseen faces, degraded", True, 1.0)),
    ):
        rng = random.Random(SEED)
        samples = [crop_sample(rng, [], unseen, words) for _ in range(count)]
        crops = [sample.rgb[:, :, ::-1] for sample in samples]
        sets.append(CropSet(name=f"renders, {name}", crops=crops, texts=[sample.text for sample in samples]))
    rng = random.Random(SEED + 1)
    words_clean = [render_word(rng, unseen=True) for _ in range(count)]
    faces = {"words, unseen faces, clean": words_clean}
    faces |= {f"{style}, clean": [render_plate(rng, style) for _ in range(count // 2)] for style in STYLES}
    for name, drawn in faces.items():
        crops = [np.ascontiguousarray(face.rgb[:, :, ::-1]) for face in drawn]
        sets.append(CropSet(name=f"renders, {name}", crops=crops, texts=[face.text for face in drawn]))
    return sets


def comparable(text: str) -> str:
    """Letters and digits, upper case: spaces, dashes and case do not count."""
    return "".join(c for c in text.upper() if c.isalnum())


def edit_distance(a: str, b: str) -> int:
    """Insertions, deletions and replacements from one text to another."""
    row = list(range(len(b) + 1))
    for at, character in enumerate(a, 1):
        corner, row[0] = row[0], at
        for column, other in enumerate(b, 1):
            step = min(row[column] + 1, row[column - 1] + 1, corner + (character != other))
            corner, row[column] = row[column], step
    return row[-1]


def report_recognition(recognizer: ShippedRecognizer, sets: list[CropSet]) -> None:
    """One row for each set.

    Exact counts letters and digits alone, case ignored; `as printed` counts everything. Characters are 1 - edit
    distance / length. Sure is the share that serving would take for one line of text.
    """
    print("\n| crops | n | exact | as printed | characters | sure |\n|---|---|---|---|---|---|")
    for each in sets:
        read = recognizer.read(each.crops)
        pairs = [(comparable(text), comparable(truth)) for (text, _), truth in zip(read, each.texts, strict=True)]
        printed = np.mean([text == truth for (text, _), truth in zip(read, each.texts, strict=True)])
        whole, sure = (
            np.mean([a == b for a, b in pairs]),
            np.mean([least >= SURE_FROM for _, least in read]),
        )
        errors, length = sum(edit_distance(a, b) for a, b in pairs), sum(len(b) for _, b in pairs)
        characters = 1 - errors / max(1, length)
        figures = f"{whole:.3f} | {printed:.3f} | {characters:.3f} | {sure:.3f}"
        print(f"| {each.name} | {len(each.crops)} | {figures} |", flush=True)


def report_recognition_speed(recognizer: ShippedRecognizer) -> None:
    """CPU milliseconds a crop with one thread, resizing and decoding included: middle and best of many calls."""
    crop = np.full((70, 320, 3), 90, np.uint8)
    print("\n| recognizer, CPU ms a crop | middle | best |\n|---|---|---|")
    for batch in (1, 8):
        spent = []
        for _ in range(60):
            started = time.process_time()
            recognizer.read([crop] * batch)
            spent.append((time.process_time() - started) * 1000 / batch)
        print(f"| in batches of {batch} | {np.median(spent[5:]):.1f} | {min(spent):.1f} |", flush=True)
