"""Which pixels of an image each of several objects covers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from workflows.geometry.masks import Mask, outline, tight_window
from workflows.geometry.run_lengths import compress

Index = NDArray[np.bool_] | NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Masks:
    """Masks of n objects on one image, each kept as the packed bits of the window that holds its pixels.

    So many masks of a large picture are small, in memory and on their way to other processes: a hundred bool arrays of
    a 12-megapixel photograph would be 1.2 GB.

    Attributes:
        image_wh: size of the image.
        windows_ltwh: (n, 4) int32: left, top, width and height of each window, inside the image; all 0 for a mask
            without pixels.
        bits: for each mask, the pixels of its window row by row, eight in a byte, the first in the highest bit.
    """

    image_wh: tuple[int, int]
    windows_ltwh: NDArray[np.int32]
    bits: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if self.windows_ltwh.shape != (len(self.bits), 4):
            raise ValueError(f"windows_ltwh must have shape ({len(self.bits)}, 4), got {self.windows_ltwh.shape}")

    @classmethod
    def of_windows(cls, image_wh: tuple[int, int], windows: Iterable[tuple[int, int, Mask]]) -> Masks:
        """Masks given by parts of the image: left, top and (h, w) bool; what lies outside the image goes."""
        places: list[tuple[int, int, int, int]] = []
        bits: list[bytes] = []
        for left, top, mask in windows:
            seen, left, top = _inside(mask, left, top, image_wh)
            across, down = tight_window(seen)
            tight = seen[down, across]
            places.append((left + across.start, top + down.start, *tight.shape[::-1]) if tight.size else (0, 0, 0, 0))
            bits.append(np.packbits(tight).tobytes())
        return cls(image_wh=image_wh, windows_ltwh=np.array(places, dtype=np.int32).reshape(-1, 4), bits=tuple(bits))

    @classmethod
    def of_arrays(cls, masks: NDArray[np.bool_]) -> Masks:
        """Masks given as (n, h, w) bool."""
        height, width = masks.shape[1:]
        return cls.of_windows((width, height), ((0, 0, mask) for mask in masks))

    def __len__(self) -> int:
        return len(self.bits)

    def select(self, index: Index) -> Masks:
        """The masks at `index` (a mask or positions), in its order."""
        positions = np.arange(len(self))[index]
        return Masks(
            image_wh=self.image_wh,
            windows_ltwh=self.windows_ltwh[positions],
            bits=tuple(self.bits[position] for position in positions.tolist()),
        )

    def window(self, position: int) -> tuple[int, int, Mask]:
        """Left, top and pixels (h, w) bool of the window of one mask."""
        left, top, width, height = self.windows_ltwh[position].tolist()
        packed = np.frombuffer(self.bits[position], dtype=np.uint8)
        flat = np.unpackbits(packed, count=width * height).view(np.bool_)
        return left, top, flat.reshape(height, width)

    def windows(self) -> list[tuple[int, int, Mask]]:
        """All of them."""
        return [self.window(position) for position in range(len(self))]

    def array(self, position: int) -> Mask:
        """(h, w) bool: one mask on the whole image."""
        left, top, mask = self.window(position)
        whole = np.zeros(self.image_wh[::-1], dtype=np.bool_)
        whole[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
        return whole

    def arrays(self) -> NDArray[np.bool_]:
        """(n, h, w) bool: every mask on the whole image; may be large."""
        width, height = self.image_wh
        whole = np.zeros((len(self), height, width), dtype=np.bool_)
        for position in range(len(self)):
            whole[position] = self.array(position)
        return whole

    def areas_px(self) -> NDArray[np.int64]:
        """(n,) pixels of each mask."""
        counts = [int(np.bitwise_count(np.frombuffer(bits, dtype=np.uint8)).sum()) for bits in self.bits]
        return np.array(counts, dtype=np.int64)

    def outline(self, position: int, *, outer: bool = False) -> NDArray[np.int32] | None:
        """(k, 2) pixels of the image: the contour of one mask that encloses most; None for a mask without pixels.

        Args:
            position: which mask.
            outer: whether only contours that lie in no other are looked at, and the one with most corners is taken.
        """
        left, top, mask = self.window(position)
        corner_xy = outline(mask, outer=outer)
        return None if corner_xy is None else corner_xy + np.array([left, top], dtype=np.int32)

    def run_lengths(self, position: int) -> str:
        """One mask on the whole image as compressed run lengths."""
        left, top, mask = self.window(position)
        return compress(mask, left_px=left, top_px=top, canvas_wh=self.image_wh)

    def cut(self, xyxy: tuple[int, int, int, int]) -> Masks:
        """The masks on the part of the image between two corners, sliced as numpy does."""
        width, height = self.image_wh
        left, right, _ = slice(xyxy[0], xyxy[2]).indices(width)
        top, bottom, _ = slice(xyxy[1], xyxy[3]).indices(height)
        return self.moved(-left, -top, (max(0, right - left), max(0, bottom - top)))

    def moved(self, dx_px: int, dy_px: int, image_wh: tuple[int, int]) -> Masks:
        """The masks moved right and down, on an image of another size."""
        return Masks.of_windows(image_wh, ((left + dx_px, top + dy_px, mask) for left, top, mask in self.windows()))

    def scaled(self, factor: float) -> Masks:
        """The masks on an image so many times as large; each pixel takes the value of the one it lies in."""
        wh = (max(round(self.image_wh[0] * factor), 1), max(round(self.image_wh[1] * factor), 1))
        arrays = (self.array(position).view(np.uint8) for position in range(len(self)))
        resized = (cv2.resize(array, wh, interpolation=cv2.INTER_NEAREST).astype(np.bool_) for array in arrays)
        return Masks.of_windows(wh, ((0, 0, mask) for mask in resized))


def _inside(mask: Mask, left: int, top: int, image_wh: tuple[int, int]) -> tuple[Mask, int, int]:
    """The part of a window inside the image, and its corner there."""
    width, height = image_wh
    outside_left, outside_top = max(0, -left), max(0, -top)
    seen = mask[outside_top : max(outside_top, height - top), outside_left : max(outside_left, width - left)]
    return seen, max(0, left), max(0, top)
