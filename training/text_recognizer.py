"""A text recognizer that finds its line first: a small localizer, then docTR's `crnn_mobilenet_v3_small`, one graph.

A crop arrives with a lot of street round the plate, or none. Shrinking it to the 32 x 128 pixels that docTR's
recognizers take would leave a padded plate 10 pixels tall, so the graph takes 64 x 256, predicts the parallelogram that
holds the line, samples that to 32 x 128, and reads it: one session, one batch, no second hop.

Source: Jaderberg et al., Spatial Transformer Networks, 2015; here the frame is also taught directly, since renders know
where their letters stand.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.backgrounds import load_frames
from training.crop_samples import crop_sample
from training.plate_texts import VOCABULARY
from training.pools import PoolReader, Samples, keep_fresh
from training.schedule import AveragedWeights, load_weights, optimizer_for, set_rate
from training.torchvision_ops import declare_torchvision_ops

declare_torchvision_ops()

from doctr.models.recognition import crnn_mobilenet_v3_small  # noqa: E402

MEAN, STD = (0.694, 0.695, 0.693), (0.299, 0.296, 0.301)  # docTR's
READ_HW = (32, 128)
BLANK = len(VOCABULARY)


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class LineLocalizer(nn.Module):
    """Frames the line of text: every cell of an 8 x 32 grid votes for a parallelogram, weighted by how sure it is."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(_conv(3, 16, 2), _conv(16, 32, 2), _conv(32, 48, 2), _conv(48, 48), _conv(48, 48))
        self.wide = nn.Sequential(_conv(48, 64, 2), _conv(64, 64), _conv(64, 64, 2), _conv(64, 64))
        self.vote = nn.Sequential(_conv(112, 64), nn.Conv2d(64, 7, 1))
        nn.init.zeros_(self.vote[1].weight)
        nn.init.zeros_(self.vote[1].bias)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Frame the line.

        Args:
            crops: (b, 3, 64, 256) normalized.

        Returns:
            (b, 6) frames as `CropSample.frame`; (b, cells) vote logits; (cells, 2) cell centres, -1..1.
        """
        fine = self.fine(crops)
        wide = F.interpolate(self.wide(fine), size=fine.shape[2:])
        votes = self.vote(torch.cat([fine, wide], 1)).float()
        rows, columns = votes.shape[2:]
        y = (torch.arange(rows, device=crops.device) * 2 + 1) / rows - 1
        x = (torch.arange(columns, device=crops.device) * 2 + 1) / columns - 1
        centres = torch.stack([x.repeat(rows), y.repeat_interleave(columns)], 1)
        votes = votes.flatten(2).transpose(1, 2)
        weight = votes[..., :1].softmax(1)
        along = torch.stack([torch.exp(votes[..., 3].clamp(-6, 2) - 0.7), votes[..., 4]], -1)
        down = torch.stack([votes[..., 5], torch.exp(votes[..., 6].clamp(-6, 2) - 0.7)], -1)
        frames = torch.cat([centres + votes[..., 1:3], along, down], -1)
        return (frames * weight).sum(1), votes[..., 0], centres


class PlateReader(nn.Module):
    """Localizer and recognizer."""

    def __init__(self) -> None:
        super().__init__()
        self.localizer = LineLocalizer()
        self.recognizer = crnn_mobilenet_v3_small(pretrained=False, pretrained_backbone=False, vocab=VOCABULARY)

    def rectify(self, crops: Tensor, frames: Tensor) -> Tensor:
        """Sample the framed lines: (b, 3, 32, 128)."""
        rows, columns = READ_HW
        y = ((torch.arange(rows, device=crops.device) * 2 + 1) / rows - 1).view(1, -1, 1, 1)
        x = ((torch.arange(columns, device=crops.device) * 2 + 1) / columns - 1).view(1, 1, -1, 1)
        centre, along, down = (frames[:, None, None, at : at + 2] for at in (0, 2, 4))
        grid = centre + x * along + y * down
        return F.grid_sample(crops, grid, mode="bilinear", padding_mode="border", align_corners=False)

    def read(self, lines: Tensor) -> Tensor:
        """(b, 3, 32, 128) normalized to (b, 32, vocabulary + 1) logits; the blank is last."""
        features = self.recognizer.feat_extractor(lines)
        channels, rows, columns = features.shape[1:]
        sequence = features.reshape(-1, channels * rows, columns).transpose(1, 2)
        return self.recognizer.linear(self.recognizer.decoder(sequence)[0])

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, and the corners of what was read: (b, 4, 2), top left then clockwise, 0..1 across the crop."""
        frames = self.localizer(crops)[0]
        centre, along, down = frames[:, 0:2], frames[:, 2:4], frames[:, 4:6]
        corners = [centre - along - down, centre + along - down, centre + along + down, centre - along + down]
        return self.read(self.rectify(crops, frames)), (torch.stack(corners, 1) + 1) / 2


