"""A text detector: docTR's LinkNet on a narrow docTR ResNet, taught where the words of renders stand.

`linknet_resnet18` has 11.5 M parameters and takes a second for a page on one core; the same two classes with the widths
below have 0.8 M and take a seventh of that.

Source: Chaurasia and Culurciello, LinkNet, 2017; shrunken regions as in Liao et al., Real-time Scene Text Detection
with Differentiable Binarization, 2020.
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
from training.pools import PoolReader, Samples, keep_fresh
from training.schedule import AveragedWeights, load_weights, optimizer_for, set_rate
from training.text_maps import BORDER, GAP, KERNEL, UNKNOWN, paint_target
from training.text_scenes import TextScene, page_scene, plate_crop, street_scene, word_crop
from training.torchvision_ops import declare_torchvision_ops

declare_torchvision_ops()

from doctr.models.classification.resnet.pytorch import ResNet  # noqa: E402
from doctr.models.detection.linknet.pytorch import LinkNet  # noqa: E402
from torchvision.models._utils import IntermediateLayerGetter  # noqa: E402

MEAN, STD = (0.798, 0.785, 0.772), (0.264, 0.2749, 0.287)  # docTR's
BLOCKS, CHANNELS, HEAD_CHANNELS = (1, 2, 2, 2), (16, 32, 64, 128), 16
PAGE_WH, CROP_WH = (320, 320), (320, 224)
WINDOW_PX = 256  # of a page, seen at a time
PADDING_VALUE = 0


def text_detector() -> LinkNet:
    """The network with random weights; it gives `logits` (b, 1, h, w) for (b, 3, h, w)."""
    backbone = ResNet(
        list(BLOCKS),
        list(CHANNELS),
        [1, 2, 2, 2],
        [False] * 4,
        [None] * 4,
        stem_channels=CHANNELS[0],
        include_top=False,
    )
    stages = [name for name, _ in backbone.named_children()][-4:]
    features = IntermediateLayerGetter(backbone, {name: str(at) for at, name in enumerate(stages)})
    return LinkNet(features, head_chans=HEAD_CHANNELS, exportable=True)


def map_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross entropy, heavier on words, their borders and most of all the gaps between them, and the Dice distance.

    Args:
        logits: (b, 1, h, w).
        target: (b, h, w) uint8, values of `text_maps`.
    """
    logits, known, wanted = logits[:, 0], (target != UNKNOWN).float(), (target == KERNEL).float()
    weight = known * (1 + 3 * wanted + 2 * (target == BORDER).float() + 9 * (target == GAP).float())
    entropy = F.binary_cross_entropy_with_logits(logits, wanted, weight, reduction="sum") / weight.sum()
    probability = logits.sigmoid() * known
    shared = (probability * wanted).sum((1, 2))
    dice = 1 - (2 * shared + 50) / ((probability + wanted).sum((1, 2)) + 50)  # 50: a picture without text counts little
    return 2 * entropy + dice.mean()


