"""A compact anchor-free plate detector with the output layout of YOLOv8: 0.75 M parameters, trained from scratch.

Sources: Feng et al., TOOD, 2021 (task-aligned assignment); Zhang et al., VarifocalNet, 2021 (classification loss);
Zheng et al., Distance-IoU, 2020 (box loss).
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from training.backgrounds import Frame, load_frames
from training.plate_layouts import any_plate
from training.plate_renders import PlateFace
from training.plate_scenes import SIDE, draw_or_cut
from training.pools import PoolReader, Samples, keep_fresh
from training.schedule import AveragedWeights, load_weights, optimizer_for, set_rate

STRIDES = (8, 16, 32)
WIDTHS = (16, 32, 64, 96, 128)
PLATES_MAX = 8  # in one scene of a pool; rows beyond the count are zero
PADDING_VALUE = 127


def _conv(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03),
        nn.ReLU(inplace=True),
    )


class SplitBlock(nn.Module):
    """A cross-stage block: half the channels pass through `depth` pairs of convolutions, and all stages are joined."""

    def __init__(self, inputs: int, outputs: int, depth: int = 1, residual: bool = True) -> None:
        super().__init__()
        half = outputs // 2
        self.residual = residual
        self.enter = _conv(inputs, outputs, 1)
        self.stages = nn.ModuleList(nn.Sequential(_conv(half, half), _conv(half, half)) for _ in range(depth))
        self.leave = _conv(outputs + depth * half, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(b, inputs, h, w) to (b, outputs, h, w)."""
        parts = list(self.enter(x).chunk(2, 1))
        for stage in self.stages:
            y = stage(parts[-1])
            parts.append(y + parts[-1] if self.residual else y)
        return self.leave(torch.cat(parts, 1))


