"""Train the plate detector from scratch: assignment, loss, pools of scenes.

Sources: Feng et al., TOOD, 2021 (task-aligned assignment); Zhang et al., VarifocalNet, 2021 (classification loss);
Zheng et al., Distance-IoU, 2020 (box loss).
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from training.backgrounds import Frame, load_frames
from training.plate_batches import draw_batch
from training.plate_layouts import any_plate
from training.plate_network import SLIM, PlateDetector, corners, load_detector
from training.plate_renders import PlateFace
from training.plate_scenes import SIDE, draw_or_cut
from training.plate_slimming import map_loss, slimmed
from training.pools import PoolReader, Samples, keep_fresh
from training.schedule import AveragedWeights, fast_bfloat16, optimizer_for, set_rate

TAUGHT_UNTIL, TAUGHT_WEIGHT = 0.5, 3.0  # of the time by a teacher's maps, ever less; of its loss at first
PLATES_MAX = 8  # in one scene of a pool; rows beyond the count are zero


def overlap(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and complete IoU of boxes that broadcast, xyxy."""
    low, high = torch.max(a[..., :2], b[..., :2]), torch.min(a[..., 2:], b[..., 2:])
    shared = (high - low).clamp(0).prod(-1)
    size_a, size_b = a[..., 2:] - a[..., :2], b[..., 2:] - b[..., :2]
    iou = shared / (size_a.prod(-1) + size_b.prod(-1) - shared + 1e-7)
    hull = torch.max(a[..., 2:], b[..., 2:]) - torch.min(a[..., :2], b[..., :2])
    apart = ((a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) ** 2).sum(-1) / 4
    angles = [torch.atan(size[..., 0] / (size[..., 1] + 1e-7)) for size in (size_a, size_b)]
    shape = 4 / np.pi**2 * (angles[1] - angles[0]) ** 2
    with torch.no_grad():
        weight = shape / (1 - iou + shape + 1e-7)
    return iou, iou - apart / ((hull**2).sum(-1) + 1e-7) - weight * shape


def _assign(
    logits: Tensor, boxes: Tensor, truth: Tensor, centres: Tensor, strides: Tensor
) -> tuple[Tensor, Tensor, Tensor] | None:
    """Cells that answer for a plate, the plate of each, and the score that each should give."""
    iou, _ = overlap(boxes[None], truth[:, None])
    middle, half = (truth[:, :2] + truth[:, 2:]) / 2, (truth[:, 2:] - truth[:, :2]) / 2
    distance = (centres[None] - middle[:, None]).abs()
    inside = (distance < half.clamp_min(6.0)[:, None]).all(-1) & (distance < 2.5 * strides[None, :, None]).all(-1)
    alignment = logits.sigmoid()[None].clamp(1e-4) ** 0.5 * iou.clamp(1e-3) ** 4 * inside
    top, cells = alignment.topk(9, 1)
    chosen = torch.zeros_like(alignment, dtype=torch.bool).scatter_(1, cells, top > 0)
    quality = torch.where(chosen, alignment, torch.zeros(()))
    best, plate = quality.max(0)
    positive = best > 0
    if not positive.any():
        return None
    plate = plate[positive]
    reach = torch.where(chosen, iou, torch.zeros(())).max(1)[0][plate].clamp(0.1)
    return positive, plate, best[positive] / quality.max(1)[0][plate].clamp(1e-9) * reach


def detection_loss(
    found: tuple[Tensor, Tensor, Tensor, Tensor], truths: list[Tensor]
) -> tuple[Tensor, NDArray[np.float64]]:
    """The loss, and its two parts for the log."""
    logits, distances, centres, strides = found
    boxes, centres = corners(distances, centres), centres.T
    target, box_loss, weight = torch.zeros_like(logits), logits.sum() * 0, 0.0
    for row, truth in enumerate(truths):
        if not len(truth):
            continue
        with torch.no_grad():
            assigned = _assign(logits[row], boxes[row], truth, centres, strides)
        if assigned is None:
            continue
        positive, plate, score = assigned
        target[row, positive] = score
        box_loss = box_loss + ((1 - overlap(boxes[row, positive], truth[plate])[1]) * score).sum()
        weight += score.sum().item()
    focus = torch.where(target > 0, target, 0.75 * logits.detach().sigmoid() ** 2)
    score_loss = (F.binary_cross_entropy_with_logits(logits, target, reduction="none") * focus).sum()
    total = (score_loss + 5 * box_loss) / max(weight, 1.0)
    return total, np.array([score_loss.item(), box_loss.item()]) / max(weight, 1.0)


