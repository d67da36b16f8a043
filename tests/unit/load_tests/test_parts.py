from __future__ import annotations

import pytest

from load_tests.parts import NAMES, measure_parts

pytestmark = pytest.mark.weights


def test_every_part_of_a_request_is_measured() -> None:
    cpu_ms, wall_ms = measure_parts(1)
    assert set(cpu_ms) == set(wall_ms) == set(NAMES)
    assert all(wall_ms[name] > 0 for name in NAMES)
    assert cpu_ms["inference"] > cpu_ms["crop"]
