"""What both trainers share: a learning rate that ends in time, averaged weights, checkpoints."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn


def optimizer_for(model: nn.Module, rate: float, decay: float) -> torch.optim.AdamW:
    """AdamW that decays matrices and kernels, and leaves biases and norms alone."""
    kernels = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": kernels, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, rate, betas=(0.9, 0.98))


def set_rate(optimizer: torch.optim.Optimizer, peak: float, step: int, progress: float) -> None:
    """Warm up over 100 steps, then half a cosine to 1 % of the peak at progress 1."""
    rate = peak * min(1.0, (step + 1) / 100) * (0.5 * (1 + math.cos(math.pi * min(1.0, progress))) + 0.01)
    for group in optimizer.param_groups:
        group["lr"] = rate


def fast_bfloat16() -> bool:
    """Whether this processor computes bfloat16 itself; where it does not, autocast is ten times slower than float32."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def load_weights(model: nn.Module, path: Path) -> None:
    """Read what `AveragedWeights.save` wrote into a model of the same architecture."""
    model.load_state_dict(load_file(path))


class AveragedWeights:
    """An exponential moving average of a model's state, which is what gets shipped."""

    def __init__(self, model: nn.Module, decay: float = 0.998) -> None:
        self._decay, self._steps = decay, 0
        self.state = {name: value.clone() for name, value in model.state_dict().items()}

    def update(self, model: nn.Module) -> None:
        """Move towards the model's present state; faster in the first steps."""
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        for name, value in model.state_dict().items():
            if value.dtype.is_floating_point:
                self.state[name].mul_(decay).add_(value, alpha=1 - decay)
            else:
                self.state[name].copy_(value)

    def save(self, path: Path) -> None:
        """Write the averaged state; a stop in the middle leaves the previous file."""
        part = path.with_suffix(".part")
        save_file({name: value.contiguous() for name, value in self.state.items()}, part)
        part.replace(path)
