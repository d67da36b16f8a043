"""Plates of further layouts, for the detector alone: Chinese, Japanese, Indian and Thai, Mercosul motorcycles.

Only the look counts here: where a script has no typeface among ours, syllables of another stand in for its signs.
"""

from __future__ import annotations

import random

import cv2
import numpy as np
from numpy.typing import NDArray

from training.fonts import hangul_faces, plate_faces, word_faces
from training.plate_formats import fill
from training.plate_renders import Colour, PlateFace, Rgb, caption, grey, line_mask, render_plate
from training.plate_texts import SYLLABLES

HEIGHT_PX = 96
LAYOUTS = ("chinese", "japanese", "indian", "thai", "motorcycle", "mercosul motorcycle")
WHITE, BLACK = (240, 240, 238), (25, 25, 25)
SCHEMES: dict[str, tuple[tuple[Colour, Colour], ...]] = {
    "chinese": (((20, 60, 170), WHITE), ((20, 60, 170), WHITE), ((240, 190, 30), BLACK), ((120, 210, 150), BLACK)),
    "japanese": ((WHITE, (20, 90, 60)), (WHITE, (20, 90, 60)), ((240, 200, 40), BLACK), ((20, 100, 60), WHITE)),
    "indian": ((WHITE, BLACK), (WHITE, BLACK), ((240, 200, 40), BLACK), ((20, 120, 60), WHITE)),
    "thai": ((WHITE, BLACK), (WHITE, (20, 40, 130)), ((240, 200, 40), BLACK)),
    "motorcycle": (
        (WHITE, BLACK),
        (WHITE, (180, 20, 30)),
        ((240, 200, 40), BLACK),
        (BLACK, WHITE),
        ((200, 30, 30), WHITE),
    ),
    "mercosul motorcycle": ((WHITE, BLACK), ((185, 185, 185), BLACK)),
}
ASPECTS = {
    "chinese": 3.14,
    "japanese": 2.0,
    "indian": 1.7,
    "thai": 2.27,
    "motorcycle": 1.3,
    "mercosul motorcycle": 1.18,
}
ROWS: dict[str, tuple[tuple[float, float, str], ...]] = {  # top and bottom as shares of the height, and a pattern
    "chinese": ((0.14, 0.86, "SL·DDDDD"), (0.14, 0.86, "SL·LDDDD"), (0.14, 0.86, "SLDDDDDD")),
    "japanese": ((0.08, 0.34, "SS DDD"), (0.42, 0.92, "DD-DD")),
    "indian": ((0.08, 0.47, "LL DD L"), (0.53, 0.92, "DDDD")),
    "thai": ((0.08, 0.62, "DSS DDDD"), (0.7, 0.92, "SSSSSS")),
    "motorcycle": ((0.08, 0.47, "LLL D"), (0.53, 0.92, "DDDD")),
    "mercosul motorcycle": ((0.24, 0.56, "LLL"), (0.6, 0.94, "DLDD")),
}


def _filled(pattern: str, rng: random.Random) -> str:
    return "".join(rng.choice(SYLLABLES) if c == "S" else fill(c, rng) for c in pattern)


def _row(rgb: Rgb, span: tuple[int, int], text: str, ink: Colour, rng: random.Random, unseen: bool) -> None:
    width = rgb.shape[1]
    path = rng.choice(hangul_faces() if any(c in SYLLABLES for c in text) else plate_faces(unseen))
    mask: NDArray[np.float32] = line_mask(text, max(6, span[1] - span[0]), rng, path)
    room = int(width * rng.uniform(0.8, 0.94))
    if mask.shape[1] > room:
        mask = cv2.resize(mask, (room, mask.shape[0]), interpolation=cv2.INTER_AREA)
    x = int((width - mask.shape[1]) * rng.uniform(0.4, 0.6))
    place = rgb[span[0] : span[0] + mask.shape[0], x : x + mask.shape[1]]
    opacity = mask[: place.shape[0], : place.shape[1], None]
    place[:] = (place * (1 - opacity) + np.array(ink, np.float32) * opacity).astype(np.uint8)


def render_layout(rng: random.Random, layout: str | None = None, unseen: bool = False) -> PlateFace:
    """Draw a fictional plate of one of LAYOUTS, by lot when None; `unseen` letters it in faces kept out of training."""
    layout = layout or rng.choice(LAYOUTS)
    ground, ink = rng.choice(SCHEMES[layout])
    height, width = HEIGHT_PX, int(HEIGHT_PX * ASPECTS[layout] * rng.uniform(0.92, 1.1))
    rgb: Rgb = np.empty((height, width, 3), np.uint8)
    rgb[:] = np.clip(np.array(ground) + [rng.randint(-20, 20) for _ in range(3)], 0, 255)
    if layout == "mercosul motorcycle" and ground == WHITE:
        rgb[: int(height * 0.2)] = (15, 45, 150)
        rgb = caption(rgb, "BRASIL", (width / 2, height * 0.1), height * 0.12, WHITE, rng.choice(word_faces()))
    rows = ROWS[layout] if layout != "chinese" else (rng.choice(ROWS[layout]),)
    if layout == "japanese" and rng.random() < 0.7:
        rgb = caption(rgb, rng.choice(SYLLABLES), (width * 0.08, height * 0.67), height * 0.16, ink, hangul_faces()[0])
    lines, boxes = [], []
    for top, bottom, pattern in rows:
        span = int(top * height), int(bottom * height)
        lines.append(_filled(pattern, rng))
        boxes.append((0, span[0], width, span[1]))
        _row(rgb, span, lines[-1], ink, rng, unseen)
    if rng.random() < 0.7:
        cv2.rectangle(rgb, (2, 2), (width - 3, height - 3), ink, rng.randint(1, 3))
    for x in (0.2, 0.8):
        if rng.random() < 0.5:
            cv2.circle(rgb, (int(width * x), int(height * 0.1)), rng.randint(2, 4), grey(rng, 60, 200), -1)
    lines_xyxy = np.array(boxes, np.float32)
    frame = np.array([0, lines_xyxy[0, 1], width, lines_xyxy[-1, 3]], np.float32)
    return PlateFace(
        rgb=rgb, text="".join(lines), style=layout, text_xyxy=frame, lines=tuple(lines), lines_xyxy=lines_xyxy
    )


def any_plate(rng: random.Random, unseen: bool = False) -> PlateFace:
    """A plate of any layout, in the shares that the detector is trained on."""
    if rng.random() < 0.24:
        return render_layout(rng, unseen=unseen)
    return render_plate(rng, "two-line" if rng.random() < 0.1 else None, unseen)
