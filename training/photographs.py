"""Photographs with what is known of them, as evaluation reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from training.shipped_models import Bgr, Floats


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
