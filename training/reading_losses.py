"""What the recognizer is trained with: losses, and the ways in which samples are varied."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from training.plate_reader import BLANK
from training.plate_texts import VOCABULARY


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


def jittered(truth: Tensor) -> Tensor:
    """Frames near the true ones."""
    noise = torch.randn_like(truth)
    half = torch.stack([truth[:, 2], truth[:, 5]], 1)
    centre = truth[:, :2] + noise[:, :2] * half * torch.tensor([0.02, 0.07])
    along = truth[:, 2:4] * (1 + 0.04 * noise[:, 2:3])
    down = truth[:, 4:6] * (1 + 0.09 * noise[:, 5:6])
    along = along + torch.stack([torch.zeros_like(along[:, 0]), noise[:, 3] * 0.05 * half[:, 1]], 1)
    down = down + torch.stack([noise[:, 4] * 0.08 * half[:, 1], torch.zeros_like(along[:, 0])], 1)
    return torch.cat([centre, along, down], 1)


def varied(rgb: Tensor) -> Tensor:
    """Contrast, brightness, tint, inversion and noise, so that a pool may be read more than once."""
    count = len(rgb)
    contrast = torch.rand(count, 1, 1, 1) * 0.7 + 0.6
    bright = (torch.rand(count, 1, 1, 1) - 0.5) * 0.3
    tint = 1 + (torch.rand(count, 3, 1, 1) - 0.5) * 0.4 * (torch.rand(count, 1, 1, 1) < 0.2)
    rgb = ((rgb - 0.5) * contrast + 0.5 + bright) * tint
    rgb = torch.where(torch.rand(count, 1, 1, 1) < 0.06, 1 - rgb, rgb)
    rgb = rgb + torch.randn_like(rgb) * (torch.rand(count, 1, 1, 1) * 0.04 - 0.02).clamp_min(0)
    return rgb.clamp(0, 1)


def ctc_losses(logits: Tensor, texts: list[str]) -> Tensor:
    """(b,) CTC losses, 0 where a text is too long for the steps."""
    targets = [[VOCABULARY.index(c) for c in text] for text in texts]
    lengths = torch.tensor([len(target) for target in targets])
    flat = torch.tensor([c for target in targets for c in target])
    steps = torch.full((len(texts),), logits.shape[1])
    log_probability = logits.float().log_softmax(-1).transpose(0, 1)
    return F.ctc_loss(log_probability, flat, steps, lengths, blank=BLANK, reduction="none", zero_infinity=True)


def ctc_loss(logits: Tensor, texts: list[str]) -> Tensor:
    """Mean of the losses, each for a character of its text."""
    lengths = torch.tensor([max(1, len(text)) for text in texts])
    return (ctc_losses(logits, texts) / lengths).mean()
