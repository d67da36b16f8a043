"""A cheaper plate detector out of a trained one: its strongest channels, which then learn to give what they gave there.

Sources: Liu et al., Network Slimming, 2017 (a channel's strength is the scale of its normalization); Romero et al.,
FitNets, 2015 (maps of a wider network as targets).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.plate_network import Plan, PlateDetector, SplitBlock

Maps = tuple[Tensor, Tensor, Tensor]


def _strength(layer: nn.Module) -> Tensor:
    """Of each channel of a normalized convolution."""
    scale: Tensor = layer[1].weight
    return scale.detach().abs()


def _strongest(strength: Tensor, count: int) -> Tensor:
    return strength.topk(count)[1].sort()[0]


def _copy(slim: nn.Module, wide: nn.Module, outputs: Tensor, inputs: Tensor) -> None:
    """Some channels of a normalized convolution."""
    slim[0].weight.data = wide[0].weight.detach()[outputs][:, inputs].clone()
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(slim[1], name).data = getattr(wide[1], name).detach()[outputs].clone()


def _copy_block(slim: SplitBlock, wide: SplitBlock, inputs: Tensor) -> Tensor:
    """Fill a block; the channels of the wide one that its outputs are."""
    outputs, half = slim.leave[0].out_channels, slim.enter[0].out_channels // 2
    entered = _strength(wide.enter)
    whole = len(entered) // 2
    beside = _strongest(entered[:whole], half)
    # What a stage gives is added to what it was given, so these are the same channels all along.
    along = _strongest(sum((_strength(stage[1]) for stage in wide.stages), start=entered[whole:]), half)
    _copy(slim.enter, wide.enter, torch.cat([beside, along + whole]), inputs)
    for to, stage in zip(slim.stages, wide.stages, strict=True):
        between = _strongest(_strength(stage[0]), half)
        _copy(to[0], stage[0], between, along)
        _copy(to[1], stage[1], along, between)
    left = _strongest(_strength(wide.leave), outputs)
    joined = [beside, *(along + whole * (1 + stage) for stage in range(1 + len(wide.stages)))]
    _copy(slim.leave, wide.leave, left, torch.cat(joined))
    return left


@dataclass(frozen=True, slots=True, kw_only=True)
class Slimmed:
    """A detector of a narrower plan.

    Attributes:
        detector: with the strongest channels of the wide one.
        kept: which channels of the wide one's feature maps at strides 8, 16 and 32 those of its own are.
    """

    detector: PlateDetector
    kept: Maps


def slimmed(wide: PlateDetector, plan: Plan) -> Slimmed:
    """The strongest channels of a detector, as many as a plan has; it finds little before it is trained."""
    slim = PlateDetector(plan)
    a, b, *_ = plan.widths
    at2, at4 = (_strongest(_strength(layer), width) for layer, width in zip(wide.stem[:2], (a, b), strict=True))
    _copy(slim.stem[0], wide.stem[0], at2, torch.arange(3))
    _copy(slim.stem[1], wide.stem[1], at4, at2)
    kept = [_copy_block(slim.stem[2], wide.stem[2], at4) if plan.stem_block else at4]
    for name in ("stage8", "stage16", "stage32"):
        to, stage = slim.get_submodule(name), wide.get_submodule(name)
        smaller = _strongest(_strength(stage[0]), to[0][0].out_channels)
        _copy(to[0], stage[0], smaller, kept[-1])
        kept.append(_copy_block(to[1], stage[1], smaller))
    at8, at16, at32 = kept[1:]
    squeezed = _strongest(_strength(wide.pool[0]), slim.pool[0][0].out_channels)
    _copy(slim.pool[0], wide.pool[0], squeezed, at32)
    pooled = torch.cat([squeezed + turn * wide.pool[0][0].out_channels for turn in range(4)])
    at32 = _strongest(_strength(wide.pool[1]), slim.pool[1][0].out_channels)
    _copy(slim.pool[1], wide.pool[1], at32, pooled)
    at16 = _copy_block(slim.neck16, wide.neck16, torch.cat([at32, at16 + wide.neck16.coarse]))
    at8 = _copy_block(slim.neck8, wide.neck8, torch.cat([at16, at8 + wide.neck8.coarse]))
    for to, head, inputs in zip(slim.heads, wide.heads, (at8, at16, at32), strict=True):
        trunk = _strongest(_strength(head[0]), plan.head_width)
        _copy(to[0], head[0], trunk, inputs)
        for mine, answer in zip(to[1:], head[1:], strict=True):
            mine.weight.data, mine.bias.data = answer.weight.detach()[:, trunk].clone(), answer.bias.detach().clone()
    return Slimmed(detector=slim, kept=(at8, at16, at32))


def map_loss(taught: Maps, wide: Maps, kept: Maps) -> Tensor:
    """How far feature maps are from the channels that they were in the wide detector; their means alone are 1 away."""
    apart = []
    for ours, whole, channels in zip(taught, wide, kept, strict=True):
        theirs = whole[:, channels]
        apart.append((ours - theirs).square().mean() / theirs.var(dim=(0, 2, 3)).mean().clamp_min(1e-6))
    return torch.stack(apart).mean()
