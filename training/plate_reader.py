"""A text recognizer that finds its line first: a small localizer, then docTR's `crnn_mobilenet_v3_small`, one graph.

A crop arrives with a lot of street round the plate, or none. Shrinking it to the 32 x 128 pixels that docTR's
recognizers take would leave a padded plate 10 pixels tall, so the graph takes 64 x 256, predicts the parallelogram that
holds the line, samples that to 32 x 128, and reads it: one session, one batch, no second hop.

Source: Jaderberg et al., Spatial Transformer Networks, 2015; here the frame is also taught directly, since renders know
where their letters stand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from training.crop_samples import WIDENED
from training.plate_texts import VOCABULARY
from training.torchvision_ops import declare_torchvision_ops

declare_torchvision_ops()

from doctr.models.recognition import crnn_mobilenet_v3_small  # noqa: E402

MEAN, STD = (0.694, 0.695, 0.693), (0.299, 0.296, 0.301)  # docTR's
READ_HW = (32, 128)
BLANK = len(VOCABULARY)


class _WithoutPadding(nn.Conv2d):
    """The same convolution without the rows of its kernel that only ever meet padding: a few rows of features are left
    of a line 32 pixels tall, and kernels of five rows would spend most of their time beside them.
    """

    def trimmed(self, rows: int) -> tuple[Tensor, tuple[int, int]]:
        """Kernel and padding for features of so many rows."""
        tall, step, above = self.kernel_size[0], self.stride[0], self.padding[0]
        last = (rows + 2 * above - tall) // step * step  # the row of padded input where the last window starts
        first, end = max(0, above - last), min(tall, above + rows)
        below = last + end - above - rows  # padding that the last window still needs
        if above - first != below:
            return self.weight, self.padding
        return self.weight[:, :, first:end], (above - first, self.padding[1])

    def forward(self, features: Tensor) -> Tensor:
        kernel, padding = self.trimmed(features.shape[2])
        self.rows = features.shape[2]
        return F.conv2d(features, kernel, self.bias, self.stride, padding, groups=self.groups)


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class LineLocalizer(nn.Module):
    """Frames the line of text: every cell of an 8 x 32 grid votes for a parallelogram, weighted by how sure it is."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(_conv(3, 16, 2), _conv(16, 32, 2), _conv(32, 48, 2), _conv(48, 48), _conv(48, 48))
        self.wide = nn.Sequential(_conv(48, 64, 2), _conv(64, 64), _conv(64, 64, 2), _conv(64, 64))
        self.vote = nn.Sequential(_conv(112, 64), nn.Conv2d(64, 7, 1))
        nn.init.zeros_(self.vote[1].weight)
        nn.init.zeros_(self.vote[1].bias)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Frame the line.

        Args:
            crops: (b, 3, 64, 256) normalized.

        Returns:
            (b, 6) frames as `CropSample.frame`; (b, cells) vote logits; (cells, 2) cell centres, -1..1.
        """
        fine = self.fine(crops)
        wide = F.interpolate(self.wide(fine), size=[int(side) for side in fine.shape[2:]])
        votes = self.vote(torch.cat([fine, wide], 1)).float()
        rows, columns = (int(side) for side in votes.shape[2:])  # constants of the exported graph
        y = (torch.arange(rows, device=crops.device) * 2 + 1) / rows - 1
        x = (torch.arange(columns, device=crops.device) * 2 + 1) / columns - 1
        centres = torch.stack([x.repeat(rows), y.repeat_interleave(columns)], 1)
        votes = votes.flatten(2).transpose(1, 2)
        weight = votes[..., :1].softmax(1)
        along = torch.stack([torch.exp(votes[..., 3].clamp(-6, 2) - 0.7), votes[..., 4]], -1)
        down = torch.stack([votes[..., 5], torch.exp(votes[..., 6].clamp(-6, 2) - 0.7)], -1)
        frames = torch.cat([centres + votes[..., 1:3], along, down], -1)
        return (frames * weight).sum(1), votes[..., 0], centres


class NarrowDecoder(nn.Module):
    """Bidirectional LSTM layers, each behind a projection of what it reads (`compact.py`)."""

    def __init__(self, inwards: Sequence[nn.Linear], layers: Sequence[nn.LSTM]) -> None:
        super().__init__()
        self.inwards, self.layers = nn.ModuleList(inwards), nn.ModuleList(layers)

    @classmethod
    def like(cls, state: Mapping[str, Tensor]) -> NarrowDecoder:
        """One of the sizes that its weights have, named as in `PlateReader`."""
        projections = [
            value.shape for name, value in state.items() if re.search(r"decoder\.inwards\.\d\.weight$", name)
        ]
        hidden = state["recognizer.decoder.layers.0.weight_hh_l0"].shape[1]
        return cls(
            [nn.Linear(inputs, heard) for heard, inputs in projections],
            [nn.LSTM(heard, hidden, batch_first=True, bidirectional=True) for heard, _ in projections],
        )

    def forward(self, steps: Tensor) -> tuple[Tensor, None]:
        """(b, steps, features) to (b, steps, 2 * hidden), in the place of an LSTM's pair."""
        for inwards, lstm in zip(self.inwards, self.layers, strict=True):
            steps = lstm(inwards(steps))[0]
        return steps, None


