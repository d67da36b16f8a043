"""Pools of lines for `line_training.py`; a trained reader may leave out most of those that teach it little."""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from training.line_samples import LineSample, line_samples
from training.plate_reader import PlateReader, load_reader, normalize
from training.pools import Samples, keep_fresh
from training.reading_losses import ctc_losses

TWO_LINE = 0.05
EASY_LOSS, HOPELESS_LOSS = 0.15, 14.0  # of a whole text
EASY_SHARE, HOPELESS_SHARE = 0.25, 0.2
CHUNK = 96


def to_rgb(lines: Tensor) -> Tensor:
    """(n, 32, 128, 3) uint8 to (n, 3, 32, 128) in 0..1."""
    return lines.permute(0, 3, 1, 2).float() / 255


@torch.no_grad()
def _instructive(reader: PlateReader, samples: list[LineSample]) -> list[LineSample]:
    """What is left when only a share is kept of lines that are read without effort, or that nobody could read."""
    lines = normalize(to_rgb(torch.from_numpy(np.stack([sample.rgb for sample in samples]))))
    losses = ctc_losses(reader.read(lines), [sample.text for sample in samples])
    share = torch.ones_like(losses)
    share[losses < EASY_LOSS] = EASY_SHARE
    share[losses > HOPELESS_LOSS] = HOPELESS_SHARE
    kept = torch.rand_like(losses) < share
    return [sample for sample, keep in zip(samples, kept.tolist(), strict=True) if keep]


def main() -> None:
    """Keep a folder of pools fresh."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pools", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=1500, help="lines in a file")
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--rounds", type=int, help="stop after so many rounds over all files")
    parser.add_argument("--words", type=float, default=0.35, help="share of ordinary words")
    parser.add_argument("--thin", type=Path, help="weights of a reader that leaves out most lines that it reads easily")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    rng = random.Random(arguments.seed)
    reader = load_reader(arguments.thin).eval() if arguments.thin else None

    def make() -> Samples:
        kept: list[LineSample] = []
        while len(kept) < arguments.size:
            drawn: list[LineSample] = []
            while len(drawn) < CHUNK:
                drawn += line_samples(rng, False, arguments.words, TWO_LINE)
            kept += _instructive(reader, drawn) if reader else drawn
        rng.shuffle(kept)
        return {
            "line": np.stack([sample.rgb for sample in kept]),
            "text": np.array([sample.text for sample in kept]),
        }

    keep_fresh(arguments.pools, make, arguments.files, arguments.rounds)


if __name__ == "__main__":
    main()
