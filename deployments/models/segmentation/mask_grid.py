"""From the grid on which a network says what belongs to an object to the pixels of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deployments.models.detection.preprocessing import Geometry
from deployments.models.segmentation.resampling import Weights, linear_weights, nearest_cells
from workflows.geometry.masks import Mask, tight_window
from workflows.ports import PredictionOptions
from workflows.values.masks import Masks

Grid = NDArray[np.float32]
Cells = tuple[slice, slice]
"""Rows and columns of a grid."""

Window = tuple[int, int, Mask]
"""Left, top and pixels of a part of the picture."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskGrid:
    """Where the cells of a mask lie on one picture.

    Attributes:
        geometry: of the picture on the canvas, over which the grid extends.
        grid_hw: rows and columns of the grid.
        content: rows and columns of the grid that the picture lies in, without its padding; they may reach beyond the
            grid where the canvas shows only a part of the picture.
        rows: (h, r) share of each row of the content in each row of the picture's static crop.
        columns: (w, c) the same for columns.
    """

    geometry: Geometry
    grid_hw: tuple[int, int]
    content: Cells
    rows: Weights
    columns: Weights

    @classmethod
    def of(cls, geometry: Geometry, grid_hw: tuple[int, int], options: PredictionOptions) -> MaskGrid:
        """The grid for one picture; the options say at which size masks are worked out."""
        content = _content(geometry, grid_hw)
        _, _, crop_width, crop_height = geometry.crop_ltwh
        factor = _resolution(options)
        return cls(
            geometry=geometry,
            grid_hw=grid_hw,
            content=content,
            rows=_weights(crop_height, content[0].stop - content[0].start, factor),
            columns=_weights(crop_width, content[1].stop - content[1].start, factor),
        )

    def masks(self, grids: Grid, level: float, xyxy: NDArray[np.float32] | None) -> Masks:
        """Masks on the picture.

        Args:
            grids: (n, r, c) float32: a value for each cell, the higher the surer that it belongs to the object.
            level: pixels above it belong.
            xyxy: (n, 4) float32 boxes on the canvas outside which nothing belongs; None for networks that need none.
        """
        everywhere = [(slice(0, self.grid_hw[0]), slice(0, self.grid_hw[1]))] * len(grids)
        cells = everywhere if xyxy is None else [self._cells_of(box) for box in xyxy]
        windows = (self._window(grid, part, level) for grid, part in zip(grids, cells, strict=True))
        return Masks.of_windows(self.geometry.image_wh, windows)

    def _cells_of(self, xyxy: NDArray[np.float32]) -> Cells:
        """Cells inside a box; its sides are rounded to whole cells, halves to the even neighbour."""
        canvas_h, canvas_w = self.geometry.canvas_hw
        scale = np.array([self.grid_hw[1] / canvas_w, self.grid_hw[0] / canvas_h] * 2, dtype=np.float32)
        limits = np.array([self.grid_hw[1], self.grid_hw[0]] * 2)
        left, top, right, bottom = np.clip(np.rint(xyxy * scale), 0, limits).astype(int).tolist()
        return slice(top, max(top, bottom)), slice(left, max(left, right))

    def _window(self, grid: Grid, part: Cells, level: float) -> Window:
        (down, rows), (across, columns) = (
            _overlap(cells, content) for cells, content in zip(part, self.content, strict=True)
        )
        seen = grid[down, across]
        high_columns, high_rows = tight_window(seen > level)  # where all cells are low, no pixel between them is high
        reached_rows = _reached(self.rows[:, rows][:, high_rows])
        reached_columns = _reached(self.columns[:, columns][:, high_columns])
        left, top, _, _ = self.geometry.crop_ltwh
        by_row, by_column = self.rows[reached_rows, rows], self.columns[reached_columns, columns]
        with np.errstate(invalid="ignore"):  # a broken network gives infinities
            belongs = by_row @ seen @ by_column.T > level
        return left + reached_columns.start, top + reached_rows.start, belongs


def _content(geometry: Geometry, grid_hw: tuple[int, int]) -> Cells:
    (canvas_h, canvas_w), (width, height) = geometry.canvas_hw, geometry.resized_wh
    return (
        _span(grid_hw[0], grid_hw[0] / canvas_h, geometry.pad_top, canvas_h - height - geometry.pad_top),
        _span(grid_hw[1], grid_hw[1] / canvas_w, geometry.pad_left, canvas_w - width - geometry.pad_left),
    )


def _span(cells: int, scale: float, before_px: int, behind_px: int) -> slice:
    start, stop = round(scale * before_px), cells - round(scale * behind_px)
    return slice(start, max(start + 1, stop))


def _resolution(options: PredictionOptions) -> float:
    match options.mask_decode_mode:
        case "accurate":
            return 1.0
        case "fast":
            return 0.0
        case "tradeoff":
            return options.tradeoff_factor


def _weights(length: int, source_length: int, factor: float) -> Weights:
    """Shares of source cells in pixels, worked out at a size between the two: 0 is that of the source, 1 of the pixels.

    Pixels take the value of the place between the two that they lie in.
    """
    if factor >= 1:
        return linear_weights(length, source_length)
    between = max(1, round(source_length * (1 - factor) + length * factor))
    return linear_weights(between, source_length)[nearest_cells(length, between)]


def _overlap(cells: slice, content: slice) -> tuple[slice, slice]:
    """What of some cells lies in the content: as cells of the grid, and as cells of the content."""
    start, stop = max(cells.start, content.start), min(cells.stop, content.stop)
    stop = max(start, stop)
    return slice(start, stop), slice(start - content.start, stop - content.start)


def _reached(weights: Weights) -> slice:
    """Rows of the weights in which any of the cells has a share."""
    rows = np.flatnonzero(weights.any(axis=1))
    return slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)