class PlateDetector(nn.Module):
    """Backbone, two-way neck, and one small head a stride."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d, e = WIDTHS
        self.stem = nn.Sequential(_conv(3, a, 3, 2), _conv(a, b, 3, 2), SplitBlock(b, b))
        self.stage8 = nn.Sequential(_conv(b, c, 3, 2), SplitBlock(c, c, 2))
        self.stage16 = nn.Sequential(_conv(c, d, 3, 2), SplitBlock(d, d, 2))
        self.stage32 = nn.Sequential(_conv(d, e, 3, 2), SplitBlock(e, e))
        self.pool = nn.ModuleList([_conv(e, e // 2, 1), _conv(e * 2, e, 1)])
        self.neck16 = SplitBlock(e + d, d, 1, residual=False)
        self.neck8 = SplitBlock(d + c, c, 1, residual=False)
        self.heads = nn.ModuleList(
            nn.ModuleList([_conv(width, 48), nn.Conv2d(48, 1, 1), nn.Conv2d(48, 4, 1)]) for width in (c, d, e)
        )
        for head, stride in zip(self.heads, STRIDES, strict=True):
            nn.init.constant_(head[1].bias, -4.6 + np.log(stride / 8))
            nn.init.zeros_(head[2].weight)
            nn.init.constant_(head[2].bias, 1.0)

    def features(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Feature maps at strides 8, 16 and 32."""
        at8 = self.stage8(self.stem(images))
        at16 = self.stage16(at8)
        x = self.pool[0](self.stage32(at16))
        y = F.max_pool2d(x, 5, 1, 2)
        z = F.max_pool2d(y, 5, 1, 2)
        at32 = self.pool[1](torch.cat([x, y, z, F.max_pool2d(z, 5, 1, 2)], 1))
        at16 = self.neck16(torch.cat([F.interpolate(at32, scale_factor=2.0), at16], 1))
        return self.neck8(torch.cat([F.interpolate(at16, scale_factor=2.0), at8], 1)), at16, at32

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Find plates.

        Args:
            images: (b, 3, h, w) RGB in 0..1, sides multiples of 32.

        Returns:
            (b, n) logits; (b, n, 4) xyxy in pixels; (n, 2) cell centres in pixels; (n,) strides.
        """
        logits, boxes, centres, strides = [], [], [], []
        for features, stride, (trunk, score, sides) in zip(self.features(images), STRIDES, self.heads, strict=True):
            x = trunk(features)
            rows, columns = features.shape[2:]
            grid = torch.meshgrid(
                torch.arange(rows, device=x.device), torch.arange(columns, device=x.device), indexing="ij"
            )
            centre = (torch.stack([grid[1], grid[0]], -1).reshape(-1, 2).float() + 0.5) * stride
            distance = F.softplus(sides(x).flatten(2).transpose(1, 2).float()) * stride * 2
            logits.append(score(x).flatten(1).float())
            boxes.append(torch.cat([centre - distance[..., :2], centre + distance[..., 2:]], -1))
            centres.append(centre)
            strides.append(torch.full((rows * columns,), float(stride), device=x.device))
        return torch.cat(logits, 1), torch.cat(boxes, 1), torch.cat(centres), torch.cat(strides)


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
    logits, boxes, centres, strides = found
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


def _varied(
    rgb: NDArray[np.uint8], boxes: NDArray[np.float32], rng: random.Random
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mirror, relight, shift, or letterbox one scene, so that a pool may be read more than once."""
    boxes = boxes[boxes[:, 2] > boxes[:, 0]]
    if rng.random() < 0.5:
        rgb, boxes = rgb[:, ::-1], np.stack([SIDE - boxes[:, 2], boxes[:, 1], SIDE - boxes[:, 0], boxes[:, 3]], 1)
    tone = rgb.astype(np.float32) / 255
    if rng.random() < 0.5:
        tint = [rng.uniform(0.6, 1.4)] * 3 if rng.random() < 0.6 else [rng.uniform(0.6, 1.4) for _ in range(3)]
        tone = np.clip(tone * np.array(tint, np.float32) + rng.uniform(-0.1, 0.1), 0, 1)
    shift = np.array([rng.randint(-24, 24), rng.randint(-24, 24)])
    moved = boxes + np.tile(shift, 2).astype(np.float32)
    if ((moved >= 0) & (moved <= SIDE)).all():  # what leaves on one side comes back on the other; plates must not
        tone, boxes = np.roll(tone, shift[::-1], (0, 1)), moved
    if rng.random() < 0.15:
        strip = rng.randint(8, 110)
        low, high = (0, strip) if rng.random() < 0.5 else (SIDE - strip, SIDE)
        axis = rng.randrange(2)
        if not ((boxes[:, 1 - axis] < high) & (boxes[:, 3 - axis] > low)).any():
            tone = tone.copy()
            strips = (slice(low, high), slice(None)) if axis == 0 else (slice(None), slice(low, high))
            tone[strips] = PADDING_VALUE / 255
    return tone.astype(np.float32), boxes


def train(arguments: argparse.Namespace) -> None:
    """Train for `--seconds`, saving averaged weights once in a while."""
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    model, rng = PlateDetector(), random.Random(arguments.seed)
    if arguments.resume:
        load_weights(model, arguments.resume)
    model.to(memory_format=torch.channels_last).train()
    optimizer, averaged = optimizer_for(model, arguments.rate, 0.02), AveragedWeights(model)
    pools = PoolReader(arguments.pools, arguments.seed)
    started, step, smooth = time.time(), 0, np.zeros(2)
    while (progress := (time.time() - started) / arguments.seconds) < 1:
        set_rate(optimizer, arguments.rate, step, progress)
        batch = pools.draw(arguments.batch)
        varied = [_varied(rgb, boxes, rng) for rgb, boxes in zip(batch["rgb"], batch["plates_xyxy"], strict=True)]
        images = torch.from_numpy(np.stack([rgb for rgb, _ in varied])).permute(0, 3, 1, 2)
        with torch.autocast("cpu", torch.bfloat16):
            found = model(images.contiguous(memory_format=torch.channels_last))
        loss, parts = detection_loss(found, [torch.from_numpy(np.ascontiguousarray(boxes)) for _, boxes in varied])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        averaged.update(model)
        step += 1
        smooth = parts if step == 1 else 0.98 * smooth + 0.02 * parts
        if step % 50 == 0:
            pools.refresh()
            averaged.save(arguments.out)
            spent = time.process_time()
            print(f"{step} {time.time() - started:.0f} s, CPU {spent:.0f} s, score {smooth[0]:.3f}, "
                  f"box {smooth[1]:.3f}", flush=True)  # fmt: skip
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
