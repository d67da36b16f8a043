"""The plate detector's network: compact, anchor-free, output layout of YOLOv8."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

STRIDES = (8, 16, 32)
REACH = 2.0  # a side that lies softplus(0) * REACH strides away is what an untrained head says


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How wide a detector is.

    Attributes:
        widths: channels at strides 2, 4, 8, 16 and 32.
        head_width: channels of each head.
        stem_block: a block of convolutions at stride 4, where a channel costs most.
    """

    widths: tuple[int, int, int, int, int]
    head_width: int
    stem_block: bool


WIDE = Plan(widths=(16, 32, 64, 96, 128), head_width=48, stem_block=True)  # 0.75 M parameters
SLIM = Plan(widths=(8, 24, 48, 64, 96), head_width=32, stem_block=False)  # 0.38 M, at half the cost


def convolution(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, batch normalization, ReLU; the output has 1 / stride of the input's sides."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03),
        nn.ReLU(inplace=True),
    )


class SplitBlock(nn.Module):
    """A cross-stage block: half the channels pass through `depth` pairs of convolutions, and all stages are joined."""

    def __init__(self, inputs: int, outputs: int, depth: int = 1, residual: bool = True) -> None:
        super().__init__()
        half = outputs // 2
        self.residual = residual
        self.enter = convolution(inputs, outputs, 1)
        self.stages = nn.ModuleList(
            nn.Sequential(convolution(half, half), convolution(half, half)) for _ in range(depth)
        )
        self.leave = convolution(outputs + depth * half, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(b, inputs, h, w) to (b, outputs, h, w)."""
        return self.pass_on(self.enter(x))

    def pass_on(self, entered: Tensor) -> Tensor:
        """What follows the first convolution."""
        parts = list(entered.chunk(2, 1))
        for stage in self.stages:
            y = stage(parts[-1])
            parts.append(y + parts[-1] if self.residual else y)
        return self.leave(torch.cat(parts, 1))


class JoiningBlock(SplitBlock):
    """A block over two scales; its first convolution spans both, and the coarse one's share precedes the scaling."""

    def __init__(self, coarse: int, fine: int, outputs: int) -> None:
        super().__init__(coarse + fine, outputs, 1, residual=False)
        self.coarse = coarse

    def forward(self, x: Tensor, fine: Tensor | None = None) -> Tensor:
        """(b, coarse, h, w) and (b, fine, 2h, 2w) to (b, outputs, 2h, 2w)."""
        kernel, normalize, activate = self.enter
        below = F.conv2d(x, kernel.weight[:, : self.coarse])
        entered = F.interpolate(below, scale_factor=2.0) + F.conv2d(fine, kernel.weight[:, self.coarse :])
        return self.pass_on(activate(normalize(entered)))


class PlateDetector(nn.Module):
    """Backbone, one-way neck, and one small head a stride."""

    def __init__(self, plan: Plan = SLIM) -> None:
        super().__init__()
        self.plan = plan
        a, b, c, d, e = plan.widths
        head = plan.head_width
        blocks = [SplitBlock(b, b)] if plan.stem_block else []
        self.stem = nn.Sequential(convolution(3, a, 3, 2), convolution(a, b, 3, 2), *blocks)
        self.stage8 = nn.Sequential(convolution(b, c, 3, 2), SplitBlock(c, c, 2))
        self.stage16 = nn.Sequential(convolution(c, d, 3, 2), SplitBlock(d, d, 2))
        self.stage32 = nn.Sequential(convolution(d, e, 3, 2), SplitBlock(e, e))
        self.pool = nn.ModuleList([convolution(e, e // 2, 1), convolution(e * 2, e, 1)])
        self.neck16, self.neck8 = JoiningBlock(e, d, d), JoiningBlock(d, c, c)
        self.heads = nn.ModuleList(
            nn.ModuleList([convolution(width, head), nn.Conv2d(head, 1, 1), nn.Conv2d(head, 4, 1)])
            for width in (c, d, e)
        )
        for head, stride in zip(self.heads, STRIDES, strict=True):
            nn.init.constant_(head[1].bias, -4.6 + np.log(stride / 8))
            nn.init.zeros_(head[2].weight)
            nn.init.constant_(head[2].bias, 1.0)

    def features(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Feature maps at strides 8, 16 and 32."""
        at8 = self.stage8(self.stem(images))
        at16 = self.stage16(at8)
        x = self.pool[0](self.stage32(at16))
        y = F.max_pool2d(x, 5, 1, 2)
        z = F.max_pool2d(y, 5, 1, 2)
        at32 = self.pool[1](torch.cat([x, y, z, F.max_pool2d(z, 5, 1, 2)], 1))
        at16 = self.neck16(at32, at16)
        return self.neck8(at16, at8), at16, at32

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Find plates in (b, 3, h, w) RGB in 0..1, sides multiples of 32; what `decode` returns."""
        return self.decode(self.features(images))

    def decode(self, maps: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What the feature maps say of each cell.

        Returns:
            (b, n) logits; (b, 4, n) distances from a cell's centre to the left, top, right and bottom side, pixels;
            (2, n) cell centres in pixels; (n,) strides.
        """
        logits, distances, centres, strides = [], [], [], []
        for features, stride, (trunk, score, sides) in zip(maps, STRIDES, self.heads, strict=True):
            x = trunk(features)
            rows, columns = features.shape[2:]
            y, x_ = torch.meshgrid(
                torch.arange(rows, device=x.device), torch.arange(columns, device=x.device), indexing="ij"
            )
            centres.append((torch.stack([x_, y]).flatten(1).float() + 0.5) * stride)
            distances.append(F.softplus(sides(x).flatten(2).float()) * (stride * REACH))
            logits.append(score(x).flatten(1).float())
            strides.append(torch.full((rows * columns,), float(stride), device=x.device))
        return torch.cat(logits, 1), torch.cat(distances, 2), torch.cat(centres, 1), torch.cat(strides)


def corners(distances: Tensor, centres: Tensor) -> Tensor:
    """(b, 4, n) distances and (2, n) centres to (b, n, 4) xyxy."""
    return torch.cat([centres - distances[:, :2], centres + distances[:, 2:]], 1).transpose(1, 2)


def load_detector(path: Path) -> PlateDetector:
    """A detector from its weights, of the plan that they are of."""
    state = load_file(path)
    detector = PlateDetector(WIDE if "stem.2.enter.0.weight" in state else SLIM)
    detector.load_state_dict(state)
    return detector
