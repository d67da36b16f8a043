"""Make a trained reader cheaper to run without training it again: narrower convolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.plate_reader import LineLocalizer

NARROW = {"vote.0": 24, "fine.3": 32, "fine.4": 32}  # channels that each layer's convolution is led through


def _split(convolution: nn.Conv2d, outputs: Tensor, channels: int) -> nn.Sequential:
    """A convolution to a few channels and a 1 x 1 back, nearest to the whole in what it gave for some inputs."""
    flat = outputs.transpose(0, 1).flatten(1)
    mean = flat.mean(1)
    centred = flat - mean[:, None]
    basis = torch.linalg.eigh(centred @ centred.T)[1].flip(1)[:, :channels]
    inwards = nn.Conv2d(convolution.in_channels, channels, 3, padding=1, bias=False)
    inwards.weight.data = torch.einsum("or,oihw->rihw", basis, convolution.weight)
    back = nn.Conv2d(channels, convolution.out_channels, 1)
    back.weight.data = basis[:, :, None, None].clone()
    back.bias.data = mean - basis @ (basis.T @ mean)
    return nn.Sequential(inwards, back)


@torch.no_grad()
def narrow(localizer: LineLocalizer, crops: Tensor) -> None:
    """Split the localizer's wide convolutions along the principal components of what they give for some crops.

    Args:
        localizer: changed in place.
        crops: (b, 3, 64, 256) normalized, of the kind that it will see.
    """
    for name, channels in NARROW.items():
        block = localizer.get_submodule(name)
        seen: list[Tensor] = []
        hook = block[0].register_forward_hook(lambda _layer, _inputs, outputs, seen=seen: seen.append(outputs))
        localizer(crops)
        hook.remove()
        block[0] = _split(block[0], seen[0], channels)
