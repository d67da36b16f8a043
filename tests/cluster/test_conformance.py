"""The recorded jobs put to a real cluster: no answer depends on which process a step runs in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.server import Server
from tests.conformance.recordings import RECORDINGS, read_recording
from tests.conformance.run import verdict_of
from tests.conformance.served import write_models, write_workflows

pytestmark = pytest.mark.cluster


def test_a_cluster_answers_the_recorded_jobs_as_the_reference_did(tmp_path: Path):
    write_models(tmp_path / "models")
    write_workflows(tmp_path / "workflows")
    server = Server("--models", str(tmp_path / "models"), "--workflows", str(tmp_path / "workflows"))
    try:
        server.wait_for("ready http")
        verdicts = {
            job["id"]: verdict_of(recording, job, server.url)
            for recording in map(read_recording, RECORDINGS)
            for job in recording.jobs
        }
    finally:
        server.stop()
    assert {name: found for name, (column, found) in verdicts.items() if column == "differ"} == {}
    assert sum(column == "agree" for column, _ in verdicts.values()) >= 388
