"""Samples for the text recognizer: crops that hold one line of text, tight or with a lot of street round it.

A workflow that pads a plate's box by 200 x 40 pixels hands over crops in which a small plate fills a sixth of the
width; another hands over the bare plate. Both are drawn here, at the size they have in a photograph, and stretched to
the input of the network exactly as serving does.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from training.backgrounds import Frame, drawn_background, grating, hide_plates, lettered
from training.camera import expose, relight
from training.fonts import face_at, word_faces
from training.plate_renders import PlateFace, Rgb, any_colour, grey, render_plate
from training.plate_texts import printed_word

INPUT_WH = (256, 64)
MARGIN_ACROSS, MARGIN_ALONG = 0.10, 0.12  # round the glyphs, of their height: what the localizer is taught to frame
WIDENED = (1.05, 1.03)  # along and across, what is read of it: more ground costs nothing, a letter cut off is lost
PADDED_PX = (200, 40)  # the offset of the best-known workflow, in all
ONE_LINE = (("european", "american", "brazilian", "plain", "korean"), (50, 20, 9, 16, 5))  # styles and their shares
READABLE_PX = (5.0, 7.0)  # width of a character and height of the line on the network's input that suffice


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CropSample:
    """One crop.

    Attributes:
        rgb: (64, 256, 3) uint8.
        text: what stands in it; empty for a plate of two lines, which is not to be read as one.
        frame: (6,) float32: centre x, y, half the line's length x, y, half its height x, y, in -1..1 across the crop.
    """

    rgb: Rgb
    text: str
    frame: NDArray[np.float32]


def frame_of(corners: NDArray[np.float32], size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """The parallelogram nearest to four corners (top left, then clockwise; pixels) as centre and half axes, -1..1."""
    points = corners / np.array(size_wh, np.float32) * 2 - 1
    along = (points[1] + points[2] - points[0] - points[3]) / 4
    down = (points[2] + points[3] - points[0] - points[1]) / 4
    return np.concatenate([points.mean(0), along, down]).astype(np.float32)


def _corners(xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    x0, y0, x1, y1 = xyxy
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)


def render_word(rng: random.Random, unseen: bool = False) -> PlateFace:
    """A printed word on plain ground."""
    text, face = printed_word(rng), face_at(rng.choice(word_faces(unseen)), rng.choice((36, 44, 52, 60)))
    left, top, right, bottom = face.getbbox(text)
    ground = any_colour(rng, 120) if rng.random() < 0.4 else grey(rng, 200, 255)
    ink = any_colour(rng, 0, 90)
    if rng.random() < 0.25:
        ground, ink = ink, ground
    pad = rng.randint(1, 10)
    size = (max(8, int(right - left) + 2 * pad), max(8, int(bottom - top) + 2 * pad))
    image = Image.new("RGB", size, ground)
    ImageDraw.Draw(image).text((pad - left, pad - top), text, font=face, fill=ink)
    box = np.array([pad, pad, pad + right - left, pad + bottom - top], np.float32)
    return PlateFace(rgb=np.asarray(image), text=text, style="word", text_xyxy=box, lines=(text,), lines_xyxy=box[None])


def _margins(plate_wh: tuple[float, float], rng: random.Random) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the plate to the border of the crop, pixels."""
    width, height = plate_wh
    kind = rng.random()
    if kind < 0.42:
        across, down = PADDED_PX[0] / 2, PADDED_PX[1] / 2
        if rng.random() < 0.3:
            across, down = across * rng.uniform(0.3, 1.3), down * rng.uniform(0.5, 2.0)
    elif kind < 0.78:
        across, down = width * rng.uniform(-0.02, 0.14), height * rng.uniform(-0.03, 0.22)
    else:
        across, down = width * rng.uniform(0.0, 0.8), height * rng.uniform(0.0, 1.2)
    box_error = (width * 0.035, height * 0.07)
    left, right = (across + rng.gauss(0, box_error[0]) for _ in range(2))
    top, bottom = (down + rng.gauss(0, box_error[1]) for _ in range(2))
    if rng.random() < 0.08:  # the plate stands near the border of the photograph
        side = rng.randrange(4)
        left, top, right, bottom = (
            min(margin, rng.uniform(0, 0.1) * width) if at == side else margin
            for at, margin in enumerate((left, top, right, bottom))
        )
    return left, top, right, bottom


def _surroundings(size_wh: tuple[int, int], frames: list[Frame], rng: random.Random) -> Rgb:
    width, height = size_wh
    if frames and rng.random() < 0.6:
        frame = rng.choice(frames)
        tall, wide = frame.rgb.shape[:2]
        zoom = min(rng.uniform(0.5, 2.0), wide / width, tall / height)
        cut_wh = np.array([width * zoom, height * zoom])
        at = np.array([rng.uniform(0, wide), rng.uniform(0, tall)])
        if len(frame.plates_xyxy) and rng.random() < 0.7:
            x0, y0, x1, y1 = frame.plates_xyxy[rng.randrange(len(frame.plates_xyxy))]
            at = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
        left, top = np.clip(at - cut_wh / 2, 0, np.array([wide, tall]) - cut_wh).astype(int)
        cut = frame.rgb[top : top + max(2, int(cut_wh[1])), left : left + max(2, int(cut_wh[0]))]
        cut = hide_plates(cut, frame.plates_xyxy - np.array([left, top, left, top], np.float32), rng)
        return cv2.resize(cut, size_wh, interpolation=cv2.INTER_AREA if zoom > 1 else cv2.INTER_LINEAR)
    rgb = drawn_background(size_wh, rng)
    if rng.random() < 0.2:
        grating(rgb, rng)
    return rgb


