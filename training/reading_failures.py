"""Draw what the shipped text recognizer misreads most surely among held-out renders: the pictures of its model card.

Above each crop what stands there, below it what was read.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from training.fonts import face_at, word_faces
from training.plate_renders import Rgb
from training.recognition_tables import CropSet, comparable, drawn_sets
from training.shipped_models import ShippedRecognizer

CROP_WH, CAPTION_PX, COLUMNS, ROWS = (256, 64), 20, 4, 3


def _captioned(crop: Rgb, truth: str, read: str) -> Rgb:
    tile = Image.new("RGB", (CROP_WH[0] + 8, CROP_WH[1] + 2 * CAPTION_PX + 8), (255, 255, 255))
    tile.paste(Image.fromarray(cv2.resize(crop, CROP_WH, interpolation=cv2.INTER_AREA)), (4, CAPTION_PX))
    face = face_at(next(path for path in word_faces() if "LiberationMono-Regular" in path), 14)
    draw = ImageDraw.Draw(tile)
    draw.text((6, 2), truth, font=face, fill=(0, 0, 0))
    draw.text((6, CAPTION_PX + CROP_WH[1] + 2), read or "(nothing)", font=face, fill=(200, 0, 0))
    return np.asarray(tile)


def _worst(each: CropSet, recognizer: ShippedRecognizer) -> list[Rgb]:
    """The surest mistakes of a set, surest first."""
    read = recognizer.read(each.crops)
    wrong = [at for at, (text, _) in enumerate(read) if comparable(text) != comparable(each.texts[at])]
    wrong.sort(key=lambda at: -read[at][1])
    return [_captioned(each.crops[at][:, :, ::-1], each.texts[at], read[at][0]) for at in wrong[: COLUMNS * ROWS // 2]]


def main() -> None:
    """Write one picture: plates first, then words."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", type=Path, default=Path("deployments/models/shipped/doctr/default"))
    parser.add_argument("--out", type=Path, default=Path("training/model_cards/text_recognizer_failures.jpg"))
    arguments = parser.parse_args()
    recognizer, tiles = ShippedRecognizer(arguments.package), []
    for each in drawn_sets():
        if each.name.endswith("unseen faces, degraded"):
            tiles += _worst(each, recognizer)
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % COLUMNS)
    rows = [np.concatenate(tiles[at : at + COLUMNS], 1) for at in range(0, len(tiles), COLUMNS)]
    cv2.imwrite(str(arguments.out), np.concatenate(rows)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])


if __name__ == "__main__":
    main()
