"""What share of the time a GPU is busy, asked from NVIDIA's own tool while something runs."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

TOOL = "nvidia-smi"
EVERY_MS = 200


@dataclass(slots=True)
class BusySamples:
    """Percentages that were seen."""

    percent: list[float] = field(default_factory=list)

    def hear(self, line: str) -> None:
        """Take a line of the tool; `[N/A]`, as a part of a GPU gives, is none."""
        try:
            self.percent.append(float(line))
        except ValueError:
            return

    @property
    def share(self) -> float | None:
        """Mean, 0 to 1; None where nothing was seen."""
        return sum(self.percent) / len(self.percent) / 100 if self.percent else None


@contextmanager
def busy_sampled(gpu: str = "0", tool: str = TOOL) -> Iterator[BusySamples]:
    """Sample from the beginning of the block to its end; without the tool nothing is seen.

    Args:
        gpu: number or UUID; the tool counts all GPUs of the machine, whichever are visible to this process.
        tool: its name or path.
    """
    samples = BusySamples()
    path = shutil.which(tool)
    if path is None:
        yield samples
        return
    asked = [path, f"--id={gpu}", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    asking = subprocess.Popen(  # noqa: S603 - the one on the path
        [*asked, "-lms", str(EVERY_MS)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert asking.stdout  # a pipe was asked for

    def read(lines: Iterator[str]) -> None:
        for line in lines:
            samples.hear(line)

    reader = threading.Thread(target=read, args=(asking.stdout,), daemon=True)
    reader.start()
    try:
        yield samples
    finally:
        asking.terminate()
        asking.wait()
        reader.join()
        asking.stdout.close()
