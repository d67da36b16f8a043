"""Fresh samples on disk: a generator process replaces files in turn while the trainer reads them.

A pool file is an uncompressed `.npz` of equally long arrays. Writing is atomic; the trainer reloads what changed.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = Mapping[str, NDArray[np.generic]]


def keep_fresh(
    folder: Path, make: Callable[[], Samples], files: int, rounds: int | None = None, rest_s: float = 0.0
) -> None:
    """Write pool files in turn, for ever or for a number of rounds over all files."""
    folder.mkdir(parents=True, exist_ok=True)
    for turn in itertools.count():
        if rounds is not None and turn >= rounds * files:
            return
        started = time.process_time()
        samples = make()
        target = folder / f"{turn % files:03d}.npz"
        with target.with_suffix(".part").open("wb") as part:
            np.savez(part, **samples)
        target.with_suffix(".part").replace(target)
        count, spent = len(next(iter(samples.values()))), time.process_time() - started
        print(f"{folder.name}: file {turn}, {count / spent:.0f} samples/CPU-s", flush=True)
        time.sleep(rest_s)


class PoolReader:
    """The samples of a folder of pool files, drawn at random."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder, self._random = folder, np.random.default_rng(seed)
        self._files: dict[Path, tuple[int, Samples]] = {}
        while not self._files:
            self.refresh()
            if not self._files:
                time.sleep(2)

    def refresh(self) -> None:
        """Load the files that are new or were replaced."""
        for path in sorted(self._folder.glob("*.npz")):
            stamp = path.stat().st_mtime_ns
            if self._files.get(path, (0, {}))[0] != stamp:
                with np.load(path) as arrays:
                    self._files[path] = (stamp, dict(arrays))

    def draw(self, count: int) -> dict[str, NDArray[np.generic]]:
        """`count` samples from two files, with repetition."""
        paths, parts = list(self._files), []
        for share in (count // 2, count - count // 2):
            samples = self._files[paths[self._random.integers(len(paths))]][1]
            length = len(next(iter(samples.values())))
            rows = self._random.integers(length, size=share)
            parts.append({name: values[rows] for name, values in samples.items()})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
