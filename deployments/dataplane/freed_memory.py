"""Keeping the memory of pictures and tensors that are done with, for the next ones."""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's `mallopt`. Source: mallopt(3), malloc.h."""

REUSED_BYTES = 32 * 1024 * 1024
"""Largest piece that is kept, and the most that `mallopt` takes on 64 bits; a larger one is given back at once."""

KEPT_BYTES = 64 * 1024 * 1024
"""Free memory that each of malloc's arenas keeps at its end."""


def keep_freed_memory() -> None:
    """Have this process keep what it frees, up to the bounds above, instead of giving it back to the system each time.

    Every page given back is cleared by the system and faulted in again for the next picture. A replica that only cut
    crops spent as long on that as on decoding. C libraries other than glibc are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, REUSED_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
