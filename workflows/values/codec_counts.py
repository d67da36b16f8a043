"""How often pictures were decoded and encoded: the dearest thing a process may do twice without anybody noticing."""

from __future__ import annotations

import threading


class CodecCounts(threading.local):
    """What the calling thread has done so far.

    Of a thread, not of the process: so whoever computes knows what one piece of work took, whatever else goes on.

    Attributes:
        decodes: pictures that became pixels.
        encodes: pixels that became pictures.
    """

    def __init__(self) -> None:
        self.decodes = 0
        self.encodes = 0


CODEC_COUNTS = CodecCounts()
