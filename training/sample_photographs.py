"""Make the sample photographs: frames of plates-ro whose real registrations are replaced by fictional ones.

The surface of the real plate stays, its light and its dirt with it: the letters are closed over with what surrounds
them, and other letters are printed in the same ink, as sharp and as noisy as the frame. Every frame was looked at in
full size: nothing else in it can be read.
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.camera import noise_like
from training.fonts import plate_faces
from training.plate_renders import line_mask

SOURCE = "Romanian (European Union) Dataset of License Plates, Robert Lucian Chiriac, 2020, MIT licence"
FINER = 6  # plates are worked on at this many times their size
LETTERING = "overpass-latin-600"
JPEG_QUALITY = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """One plate of a frame.

    Attributes:
        corners: of the plate's face, top left then clockwise, pixels.
        letters: left, top, right, bottom of the letters, shares of the face.
        text: what shall stand there.
        blur_px: how soft the frame is there, standard deviation.
        ink: how much of the old letters' darkness the new ones have; glare leaves little.
    """

    corners: tuple[tuple[float, float], ...]
    letters: tuple[float, float, float, float]
    text: str
    blur_px: float
    ink: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Remounted:
    """A plate of two lines in place of a long one.

    Attributes:
        recess: left, top, right, bottom of the ground to be cleared of the old plate, pixels.
        old: left, top, right, bottom inside the old plate, whose ink and ground the new one takes over.
        corners: of the new plate's face, top left then clockwise, pixels.
        lines: what shall stand there.
        blur_px: how soft the frame is there, standard deviation.
    """

    recess: tuple[int, int, int, int]
    old: tuple[int, int, int, int]
    corners: tuple[tuple[float, float], ...]
    lines: tuple[str, str]
    blur_px: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One photograph.

    Attributes:
        frame: path in plates-ro.
        plates: what to replace.
        remounted: plates to exchange for others of two lines.
        balance: how far the pink of the camera is taken out, 0..1.
        part: left, top, right, bottom of what is kept, pixels; everything when None.
        listed: whether the whole workflow is asked to find and read its plates.
    """

    frame: str
    plates: tuple[Replacement, ...]
    remounted: tuple[Remounted, ...] = ()
    balance: float = 0.8
    part: tuple[int, int, int, int] | None = None
    listed: bool = True


SAMPLES = {
    "car.jpg": Sample(
        frame="valid/dayride_type1_003-mp4-t-320.jpg",
        plates=(
            Replacement(
                corners=((636.5, 536.0), (858.0, 537.0), (857.7, 580.5), (635.7, 580.5)),
                letters=(0.12, 0.04, 0.955, 0.95),
                text="SL 27 GHT",
                blur_px=1.1,
            ),
        ),
    ),
    "two_cars.jpg": Sample(
        frame="valid/dayride_type1_001-mp4-t-522.jpg",
        plates=(
            Replacement(
                corners=((319.5, 549.6), (561.0, 552.5), (560.5, 604.3), (316.5, 602.5)),
                letters=(0.115, 0.10, 0.93, 0.86),
                text="SL 384 VUE",
                blur_px=1.0,
            ),
            Replacement(
                corners=((905.5, 371.7), (991.4, 371.5), (992.5, 388.6), (906.6, 388.6)),
                letters=(0.10, 0.06, 0.965, 0.94),
                text="SL 62 MAP",
                blur_px=0.5,
                ink=2.4,
            ),
        ),
    ),
    "night.jpg": Sample(
        frame="valid/nightride_type3_001-mp4-t-543.jpg",
        plates=(
            Replacement(
                corners=((625.5, 429.6), (815.2, 434.0), (814.8, 473.2), (625.4, 468.2)),
                letters=(0.02, 0.09, 0.975, 0.965),
                text="SL 47 KEV",
                blur_px=1.0,
            ),
        ),
        balance=0.6,
    ),
    "two_lines.jpg": Sample(
        frame="train/dayride_type1_001-mp4-t-600.jpg",
        plates=(),
        remounted=(
            Remounted(
                recess=(630, 532, 872, 602),
                old=(662, 545, 856, 584),
                corners=((690.0, 526.5), (820.5, 528.5), (820.0, 609.5), (689.5, 607.5)),
                lines=("SL 09", "KTV"),
                blur_px=0.9,
            ),
        ),
        listed=False,
    ),
    "street.jpg": Sample(frame="valid/dayride_type1_003-mp4-t-320.jpg", plates=(), part=(760, 60, 1280, 460)),
}