def make_pool(frames: list[Frame], rng: random.Random, size: int, faces: list[PlateFace]) -> Samples:
    """One pool file of scenes; a third of the plate faces is drawn anew."""
    faces[:] = [any_plate(rng) for _ in range(200)] + faces[:400]
    rgb, boxes = np.empty((size, SIDE, SIDE, 3), np.uint8), np.zeros((size, PLATES_MAX, 4), np.float32)
    for row in range(size):
        scene = draw_or_cut(frames, faces, rng)
        rgb[row] = scene.rgb
        count = min(PLATES_MAX, len(scene.plates_xyxy))
        boxes[row, :count] = scene.plates_xyxy[:count]
    return {"rgb": rgb, "plates_xyxy": boxes}


def _batch(pools: PoolReader, pictures: int, rng: random.Random) -> tuple[Tensor, list[Tensor]]:
    """(b, 3, side, side) pictures in 0..1, and the plates of each."""
    scenes = draw_batch(pools, pictures, rng)
    images = torch.from_numpy(np.stack([rgb for rgb, _ in scenes])).permute(0, 3, 1, 2).float() / 255
    return images, [torch.from_numpy(np.ascontiguousarray(boxes, np.float32)) for _, boxes in scenes]


def train(arguments: argparse.Namespace) -> None:
    """Train for `--seconds`, saving averaged weights once in a while."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(arguments.seed)
    rng = random.Random(arguments.seed)
    teacher = load_detector(arguments.teacher).eval() if arguments.teacher else None
    taught = slimmed(teacher, SLIM) if teacher else None
    if arguments.resume:
        model = load_detector(arguments.resume)
    else:
        model = taught.detector if taught else PlateDetector()
    model.to(memory_format=torch.channels_last).train()
    optimizer, averaged = optimizer_for(model, arguments.rate, 0.02), AveragedWeights(model)
    pools = PoolReader(arguments.pools, arguments.seed)
    started, step, smooth = time.time(), 0, np.zeros(3)
    while (progress := (time.time() - started) / arguments.seconds) < 1:
        set_rate(optimizer, arguments.rate, step, progress)
        images, truths = _batch(pools, arguments.batch, rng)
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=fast_bfloat16()):
            maps = model.features(images)
            found = model.decode(maps)
        loss, parts = detection_loss(found, truths)
        if teacher and taught and progress < TAUGHT_UNTIL:
            with torch.no_grad():
                wide = teacher.features(images)
            apart = map_loss(maps, wide, taught.kept)
            loss = loss + TAUGHT_WEIGHT * (1 - progress / TAUGHT_UNTIL) * apart
            parts = np.append(parts, apart.item())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        averaged.update(model)
        step += 1
        parts = np.pad(parts, (0, 3 - len(parts)))
        smooth = parts if step == 1 else 0.98 * smooth + 0.02 * parts
        if step % 50 == 0:
            pools.refresh()
            averaged.save(arguments.out)
            spent = time.process_time()
            print(f"{step} {time.time() - started:.0f} s, CPU {spent:.0f} s, score {smooth[0]:.3f}, "
                  f"box {smooth[1]:.3f}, maps {smooth[2]:.3f}", flush=True)  # fmt: skip
    averaged.save(arguments.out)


def main() -> None:
    """`generate` keeps a folder of pools fresh; `train` learns from it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    generate = commands.add_parser("generate")
    generate.add_argument("--frames", type=Path, help="folder of plates-ro; without it every scene is drawn")
    generate.add_argument("--size", type=int, default=400, help="scenes in a file")
    generate.add_argument("--files", type=int, default=14)
    generate.add_argument("--rest-s", type=float, default=0.0, help="pause after each file, for the sake of others")
    generate.add_argument("--rounds", type=int, help="stop after so many rounds over all files")
    learn = commands.add_parser("train")
    learn.add_argument("--seconds", type=float, default=2400)
    learn.add_argument("--batch", type=int, default=24)
    learn.add_argument("--rate", type=float, default=1e-3)
    learn.add_argument("--resume", type=Path, help="weights of an earlier run of this command")
    learn.add_argument("--teacher", type=Path, help="weights of a wide detector, of which the slim one is made")
    learn.add_argument("--out", type=Path, required=True)
    for command in (generate, learn):
        command.add_argument("--pools", type=Path, required=True)
        command.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.command == "train":
        return train(arguments)
    rng = random.Random(arguments.seed)
    frames = load_frames(arguments.frames, "train") if arguments.frames else []
    faces = [any_plate(rng) for _ in range(400)]
    return keep_fresh(
        arguments.pools,
        lambda: make_pool(frames, rng, arguments.size, faces),
        arguments.files,
        arguments.rounds,
        arguments.rest_s,
    )


if __name__ == "__main__":
    main()
