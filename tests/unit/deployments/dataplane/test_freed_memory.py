"""What becomes of the memory of pictures that are done with, counted in a process of its own."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

DECODES = """
import resource, sys
from deployments.dataplane.computing import ComputeThread
from deployments.dataplane.sample import sample_photograph
from workflows.values.image_codec import decode_pixels

def decode_often():
    for _ in range(10):
        pictures = [decode_pixels(encoded) for _ in range(2)]
        del pictures

def page_faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

encoded = sample_photograph()
if sys.argv[1] == "replica":
    ComputeThread("test", "a")
decode_often()
before = page_faults()
decode_often()
print(page_faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep freed memory")
def test_a_replica_decodes_into_memory_it_has_used_before():
    def faults(what: str) -> int:
        return int(subprocess.run([sys.executable, "-c", DECODES, what], check=True, capture_output=True).stdout)

    assert faults("replica") < 100  # 20 pictures of 675 pages each
    assert faults("other") > 5_000  # as it would be