class PlateReader(nn.Module):
    """Localizer and recognizer."""

    def __init__(self) -> None:
        super().__init__()
        self.localizer = LineLocalizer()
        self.recognizer = crnn_mobilenet_v3_small(pretrained=False, pretrained_backbone=False, vocab=VOCABULARY)
        for layer in self.recognizer.modules():
            if isinstance(layer, nn.Conv2d) and layer.groups > 1:
                layer.__class__ = _WithoutPadding

    def trim(self) -> None:
        """Leave out for good what only meets padding, so that the exported graph holds plain convolutions."""
        with torch.no_grad():
            self.read(torch.zeros(1, 3, *READ_HW))
        for layer in self.recognizer.modules():
            if isinstance(layer, _WithoutPadding):
                kernel, layer.padding = layer.trimmed(layer.rows)
                layer.weight, layer.kernel_size = nn.Parameter(kernel.detach().clone()), tuple(kernel.shape[2:])
                layer.__class__ = nn.Conv2d

    def frame(self, crops: Tensor) -> Tensor:
        """(b, 6): the line of each crop as it is read, a little wider than the localizer frames it."""
        frames = self.localizer(crops)[0]
        return torch.cat([frames[:, :2], frames[:, 2:4] * WIDENED[0], frames[:, 4:] * WIDENED[1]], 1)

    def rectify(self, crops: Tensor, frames: Tensor) -> Tensor:
        """Sample the framed lines: (b, 3, 32, 128)."""
        rows, columns = READ_HW
        y = (torch.arange(rows, device=crops.device) * 2 + 1) / rows - 1
        x = (torch.arange(columns, device=crops.device) * 2 + 1) / columns - 1
        places = torch.stack([torch.ones(rows * columns), x.repeat(rows), y.repeat_interleave(columns)], 1)
        grid = (places @ frames.reshape(-1, 3, 2)).reshape(-1, rows, columns, 2)
        return F.grid_sample(crops, grid, mode="bilinear", padding_mode="border", align_corners=False)

    def read(self, lines: Tensor) -> Tensor:
        """(b, 3, 32, 128) normalized to (b, 32, vocabulary + 1) logits; the blank is last."""
        features = self.recognizer.feat_extractor(lines)
        channels, rows, columns = (int(side) for side in features.shape[1:])
        sequence = features.reshape(-1, channels * rows, columns).transpose(1, 2)
        return self.recognizer.linear(self.recognizer.decoder(sequence)[0])

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, and the corners of what was read: (b, 4, 2), top left then clockwise, 0..1 across the crop."""
        frames = self.frame(crops)
        centre, along, down = frames[:, 0:2], frames[:, 2:4], frames[:, 4:6]
        corners = [centre - along - down, centre + along - down, centre + along + down, centre - along + down]
        return self.read(self.rectify(crops, frames)), (torch.stack(corners, 1) + 1) / 2


def load_reader(path: Path) -> PlateReader:
    """A reader from its weights, its decoder as narrow as they are."""
    reader, state = PlateReader(), load_file(path)
    if "recognizer.decoder.inwards.0.weight" in state:
        reader.recognizer.decoder = NarrowDecoder.like(state)
    reader.load_state_dict(state)
    return reader


def decode(logits: Tensor) -> list[str]:
    """Best path: drop repetitions, then blanks."""
    texts = []
    for row in logits.argmax(-1).tolist():
        kept = [c for at, c in enumerate(row) if c != BLANK and (at == 0 or row[at - 1] != c)]
        texts.append("".join(VOCABULARY[c] for c in kept))
    return texts


def normalize(rgb: Tensor) -> Tensor:
    """(b, 3, h, w) in 0..1 to the network's range."""
    return (rgb - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
