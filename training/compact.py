"""Make a trained reader cheaper to run without training it again: narrower convolutions, less for its LSTMs to read."""

from __future__ import annotations

import random

import torch
from torch import Tensor, nn

from training.plate_reader import LineLocalizer, NarrowDecoder, PlateReader, normalize
from training.text_recognizer import draw_crops

NARROW = {"vote.0": 24, "fine.3": 32, "fine.4": 32}  # channels that each layer's convolution is led through
HEARD = (96, 96)  # numbers a step that each LSTM layer is given, instead of 576 and 256
CALIBRATION_CROPS, CALIBRATION_SEED = 200, 8_000_001


def calibration_crops() -> Tensor:
    """(n, 3, 64, 256) normalized crops as a reader sees them, for what is made narrower by what it gives."""
    samples = draw_crops(random.Random(CALIBRATION_SEED), [], CALIBRATION_CROPS, unseen=False, words=0.35)
    return normalize(torch.from_numpy(samples["rgb"]).permute(0, 3, 1, 2).float() / 255)


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


def _layer(decoder: nn.LSTM, depth: int) -> nn.LSTM:
    """One layer of several, alone."""
    inputs = decoder.input_size if depth == 0 else 2 * decoder.hidden_size
    alone = nn.LSTM(inputs, decoder.hidden_size, batch_first=True, bidirectional=True)
    weights = decoder.state_dict()
    for name in alone.state_dict():
        getattr(alone, name).data = weights[name.replace("l0", f"l{depth}")].clone()
    return alone


def _narrow_layer(whole: nn.LSTM, steps: Tensor, heard: int) -> tuple[nn.Linear, nn.LSTM]:
    """A projection, and the layer behind it, nearest to the layer in what its gates get for some inputs."""
    flat = steps.reshape(-1, steps.shape[-1])
    mean = flat.mean(0)
    values, vectors = torch.linalg.eigh((flat - mean).T @ (flat - mean) / len(flat))
    spread = values.clamp_min(1e-8).sqrt()
    gates = torch.cat([whole.weight_ih_l0, whole.weight_ih_l0_reverse])
    left, strength, right = torch.linalg.svd(gates @ vectors * spread, full_matrices=False)
    inwards = nn.Linear(steps.shape[-1], heard)
    inwards.weight.data = right[:heard] / spread @ vectors.T
    inwards.bias.data = -inwards.weight @ mean
    narrow_gates = left[:, :heard] * strength[:heard]
    behind = nn.LSTM(heard, whole.hidden_size, batch_first=True, bidirectional=True)
    weights, half = whole.state_dict(), len(gates) // 2
    for direction, part in (("", slice(None, half)), ("_reverse", slice(half, None))):
        weights[f"weight_ih_l0{direction}"] = narrow_gates[part]
        weights[f"bias_ih_l0{direction}"] = weights[f"bias_ih_l0{direction}"] + gates[part] @ mean
    behind.load_state_dict(weights)
    return inwards, behind


@torch.no_grad()
def narrow_decoder(reader: PlateReader, crops: Tensor) -> None:
    """Give the LSTM layers of a reader no more than what their gates can tell apart for some crops.

    A layer's gates are a product of a matrix and what it reads; that of the lowest rank which gives nearly the same is
    found among the features as they are spread (a singular value decomposition behind a whitening).

    Args:
        reader: changed in place.
        crops: (b, 3, 64, 256) normalized, of the kind that it will see.
    """
    seen: list[Tensor] = []
    hook = reader.recognizer.decoder.register_forward_hook(lambda _layer, inputs, _outputs: seen.append(inputs[0]))
    reader(crops)
    hook.remove()
    steps, layers = seen[0], []
    for depth, heard in enumerate(HEARD):
        whole = _layer(reader.recognizer.decoder, depth)
        layers.append(_narrow_layer(whole, steps, heard))
        steps = whole(steps)[0]
    reader.recognizer.decoder = NarrowDecoder([inwards for inwards, _ in layers], [lstm for _, lstm in layers])