def _outline(size_wh: tuple[float, float], rng: random.Random, tilt: float) -> NDArray[np.float64]:
    """Corners of a plate as a camera sees it, round the origin, pixels."""
    width, height = size_wh
    points = _corners(np.array([-width / 2, -height / 2, width / 2, height / 2])).astype(np.float64)
    points[:, 0] *= rng.uniform(0.82, 1.0)
    near = rng.uniform(-0.1, 0.1) * tilt
    points[:, 1] *= np.where(points[:, 0] < 0, 1 + near, 1 - near)
    shear = np.array([[1, rng.gauss(0, 0.03) * tilt], [rng.gauss(0, 0.1) * tilt, 1]])
    angle = np.deg2rad(rng.gauss(0, 3.5) * tilt)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return points @ shear @ turn


def _width_px(face: PlateFace, rng: random.Random) -> float:
    tall = face.rgb.shape[0]
    if face.style == "word":
        return face.rgb.shape[1] * rng.uniform(12, 44) / tall
    if face.style == "american":
        return float(np.exp(rng.uniform(np.log(44), np.log(220))))
    return float(np.exp(rng.uniform(np.log(56), np.log(320))))


def draw_stand(face: PlateFace, rng: random.Random) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Where the four corners of a face stand on a crop, and the crop's size, pixels, so that it can be read."""
    while True:
        outline, size_wh = _stand(face, rng)
        if _readable(face, outline, size_wh):
            return outline, size_wh


def _stand(face: PlateFace, rng: random.Random) -> tuple[NDArray[np.float32], tuple[int, int]]:
    tall, wide = face.rgb.shape[:2]
    width = _width_px(face, rng)
    height, word = width * tall / wide, face.style == "word"
    outline = _outline((width, height), rng, 0.4 if word else 1.0)
    left, top, right, bottom = _margins((width, height), rng)
    if word and rng.random() < 0.7:
        left, top, right, bottom = (height * rng.uniform(-0.02, 0.2) for _ in range(4))
    low, high = outline.min(0) - np.array([left, top]), outline.max(0) + np.array([right, bottom])
    size_wh = (max(12, round(high[0] - low[0])), max(8, round(high[1] - low[1])))
    return (outline - low).astype(np.float32), size_wh


def _readable(face: PlateFace, outline: NDArray[np.float32], size_wh: tuple[int, int]) -> bool:
    """Whether the characters keep enough pixels when the crop is stretched to the network's input."""
    share = (outline.max(0) - outline.min(0)) / np.array(size_wh) * np.minimum(1, np.array(INPUT_WH) / size_wh)
    text = (face.text_xyxy[2:] - face.text_xyxy[:2]) / np.array(face.rgb.shape[1::-1])
    width, height = share * text * np.array(size_wh)
    return bool(width >= READABLE_PX[0] * len(face.text) and height >= READABLE_PX[1])


def crop_sample(
    rng: random.Random, frames: list[Frame], unseen: bool = False, words: float = 0.2, two_line: float = 0.0
) -> CropSample:
    """Draw one crop.

    Args:
        rng: every choice comes from it.
        frames: photographs to stand plates in; may be empty.
        unseen: letter it in a face that is kept out of training.
        words: the share of ordinary words.
        two_line: the share of plates of two lines.
    """
    if rng.random() < words:
        face = render_word(rng, unseen)
    else:
        face = render_plate(rng, "two-line" if rng.random() < two_line else rng.choices(*ONE_LINE)[0], unseen)
    outline, size_wh = draw_stand(face, rng)
    word, (tall, wide) = face.style == "word", face.rgb.shape[:2]
    width = float(np.ptp(outline[:, 0]))
    if word and rng.random() < 0.8:
        ground = np.empty((size_wh[1], size_wh[0], 3), np.uint8)
        ground[:] = face.rgb[0, 0]
    else:
        ground = _surroundings(size_wh, frames, rng)
        for _ in range(rng.choice((0, 0, 1))):
            ground = lettered(ground, rng)
    finer = 2 if width < 140 else 1  # a camera averages over a pixel; warping a large render down does not
    source = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, outline)
    large = cv2.resize(ground, (size_wh[0] * finer, size_wh[1] * finer), interpolation=cv2.INTER_LINEAR)
    lit = relight(face.rgb, rng)
    if finer * width / wide < 0.55:
        lit = cv2.blur(lit, (2, 2)) if finer * width / wide > 0.35 else cv2.blur(lit, (3, 3))
    scale = np.diag([finer, finer, 1.0])
    cv2.warpPerspective(
        lit, scale @ matrix, (large.shape[1], large.shape[0]), dst=large, borderMode=cv2.BORDER_TRANSPARENT
    )
    picture = cv2.resize(large, size_wh, interpolation=cv2.INTER_AREA) if finer > 1 else large
    picture = expose(picture, rng)
    line = face.text_xyxy.copy()
    across, along = MARGIN_ACROSS * (line[3] - line[1]), MARGIN_ALONG * (line[3] - line[1])
    line += np.array([-along, -across, along, across], np.float32)
    corners = cv2.perspectiveTransform(_corners(line)[None], matrix)[0]
    shrinks = size_wh[0] > INPUT_WH[0] or size_wh[1] > INPUT_WH[1]
    rgb = cv2.resize(picture, INPUT_WH, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    text = "" if face.style == "two-line" else face.text
    return CropSample(rgb=rgb, text=text, frame=frame_of(corners, size_wh))
