"""Scenes for the plate detector, 320 pixels square: drawn cars, street photographs, and photographs with other plates.

A square of 320 is a quarter of what the network sees at 640: plates of 8 to 300 pixels are drawn, since a far plate is
10 pixels wide there and a near one fills the picture.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.backgrounds import Frame, drawn_background, hide_plates, lettered
from training.camera import expose
from training.closeups import draw_closeup
from training.decoys import headlamp, scatter_decoys
from training.plate_renders import PlateFace, Rgb, any_colour, grey

SIDE = 320
SHARES = {"photograph": 0.27, "replated": 0.23, "drawn": 0.50}
CLOSEUPS = 0.45  # of the drawn scenes
NIGHTS = 0.14
RELATIVE_WIDTH = {  # of a European plate's, on the same car
    "american": 0.72,
    "two-line": 0.5,
    "brazilian": 0.85,
    "chinese": 0.9,
    "japanese": 0.68,
    "indian": 0.5,
    "thai": 0.7,
    "motorcycle": 0.45,
    "mercosul motorcycle": 0.42,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """One picture.

    Attributes:
        rgb: (320, 320, 3) uint8.
        plates_xyxy: (n, 4) float32, pixels.
    """

    rgb: Rgb
    plates_xyxy: NDArray[np.float32]


def _shaded(tone: tuple[int, int, int], factor: float) -> tuple[int, ...]:
    return tuple(min(255, max(0, int(value * factor))) for value in tone)


def draw_car(rgb: Rgb, rng: random.Random) -> tuple[float, float, float]:
    """Draw the front or rear of a car in place; where its plate belongs: centre x, y and width, pixels."""
    width = int(np.exp(rng.uniform(np.log(46), np.log(420))))
    height = int(width * rng.uniform(0.6, 0.95))
    x, y = rng.randint(SIDE // 8, SIDE * 7 // 8), rng.randint(SIDE // 5, SIDE * 9 // 10)
    left, right, top, bottom = x - width // 2, x + width // 2, y - height * 6 // 10, y + height * 4 // 10
    paint = grey(rng, 10, 250) if rng.random() < 0.65 else any_colour(rng, 10, 230)
    cv2.ellipse(rgb, (x, bottom), (int(width * 0.55), max(2, height // 12)), 0, 0, 360, grey(rng, 0, 40, 5), -1)
    for side in (-1, 1):
        wheel = x + side * int(width * 0.42)
        tyre = (wheel + width // 14, bottom)
        cv2.rectangle(rgb, (wheel - width // 14, bottom - height // 4), tyre, grey(rng, 5, 40, 5), -1)
    shoulder, sill = y - height // 5, bottom - height // 10
    half = [(left, sill), (left, y - height // 8), (left + width // 9, shoulder), (left + width // 5, top)]
    body = half + [(left + right - px, py) for px, py in reversed(half)]
    cv2.fillPoly(rgb, [np.array(body, np.int32)], paint, cv2.LINE_AA)
    pane = [(left + width // 7, shoulder), (left + int(width * 0.23), top + height // 18)]
    pane += [(left + right - px, py) for px, py in reversed(pane)]
    cv2.fillPoly(rgb, [np.array(pane, np.int32)], grey(rng, 5, 120, 15), cv2.LINE_AA)
    lamp = rng.choice(((170, 20, 20), (200, 40, 30), (235, 235, 225), (200, 200, 190)))
    drop, tall = int(height * rng.uniform(-0.02, 0.1)), max(2, int(height * rng.uniform(0.04, 0.09)))
    front, spread = rng.random() < 0.5, rng.uniform(0.16, 0.26)
    for side in (-1, 1):
        at = (x + side * int(width * 0.38), y - drop)
        if front:
            rgb[:] = headlamp(rgb, at, width * spread, rng)
        else:
            cv2.ellipse(rgb, at, (max(2, width // 11), tall), 0, 0, 360, lamp, -1)
    for _ in range(rng.randint(1, 4)):
        level = y + int(height * rng.uniform(-0.15, 0.35))
        ends = (left + width // 20, level), (right - width // 20, level)
        cv2.line(rgb, *ends, _shaded(paint, rng.choice((0.5, 0.7, 1.25))), max(1, width // rng.randint(40, 120)))
    if rng.random() < 0.5:
        _draw_grille(rgb, (x, y + int(height * rng.uniform(-0.05, 0.2))), (width, height), rng)
    if rng.random() < 0.6:
        cv2.circle(rgb, (x, y - int(height * 0.1)), max(1, width // 30), grey(rng, 100, 250), -1)
    across, down = x + width * rng.uniform(-0.06, 0.06), y + height * rng.uniform(-0.05, 0.3)
    return across, down, width * rng.uniform(0.18, 0.38)


def _draw_grille(rgb: Rgb, at: tuple[int, int], car_wh: tuple[int, int], rng: random.Random) -> None:
    half = (int(car_wh[0] * rng.uniform(0.12, 0.35)), int(car_wh[1] * rng.uniform(0.03, 0.1)))
    cv2.rectangle(rgb, (at[0] - half[0], at[1] - half[1]), (at[0] + half[0], at[1] + half[1]), grey(rng, 5, 70), -1)
    for bar in range(rng.randint(2, 6)):
        level = at[1] - half[1] + half[1] * bar // 3
        cv2.line(rgb, (at[0] - half[0], level), (at[0] + half[0], level), grey(rng, 60, 220), 1)


def draw_motorcycle(rgb: Rgb, rng: random.Random) -> tuple[float, float, float]:
    """Draw the rear of a motorcycle in place; where its plate belongs: centre x, y and width, pixels."""
    tall = int(np.exp(rng.uniform(np.log(60), np.log(300))))
    x, y = rng.randint(SIDE // 8, SIDE * 7 // 8), rng.randint(SIDE // 4, SIDE * 3 // 4)
    tyre = (max(2, tall // 10), tall // 3)
    cv2.ellipse(rgb, (x, y + tall // 3), tyre, 0, 0, 360, grey(rng, 5, 40), -1)
    seat = (max(3, tall // 7), max(3, tall // 6))
    cv2.ellipse(rgb, (x, y - tall // 5), seat, 0, 0, 360, any_colour(rng, 0, 230), -1)
    cv2.circle(rgb, (x, y - tall // 10), max(2, tall // 18), (200, 30, 30), -1)
    bar = (x - tall // 4, y - tall // 3), (x + tall // 4, y - tall // 3)
    cv2.line(rgb, *bar, grey(rng, 10, 80), max(1, tall // 40))
    return x + rng.uniform(-3, 3), y + tall * rng.uniform(0.02, 0.15), tall * rng.uniform(0.22, 0.36)


def _outline(width: float, height: float, rng: random.Random) -> NDArray[np.float64]:
    points = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2
    points[:, 0] *= rng.uniform(0.72, 1)
    points[:, 1] *= np.where(points[:, 0] < 0, 1 + rng.uniform(-0.1, 0.1), 1)
    angle = np.deg2rad(rng.gauss(0, 5 if rng.random() < 0.85 else 14))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return points @ np.array([[1, rng.gauss(0, 0.05)], [rng.gauss(0, 0.06), 1]]) @ turn


def mount(
    rgb: Rgb,
    boxes: list[NDArray[np.float32]],
    face: PlateFace,
    at: tuple[float, float],
    width: float,
    rng: random.Random,
) -> None:
    """Put a plate into a picture, in place, unless it would leave the picture or cover another one."""
    tall, wide = face.rgb.shape[:2]
    width = max(9.0, width * RELATIVE_WIDTH.get(face.style, 1.0))
    outline = _outline(width, width * tall / wide * rng.uniform(0.85, 1.15), rng) + at
    (x0, y0), (x1, y1) = outline.min(0), outline.max(0)
    if x0 < -0.1 * width or y0 < -0.05 * width or x1 > SIDE + 0.1 * width or y1 > SIDE + 0.05 * width:
        return
    if any(min(x1, b[2]) > max(x0, b[0]) and min(y1, b[3]) > max(y0, b[1]) for b in boxes):
        return
    if rng.random() < 0.35:
        rim = rng.uniform(0.02, 0.12) * width
        corner = (int(x1 + rim), int(y1 + rim))
        cv2.rectangle(rgb, (int(x0 - rim), int(y0 - rim)), corner, grey(rng, 0, 120), -1)
    around = rgb[max(0, int(y0) - 20) : int(y1) + 20, max(0, int(x0) - 20) : int(x1) + 20]
    light = float(np.clip(around.mean() / 128, 0.35, 1.3)) ** rng.uniform(0, 1) * rng.uniform(0.7, 1.1)
    plate = np.clip(face.rgb * light, 0, 255).astype(np.uint8)
    shrink = width / wide
    if shrink < 0.6:
        size = (max(8, int(wide * shrink * 1.6)), max(4, int(tall * shrink * 1.6)))
        plate = cv2.resize(plate, size, interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        plate = cv2.GaussianBlur(plate, (0, 0), rng.uniform(0.4, 1.0))
    tall, wide = plate.shape[:2]
    source = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
    warped = cv2.warpPerspective(plate, cv2.getPerspectiveTransform(source, outline.astype(np.float32)), (SIDE, SIDE))
    opacity = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(opacity, np.round(outline).astype(np.int32), 255, cv2.LINE_AA)
    blend = cv2.GaussianBlur(opacity, (0, 0), 0.6)[..., None] / np.float32(255)
    rgb[:] = (rgb * (1 - blend) + warped * blend).astype(np.uint8)
    boxes.append(np.clip(np.array([x0, y0, x1, y1], np.float32), 0, SIDE))


def cut_photograph(frame: Frame, rng: random.Random) -> Scene:
    """A square of a street photograph, scaled so that 640-pixel inputs are met most often."""
    height, width = frame.rgb.shape[:2]
    whole = rng.random() < 0.4  # of a frame at 640 pixels, SIDE of them show half of it
    side = rng.uniform(420, 720) if whole else float(np.exp(rng.uniform(np.log(100), np.log(720))))
    at = np.array([rng.uniform(0, width), rng.uniform(0, height)])
    if len(frame.plates_xyxy) and rng.random() < 0.75:
        x0, y0, x1, y1 = frame.plates_xyxy[rng.randrange(len(frame.plates_xyxy))]
        side = max(side, (x1 - x0) * 1.3)
        at = np.array([(x0 + x1) / 2, (y0 + y1) / 2]) + [rng.uniform(-0.42, 0.42) * side for _ in range(2)]
    side = min(side, height)
    left, top = np.clip(at - side / 2, 0, np.array([width, height]) - side).astype(int)
    cut = frame.rgb[top : top + int(side), left : left + int(side)]
    scale = SIDE / int(side)
    rgb = cv2.resize(cut, (SIDE, SIDE), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    if rng.random() < 0.5:  # this camera sees pink: half of its pictures are brought to a grey average
        rgb = np.clip(rgb * (rgb.mean() / (rgb.mean((0, 1)) + 1)), 0, 255).astype(np.uint8)
    if rng.random() < 0.3:  # cars of other colours
        hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(int) + rng.randint(0, 179)) % 180
        rgb = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    boxes = (frame.plates_xyxy - np.array([left, top, left, top], np.float32)) * scale
    clipped = np.clip(boxes, 0, SIDE)
    seen, area = ((b[:, 2:] - b[:, :2]).prod(1) for b in (clipped, boxes))
    return Scene(rgb=rgb, plates_xyxy=clipped[(seen > 0.5 * area) & (clipped[:, 2] - clipped[:, 0] >= 7)])


def replate(scene: Scene, faces: list[PlateFace], rng: random.Random) -> Scene:
    """Give the cars of a photograph fictional plates of other shapes, or none."""
    rgb, boxes = hide_plates(scene.rgb, scene.plates_xyxy, rng), []
    for x0, y0, x1, y1 in scene.plates_xyxy:
        if rng.random() < 0.85:
            mount(rgb, boxes, rng.choice(faces), ((x0 + x1) / 2, (y0 + y1) / 2), (x1 - x0) * rng.uniform(0.8, 1.3), rng)
    return Scene(rgb=rgb, plates_xyxy=np.array(boxes, np.float32).reshape(-1, 4))


def _covered(before: Rgb, after: Rgb, box: NDArray[np.float32]) -> bool:
    x0, y0, x1, y1 = box.astype(int)
    return bool((before[y0:y1, x0:x1] != after[y0:y1, x0:x1]).any(-1).mean() > 0.15)


def draw_scene(faces: list[PlateFace], rng: random.Random) -> Scene:
    """Cars and motorcycles on a drawn street, or one car that fills the picture."""
    rgb, boxes = drawn_background((SIDE, SIDE), rng), []
    if rng.random() < CLOSEUPS:
        rgb, (x, y, width) = draw_closeup(rgb, rng)
        if rng.random() < 0.85:
            mount(rgb, boxes, rng.choice(faces), (x, y), width, rng)
        return Scene(rgb=rgb, plates_xyxy=np.array(boxes, np.float32).reshape(-1, 4))
    for _ in range(rng.choice((0, 1, 1, 1, 2, 2))):
        before = rgb.copy()
        x, y, width = draw_car(rgb, rng) if rng.random() < 0.85 else draw_motorcycle(rgb, rng)
        boxes = [box for box in boxes if not _covered(before, rgb, box)]
        if rng.random() < 0.85:
            mount(rgb, boxes, rng.choice(faces), (x, y), width, rng)
    return Scene(rgb=rgb, plates_xyxy=np.array(boxes, np.float32).reshape(-1, 4))


def _at_night(tone: NDArray[np.float32], plates_xyxy: NDArray[np.float32], rng: random.Random) -> NDArray[np.float32]:
    """Little light; lamps that bloom; plates that throw light back, and other things that do; sometimes infrared."""
    lit = np.zeros(tone.shape[:2], np.float32)
    if rng.random() < 0.6:
        for x0, y0, x1, y1 in plates_xyxy.astype(int):
            lit[max(0, y0) : y1, max(0, x0) : x1] = rng.uniform(0.3, 1.0)
        for _ in range(rng.randint(0, 3)):
            x, y, reach = rng.randint(0, SIDE), rng.randint(0, SIDE), rng.randint(4, 50)
            lit[y : y + max(2, int(reach * rng.uniform(0.1, 1.0))), x : x + reach] = rng.uniform(0.2, 1.0)
        lit = cv2.GaussianBlur(lit, (0, 0), rng.uniform(0.8, 4))
    tone = tone * (rng.uniform(0.12, 0.5) * (1 - lit) + lit * rng.uniform(0.6, 1.2))[..., None]
    for _ in range(rng.randint(0, 5)):
        lamp = np.zeros(tone.shape[:2], np.float32)
        cv2.circle(lamp, (rng.randint(0, SIDE), rng.randint(0, SIDE)), rng.randint(2, 14), 1.0, -1)
        bloom = cv2.GaussianBlur(lamp, (0, 0), rng.uniform(3, 18))
        colours = ((255, 250, 220), (255, 60, 40), (255, 60, 40), (255, 200, 120))
        tone += bloom[..., None] * np.array(rng.choice(colours), np.float32) * 1.6
    if rng.random() < 0.25:
        tone = np.repeat(tone.mean(2, keepdims=True), 3, 2)
    return tone


def _finish(scene: Scene, rng: random.Random, nights: float) -> Scene:
    tone = scene.rgb.astype(np.float32)
    if rng.random() < 0.5:
        tone = tone * rng.uniform(0.4, 1.3) + rng.uniform(-25, 30)
    if rng.random() < nights:
        tone = _at_night(tone, scene.plates_xyxy, rng)
    if rng.random() < 0.4:
        tone = tone * np.array([rng.uniform(0.85, 1.15) for _ in range(3)], np.float32)
    return Scene(rgb=expose(np.clip(tone, 0, 255).astype(np.uint8), rng), plates_xyxy=scene.plates_xyxy)


def draw_or_cut(
    frames: list[Frame],
    faces: list[PlateFace],
    rng: random.Random,
    shares: Mapping[str, float] = SHARES,
    nights: float = NIGHTS,
) -> Scene:
    """One scene of a mixture, that of training unless another is named; without photographs, drawn ones only."""
    kind = rng.choices(list(shares), list(shares.values()))[0] if frames else "drawn"
    if kind == "photograph":
        scene = cut_photograph(rng.choice(frames), rng)
        if rng.random() < 0.3:
            marked = scatter_decoys(scene.rgb, list(scene.plates_xyxy), rng.randint(1, 3), rng)
            scene = Scene(rgb=marked, plates_xyxy=scene.plates_xyxy)
        return _finish(scene, rng, nights)
    if kind == "replated":
        scene = replate(cut_photograph(rng.choice(frames), rng), faces, rng)
    else:
        scene = draw_scene(faces, rng)
    rgb, boxes = scene.rgb, list(scene.plates_xyxy)
    for _ in range(rng.choice((0, 0, 1, 2, 3))):
        marked = lettered(rgb, rng) if not boxes or rng.random() < 0.25 else rgb
        for x0, y0, x1, y1 in np.array(boxes, np.float32).reshape(-1, 4).astype(int):  # nothing is written over a plate
            marked[y0:y1, x0:x1] = rgb[y0:y1, x0:x1]
        rgb = marked
    rgb = scatter_decoys(rgb, boxes, rng.choice((0, 0, 1, 2, 3, 5)), rng)
    if rng.random() < 0.35:
        width = float(np.exp(rng.uniform(np.log(12), np.log(240))))
        mount(rgb, boxes, rng.choice(faces), (rng.uniform(15, SIDE - 15), rng.uniform(15, SIDE - 15)), width, rng)
    return _finish(Scene(rgb=rgb, plates_xyxy=np.array(boxes, np.float32).reshape(-1, 4)), rng, nights)
