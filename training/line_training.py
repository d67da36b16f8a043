"""Train the recognizer alone, on the lines of `line_pools.py`.

The localizer's weights pass through unchanged, so that what is written is a whole reader.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from training.compact import calibration_crops, narrow_decoder
from training.line_pools import to_rgb
from training.plate_reader import NarrowDecoder, PlateReader, load_reader, normalize
from training.pools import PoolReader, Samples
from training.reading_losses import ctc_loss, varied
from training.schedule import AveragedWeights, optimizer_for, set_rate
from training.spaced_lines import spaced_batch, stepwise_loss
from training.text_recognizer import exact_match

CHECK_S = 300


def _held_out(paths: list[Path]) -> dict[str, Samples]:
    pools = {}
    for path in paths:
        with np.load(path) as arrays:
            pools[path.parent.name] = dict(arrays)
    return pools


def warm_up(reader: PlateReader, optimizer: torch.optim.Optimizer, arguments: argparse.Namespace) -> None:
    """Teach single letters, step by step, until CTC can find the rest itself."""
    rng = random.Random(arguments.seed)
    for step in range(arguments.warm_up):
        set_rate(optimizer, arguments.rate, step, 0.0)
        drawn, classes = spaced_batch(rng, arguments.batch)
        lines = normalize(varied(to_rgb(drawn))).contiguous(memory_format=torch.channels_last)
        loss = stepwise_loss(reader.read(lines), classes)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(reader.recognizer.parameters(), 5.0)
        optimizer.step()
        if step % 50 == 49:
            print(f"warm-up {step + 1}, CPU {time.process_time():.0f} s, loss {loss.item():.3f}", flush=True)


def main() -> None:
    """Train for `--seconds`, saving averaged weights once in a while."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pools", type=Path, required=True)
    parser.add_argument("--resume", type=Path, help="weights of a whole reader; random ones when left out")
    parser.add_argument("--narrow", action="store_true", help="give the LSTM layers fewer numbers a step from now on")
    parser.add_argument("--warm-up", type=int, default=0, help="steps on lines whose letters have known places, first")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--check", type=Path, nargs="*", default=[], help="pool files of whole crops to report exact match on"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    reader = load_reader(arguments.resume) if arguments.resume else PlateReader()
    if arguments.narrow:
        if isinstance(reader.recognizer.decoder, NarrowDecoder):
            parser.error(f"the decoder of {arguments.resume} is narrow already; leave --narrow out")
        narrow_decoder(reader.eval(), calibration_crops())
    reader.to(memory_format=torch.channels_last).train()
    for parameter in reader.localizer.parameters():
        parameter.requires_grad_(False)
    optimizer, averaged = optimizer_for(reader.recognizer, arguments.rate, 0.01), AveragedWeights(reader)
    warm_up(reader, optimizer, arguments)
    pools, held_out = PoolReader(arguments.pools, arguments.seed), _held_out(arguments.check)
    started = checked = time.time()
    step, smooth = 0, 0.0
    while (progress := (time.time() - started) / arguments.seconds) < 1:
        set_rate(optimizer, arguments.rate, step, progress)
        batch = pools.draw(arguments.batch)
        lines = normalize(varied(to_rgb(torch.from_numpy(batch["line"]))))
        logits = reader.read(lines.contiguous(memory_format=torch.channels_last))
        loss = ctc_loss(logits, [str(text) for text in batch["text"]])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(reader.recognizer.parameters(), 5.0)
        optimizer.step()
        averaged.update(reader)
        step += 1
        smooth = loss.item() if step == 1 else 0.98 * smooth + 0.02 * loss.item()
        if step % 50 == 0:
            pools.refresh()
            averaged.save(arguments.out)
            spent = time.process_time()
            print(f"{step} {time.time() - started:.0f} s, CPU {spent:.0f} s, read {smooth:.3f}", flush=True)
        if held_out and time.time() - checked > CHECK_S:
            checked, present = time.time(), {name: value.clone() for name, value in reader.state_dict().items()}
            reader.load_state_dict(averaged.state)
            shares = ", ".join(f"{name} {exact_match(reader, samples):.3f}" for name, samples in held_out.items())
            print(f"  held out: {shares}", flush=True)
            reader.load_state_dict(present)
    averaged.save(arguments.out)


if __name__ == "__main__":
    main()
