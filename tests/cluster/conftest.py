"""One cluster for all tests that only use it; those that stop or break one start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.server import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A running cluster behind HAProxy."""
    started = Server()
    try:
        started.wait_for("ready http")
        yield started
    finally:
        started.stop()