def decode(logits: Tensor) -> list[str]:
    """Best path: drop repetitions, then blanks."""
    texts = []
    for row in logits.argmax(-1).tolist():
        kept = [c for at, c in enumerate(row) if c != BLANK and (at == 0 or row[at - 1] != c)]
        texts.append("".join(VOCABULARY[c] for c in kept))
    return texts


def frame_loss(frames: Tensor, votes: Tensor, centres: Tensor, truth: Tensor) -> Tensor:
    """Distance of frames, in units of the true line's half sides, and the share of votes from cells beside the line."""
    half = torch.stack([truth[:, 2], truth[:, 5]], 1)
    centre = F.smooth_l1_loss(frames[:, :2] / half, truth[:, :2] / half, beta=0.1)
    length = F.smooth_l1_loss(frames[:, 2].log(), truth[:, 2].log(), beta=0.1)
    height = F.smooth_l1_loss(frames[:, 5].log(), truth[:, 5].log(), beta=0.1)
    slope = F.smooth_l1_loss(frames[:, 3] / half[:, 1], truth[:, 3] / half[:, 1], beta=0.1)
    slant = F.smooth_l1_loss(frames[:, 4] / half[:, 1], truth[:, 4] / half[:, 1], beta=0.1)
    offset = (centres[None] - truth[:, None, :2]).abs() - half[:, None]
    cell = torch.tensor([1 / 32, 1 / 8], device=frames.device)
    inside = (offset < cell).all(-1)
    beside = votes.logsumexp(1) - votes.masked_fill(~inside, -30).logsumexp(1)
    return 2 * centre + length + height + slope + slant + 0.2 * beside.mean()


def _jittered(truth: Tensor) -> Tensor:
    noise = torch.randn_like(truth)
    half = torch.stack([truth[:, 2], truth[:, 5]], 1)
    centre = truth[:, :2] + noise[:, :2] * half * torch.tensor([0.02, 0.07])
    along = truth[:, 2:4] * (1 + 0.04 * noise[:, 2:3])
    down = truth[:, 4:6] * (1 + 0.09 * noise[:, 5:6])
    along = along + torch.stack([torch.zeros_like(along[:, 0]), noise[:, 3] * 0.05 * half[:, 1]], 1)
    down = down + torch.stack([noise[:, 4] * 0.08 * half[:, 1], torch.zeros_like(along[:, 0])], 1)
    return torch.cat([centre, along, down], 1)


