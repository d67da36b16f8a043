from __future__ import annotations

import time
from pathlib import Path

import pytest

from load_tests.gpu.busy import BusySamples, busy_sampled


def test_the_share_is_the_mean_of_what_was_seen() -> None:
    samples = BusySamples()
    for line in ("80\n", " 40 \n", "[N/A]\n", "\n", "0\n"):
        samples.hear(line)
    assert samples.share == pytest.approx(0.4)


def test_where_nothing_was_seen_nobody_knows() -> None:
    with busy_sampled(tool="no-such-tool") as samples:
        pass
    assert samples.share is None


def test_the_tool_is_asked_until_the_block_ends(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\necho 50\nexec sleep 60\n')
    tool.chmod(0o755)
    with busy_sampled("3", str(tool)) as samples:
        while not samples.percent:
            time.sleep(0.01)
    assert samples.share == 0.5
    asked = (tmp_path / "asked").read_text().strip()
    assert asked == "--id=3 --query-gpu=utilization.gpu --format=csv,noheader,nounits -lms 200"
