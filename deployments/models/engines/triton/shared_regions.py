"""Memory that this process and a Triton on the same machine both see, in a few regions that are used again."""

from __future__ import annotations

import os
import secrets
import threading
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAME_PREFIX = "sightline"
MOST_REGIONS = 4
SMALLEST_BYTES = 64 * 1024
ALIGNMENT_BYTES = 64


def aligned(size_bytes: int) -> int:
    """The size, up to where the next tensor may begin."""
    return -(-size_bytes // ALIGNMENT_BYTES) * ALIGNMENT_BYTES


class SharedRegion:
    """One region; the process's resource tracker unlinks it even when the process is killed.

    Attributes:
        name: for this machine and for Triton.
        size_bytes: how much it holds.
        registered: whether Triton was shown it.
    """

    def __init__(self, size_bytes: int) -> None:
        self.name = f"{NAME_PREFIX}-{os.getpid()}-{secrets.token_hex(6)}"
        self._memory = SharedMemory(self.name, create=True, size=size_bytes)
        self.size_bytes = size_bytes
        self.registered = False

    def write(self, array: NDArray[Any], offset: int) -> None:
        """Put an array there, in C order."""
        self._view(array.shape, array.dtype, offset)[...] = array

    def read(self, shape: tuple[int, ...], dtype: np.dtype[Any], offset: int) -> NDArray[Any]:
        """A copy of the array that lies there."""
        return self._view(shape, dtype, offset).copy()

    def unlink(self) -> None:
        """Give it up: its name is gone at once, its memory when the last process lets go."""
        self._memory.close()
        self._memory.unlink()

    def _view(self, shape: tuple[int, ...], dtype: np.dtype[Any], offset: int) -> NDArray[Any]:
        return np.ndarray(shape, dtype=dtype, buffer=self._memory.buf, offset=offset)


class RegionPool:
    """A bounded number of regions for the runs of one model.

    A run has a region to itself. After a run that did not end well its region is abandoned, not used again: Triton may
    still write into it. Its place stays taken until Triton was told to let go of it.
    """

    def __init__(self, most_regions: int = MOST_REGIONS) -> None:
        self._free_places = threading.BoundedSemaphore(most_regions)
        self._lock = threading.Lock()
        self._idle: list[SharedRegion] = []

    def acquire(self, size_bytes: int) -> tuple[SharedRegion | None, SharedRegion | None]:
        """A region of at least this size, None while all are in use; and one that was unlinked to make room for it.

        Raises:
            OSError: the machine has no memory for it.
        """
        if not self._free_places.acquire(blocking=False):
            return None, None
        try:
            with self._lock:
                fitting = [region for region in self._idle if region.size_bytes >= size_bytes]
                if fitting:
                    chosen = min(fitting, key=lambda region: region.size_bytes)
                    self._idle.remove(chosen)
                    return chosen, None
                outgrown = self._idle.pop() if self._idle else None
            if outgrown is not None:
                outgrown.unlink()
            return SharedRegion(max(SMALLEST_BYTES, 1 << (size_bytes - 1).bit_length())), outgrown
        except BaseException:
            self._free_places.release()
            raise

    def release(self, region: SharedRegion) -> None:
        """Give a region back whose run ended well."""
        with self._lock:
            self._idle.append(region)
        self._free_places.release()

    def free_place(self) -> None:
        """Make room for another region in place of an abandoned one."""
        self._free_places.release()

    def close(self) -> list[SharedRegion]:
        """Unlink what is idle, which is all when no run is under way; gives those to unregister."""
        with self._lock:
            idle, self._idle = self._idle, []
        for region in idle:
            region.unlink()
        return idle
