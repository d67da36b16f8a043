"""Running batches of any size on graphs that take only one, or not too many at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deployments.models.engines.engine import Engine


def run_batch(
    engine: Engine, batch: NDArray[Any], batch_size: int | None, max_batch_size: int | None = None
) -> list[NDArray[Any]]:
    """Every output for every element of the batch, in the order of the engine's outputs.

    Args:
        engine: with one input, whose first axis is the batch; so is that of every output.
        batch: (b, ...), b > 0; brought to the type that the engine takes.
        batch_size: the only size that the graph takes: larger batches are split, and the last part filled with zeros;
            None when any size will do.
        max_batch_size: size above which batches are split though the graph takes any; None when there is none.
    """
    spec = engine.inputs[0]
    feed = batch.astype(spec.dtype, copy=False)
    part_size = batch_size or max_batch_size or len(feed)
    parts: list[list[NDArray[Any]]] = []
    for start in range(0, len(feed), part_size):
        part = feed[start : start + part_size]
        missing = 0 if batch_size is None else batch_size - len(part)
        if missing:
            part = np.concatenate([part, np.zeros((missing, *part.shape[1:]), dtype=part.dtype)])
        parts.append(list(engine.run({spec.name: part}).values()))
    if len(parts) == 1:
        return [output[: len(feed)] for output in parts[0]]
    return [np.concatenate(outputs)[: len(feed)] for outputs in zip(*parts, strict=True)]
