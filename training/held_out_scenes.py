"""Pictures of plates that no photograph at hand shows, to measure the detector on.

Plates in faces kept out of training are put on the cars of plates-ro's valid split and on drawn cars, half and half.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import numpy as np

from training.backgrounds import Frame
from training.photographs import Photograph
from training.plate_layouts import LAYOUTS, any_plate, render_layout
from training.plate_renders import PlateFace, render_plate
from training.plate_scenes import NIGHTS, SIDE, Scene, draw_or_cut

SEED = 7_000_003
MIXTURE = {"replated": 0.5, "drawn": 0.5}
STYLES = ("european", "american", "brazilian", "two-line")
NEAR_PX, FAR_PX = 140, (16, 40)  # widths of plates at SIDE; far ones are shown at half of it


def _scenes(
    frames: list[Frame],
    face: Callable[[random.Random], PlateFace],
    count: int,
    keep: Callable[[Scene], bool] = lambda scene: True,
    nights: float = NIGHTS,
) -> list[Photograph]:
    rng, chosen = random.Random(SEED), []
    faces = [face(rng) for _ in range(80)]
    while len(chosen) < count:
        scene = draw_or_cut(frames, faces, rng, MIXTURE, nights)
        if keep(scene):
            bgr = np.ascontiguousarray(scene.rgb[:, :, ::-1])
            chosen.append(Photograph(bgr=bgr, plates_xyxy=scene.plates_xyxy))
    return chosen


def _widths_within(scene: Scene, low: float, high: float) -> bool:
    widths = scene.plates_xyxy[:, 2] - scene.plates_xyxy[:, 0]
    return bool(len(widths) and (widths >= low).all() and (widths <= high).all())


def held_out_sets(frames: list[Frame], count: int = 60) -> Iterator[tuple[str, list[Photograph], int]]:
    """Name, pictures, and the side of the network's input at which they are shown."""

    def mixed(rng: random.Random) -> PlateFace:
        return any_plate(rng, unseen=True)

    for style in STYLES:
        yield f"{style} renders", _scenes(frames, lambda rng, s=style: render_plate(rng, s, True), count), SIDE  # type: ignore[misc]
    for layout in LAYOUTS:
        yield f"{layout} renders", _scenes(frames, lambda rng, s=layout: render_layout(rng, s, True), count), SIDE  # type: ignore[misc]
    yield "any renders, night", _scenes(frames, mixed, count, nights=1.0), SIDE
    yield "any renders, near", _scenes(frames, mixed, count, lambda scene: _widths_within(scene, NEAR_PX, SIDE)), SIDE
    far = _scenes(frames, mixed, count, lambda scene: _widths_within(scene, *FAR_PX))
    yield f"any renders, far: {FAR_PX[0] // 2} to {FAR_PX[1] // 2} pixels wide", far, SIDE // 2


def without_plates(frames: list[Frame], count: int = 150) -> list[Photograph]:
    """Pictures in which nothing is a plate."""
    return _scenes(frames, lambda rng: any_plate(rng, unseen=True), count, lambda scene: not len(scene.plates_xyxy))
