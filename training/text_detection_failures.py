"""Draw where the shipped text detector errs worst on held-out renders: the pictures of its model card.

Green: a word that was found; red: what frames no word; blue: a word that was missed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from training.plate_renders import Rgb
from training.shipped_models import Floats
from training.shipped_page_reader import ShippedTextDetector
from training.text_detection_tables import match_words, page_sets
from training.text_scenes import TextScene

FOUND, WRONG, MISSED = (0, 170, 0), (230, 0, 0), (0, 60, 255)
TILE_WH, COLUMNS = (320, 320), 4


def _quality(found: Floats, scene: TextScene) -> float:
    right, all_found, words = match_words(found, scene).counts()
    return 2 * right / max(1, all_found + words) if words else 1.0 - min(1, all_found)


def _marked(found: Floats, scene: TextScene) -> Rgb:
    """The part of a scene round its first mistake, mistakes outlined."""
    matched, words = match_words(found, scene), scene.quads[scene.legible]
    groups = ((FOUND, found[matched.right]), (WRONG, found[matched.wrong]), (MISSED, words[matched.missed]))
    rgb = scene.rgb.copy()
    for colour, quads in groups:
        cv2.polylines(rgb, [np.round(quad).astype(np.int32) for quad in quads], True, colour, 2, cv2.LINE_AA)
    mistakes = np.concatenate([found[matched.wrong], words[matched.missed]])
    at = mistakes[len(mistakes) // 2].mean(0) if len(mistakes) else np.zeros(2)
    height, width = rgb.shape[:2]
    left = int(np.clip(at[0] - TILE_WH[0] / 2, 0, max(0, width - TILE_WH[0])))
    top = int(np.clip(at[1] - TILE_WH[1] / 2, 0, max(0, height - TILE_WH[1])))
    part = rgb[top : top + TILE_WH[1], left : left + TILE_WH[0]]
    tile = np.full((TILE_WH[1], TILE_WH[0], 3), 255, np.uint8)
    tile[: part.shape[0], : part.shape[1]] = part
    return tile


def main() -> None:
    """Write one picture of the worst scene of each set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", type=Path, default=Path("deployments/models/shipped/doctr/detection"))
    parser.add_argument("--out", type=Path, default=Path("training/model_cards/text_detector_failures.jpg"))
    arguments = parser.parse_args()
    detector, tiles = ShippedTextDetector(arguments.package), []
    for scenes in page_sets().values():
        found = [detector.detect([scene.rgb[:, :, ::-1]])[0] for scene in scenes]
        worst = min(range(len(scenes)), key=lambda at: _quality(found[at], scenes[at]))
        tiles.append(_marked(found[worst], scenes[worst]))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % COLUMNS)
    rows = [np.concatenate(tiles[at : at + COLUMNS], 1) for at in range(0, len(tiles), COLUMNS)]
    cv2.imwrite(str(arguments.out), np.concatenate(rows)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])


if __name__ == "__main__":
    main()
