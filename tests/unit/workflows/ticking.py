"""A clock for tests: time passes by being looked at."""

import time


class TickingTime:
    """Stands for the module `time`; each look at it finds it later by a tick.

    Args:
        tick_s: seconds between two looks.
    """

    def __init__(self, tick_s: float) -> None:
        self._tick_s = tick_s
        self._began_s = time.time()
        self.looks = 0

    def monotonic(self) -> float:
        self.looks += 1
        return self.time()

    def time(self) -> float:
        return self._began_s + self.looks * self._tick_s