def _corners_of(size_wh: tuple[int, int]) -> NDArray[np.float32]:
    width, height = size_wh
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def _letter_opacity(text: str, size_wh: tuple[int, int], box: tuple[float, ...]) -> NDArray[np.float32]:
    """Where the new ink goes, (h, w) 0..1: centred in the old letters' place, as tall as they were."""
    width, height = size_wh
    left, top, right, bottom = (round(share * side) for share, side in zip(box, (width, height) * 2, strict=True))
    inset = int((bottom - top) * 0.07)
    path = next(face for face in plate_faces() if LETTERING in face)
    mask = line_mask(text, bottom - top - 2 * inset, random.Random(5), path)
    room = int((right - left) * 0.94)
    wide = min(room, int(mask.shape[1] * 1.25))
    mask = cv2.resize(mask, (wide, mask.shape[0]), interpolation=cv2.INTER_AREA)
    opacity = np.zeros((height, width), np.float32)
    x, y = left + (right - left - wide) // 2, top + inset
    opacity[y : y + mask.shape[0], x : x + wide] = mask
    return opacity


def replace_plate(bgr: NDArray[np.uint8], plate: Replacement, rng: random.Random) -> NDArray[np.uint8]:
    """The photograph with another registration on one plate; a new array."""
    corners = np.array(plate.corners, np.float32)
    size = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])
    size_wh = (round(float(size[0]) * FINER), round(float(size[1]) * FINER))
    onto = cv2.getPerspectiveTransform(corners, _corners_of(size_wh))
    face = cv2.warpPerspective(bgr, onto, size_wh, flags=cv2.INTER_CUBIC).astype(np.float32)
    left, top, right, bottom = (round(s * side) for s, side in zip(plate.letters, size_wh * 2, strict=True))
    inner = face[top:bottom, left:right]
    reach = int(0.34 * size_wh[1]) | 1  # wider than any stroke
    closed = cv2.morphologyEx(inner, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, (reach, reach)))
    blank = cv2.GaussianBlur(closed, (0, 0), reach / 2.5, borderType=cv2.BORDER_REPLICATE)
    dark = np.percentile(inner.reshape(-1, 3), 4, axis=0) - np.percentile(blank.reshape(-1, 3), 50, axis=0)
    opacity = _letter_opacity(plate.text, size_wh, plate.letters)[top:bottom, left:right, None]
    opacity = cv2.GaussianBlur(opacity, (0, 0), plate.blur_px * FINER * 0.6)[..., None]
    grain = cv2.resize(noise_like((int(size[1]), int(size[0])), rng), (right - left, bottom - top))[..., None] * 2
    face[top:bottom, left:right] = np.clip(blank + dark * plate.ink * opacity + grain, 0, 255)
    seam = np.zeros(size_wh[::-1], np.float32)
    seam[top:bottom, left:right] = 1
    seam = cv2.GaussianBlur(cv2.erode(seam, np.ones((FINER, FINER))), (0, 0), FINER / 2)
    back = np.linalg.inv(onto)
    frame_wh = (bgr.shape[1], bgr.shape[0])
    soft = cv2.GaussianBlur(face, (0, 0), FINER * 0.45)  # a camera averages over a pixel
    printed = cv2.warpPerspective(soft, back, frame_wh, flags=cv2.INTER_LINEAR)
    blend = cv2.warpPerspective(seam, back, frame_wh, flags=cv2.INTER_LINEAR)[..., None]
    return np.round(bgr * (1 - blend) + printed * blend).astype(np.uint8)


def _cleared(bgr: NDArray[np.uint8], recess: tuple[int, int, int, int], rng: random.Random) -> NDArray[np.uint8]:
    """The photograph with a region filled from its left and right borders; a new array."""
    left, top, right, bottom = recess
    shade = np.linspace(0, 1, right - left, dtype=np.float32)[None, :, None]
    sides = (bgr[top:bottom, left - 6 : left], bgr[top:bottom, right : right + 6])
    first, last = (cv2.blur(side.mean(1, keepdims=True).astype(np.float32), (1, 5)) for side in sides)
    grain = noise_like((bottom - top, right - left, 1), rng) * 1.5
    filled = bgr.copy()
    filled[top:bottom, left:right] = np.clip(first * (1 - shade) + last * shade + grain, 0, 255)
    return filled


