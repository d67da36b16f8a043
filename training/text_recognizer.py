"""Train localizer and recognizer together on whole crops; `line_training.py` goes on with the recognizer alone."""

from __future__ import annotations

import argparse
import random
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from torch import nn

from training.backgrounds import Frame, load_frames
from training.crop_samples import crop_sample
from training.plate_reader import PlateReader, decode, load_reader, normalize
from training.pools import PoolReader, Samples, keep_fresh
from training.reading_losses import ctc_loss, frame_loss, jittered, varied
from training.schedule import AveragedWeights, fast_bfloat16, optimizer_for, set_rate


def draw_crops(rng: random.Random, frames: list[Frame], size: int, unseen: bool, words: float) -> Samples:
    """A pool of crops."""
    samples = [crop_sample(rng, frames, unseen, words) for _ in range(size)]
    return {
        "rgb": np.stack([sample.rgb for sample in samples]),
        "text": np.array([sample.text for sample in samples]),
        "frame": np.stack([sample.frame for sample in samples]),
    }


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
    model = load_reader(arguments.resume) if arguments.resume else PlateReader()
    if arguments.recognizer:
        model.recognizer = load_reader(arguments.recognizer).recognizer
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
        crops = normalize(varied(rgb)).contiguous(memory_format=torch.channels_last)
        truth = torch.from_numpy(batch["frame"])
        # The recognizer's small layers gain nothing from it.
        with torch.autocast("cpu", torch.bfloat16) if fast_bfloat16() else nullcontext():
            found, votes, centres = model.localizer(crops)
        located = frame_loss(found, votes, centres, truth)
        own = torch.rand(len(truth), 1) < (0.7 if arguments.resume else min(0.7, max(0.0, 3 * progress - 0.3)))
        # Detached: letting CTC steer the frames as well made both worse.
        logits = model.read(model.rectify(crops, torch.where(own, found.detach(), jittered(truth))))
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
    learn.add_argument(
        "--recognizer",
        type=Path,
        help="weights of a reader whose recognizer alone is taken over",
    )
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
    frames = load_frames(arguments.frames, "train") if arguments.frames else []
    return keep_fresh(
        arguments.pools,
        lambda: draw_crops(rng, frames, arguments.size, arguments.unseen, arguments.words),
        arguments.files,
        arguments.rounds,
        arguments.rest_s,
    )


if __name__ == "__main__":
    main()
