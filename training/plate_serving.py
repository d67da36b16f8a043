"""The plate detector's graph as it is served: the same answers in fewer and cheaper operations.

Batch normalization is folded; a convolution whose output is split becomes two, so that no channels are moved between
memory layouts; the two scales that a block joins are multiplied apart and added.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.plate_network import JoiningBlock, PlateDetector, SplitBlock

TOLERANCE = 1e-3  # of logits and pixels, on noise


def _part(whole: nn.Conv2d, outputs: slice, inputs: slice, bias: bool) -> nn.Conv2d:
    """The convolution by some output and input channels of a 1 x 1 convolution."""
    weight = whole.weight.detach()[outputs, inputs]
    part = nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=bias)
    part.weight.data = weight.clone()
    if part.bias is not None and whole.bias is not None:
        part.bias.data = whole.bias.detach()[outputs].clone()
    return part


class ServedBlock(nn.Module):
    """A `SplitBlock` or `JoiningBlock` in evaluation."""

    def __init__(self, block: SplitBlock) -> None:
        super().__init__()
        whole = fuse_conv_bn_eval(block.enter[0], block.enter[1])
        half, inputs = whole.out_channels // 2, whole.in_channels
        self.coarse = block.coarse if isinstance(block, JoiningBlock) else 0
        halves, below, beside = (slice(half), slice(half, None)), slice(self.coarse), slice(self.coarse, inputs)
        self.below = nn.ModuleList(_part(whole, half, below, bias=False) for half in halves if self.coarse)
        self.beside = nn.ModuleList(_part(whole, half, beside, bias=True) for half in halves)
        self.stages, self.leave, self.residual = block.stages, block.leave, block.residual

    def forward(self, x: Tensor, fine: Tensor | None = None) -> Tensor:
        """As the block that it was made from."""
        if fine is None:
            parts = [F.relu(beside(x)) for beside in self.beside]
        else:
            coarse = [F.interpolate(below(x), scale_factor=2.0) for below in self.below]
            parts = [F.relu(low + beside(fine)) for low, beside in zip(coarse, self.beside, strict=True)]
        for stage in self.stages:
            y = stage(parts[-1])
            parts.append(y + parts[-1] if self.residual else y)
        return self.leave(torch.cat(parts, 1))


def served_form(detector: PlateDetector) -> PlateDetector:
    """A copy with cheaper blocks.

    Raises:
        ValueError: the copy answers otherwise than the detector.
    """
    served = copy.deepcopy(detector).eval()
    for stage in (served.stem, served.stage8, served.stage16, served.stage32):
        if isinstance(stage[-1], SplitBlock):
            stage[-1] = ServedBlock(stage[-1])
    served.neck16, served.neck8 = ServedBlock(served.neck16), ServedBlock(served.neck8)
    noise = torch.rand(1, 3, 320, 256, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        answers = zip(detector.eval()(noise), served(noise), strict=True)
        apart = max((ours - theirs).abs().max().item() for ours, theirs in answers)
    if apart > TOLERANCE:
        raise ValueError(f"the served form differs from the detector by {apart:.2g}, more than {TOLERANCE:.0g}")
    return served


class YoloOutput(nn.Module):
    """Detections as YOLOv8 gives them: (b, 5, n) centre x, y, width, height in pixels, and the score.

    Args:
        detector: what is served.
        shift: added to the logits, so that the threshold found best in evaluation becomes the default confidence.
    """

    def __init__(self, detector: PlateDetector, shift: float) -> None:
        super().__init__()
        self.detector, self.shift = detector, shift

    def forward(self, images: Tensor) -> Tensor:
        """(b, 3, h, w) in 0..1 to (b, 5, n)."""
        logits, distances, centres, _ = self.detector(images)
        before, behind = distances.chunk(2, 1)
        scores = (logits + self.shift).sigmoid()[:, None]
        return torch.cat([centres + (behind - before) / 2, before + behind, scores], 1)