def _two_line_face(plate: Remounted, size_wh: tuple[int, int], ground: NDArray, ink: NDArray) -> NDArray[np.float32]:
    """(h, w, 3): a frame, a band of the country and two lines."""
    width, height = size_wh
    face = np.empty((height, width, 3), np.float32)
    face[:] = ground
    band = (int(width * 0.045), int(height * 0.07)), (int(width * 0.19), int(height * 0.47))
    cv2.rectangle(face, *band, (ground * (0.88, 0.6, 0.66)).tolist(), -1)
    path = next(face_path for face_path in plate_faces() if LETTERING in face_path)
    for line, (left, right, top, bottom) in zip(
        plate.lines, ((0.23, 0.94, 0.1, 0.47), (0.14, 0.88, 0.54, 0.91)), strict=True
    ):
        mask = line_mask(line, int(height * (bottom - top)), random.Random(5), path)
        wide = min(int(width * (right - left)), int(mask.shape[1] * 1.15))
        mask = cv2.resize(mask, (wide, mask.shape[0]), interpolation=cv2.INTER_AREA)[..., None]
        x, y = int(width * (left + right) / 2 - wide / 2), int(height * top)
        part = face[y : y + mask.shape[0], x : x + wide]
        part[:] = part * (1 - mask) + ink * mask
    cv2.rectangle(face, (0, 0), (width - 1, height - 1), (ink * 0.9).tolist(), max(1, int(height * 0.05)))
    return face


def remount(bgr: NDArray[np.uint8], plate: Remounted, rng: random.Random) -> NDArray[np.uint8]:
    """The photograph with a two-line plate in place of a long one; a new array."""
    left, top, right, bottom = plate.old
    inner = bgr[top:bottom, left:right].reshape(-1, 3).astype(np.float32)
    beside = bgr[top:bottom, plate.recess[2] : plate.recess[2] + 6].reshape(-1, 3).mean(0)
    ground = 0.68 * np.percentile(inner, 70, axis=0) + 0.32 * beside  # its letters stood in the light of the lamps
    ink = 0.75 * np.percentile(inner, 4, axis=0) + 0.25 * beside * 0.4
    corners = np.array(plate.corners, np.float32)
    size = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])
    size_wh = (round(float(size[0]) * FINER), round(float(size[1]) * FINER))
    face = cv2.GaussianBlur(_two_line_face(plate, size_wh, ground, ink), (0, 0), plate.blur_px * FINER)
    shade = np.linspace(1.03, 0.9, size_wh[1], dtype=np.float32)[:, None, None]
    back = cv2.getPerspectiveTransform(_corners_of(size_wh), corners)
    frame_wh = (bgr.shape[1], bgr.shape[0])
    opacity = cv2.GaussianBlur(np.pad(np.ones((size_wh[1] - 8, size_wh[0] - 8), np.float32), 4), (0, 0), FINER * 0.7)
    printed = cv2.warpPerspective(face * shade, back, frame_wh, flags=cv2.INTER_AREA)
    blend = cv2.warpPerspective(opacity, back, frame_wh, flags=cv2.INTER_AREA)[..., None]
    grain = noise_like((*bgr.shape[:2], 1), rng) * 1.5 * blend
    mixed = _cleared(bgr, plate.recess, rng) * (1 - blend) + printed * blend + grain
    return np.round(np.clip(mixed, 0, 255)).astype(np.uint8)


def balanced(bgr: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Take the tint out of a picture, wholly at share 1; what is burnt out stays white."""
    mean = bgr.reshape(-1, 3).mean(0)
    gain = (mean.mean() / mean) ** share
    bright = bgr.max(-1, keepdims=True) / 255
    corrected = np.clip(bgr * gain, 0, 255)
    return np.round(corrected * (1 - bright**3) + bgr * bright**3).astype(np.uint8)


def main() -> None:
    """Write the photographs and `samples.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=Path, required=True, help="folder of plates-ro")
    parser.add_argument("--out", type=Path, default=Path("deployments/models/shipped/samples"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    rng, listing = random.Random(11), {}
    for name, sample in SAMPLES.items():
        bgr = cv2.imread(str(arguments.frames / sample.frame), cv2.IMREAD_COLOR)
        for plate in sample.plates:
            bgr = replace_plate(bgr, plate, rng)
        for mounted in sample.remounted:
            bgr = remount(bgr, mounted, rng)
        left, top, right, bottom = sample.part or (0, 0, bgr.shape[1], bgr.shape[0])
        bgr = balanced(bgr[top:bottom, left:right], sample.balance)
        cv2.imwrite(str(arguments.out / name), bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        if not sample.listed:
            continue
        texts = [plate.text for plate in sample.plates] + ["".join(mounted.lines) for mounted in sample.remounted]
        plates = [text.replace(" ", "") for text in texts]
        listing[name] = {"plates": plates, "source": f"{sample.frame} of the {SOURCE}; registrations replaced"}
    content = json.dumps(listing, indent=2) + "\n"
    (arguments.out / "samples.json").write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