def normalize(rgb: Tensor) -> Tensor:
    """(b, 3, h, w) in 0..1 to the network's range."""
    return (rgb - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def _varied(rgb: Tensor) -> Tensor:
    """Contrast, brightness, tint, inversion and noise, so that a pool may be read more than once."""
    count = len(rgb)
    contrast = torch.rand(count, 1, 1, 1) * 0.7 + 0.6
    bright = (torch.rand(count, 1, 1, 1) - 0.5) * 0.3
    tint = 1 + (torch.rand(count, 3, 1, 1) - 0.5) * 0.4 * (torch.rand(count, 1, 1, 1) < 0.2)
    rgb = ((rgb - 0.5) * contrast + 0.5 + bright) * tint
    rgb = torch.where(torch.rand(count, 1, 1, 1) < 0.06, 1 - rgb, rgb)
    rgb = rgb + torch.randn_like(rgb) * (torch.rand(count, 1, 1, 1) * 0.04 - 0.02).clamp_min(0)
    return rgb.clamp(0, 1)


def ctc_loss(logits: Tensor, texts: list[str]) -> Tensor:
    """Mean CTC loss, infinite rows (a text too long for 32 steps) left out."""
    targets = [[VOCABULARY.index(c) for c in text] for text in texts]
    lengths = torch.tensor([len(target) for target in targets])
    flat = torch.tensor([c for target in targets for c in target])
    steps = torch.full((len(texts),), logits.shape[1])
    log_probability = logits.float().log_softmax(-1).transpose(0, 1)
    return F.ctc_loss(log_probability, flat, steps, lengths, blank=BLANK, zero_infinity=True)


def make_pool(rng: random.Random, frames_folder: Path | None, size: int, unseen: bool, words: float) -> Samples:
    """One pool file of crops."""
    frames = _frames(frames_folder)
    samples = [crop_sample(rng, frames, unseen, words) for _ in range(size)]
    return {
        "rgb": np.stack([sample.rgb for sample in samples]),
        "text": np.array([sample.text for sample in samples]),
        "frame": np.stack([sample.frame for sample in samples]),
    }


_FRAMES: dict[Path, list] = {}


def _frames(folder: Path | None) -> list:
    if folder is None:
        return []
    if folder not in _FRAMES:
        _FRAMES[folder] = load_frames(folder, "train")
    return _FRAMES[folder]


@torch.no_grad()
def exact_match(model: PlateReader, samples: Samples) -> float:
    """Share of crops read without an error, case ignored."""
    model.eval()
    right = 0
    for start in range(0, len(samples["text"]), 64):
        rgb = torch.from_numpy(samples["rgb"][start : start + 64]).permute(0, 3, 1, 2).float() / 255
        read = decode(model(normalize(rgb))[0])
        truth = samples["text"][start : start + 64]
        right += sum(a.upper() == str(b).upper() for a, b in zip(read, truth, strict=True))
    model.train()
    return right / len(samples["text"])


def train(arguments: argparse.Namespace) -> None:
    """Train for `--seconds`, saving averaged weights once in a while."""
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    model = PlateReader()
    if arguments.recognizer:
        load_weights(model.recognizer, arguments.recognizer)
    if arguments.resume:
        load_weights(model, arguments.resume)
    model.to(memory_format=torch.channels_last).train()
    optimizer, averaged = optimizer_for(model, arguments.rate, 0.01), AveragedWeights(model)
    pools, held_out = PoolReader(arguments.pools, arguments.seed), None
    if arguments.check:
        with np.load(arguments.check) as arrays:
            held_out = {name: values[:384] for name, values in arrays.items()}
    started, step, smooth, checked = time.time(), 0, np.zeros(2), time.time()
    while (progress := (time.time() - started) / arguments.seconds) < 1:
        set_rate(optimizer, arguments.rate, step, progress)
        batch = pools.draw(arguments.batch)
        rgb = torch.from_numpy(batch["rgb"]).permute(0, 3, 1, 2).float() / 255
        crops = normalize(_varied(rgb)).contiguous(memory_format=torch.channels_last)
        truth = torch.from_numpy(batch["frame"])
        with torch.autocast("cpu", torch.bfloat16):  # 2.4 times faster; the recognizer's small layers gain nothing
            found, votes, centres = model.localizer(crops)
        located = frame_loss(found, votes, centres, truth)
        own = torch.rand(len(truth), 1) < (0.7 if arguments.resume else min(0.7, max(0.0, 3 * progress - 0.3)))
        # Detached: letting CTC steer the frames as well made both worse.
        logits = model.read(model.rectify(crops, torch.where(own, found.detach(), _jittered(truth))))
        read = ctc_loss(logits, [str(text) for text in batch["text"]])
        optimizer.zero_grad()
        (read + 0.5 * located).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        averaged.update(model)
        step += 1
        losses = np.array([read.item(), located.item()])
        smooth = losses if step == 1 else 0.98 * smooth + 0.02 * losses
        if step % 50 == 0:
            pools.refresh()
            averaged.save(arguments.out)
            spent = time.process_time()
            print(f"{step} {time.time() - started:.0f} s, CPU {spent:.0f} s, read {smooth[0]:.3f}, "
                  f"located {smooth[1]:.3f}", flush=True)  # fmt: skip
        if held_out is not None and time.time() - checked > 240:
            checked, present = time.time(), {name: value.clone() for name, value in model.state_dict().items()}
            model.load_state_dict(averaged.state)
            print(f"  held out: {exact_match(model, held_out):.3f}", flush=True)
            model.load_state_dict(present)
    averaged.save(arguments.out)


def main() -> None:
    """`generate` keeps a folder of pools fresh; `train` learns from it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    generate = commands.add_parser("generate")
    generate.add_argument("--frames", type=Path, help="folder of plates-ro; its train frames stand round plates")
    generate.add_argument("--size", type=int, default=1500, help="crops in a file")
    generate.add_argument("--files", type=int, default=12)
    generate.add_argument("--rest-s", type=float, default=0.0, help="pause after each file, for the sake of others")
    generate.add_argument("--rounds", type=int, help="stop after so many rounds over all files")
    generate.add_argument("--unseen", action="store_true", help="letter in faces that are kept out of training")
    generate.add_argument("--words", type=float, default=0.2, help="share of ordinary words")
    learn = commands.add_parser("train")
    learn.add_argument("--seconds", type=float, default=2400)
    learn.add_argument("--batch", type=int, default=64)
    learn.add_argument("--rate", type=float, default=1.2e-3)
    learn.add_argument("--recognizer", type=Path, help="weights of the bare recognizer to start from")
    learn.add_argument("--resume", type=Path, help="weights of an earlier run of this command")
    learn.add_argument("--check", type=Path, help="a pool file to report exact match on")
    learn.add_argument("--out", type=Path, required=True)
    for command in (generate, learn):
        command.add_argument("--pools", type=Path, required=True)
        command.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.command == "train":
        return train(arguments)
    rng = random.Random(arguments.seed)
    return keep_fresh(
        arguments.pools,
        lambda: make_pool(rng, arguments.frames, arguments.size, arguments.unseen, arguments.words),
        arguments.files,
        arguments.rounds,
        arguments.rest_s,
    )


if __name__ == "__main__":
    main()