def normalize(rgb: Tensor) -> Tensor:
    """(b, 3, h, w) in 0..1 to the network's range."""
    return (rgb - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def _window(rgb: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Another part of the pages each time; sheets of crops are low enough to be seen whole."""
    if rgb.shape[2] != PAGE_WH[1]:
        return rgb, target
    top, left = (int(torch.randint(side - WINDOW_PX + 1, ())) for side in rgb.shape[2:])
    rows, columns = slice(top, top + WINDOW_PX), slice(left, left + WINDOW_PX)
    return rgb[:, :, rows, columns], target[:, rows, columns]


def _varied(rgb: Tensor) -> Tensor:
    """Other contrast, brightness and colours, so that a pool may be read more than once."""
    count = len(rgb)
    contrast = torch.rand(count, 1, 1, 1) * 0.8 + 0.6
    bright = (torch.rand(count, 1, 1, 1) - 0.5) * 0.3
    rgb = (rgb - 0.5) * contrast + 0.5 + bright
    rgb = torch.where(torch.rand(count, 1, 1, 1) < 0.12, 1 - rgb, rgb)
    rgb = torch.where(torch.rand(count, 1, 1, 1) < 0.3, rgb[:, torch.randperm(3)], rgb)
    return rgb.clamp(0, 1)


def _sheet_of_crops(
    rng: random.Random, frames: list[Frame], unseen: bool
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Small pictures below one another on padding, the first in the corner as serving lays it; and their target."""
    width, height = CROP_WH
    rgb = np.full((height, width, 3), PADDING_VALUE, np.uint8)
    target, top = np.full((height, width), UNKNOWN, np.uint8), 0
    for _ in range(6):
        scene = _crop(rng, frames, unseen)
        tall, wide = scene.rgb.shape[:2]
        if tall > height - top:
            continue
        rgb[top : top + tall, :wide], target[top : top + tall, :wide] = scene.rgb, paint_target(scene)
        top += tall + rng.randint(4, 40)
    return rgb, target


def _crop(rng: random.Random, frames: list[Frame], unseen: bool) -> TextScene:
    kind = rng.random()
    if kind < 0.25:
        return word_crop(CROP_WH, rng, unseen)
    return plate_crop(CROP_WH, rng, frames, "two-line" if kind < 0.62 else None, unseen)


def _page(rng: random.Random, frames: list[Frame], unseen: bool) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    scene = (
        page_scene(PAGE_WH, rng, unseen=unseen) if rng.random() < 0.75 else street_scene(PAGE_WH, rng, frames, unseen)
    )
    return scene.rgb, paint_target(scene)


def make_pool(rng: random.Random, frames: list[Frame], size: int, unseen: bool) -> Samples:
    """One pool file: as many pages as sheets of crops."""
    pools: dict[str, NDArray[np.uint8]] = {}
    for kind, make in (("pages", _page), ("crops", _sheet_of_crops)):
        samples = [make(rng, frames, unseen) for _ in range(size)]
        pools[f"{kind}_rgb"] = np.stack([rgb for rgb, _ in samples])
        pools[f"{kind}_target"] = np.stack([target for _, target in samples])
    return pools


def _tensors(batch: Samples, kind: str) -> tuple[Tensor, Tensor]:
    rgb = torch.from_numpy(batch[f"{kind}_rgb"]).permute(0, 3, 1, 2).float() / 255
    return rgb, torch.from_numpy(batch[f"{kind}_target"])


@torch.no_grad()
def held_out_loss(model: LinkNet, samples: Samples, kind: str) -> float:
    """Mean loss over `pages` or `crops` of a pool file."""
    model.eval()
    losses = []
    for start in range(0, len(samples[f"{kind}_rgb"]), 8):
        rgb, target = _tensors({name: values[start : start + 8] for name, values in samples.items()}, kind)
        losses.append(map_loss(model(normalize(rgb))["logits"], target).item())
    model.train()
    return float(np.mean(losses))


def train(arguments: argparse.Namespace) -> None:
    """Train for `--seconds`, saving averaged weights once in a while."""
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    rng, model = random.Random(arguments.seed), text_detector()
    if arguments.resume:
        load_weights(model, arguments.resume)
    model.to(memory_format=torch.channels_last).train()
    optimizer, averaged = optimizer_for(model, arguments.rate, 0.01), AveragedWeights(model, arguments.average)
    pools = PoolReader(arguments.pools, arguments.seed)
    held_out = None
    if arguments.check:
        with np.load(arguments.check) as arrays:
            held_out = {name: values[:64] for name, values in arrays.items()}
    started, step, smooth, checked = time.time(), 0, {"pages": 2.0, "crops": 2.0}, time.time()
    while (progress := (time.time() - started) / arguments.seconds) < 1:
        set_rate(optimizer, arguments.rate, step, progress)
        kind = "pages" if rng.random() < 0.55 else "crops"
        rgb, target = _window(*_tensors(pools.draw(arguments.batch), kind))
        pictures = normalize(_varied(rgb)).contiguous(memory_format=torch.channels_last)
        loss = map_loss(model(pictures)["logits"], target)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        averaged.update(model)
        step += 1
        smooth[kind] = 0.97 * smooth[kind] + 0.03 * loss.item()
        if step % 100 == 0:
            pools.refresh()
            averaged.save(arguments.out)
            print(f"{step} {time.time() - started:.0f} s, CPU {time.process_time():.0f} s, "
                  + ", ".join(f"{name} {value:.3f}" for name, value in smooth.items()), flush=True)  # fmt: skip
        if held_out is not None and time.time() - checked > 300:
            checked, present = time.time(), {name: value.clone() for name, value in model.state_dict().items()}
            model.load_state_dict(averaged.state)
            losses = [f"{name} {held_out_loss(model, held_out, name):.3f}" for name in smooth]
            print(f"  held out: {', '.join(losses)}", flush=True)
            model.load_state_dict(present)
    averaged.save(arguments.out)


def main() -> None:
    """`generate` keeps a folder of pools fresh; `train` learns from it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("generate")
    making.add_argument("--frames", type=Path, help="folder of plates-ro; its train frames stand behind text")
    making.add_argument("--size", type=int, default=300, help="pages in a file, and sheets of crops")
    making.add_argument("--files", type=int, default=10)
    making.add_argument("--rest-s", type=float, default=0.0, help="pause after each file, for the sake of others")
    making.add_argument("--rounds", type=int, help="stop after so many rounds over all files")
    making.add_argument("--unseen", action="store_true", help="set in faces that are kept out of training")
    learn = commands.add_parser("train")
    learn.add_argument("--seconds", type=float, default=3600)
    learn.add_argument("--batch", type=int, default=4)
    learn.add_argument("--rate", type=float, default=1.5e-3)
    learn.add_argument("--average", type=float, default=0.998, help="decay of the averaged weights")
    learn.add_argument("--resume", type=Path, help="weights of an earlier run of this command")
    learn.add_argument("--check", type=Path, help="a pool file to report the loss on")
    learn.add_argument("--out", type=Path, required=True)
    for command in (making, learn):
        command.add_argument("--pools", type=Path, required=True)
        command.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.command == "train":
        return train(arguments)
    rng = random.Random(arguments.seed)
    frames = load_frames(arguments.frames, "train") if arguments.frames else []
    return keep_fresh(
        arguments.pools,
        lambda: make_pool(rng, frames, arguments.size, arguments.unseen),
        arguments.files,
        arguments.rounds,
        arguments.rest_s,
    )


if __name__ == "__main__":
    main()
