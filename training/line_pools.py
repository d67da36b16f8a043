"""Lines of text as the recognizer gets them: crops whose line a trained localizer has framed already.

Nine tenths of a training step on whole crops would go into drawing them and into a localizer that has learnt what it
can. Each crop gives two lines: as the localizer frames it, and near its true frame.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from training.backgrounds import Frame, load_frames
from training.crop_samples import crop_sample
from training.plate_reader import PlateReader, normalize
from training.pools import Samples, keep_fresh
from training.reading_losses import ctc_losses, jittered
from training.schedule import load_weights

TWO_LINE = 0.05
CHUNK = 100
EASY_LOSS, HOPELESS_LOSS = 0.15, 14.0  # of a whole text
EASY_SHARE, HOPELESS_SHARE = 0.25, 0.2


def frames_hold(frames: Tensor, truth: Tensor) -> Tensor:
    """(n,) whether the text of each true frame stands whole inside a frame, and fills some of it."""
    axes = frames[:, 2:].reshape(-1, 2, 2).transpose(1, 2)
    along, down = 0.97 * truth[:, 2:4], 0.8 * truth[:, 4:6]  # the true frame without its margins
    corners = torch.stack([truth[:, :2] + x * along + y * down for x in (-1, 1) for y in (-1, 1)], 2)
    inside = torch.linalg.solve(axes, corners - frames[:, :2, None]).abs().amax(2)
    return (inside[:, 0] < 1.05) & (inside[:, 0] > 0.4) & (inside[:, 1] < 1.15) & (inside[:, 1] > 0.4)


def _instructive(losses: Tensor) -> Tensor:
    """(n,) which lines to keep: a share of those that are read without effort, or that nobody could read."""
    share = torch.ones_like(losses)
    share[losses < EASY_LOSS] = EASY_SHARE
    share[losses > HOPELESS_LOSS] = HOPELESS_SHARE
    return torch.rand_like(losses) < share


@torch.no_grad()
def framed_lines(reader: PlateReader, crops: Samples, thinned: bool) -> Samples:
    """(n, 3, 32, 128) uint8 lines and their texts, in mixed order; `thinned` leaves out much of what teaches little."""
    lines, texts = [], []
    for start in range(0, len(crops["text"]), CHUNK):
        rgb = torch.from_numpy(crops["rgb"][start : start + CHUNK]).permute(0, 3, 1, 2).float() / 255
        truth, names = torch.from_numpy(crops["frame"][start : start + CHUNK]), crops["text"][start : start + CHUNK]
        found = reader.localizer(normalize(rgb))[0]
        held = frames_hold(found, truth)
        for frames, kept in ((found, held), (jittered(truth), torch.ones(len(truth), dtype=torch.bool))):
            sampled, names_kept = reader.rectify(rgb[kept], frames[kept]), names[kept.numpy()]
            if thinned:
                chosen = _instructive(ctc_losses(reader.read(normalize(sampled)), [str(text) for text in names_kept]))
                sampled, names_kept = sampled[chosen], names_kept[chosen.numpy()]
            lines.append((sampled * 255).round().clamp(0, 255).to(torch.uint8).numpy())
            texts.append(names_kept)
    order = np.random.default_rng(len(texts)).permutation(sum(map(len, texts)))
    return {"line": np.concatenate(lines)[order], "text": np.concatenate(texts)[order]}


def draw_crops(
    rng: random.Random, frames: list[Frame], size: int, unseen: bool, words: float, two_line: float
) -> Samples:
    """A pool of crops."""
    samples = [crop_sample(rng, frames, unseen, words, two_line) for _ in range(size)]
    return {
        "rgb": np.stack([sample.rgb for sample in samples]),
        "text": np.array([sample.text for sample in samples]),
        "frame": np.stack([sample.frame for sample in samples]),
    }


def main() -> None:
    """Keep a folder of pools fresh."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=Path, help="folder of plates-ro; its train frames stand round plates")
    parser.add_argument("--reader", type=Path, required=True, help="weights whose localizer frames the lines")
    parser.add_argument("--pools", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=1500, help="crops in a file; about twice as many lines")
    parser.add_argument("--files", type=int, default=24)
    parser.add_argument("--rounds", type=int, help="stop after so many rounds over all files")
    parser.add_argument("--unseen", action="store_true", help="letter in faces that are kept out of training")
    parser.add_argument("--words", type=float, default=0.35, help="share of ordinary words")
    parser.add_argument("--thinned", action="store_true", help="leave out most lines that these weights read easily")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    rng, reader = random.Random(arguments.seed), PlateReader()
    load_weights(reader, arguments.reader)
    reader.eval()
    frames = load_frames(arguments.frames, "train") if arguments.frames else []

    def make() -> Samples:
        crops = draw_crops(rng, frames, arguments.size, arguments.unseen, arguments.words, TWO_LINE)
        return framed_lines(reader, crops, arguments.thinned)

    keep_fresh(arguments.pools, make, arguments.files, arguments.rounds)


if __name__ == "__main__":
    main()
